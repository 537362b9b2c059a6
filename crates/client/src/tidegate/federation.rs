//! Workload identity: OIDC providers and federated credentials.

use api::{
    CreateFederatedCredential, CreateProvider, FederatedCredential, Provider, ProviderCheck, UpdateFederatedCredential, UpdateProvider,
};
use bytes::Bytes;
use http::Method;

use super::{Tidegate, segment, whole};
use crate::ClientError;

/// OIDC providers.
#[derive(Clone, Copy, Debug)]
pub struct Providers<'a>(pub(super) &'a Tidegate);

impl Providers<'_> {
    /// Names an issuer.
    pub async fn create(&self, new: &CreateProvider) -> Result<Provider, ClientError> {
        self.0.send(Method::POST, "/oidc-providers", new).await
    }

    /// All of them.
    pub async fn list(&self) -> Result<Vec<Provider>, ClientError> {
        self.0.list("/oidc-providers", &whole(), None).await
    }

    /// One of them.
    pub async fn show(&self, name: &str) -> Result<Provider, ClientError> {
        self.0.get(&format!("/oidc-providers/{}", segment(name))).await
    }

    /// Can its keys be had?
    pub async fn check(&self, name: &str) -> Result<ProviderCheck, ClientError> {
        self.0.call(Method::POST, &format!("/oidc-providers/{}/checks", segment(name)), Bytes::new()).await
    }

    /// Changes one.
    pub async fn update(&self, name: &str, change: &UpdateProvider) -> Result<Provider, ClientError> {
        self.0.send(Method::PATCH, &format!("/oidc-providers/{}", segment(name)), change).await
    }

    /// Deletes one, with the federated credentials of its issuer.
    pub async fn delete(&self, name: &str) -> Result<(), ClientError> {
        self.0.delete(&format!("/oidc-providers/{}", segment(name))).await
    }
}

/// Federated credentials of a service account.
#[derive(Clone, Copy, Debug)]
pub struct Federated<'a>(pub(super) &'a Tidegate, pub(super) &'a str);

impl Federated<'_> {
    /// Lets workloads of an issuer be the service account.
    pub async fn create(&self, new: &CreateFederatedCredential) -> Result<FederatedCredential, ClientError> {
        self.0.send(Method::POST, &self.path(), new).await
    }

    /// All of them.
    pub async fn list(&self) -> Result<Vec<FederatedCredential>, ClientError> {
        self.0.get(&self.path()).await
    }

    /// One of them.
    pub async fn show(&self, name: &str) -> Result<FederatedCredential, ClientError> {
        self.0.get(&self.one(name)).await
    }

    /// Changes one.
    pub async fn update(&self, name: &str, change: &UpdateFederatedCredential) -> Result<FederatedCredential, ClientError> {
        self.0.send(Method::PATCH, &self.one(name), change).await
    }

    /// Deletes one.
    pub async fn delete(&self, name: &str) -> Result<(), ClientError> {
        self.0.delete(&self.one(name)).await
    }

    fn path(&self) -> String {
        format!("/service-accounts/{}/federated-credentials", segment(self.1))
    }

    fn one(&self, name: &str) -> String {
        format!("{}/{}", self.path(), segment(name))
    }
}
