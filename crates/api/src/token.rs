//! The token endpoint: OAuth 2.0 (RFC 6749) sections 4.4 (client credentials) and 4.3 (resource owner password), tokens of other
//! issuers (RFC 7523, RFC 8693).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Secret;

/// A token request, form-encoded. Unknown parameters are ignored, as section 3.2 asks.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
pub struct TokenRequest {
    /// `client_credentials` with an access key, a client secret or a `client_assertion`; `password` with a sign-in password;
    /// `urn:ietf:params:oauth:grant-type:jwt-bearer` with an `assertion`; `urn:ietf:params:oauth:grant-type:token-exchange` with a
    /// `subject_token`.
    pub grant_type: String,
    /// The access key's id, or a service account's client id; or in a Basic header.
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
    /// A token of an issuer that a federated credential trusts (RFC 7523 section 2.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_assertion: Option<Secret>,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_assertion_type: Option<String>,
    /// The same token, for the JWT bearer grant (RFC 7523 section 2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assertion: Option<Secret>,
    /// The same token, for the token exchange grant (RFC 8693 section 2.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_token: Option<Secret>,
    /// `urn:ietf:params:oauth:token-type:jwt` or `urn:ietf:params:oauth:token-type:id_token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_token_type: Option<String>,
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
