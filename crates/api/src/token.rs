//! The token endpoint: OAuth 2.0 (RFC 6749) sections 4.4 (client credentials) and 4.3 (resource owner password).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Secret;

/// A token request, form-encoded. Unknown parameters are ignored, as section 3.2 asks.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct TokenRequest {
    /// `client_credentials` with an access key, or `password` with a sign-in password.
    pub grant_type: String,
    /// The access key's id; or in a Basic header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The access key's secret; or in a Basic header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<Secret>,
    /// The login name, for the password grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The sign-in password, for the password grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// The token of the session that the access key belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_token: Option<Secret>,
}

/// A bearer token for the management API (RFC 6749 section 5.1).
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct TokenAnswer {
    /// The token.
    pub access_token: Secret,
    /// Always `Bearer`.
    pub token_type: String,
    /// Seconds until it ends.
    pub expires_in: i64,
}

/// Why there is no token (RFC 6749 section 5.2).
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct TokenError {
    /// `invalid_request`, `invalid_client`, `invalid_grant`, `unsupported_grant_type` or, as RFC 6749 section 4.1.2.1
    /// spells them, `server_error`, `temporarily_unavailable`.
    pub error: String,
    /// The same for people.
    pub error_description: String,
}
