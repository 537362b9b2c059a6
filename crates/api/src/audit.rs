//! The audit trail.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which audit events to list, newest first.
#[derive(Clone, Serialize, Deserialize, IntoParams, Default, Debug)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// By this principal: a name, as it was at that time, or a numeric id. Those who are gone are found too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Of this action (`cr:PullRepository`, `login`), or of those that begin so (`cr:*`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// That ended so: `success`, `denied` or `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// With this credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// Done to this resource (`repository/local/demo/app`), or to those that begin so (`repository/local/demo/*`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// From this address, or from this network: `192.0.2.1`, `2001:db8::/32`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Not before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    /// Before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
    /// At most so many, 1 to 1000; 100 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Continue behind this event, as the `Link` header says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Debug)]
pub struct AuditEvent {
    /// Its id.
    pub event_id: String,
    /// Its place in the account's chain; null: it is not sealed yet, which takes about a second.
    pub sequence: Option<i64>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// What: the action's RAM spelling, or a word of ours (`login`).
    pub action: String,
    /// `success`, `denied` or `failed`.
    pub outcome: String,
    /// Who: the name at that time, or what was claimed.
    pub principal: String,
    /// Who: the numeric id; null: nobody that is known.
    pub principal_id: Option<String>,
    /// With which credential.
    pub credential_id: Option<String>,
    /// With what kind of credential.
    pub credential_kind: Option<String>,
    /// To what.
    pub resource: String,
    /// Anything worth adding: a digest, a reason.
    pub detail: Option<String>,
    /// From where.
    pub source_ip: String,
    /// By which client.
    pub user_agent: Option<String>,
    /// In which request.
    pub request_id: String,
    /// How many equal ones this stands for.
    pub count: i64,
}

/// Which sealed records to read, in the order of the chain.
#[derive(Clone, Serialize, Deserialize, IntoParams, Default, Debug)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditRecordQuery {
    /// Sealed at this time or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    /// Sealed before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
    /// At most so many, 1 to 1000; 100 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Continue behind this record, as the `Link` header says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// A sealed record: what happened, where it stands in its account's chain, and what holds it there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Debug)]
pub struct AuditRecord {
    /// Whose trail it is.
    pub account_id: String,
    /// When it was sealed; records that were sealed together share it.
    #[schema(value_type = String, format = DateTime)]
    pub sealed_at: Timestamp,
    /// The hash of the record before, in hex; zeros: this is the first one.
    pub previous_hash: String,
    /// The hash of this record, in hex: docs/audit.md says over what.
    pub hash: String,
    /// The signature over the chain up to here (a compact JWS); with the last of those that were sealed together.
    pub checkpoint: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub event: AuditEvent,
}

impl AuditRecord {
    /// Its place in the chain, counted from 1.
    pub fn sequence(&self) -> i64 {
        self.event.sequence.unwrap_or_default()
    }
}

/// Where an account's trail begins and ends, signed, and the keys that sign.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct AuditTrail {
    /// Whose trail it is.
    pub account_id: String,
    /// The signed beginning (a compact JWS), once retention has taken older records away.
    pub begin: Option<String>,
    /// The signed head (a compact JWS): the record that was sealed last.
    pub head: Option<String>,
    /// The keys whose signatures stand in the trail.
    pub keys: Vec<AuditKey>,
}

/// A key that signs the trail.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
pub struct AuditKey {
    /// Its name in checkpoints: the first 16 hex digits of the SHA-256 of its SubjectPublicKeyInfo.
    pub kid: String,
    /// `ES256`.
    pub algorithm: String,
    /// The public key as PEM (RFC 7468).
    pub public_key_pem: String,
    /// Made when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// How long an account's trail is kept.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Debug)]
pub struct AuditRetention {
    /// So many days, as the account says; null: as long as the server's setting says.
    pub days: Option<i64>,
    /// So many days it is kept; null: for ever.
    pub kept_days: Option<i64>,
    /// The server's setting, for accounts that say nothing; null: for ever.
    pub default_days: Option<i64>,
    /// An account may say so many days at the least.
    pub least_days: i64,
    /// And at the most.
    pub most_days: i64,
}

/// For how long to keep the trail.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct SetAuditRetention {
    /// So many days.
    pub days: i64,
}
