//! What actions are done to. Each kind is a small value that an action names as its target; [`Resource`] is any of them.

use std::fmt;
use std::sync::Arc;

use crate::{AccountId, InstanceId, InstanceName, NamespaceName, PolicyId, PrincipalId, Region, RepositoryName};

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

/// A user; `id` is none while the user is being created.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct OnUser {
    /// Whose user.
    pub account: AccountId,
    /// The user's id, once there.
    pub id: Option<PrincipalId>,
    /// The user's name.
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
    /// One user.
    User(OnUser),
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

targets!(OnAccount Account, OnNamespace Namespace, OnRepository Repository, OnUser User, OnPolicy Policy);

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
            Self::User(on) => on.account,
            Self::Policy(on) => on.account,
        }
    }

    /// The instance it is in, if it is in one.
    pub fn instance(&self) -> Option<&Arc<OnInstance>> {
        match self {
            Self::Instance(on) => Some(on),
            Self::Namespace(on) => Some(&on.instance),
            Self::Repository(on) => Some(&on.instance),
            Self::Account(_) | Self::User(_) | Self::Policy(_) => None,
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
            Self::User(on) => write!(f, "user/{}", on.name),
            Self::Policy(on) => write!(f, "policy/{}", on.name),
        }
    }
}
