//! Network rules of instances: asked before anybody is authenticated, and again for whatever is in an instance, whichever
//! host name was used to get at it.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use model::{Action, Caller, Network, NetworkName, Op, Resource};
use store::StoreError;
use store::instance::Instance;
use store::network::{Endpoints, Public};

use crate::cidr::Blocks;
use crate::{Access, Cidr, CidrError, Decision, Frequent, Outcome, Record, Refusal};

/// What stands in the trail for an attempt to reach an instance at all.
const CONNECT: &str = "connect";
/// Addresses whose refusals have records of their own each second; those of all further ones share one.
const OWN_RECORDS: usize = 64;
/// Whose address stands in the record that further ones share.
const FURTHER: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// An instance's endpoints, ready to be asked.
#[derive(Clone, Debug)]
pub struct Rules {
    public: Public,
    entries: Blocks,
    private: Vec<NetworkName>,
}

/// Why an address is not let in: for the audit trail, never for the client.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotLetIn {
    /// The public endpoint is off, and no private one is for that network.
    #[error("the public endpoint is off")]
    PublicOff,
    /// The public endpoint's allow list does not have it.
    #[error("the public endpoint's allow list does not have the address")]
    NotListed,
    /// It came by a network's own listener, and that network has no private endpoint here.
    #[error("the network that it came from has no private endpoint")]
    NoPrivateEndpoint,
    /// It came by a network's own listener, from an address that the network does not have.
    #[error("the address is not one of the network's whose listener it came by")]
    Astray,
}

impl Rules {
    /// Reads stored endpoints. `Corrupt` when an entry no longer reads: that must never let anybody in.
    pub fn read(endpoints: &Endpoints) -> Result<Self, StoreError> {
        let entries = endpoints.entries.iter().map(|entry| entry.cidr.parse::<Cidr>());
        Ok(Self {
            public: endpoints.public,
            entries: entries.collect::<Result<_, CidrError>>().map_err(|_| StoreError::corrupt("endpoint_entry.cidr"))?,
            private: endpoints.private.iter().map(|private| private.network.clone()).collect(),
        })
    }

    /// May requests come from there?
    pub fn ask(&self, address: IpAddr, network: &Network) -> Result<(), NotLetIn> {
        match network {
            Network::Astray => Err(NotLetIn::Astray),
            Network::Private(name) | Network::Named(name) if self.private.contains(name) => Ok(()),
            Network::Private(_) => Err(NotLetIn::NoPrivateEndpoint),
            Network::Named(_) | Network::Public => self.ask_public(address),
        }
    }

    fn ask_public(&self, address: IpAddr) -> Result<(), NotLetIn> {
        match self.public {
            Public { enabled: false, .. } => Err(NotLetIn::PublicOff),
            Public { lets_everybody_in: true, .. } => Ok(()),
            _ if self.entries.contain(address) => Ok(()),
            _ => Err(NotLetIn::NotListed),
        }
    }
}

/// An instance with its rules, as this node remembers it.
#[derive(Debug)]
pub(crate) struct Entrance {
    pub(crate) instance: Arc<Instance>,
    pub(crate) rules: Rules,
}

/// The proof that an instance's network rules let a request in. Made by [`Access::enter`] alone; whoever authenticates asks
/// for it.
///
/// A forged one does not compile:
///
/// ```compile_fail,E0423
/// # fn forge(instance: std::sync::Arc<store::instance::Instance>) {
/// let forged = access::Entered(instance);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Entered(Arc<Entrance>);

impl Deref for Entered {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.0.instance
    }
}

/// Who was refused within a second.
#[derive(Default, Debug)]
pub(crate) struct Crowd(Mutex<(i64, Vec<IpAddr>)>);

impl Crowd {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new((0, Vec::new())))
    }

    /// Under which address a refusal is written down, so that a flood from everywhere is no flood of records.
    fn address(&self, op: &Op) -> IpAddr {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.0 != op.now.seconds() {
            *seen = (op.now.seconds(), Vec::new());
        }
        if seen.1.contains(&op.source_ip) {
            return op.source_ip;
        }
        if seen.1.len() >= OWN_RECORDS {
            return FURTHER;
        }
        seen.1.push(op.source_ip);
        op.source_ip
    }
}

impl Access {
    /// The instance that a host name (without its port) chooses, if its rules let the request in from where it came. None:
    /// there is no instance at all. Asked before anybody is authenticated.
    pub async fn enter(&self, op: &Op, host: &str) -> Result<Option<Entered>, Refusal> {
        self.directory().fresh(op.now).await?;
        let Some(entrance) = self.directory().entrance(host).await? else { return Ok(None) };
        match entrance.rules.ask(op.source_ip, &op.network) {
            Ok(()) => Ok(Some(Entered(entrance))),
            Err(why) => Err(Box::pin(self.turn_away(op, &entrance.instance, why)).await),
        }
    }

    async fn turn_away(&self, op: &Op, instance: &Instance, why: NotLetIn) -> Refusal {
        let on = Resource::Instance(Arc::clone(&instance.on));
        self.meters().decisions.count((Decision::Network,));
        self.write_down_stranger(op, &Caller::anonymous(), CONNECT, &on, why).await;
        Refusal::Network(op.source_ip)
    }

    /// What is in an instance is behind its network rules, whichever host name it is asked for by. Asked once rights are
    /// decided, so that it tells nobody that there is something.
    pub(crate) async fn reach(&self, op: &Op, caller: &Caller, action: Action, on: &Resource) -> Result<(), Refusal> {
        let Some(instance) = on.instance() else { return Ok(()) };
        let Err(why) = self.directory().rules(instance.id).await?.ask(op.source_ip, &op.network) else { return Ok(()) };
        Box::pin(self.write_down_stranger(op, caller, action.as_str(), on, why)).await;
        Err(Refusal::Network(op.source_ip))
    }

