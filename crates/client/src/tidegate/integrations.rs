//! Integrations.

use api::{CreateIntegration, Integration, IntegrationQuery, UpdateIntegration};
use http::Method;

use super::{Tidegate, segment};
use crate::ClientError;

/// Integrations.
#[derive(Clone, Copy, Debug)]
pub struct Integrations<'a>(pub(super) &'a Tidegate);

impl Integrations<'_> {
    /// Creates one.
    pub async fn create(&self, new: &CreateIntegration) -> Result<Integration, ClientError> {
        self.0.send(Method::POST, "/integrations", new).await
    }

    /// All that the query means.
    pub async fn list(&self, query: &IntegrationQuery) -> Result<Vec<Integration>, ClientError> {
        self.0.list("/integrations", query, None).await
    }

    /// One of them.
    pub async fn show(&self, name: &str) -> Result<Integration, ClientError> {
        self.0.get(&format!("/integrations/{}", segment(name))).await
    }

    /// Changes one.
    pub async fn update(&self, name: &str, change: &UpdateIntegration) -> Result<Integration, ClientError> {
        self.0.send(Method::PATCH, &format!("/integrations/{}", segment(name)), change).await
    }

    /// Deletes one for which no credential is left.
    pub async fn delete(&self, name: &str) -> Result<(), ClientError> {
        self.0.delete(&format!("/integrations/{}", segment(name))).await
    }
}
