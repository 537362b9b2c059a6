//! The change feed: everything that can end or change a right appends a row in the change's own transaction.
//!
//! The sequence comes from a counter row in that transaction, so that no later commit can carry an earlier number.

use model::Timestamp;

use crate::{StoreError, Tx, params};

/// What has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// An account that is suspended or goes on, or what guards it: by account id.
    Account(i64),
    /// A principal, what is attached to it, or the groups it is in: by principal id.
    Principal(i64),
    /// A credential: by credential id.
    Credential(i64),
    /// A policy's document in force: by policy id.
    Policy(i64),
    /// An instance or its hosts: by instance id.
    Instance(i64),
    /// Whom an instance's endpoints let in: by instance id.
    Endpoints(i64),
    /// What is public in an instance: by instance id.
    Visibility(i64),
    /// The policies of an instance's namespaces and repositories: by instance id.
    ResourcePolicy(i64),
    /// An OIDC provider, or whom of its issuer somebody trusts: by provider id.
    Provider(i64),
    /// An issuer's own keys, which are to be asked for anew: by provider id.
    IssuerKeys(i64),
    /// The token signing keys.
    SigningKeys,
}

impl Change {
    const fn parts(self) -> (&'static str, i64) {
        match self {
            Self::Account(id) => ("account", id),
            Self::Principal(id) => ("principal", id),
            Self::Credential(id) => ("credential", id),
            Self::Policy(id) => ("policy", id),
            Self::Instance(id) => ("instance", id),
            Self::Endpoints(id) => ("endpoints", id),
            Self::Visibility(id) => ("visibility", id),
            Self::ResourcePolicy(id) => ("resource_policy", id),
            Self::Provider(id) => ("provider", id),
            Self::IssuerKeys(id) => ("issuer_keys", id),
            Self::SigningKeys => ("signing_keys", 0),
        }
    }

    fn from_parts(kind: &str, subject: i64) -> Option<Self> {
        Some(match kind {
            "account" => Self::Account(subject),
            "principal" => Self::Principal(subject),
            "credential" => Self::Credential(subject),
            "policy" => Self::Policy(subject),
            "instance" => Self::Instance(subject),
            "endpoints" => Self::Endpoints(subject),
            "visibility" => Self::Visibility(subject),
            "resource_policy" => Self::ResourcePolicy(subject),
            "provider" => Self::Provider(subject),
            "issuer_keys" => Self::IssuerKeys(subject),
            "signing_keys" => Self::SigningKeys,
            _ => return None,
        })
    }
}

/// Appends a change. Call it in the transaction that makes the change.
pub async fn append(tx: &mut Tx<'_>, now: Timestamp, change: Change) -> Result<(), StoreError> {
    let bump =
        "INSERT INTO counter (name, value) VALUES ('change', 1) ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value";
    let seq: i64 = tx.one(bump, params![]).await?.get(0)?;
    let (kind, subject) = change.parts();
    let insert = "INSERT INTO change (seq, at_ms, kind, subject) VALUES ($1, $2, $3, $4)";
    tx.execute(insert, params![seq, now.millis(), kind, subject]).await?;
    Ok(())
}

/// The newest sequence number; 0 when nothing has changed yet.
pub async fn head(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    let row = tx.row("SELECT value FROM counter WHERE name = 'change'", params![]).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// A change as the feed carries it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its number.
    pub seq: i64,
    /// When whoever made it began to, by the clock of that node.
    pub at: Timestamp,
    /// What has changed; none: a kind that a newer version wrote. Forget everything.
    pub change: Option<Change>,
}

/// At most `limit` changes after `seq`, oldest first.
pub async fn since(tx: &mut Tx<'_>, seq: i64, limit: i64) -> Result<Vec<Entry>, StoreError> {
    let select = "SELECT seq, at_ms, kind, subject FROM change WHERE seq > $1 ORDER BY seq LIMIT $2";
    let rows = tx.rows(select, params![seq, limit]).await?;
    let entry = |row: &crate::Row| {
        let change = Change::from_parts(&row.get::<String>(2)?, row.get(3)?);
        Ok(Entry { seq: row.get(0)?, at: Timestamp::from_millis(row.get(1)?), change })
    };
    rows.iter().map(entry).collect()
}

/// Rows that go with one statement.
const PIECE: i64 = 1000;

/// Drops changes older than `before`, as far as no younger one came before them. Keep what the longest signed life may still need.
pub async fn prune(tx: &mut Tx<'_>, before: Timestamp) -> Result<u64, StoreError> {
    let sql = "DELETE FROM change WHERE at_ms < $1 AND seq IN (SELECT seq FROM change ORDER BY seq LIMIT $2)";
    let mut dropped = 0;
    loop {
        let piece = tx.execute(sql, params![before.millis(), PIECE]).await?;
        dropped += piece;
        if piece < PIECE.cast_unsigned() {
            return Ok(dropped);
        }
    }
}
