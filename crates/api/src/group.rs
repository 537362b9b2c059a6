//! Groups.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Create a group.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct CreateGroup {
    /// 1 to 64 letters, digits and `. - _`.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
}

/// Rename a group, or say what it is for; what is left out stays as it is.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct UpdateGroup {
    /// The new name. No trust policy and no policy of a namespace or repository may speak of the old or the new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// At most 1024 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A group: its users have its policies too.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct Group {
    /// Its id.
    pub group_id: String,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Changed when; null: not since.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub updated_at: Option<Timestamp>,
}
