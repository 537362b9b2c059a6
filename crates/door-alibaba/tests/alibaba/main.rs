//! The door, called as its clients call it: `house.alibaba(&key).call(Product::Cr, "GetInstance", …)`.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cr;
mod denials;
mod golden;
mod hosts;
mod ims;
mod oidc;
mod ram;
mod refusals;
mod sessions;
mod sts;
mod walk;
