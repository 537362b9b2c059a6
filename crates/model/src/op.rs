//! The context of one request or job: nothing below the doors asks for the time or for who is at the other end.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::{NetworkName, Timestamp};

/// A request's id: every answer carries it, every log line and audit record names it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RequestId(uuid::Uuid);

impl RequestId {
    /// From random bits.
    pub const fn from_random(bits: u128) -> Self {
        Self(uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// Which network a request came from: the listener or the source address says it, never the host name that it asks for.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub enum Network {
    /// By an ordinary listener, from an address that no named network has.
    #[default]
    Public,
    /// By an ordinary listener, from an address of this named network.
    Named(NetworkName),
    /// By this named network's own listener.
    Private(NetworkName),
    /// By a named network's own listener, from an address that the network does not have.
    Astray,
}

impl Network {
    /// The named network, if the request came from one.
    pub const fn name(&self) -> Option<&NetworkName> {
        match self {
            Self::Named(name) | Self::Private(name) => Some(name),
            Self::Public | Self::Astray => None,
        }
    }
}

/// One request.
#[derive(Clone, Debug)]
pub struct Op {
    /// Its id.
    pub request_id: RequestId,
    /// When it began; read once.
    pub now: Timestamp,
    /// The client's address, after trusted proxies.
    pub source_ip: IpAddr,
    /// The network it came from.
    pub network: Network,
    /// Did it come over TLS?
    pub secure: bool,
    /// The client's name for itself, at most 256 bytes.
    pub user_agent: Option<Arc<str>>,
}
