//! Keys of issuers: by discovery, kept, renewed, never asked for more often than is decent; or pinned.

use std::convert::Infallible;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use fetch::{Call, FetchError, Fetcher, Reach, Redirects, Terms, Trust, Url};
use model::Timestamp;
use quick_cache::sync::Cache;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::sync::{Mutex, MutexGuard};

use crate::{IssuerUrl, KeySet, KeySetError};

/// Keys this young are used without a question.
const YOUNG_MS: i64 = 3_600_000;
/// Keys this old are used no more, even if the issuer does not answer.
const STALE_MS: i64 = 24 * 3_600_000;
/// An issuer is asked for a key that it did not have at most this often.
const MISSING_MS: i64 = 60_000;
/// After failures an issuer rests for 1, 2, 4 … seconds, at most so long.
const LONGEST_REST_MS: i64 = 300_000;
/// All of discovery: two requests of half of this.
const PATIENCE: Duration = Duration::from_secs(6);
/// The longest configuration.
const MAX_CONFIGURATION: usize = 64 * 1024;
/// Issuers whose keys are kept.
const KEPT: usize = 1024;

/// Why an issuer's keys are not there. For whoever may see the provider, and the log; never for who presents a token.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeysError {
    /// Nothing was fetched.
    #[error("{0}")]
    Fetch(#[from] FetchError),
    /// Not 200.
    #[error("{what} answers {status}")]
    Status {
        /// Which document.
        what: &'static str,
        /// The status.
        status: u16,
    },
    /// The configuration is not one, or is another issuer's.
    #[error("the issuer's configuration is not usable: {0}")]
    Configuration(&'static str),
    /// The keys are none.
    #[error("the issuer's keys are not usable: {0}")]
    Keys(#[from] KeySetError),
    /// This server asks nobody.
    #[error("this server fetches nothing: give the issuer's keys with the provider")]
    Offline,
    /// It failed a moment ago, and is not asked again yet.
    #[error("the issuer did not answer a moment ago ({0}); it is asked again soon")]
    Resting(String),
}

/// Where an issuer's keys come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// They are known, and never asked for.
    Pinned(Arc<KeySet>),
    /// From the issuer itself.
    Discovered {
        /// Its authority's certificates, in place of the public ones.
        ca: Option<Arc<str>>,
        /// May it be at an internal address?
        internal: bool,
    },
}

/// An issuer that somebody trusts.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// Its name.
    pub url: IssuerUrl,
    /// Where its keys come from.
    pub source: Source,
}

/// The keys of issuers, in memory. Two who trust one issuer on other terms (another authority, internal addresses) share
/// nothing.
pub struct Issuers {
    fetcher: Option<Arc<Fetcher>>,
    kept: Cache<[u8; 32], Arc<Kept>>,
}

/// What is known of one issuer.
#[derive(Default)]
struct Kept {
    /// Its keys, and when they were fetched.
    known: RwLock<Option<(Arc<KeySet>, Timestamp)>>,
    /// Who holds it asks the issuer; the others wait, or go on with what is known.
    asking: Mutex<Manners>,
}

/// When an issuer was asked, and how it went.
#[derive(Default)]
struct Manners {
    asked: Option<Timestamp>,
    failures: u32,
    problem: String,
}

#[derive(Deserialize)]
struct Configuration {
    issuer: String,
    jwks_uri: String,
}

impl std::fmt::Debug for Issuers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issuers").finish_non_exhaustive()
    }
}

impl Issuers {
    /// Knows nobody yet.
    pub fn new(fetcher: Arc<Fetcher>) -> Self {
        Self { fetcher: Some(fetcher), kept: Cache::new(KEPT) }
    }

    /// Asks nobody: only pinned keys are there.
    pub fn offline() -> Self {
        Self { fetcher: None, kept: Cache::new(KEPT) }
    }

    /// The issuer's keys, with `kid` among them if the issuer has it. Asks at most once.
    pub async fn keys(&self, issuer: &Issuer, kid: Option<&str>, now: Timestamp) -> Result<Arc<KeySet>, KeysError> {
        let (ca, internal) = match &issuer.source {
            Source::Pinned(keys) => return Ok(Arc::clone(keys)),
            Source::Discovered { ca, internal } => (ca.as_deref(), *internal),
        };
        let kept = self.kept(issuer, ca, internal);
        if let Some(keys) = kept.younger_than(YOUNG_MS, kid, now) {
            return Ok(keys);
        }
        let manners = match kept.asking.try_lock() {
            Ok(manners) => manners,
            // Somebody is asking already. What is known serves meanwhile, if it is what is wanted.
            Err(_) => match kept.younger_than(STALE_MS, kid, now) {
                Some(keys) => return Ok(keys),
                None => kept.asking.lock().await,
            },
        };
        // Whoever waited finds what the other one found.
        if let Some(keys) = kept.younger_than(YOUNG_MS, kid, now) {
            return Ok(keys);
        }
        self.renew(issuer, (ca, internal), &kept, manners, now).await
    }

