//! Policies, their versions, what is attached to whom, and why something is allowed.

use std::net::IpAddr;

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Create a policy.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct CreatePolicy {
    /// 1 to 128 letters, digits and dashes.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The document's text, kept as written.
    pub document: String,
}

/// Give a policy a new document.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct CreatePolicyVersion {
    /// The document's text, kept as written.
    pub document: String,
    /// In force at once? Yes unless told.
    #[serde(default = "yes")]
    pub set_as_default: bool,
    /// With five versions there, may the oldest that is not in force go for it?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drop_oldest: bool,
}

/// Say what a policy is for.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct UpdatePolicy {
    /// At most 1024 characters.
    pub description: String,
}

/// Somebody a policy is attached to.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct PolicyHolder {
    /// `user/NAME`, `group/NAME`, `service-account/NAME` or `role/NAME`.
    pub principal: String,
    /// Their id.
    pub principal_id: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub attached_at: Timestamp,
}

const fn yes() -> bool {
    true
}

/// Choose the version that is in force.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct SetDefaultVersion {
    /// Its number.
    pub version: i64,
}

/// A policy.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// Its id; null for a built-in policy, which is known by its name.
    pub policy_id: Option<String>,
    /// What it is for.
    pub description: String,
    /// The version in force.
    pub version: i64,
    /// Built-in policies cannot be changed.
    pub built_in: bool,
    /// Made when; null for a built-in policy.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_at: Option<Timestamp>,
    /// Changed when; null for a built-in policy.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub updated_at: Option<Timestamp>,
}

/// A policy with its document in force.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct PolicyDocument {
    /// The policy.
    #[serde(flatten)]
    pub policy: Policy,
    /// The document's text, as written.
    pub document: String,
    /// Principals that it is attached to.
    #[serde(default)]
    pub attachments: i64,
}

/// One version of a policy.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct PolicyVersion {
    /// The policy's name.
    pub name: String,
    /// The number, from 1.
    pub version: i64,
    /// Is it in force?
    pub is_default: bool,
    /// The document's text, as written.
    pub document: String,
    /// Made when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// A policy that is attached to a user.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct AttachedPolicy {
    /// The policy's name.
    pub name: String,
    /// The policy's id; null: built in.
    pub policy_id: Option<String>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub attached_at: Timestamp,
}

/// Ask why.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct ExplainPolicy {
    /// May this user, by name …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// … or this principal: `user/NAME`, `service-account/NAME`, `role/NAME`, or what `group/NAME` gives; without either the asker …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// … a role in this session, by the credential's id …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// … do this (`cr:PullRepository`) …
    pub action: String,
    /// … to this: a repository or namespace of the instance, or the name of a user, policy or instance, as the action needs?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The instance, by name or id; the default instance unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// From this address; from the asker's own unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub from: Option<IpAddr>,
    /// At this time; now unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub at: Option<Timestamp>,
}

/// Allowed or not.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Yes.
    Allow,
    /// No.
    Deny,
}

/// Why something is allowed or not.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct Explanation {
    /// Is it allowed?
    pub decision: Decision,
    /// The policy that decides; null when none does.
    pub policy: Option<String>,
    /// The statement of that policy that decides: its number, from 1.
    pub statement: Option<u32>,
    /// Where the policy comes from: `own`, `group/NAME`, `resource` (the namespace's or repository's), `session`, `guard`,
    /// `proposed`; or `root`, `public`. Null when nothing allows it.
    pub layer: Option<String>,
    /// The same in words.
    pub reason: String,
}
