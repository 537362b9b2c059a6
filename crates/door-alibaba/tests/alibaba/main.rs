//! The door, called as its clients call it: `house.alibaba(&key).call(Product::Cr, "GetInstance", …)`.

mod golden;
mod refusals;
mod walk;
