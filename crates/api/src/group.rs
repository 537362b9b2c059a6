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

/// Say what a group is for.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct UpdateGroup {
    /// At most 1024 characters.
    pub description: String,
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
}
