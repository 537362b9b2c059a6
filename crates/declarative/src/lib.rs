//! Documents that say what there should be (`kind: User`, `metadata`, `spec`): read, compared with what is there, applied; and
//! what is there, written as such documents.
//!
//! What it is for: `tidegate apply` and `tidegate export`, over the management API's client alone, as whoever holds the access
//! key. What it may not do: print, read the clock or the environment (they are passed in), hold a right or a rule of the server:
//! what the server refuses is refused.
//!
//! To add a noun: a module below `nouns/` with its `spec` and an `impl Noun`, and its line in `nouns::KINDS`, whose order is the
//! order of making. A field that is left out of a document stays as it is; a list that is given is the whole list.
#![deny(missing_docs)]

mod apply;
mod diff;
mod document;
mod error;
mod export;
mod files;
mod labels;
mod node;
mod noun;
mod nouns;
mod print;
mod report;
mod schema;
mod secrets;
mod step;
mod yaml;

pub use apply::{Options, Prune, apply};
pub use error::{Problem, Trouble};
pub use export::{Exported, export, kinds};
pub use files::Source;
pub use report::{Entry, Report, Status};
pub use schema::schema;
pub use step::{Change, Key, Verb};
