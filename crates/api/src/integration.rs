//! Integrations: what credentials are made for.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What kind of thing uses the credentials.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum IntegrationKind {
    /// A Kubernetes cluster.
    KubernetesCluster,
    /// A pipeline that builds or deploys.
    Pipeline,
    /// Anything else.
    Other,
}

/// Create an integration.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct CreateIntegration {
    /// Its name, unique in the account: 1 to 64 letters, digits, dots, underscores and hyphens.
    pub name: String,
    /// What kind of thing it is.
    pub kind: IntegrationKind,
    /// Where people find it: an https URL. It is shown, and never fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// Change an integration; what is left out stays.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct UpdateIntegration {
    /// What kind of thing it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<IntegrationKind>,
    /// Where people find it; empty: nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Is it gone? Then its credentials are offered for removal, and no more are made for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<bool>,
}

/// An integration.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct Integration {
    /// Its id.
    pub integration_id: String,
    /// Its name.
    pub name: String,
    /// What kind of thing it is.
    pub kind: IntegrationKind,
    /// Where people find it; null: nowhere.
    pub link: Option<String>,
    /// `present` or `gone`.
    pub state: String,
    /// Since when it is gone; null: it is there.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub gone_at: Option<Timestamp>,
    /// How many credentials were made for it and are still there; 10000: that many or more.
    pub credentials: i64,
    /// When one of them was last used, to the minute; null: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    /// Made when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Made by whom: the name at that time.
    pub created_by: String,
}

/// Which integrations to list.
#[derive(Clone, Serialize, Deserialize, IntoParams, Default, Debug)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct IntegrationQuery {
    /// Only those that are gone, or none of whose credentials was used within so many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unused_for: Option<i64>,
    /// At most so many, 1 to 1000; 100 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Continue behind this one, as the `Link` header says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}
