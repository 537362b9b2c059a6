//! Credentials of every kind, and login tokens.

use model::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Secret;

/// Create an access credential.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct CreateCredential {
    /// For which user, by name; for oneself unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The one instance it is for, by name or id; all unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// What it is for.
    pub description: String,
    /// Seconds until it ends by itself; never unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub expires_in: Option<Seconds>,
}

/// A new access credential. Its secret is shown this once.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct CreatedCredential {
    /// Its id.
    pub credential_id: String,
    /// The user name to log in with.
    pub username: String,
    /// The secret to log in with.
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
}

/// A credential of any kind, without its secret.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct Credential {
    /// Its id.
    pub credential_id: String,
    /// `access_credential`, `access_key`, `permanent_password` or `sign_in_password`.
    pub kind: String,
    /// What it is for.
    pub description: String,
    /// Whose it is: the numeric user id.
    pub user_id: String,
    /// Disabled credentials open nothing.
    pub enabled: bool,
    /// The one instance it is for; null: all.
    pub instance_id: Option<String>,
    /// An access key's public half; null for other kinds.
    pub access_key_id: Option<String>,
    /// Made when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Made by whom: the name at that time.
    pub created_by: String,
    /// When it ends by itself; null: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute; null: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    /// From which address it was last used.
    pub last_used_from: Option<String>,
}

/// Enable or disable a credential or an access key.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct UpdateEnabled {
    /// Disabled ones open nothing, within a second on every node.
    pub enabled: bool,
}

/// Make a login token for oneself.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct CreateLoginToken {
    /// The one instance it is for, by name or id; all of the account unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Seconds until it ends, 900 to 86400; 3600 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub expires_in: Option<Seconds>,
}

/// A login token: a password that ends by itself. Shown this once.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct CreatedLoginToken {
    /// The user name to log in with.
    pub username: String,
    /// The password to log in with.
    pub password: Secret,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// When it ends, in epoch milliseconds.
    pub expires_at_ms: i64,
}
