//! Roles and their sessions.

use model::Seconds;
use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Secret;

/// Create a role.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct CreateRole {
    /// 1 to 64 letters, digits and `. - _`.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Who may assume it: a RAM document (version "1") whose statements name a `Principal` and `sts:AssumeRole`.
    pub trust_policy: String,
    /// Seconds that a session lasts at most, 3600 to 43200; 3600 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub max_session: Option<Seconds>,
}

/// Change a role; what is left out stays as it is.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct UpdateRole {
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who may assume it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_policy: Option<String>,
    /// Seconds that a session lasts at most, 3600 to 43200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub max_session: Option<Seconds>,
    /// Disabled ones are nobody, running sessions included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// A role: an identity that is assumed, never logged in to directly.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct Role {
    /// Its numeric id.
    pub role_id: String,
    /// Its UUID.
    pub uuid: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Who may assume it.
    pub trust_policy: String,
    /// Seconds that a session lasts at most.
    #[schema(value_type = i64)]
    pub max_session: Seconds,
    /// Disabled ones are nobody.
    pub enabled: bool,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// Assume a role.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct AssumeRole {
    /// What to call the session: 2 to 64 letters, digits and `. @ - _ = ,`.
    pub session_name: String,
    /// Seconds that it lasts, 900 to the role's maximum; 3600 unless told, never longer than what asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub duration: Option<Seconds>,
    /// What bounds the role's rights for this session: a RAM document of at most 2048 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// What the trust policy asks for under `sts:ExternalId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Who stands behind the session, for the audit trail and for `sts:SourceIdentity`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
}

/// A session's key. Its secrets are shown this once.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct Session {
    /// The role and what the session is called: `ROLE/SESSION`.
    pub assumed_role: String,
    /// The key's public half.
    pub access_key_id: String,
    /// The key's secret half.
    pub access_key_secret: Secret,
    /// What goes with the key.
    pub security_token: Secret,
    /// The session's id among the role's credentials.
    pub credential_id: String,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// How many sessions were ended.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct EndedSessions {
    /// So many.
    pub ended: usize,
}
