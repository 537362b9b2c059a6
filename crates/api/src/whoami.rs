//! Who one is.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who is calling, and with what.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct Whoami {
    /// The account's numeric id.
    pub account_id: String,
    /// The caller's numeric id.
    pub user_id: String,
    /// The caller's name.
    pub name: String,
    /// `root` or `user`.
    pub kind: String,
    /// The credential behind this call.
    pub credential_id: String,
    /// What kind of credential was presented.
    pub credential_kind: String,
    /// The one instance at which this login holds; null: all.
    pub instance_id: Option<String>,
    /// When this login ends by itself; null: never.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
}
