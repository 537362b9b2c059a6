//! Service accounts and their secrets.

use model::Seconds;
use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Secret;

/// Create a service account, with its first secret.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct CreateServiceAccount {
    /// 1 to 64 letters, digits and `. - _`; its own among users, service accounts and instances.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Seconds until the whole account ends by itself; never unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub expires_in: Option<Seconds>,
    /// Policies that it holds from the start, by name: `AcrPull`. At most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<String>,
    /// The repositories that these are narrowed to: `NAMESPACE/*`. At most 20; with none of them, all that the policies say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repositories: Vec<String>,
    /// The instance of these repositories, by name or id; the default instance unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
}

/// Change a service account; what is left out stays as it is.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct UpdateServiceAccount {
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Disabled ones are nobody, running tokens included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Seconds from now until the whole account ends by itself; 0: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub expires_in: Option<Seconds>,
}

/// A service account.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct ServiceAccount {
    /// The client id, a UUID: a login name too.
    pub client_id: String,
    /// The numeric id.
    pub user_id: String,
    /// The name, a login name too.
    pub name: String,
    /// The account's numeric id.
    pub account_id: String,
    /// What it is for.
    pub description: String,
    /// Disabled ones are nobody.
    pub enabled: bool,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it ends by itself; null: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
}

/// A new service account with its first secret, which is shown this once.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct CreatedServiceAccount {
    /// The service account.
    #[serde(flatten)]
    pub account: ServiceAccount,
    /// The secret's id.
    pub credential_id: String,
    /// The user name to log in with.
    pub username: String,
    /// The secret to log in with.
    pub secret: Secret,
}

/// Create a further secret.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct CreateClientSecret {
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
