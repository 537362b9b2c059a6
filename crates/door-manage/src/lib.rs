//! The management API under `/api/v1`: identities, keys, policies, instances, namespaces, repositories, tags, the audit trail.
//!
//! What it is for: turning requests into use cases of `identity`, `registry` and `trail`, and their answers into shapes of `api`. What
//! it may not do: hold a rule, see SQL. A handler parses, is told who calls, asks for a permit, acts, renders, and no more.
//!
//! To add an operation: a shape in `api`, a handler in its noun's module below `operations/`, and a line in the table of
//! `operations/mod.rs` with the action that it needs. The OpenAPI document comes from the same table. A handler that asks
//! for a permit its line does not name is refused by `call::Call`, and a test walks the table.

mod call;
mod errors;
mod openapi;
mod operations;
mod page;
mod path;
mod routes;
mod shapes;

use std::sync::Arc;

use identity::{AuthError, Identity};
use kit::Answer;
use model::Op;
use registry::Registry;
use trail::Trail;

pub use openapi::openapi;
pub use operations::operation_names;
pub use shapes::node;

/// The answer to one request too many from an address.
pub fn too_often(op: &Op, retry_after_ms: i64) -> Answer {
    errors::Problem::from(AuthError::Throttled { retry_after_ms }).answer(op)
}

/// The door.
#[derive(Clone, Debug)]
pub struct Manage {
    identity: Arc<Identity>,
    registry: Arc<Registry>,
    trail: Arc<Trail>,
}

impl Manage {
    /// A door to these.
    pub const fn new(identity: Arc<Identity>, registry: Arc<Registry>, trail: Arc<Trail>) -> Self {
        Self { identity, registry, trail }
    }
}
