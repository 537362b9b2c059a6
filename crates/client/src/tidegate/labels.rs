//! Labels.

use api::{LabelQuery, Labelled, UpdateLabels};
use http::Method;

use super::{PAGE, Tidegate, segment};
use crate::ClientError;

/// Labels.
#[derive(Clone, Copy, Debug)]
pub struct Labels<'a>(pub(super) &'a Tidegate);

/// What carries labels, each by name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LabelOwner {
    /// A user.
    User(String),
    /// A group.
    Group(String),
    /// A service account.
    ServiceAccount(String),
    /// A role.
    Role(String),
    /// A policy.
    Policy(String),
    /// An OIDC provider.
    OidcProvider(String),
    /// An instance, by name or id.
    Instance(String),
    /// A namespace of an instance.
    Namespace {
        /// The instance, by name or id.
        instance: String,
        /// The namespace.
        name: String,
    },
}

impl LabelOwner {
    fn path(&self) -> String {
        match self {
            Self::User(name) => format!("/users/{}/labels", segment(name)),
            Self::Group(name) => format!("/groups/{}/labels", segment(name)),
            Self::ServiceAccount(name) => format!("/service-accounts/{}/labels", segment(name)),
            Self::Role(name) => format!("/roles/{}/labels", segment(name)),
            Self::Policy(name) => format!("/policies/{}/labels", segment(name)),
            Self::OidcProvider(name) => format!("/oidc-providers/{}/labels", segment(name)),
            Self::Instance(name) => format!("/instances/{}/labels", segment(name)),
            Self::Namespace { instance, name } => format!("/instances/{}/namespaces/{}/labels", segment(instance), segment(name)),
        }
    }
}

impl Labels<'_> {
    /// Labels and what carries them.
    pub async fn list(&self, query: &LabelQuery) -> Result<Vec<Labelled>, ClientError> {
        let query = LabelQuery { limit: query.limit.or(Some(PAGE)), ..query.clone() };
        self.0.list("/labels", &query, None).await
    }

    /// Sets labels of one thing, and takes labels away.
    pub async fn update(&self, of: &LabelOwner, change: &UpdateLabels) -> Result<(), ClientError> {
        self.0.send(Method::PATCH, &of.path(), change).await
    }
}
