//! What conditions ask about: keys, and the facts of one request.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use model::{Network, Op, Timestamp};

use crate::{Family, Who};

/// A condition key. Names are case-sensitive, as RAM writes them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Key {
    /// `acs:CurrentTime`: when the request came.
    CurrentTime,
    /// `acs:SecureTransport`: did it come over TLS?
    SecureTransport,
    /// `acs:SourceIp`: where it came from.
    SourceIp,
    /// `acs:MFAPresent`: was a second factor shown?
    MfaPresent,
    /// `acs:SourceVpc`: the named network that it came from.
    SourceVpc,
    /// `acs:VpcSourceIp`: its address in that network.
    VpcSourceIp,
    /// `acs:PrincipalARN`: who asks.
    PrincipalArn,
    /// `acs:PrincipalRDId`: the resource directory of who asks.
    PrincipalRdId,
    /// `acs:PrincipalRDPath`: the place in it.
    PrincipalRdPath,
    /// `acs:ResourceGroupId`: the group that the resource is in.
    ResourceGroupId,
    /// `sts:ExternalId`: what whoever assumes a role says to show that they mean this one.
    ExternalId,
    /// `sts:SourceIdentity`: who stands behind the session.
    SourceIdentity,
    /// `sts:RoleSessionName`: what the session is called.
    RoleSessionName,
    /// `acs:ResourceTag/NAME`: a tag of the resource.
    ResourceTag(Box<str>),
    /// `acs:RequestTag/NAME`: a tag in the request.
    RequestTag(Box<str>),
    /// `oidc:NAME`: a claim of the federated token.
    Oidc(Box<str>),
}

/// Every key without a name of its own: spelling, what its fact is.
const KEYS: [(Key, &str, Family); 13] = [
    (Key::CurrentTime, "acs:CurrentTime", Family::Time),
    (Key::SecureTransport, "acs:SecureTransport", Family::Bool),
    (Key::SourceIp, "acs:SourceIp", Family::Address),
    (Key::MfaPresent, "acs:MFAPresent", Family::Bool),
    (Key::SourceVpc, "acs:SourceVpc", Family::Text),
    (Key::VpcSourceIp, "acs:VpcSourceIp", Family::Address),
    (Key::PrincipalArn, "acs:PrincipalARN", Family::Text),
    (Key::PrincipalRdId, "acs:PrincipalRDId", Family::Text),
    (Key::PrincipalRdPath, "acs:PrincipalRDPath", Family::Text),
    (Key::ResourceGroupId, "acs:ResourceGroupId", Family::Text),
    (Key::ExternalId, "sts:ExternalId", Family::Text),
    (Key::SourceIdentity, "sts:SourceIdentity", Family::Text),
    (Key::RoleSessionName, "sts:RoleSessionName", Family::Text),
];

/// How a key is made from its name.
type Make = fn(Box<str>) -> Key;

/// Every family of keys that ends in a name: what they begin with.
const NAMED: [(&str, Make); 3] = [("acs:ResourceTag/", Key::ResourceTag), ("acs:RequestTag/", Key::RequestTag), ("oidc:", Key::Oidc)];

/// Why a text is no condition key.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyError {
    /// The same letters in another case.
    #[error("unknown condition key; case matters: did you mean {0}?")]
    Case(&'static str),
    /// No key at all.
    #[error(
        "unknown condition key; known are acs:CurrentTime, acs:SecureTransport, acs:SourceIp, acs:MFAPresent, acs:SourceVpc, acs:VpcSourceIp, acs:PrincipalARN, acs:PrincipalRDId, acs:PrincipalRDPath, acs:ResourceGroupId, sts:ExternalId, sts:SourceIdentity, sts:RoleSessionName, acs:ResourceTag/NAME, acs:RequestTag/NAME, oidc:NAME"
    )]
    Unknown,
}

