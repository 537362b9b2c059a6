//! Events newest first, by any of what they say, sealed or not.
//!
//! An index finds the candidates (a principal's, a credential's, or all by time), the rest of the filter picks among them. A page
//! looks at no more than a bounded number of candidates: it may be short, or empty, and still lead to the next one.

use std::net::IpAddr;

use access::Permit;
use api::AuditEvent;
use ipnet::IpNet;
use model::{AccountId, CredentialId, PrincipalId, Timestamp, act};
use store::audit::{By, Event, Listed as Found};
use store::{StoreError, Tx};

use crate::{Trail, TrailError, read};

/// Candidates read at a time where not all of them match.
const CHUNK: i64 = 1000;
/// Candidates that a page looks at.
const LOOKED_AT: usize = 10_000;

/// Which events to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// By whom.
    pub who: Option<Who>,
    /// Doing what: an action, or the beginning of one and `*`.
    pub action: Option<String>,
    /// How it ended.
    pub outcome: Option<String>,
    /// With which credential.
    pub credential: Option<CredentialId>,
    /// To what: a resource, or the beginning of one and `*`.
    pub resource: Option<String>,
    /// From which network.
    pub address: Option<IpNet>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Continue behind this (time, id).
    pub before: Option<(Timestamp, i64)>,
}

/// Somebody who may be gone: whoever has this id, or had this name.
#[derive(Clone, Debug)]
pub struct Who {
    /// The id, if it is known.
    pub id: Option<PrincipalId>,
    /// The name at the time of the event, or what was claimed.
    pub name: String,
}

/// A page of events.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The events, newest first.
    pub events: Vec<AuditEvent>,
    /// Where to go on; none: there are no more.
    pub next: Option<(Timestamp, i64)>,
}

impl Trail {
    /// Events of the account, newest first, at most `limit`. What was noted within the last second may not be there yet.
    pub async fn list(&self, permit: Permit<act::ListAuditEvent>, filter: &Filter, limit: usize) -> Result<Listed, TrailError> {
        let account = permit.on().0;
        Ok(self.store.scan(|tx| Box::pin(list(tx, account, filter, limit))).await?)
    }
}

async fn list(tx: &mut Tx<'_>, account: AccountId, filter: &Filter, limit: usize) -> Result<Listed, StoreError> {
    let since = filter.since.unwrap_or(Timestamp::from_millis(i64::MIN));
    let end = (filter.until.unwrap_or(Timestamp::from_millis(i64::MAX)), i64::MIN);
    let mut before = filter.before.map_or(end, |before| before.min(end));
    let chunk = if filter.is_by_index() { i64::try_from(limit).unwrap_or(CHUNK).saturating_add(1).min(CHUNK + 1) } else { CHUNK };
    let (mut events, mut looked_at) = (Vec::new(), 0);
    loop {
        let candidates = candidates(tx, account, filter, since, before, chunk).await?;
        let more = candidates.len() >= usize::try_from(chunk).unwrap_or_default();
        looked_at += candidates.len();
        for found in candidates {
            if events.len() == limit {
                return Ok(Listed { events, next: Some(before) });
            }
            before = (found.event.time, found.event.id);
            if filter.matches(&found.event) {
                events.push(read::shape(&found.event, found.sequence));
            }
        }
        if !more {
            return Ok(Listed { events, next: None });
        }
        if looked_at >= LOOKED_AT {
            return Ok(Listed { events, next: Some(before) });
        }
    }
}

/// The next candidates of every source, newest first, at most `chunk`.
async fn candidates(
    tx: &mut Tx<'_>,
    account: AccountId,
    filter: &Filter,
    since: Timestamp,
    before: (Timestamp, i64),
    chunk: i64,
) -> Result<Vec<Found>, StoreError> {
    let mut all = Vec::new();
    for source in filter.sources() {
        all.extend(store::audit::page(tx, account, &source, since, before, chunk).await?);
    }
    all.sort_by_key(|found| std::cmp::Reverse((found.event.time, found.event.id)));
    all.dedup_by_key(|found| (found.event.time, found.event.id));
    all.truncate(usize::try_from(chunk).unwrap_or_default());
    Ok(all)
}

impl Filter {
    /// Where candidates are found: by the index that leaves the fewest, and among those that wait.
    fn sources(&self) -> Vec<By> {
        let mut sources = match (&self.credential, &self.who) {
            (Some(credential), _) => vec![By::Credential(*credential)],
            (None, Some(Who { id: Some(id), name })) => vec![By::Principal(*id), By::Name(name.clone())],
            (None, Some(Who { id: None, name })) => vec![By::Name(name.clone())],
            (None, None) => vec![By::Time],
        };
        sources.push(By::Pending);
        sources
    }

    /// Whether every candidate matches, but for those that wait.
    fn is_by_index(&self) -> bool {
        let one = usize::from(self.who.is_some()) + usize::from(self.credential.is_some()) <= 1;
        one && self.action.is_none() && self.outcome.is_none() && self.resource.is_none() && self.address.is_none()
    }

    fn matches(&self, event: &Event) -> bool {
        let said = |wanted: &Option<String>, text: &str| wanted.as_deref().is_none_or(|pattern| fits(pattern, text));
        let by = |who: &Who| (who.id.is_some() && event.principal == who.id) || *event.principal_name == *who.name;
        self.who.as_ref().is_none_or(by)
            && self.credential.is_none_or(|id| event.credential == Some(id))
            && said(&self.action, &event.action)
            && said(&self.resource, &event.resource)
            && self.outcome.as_deref().is_none_or(|outcome| outcome == event.outcome)
            && self.address.is_none_or(|network| event.source_ip.parse().is_ok_and(|ip: IpAddr| network.contains(&ip)))
    }
}

/// The text itself, or its beginning and `*`.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => text.starts_with(beginning),
        None => text == pattern,
    }
}
