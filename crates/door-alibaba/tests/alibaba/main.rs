//! The door, called as its clients call it: `house.alibaba(&key).call(Product::Cr, "GetInstance", …)`.

mod cr;
mod golden;
mod hosts;
mod ims;
mod ram;
mod refusals;
mod sessions;
mod sts;
mod walk;
