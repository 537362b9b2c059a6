//! Where chains begin and end, the keys that sign it, and how far sinks have come.

use model::{AccountId, Timestamp};

use super::chain::Position;
use crate::{Row, StoreError, Tx, params};

/// Which end of a chain, or what was done to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Its beginning, after retention has taken older records away.
    Begin,
    /// The record that was sealed last.
    Head,
    /// The record that was the last when the database was restored from a backup.
    Restore,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Head => "head",
            Self::Restore => "restore",
        }
    }
}

/// The signed mark at one end of an account's chain.
pub async fn get(tx: &mut Tx<'_>, account: AccountId, kind: Kind) -> Result<Option<String>, StoreError> {
    let sql = "SELECT checkpoint FROM audit_mark WHERE account_id = $1 AND kind = $2";
    tx.row(sql, params![account.as_i64(), kind.as_str()]).await?.map(|row| row.get(0)).transpose()
}

/// The mark of this kind of any account: of whichever is the first.
pub async fn any(tx: &mut Tx<'_>, kind: Kind) -> Result<Option<(AccountId, String)>, StoreError> {
    let sql = "SELECT account_id, checkpoint FROM audit_mark WHERE kind = $1 ORDER BY account_id LIMIT 1";
    let row = tx.row(sql, params![kind.as_str()]).await?;
    row.map(|row| Ok((AccountId::from_i64(row.get(0)?), row.get(1)?))).transpose()
}

/// Sets it. `seq` is the record's number, for who asks how far a chain has come.
pub async fn set(tx: &mut Tx<'_>, account: AccountId, kind: Kind, seq: i64, checkpoint: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO audit_mark (account_id, kind, seq, checkpoint) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (account_id, kind) DO UPDATE SET seq = excluded.seq, checkpoint = excluded.checkpoint";
    tx.execute(sql, params![account.as_i64(), kind.as_str(), seq, checkpoint]).await?;
    Ok(())
}

/// The accounts that have a chain, behind `after`, in the order of their ids, with the number of the last record.
pub async fn heads(tx: &mut Tx<'_>, after: i64, limit: i64) -> Result<Vec<(AccountId, i64)>, StoreError> {
    let sql = "SELECT account_id, seq FROM audit_mark WHERE kind = 'head' AND account_id > $1 ORDER BY account_id LIMIT $2";
    let rows = tx.rows(sql, params![after, limit]).await?;
    rows.iter().map(|row| Ok((AccountId::from_i64(row.get(0)?), row.get(1)?))).collect()
}

/// A key that signs the trail.
#[derive(Clone)]
pub struct Key {
    /// Its name.
    pub kid: String,
    /// The private key, sealed.
    pub sealed: Vec<u8>,
    /// The public key: an uncompressed P-256 point. Whoever believes it takes it from the private key.
    pub public: Vec<u8>,
    /// Made when.
    pub created: Timestamp,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// All keys, oldest first.
pub async fn keys(tx: &mut Tx<'_>) -> Result<Vec<Key>, StoreError> {
    let read = |row: &Row| {
        let created = Timestamp::from_millis(row.get(3)?);
        Ok(Key { kid: row.get(0)?, sealed: row.get(1)?, public: row.get(2)?, created })
    };
    tx.rows("SELECT kid, sealed, public, created_ms FROM audit_key ORDER BY created_ms, kid", params![]).await?.iter().map(read).collect()
}

/// Writes a new key.
pub async fn insert_key(tx: &mut Tx<'_>, k: &Key) -> Result<(), StoreError> {
    let sql = "INSERT INTO audit_key (kid, sealed, public, created_ms) VALUES ($1, $2, $3, $4)";
    tx.execute(sql, params![&*k.kid, k.sealed.clone(), k.public.clone(), k.created.millis()]).await?;
    Ok(())
}

/// How far a sink has taken an account's records.
pub async fn cursor(tx: &mut Tx<'_>, sink: &str, account: AccountId) -> Result<Position, StoreError> {
    let row = tx.row("SELECT day, seq FROM audit_cursor WHERE sink = $1 AND account_id = $2", params![sink, account.as_i64()]).await?;
    row.map_or(Ok(Position::START), |row| Ok(Position { day: row.get(0)?, seq: row.get(1)? }))
}

/// The sink has taken everything up to here; never backwards.
pub async fn advance(tx: &mut Tx<'_>, sink: &str, account: AccountId, to: Position) -> Result<(), StoreError> {
    let sql = "INSERT INTO audit_cursor (sink, account_id, day, seq) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (sink, account_id) DO UPDATE SET day = excluded.day, seq = excluded.seq \
               WHERE (audit_cursor.day, audit_cursor.seq) < (excluded.day, excluded.seq)";
    tx.execute(sql, params![sink, account.as_i64(), to.day, to.seq]).await?;
    Ok(())
}

/// The accounts, behind `after`, that have records which the sink has not taken: where each stands. At most `limit`.
pub async fn behind(tx: &mut Tx<'_>, sink: &str, after: i64, limit: i64) -> Result<Vec<(AccountId, Position)>, StoreError> {
    let sql = "SELECT m.account_id, coalesce(c.day, CAST(-9223372036854775807 AS BIGINT)), coalesce(c.seq, CAST(-9223372036854775807 AS BIGINT)) \
               FROM audit_mark m LEFT JOIN audit_cursor c ON c.sink = $1 AND c.account_id = m.account_id \
               WHERE m.kind = 'head' AND m.account_id > $2 AND (c.seq IS NULL OR c.seq < m.seq) ORDER BY m.account_id LIMIT $3";
    let rows = tx.rows(sql, params![sink, after, limit]).await?;
    rows.iter().map(|row| Ok((AccountId::from_i64(row.get(0)?), Position { day: row.get(1)?, seq: row.get(2)? }))).collect()
}

/// How many records a sink has not taken, over all accounts.
pub async fn lag(tx: &mut Tx<'_>, sink: &str) -> Result<i64, StoreError> {
    let sql = "SELECT CAST(coalesce(sum(m.seq - coalesce(c.seq, b.seq, 0)), 0) AS BIGINT) FROM audit_mark m \
               LEFT JOIN audit_cursor c ON c.sink = $1 AND c.account_id = m.account_id \
               LEFT JOIN audit_mark b ON b.kind = 'begin' AND b.account_id = m.account_id \
               WHERE m.kind = 'head' AND (c.seq IS NULL OR c.seq < m.seq)";
    tx.one(sql, params![sink]).await?.get(0)
}
