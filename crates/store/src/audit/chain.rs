//! Sealed records, in the order of their account's chain.

use std::sync::LazyLock;

use model::{AccountId, Timestamp};

use super::{Event, WIDTH, bytes, event, event_columns, maybe, number, values};
use crate::{Row, StoreError, Tx, Value, params};

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// A sealed record.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// What happened.
    pub event: Event,
    /// Its place.
    pub at: Position,
    /// When it was sealed.
    pub sealed: Timestamp,
    /// The hash of the record before.
    pub previous: Vec<u8>,
    /// Its own hash.
    pub hash: Vec<u8>,
    /// The signature over the chain up to here, where there is one.
    pub checkpoint: Option<String>,
}

/// A place in an account's chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Position {
    /// The day of sealing, counted from 1970-01-01.
    pub day: i64,
    /// The record's number.
    pub seq: i64,
}

impl Position {
    /// Before everything.
    pub const START: Self = Self { day: i64::MIN, seq: i64::MIN };

    /// The place of record `seq` if it was sealed at that time.
    pub const fn at(sealed: Timestamp, seq: i64) -> Self {
        Self { day: day(sealed), seq }
    }
}

/// The day of a moment, counted from 1970-01-01.
pub const fn day(time: Timestamp) -> i64 {
    time.millis().div_euclid(DAY)
}

/// The columns of a sealed record.
const COLUMNS: usize = 6 + WIDTH;

/// Statements that write so many records at once, the largest first. The last one writes one: every number is a sum of these.
static INSERTS: LazyLock<[(usize, String); 3]> = LazyLock::new(|| [16, 4, 1].map(|rows| (rows, insert_statement(rows))));

fn insert_statement(rows: usize) -> String {
    let row = |row: usize| {
        let parameters: Vec<String> = (1..=COLUMNS).map(|column| format!("${}", row * COLUMNS + column)).collect();
        format!("({})", parameters.join(", "))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    let columns = concat!("day, seq, sealed_ms, previous, hash, checkpoint, ", event_columns!());
    format!("INSERT INTO audit_event ({columns}) VALUES {}", rows.join(", "))
}

/// Writes sealed records, many with one statement.
pub async fn insert_all(tx: &mut Tx<'_>, mut records: &[Sealed]) -> Result<(), StoreError> {
    for (together, sql) in INSERTS.iter() {
        let mut chunks = records.chunks_exact(*together);
        for chunk in chunks.by_ref() {
            let values: Vec<Value> = chunk.iter().flat_map(sealed_values).collect();
            tx.execute(sql, &values).await?;
        }
        records = chunks.remainder();
    }
    Ok(())
}

fn sealed_values(s: &Sealed) -> Vec<Value> {
    let own: &[Value] = params![s.at.day, s.at.seq, s.sealed.millis(), &s.previous, &s.hash, s.checkpoint.as_deref()];
    [own, &values(&s.event)].concat()
}

/// The hash of the record at a place; none: there is no record.
pub async fn hash_at(tx: &mut Tx<'_>, account: AccountId, at: Position) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = "SELECT hash FROM audit_event WHERE account_id = $1 AND day = $2 AND seq = $3";
    Ok(tx.row(sql, params![account.as_i64(), at.day, at.seq]).await?.map(|row| bytes(&row, 0)))
}

/// At most `limit` records of an account behind `after` that were sealed in `[since, until)`, in the chain's order.
pub async fn read(
    tx: &mut Tx<'_>,
    account: AccountId,
    after: Position,
    (since, until): (Timestamp, Timestamp),
    limit: i64,
) -> Result<Vec<Sealed>, StoreError> {
    let sql = concat!(
        "SELECT ",
        event_columns!(),
        ", day, seq, sealed_ms, previous, hash, checkpoint FROM audit_event \
         WHERE account_id = $1 AND (day, seq) > ($2, $3) AND day <= $4 AND sealed_ms >= $5 AND sealed_ms < $6 ORDER BY day, seq LIMIT $7"
    );
    // The range of the key: nothing of the days before is looked at.
    let from = after.max(Position { day: day(since), seq: i64::MIN });
    let last = day(until);
    let values = params![account.as_i64(), from.day, from.seq, last, since.millis(), until.millis(), limit];
    Ok(tx.rows(sql, values).await?.iter().map(sealed).collect())
}

fn sealed(row: &Row) -> Sealed {
    Sealed {
        event: event(row),
        at: Position { day: number(row, WIDTH), seq: number(row, WIDTH + 1) },
        sealed: Timestamp::from_millis(number(row, WIDTH + 2)),
        previous: bytes(row, WIDTH + 3),
        hash: bytes(row, WIDTH + 4),
        checkpoint: maybe(row, WIDTH + 5),
    }
}

/// The last record of an account that was sealed on a day before `day`; the last of all with `i64::MAX`.
pub async fn last_before(tx: &mut Tx<'_>, account: AccountId, day: i64) -> Result<Option<Sealed>, StoreError> {
    let sql = concat!(
        "SELECT ",
        event_columns!(),
        ", day, seq, sealed_ms, previous, hash, checkpoint FROM audit_event \
         WHERE account_id = $1 AND day < $2 ORDER BY day DESC, seq DESC LIMIT 1"
    );
    Ok(tx.row(sql, params![account.as_i64(), day]).await?.as_ref().map(sealed))
}

/// Deletes the oldest records of an account up to a place, at most `limit` of them; how many.
pub async fn delete_oldest(tx: &mut Tx<'_>, account: AccountId, up_to: Position, limit: i64) -> Result<u64, StoreError> {
    // A range of the key, whose end is found first: both databases read it alike.
    let end = "SELECT day, seq FROM audit_event WHERE account_id = $1 AND (day, seq) <= ($2, $3) ORDER BY day, seq LIMIT 1 OFFSET $4";
    let row = tx.row(end, params![account.as_i64(), up_to.day, up_to.seq, limit - 1]).await?;
    let last = row.map_or(up_to, |row| Position { day: number(&row, 0), seq: number(&row, 1) });
    let delete = "DELETE FROM audit_event WHERE account_id = $1 AND (day, seq) <= ($2, $3)";
    tx.execute(delete, params![account.as_i64(), last.day, last.seq]).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_for_many_numbers_its_parameters_on() {
        let sql = insert_statement(2);
        assert!(sql.ends_with("$41, $42)") && sql.contains("$20, $21), ($22, $23"), "{sql}");
    }
}
