//! What actions are done to. Each kind is a small value that an action names as its target; [`Resource`] is any of them.

use std::fmt;
use std::sync::Arc;

use crate::{
    AccountId, InstanceId, InstanceName, IntegrationId, NamespaceName, PolicyId, PrincipalId, PrincipalKind, ProviderId, Region,
    RepositoryName,
};

/// The kinds of resource, as the action table names them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ResourceKind {
    /// The account as a whole.
    Account,
    /// One instance.
    Instance,
    /// One namespace of an instance.
    Namespace,
    /// One repository of an instance.
    Repository,
    /// One user.
    User,
    /// One service account.
    ServiceAccount,
    /// One group.
    Group,
    /// One role.
    Role,
    /// One OIDC provider.
    Provider,
    /// One integration.
    Integration,
    /// One policy.
    Policy,
}

/// The account as a whole: listing and creating what belongs to it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct OnAccount(pub AccountId);

/// An instance: enough to name it in every cloud's spelling.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct OnInstance {
    /// Whose it is.
    pub account: AccountId,
    /// Its id.
    pub id: InstanceId,
    /// Its name.
    pub name: InstanceName,
    /// Where it stands.
    pub region: Region,
}

/// A namespace by name, there or not.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct OnNamespace {
    /// The instance it is in.
    pub instance: Arc<OnInstance>,
    /// Its name.
    pub name: NamespaceName,
}

/// A repository by name, there or not: at the registry rights are decided before anything is looked up.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct OnRepository {
    /// The instance it is in.
    pub instance: Arc<OnInstance>,
    /// Its name.
    pub name: RepositoryName,
}

/// A user, service account, group, role or admin user; `id` is none while it is being created, and where there is none.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct OnPrincipal {
    /// Whose.
    pub account: AccountId,
    /// Its id, once there.
    pub id: Option<PrincipalId>,
    /// What kind.
    pub kind: PrincipalKind,
    /// Its name among its kind.
    pub name: Arc<str>,
}

impl OnPrincipal {
    /// The same under the name that it is to have; none: under the one it has.
    pub fn renamed(&self, name: Option<&str>) -> Option<Self> {
        name.filter(|name| *name != &*self.name).map(|name| Self { name: name.into(), ..self.clone() })
    }
}

/// An OIDC provider; `id` is none while it is being created.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct OnProvider {
    /// Whose.
    pub account: AccountId,
    /// Its id, once there.
    pub id: Option<ProviderId>,
    /// Its name.
    pub name: Arc<str>,
}

/// An integration: what a credential was made for; `id` is none while it is being created.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct OnIntegration {
    /// Whose.
    pub account: AccountId,
    /// Its id, once there.
    pub id: Option<IntegrationId>,
    /// Its name.
    pub name: Arc<str>,
}

/// A policy; `id` is none while it is being created, and for the built-in ones.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct OnPolicy {
    /// Whose policy.
    pub account: AccountId,
    /// Its id, once there.
    pub id: Option<PolicyId>,
    /// Its name.
    pub name: Arc<str>,
}

/// Something an action can be done to.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Resource {
    /// The account as a whole.
    Account(OnAccount),
    /// One instance.
    Instance(Arc<OnInstance>),
    /// One namespace.
    Namespace(OnNamespace),
    /// One repository.
    Repository(OnRepository),
    /// One user, service account, group, role or admin user.
    Principal(OnPrincipal),
    /// One OIDC provider.
    Provider(OnProvider),
    /// One integration.
    Integration(OnIntegration),
    /// One policy.
    Policy(OnPolicy),
}

/// A value that is a resource.
pub trait Target: Clone + Send + Sync + fmt::Debug + 'static {
    /// The same as a [`Resource`].
    fn resource(&self) -> Resource;
}

macro_rules! targets {
    ($($name:ident $variant:ident),*) => {$(
        impl Target for $name {
            fn resource(&self) -> Resource {
                Resource::$variant(self.clone())
            }
        }
    )*};
}

targets!(OnAccount Account, OnNamespace Namespace, OnRepository Repository, OnPrincipal Principal, OnPolicy Policy, OnProvider Provider,
    OnIntegration Integration);

impl Target for OnInstance {
    fn resource(&self) -> Resource {
        Resource::Instance(Arc::new(self.clone()))
    }
}

impl Resource {
    /// The account that owns it.
    pub fn account(&self) -> AccountId {
        match self {
            Self::Account(on) => on.0,
            Self::Instance(on) => on.account,
            Self::Namespace(on) => on.instance.account,
            Self::Repository(on) => on.instance.account,
            Self::Principal(on) => on.account,
            Self::Provider(on) => on.account,
            Self::Integration(on) => on.account,
            Self::Policy(on) => on.account,
        }
    }

    /// The instance it is in, if it is in one.
    pub fn instance(&self) -> Option<&Arc<OnInstance>> {
        match self {
            Self::Instance(on) => Some(on),
            Self::Namespace(on) => Some(&on.instance),
            Self::Repository(on) => Some(&on.instance),
            Self::Account(_) | Self::Principal(_) | Self::Policy(_) | Self::Provider(_) | Self::Integration(_) => None,
        }
    }
}

/// As audit records and messages name it: `local/demo/app`, `user/alice`.
impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(on) => write!(f, "account/{}", on.0),
            Self::Instance(on) => write!(f, "instance/{}", on.name),
            Self::Namespace(on) => write!(f, "namespace/{}/{}", on.instance.name, on.name),
            Self::Repository(on) => write!(f, "repository/{}/{}", on.instance.name, on.name),
            Self::Principal(on) => write!(f, "{}/{}", on.kind.noun(), on.name),
            Self::Provider(on) => write!(f, "oidc-provider/{}", on.name),
            Self::Integration(on) => write!(f, "integration/{}", on.name),
            Self::Policy(on) => write!(f, "policy/{}", on.name),
        }
    }
}
