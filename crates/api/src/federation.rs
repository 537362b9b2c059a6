//! Workload identity: OIDC providers, federated credentials, sessions that a token begins.

use std::collections::BTreeMap;

use model::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Secret;

/// Name an issuer that roles and service accounts may trust.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct CreateProvider {
    /// 1 to 128 letters, digits and `. - _`.
    pub name: String,
    /// The issuer, exactly as in the `iss` of its tokens.
    pub issuer: String,
    /// The audiences that roles accept; at most 50. (A federated credential names its own.)
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub client_ids: Vec<String>,
    /// The issuer's keys (a JSON Web Key Set), where it cannot be asked; it is never asked then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<String>,
    /// Certificates (PEM) of the issuer's own authority, trusted in place of the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// May it be at an internal address, and speak plain http?
    #[serde(default)]
    pub allow_internal: bool,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// Change an OIDC provider; what is left out stays as it is. Its issuer never changes.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct UpdateProvider {
    /// The audiences that roles accept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ids: Option<Vec<String>>,
    /// The issuer's keys; empty: ask the issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<String>,
    /// Certificates of the issuer's own authority; empty: the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// May it be at an internal address?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_internal: Option<bool>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A disabled one lets nobody in, running tokens included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// An OIDC provider: an issuer that the account trusts, under a name.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct Provider {
    /// Its id.
    pub provider_id: String,
    /// Its name.
    pub name: String,
    /// As a role's trust policy names it.
    pub arn: String,
    /// The issuer.
    pub issuer: String,
    /// The audiences that roles accept.
    pub client_ids: Vec<String>,
    /// The pinned keys; null: the issuer is asked.
    pub jwks: Option<String>,
    /// Certificates of the issuer's own authority.
    pub ca: Option<String>,
    /// May it be at an internal address?
    pub allow_internal: bool,
    /// What it is for.
    pub description: String,
    /// Disabled ones let nobody in.
    pub enabled: bool,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Made by whom: the name at that time.
    pub created_by: String,
}

/// Whether an issuer's keys can be had, asked for just now.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct ProviderCheck {
    /// How many keys verify tokens; null: none could be had.
    pub keys: Option<usize>,
    /// Why not.
    pub problem: Option<String>,
}

/// Let workloads of an issuer be a service account: by a preset, or by issuer and subject.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct CreateFederatedCredential {
    /// 3 to 120 letters, digits, `-` and `_`; its own among the service account's.
    pub name: String,
    /// The audience that tokens must be for, exactly; best, the registry's own host name.
    pub audience: String,
    /// The issuer, exactly as in `iss`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The subject, exactly or with `*` (any run of characters) and `?` (one).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Further claims by name, or by JSON pointer (`/kubernetes.io/namespace`): one of the values must match.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<String, Vec<String>>,
    /// `github-actions`, `gitlab`, `kubernetes` or `entra`: fills issuer, subject and claims in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// What the preset is filled in with: `{"repository": "acme/app", "ref": "refs/heads/main"}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub with: BTreeMap<String, String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Seconds until it ends by itself; never unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub expires_in: Option<Seconds>,
}

/// Change a federated credential; what is left out stays as it is. Its issuer never changes.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct UpdateFederatedCredential {
    /// The audience.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The subject or a pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The further claims, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<BTreeMap<String, Vec<String>>>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A disabled one lets nobody in, running tokens included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// A federated credential: trust in an issuer, a subject and an audience. It has no secret.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct FederatedCredential {
    /// Its id among all credentials.
    pub credential_id: String,
    /// Its name among the service account's.
    pub name: String,
    /// The service account's numeric id.
    pub user_id: String,
    /// The OIDC provider that stands for the issuer.
    pub provider: String,
    /// The issuer.
    pub issuer: String,
    /// The audience.
    pub audience: String,
    /// The subject or a pattern.
    pub subject: String,
    /// Further claims.
    pub claims: BTreeMap<String, Vec<String>>,
    /// What it is for.
    pub description: String,
    /// Disabled ones let nobody in.
    pub enabled: bool,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Made by whom: the name at that time.
    pub created_by: String,
    /// When it ends by itself; null: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// When it last let somebody in, to the minute; null: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    /// From which address it last let somebody in.
    pub last_used_from: Option<String>,
}

/// Assume a role with a token of an issuer that its trust policy names. The token is all that is needed.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct AssumeRoleWithOidc {
    /// The role's name.
    pub role: String,
    /// The OIDC provider's name; by the token's issuer unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The issuer's token.
    pub token: Secret,
    /// What to call the session: 2 to 64 letters, digits and `. @ - _ = ,`.
    pub session_name: String,
    /// Seconds that it lasts, 900 to the role's maximum; 3600 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub duration: Option<Seconds>,
    /// What bounds the role's rights for this session: a RAM document of at most 2048 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
}
