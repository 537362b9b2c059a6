//! Instances: registries with their own host names.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Create an instance.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct CreateInstance {
    /// 3 to 50 lower-case letters, digits and dashes, starting with a letter.
    pub name: String,
    /// Where it stands; `local` unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The host names that choose it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
}

/// Change an instance; what is left out stays.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct UpdateInstance {
    /// The host names that choose it, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<String>>,
    /// May a push make its namespace?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_create_namespace: Option<bool>,
    /// Does `/token` hand out refresh tokens?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_tokens: Option<bool>,
}

/// An instance.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct Instance {
    /// Its id.
    pub instance_id: String,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub region: String,
    /// The host names that choose it.
    pub hosts: Vec<String>,
    /// It was made with its account: what requests mean that name no instance, by a host that is no other instance's. Of the
    /// server's first account it also answers to hosts that no instance claims.
    pub is_default: bool,
    /// May a push make its namespace?
    pub auto_create_namespace: bool,
    /// Does `/token` hand out refresh tokens?
    pub identity_tokens: bool,
    /// Made when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Changed when.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// How much an instance holds, and may hold.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct InstanceUsage {
    /// The instance.
    pub instance_id: String,
    /// Its namespaces.
    pub namespaces: i64,
    /// The most namespaces (setting `limits.namespaces`).
    pub max_namespaces: i64,
    /// Its repositories.
    pub repositories: i64,
    /// The most repositories (setting `limits.repositories`).
    pub max_repositories: i64,
    /// Its private endpoints.
    pub private_endpoints: i64,
    /// The most private endpoints.
    pub max_private_endpoints: i64,
}
