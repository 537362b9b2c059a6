//! Credentials of every kind, and login tokens.

use model::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

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
    /// The integration that it is made for, by name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<String>,
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
    /// Whose it is: the name.
    pub user: String,
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
    /// The name of the integration that it was made for; null: for none.
    pub integration: Option<String>,
    /// The credential that has taken its place by rotation.
    pub replaced_by: Option<String>,
}

/// Which credentials to list. Without a filter: those of one user, oneself unless told. With one and without a user: of all
/// whose credentials the caller may list.
#[derive(Clone, Serialize, Deserialize, IntoParams, Default, Debug)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CredentialQuery {
    /// The user's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Instead of a user: a service account's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<String>,
    /// Instead of a user: a role's name; the newest thousand of its sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Only enabled ones that end within so many seconds and that nothing has replaced yet; the soonest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiring_within: Option<i64>,
    /// Only those that were neither used nor made within so many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused_for: Option<i64>,
    /// Only those that were made for this integration, by name or id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration: Option<String>,
    /// At most so many, 1 to 1000; 100 unless told. For lists over the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Continue behind this one, as the `Link` header says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// How to delete a credential.
#[derive(Clone, Serialize, Deserialize, IntoParams, Default, Debug)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeleteCredential {
    /// Delete it even if its integration has used it within the last day.
    #[serde(default)]
    pub force: bool,
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
