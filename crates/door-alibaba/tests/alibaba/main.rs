//! The door, called as its clients call it: `house.alibaba(&key).call(Product::Cr, "GetInstance", …)`.

mod golden;
mod ram;
mod refusals;
mod walk;
