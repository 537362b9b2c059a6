//! Namespaces of an instance.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Create a namespace.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "settings that stand each for itself")]
pub struct CreateNamespace {
    /// One path segment of the OCI distribution specification; `_` is the root namespace.
    pub name: String,
    /// May anybody pull? No unless told.
    #[serde(default)]
    pub public: bool,
    /// May a push make its repository? Yes unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_create_repository: Option<bool>,
    /// May an index lack children? No unless told.
    #[serde(default)]
    pub sparse_indexes: bool,
    /// Is a repository public that is made without saying so? No unless told.
    #[serde(default)]
    pub default_public: bool,
    /// Are all tags of a repository immutable that is made without saying so? No unless told.
    #[serde(default)]
    pub default_immutable_tags: bool,
}

/// Change a namespace; what is left out stays.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct UpdateNamespace {
    /// May anybody pull?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<bool>,
    /// May a push make its repository?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_create_repository: Option<bool>,
    /// May an index lack children?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sparse_indexes: Option<bool>,
    /// Is a repository public that is made without saying so?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_public: Option<bool>,
    /// Are all tags of a repository immutable that is made without saying so?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_immutable_tags: Option<bool>,
}

/// A namespace.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "settings that stand each for itself")]
pub struct Namespace {
    /// Its id.
    pub namespace_id: String,
    /// The instance it is in.
    pub instance_id: String,
    /// Its name; `_` is the root namespace.
    pub name: String,
    /// May anybody pull?
    pub public: bool,
    /// May a push make its repository?
    pub auto_create_repository: bool,
    /// May an index lack children?
    pub sparse_indexes: bool,
    /// Is a repository public that is made without saying so?
    pub default_public: bool,
    /// Are all tags of a repository immutable that is made without saying so?
    pub default_immutable_tags: bool,
    /// Made when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// What a namespace may hold, all of it: what is left out has no bound.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, PartialEq, Eq, Debug)]
#[serde(deny_unknown_fields)]
pub struct SetNamespaceQuota {
    /// Bytes of blobs, each once, and of manifests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub max_bytes: Option<i64>,
    /// Repositories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    pub max_repositories: Option<i64>,
}

/// What a namespace holds, and may hold.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct NamespaceQuota {
    /// Its name; `_` is the root namespace.
    pub namespace: String,
    /// The instance it is in.
    pub instance_id: String,
    /// Bytes of the blobs that its repositories have, each once, and of their manifests.
    pub bytes: i64,
    /// The most bytes; none: no bound.
    pub max_bytes: Option<i64>,
    /// Its repositories.
    pub repositories: i64,
    /// The most repositories; none: no bound.
    pub max_repositories: Option<i64>,
}
