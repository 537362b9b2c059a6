//! Users and their passwords.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Secret;

/// Create a user.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    /// 1 to 64 letters, digits and `. - _`; its own in the account.
    pub name: String,
}

/// Enable or disable a user.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct UpdateUser {
    /// Disabled users are nobody, running tokens included.
    pub enabled: bool,
}

/// A user.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct User {
    /// The numeric id, a login name too.
    pub user_id: String,
    /// The UUID.
    pub uuid: String,
    /// The name.
    pub name: String,
    /// The account's numeric id.
    pub account_id: String,
    /// Disabled users are nobody.
    pub enabled: bool,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// Which password.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub enum PasswordKind {
    /// For the console and for signing in.
    SignIn,
    /// For the registry; one per instance.
    Permanent,
}

/// Set a password; the old one ends.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct SetPassword {
    /// Which one.
    pub kind: PasswordKind,
    /// The instance of a permanent password, by name or id; the default instance unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// 8 to 32 characters of at least two of: letters, digits, others.
    pub password: Secret,
}
