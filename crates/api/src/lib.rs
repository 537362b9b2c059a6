//! The shapes of the management API under `/api/v1`: what `door-manage` reads and answers, and `client` sends and reads.
//!
//! What it is for: one type a request and an answer, so that the two sides cannot drift apart, and so that the OpenAPI
//! document is generated from what runs. What it may not do: hold a rule. Names and ids are plain text here; the door
//! parses them into the nouns of `model`, once.
//!
//! To add a shape: a struct in its noun's module. Requests refuse unknown fields (`deny_unknown_fields`), so that nobody can
//! set what is not offered (CVE-2019-16097); answers may grow, so they do not. A field that holds a secret is a [`Secret`].
//! Times are RFC 3339 in UTC; a key that ends in `_ms` is in epoch milliseconds; lengths of time are whole seconds.
#![deny(missing_docs)]

mod access_key;
mod account;
mod admin_user;
mod audit;
mod credential;
mod endpoint;
mod error;
mod federation;
mod group;
mod instance;
mod integration;
mod label;
mod namespace;
mod node;
mod page;
mod policy;
mod protection;
mod repository;
mod resource_policy;
mod retention;
mod role;
mod rotation;
mod secret;
mod secret_lookup;
mod service_account;
mod signing_key;
mod simulation;
mod tag;
mod token;
mod user;
mod whoami;

pub use access_key::{AccessKey, CreateAccessKey, CreatedAccessKey};
pub use account::{Account, SetAccountAlias};
pub use admin_user::{AdminPassword, AdminUser, RenewedAdminPassword};
pub use audit::{AuditEvent, AuditKey, AuditQuery, AuditRecord, AuditRecordQuery, AuditRetention, AuditTrail, SetAuditRetention};
pub use credential::{
    CreateCredential, CreateLoginToken, CreatedCredential, CreatedLoginToken, Credential, CredentialQuery, DeleteCredential, UpdateEnabled,
};
pub use endpoint::{CreateEndpoint, CreateEndpointEntry, DefaultAction, Endpoint, EndpointEntry, EndpointKind, ForceQuery, UpdateEndpoint};
pub use error::{ErrorAnswer, ErrorDetail};
pub use federation::{
    AssumeRoleWithOidc, CreateFederatedCredential, CreateProvider, FederatedCredential, Provider, ProviderCheck, UpdateFederatedCredential,
    UpdateProvider,
};
pub use group::{CreateGroup, Group, UpdateGroup};
pub use instance::{CreateInstance, Instance, InstanceUsage, UpdateInstance};
pub use integration::{CreateIntegration, Integration, IntegrationKind, IntegrationQuery, UpdateIntegration};
pub use label::{LabelQuery, Labelled, UpdateLabels};
pub use namespace::{CreateNamespace, Namespace, NamespaceQuota, SetNamespaceQuota, UpdateNamespace};
pub use node::Node;
pub use page::{OwnerQuery, Page};
pub use policy::{
    AttachedPolicy, CreatePolicy, CreatePolicyVersion, Decision, ExplainPolicy, Explanation, Policy, PolicyDocument, PolicyHolder,
    PolicyVersion, SetDefaultVersion, UpdatePolicy,
};
pub use protection::{
    CreateImmutableTagRule, DigestHolder, DigestKind, DigestQuery, ImageProtection, ImageReference, ImmutableTagRule, Lock, Relation,
    UpdateImmutableTagRule, UpdateLocks,
};
pub use repository::{CreateRepository, Repository, RepositoryQuery, UpdateRepository};
pub use resource_policy::{ResourcePolicy, SetResourcePolicy};
pub use retention::{Retention, RetentionItem, RetentionRule, RetentionRun, RunRetention, SetRetention};
pub use role::{AssumeRole, CreateRole, EndedSessions, Role, Session, UpdateRole};
pub use rotation::{Rotate, RotatedAccessKey, RotatedCredential};
pub use secret::Secret;
pub use secret_lookup::{LookUpSecrets, SecretOwner};
pub use service_account::{CreateClientSecret, CreateServiceAccount, CreatedServiceAccount, ServiceAccount, UpdateServiceAccount};
pub use signing_key::SigningKey;
pub use simulation::{MAX_SIMULATED, PermittedPrincipal, PermittedQuery, SimulatePolicies};
pub use tag::{CreateTag, Tag, TagQuery, UpdateTag};
pub use token::{TokenAnswer, TokenError, TokenRequest};
pub use user::{CreateUser, PasswordKind, SetPassword, SignInPassword, UpdateUser, User};
pub use whoami::Whoami;

/// Where the management API stands on every host.
pub const BASE: &str = "/api/v1";
