//! Policies of namespaces and repositories: who else may use them.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Say who else may use a namespace or a repository.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct SetResourcePolicy {
    /// The document's text, kept as written: its statements name principals of the account.
    pub document: String,
}

/// Who else may use a namespace or a repository.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct ResourcePolicy {
    /// What it belongs to: `namespace/INSTANCE/NAME` or `repository/INSTANCE/NAME`.
    pub resource: String,
    /// The document's text, as written.
    pub document: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}
