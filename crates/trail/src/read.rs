//! Reading the chain, for whoever exports or verifies it.

use access::Permit;
use api::{AuditEvent, AuditRecord, AuditTrail};
use model::{AccountId, Timestamp, act};
use store::audit::Event;
use store::audit::chain::{self, Position, Sealed};
use store::audit::mark::{self, Kind};

use crate::key::Ring;
use crate::{Trail, TrailError};

impl Trail {
    /// At most `limit` sealed records behind `after`, in the chain's order, that were sealed in `[since, until)`; the place of
    /// each stands beside it, to go on from.
    pub async fn records(
        &self,
        permit: Permit<act::ExportAuditEvent>,
        after: Position,
        sealed: (Timestamp, Timestamp),
        limit: i64,
    ) -> Result<Vec<(Position, AuditRecord)>, TrailError> {
        self.read_chain(permit.on().0, after, sealed, limit).await
    }

    /// Behind the signed beginning: what retention has not yet taken away of what is gone on purpose is not shown.
    pub(crate) async fn read_chain(
        &self,
        account: AccountId,
        after: Position,
        sealed: (Timestamp, Timestamp),
        limit: i64,
    ) -> Result<Vec<(Position, AuditRecord)>, TrailError> {
        let rows: Vec<Sealed> = self
            .store
            .scan(|tx| {
                Box::pin(async move {
                    let ring = self.keys.renewed(tx).await?;
                    let begin = mark::get(tx, account, Kind::Begin).await?.and_then(|text| beginning(&ring, &text));
                    Ok::<_, TrailError>(chain::read(tx, account, begin.map_or(after, |begin| after.max(begin)), sealed, limit).await?)
                })
            })
            .await?;
        Ok(rows.into_iter().map(|row| (row.at, record(&row))).collect())
    }

    /// Where the account's trail begins and ends, and the keys that sign it.
    pub async fn show(&self, permit: Permit<act::ListAuditEvent>) -> Result<AuditTrail, TrailError> {
        let account = permit.on().0;
        self.store
            .read(|tx| {
                Box::pin(async move {
                    let keys = self.keys.renewed(tx).await?.published();
                    let (begin, head) = (mark::get(tx, account, Kind::Begin).await?, mark::get(tx, account, Kind::Head).await?);
                    Ok(AuditTrail { account_id: account.to_string(), begin, head, keys })
                })
            })
            .await
    }
}

/// The place of the last record that retention has taken away.
pub(crate) fn beginning(ring: &Ring, text: &str) -> Option<Position> {
    let begin = ::chain::Checkpoint::read(text, ring.public()).ok()?;
    (begin.purpose == ::chain::Purpose::Begin).then(|| Position::at(begin.at, begin.sequence))
}

/// An event as it is shown, and as its hash is taken.
pub(crate) fn shape(event: &Event, sequence: Option<i64>) -> AuditEvent {
    AuditEvent {
        event_id: format!("evt-{:016x}", event.id),
        sequence,
        time: printable(event.time),
        action: event.action.to_string(),
        outcome: event.outcome.to_string(),
        principal: event.principal_name.to_string(),
        principal_id: event.principal.map(|id| id.to_string()),
        credential_id: event.credential.map(|id| id.to_string()),
        credential_kind: event.credential_kind.as_deref().map(str::to_owned),
        resource: event.resource.to_string(),
        detail: event.detail.as_deref().map(str::to_owned),
        source_ip: event.source_ip.to_string(),
        user_agent: event.user_agent.as_deref().map(str::to_owned),
        request_id: event.request_id.to_string(),
        count: event.count,
    }
}

/// A time that RFC 3339 can spell. (No other was ever sealed: the hash tells.)
fn printable(time: Timestamp) -> Timestamp {
    const YEARS_1_TO_9999: std::ops::Range<i64> = -62_135_596_800_000..253_402_207_200_000;
    if YEARS_1_TO_9999.contains(&time.millis()) { time } else { Timestamp::from_millis(0) }
}

fn record(row: &Sealed) -> AuditRecord {
    AuditRecord {
        account_id: row.event.account.to_string(),
        sealed_at: printable(row.sealed),
        previous_hash: hex::encode(&row.previous),
        hash: hex::encode(&row.hash),
        checkpoint: row.checkpoint.clone(),
        event: shape(&row.event, Some(row.at.seq)),
    }
}
