//! Alibaba Cloud's clients against the real program: its SDKs for Python, Node.js and Go, its command line's requests, Docker's credential helper for
//! it, and the walk of the vendor's own documents.
//!
//! An SDK is a driver (`drivers/`), a process that is told a call a line; [`sdk::Sdk`] asks it. To add one: a variant of [`sdk::Kind`]. What an
//! action answers is looked at by value in `actions.rs`, through several SDKs.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the helpers of a test may fail it")]

mod cloud;
mod sdk;

#[cfg(test)]
mod actions;
#[cfg(test)]
mod chains;
#[cfg(test)]
mod command_line;
#[cfg(test)]
mod endpoints;
#[cfg(test)]
mod names;
#[cfg(test)]
mod people;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod walk;

#[path = "../federation/provider.rs"]
mod provider;
#[expect(dead_code, reason = "each suite needs a part of it")]
#[path = "../support/mod.rs"]
mod support;
