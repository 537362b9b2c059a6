//! Rotation: a new secret in an old one's place, while the old one lives on for a while.

use model::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Secret;

/// Rotate a credential.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct Rotate {
    /// Seconds for which the old one lives on, 0 to 2592000 (30 days), unless it ends sooner; 86400 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub overlap: Option<Seconds>,
}

/// A credential that has taken another's place. Its secret is shown this once.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct RotatedCredential {
    /// The new one's id.
    pub credential_id: String,
    /// The user name to log in with.
    pub username: String,
    /// The new secret.
    pub secret: Secret,
    /// The one instance it is for; null: all.
    pub instance_id: Option<String>,
    /// What it is for.
    pub description: String,
    /// Made when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it ends by itself; null: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// The old one's id.
    pub old_credential_id: String,
    /// When the old one ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub old_expires_at: Option<Timestamp>,
}

/// An access key that has taken another's place. Its secret is shown this once.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct RotatedAccessKey {
    /// The new public half.
    pub access_key_id: String,
    /// The new secret half.
    pub access_key_secret: Secret,
    /// New keys are enabled.
    pub enabled: bool,
    /// Made when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// The old public half.
    pub old_access_key_id: String,
    /// When the old one ends.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub old_expires_at: Option<Timestamp>,
}
