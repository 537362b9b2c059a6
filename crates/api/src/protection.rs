//! What keeps images as they are: locks and rules of immutable tags; and what refers to what.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What something is locked against.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Lock {
    /// Pulling.
    Read,
    /// Pushing and pointing tags elsewhere, deleting included.
    Write,
    /// Being in the registry's own lists.
    List,
    /// Deleting.
    Delete,
}

/// Lock something, or unlock it; what is not named stays.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct UpdateLocks {
    /// Lock it against these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lock: Vec<Lock>,
    /// And no longer against these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unlock: Vec<Lock>,
}

/// A tag or a manifest, and what keeps it as it is.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct ImageProtection {
    /// The repository's whole name.
    pub repository: String,
    /// The tag, if it was asked for by tag.
    pub tag: Option<String>,
    /// The manifest.
    pub digest: String,
    /// What the tag, or else the manifest, is locked against itself.
    pub locked: Vec<Lock>,
    /// Why it cannot be deleted, if it cannot.
    pub kept_by: Option<String>,
}

/// Say which tags of which of a namespace's repositories are immutable.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct CreateImmutableTagRule {
    /// Which tags. `*` is anything without a slash, `**` anything, `?` one character, `{a,b}` one of several.
    pub tags: String,
    /// Save these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub except_tags: Option<String>,
    /// Of which repositories, by their names within the namespace; `**`, all of them, unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repositories: Option<String>,
    /// Save these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub except_repositories: Option<String>,
    /// Is it in force? Yes unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// Change a rule; what is left out stays, and an empty exception takes it away.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct UpdateImmutableTagRule {
    /// Which tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<String>,
    /// Save these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub except_tags: Option<String>,
    /// Of which repositories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repositories: Option<String>,
    /// Save these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub except_repositories: Option<String>,
    /// Is it in force?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// A rule of immutable tags.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct ImmutableTagRule {
    /// Its id.
    pub rule_id: String,
    /// The namespace it belongs to.
    pub namespace: String,
    /// Which tags.
    pub tags: String,
    /// Save these.
    pub except_tags: Option<String>,
    /// Of which repositories, by their names within the namespace.
    pub repositories: String,
    /// Save these.
    pub except_repositories: Option<String>,
    /// Is it in force?
    pub enabled: bool,
    /// Made when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// How something refers to an image.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, Debug)]
#[serde(rename_all = "lowercase")]
pub enum Relation {
    /// A tag points at it.
    Tag,
    /// A manifest is made of it.
    Parent,
    /// A manifest has it as its subject.
    Referrer,
}

/// What refers to an image.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct ImageReference {
    /// How.
    pub relation: Relation,
    /// The tag, where it is one.
    pub tag: Option<String>,
    /// What the tag points at, or the manifest that refers to it.
    pub digest: String,
    /// That manifest's media type; of a tag, none.
    pub media_type: Option<String>,
    /// The type that a referrers list shows.
    pub artifact_type: Option<String>,
}

/// A repository that has a digest.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct DigestHolder {
    /// Its id.
    pub repository_id: String,
    /// Its whole name.
    pub name: String,
    /// What it has under the digest: `blob` or `manifest`.
    pub kind: DigestKind,
}

/// What a digest is of.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, Debug)]
#[serde(rename_all = "lowercase")]
pub enum DigestKind {
    /// A blob.
    Blob,
    /// A manifest.
    Manifest,
}

/// Where a digest is looked for.
#[derive(Clone, Serialize, Deserialize, IntoParams, Debug)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DigestQuery {
    /// The digest: `sha256:…`.
    pub digest: String,
    /// At most so many, 1 to 1000; 100 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Continue behind this place: what the `Link` header says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}
