//! Which images a namespace keeps, so that the others go by themselves.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Of which tags of which repositories a rule speaks, and which of those it keeps: those that any of its terms keeps.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct RetentionRule {
    /// Of which repositories, by their names within the namespace; `**`, all of them, unless told. `*` is anything without a slash, `**`
    /// anything, `?` one character, `{a,b}` one of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repositories: Option<String>,
    /// Of which of their tags; all of them unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<String>,
    /// Keeps as many of these as were pushed last, in each repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_newest: Option<u32>,
    /// Keeps those that match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_tags: Option<String>,
    /// Keeps those that were pushed within so many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_pushed_days: Option<u32>,
    /// Keeps those that were pulled, or pushed, within so many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_pulled_days: Option<u32>,
    /// Manifests without a tag go when they were neither pushed nor pulled for so many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untagged_days: Option<u32>,
}

/// Say which images a namespace keeps, all of it; no rules: everything.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct SetRetention {
    /// At most 16 rules. A tag goes if a rule speaks of it and none keeps it.
    pub rules: Vec<RetentionRule>,
}

/// Which images a namespace keeps.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct Retention {
    /// The namespace.
    pub namespace: String,
    /// The instance it is in.
    pub instance_id: String,
    /// Its rules.
    pub rules: Vec<RetentionRule>,
}

/// Act on a namespace's rules.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct RunRetention {
    /// Change nothing, only say what would go? No unless told.
    #[serde(default)]
    pub dry_run: bool,
}

/// What a run did, or would do.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct RetentionRun {
    /// Was nothing changed?
    pub dry_run: bool,
    /// Tags that go.
    pub tags_removed: u64,
    /// Manifests without a tag that go.
    pub manifests_removed: u64,
    /// Tags of which rules speak and that stay.
    pub tags_kept: u64,
    /// What would go but is locked or immutable.
    pub protected: u64,
    /// One by one, the first 1000.
    pub items: Vec<RetentionItem>,
}

/// One tag, or one manifest without a tag.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct RetentionItem {
    /// The repository's whole name.
    pub repository: String,
    /// The tag; none: a manifest without one.
    pub tag: Option<String>,
    /// The manifest.
    pub digest: String,
    /// Does it go?
    pub removed: bool,
    /// Why it stays, or goes.
    pub reason: String,
}
