//! Groups, service accounts, roles.

use api::{
    AssumeRole, CreateClientSecret, CreateGroup, CreateRole, CreateServiceAccount, CreatedCredential, CreatedServiceAccount, Credential,
    EndedSessions, Group, Role, Rotate, RotatedCredential, ServiceAccount, Session, UpdateEnabled, UpdateGroup, UpdateRole,
    UpdateServiceAccount, User,
};
use bytes::Bytes;
use http::Method;

use super::{Tidegate, segment, whole};
use crate::ClientError;

/// Groups and who is in them.
#[derive(Clone, Copy, Debug)]
pub struct Groups<'a>(pub(super) &'a Tidegate);

fn group(name: &str) -> String {
    format!("/groups/{}", segment(name))
}

impl Groups<'_> {
    /// Creates one.
    pub async fn create(&self, new: &CreateGroup) -> Result<Group, ClientError> {
        self.0.send(Method::POST, "/groups", new).await
    }

    /// All of them.
    pub async fn list(&self) -> Result<Vec<Group>, ClientError> {
        self.0.list("/groups", &whole(), None).await
    }

    /// Those that a user is in.
    pub async fn list_of_user(&self, user: &str) -> Result<Vec<Group>, ClientError> {
        self.0.get(&format!("/users/{}/groups", segment(user))).await
    }

    /// One of them.
    pub async fn show(&self, name: &str) -> Result<Group, ClientError> {
        self.0.get(&group(name)).await
    }

    /// Renames one, or says what it is for.
    pub async fn update(&self, name: &str, change: &UpdateGroup) -> Result<Group, ClientError> {
        self.0.send(Method::PATCH, &group(name), change).await
    }

    /// Deletes one; its users stay.
    pub async fn delete(&self, name: &str) -> Result<(), ClientError> {
        self.0.delete(&group(name)).await
    }

    /// A group's users.
    pub async fn users(&self, name: &str) -> Result<Vec<User>, ClientError> {
        self.0.list(&format!("{}/users", group(name)), &whole(), None).await
    }

    /// Takes a user in.
    pub async fn add(&self, name: &str, user: &str) -> Result<(), ClientError> {
        self.0.call(Method::PUT, &format!("{}/users/{}", group(name), segment(user)), Bytes::new()).await
    }

    /// Takes a user out.
    pub async fn remove(&self, name: &str, user: &str) -> Result<(), ClientError> {
        self.0.delete(&format!("{}/users/{}", group(name), segment(user))).await
    }
}

/// Service accounts and their secrets.
#[derive(Clone, Copy, Debug)]
pub struct ServiceAccounts<'a>(pub(super) &'a Tidegate);

fn service_account(name: &str) -> String {
    format!("/service-accounts/{}", segment(name))
}

impl ServiceAccounts<'_> {
    /// Creates one with its first secret.
    pub async fn create(&self, new: &CreateServiceAccount) -> Result<CreatedServiceAccount, ClientError> {
        self.0.send(Method::POST, "/service-accounts", new).await
    }

    /// All of them.
    pub async fn list(&self) -> Result<Vec<ServiceAccount>, ClientError> {
        self.0.list("/service-accounts", &whole(), None).await
    }

    /// One of them.
    pub async fn show(&self, name: &str) -> Result<ServiceAccount, ClientError> {
        self.0.get(&service_account(name)).await
    }

    /// Describes, enables or disables one, or says when it ends.
    pub async fn update(&self, name: &str, change: &UpdateServiceAccount) -> Result<ServiceAccount, ClientError> {
        self.0.send(Method::PATCH, &service_account(name), change).await
    }

    /// Deletes one with all its secrets.
    pub async fn delete(&self, name: &str) -> Result<(), ClientError> {
        self.0.delete(&service_account(name)).await
    }

    /// Creates a further secret.
    pub async fn create_secret(&self, name: &str, new: &CreateClientSecret) -> Result<CreatedCredential, ClientError> {
        self.0.send(Method::POST, &format!("{}/secrets", service_account(name)), new).await
    }

    /// Its secrets, as far as they can be shown.
    pub async fn secrets(&self, name: &str) -> Result<Vec<Credential>, ClientError> {
        self.0.get(&format!("{}/secrets", service_account(name))).await
    }

    /// Enables or disables a secret.
    pub async fn update_secret(&self, name: &str, id: &str, change: &UpdateEnabled) -> Result<Credential, ClientError> {
        self.0.send(Method::PATCH, &format!("{}/secrets/{}", service_account(name), segment(id)), change).await
    }

    /// Deletes a secret; by force even if its integration has used it within the last day.
    pub async fn delete_secret(&self, name: &str, id: &str, force: bool) -> Result<(), ClientError> {
        let query = if force { "?force=true" } else { "" };
        self.0.delete(&format!("{}/secrets/{}{query}", service_account(name), segment(id))).await
    }

    /// Gives a secret a successor.
    pub async fn rotate_secret(&self, name: &str, id: &str, how: &Rotate) -> Result<RotatedCredential, ClientError> {
        self.0.send(Method::POST, &format!("{}/secrets/{}/rotations", service_account(name), segment(id)), how).await
    }
}

/// Roles and their sessions.
#[derive(Clone, Copy, Debug)]
pub struct Roles<'a>(pub(super) &'a Tidegate);

fn role(name: &str) -> String {
    format!("/roles/{}", segment(name))
}

impl Roles<'_> {
    /// Creates one.
    pub async fn create(&self, new: &CreateRole) -> Result<Role, ClientError> {
        self.0.send(Method::POST, "/roles", new).await
    }

    /// All of them.
    pub async fn list(&self) -> Result<Vec<Role>, ClientError> {
        self.0.list("/roles", &whole(), None).await
    }

    /// One of them.
    pub async fn show(&self, name: &str) -> Result<Role, ClientError> {
        self.0.get(&role(name)).await
    }

    /// Changes one.
    pub async fn update(&self, name: &str, change: &UpdateRole) -> Result<Role, ClientError> {
        self.0.send(Method::PATCH, &role(name), change).await
    }

    /// Deletes one; its sessions end.
    pub async fn delete(&self, name: &str) -> Result<(), ClientError> {
        self.0.delete(&role(name)).await
    }

    /// Assumes one.
    pub async fn assume(&self, name: &str, wanted: &AssumeRole) -> Result<Session, ClientError> {
        self.0.send(Method::POST, &format!("{}/sessions", role(name)), wanted).await
    }

    /// Ends all sessions of one.
    pub async fn end_sessions(&self, name: &str) -> Result<EndedSessions, ClientError> {
        self.0.delete(&format!("{}/sessions", role(name))).await
    }
}
