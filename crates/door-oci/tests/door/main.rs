//! The door over a whole registry in memory, in the words of the specification.

mod discovery;
mod house;
mod pull;
mod push;
mod rights;
