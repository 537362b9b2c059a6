//! Rights as properties: what a token is issued for, and what taking away takes.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "what tests are made of")]

#[cfg(test)]
mod issued;
#[cfg(test)]
mod monotone;
