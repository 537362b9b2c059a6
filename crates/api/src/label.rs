//! Labels: which things belong together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Set labels, and take labels away; those that are not named stay. A thing carries at most 16.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct UpdateLabels {
    /// By key (1 to 64 letters, digits and `. _ - /`): the value (1 to 128 bytes), or null to take the label away.
    pub labels: BTreeMap<String, Option<String>>,
}

/// Which labels to list.
#[derive(Clone, Serialize, Deserialize, IntoParams, Default, Debug)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LabelQuery {
    /// With this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// With this value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// At most so many, 1 to 1000; 100 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Continue behind this one, as the `Link` header says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// A label, and what carries it.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct Labelled {
    /// `user`, `group`, `service_account`, `role`, `policy`, `oidc_provider`, `instance` or `namespace`.
    pub kind: String,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The instance it is in, by name; null: it is in none.
    pub instance: Option<String>,
    /// The label's key.
    pub key: String,
    /// The label's value.
    pub value: String,
}
