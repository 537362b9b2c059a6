//! Endpoints of an instance: whom its network rules let in.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Whom the public endpoint lets in besides its entries.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub enum DefaultAction {
    /// Everybody: what a new instance does, and one whose last entry was taken away.
    Allow,
    /// Nobody.
    Deny,
}

/// What kind of endpoint.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub enum EndpointKind {
    /// The one for the ordinary listeners, bounded by addresses.
    Public,
    /// For one named network of the server's configuration.
    Private,
}

/// An endpoint.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct Endpoint {
    /// `public`, or the named network that it is for.
    pub endpoint: String,
    /// What kind.
    pub kind: EndpointKind,
    /// The instance's id.
    pub instance_id: String,
    /// Off, it lets nobody in. Private endpoints are there or not.
    pub enabled: bool,
    /// The public endpoint's: whom it lets in besides its entries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_action: Option<DefaultAction>,
    /// The public endpoint's allow list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<Vec<EndpointEntry>>,
    /// A private endpoint's: does the configuration of the server that answers have the network?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configured: Option<bool>,
    /// A private endpoint's: made when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_at: Option<Timestamp>,
    /// A private endpoint's: made by whom, by the name at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
}

/// An entry of the public endpoint's allow list.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct EndpointEntry {
    /// The block of addresses.
    pub cidr: String,
    /// What it is.
    pub comment: String,
    /// Made when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Made by whom: the name at that time.
    pub created_by: String,
}

/// Change the public endpoint; what is left out stays.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct UpdateEndpoint {
    /// Off, it lets nobody in, whatever its entries say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// `allow`: everybody gets in, and entries are kept but say nothing. `deny`: the entries alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_action: Option<DefaultAction>,
    /// Even if it locks out the address that this comes from.
    #[serde(default)]
    pub force: bool,
}

/// Let addresses in at the public endpoint. From then on the entries alone get in.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct CreateEndpointEntry {
    /// An address or a CIDR block, IPv4 or IPv6.
    pub cidr: String,
    /// What it is: at most 256 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// Even if it locks out the address that this comes from.
    #[serde(default)]
    pub force: bool,
}

/// Give a named network of the server's configuration a private endpoint.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct CreateEndpoint {
    /// The network's name.
    pub network: String,
}

/// How much a deletion is meant.
#[derive(Clone, Serialize, Deserialize, IntoParams, Default, Debug)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ForceQuery {
    /// Even if it locks out the address that this comes from, or lets everybody in.
    #[serde(default)]
    pub force: bool,
}
