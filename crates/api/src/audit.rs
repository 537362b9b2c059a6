//! The audit trail.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which audit events to list, newest first.
#[derive(Clone, Serialize, Deserialize, IntoParams, Default, Debug)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// By this user: a name, as it was at that time, or a numeric id. Users who are gone are found too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Of this action (`cr:PullRepository`, `login`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// That ended so: `success`, `denied` or `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// With this credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// Not before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    /// At most so many, 1 to 1000; 100 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Continue behind this event, as the `Link` header says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// One thing that happened.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct AuditEvent {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// What: the action's RAM spelling, or a word of ours (`login`).
    pub action: String,
    /// `success`, `denied` or `failed`.
    pub outcome: String,
    /// Who: the name at that time, or what was claimed.
    pub principal: String,
    /// Who: the numeric id; null: nobody that is known.
    pub principal_id: Option<String>,
    /// With which credential.
    pub credential_id: Option<String>,
    /// With what kind of credential.
    pub credential_kind: Option<String>,
    /// To what.
    pub resource: String,
    /// Anything worth adding: a digest, a reason.
    pub detail: Option<String>,
    /// From where.
    pub source_ip: String,
    /// By which client.
    pub user_agent: Option<String>,
    /// In which request.
    pub request_id: String,
    /// How many equal ones this stands for.
    pub count: i64,
}
