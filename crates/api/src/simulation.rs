//! Asking about many requests at once, and who may do something.

use std::net::IpAddr;

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::ExplainPolicy;

/// Requests in one simulation.
pub const MAX_SIMULATED: usize = 1000;

/// Ask about many requests.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct SimulatePolicies {
    /// At most 1000; whoever they do not name is the caller.
    pub requests: Vec<ExplainPolicy>,
    /// A document that is not stored yet, as if it were attached to whoever asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// Does it stand in the place of the policies that are attached, instead of beside them?
    #[serde(default)]
    pub instead: bool,
}

/// Ask who may do something.
#[derive(Clone, Serialize, Deserialize, IntoParams, Debug)]
#[serde(deny_unknown_fields)]
pub struct PermittedQuery {
    /// What is to be done: `cr:PullRepository`.
    pub action: String,
    /// To what: as in an explanation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The instance, by name or id; the default instance unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// From this address; from the asker's own unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    pub from: Option<IpAddr>,
    /// At this time; now unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
    /// At most so many principals are looked at: 1 to 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Go on behind this principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Somebody who may do it.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct PermittedPrincipal {
    /// Who: `user/alice`, `role/ci`, `service-account/build`.
    pub principal: String,
    /// Their numeric id.
    pub principal_id: String,
    /// What says so: `own`, `group/NAME`, `resource`, `root`, `public`.
    pub layer: String,
    /// The policy that says so; null where none has to.
    pub policy: Option<String>,
    /// Its statement, from 1.
    pub statement: Option<u32>,
    /// The same in words.
    pub reason: String,
    /// The roles that they assume for it, one after the other: the last one may. Empty: they may themselves.
    #[serde(default)]
    pub through: Vec<String>,
}
