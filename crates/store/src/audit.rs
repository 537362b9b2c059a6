//! The audit trail's rows. What is written, and when, is `access`'s business.

use std::sync::Arc;

use model::{AccountId, CredentialId, CredentialKind, PrincipalId, Timestamp};

use crate::{Row, StoreError, Tx, Value, params};

/// One event.
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
    pub outcome: &'static str,
    /// Who; none: anonymous or unknown.
    pub principal: Option<PrincipalId>,
    /// The principal's name then; what was claimed, for an unknown one.
    pub principal_name: Arc<str>,
    /// With what.
    pub credential: Option<CredentialId>,
    /// With what kind.
    pub credential_kind: Option<CredentialKind>,
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

/// Which events to list, newest first.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// By whom, of these.
    pub who: Option<Who>,
    /// Doing what.
    pub action: Option<String>,
    /// How it ended.
    pub outcome: Option<String>,
    /// With which credential.
    pub credential: Option<CredentialId>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Continue behind this (time, id).
    pub before: Option<(Timestamp, i64)>,
    /// At most so many.
    pub limit: i64,
}

/// Somebody who may be gone: whoever has this id, or had this name.
#[derive(Clone, Debug)]
pub struct Who {
    /// The id, if it is known.
    pub id: Option<PrincipalId>,
    /// The name at the time of the event, or what was claimed.
    pub name: String,
}

/// Writes an event.
pub async fn insert(tx: &mut Tx<'_>, e: &Event) -> Result<(), StoreError> {
    let sql = "INSERT INTO audit_event (account_id, time_ms, id, action, outcome, principal_id, principal, credential_id, credential_kind, resource, \
               detail, source_ip, user_agent, request_id, count) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING";
    let values = params![
        e.account.as_i64(),
        e.time.millis(),
        e.id,
        &*e.action,
        e.outcome,
        e.principal.map(PrincipalId::as_i64),
        &*e.principal_name,
        e.credential.map(CredentialId::as_i64),
        e.credential_kind.map(CredentialKind::as_str),
        &*e.resource,
        e.detail.as_deref(),
        &*e.source_ip,
        e.user_agent.as_deref(),
        &*e.request_id,
        e.count
    ];
    tx.execute(sql, values).await?;
    Ok(())
}

/// Lists events, newest first. Every filter is a typed column, none is text.
pub async fn list(tx: &mut Tx<'_>, account: AccountId, q: &Query) -> Result<Vec<Event>, StoreError> {
    let (before, before_id) = q.before.unwrap_or((Timestamp::from_millis(i64::MAX), i64::MAX));
    let all = Value::Int(0);
    let one = |chosen: bool| if chosen { Value::Int(1) } else { all.clone() };
    let sql = "SELECT id, account_id, time_ms, action, outcome, principal_id, principal, credential_id, credential_kind, resource, detail, source_ip, \
               user_agent, request_id, count FROM audit_event \
               WHERE account_id = $1 AND time_ms >= $2 AND (time_ms < $3 OR (time_ms = $3 AND id < $4)) \
               AND (CAST($5 AS BIGINT) = 0 OR principal_id = $6 OR principal = $7) AND (CAST($8 AS BIGINT) = 0 OR action = $9) AND (CAST($10 AS BIGINT) = 0 OR outcome = $11) AND (CAST($12 AS BIGINT) = 0 OR credential_id = $13) \
               ORDER BY time_ms DESC, id DESC LIMIT $14";
    let values = params![
        account.as_i64(),
        q.since.map_or(i64::MIN, Timestamp::millis),
        before.millis(),
        before_id,
        one(q.who.is_some()),
        q.who.as_ref().and_then(|who| who.id).map(PrincipalId::as_i64),
        q.who.as_ref().map(|who| &*who.name),
        one(q.action.is_some()),
        q.action.as_deref(),
        one(q.outcome.is_some()),
        q.outcome.as_deref(),
        one(q.credential.is_some()),
        q.credential.map(CredentialId::as_i64),
        q.limit
    ];
    tx.rows(sql, values).await?.iter().map(event).collect()
}

fn event(row: &Row) -> Result<Event, StoreError> {
    let text = |i| row.get::<Option<String>>(i).map(|t| t.map(Arc::from));
    let kind = row.get::<Option<String>>(8)?;
    let outcome = row.get::<String>(4)?;
    Ok(Event {
        id: row.get(0)?,
        account: AccountId::from_i64(row.get(1)?),
        time: Timestamp::from_millis(row.get(2)?),
        action: row.get::<String>(3)?.into(),
        outcome: ["success", "denied", "failed"]
            .into_iter()
            .find(|o| *o == outcome)
            .ok_or_else(|| StoreError::corrupt("audit_event.outcome"))?,
        principal: row.get::<Option<i64>>(5)?.map(PrincipalId::from_i64),
        principal_name: row.get::<String>(6)?.into(),
        credential: row.get::<Option<i64>>(7)?.map(CredentialId::from_i64),
        credential_kind: kind.as_deref().and_then(CredentialKind::parse),
        resource: row.get::<String>(9)?.into(),
        detail: text(10)?,
        source_ip: row.get::<String>(11)?.into(),
        user_agent: text(12)?,
        request_id: row.get::<String>(13)?.into(),
        count: row.get(14)?,
    })
}
