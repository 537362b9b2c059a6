//! Repositories of an instance.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Lock;

/// Create a repository.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct CreateRepository {
    /// `NAMESPACE/REPOSITORY`, or one segment in the root namespace.
    pub name: String,
    /// May anybody pull? Unless told, as the namespace says of new ones (`default_public`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<bool>,
    /// What it holds, in one line of at most 400 bytes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// What it holds.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Which of its tags are immutable: a pattern; empty: none. Unless told, as the namespace says of new ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub immutable_tags: Option<String>,
    /// Save these: a pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub immutable_tags_except: Option<String>,
}

/// Change a repository; what is left out stays.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct UpdateRepository {
    /// May anybody pull?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<bool>,
    /// What it holds, in one line of at most 400 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// What it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Which of its tags are immutable: a pattern; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub immutable_tags: Option<String>,
    /// Save these: a pattern; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub immutable_tags_except: Option<String>,
}

/// A repository.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct Repository {
    /// Its id.
    pub repository_id: String,
    /// The instance it is in.
    pub instance_id: String,
    /// The namespace it is in; `_` is the root namespace.
    pub namespace: String,
    /// Its whole name.
    pub name: String,
    /// May anybody pull, whatever the namespace says?
    pub public: bool,
    /// What it holds, in one line.
    pub summary: String,
    /// What it holds.
    pub description: String,
    /// Which of its tags are immutable, besides what the namespace's rules say.
    pub immutable_tags: Option<String>,
    /// Save these.
    pub immutable_tags_except: Option<String>,
    /// What it is locked against.
    pub locked: Vec<Lock>,
    /// Made when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Changed when.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// Which repositories to list.
#[derive(Clone, Serialize, Deserialize, IntoParams, Debug)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RepositoryQuery {
    /// Of this namespace; `_` is the root namespace.
    pub namespace: String,
    /// At most so many, 1 to 1000; 100 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Continue behind this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}