    /// Writes a refusal by network rules down: equal ones within a second are one record with a count.
    async fn write_down_stranger(&self, op: &Op, caller: &Caller, action: &str, on: &Resource, why: NotLetIn) {
        let source_ip = self.crowd().address(op);
        let op = Op { source_ip, ..op.clone() };
        let mut hasher = DefaultHasher::new();
        (on, action, why.to_string()).hash(&mut hasher);
        let said = if source_ip == FURTHER { format!("{why}; from further addresses") } else { why.to_string() };
        let record = || Record::new(&op, caller, action, on, Outcome::Denied).with_detail(said);
        self.audit().note_frequent(&op, caller, Frequent::Refused(hasher.finish()), record).await;
    }
}

#[cfg(test)]
mod tests {
    use model::{RequestId, Timestamp};
    use store::network::{Entry, Private};

    use super::*;

    fn named(name: &str) -> NetworkName {
        NetworkName::parse(name).unwrap()
    }

    fn rules(public: Public, entries: &[&str], private: &[&str]) -> Rules {
        let (created, created_by) = (Timestamp::from_millis(0), String::new());
        let entry = |cidr: &&str| Entry { cidr: (*cidr).into(), comment: String::new(), created, created_by: created_by.clone() };
        let private_endpoint = |name: &&str| Private { network: named(name), created, created_by: created_by.clone() };
        let entries = entries.iter().map(entry).collect();
        Rules::read(&Endpoints { public, entries, private: private.iter().map(private_endpoint).collect() }).unwrap()
    }

    const OFF: Public = Public { enabled: false, lets_everybody_in: true };
    const LISTED: Public = Public { enabled: true, lets_everybody_in: false };

    #[test]
    fn a_new_instance_lets_everybody_in_who_comes_by_an_ordinary_listener() {
        let rules = rules(Public::default(), &[], &[]);
        let from = |address: &str, network: &Network| rules.ask(address.parse().unwrap(), network);
        assert_eq!(from("198.51.100.7", &Network::Public), Ok(()));
        assert_eq!(from("2001:db8::1", &Network::Named(named("office"))), Ok(()));
        assert_eq!(from("10.0.0.1", &Network::Private(named("lab"))), Err(NotLetIn::NoPrivateEndpoint));
        assert_eq!(from("10.0.0.1", &Network::Astray), Err(NotLetIn::Astray));
    }

    #[test]
    fn an_allow_list_lets_its_addresses_in_and_a_private_endpoint_its_network() {
        let rules = rules(LISTED, &["198.51.100.0/24", "2001:db8::/32"], &["office"]);
        let from = |address: &str, network: &Network| rules.ask(address.parse().unwrap(), network);
        for (address, want) in [
            ("198.51.100.7", Ok(())),
            ("::ffff:198.51.100.7", Ok(())),
            ("2001:db8::9", Ok(())),
            ("198.51.101.7", Err(NotLetIn::NotListed)),
            ("2001:db9::9", Err(NotLetIn::NotListed)),
        ] {
            assert_eq!(from(address, &Network::Public), want, "{address}");
            assert_eq!(from(address, &Network::Named(named("other"))), want, "{address}: another network has no endpoint here");
            assert_eq!(from(address, &Network::Named(named("office"))), Ok(()), "{address}");
            assert_eq!(from(address, &Network::Private(named("other"))), Err(NotLetIn::NoPrivateEndpoint), "listed or not");
        }
    }

    #[test]
    fn off_is_off_and_an_empty_list_without_everybody_lets_nobody_in() {
        let address = "198.51.100.7".parse().unwrap();
        let off = rules(OFF, &["198.51.100.7"], &["office"]);
        assert_eq!(off.ask(address, &Network::Public), Err(NotLetIn::PublicOff));
        assert_eq!(off.ask(address, &Network::Named(named("office"))), Ok(()));
        assert_eq!(rules(LISTED, &[], &[]).ask(address, &Network::Public), Err(NotLetIn::NotListed));
        let kept = rules(Public::default(), &["203.0.113.0/24"], &[]);
        assert_eq!(kept.ask(address, &Network::Public), Ok(()), "entries that are kept while everybody is let in");
    }

    #[test]
    fn an_entry_that_no_longer_reads_lets_nobody_in() {
        let entry =
            Entry { cidr: "10.0.0.0/33".into(), comment: String::new(), created: Timestamp::from_millis(0), created_by: String::new() };
        let endpoints = Endpoints { entries: vec![entry], ..Endpoints::default() };
        assert!(matches!(Rules::read(&endpoints), Err(StoreError::Corrupt(_))));
    }

    #[test]
    fn a_crowd_shares_one_record() {
        let crowd = Crowd::new();
        let op = |number: u8, second: i64| Op {
            request_id: RequestId::from_random(1),
            now: Timestamp::from_seconds(second),
            source_ip: [192, 0, 2, number].into(),
            network: Network::Public,
            secure: true,
            user_agent: None,
        };
        let own = (0..=u8::MAX).filter(|number| crowd.address(&op(*number, 1)) != FURTHER).count();
        assert_eq!(own, OWN_RECORDS);
        assert_eq!(crowd.address(&op(0, 1)), op(0, 1).source_ip, "known once, known all second");
        assert_eq!(crowd.address(&op(255, 2)), op(255, 2).source_ip, "the next second is another one");
    }
}
