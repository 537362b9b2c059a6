//! Policies, their versions, what is attached to whom, and why.

use api::{
    AttachedPolicy, CreatePolicy, CreatePolicyVersion, ExplainPolicy, Explanation, PermittedPrincipal, PermittedQuery, Policy,
    PolicyDocument, PolicyHolder, PolicyVersion, ResourcePolicy, SetDefaultVersion, SetResourcePolicy, SimulatePolicies, UpdatePolicy,
};
use bytes::Bytes;
use http::Method;

use super::{PAGE, Tidegate, name_path, segment, whole};
use crate::ClientError;

/// Policies.
#[derive(Clone, Copy, Debug)]
pub struct Policies<'a>(pub(super) &'a Tidegate);

fn of(name: &str) -> String {
    format!("/policies/{}", segment(name))
}

/// Whom a policy is attached to, each by name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Holder {
    /// A user.
    User(String),
    /// A group.
    Group(String),
    /// A service account.
    ServiceAccount(String),
    /// A role.
    Role(String),
    /// The account: the policy bounds everybody but the root user.
    Account,
}

impl Holder {
    fn policies(&self) -> String {
        let (kind, name) = match self {
            Self::User(name) => ("users", name),
            Self::Group(name) => ("groups", name),
            Self::ServiceAccount(name) => ("service-accounts", name),
            Self::Role(name) => ("roles", name),
            Self::Account => return "/guard-policies".to_owned(),
        };
        format!("/{kind}/{}/policies", segment(name))
    }
}

impl Policies<'_> {
    /// Creates one.
    pub async fn create(&self, new: &CreatePolicy) -> Result<Policy, ClientError> {
        self.0.send(Method::POST, "/policies", new).await
    }

    /// All of them, built-in ones included.
    pub async fn list(&self) -> Result<Vec<Policy>, ClientError> {
        self.0.list("/policies", &whole(), None).await
    }

    /// One of them with its document in force.
    pub async fn show(&self, name: &str) -> Result<PolicyDocument, ClientError> {
        self.0.get(&of(name)).await
    }

    /// Says what one is for.
    pub async fn update(&self, name: &str, change: &UpdatePolicy) -> Result<Policy, ClientError> {
        self.0.send(Method::PATCH, &of(name), change).await
    }

    /// Whom one is attached to.
    pub async fn holders(&self, name: &str) -> Result<Vec<PolicyHolder>, ClientError> {
        self.0.list(&format!("{}/holders", of(name)), &whole(), None).await
    }

    /// One version of one.
    pub async fn version(&self, name: &str, version: i64) -> Result<PolicyVersion, ClientError> {
        self.0.get(&format!("{}/versions/{version}", of(name))).await
    }

    /// Deletes one that is attached to nobody.
    pub async fn delete(&self, name: &str) -> Result<(), ClientError> {
        self.0.delete(&of(name)).await
    }

    /// Gives one a new document.
    pub async fn create_version(&self, name: &str, new: &CreatePolicyVersion) -> Result<PolicyVersion, ClientError> {
        self.0.send(Method::POST, &format!("{}/versions", of(name)), new).await
    }

    /// A policy's versions.
    pub async fn list_versions(&self, name: &str) -> Result<Vec<PolicyVersion>, ClientError> {
        self.0.get(&format!("{}/versions", of(name))).await
    }

    /// Deletes a version that is not in force.
    pub async fn delete_version(&self, name: &str, version: i64) -> Result<(), ClientError> {
        self.0.delete(&format!("{}/versions/{version}", of(name))).await
    }

    /// Chooses the version in force.
    pub async fn set_default_version(&self, name: &str, chosen: &SetDefaultVersion) -> Result<(), ClientError> {
        self.0.send(Method::PUT, &format!("{}/default-version", of(name)), chosen).await
    }

    /// Attaches one.
    pub async fn attach(&self, name: &str, to: &Holder) -> Result<(), ClientError> {
        self.0.call(Method::PUT, &format!("{}/{}", to.policies(), segment(name)), Bytes::new()).await
    }

    /// Detaches one.
    pub async fn detach(&self, name: &str, from: &Holder) -> Result<(), ClientError> {
        self.0.delete(&format!("{}/{}", from.policies(), segment(name))).await
    }

    /// What is attached to somebody.
    pub async fn list_attached(&self, to: &Holder) -> Result<Vec<AttachedPolicy>, ClientError> {
        self.0.get(&to.policies()).await
    }

    /// May somebody do each of these things, and why?
    pub async fn simulate(&self, asked: &SimulatePolicies) -> Result<Vec<Explanation>, ClientError> {
        self.0.send(Method::POST, "/policy-simulations", asked).await
    }

    /// Everybody who may do something.
    pub async fn permitted(&self, asked: PermittedQuery) -> Result<Vec<PermittedPrincipal>, ClientError> {
        let whole = PermittedQuery { limit: Some(PAGE), after: None, ..asked };
        self.0.list("/permitted-principals", &whole, None).await
    }

    /// May somebody do that, and why?
    pub async fn explain(&self, question: &ExplainPolicy) -> Result<Explanation, ClientError> {
        self.0.send(Method::POST, "/policy-explanations", question).await
    }
}

/// What a resource policy belongs to, by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place<'n> {
    /// A namespace, and what is in it.
    Namespace(&'n str),
    /// A repository.
    Repository(&'n str),
}

/// Policies of an instance's namespaces and repositories.
#[derive(Clone, Copy, Debug)]
pub struct ResourcePolicies<'a>(pub(super) &'a Tidegate, pub(super) &'a str);

impl ResourcePolicies<'_> {
    fn of(&self, place: Place<'_>) -> String {
        let (kind, name) = match place {
            Place::Namespace(name) => ("namespace", segment(name)),
            Place::Repository(name) => ("repository", name_path(name)),
        };
        format!("/instances/{}/{kind}-policies/{name}", segment(self.1))
    }

    /// One of them.
    pub async fn show(&self, place: Place<'_>) -> Result<ResourcePolicy, ClientError> {
        self.0.get(&self.of(place)).await
    }

    /// Puts one in the place of what is there.
    pub async fn set(&self, place: Place<'_>, new: &SetResourcePolicy) -> Result<ResourcePolicy, ClientError> {
        self.0.send(Method::PUT, &self.of(place), new).await
    }

    /// Deletes one.
    pub async fn delete(&self, place: Place<'_>) -> Result<(), ClientError> {
        self.0.delete(&self.of(place)).await
    }
}
