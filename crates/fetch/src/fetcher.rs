//! Resolve, judge, connect, exchange; and the same again for a redirect.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderMap, Method, Response};
use rustls::ClientConfig;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::connect::Connection;
use crate::trust::{self, OwnTrust};
use crate::{Call, FetchError, Redirects, Terms, Trust, Url};

/// So much is fetched at once, and as many names are being resolved (a resolver that was given up may go on); what does not
/// find a place in its time fails.
const AT_ONCE: usize = 64;
/// The most addresses of one host that are tried.
const MAX_ADDRESSES: usize = 16;

/// A resolver's answer, later.
pub type Looked = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;
/// A resolver: all addresses of a host.
pub type Lookup = dyn Fn(String) -> Looked + Send + Sync;

/// Fetches.
pub struct Fetcher {
    public: Arc<ClientConfig>,
    lookup: Arc<Lookup>,
    places: Semaphore,
    resolving: Arc<Semaphore>,
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher").finish_non_exhaustive()
    }
}

impl Fetcher {
    /// With the system's resolver.
    pub fn new() -> Result<Self, FetchError> {
        Self::with_lookup(|host| Box::pin(system(host)))
    }

    /// With another resolver. What it answers is judged like the system's answers.
    pub fn with_lookup(lookup: impl Fn(String) -> Looked + Send + Sync + 'static) -> Result<Self, FetchError> {
        let public = Arc::new(trust::public()?);
        Ok(Self { public, lookup: Arc::new(lookup), places: Semaphore::new(AT_ONCE), resolving: Arc::new(Semaphore::new(AT_ONCE)) })
    }

    /// Sends a call once and reads its whole answer, whatever its status.
    pub async fn send(&self, call: Call, terms: &Terms) -> Result<Response<Bytes>, FetchError> {
        let host = call.url.host().to_owned();
        let place = timeout(terms.time, self.places.acquire()).await;
        let _place = place.ok().and_then(Result::ok).ok_or(FetchError::Busy)?;
        let answer = timeout(terms.time, self.follow(call, terms)).await;
        answer.unwrap_or(Err(FetchError::TimedOut { host }))
    }

    async fn follow(&self, mut call: Call, terms: &Terms) -> Result<Response<Bytes>, FetchError> {
        let mut left = match terms.redirects {
            Redirects::Refuse => 0,
            Redirects::Follow(most) => most,
        };
        loop {
            let answer = self.once(&call, terms).await?;
            if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            call = redirected(call, answer.headers(), left)?;
            left = left.saturating_sub(1);
        }
    }

    async fn once(&self, call: &Call, terms: &Terms) -> Result<Response<Bytes>, FetchError> {
        let addresses = self.judged(&call.url, terms).await?;
        let tls = match &terms.trust {
            Trust::Public => &self.public,
            Trust::Own(OwnTrust(own)) => own,
        };
        Connection::open(&call.url, &addresses, tls).await?.exchange(call, terms.bytes).await
    }

    /// The addresses of a host, all of which may be reached: one that may not makes the name untrustworthy.
    async fn judged(&self, url: &Url, terms: &Terms) -> Result<Vec<SocketAddr>, FetchError> {
        if !url.is_https() && terms.reach == crate::Reach::Public {
            return Err(FetchError::Plain { host: url.host().to_owned() });
        }
        let found = self.addresses(url.host()).await?;
        match found.iter().find(|address| !terms.reach.allows(**address)) {
            Some(address) => Err(FetchError::Internal { host: url.host().to_owned(), address: *address }),
            None => Ok(found.into_iter().take(MAX_ADDRESSES).map(|ip| SocketAddr::new(ip, url.port())).collect()),
        }
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, FetchError> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let unresolved = || FetchError::Unresolved { host: host.to_owned() };
        let place = Arc::clone(&self.resolving).acquire_owned().await.map_err(|_| FetchError::Busy)?;
        let looked = (self.lookup)(host.to_owned());
        // A task of its own: the system's resolver cannot be stopped, so its place is taken until it answers.
        let found = tokio::spawn(async move {
            let found = looked.await;
            drop(place);
            found
        });
        let found = found.await.map_err(|_| unresolved())?.map_err(|_| unresolved())?;
        if found.is_empty() { Err(unresolved()) } else { Ok(found) }
    }
}

/// The call that a redirect asks for.
fn redirected(call: Call, answer: &HeaderMap, left: u8) -> Result<Call, FetchError> {
    let refused = |problem| FetchError::Redirected { host: call.url.host().to_owned(), problem };
    if left == 0 || call.method != Method::GET {
        return Err(refused("more often than is followed"));
    }
    let location = answer.get(LOCATION).and_then(|l| l.to_str().ok()).ok_or_else(|| refused("without saying where to"))?;
    let url = call.url.redirected(location).map_err(|_| refused("to something that is no address"))?;
    if call.url.is_https() && !url.is_https() {
        return Err(refused("from https to http"));
    }
    let headers = if call.url.same_origin(&url) { call.headers } else { HeaderMap::new() };
    Ok(Call { url, headers, ..call })
}

async fn system(host: String) -> io::Result<Vec<IpAddr>> {
    Ok(tokio::net::lookup_host((host, 0)).await?.map(|found| found.ip()).collect())
}
