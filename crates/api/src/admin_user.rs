//! The admin user of an instance.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Secret;

/// The admin user of an instance.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct AdminUser {
    /// The instance's id.
    pub instance_id: String,
    /// Off unless somebody has enabled it; disabled, neither password opens anything.
    pub enabled: bool,
    /// Its user name: the instance's name.
    pub username: String,
    /// Its passwords, as far as it has been given any.
    pub passwords: Vec<AdminPassword>,
}

/// One of the two passwords, without its secret.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct AdminPassword {
    /// 1 or 2.
    pub number: i64,
    /// The credential's id, as the audit trail names it.
    pub credential_id: String,
    /// Made when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Made by whom: the name at that time.
    pub created_by: String,
    /// When it was last used, to the minute; null: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    /// From which address it was last used.
    pub last_used_from: Option<String>,
}

/// A renewed password. It is shown this once.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct RenewedAdminPassword {
    /// Is the admin user enabled? Its passwords open nothing before.
    pub enabled: bool,
    /// The user name to log in with.
    pub username: String,
    /// 1 or 2.
    pub number: i64,
    /// The password to log in with.
    pub password: Secret,
}
