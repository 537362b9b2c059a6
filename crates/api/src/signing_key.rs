//! The keys that sign tokens: their public halves.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A signing key.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct SigningKey {
    /// Its name in token headers.
    pub kid: String,
    /// `ES256`.
    pub algorithm: String,
    /// The public key as PEM (RFC 7468), as other registries read it.
    pub public_key_pem: String,
    /// Made when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Signs from here on; verifiers have known it before.
    #[schema(value_type = String, format = DateTime)]
    pub signs_from: Timestamp,
    /// Its signatures hold no longer from here on; null: until a younger one takes over.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub retires_at: Option<Timestamp>,
}
