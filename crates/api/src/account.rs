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
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}
