//! Who is calling: made by `identity` alone.

use std::sync::Arc;

use crate::{AccountId, CredentialId, InstanceId, PrincipalId, Scopes, Timestamp};

/// What kind of principal.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PrincipalKind {
    /// The account's owner: not bound by policies.
    Root,
    /// A person.
    User,
    /// A program.
    ServiceAccount,
    /// Users together: it holds policies for them, and is nobody itself.
    Group,
    /// An identity that is assumed through a session, never logged in to directly.
    Role,
    /// The admin user of one instance: a shared login of its data plane.
    Admin,
}

impl PrincipalKind {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Root, Self::User, Self::ServiceAccount, Self::Group, Self::Role, Self::Admin];

    /// As stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::User => "user",
            Self::ServiceAccount => "service_account",
            Self::Group => "group",
            Self::Role => "role",
            Self::Admin => "admin_user",
        }
    }

    /// As resources are spelled: `user/alice`, `service-account/ci`. The root user is a user there.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::Root | Self::User => "user",
            Self::ServiceAccount => "service-account",
            Self::Group => "group",
            Self::Role => "role",
            Self::Admin => "admin-user",
        }
    }

    /// As messages say it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Root | Self::User => "user",
            Self::ServiceAccount => "service account",
            Self::Group => "group",
            Self::Role => "role",
            Self::Admin => "admin user",
        }
    }

    /// Reads the stored form.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }
}

/// What kind of credential was presented.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CredentialKind {
    /// A person's password for the console and for signing in.
    SignInPassword,
    /// A registry password, one per person and instance.
    PermanentPassword,
    /// A generated long-term credential.
    AccessCredential,
    /// An id and a secret that sign API requests.
    AccessKey,
    /// A temporary password that ends by itself.
    LoginToken,
    /// An interactive client's login.
    RefreshToken,
    /// A service account's secret; several may live side by side.
    ClientSecret,
    /// One of the two passwords of an instance's admin user.
    AdminPassword,
    /// The key of a role's session.
    Session,
    /// Trust in an issuer, a subject and an audience: no secret at all.
    FederatedCredential,
}

impl CredentialKind {
    const ALL: [Self; 10] = [
        Self::SignInPassword,
        Self::PermanentPassword,
        Self::AccessCredential,
        Self::AccessKey,
        Self::LoginToken,
        Self::RefreshToken,
        Self::ClientSecret,
        Self::AdminPassword,
        Self::Session,
        Self::FederatedCredential,
    ];

    /// As stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignInPassword => "sign_in_password",
            Self::PermanentPassword => "permanent_password",
            Self::AccessCredential => "access_credential",
            Self::AccessKey => "access_key",
            Self::LoginToken => "login_token",
            Self::RefreshToken => "refresh_token",
            Self::ClientSecret => "client_secret",
            Self::AdminPassword => "admin_password",
            Self::Session => "session",
            Self::FederatedCredential => "federated_credential",
        }
    }

    /// Reads the stored form.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }
}

/// The credential a caller presented. A token names the credential it was made from: when that ends, so does the token.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CredentialRef {
    /// The stored credential.
    pub id: CredentialId,
    /// What was presented (a login token made with an access key is a login token).
    pub kind: CredentialKind,
}

/// A principal who has shown a credential, or nobody (anonymous).
///
/// Only `identity` says who somebody is: the constructor is banned elsewhere by lint, the fields are private. A forged caller
/// does not compile:
///
/// ```compile_fail,E0423
/// # fn forge(known: model::Known) {
/// let forged = model::Caller(Some(std::sync::Arc::new(known)));
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller(Option<Arc<Known>>);

/// What is known of a caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Known {
    /// The principal.
    pub principal: PrincipalId,
    /// The principal's account.
    pub account: AccountId,
    /// What kind of principal.
    pub kind: PrincipalKind,
    /// The principal's name, for the audit trail.
    pub name: Arc<str>,
    /// What was presented.
    pub credential: CredentialRef,
    /// The one instance at which this login holds; none: all of the account.
    pub instance: Option<InstanceId>,
    /// A bearer token's scopes: an upper bound. None: not a bearer of scopes.
    pub scopes: Option<Scopes>,
    /// When what was presented ends; none: not by itself.
    pub ends: Option<Timestamp>,
}

impl Caller {
    /// Nobody: what anonymous may do is decided like everything else.
    pub const fn anonymous() -> Self {
        Self(None)
    }

    /// Somebody who has shown a valid credential. For `identity` alone.
    pub fn vouched_by_identity(known: Known) -> Self {
        Self(Some(Arc::new(known)))
    }

    /// Who, unless anonymous.
    pub fn known(&self) -> Option<&Known> {
        self.0.as_deref()
    }

    /// Nobody in particular?
    pub const fn is_anonymous(&self) -> bool {
        self.0.is_none()
    }
}