impl Key {
    /// The longest name behind `acs:ResourceTag/`, `acs:RequestTag/` or `oidc:`, in characters.
    pub const MAX_NAME: usize = 128;

    /// Reads a key. Unknown keys are refused: a mistyped one would make a denial hold never, or always.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if let Some((key, ..)) = KEYS.iter().find(|(_, spelling, _)| *spelling == text) {
            return Ok(key.clone());
        }
        for (prefix, make) in NAMED {
            if let Some(name) = text.strip_prefix(prefix).filter(|name| is_name(name)) {
                return Ok(make(name.into()));
            }
        }
        let close = KEYS.iter().find(|(_, spelling, _)| spelling.eq_ignore_ascii_case(text));
        Err(close.map_or(KeyError::Unknown, |(_, spelling, _)| KeyError::Case(spelling)))
    }

    /// What its fact is.
    pub fn family(&self) -> Family {
        KEYS.iter().find(|(key, ..)| key == self).map_or(Family::Text, |(_, _, family)| *family)
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().count() <= Key::MAX_NAME && !name.contains(char::is_control)
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ResourceTag(name) => write!(f, "acs:ResourceTag/{name}"),
            Self::RequestTag(name) => write!(f, "acs:RequestTag/{name}"),
            Self::Oidc(name) => write!(f, "oidc:{name}"),
            fixed => f.write_str(KEYS.iter().find(|(key, ..)| key == fixed).map_or("", |(_, spelling, _)| spelling)),
        }
    }
}

/// What is known of a request, as conditions see it.
#[derive(Clone, Debug)]
pub struct Context {
    now: Timestamp,
    source_ip: IpAddr,
    secure: bool,
    provided: Vec<(Key, Box<str>)>,
    who: Option<Who>,
}

/// The value of a key in one request.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Fact<'c> {
    /// A moment.
    Time(Timestamp),
    /// An address.
    Address(IpAddr),
    /// Yes or no.
    Bool(bool),
    /// Anything else.
    Text(&'c str),
}

impl Context {
    /// The facts that every request has. An IPv4 address that is mapped into IPv6 counts as IPv4.
    pub const fn new(now: Timestamp, source_ip: IpAddr, secure: bool) -> Self {
        Self { now, source_ip: source_ip.to_canonical(), secure, provided: Vec::new(), who: None }
    }

    /// The same with a fact for another key; what [`Context::new`] sets cannot be changed by it.
    #[must_use]
    pub fn with(mut self, key: Key, value: &str) -> Self {
        self.provided.push((key, value.into()));
        self
    }

    /// The same for a request that came from a named network: its name and, once more, the address in it.
    #[must_use]
    pub fn within(self, network: &Network) -> Self {
        let Some(name) = network.name() else { return self };
        let address = self.source_ip.to_string();
        self.with(Key::SourceVpc, name.as_str()).with(Key::VpcSourceIp, &address)
    }

    /// The same asked by this principal: documents that belong to a resource speak of principals by name.
    #[must_use]
    pub fn by(self, who: Who) -> Self {
        Self { who: Some(who), ..self }
    }

    /// Who asks, if that is known.
    pub const fn who(&self) -> Option<&Who> {
        self.who.as_ref()
    }

    /// The fact for a key; none if this request has none.
    pub fn get(&self, key: &Key) -> Option<Fact<'_>> {
        match key {
            Key::CurrentTime => Some(Fact::Time(self.now)),
            Key::SourceIp => Some(Fact::Address(self.source_ip)),
            Key::SecureTransport => Some(Fact::Bool(self.secure)),
            other => self.provided.iter().find(|(key, _)| key == other).map(|(_, value)| Fact::Text(value)),
        }
    }
}

impl From<&Op> for Context {
    fn from(op: &Op) -> Self {
        Self::new(op.now, op.source_ip, op.secure).within(&op.network)
    }
}

