//! Tags of a repository.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Lock;

/// Point a new tag at a manifest that is there.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct CreateTag {
    /// The repository's whole name.
    pub repository: String,
    /// The tag.
    pub name: String,
    /// The manifest; this or `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Another tag of the repository: at what it points at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// Point a tag at another manifest that is there.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct UpdateTag {
    /// The manifest.
    pub digest: String,
}

/// A tag.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct Tag {
    /// The repository's whole name.
    pub repository: String,
    /// The tag.
    pub name: String,
    /// The manifest it points at.
    pub digest: String,
    /// That manifest's media type.
    pub media_type: String,
    /// That manifest's bytes.
    pub size: i64,
    /// The image's bytes, with all that it is made of; of an index, with all of its images.
    pub image_size: i64,
    /// The digest of the image's configuration; an index has none.
    pub config_digest: Option<String>,
    /// What the tag is locked against.
    pub locked: Vec<Lock>,
    /// Made when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Last pointed elsewhere when.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// Which tags to list.
#[derive(Clone, Serialize, Deserialize, IntoParams, Debug)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TagQuery {
    /// Of this repository.
    pub repository: String,
    /// At most so many, 1 to 1000; 100 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Continue behind this tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}
