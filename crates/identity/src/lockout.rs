//! Lockout in tiers, in memory, bounded: (name, source network), then the source's total, then a budget of hashes a name from
//! which networks with a recent success are exempt. A stranger cannot lock the owner out.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use model::{Seconds, Timestamp};

/// A window in which failures are counted.
const WINDOW: Seconds = Seconds::minutes(5);
/// Wrong passwords for one name from one network.
const PER_NAME_AND_NETWORK: u32 = 10;
/// Wrong passwords from one network, whatever the names.
const PER_NETWORK: u32 = 100;
/// Wrong passwords for one name from strangers' networks.
const PER_NAME: u32 = 200;
/// A network that knew the password lately is no stranger.
const FAMILIAR: Seconds = Seconds::days(7);
/// Counters of one tier.
const ROOM: usize = 65_536;

/// A source: an IPv4 /24 or an IPv6 /64.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Network {
    V4(u32),
    V6(u128),
}

impl Network {
    /// The network that an address is in.
    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::V4(v4.to_bits() >> 8),
            IpAddr::V6(v6) => Self::V6(v6.to_bits() >> 64),
        }
    }
}

type Name = Arc<str>;

#[derive(Clone, Copy)]
struct Tally {
    count: u32,
    until: Timestamp,
}

struct Tallies<K>(HashMap<K, Tally>);

impl<K: Hash + Eq> Tallies<K> {
    fn over(&self, key: &K, limit: u32, now: Timestamp) -> Option<i64> {
        let tally = self.0.get(key).filter(|t| t.until > now && t.count >= limit)?;
        Some(tally.until.millis_since(now) / 1000 + 1)
    }

    fn add(&mut self, key: K, now: Timestamp, life: Seconds) {
        if self.0.len() >= ROOM {
            self.0.retain(|_, t| t.until > now);
        }
        if self.0.len() >= ROOM {
            // Still full: whoever fills it gains nothing, the other tiers hold.
            self.0.clear();
        }
        let tally = self.0.entry(key).or_insert(Tally { count: 0, until: now.plus(life) });
        if tally.until <= now {
            *tally = Tally { count: 0, until: now.plus(life) };
        }
        tally.count = tally.count.saturating_add(1);
    }
}

impl<K> Default for Tallies<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

#[derive(Default)]
struct Tiers {
    name_and_network: Tallies<(Name, Network)>,
    network: Tallies<Network>,
    name: Tallies<Name>,
    familiar: Tallies<(Name, Network)>,
}

/// The counters. They count what was presented, there or not, so that they tell nothing about who exists.
#[derive(Default)]
pub(crate) struct Lockout(Mutex<Tiers>);

impl Lockout {
    /// Fails with the seconds to wait when no more passwords for `name` are checked from there.
    pub(crate) fn check(&self, name: &Name, from: Network, now: Timestamp) -> Result<(), i64> {
        let tiers = self.lock();
        let own = tiers.name_and_network.over(&(Arc::clone(name), from), PER_NAME_AND_NETWORK, now);
        let source = || tiers.network.over(&from, PER_NETWORK, now);
        let familiar = || tiers.familiar.over(&(Arc::clone(name), from), 1, now).is_some();
        let strangers = || tiers.name.over(name, PER_NAME, now).filter(|_| !familiar());
        own.or_else(source).or_else(strangers).map_or(Ok(()), Err)
    }

    /// A wrong password.
    pub(crate) fn failed(&self, name: &Name, from: Network, now: Timestamp) {
        let mut tiers = self.lock();
        tiers.name_and_network.add((Arc::clone(name), from), now, WINDOW);
        tiers.network.add(from, now, WINDOW);
        tiers.name.add(Arc::clone(name), now, WINDOW);
    }

    /// The right one: this network is familiar, and starts anew with this name.
    pub(crate) fn succeeded(&self, name: &Name, from: Network, now: Timestamp) {
        let mut tiers = self.lock();
        tiers.name_and_network.0.remove(&(Arc::clone(name), from));
        tiers.familiar.0.remove(&(Arc::clone(name), from));
        tiers.familiar.add((Arc::clone(name), from), now, FAMILIAR);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Tiers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> Network {
        Network::of(text.parse().unwrap())
    }

    fn alice() -> Name {
        "alice".into()
    }

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    #[test]
    fn networks_are_slash_24_and_slash_64() {
        assert_eq!(net("10.0.0.1"), net("10.0.0.254"));
        assert_eq!(net("10.0.0.1"), net("::ffff:10.0.0.9"));
        assert_ne!(net("10.0.0.1"), net("10.0.1.1"));
        assert_eq!(net("2001:db8::1"), net("2001:db8::ffff"));
        assert_ne!(net("2001:db8::1"), net("2001:db8:0:1::1"));
    }

    #[test]
    fn a_stranger_cannot_lock_the_owner_out() {
        let lockout = Lockout::default();
        lockout.succeeded(&alice(), net("192.0.2.1"), NOW);
        for n in 0..=255_u32 {
            let from = net(&format!("10.{}.{}.1", n / 16, n % 16));
            lockout.failed(&alice(), from, NOW);
        }
        assert!(lockout.check(&alice(), net("10.200.0.1"), NOW).is_err(), "the name's budget for strangers is spent");
        assert_eq!(lockout.check(&alice(), net("192.0.2.77"), NOW), Ok(()), "her own network is not a stranger's");
    }

    #[test]
    fn one_source_is_stopped_whatever_the_names_and_may_try_again_later() {
        let lockout = Lockout::default();
        for n in 0..100_u8 {
            lockout.failed(&format!("{n}").into(), net("10.0.0.1"), NOW);
        }
        let wait = lockout.check(&alice(), net("10.0.0.2"), NOW).unwrap_err();
        assert!((1..=301).contains(&wait), "{wait}");
        assert_eq!(lockout.check(&alice(), net("10.0.1.2"), NOW), Ok(()));
        assert_eq!(lockout.check(&alice(), net("10.0.0.2"), NOW.plus(WINDOW)), Ok(()));
    }

    #[test]
    fn a_success_wipes_the_slate_of_that_name_and_network() {
        let lockout = Lockout::default();
        for _ in 0..9 {
            lockout.failed(&alice(), net("10.0.0.1"), NOW);
        }
        lockout.succeeded(&alice(), net("10.0.0.1"), NOW);
        lockout.failed(&alice(), net("10.0.0.1"), NOW);
        assert_eq!(lockout.check(&alice(), net("10.0.0.1"), NOW), Ok(()));
    }
}
