//! Users, credentials, login tokens, access keys, signing keys.

use api::{
    AccessKey, CreateAccessKey, CreateCredential, CreateLoginToken, CreateUser, CreatedAccessKey, CreatedCredential, CreatedLoginToken,
    Credential, CredentialQuery, LookUpSecrets, OwnerQuery, Rotate, RotatedAccessKey, RotatedCredential, SecretOwner, SetPassword,
    SignInPassword, SigningKey, UpdateEnabled, UpdateUser, User,
};
use bytes::Bytes;
use http::Method;

use super::{Tidegate, segment, whole};
use crate::ClientError;

/// Users and their passwords.
#[derive(Clone, Copy, Debug)]
pub struct Users<'a>(pub(super) &'a Tidegate);

impl Users<'_> {
    /// Creates one.
    pub async fn create(&self, new: &CreateUser) -> Result<User, ClientError> {
        self.0.send(Method::POST, "/users", new).await
    }

    /// All of them.
    pub async fn list(&self) -> Result<Vec<User>, ClientError> {
        self.0.list("/users", &whole(), None).await
    }

    /// One of them.
    pub async fn show(&self, name: &str) -> Result<User, ClientError> {
        self.0.get(&format!("/users/{}", segment(name))).await
    }

    /// Changes one.
    pub async fn update(&self, name: &str, change: &UpdateUser) -> Result<User, ClientError> {
        self.0.send(Method::PATCH, &format!("/users/{}", segment(name)), change).await
    }

    /// Deletes one with everything it holds.
    pub async fn delete(&self, name: &str) -> Result<(), ClientError> {
        self.0.delete(&format!("/users/{}", segment(name))).await
    }

    /// Has one a sign-in password?
    pub async fn sign_in_password(&self, name: &str) -> Result<SignInPassword, ClientError> {
        self.0.get(&format!("/users/{}/sign-in-password", segment(name))).await
    }

    /// Deletes one's sign-in password.
    pub async fn delete_sign_in_password(&self, name: &str) -> Result<(), ClientError> {
        self.0.delete(&format!("/users/{}/sign-in-password", segment(name))).await
    }

    /// Sets a password.
    pub async fn set_password(&self, name: &str, new: &SetPassword) -> Result<(), ClientError> {
        self.0.send(Method::PUT, &format!("/users/{}/password", segment(name)), new).await
    }
}

/// Credentials and login tokens.
#[derive(Clone, Copy, Debug)]
pub struct Credentials<'a>(pub(super) &'a Tidegate);

impl Credentials<'_> {
    /// Creates an access credential.
    pub async fn create(&self, new: &CreateCredential) -> Result<CreatedCredential, ClientError> {
        self.0.send(Method::POST, "/credentials", new).await
    }

    /// Credentials of every kind: of one user, or those over the account that the query's filters keep.
    pub async fn list(&self, query: &CredentialQuery) -> Result<Vec<Credential>, ClientError> {
        self.0.list("/credentials", query, None).await
    }

    /// Gives one a successor.
    pub async fn rotate(&self, id: &str, how: &Rotate) -> Result<RotatedCredential, ClientError> {
        self.0.send(Method::POST, &format!("/credentials/{}/rotations", segment(id)), how).await
    }

    /// Whose are these secrets? At most 100 at once; one answer each, in their order.
    pub async fn look_up(&self, secrets: &LookUpSecrets) -> Result<Vec<SecretOwner>, ClientError> {
        self.0.send(Method::POST, "/secret-lookups", secrets).await
    }

    /// One of them.
    pub async fn show(&self, id: &str) -> Result<Credential, ClientError> {
        self.0.get(&format!("/credentials/{}", segment(id))).await
    }

    /// Enables or disables one.
    pub async fn update(&self, id: &str, change: &UpdateEnabled) -> Result<Credential, ClientError> {
        self.0.send(Method::PATCH, &format!("/credentials/{}", segment(id)), change).await
    }

    /// Deletes one; by force even if its integration has used it within the last day.
    pub async fn delete(&self, id: &str, force: bool) -> Result<(), ClientError> {
        let query = if force { "?force=true" } else { "" };
        self.0.delete(&format!("/credentials/{}{query}", segment(id))).await
    }

    /// Makes a login token for oneself.
    pub async fn create_login_token(&self, new: &CreateLoginToken) -> Result<CreatedLoginToken, ClientError> {
        self.0.send(Method::POST, "/login-tokens", new).await
    }
}

/// Access keys.
#[derive(Clone, Copy, Debug)]
pub struct AccessKeys<'a>(pub(super) &'a Tidegate);

impl AccessKeys<'_> {
    /// Creates one.
    pub async fn create(&self, new: &CreateAccessKey) -> Result<CreatedAccessKey, ClientError> {
        self.0.send(Method::POST, "/access-keys", new).await
    }

    /// All of an owner's.
    pub async fn list(&self, owner: &OwnerQuery) -> Result<Vec<AccessKey>, ClientError> {
        self.0.list("/access-keys", owner, None).await
    }

    /// Enables or disables one.
    pub async fn update(&self, id: &str, change: &UpdateEnabled) -> Result<AccessKey, ClientError> {
        self.0.send(Method::PATCH, &format!("/access-keys/{}", segment(id)), change).await
    }

    /// Deletes one.
    pub async fn delete(&self, id: &str) -> Result<(), ClientError> {
        self.0.delete(&format!("/access-keys/{}", segment(id))).await
    }

    /// Gives one a successor.
    pub async fn rotate(&self, id: &str, how: &Rotate) -> Result<RotatedAccessKey, ClientError> {
        self.0.send(Method::POST, &format!("/access-keys/{}/rotations", segment(id)), how).await
    }
}

/// Token signing keys.
#[derive(Clone, Copy, Debug)]
pub struct SigningKeys<'a>(pub(super) &'a Tidegate);

impl SigningKeys<'_> {
    /// All whose signatures may still hold.
    pub async fn list(&self) -> Result<Vec<SigningKey>, ClientError> {
        self.0.get("/signing-keys").await
    }

    /// Begins a new one; the old ones retire when their last token has ended. Answers all.
    pub async fn rotate(&self) -> Result<Vec<SigningKey>, ClientError> {
        self.0.call(Method::POST, "/signing-keys", Bytes::new()).await
    }
}
