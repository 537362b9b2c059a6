//! Whose is a secret that was found somewhere?

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Secret;

/// Ask whose secrets these are.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct LookUpSecrets {
    /// 1 to 100 generated secrets or tokens. Chosen passwords are never looked up.
    pub secrets: Vec<Secret>,
}

/// Whose one of them is. Everything is null where nobody in the account has it.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
pub struct SecretOwner {
    /// Is it a secret of this account?
    pub known: bool,
    /// The credential that it is, or that it was made from.
    pub credential_id: Option<String>,
    /// The credential's kind.
    pub kind: Option<String>,
    /// `login_token`, `bearer_token`, `refresh_token` or `management_token`; null: the credential itself.
    pub token: Option<String>,
    /// An access key's public half.
    pub access_key_id: Option<String>,
    /// Whose it is: the numeric id.
    pub user_id: Option<String>,
    /// Whose it is: the name.
    pub owner: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Disabled credentials open nothing, nor do tokens made from them.
    pub enabled: Option<bool>,
    /// Made when.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_at: Option<Timestamp>,
    /// When it ends by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    /// From which address it was last used.
    pub last_used_from: Option<String>,
}
