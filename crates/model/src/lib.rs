//! The nouns of Tidegate: ids, names, digests, actions, resources, callers, times.
//!
//! What it is for: every word of the product has one type here, parsed once, at the edge, so that no floor above has to
//! ask again whether a name is well formed. What it may not do: no I/O, no HTTP, no SQL, no cloud, no clock. To add a
//! noun: one module, one `parse` that says what is wrong, `Display` that prints what `parse` reads, tests beside it.
#![deny(missing_docs)]

mod action;
mod caller;
mod digest;
mod glob;
mod id;
mod lock;
mod name;
mod op;
mod resource;
mod scope;
mod time;

pub use action::{Action, ActionKind, act};
pub use caller::{Caller, CredentialKind, CredentialRef, Known, PrincipalKind};
pub use digest::{Algorithm, Digest, DigestError};
pub use glob::{Glob, GlobError};
pub use id::{
    AccountId, CredentialId, IdError, InstanceId, IntegrationId, NamespaceId, ObjectId, PolicyId, PrincipalId, ProviderId, RepositoryId,
    TagRuleId, UploadId,
};
pub use lock::{ImmutableTags, Lock, Locks};
pub use name::{
    AccountAlias, GroupName, InstanceName, LoginName, MediaType, NameError, NamespaceName, NetworkName, PolicyName, Reference, Region,
    RepositoryName, RoleName, Tag,
};
pub use op::{Network, Op, RequestId};
pub use resource::{
    OnAccount, OnInstance, OnIntegration, OnNamespace, OnPolicy, OnPrincipal, OnProvider, OnRepository, Resource, ResourceKind, Target,
};
pub use scope::{RepositoryAction, Scope, ScopeError, Scopes};
pub use time::{Clock, FixedClock, Seconds, Timestamp};
