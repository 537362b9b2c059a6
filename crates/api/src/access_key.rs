//! Access keys: an id and a secret that sign API requests.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Secret;

/// Create an access key.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct CreateAccessKey {
    /// For which user, by name; for oneself unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// A new access key. Its secret is shown this once.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct CreatedAccessKey {
    /// The public half.
    pub access_key_id: String,
    /// The secret half.
    pub access_key_secret: Secret,
    /// New keys are enabled.
    pub enabled: bool,
    /// Made when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// An access key, without its secret.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct AccessKey {
    /// The public half.
    pub access_key_id: String,
    /// The same among all credentials.
    pub credential_id: String,
    /// Whose it is: the numeric user id.
    pub user_id: String,
    /// Disabled keys sign nothing.
    pub enabled: bool,
    /// Made when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Made by whom: the name at that time.
    pub created_by: String,
    /// When it ends by itself, after a rotation; null: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute; null: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    /// From which address it was last used.
    pub last_used_from: Option<String>,
}