    /// Asks the issuer, unless it must rest. What is known and not too old serves in an answer's stead.
    async fn renew(
        &self,
        issuer: &Issuer,
        (ca, internal): (Option<&str>, bool),
        kept: &Kept,
        mut manners: MutexGuard<'_, Manners>,
        now: Timestamp,
    ) -> Result<Arc<KeySet>, KeysError> {
        let usable = kept.younger_than(STALE_MS, None, now);
        let missing_only = kept.younger_than(YOUNG_MS, None, now).is_some();
        if manners.must_rest(now, missing_only) {
            return usable.ok_or_else(|| KeysError::Resting(manners.problem.clone()));
        }
        let asked = self.discover(&issuer.url, ca, internal).await;
        manners.note(now, &asked);
        match (asked, usable) {
            (Ok(keys), _) => Ok(kept.keep(keys, now)),
            (Err(error), Some(stale)) => {
                tracing::warn!(issuer = %issuer.url, %error, "an issuer's keys cannot be renewed: those that are known serve on");
                Ok(stale)
            }
            (Err(error), None) => {
                tracing::warn!(issuer = %issuer.url, %error, "an issuer's keys cannot be fetched");
                Err(error)
            }
        }
    }

    /// Asks the issuer now, whatever is known, and keeps nothing: for whoever configures it.
    pub async fn try_out(&self, issuer: &Issuer) -> Result<usize, KeysError> {
        match &issuer.source {
            Source::Pinned(keys) => Ok(keys.len()),
            Source::Discovered { ca, internal } => Ok(self.discover(&issuer.url, ca.as_deref(), *internal).await?.len()),
        }
    }

    /// Forgets the issuer's keys: they are asked for anew before anything is verified by them again. Whoever is asking at this
    /// moment keeps nothing.
    pub fn forget(&self, issuer: &Issuer) {
        if let Source::Discovered { ca, internal } = &issuer.source {
            self.kept.remove(&key(issuer, ca.as_deref(), *internal));
        }
    }

    /// Forgets the keys of all.
    pub fn forget_all(&self) {
        self.kept.clear();
    }

    fn kept(&self, issuer: &Issuer, ca: Option<&str>, internal: bool) -> Arc<Kept> {
        let Ok(kept) = self.kept.get_or_insert_with(&key(issuer, ca, internal), || Ok::<_, Infallible>(Arc::default()));
        kept
    }

    async fn discover(&self, issuer: &IssuerUrl, ca: Option<&str>, internal: bool) -> Result<KeySet, KeysError> {
        let terms = Terms {
            reach: if internal { Reach::Internal } else { Reach::Public },
            trust: ca.map_or(Ok(Trust::Public), Trust::own)?,
            time: PATIENCE / 2,
            bytes: MAX_CONFIGURATION,
            redirects: Redirects::Refuse,
        };
        let text = self.get(&issuer.configuration(), "the issuer's configuration", &terms).await?;
        let found: Configuration =
            serde_json::from_slice(&text).map_err(|_| KeysError::Configuration("no `issuer` and `jwks_uri` in it"))?;
        if found.issuer != issuer.as_str() {
            return Err(KeysError::Configuration("it is another issuer's"));
        }
        let terms = Terms { bytes: KeySet::MAX_BYTES, ..terms };
        Ok(KeySet::parse(&self.get(&found.jwks_uri, "the issuer's key set", &terms).await?)?)
    }

    async fn get(&self, url: &str, what: &'static str, terms: &Terms) -> Result<Vec<u8>, KeysError> {
        let fetcher = self.fetcher.as_ref().ok_or(KeysError::Offline)?;
        let answer = fetcher.send(Call::get(Url::parse(url)?), terms).await?;
        match answer.status() {
            http::StatusCode::OK => Ok(answer.into_body().to_vec()),
            status => Err(KeysError::Status { what, status: status.as_u16() }),
        }
    }
}

/// An issuer on these terms.
fn key(issuer: &Issuer, ca: Option<&str>, internal: bool) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [issuer.url.as_str(), ca.unwrap_or_default(), if internal { "internal" } else { "public" }] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

impl Kept {
    /// The keys, if they were fetched within this time, and `kid` is among them.
    fn younger_than(&self, limit_ms: i64, kid: Option<&str>, now: Timestamp) -> Option<Arc<KeySet>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let (keys, at) = known.as_ref()?;
        // A clock that stepped back says nothing of their age.
        let young = (0..limit_ms).contains(&(now.millis() - at.millis()));
        (young && kid.is_none_or(|kid| keys.has(kid))).then(|| Arc::clone(keys))
    }

    fn keep(&self, keys: KeySet, now: Timestamp) -> Arc<KeySet> {
        let keys = Arc::new(keys);
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some((Arc::clone(&keys), now));
        keys
    }
}

impl Manners {
    /// Is it too early to ask again?
    fn must_rest(&self, now: Timestamp, missing_only: bool) -> bool {
        let Some(asked) = self.asked else { return false };
        let failed = (1000 << self.failures.min(16).saturating_sub(1)).min(LONGEST_REST_MS);
        let rest = match (self.failures, missing_only) {
            (0, true) => MISSING_MS,
            (0, false) => 0,
            (_, true) => failed.max(MISSING_MS),
            (_, false) => failed,
        };
        (0..rest).contains(&(now.millis() - asked.millis()))
    }

    fn note(&mut self, now: Timestamp, answer: &Result<KeySet, KeysError>) {
        self.asked = Some(now);
        match answer {
            Ok(_) => *self = Self { asked: self.asked, ..Self::default() },
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                self.problem = error.to_string();
            }
        }
    }
}

#[cfg(test)]
mod tests;
