//! Clients. So far one: of Tidegate's own management API.
//!
//! What it is for: finding out where to go and as whom ([`target`], [`profile`]), fetching a bearer token with an access key
//! and holding it in memory, and one method an operation on [`Tidegate`]. What it may not do: know the server, read the
//! environment (it is passed in), print, decide anything that a right decides.
//!
//! To add an operation: one method in the module of its noun below `tidegate/`, taking and returning shapes of `api`.

mod endpoint;
mod error;
pub mod profile;
pub mod target;
mod tidegate;
mod transport;

pub use endpoint::Endpoint;
pub use error::ClientError;
pub use tidegate::{
    AccessKeys, AdminUsers, Audit, Credentials, Endpoints, Federated, Groups, Holder, Images, Instances, Integrations, LabelOwner, Labels,
    Namespaces, Place, Policies, Providers, Records, Repositories, ResourcePolicies, Roles, ServiceAccounts, SigningKeys, Tags, Tidegate,
    Users,
};

/// In place of an instance's name or id: the one that the server's host name chooses. No instance can be named so.
pub const HERE: &str = "-";
