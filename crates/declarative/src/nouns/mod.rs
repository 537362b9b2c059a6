//! The nouns, in the order of making; things are deleted in the reverse order.

mod account;
mod attachments;
mod endpoint;
mod federated;
mod group;
mod instance;
mod namespace;
mod oidc_provider;
mod policy;
mod repository;
mod resource_policy;
mod retention;
mod role;
mod service_account;
mod tag_rules;
mod text;
mod user;

use crate::noun::{Kind, kind as line};

/// The table.
pub(crate) const KINDS: &[Kind] = &[
    line::<policy::Policy>(),
    line::<user::User>(),
    line::<group::Group>(),
    line::<oidc_provider::OidcProvider>(),
    line::<service_account::ServiceAccount>(),
    line::<role::Role>(),
    line::<instance::Instance>(),
    line::<endpoint::Endpoint>(),
    line::<namespace::Namespace>(),
    line::<repository::Repository>(),
    line::<account::Account>(),
];

/// The line of a kind.
pub(crate) fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// Its place in the table.
pub(crate) fn rank(name: &str) -> usize {
    KINDS.iter().position(|kind| kind.name == name).unwrap_or(KINDS.len())
}

/// `User, Group …`
pub(crate) fn names() -> String {
    KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", ")
}