impl<'c> Fact<'c> {
    /// As text: what the string operators compare, and what an explanation shows.
    pub fn text(self) -> Cow<'c, str> {
        match self {
            Self::Time(time) => time.to_string().into(),
            Self::Address(address) => address.to_string().into(),
            Self::Bool(yes) => if yes { "true" } else { "false" }.into(),
            Self::Text(text) => text.into(),
        }
    }

    pub(crate) fn time(self) -> Option<Timestamp> {
        match self {
            Self::Time(time) => Some(time),
            Self::Text(text) => Timestamp::parse(text),
            Self::Address(_) | Self::Bool(_) => None,
        }
    }

    pub(crate) fn address(self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(address),
            Self::Text(text) => text.parse::<IpAddr>().ok().map(|address| address.to_canonical()),
            Self::Time(_) | Self::Bool(_) => None,
        }
    }

    pub(crate) fn bool(self) -> Option<bool> {
        match self {
            Self::Bool(yes) => Some(yes),
            Self::Text(text) => read_bool(text),
            Self::Time(_) | Self::Address(_) => None,
        }
    }

    pub(crate) fn number(self) -> Option<f64> {
        match self {
            Self::Text(text) => read_number(text),
            Self::Time(_) | Self::Address(_) | Self::Bool(_) => None,
        }
    }
}

/// `true` or `false`, whatever the case (Python writes `True`).
pub(crate) fn read_bool(text: &str) -> Option<bool> {
    [true, false].into_iter().find(|yes| text.eq_ignore_ascii_case(if *yes { "true" } else { "false" }))
}

/// A finite decimal number. Whole numbers are exact up to 2^53.
pub(crate) fn read_number(text: &str) -> Option<f64> {
    let decimal = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    text.parse::<f64>().ok().filter(|number| decimal && number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_print_what_they_read() {
        let named = ["acs:ResourceTag/team", "acs:RequestTag/a/b", "oidc:aud"];
        for text in KEYS.iter().map(|(_, spelling, _)| *spelling).chain(named) {
            assert_eq!(Key::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn unknown_keys_are_refused_with_a_hint() {
        assert_eq!(Key::parse("acs:sourceip"), Err(KeyError::Case("acs:SourceIp")));
        for bad in ["", "acs:", "acs:SourceIP4", "acs:ResourceTag/", "oidc:", "aws:SourceIp", &format!("oidc:{}", "a".repeat(129))] {
            assert_eq!(Key::parse(bad), Err(KeyError::Unknown), "{bad}");
        }
        assert!(KEYS.iter().all(|(_, spelling, _)| KeyError::Unknown.to_string().contains(spelling)));
    }

    #[test]
    fn a_named_network_is_a_fact_and_its_absence_is_none() {
        let context = || Context::new(Timestamp::from_millis(0), "10.0.0.1".parse().unwrap(), true);
        let office = model::NetworkName::parse("office").unwrap();
        for network in [Network::Named(office.clone()), Network::Private(office)] {
            let context = context().within(&network);
            assert_eq!(context.get(&Key::SourceVpc), Some(Fact::Text("office")));
            assert_eq!(context.get(&Key::VpcSourceIp).and_then(Fact::address), Some("10.0.0.1".parse().unwrap()));
        }
        for network in [Network::Public, Network::Astray] {
            assert_eq!(context().within(&network).get(&Key::SourceVpc), None);
        }
    }

    #[test]
    fn mapped_addresses_are_ipv4_and_own_facts_stay() {
        let context = Context::new(Timestamp::from_millis(0), "::ffff:10.0.0.1".parse().unwrap(), true).with(Key::SourceIp, "1.1.1.1");
        assert_eq!(context.get(&Key::SourceIp), Some(Fact::Address("10.0.0.1".parse().unwrap())));
        assert_eq!(context.get(&Key::MfaPresent), None);
        assert_eq!(context.with(Key::MfaPresent, "True").get(&Key::MfaPresent).and_then(Fact::bool), Some(true));
    }
}
