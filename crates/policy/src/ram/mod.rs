//! RAM's policy language, version "1": reader, printer, and how resources are spelled in it.

mod json;
mod owned;
mod print;
mod read;
mod spell;

pub use owned::{MAX_OWNED_CHARS, parse_resource_policy, parse_trust, reread_resource_policy};
pub use print::print;
pub use read::parse;
pub(crate) use spell::repositories_of;
pub use spell::spell;
