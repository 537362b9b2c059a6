//! How every error of the management API looks, the token endpoint's apart (RFC 6749 rules that one).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An error.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct ErrorAnswer {
    /// What went wrong.
    pub error: ErrorDetail,
}

/// What went wrong, for programs and for people.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct ErrorDetail {
    /// A stable word for programs: `not_found`, `denied`, `invalid_request` …
    pub code: String,
    /// What happened and what to do next, for people.
    pub message: String,
    /// The request's id, as in the log and the audit trail.
    pub request_id: String,
    /// The field or parameter that was wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}
