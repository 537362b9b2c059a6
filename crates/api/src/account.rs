//! Accounts.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An account: a tenant, with users and instances of its own.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct Account {
    /// Its numeric id.
    pub account_id: String,
    /// Its UUID.
    pub uuid: String,
    /// Its alias, as good as the id in `NAME@ACCOUNT`; null: none.
    pub alias: Option<String>,
    /// False: suspended by whoever runs the server.
    pub enabled: bool,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// An alias for one's account.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct SetAccountAlias {
    /// 3 to 50 lower-case letters, digits and dashes; not digits alone; nobody else's.
    pub alias: String,
}
