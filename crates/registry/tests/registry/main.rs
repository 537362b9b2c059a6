//! The registry's use cases, told over a store in memory and a folder of blobs.

mod blobs;
mod house;
mod lists;
mod manage;
mod manifests;
mod uploads;
