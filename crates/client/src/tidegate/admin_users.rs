//! The admin user of an instance.

use api::{AdminUser, RenewedAdminPassword, UpdateEnabled};
use bytes::Bytes;
use http::Method;

use super::{Tidegate, segment};
use crate::ClientError;

/// The admin user of an instance.
#[derive(Clone, Copy, Debug)]
pub struct AdminUsers<'a>(pub(super) &'a Tidegate, pub(super) &'a str);

impl AdminUsers<'_> {
    fn it(&self) -> String {
        format!("/instances/{}/admin-user", segment(self.1))
    }

    /// Is it enabled, and which passwords has it?
    pub async fn show(&self) -> Result<AdminUser, ClientError> {
        self.0.get(&self.it()).await
    }

    /// Enables or disables it.
    pub async fn set_enabled(&self, enabled: bool) -> Result<AdminUser, ClientError> {
        self.0.send(Method::PATCH, &self.it(), &UpdateEnabled { enabled }).await
    }

    /// Renews one of its two passwords.
    pub async fn renew(&self, number: i64) -> Result<RenewedAdminPassword, ClientError> {
        self.0.call(Method::PUT, &format!("{}/passwords/{number}", self.it()), Bytes::new()).await
    }
}
