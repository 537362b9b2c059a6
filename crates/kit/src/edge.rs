//! The request's context: who is at the other end, when, under which request id. Read once, from the connection and the
//! head; nothing that the client says about itself is believed, save what a trusted proxy passes on.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use access::Networks;
use http::header::USER_AGENT;
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use model::{Clock, NetworkName, Op, RequestId};

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
    networks: Arc<Networks>,
    /// Whose listener this is, if it is a named network's own.
    listener: Option<NetworkName>,
}

impl Edge {
    /// An edge that believes nobody but the socket.
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Randomness>) -> Self {
        Self {
            clock,
            random,
            trusted_proxies: Arc::from([]),
            forwarded: ForwardedHeader::default(),
            networks: Arc::new(Networks::none()),
            listener: None,
        }
    }

    /// The same edge among named networks, at an ordinary listener or at one of theirs.
    #[must_use]
    pub fn among(mut self, networks: Arc<Networks>, listener: Option<NetworkName>) -> Self {
        self.networks = networks;
        self.listener = listener;
        self
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
        let network = match &self.listener {
            Some(name) => self.networks.by_listener(name, source_ip),
            None => self.networks.by_address(source_ip),
        };
        Op { request_id: self.request_id(), now: self.clock.now(), source_ip, network, secure, user_agent: user_agent(&head.headers) }
    }

    /// The context of the same request, which has waited.
    pub fn later(&self, op: &Op) -> Op {
        Op { now: self.clock.now(), ..op.clone() }
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
    use model::{FixedClock, Network, Timestamp};

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
    fn the_listener_or_the_source_address_chooses_the_network_and_nothing_that_a_client_says() {
        let office = NetworkName::parse("office").unwrap();
        let named =
            |has_listener| access::NamedNetwork { name: office.clone(), addresses: vec!["10.1.0.0/16".parse().unwrap()], has_listener };
        let among = |has_listener, listener: Option<NetworkName>| {
            let networks = Networks::new(vec![named(has_listener)]).unwrap();
            edge().behind(vec!["192.0.2.1/32".parse().unwrap()], ForwardedHeader::XForwarded).among(Arc::new(networks), listener)
        };
        let forged = head(&[("x-forwarded-for", b"10.1.2.3"), ("host", b"office"), ("forwarded", b"for=10.1.2.3")]);
        let passed_on = head(&[("x-forwarded-for", b"10.1.2.3, 198.51.100.7")]);
        let by_address = among(false, None);
        let of = |edge: &Edge, from: &str, head: &Parts| edge.op(peer(from), head).network;
        assert_eq!(of(&by_address, "10.1.2.3", &head(&[])), Network::Named(office.clone()));
        assert_eq!(of(&by_address, "::ffff:10.1.2.3", &head(&[])), Network::Named(office.clone()));
        assert_eq!(of(&by_address, "198.51.100.7", &forged), Network::Public, "a stranger is not believed");
        assert_eq!(of(&by_address, "192.0.2.1", &passed_on), Network::Public, "nor is what a client told a proxy");
        assert_eq!(of(&by_address, "192.0.2.1", &forged), Network::Named(office.clone()), "the proxy is");
        let by_listener = among(true, Some(office.clone()));
        assert_eq!(of(&by_listener, "10.1.2.3", &head(&[])), Network::Private(office.clone()));
        assert_eq!(of(&by_listener, "198.51.100.7", &forged), Network::Astray);
        assert_eq!(of(&among(true, None), "10.1.2.3", &forged), Network::Public, "the address alone does not choose it");
    }

    #[test]
    fn a_user_agent_is_cut_and_cleaned() {
        let long = [b'a'; 300];
        assert_eq!(user_agent(&head(&[("user-agent", &long)]).headers).unwrap().len(), 256);
        assert_eq!(user_agent(&head(&[("user-agent", b"a\tb\xff")]).headers).as_deref(), Some("a?b?"));
        assert_eq!(user_agent(&head(&[]).headers), None);
    }
}
