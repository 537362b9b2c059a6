//! Credentials all over an account: what ends soon, what nobody uses, what was made for an integration.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use access::Owners;
use model::{CredentialKind, IntegrationId, Seconds, Timestamp};
use store::credential::{self, Credential};
use store::{StoreError, integration};

use crate::{Identity, IdentityError};

/// Rows that are read in one go.
const PIECE: i64 = 500;
/// Pieces that one request looks through; what is left comes with the next page.
const PIECES: usize = 20;

/// Which credentials to list. All that is said must be so.
#[derive(Clone, Default, Debug)]
pub struct CredentialFilter {
    /// Ends within so long, is enabled, and nothing has taken its place yet.
    pub expiring_within: Option<Seconds>,
    /// Was not used, nor made, within so long.
    pub unused_for: Option<Seconds>,
    /// Was made for this.
    pub integration: Option<IntegrationId>,
}

/// A page of credentials: with their owners' names, and where to go on.
#[derive(Debug)]
pub struct CredentialPage {
    /// The credentials.
    pub credentials: Vec<(Credential, Arc<str>)>,
    /// Behind which to go on; none: these are the last.
    pub next: Option<String>,
}

/// How many credentials of all accounts end soon.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Ending {
    /// Within a day.
    pub day: i64,
    /// Within 7 days.
    pub week: i64,
    /// Within 30 days.
    pub month: i64,
}

impl CredentialFilter {
    /// Is there nothing to filter by?
    pub const fn is_empty(&self) -> bool {
        self.expiring_within.is_none() && self.unused_for.is_none() && self.integration.is_none()
    }

    /// Is this one of them?
    pub fn keeps(&self, one: &Credential, now: Timestamp) -> bool {
        let ends_soon = |within| one.expires.is_some_and(|end| now < end && end <= now.plus(within));
        let open = one.enabled && one.replaced_by.is_none();
        let unused = |for_so_long| one.last_used.unwrap_or(one.created).plus(for_so_long) < now;
        one.kind != CredentialKind::Session
            && self.expiring_within.is_none_or(|within| open && ends_soon(within))
            && self.unused_for.is_none_or(unused)
            && self.integration.is_none_or(|made_for| one.integration == Some(made_for))
    }
}

/// Where a page ended: (end, id) of the last row that was looked at.
#[derive(Clone, Copy)]
struct Cursor(i64, i64);

impl Cursor {
    fn read(text: &str) -> Result<Self, IdentityError> {
        if text.is_empty() {
            return Ok(Self(i64::MIN, -1));
        }
        let parts = text.split_once('.').and_then(|(end, id)| Some(Self(end.parse().ok()?, id.parse().ok()?)));
        parts.ok_or_else(|| IdentityError::invalid("after", "what the Link header of the page before said"))
    }

    fn behind(one: &Credential) -> Self {
        Self(one.expires.map_or(0, Timestamp::millis), one.id.as_i64())
    }

    fn text(self) -> String {
        format!("{}.{}", self.0, self.1)
    }
}

impl Identity {
    /// The credentials of a whole account that the filter keeps and whose owners `seen` shows, `limit` a page. The soonest to
    /// end comes first if that is asked for.
    pub async fn search_credentials(
        &self,
        mut seen: Owners<'_>,
        filter: &CredentialFilter,
        after: &str,
        limit: usize,
    ) -> Result<CredentialPage, IdentityError> {
        let (now, mut cursor) = (seen.op().now, Cursor::read(after)?);
        let mut credentials = Vec::new();
        for _ in 0..PIECES {
            let piece = self.piece(&seen, filter, cursor).await?;
            let last = i64::try_from(piece.len()).unwrap_or(0) < PIECE;
            for one in piece {
                cursor = Cursor::behind(&one);
                if filter.keeps(&one, now)
                    && let Some(owner) = seen.sees(one.principal).await.map_err(|_| unavailable())?
                {
                    credentials.push((one, owner));
                }
                if credentials.len() >= limit {
                    return Ok(CredentialPage { credentials, next: Some(cursor.text()) });
                }
            }
            if last {
                return Ok(CredentialPage { credentials, next: None });
            }
        }
        Ok(CredentialPage { credentials, next: Some(cursor.text()) })
    }

    /// The next rows that may be meant, by the index that leads to the fewest.
    async fn piece(&self, seen: &Owners<'_>, filter: &CredentialFilter, Cursor(end, id): Cursor) -> Result<Vec<Credential>, StoreError> {
        let (account, now) = (seen.account(), seen.op().now);
        match (filter.integration, filter.expiring_within) {
            (Some(integration), _) => self.store.scan(|tx| Box::pin(credential::of_integration(tx, integration, id, PIECE))).await,
            (None, Some(within)) => {
                let span = (now, now.plus(within));
                self.store.scan(|tx| Box::pin(credential::ending(tx, account, span, (end, id), PIECE))).await
            }
            (None, None) => self.store.scan(|tx| Box::pin(credential::of_account(tx, account, id, PIECE))).await,
        }
    }

    /// The names of what these credentials were made for.
    pub async fn integration_names(&self, of: impl Iterator<Item = &Credential>) -> Result<HashMap<IntegrationId, String>, IdentityError> {
        let ids: &BTreeSet<IntegrationId> = &of.filter_map(|one| one.integration).collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let named: Result<_, StoreError> = self
            .read(|tx| {
                Box::pin(async move {
                    let mut names = HashMap::new();
                    for id in ids {
                        names.extend(integration::by_id(tx, *id).await?.map(|found| (*id, found.name)));
                    }
                    Ok(names)
                })
            })
            .await;
        Ok(named?)
    }

    /// How many credentials end soon, of all accounts together.
    pub async fn credentials_ending(&self, now: Timestamp) -> Result<Ending, StoreError> {
        self.store
            .scan(|tx| {
                Box::pin(async move {
                    Ok(Ending {
                        day: credential::count_ending(tx, now, now.plus(Seconds::days(1))).await?,
                        week: credential::count_ending(tx, now, now.plus(Seconds::days(7))).await?,
                        month: credential::count_ending(tx, now, now.plus(Seconds::days(30))).await?,
                    })
                })
            })
            .await
    }
}

fn unavailable() -> IdentityError {
    StoreError::Unavailable("rights cannot be decided right now".into()).into()
}
