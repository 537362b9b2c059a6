//! The audit trail's rows. What is written, and when, is `access`'s business; how it is sealed, `trail`'s.
//!
//! A record is inserted into `audit_pending` by whoever acts, in the action's own transaction, and moved to `audit_event` by
//! the sealer ([`chain`]). What is pending is found by being there, never by its time: a record that commits late, with an
//! earlier time, is as pending as any other.

pub mod chain;
mod list;
pub mod mark;

use std::borrow::Cow;
use std::sync::Arc;

use model::{AccountId, CredentialId, PrincipalId, Timestamp};

use crate::{FromValue, Row, StoreError, Tx, Value, params};

pub use list::{By, Listed, page};

/// One event. Texts stand here as they are stored: a row that somebody changed by hand is shown, not refused.
#[derive(Clone, Debug)]
pub struct Event {
    /// Orders events of one moment.
    pub id: i64,
    /// The account it concerns.
    pub account: AccountId,
    /// When.
    pub time: Timestamp,
    /// The action's RAM spelling, or the product's own word (`login`).
    pub action: Arc<str>,
    /// `success`, `denied` or `failed`.
    pub outcome: Cow<'static, str>,
    /// Who; none: anonymous or unknown.
    pub principal: Option<PrincipalId>,
    /// The principal's name then; what was claimed, for an unknown one.
    pub principal_name: Arc<str>,
    /// With what.
    pub credential: Option<CredentialId>,
    /// With what kind.
    pub credential_kind: Option<Cow<'static, str>>,
    /// To what.
    pub resource: Arc<str>,
    /// Anything worth adding: a digest, a reason. Never a secret.
    pub detail: Option<Arc<str>>,
    /// From where.
    pub source_ip: Arc<str>,
    /// By which client.
    pub user_agent: Option<Arc<str>>,
    /// In which request.
    pub request_id: Arc<str>,
    /// How many equal ones this stands for.
    pub count: i64,
}

/// The columns of an event, in the order in which [`event`] reads them and [`values`] gives them.
macro_rules! event_columns {
    () => {
        "account_id, time_ms, id, action, outcome, principal_id, principal, credential_id, credential_kind, resource, detail, source_ip, \
         user_agent, request_id, count"
    };
}
pub(crate) use event_columns;

/// How many columns [`event_columns`] are.
const WIDTH: usize = 15;

/// Writes an event, to be sealed soon.
pub async fn insert(tx: &mut Tx<'_>, e: &Event) -> Result<(), StoreError> {
    let sql = concat!(
        "INSERT INTO audit_pending (",
        event_columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING"
    );
    tx.execute(sql, &values(e)).await?;
    Ok(())
}

fn values(e: &Event) -> [Value; WIDTH] {
    [
        e.account.as_i64().into(),
        e.time.millis().into(),
        e.id.into(),
        (&*e.action).into(),
        (&*e.outcome).into(),
        e.principal.map(PrincipalId::as_i64).into(),
        (&*e.principal_name).into(),
        e.credential.map(CredentialId::as_i64).into(),
        e.credential_kind.as_deref().into(),
        (&*e.resource).into(),
        e.detail.as_deref().into(),
        (&*e.source_ip).into(),
        e.user_agent.as_deref().into(),
        (&*e.request_id).into(),
        e.count.into(),
    ]
}

/// Reads an event from a row whose first columns are [`event_columns`].
fn event(row: &Row) -> Event {
    Event {
        account: AccountId::from_i64(number(row, 0)),
        time: Timestamp::from_millis(number(row, 1)),
        id: number(row, 2),
        action: text(row, 3).into(),
        outcome: text(row, 4).into(),
        principal: maybe(row, 5).map(PrincipalId::from_i64),
        principal_name: text(row, 6).into(),
        credential: maybe(row, 7).map(CredentialId::from_i64),
        credential_kind: maybe::<String>(row, 8).map(Cow::from),
        resource: text(row, 9).into(),
        detail: maybe::<String>(row, 10).map(Arc::from),
        source_ip: text(row, 11).into(),
        user_agent: maybe::<String>(row, 12).map(Arc::from),
        request_id: text(row, 13).into(),
        count: number(row, 14),
    }
}

/// A number; the lowest one where there is none. (SQLite keeps whatever somebody writes by hand: it must be found, not
/// keep the rest from being read.)
fn number(row: &Row, index: usize) -> i64 {
    row.get(index).unwrap_or(i64::MIN)
}

fn text(row: &Row, index: usize) -> String {
    row.get(index).unwrap_or_default()
}

fn maybe<T>(row: &Row, index: usize) -> Option<T>
where
    Option<T>: FromValue,
{
    row.get(index).unwrap_or_default()
}

fn bytes(row: &Row, index: usize) -> Vec<u8> {
    row.get(index).unwrap_or_default()
}

/// Which event waits to be sealed: its place among those of its account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// Whose.
    pub account: AccountId,
    /// When it happened, and its id.
    pub at: (Timestamp, i64),
}

/// At most `limit` events that wait to be sealed, an account's together and in the order of their times.
pub async fn pending(tx: &mut Tx<'_>, limit: i64) -> Result<Vec<Waiting>, StoreError> {
    let sql = "SELECT account_id, time_ms, id FROM audit_pending ORDER BY account_id, time_ms, id LIMIT $1";
    let waiting =
        |row: &Row| Waiting { account: AccountId::from_i64(number(row, 0)), at: (Timestamp::from_millis(number(row, 1)), number(row, 2)) };
    Ok(tx.rows(sql, params![limit]).await?.iter().map(waiting).collect())
}

/// Takes away what waits of an account from one place to another, both included, because it is being sealed: in the order of
/// their times. What was committed in between since [`pending`] comes along; what another has sealed does not.
pub async fn take_pending(
    tx: &mut Tx<'_>,
    account: AccountId,
    first: (Timestamp, i64),
    last: (Timestamp, i64),
) -> Result<Vec<Event>, StoreError> {
    let sql = concat!(
        "DELETE FROM audit_pending WHERE account_id = $1 AND (time_ms, id) >= ($2, $3) AND (time_ms, id) <= ($4, $5) RETURNING ",
        event_columns!()
    );
    let range = params![account.as_i64(), first.0.millis(), first.1, last.0.millis(), last.1];
    let mut events: Vec<Event> = tx.rows(sql, range).await?.iter().map(event).collect();
    events.sort_by_key(|event| (event.time, event.id));
    Ok(events)
}

/// How many events wait to be sealed, counted up to `most`, and the time of the oldest of those that were counted.
pub async fn backlog(tx: &mut Tx<'_>, most: i64) -> Result<(i64, Option<Timestamp>), StoreError> {
    let sql = "SELECT CAST(count(*) AS BIGINT), min(time_ms) FROM (SELECT time_ms FROM audit_pending LIMIT $1) AS waiting";
    let row = tx.one(sql, params![most]).await?;
    Ok((row.get(0)?, row.get::<Option<i64>>(1)?.map(Timestamp::from_millis)))
}
