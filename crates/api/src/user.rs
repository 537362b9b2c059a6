//! Users and their passwords.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Secret;

/// Create a user.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    /// 1 to 64 letters, digits and `. - _`; its own in the account.
    pub name: String,
    /// What to call them: at most 128 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub display_name: String,
    /// What is said of them: at most 1024 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Where to write to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// Where to call.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub phone: String,
}

/// Change a user; what is left out stays as it is, what is empty is said no longer.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct UpdateUser {
    /// The new name. No trust policy and no policy of a namespace or repository may speak of the old or the new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Disabled users are nobody, running tokens included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// What to call them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What is said of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where to write to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Where to call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// A sign-in password, without it.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct SignInPassword {
    /// A disabled one opens nothing.
    pub enabled: bool,
    /// Set when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
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
    /// What to call them; empty: nothing is said.
    #[serde(default)]
    pub display_name: String,
    /// What is said of them.
    #[serde(default)]
    pub description: String,
    /// Where to write to.
    #[serde(default)]
    pub email: String,
    /// Where to call.
    #[serde(default)]
    pub phone: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Changed when; null: not since.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub updated_at: Option<Timestamp>,
    /// When the sign-in password was last used; said where one user is shown, and only if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_login_at: Option<Timestamp>,
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
