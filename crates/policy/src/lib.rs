//! Policies: documents that allow or deny actions on resources, under conditions.
//!
//! What it is for: one tree ([`Document`]) with a reader and a printer a cloud ([`ram`] is the first), one evaluation
//! ([`evaluate()`]: explicit deny > allow > default deny), its explanation ([`explain()`]), what a lister may show
//! ([`filter()`]), whether somebody holds what they want to give ([`covers()`]), the built-in policies ([`builtin()`]) and the table of actions ([`actions_table`]).
//!
//! What it may not do: read the clock (the time comes in [`Context`]), the database, a cloud. It does not know who asks:
//! that the root user is not bound by policies, and that a session policy has to allow as well, is decided in `access`.
//!
//! To add a condition operator: one row in `condition.rs`. A condition key: one row in `context.rs`. A built-in: one row in
//! `builtin.rs`. A cloud's language: a module beside [`ram`] that builds the same tree. Each with a line in the oracle of
//! `tests/policy/oracle.rs`, which is written a second time on purpose.
#![deny(missing_docs)]

mod actions;
mod builtin;
mod condition;
mod context;
mod cover;
mod document;
mod error;
mod evaluate;
mod explain;
mod filter;
mod meet;
mod pattern;
mod principal;
pub mod ram;
mod ranges;
mod resource;
mod table;
mod trust;

pub use actions::{ActionPattern, ActionSet, Matching};
pub use builtin::{BuiltIn, builtin, builtins};
pub use condition::{Clause, Family, Operator, Value};
pub use context::{Context, Fact, Key, KeyError};
pub use cover::{Uncovered, Why, covers, lifted, spelled_by_id};
pub use document::{Document, Effect, MAX_CHARS, MAX_STATEMENTS, Statement};
pub use error::PolicyError;
pub use evaluate::{By, Decision, Effective, Request, evaluate, implied_by};
pub use explain::{Explanation, explain};
pub use filter::{Filter, NamePattern, filter};
pub use pattern::Pattern;
pub use principal::{PrincipalPattern, Who};
pub use ranges::NameRange;
pub use resource::{ResourcePattern, Spelling};
pub use table::actions_table;
pub use trust::{Trust, TrustDocument};
