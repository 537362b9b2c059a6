//! Events newest first, sealed or not, by an index.

use model::{AccountId, CredentialId, PrincipalId, Timestamp};

use super::{Event, WIDTH, event, event_columns, maybe};
use crate::{StoreError, Tx, Value, params};

/// The index by which events are found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum By {
    /// All of the account's, by time.
    Time,
    /// Those of a principal.
    Principal(PrincipalId),
    /// Those of whoever had this name then, or claimed it.
    Name(String),
    /// Those with a credential.
    Credential(CredentialId),
    /// Those that are not sealed yet, of the account.
    Pending,
}

/// An event in a list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The event.
    pub event: Event,
    /// Its place in the chain; none: not sealed yet.
    pub sequence: Option<i64>,
}

macro_rules! select {
    ($seq:literal, $from:literal, $index:literal, $before:literal) => {
        concat!(
            "SELECT ",
            event_columns!(),
            ", ",
            $seq,
            " FROM ",
            $from,
            " WHERE account_id = $1 ",
            $index,
            "AND (time_ms, id) < ",
            $before
        )
    };
    ($from:literal, $seq:literal) => {
        select!($seq, $from, "", "($2, $3) ORDER BY time_ms DESC, id DESC LIMIT $4")
    };
    ($column:literal) => {
        select!("seq", "audit_event", $column, "($3, $4) ORDER BY time_ms DESC, id DESC LIMIT $5")
    };
}

/// At most `limit` events of an account, newest first, not before `since`, older than the event at `before`. The statement does not say
/// `since`: a second bound on the time lets SQLite take the index by time for the better one, whoever is asked for.
pub async fn page(
    tx: &mut Tx<'_>,
    account: AccountId,
    by: &By,
    since: Timestamp,
    before: (Timestamp, i64),
    limit: i64,
) -> Result<Vec<Listed>, StoreError> {
    let (sql, key): (&'static str, Option<Value>) = match by {
        By::Time => (select!("audit_event", "seq"), None),
        By::Pending => (select!("audit_pending", "CAST(NULL AS BIGINT)"), None),
        By::Principal(id) => (select!("AND principal_id = $2 "), Some(id.as_i64().into())),
        By::Name(name) => (select!("AND principal = $2 "), Some(name.into())),
        By::Credential(id) => (select!("AND credential_id = $2 "), Some(id.as_i64().into())),
    };
    let mut values = vec![Value::from(account.as_i64())];
    values.extend(key);
    values.extend_from_slice(params![before.0.millis(), before.1, limit]);
    let rows = tx.rows(sql, &values).await?;
    let listed = rows.iter().map(|row| Listed { event: event(row), sequence: maybe(row, WIDTH) });
    Ok(listed.take_while(|listed| listed.event.time >= since).collect())
}
