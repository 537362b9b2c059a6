//! The request's context: who is at the other end, when, under which request id. Read once, from the connection and the
//! head; nothing that the client says about itself is believed, save what a trusted proxy passes on.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::header::USER_AGENT;
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use model::{Clock, Op, RequestId};

use crate::forwarded::ForwardedHeader;
use crate::limits::MAX_USER_AGENT_BYTES;

/// The header in which every answer carries its request's id. A client's own is never read.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A source of random bits that threads share; the program opens the system's.
pub trait Randomness: Send + Sync + fmt::Debug {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// The other end of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// Does the connection itself speak TLS?
    pub tls: bool,
}

/// What turns a connection's peer and a request's head into an [`Op`].
#[derive(Clone, Debug)]
pub struct Edge {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Randomness>,
    trusted_proxies: Arc<[IpNet]>,
    forwarded: ForwardedHeader,
}

impl Edge {
    /// An edge that believes nobody but the socket.
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Randomness>) -> Self {
        Self { clock, random, trusted_proxies: Arc::from([]), forwarded: ForwardedHeader::default() }
    }

    /// The same edge that believes `header` when the peer is one of `proxies`.
    #[must_use]
    pub fn behind(mut self, proxies: Vec<IpNet>, header: ForwardedHeader) -> Self {
        self.trusted_proxies = proxies.into();
        self.forwarded = header;
        self
    }

    /// The context of one request.
    pub fn op(&self, peer: Peer, head: &Parts) -> Op {
        let direct = peer.address.ip().to_canonical();
        let (source_ip, secure) = if self.is_trusted(direct) {
            let said = self.forwarded.read(&head.headers, |ip| self.is_trusted(ip));
            (said.client.unwrap_or(direct), peer.tls || said.https)
        } else {
            (direct, peer.tls)
        };
        Op { request_id: self.request_id(), now: self.clock.now(), source_ip, secure, user_agent: user_agent(&head.headers) }
    }

    fn request_id(&self) -> RequestId {
        let mut bits = [0; 16];
        self.random.fill(&mut bits);
        RequestId::from_random(u128::from_be_bytes(bits))
    }

    fn is_trusted(&self, ip: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|net| net.contains(&ip))
    }
}

/// The first `User-Agent`, cut, with whatever could confuse a log replaced.
fn user_agent(headers: &HeaderMap) -> Option<Arc<str>> {
    let bytes = headers.get(USER_AGENT)?.as_bytes();
    let cut = bytes.get(..MAX_USER_AGENT_BYTES).unwrap_or(bytes);
    if cut.iter().all(|b| (b' '..=b'~').contains(b)) {
        return std::str::from_utf8(cut).ok().map(Arc::from);
    }
    Some(cut.iter().map(|&b| if (b' '..=b'~').contains(&b) { char::from(b) } else { '?' }).collect::<String>().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{FixedClock, Timestamp};

    #[derive(Debug)]
    struct Sevens;

    impl Randomness for Sevens {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    fn edge() -> Edge {
        Edge::new(Arc::new(FixedClock::at(Timestamp::from_millis(5))), Arc::new(Sevens))
    }

    fn head(headers: &[(&str, &[u8])]) -> Parts {
        let mut request = http::Request::new(());
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().append(name, http::HeaderValue::from_bytes(value).unwrap());
        }
        request.into_parts().0
    }

    fn peer(ip: &str) -> Peer {
        Peer { address: SocketAddr::new(ip.parse().unwrap(), 9), tls: false }
    }

    #[test]
    fn a_stranger_is_not_believed() {
        let head = head(&[("x-forwarded-for", b"1.2.3.4"), ("x-forwarded-proto", b"https"), ("x-request-id", b"mine")]);
        let op = edge().op(peer("::ffff:9.9.9.9"), &head);
        assert_eq!((op.source_ip.to_string(), op.secure), ("9.9.9.9".to_owned(), false));
        assert_eq!(op.request_id.to_string(), "07070707-0707-4707-8707-070707070707");
        assert_eq!(op.now, Timestamp::from_millis(5));
    }

    #[test]
    fn a_trusted_proxy_names_the_client() {
        let edge = edge().behind(vec!["10.0.0.0/8".parse().unwrap()], ForwardedHeader::XForwarded);
        let head = head(&[("x-forwarded-for", b"6.6.6.6, 1.2.3.4"), ("x-forwarded-for", b"10.0.0.2"), ("x-forwarded-proto", b"https")]);
        let op = edge.op(peer("10.0.0.1"), &head);
        assert_eq!((op.source_ip.to_string(), op.secure), ("1.2.3.4".to_owned(), true));
        assert!(!edge.op(peer("8.8.8.8"), &head).secure);
    }

    #[test]
    fn a_user_agent_is_cut_and_cleaned() {
        let long = [b'a'; 300];
        assert_eq!(user_agent(&head(&[("user-agent", &long)]).headers).unwrap().len(), 256);
        assert_eq!(user_agent(&head(&[("user-agent", b"a\tb\xff")]).headers).as_deref(), Some("a?b?"));
        assert_eq!(user_agent(&head(&[]).headers), None);
    }
}
