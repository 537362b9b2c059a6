//! What lists take.

use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

/// One page of a list. The answer's `Link` header with `rel="next"` leads to the next one; without it the list has ended.
#[derive(Clone, Serialize, Deserialize, IntoParams, Default, Debug)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// At most so many, 1 to 1000; 100 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Continue behind this one, as the `Link` header says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Whose credentials or access keys to list.
#[derive(Clone, Serialize, Deserialize, IntoParams, Default, Debug)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OwnerQuery {
    /// The user's name; one's own unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}
