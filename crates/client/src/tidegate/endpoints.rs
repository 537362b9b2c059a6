//! Endpoints of an instance, and whom they let in.

use api::{CreateEndpoint, CreateEndpointEntry, Endpoint, EndpointEntry, ForceQuery, UpdateEndpoint};
use http::Method;

use super::{Tidegate, name_path, pairs, segment, with_query};
use crate::ClientError;

/// Endpoints of an instance.
#[derive(Clone, Copy, Debug)]
pub struct Endpoints<'a>(pub(super) &'a Tidegate, pub(super) &'a str);

impl Endpoints<'_> {
    fn all(&self) -> String {
        format!("/instances/{}/endpoints", segment(self.1))
    }

    fn one(&self, endpoint: &str) -> String {
        format!("{}/{}", self.all(), segment(endpoint))
    }

    /// All of them, the public one first.
    pub async fn list(&self) -> Result<Vec<Endpoint>, ClientError> {
        self.0.get(&self.all()).await
    }

    /// One of them: `public`, or a named network's.
    pub async fn show(&self, endpoint: &str) -> Result<Endpoint, ClientError> {
        self.0.get(&self.one(endpoint)).await
    }

    /// Changes the public one.
    pub async fn update_public(&self, change: &UpdateEndpoint) -> Result<Endpoint, ClientError> {
        self.0.send(Method::PATCH, &self.one("public"), change).await
    }

    /// Lets addresses in at the public one.
    pub async fn allow(&self, new: &CreateEndpointEntry) -> Result<EndpointEntry, ClientError> {
        self.0.send(Method::POST, &format!("{}/entries", self.one("public")), new).await
    }

    /// Lets addresses in no longer.
    pub async fn disallow(&self, cidr: &str, force: bool) -> Result<(), ClientError> {
        let path = format!("{}/entries/{}", self.one("public"), name_path(cidr));
        self.0.delete(&with_query(&path, &pairs(&ForceQuery { force }))).await
    }

    /// Gives a named network a private endpoint.
    pub async fn create(&self, new: &CreateEndpoint) -> Result<Endpoint, ClientError> {
        self.0.send(Method::POST, &self.all(), new).await
    }

    /// Takes a named network's private endpoint away.
    pub async fn delete(&self, network: &str, force: bool) -> Result<(), ClientError> {
        self.0.delete(&with_query(&self.one(network), &pairs(&ForceQuery { force }))).await
    }
}
