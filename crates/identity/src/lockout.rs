//! Lockout in tiers, in memory, bounded: (name, source network), then the source's total, then a budget of hashes a name from
//! which networks with a recent success are exempt. A stranger cannot lock the owner out.
//!
//! The tiers stand twice: by the user name as presented, which alone decides whether somebody hears that they are locked out,
//! and by the person that it means, which says nothing and refuses. Else a name and its owner's other names would share an
//! answer, and so tell that they belong to somebody.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use model::{AccountId, PrincipalId, Seconds, Timestamp};

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

/// Whom a try is counted for. What was presented decides what is answered, so that the answer tells nothing of who exists; who
/// it means decides what is checked, so that several names of one person open no more tries than one.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Whom {
    /// The user name as presented, there or not.
    Spelling(Arc<str>),
    /// The person that it means.
    Person(PrincipalId),
}

/// One password for one user name from one network.
#[derive(Clone, Debug)]
pub(crate) struct Try {
    spelling: Whom,
    person: Option<Whom>,
    from: Network,
}

impl Try {
    /// Letter case makes no other name, and long names are cut: so that they count together.
    pub(crate) fn new(account: AccountId, username: &str, from: Network) -> Self {
        let folded: String = username.chars().take(64).flat_map(char::to_lowercase).collect();
        Self { spelling: Whom::Spelling(format!("{account}/{folded}").into()), person: None, from }
    }

    /// The same, knowing whom the user name means.
    pub(crate) fn of(self, person: Option<PrincipalId>) -> Self {
        Self { person: person.map(Whom::Person), ..self }
    }

    fn whoms(&self) -> impl Iterator<Item = &Whom> {
        [Some(&self.spelling), self.person.as_ref()].into_iter().flatten()
    }
}

/// What becomes of a try that was let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Admitted {
    /// The password is checked.
    Check,
    /// The same work is done and the answer is no: by other names of theirs, too many passwords were tried for this person.
    Refuse,
}

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

    fn take_back(&mut self, key: &K) {
        if let Some(tally) = self.0.get_mut(key) {
            tally.count = tally.count.saturating_sub(1);
        }
    }
}

impl<K> Default for Tallies<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

#[derive(Default)]
struct Tiers {
    name_and_network: Tallies<(Whom, Network)>,
    network: Tallies<Network>,
    name: Tallies<Whom>,
    familiar: Tallies<(Whom, Network)>,
}

impl Tiers {
    /// The seconds to wait, when no more passwords for `whom` are checked from there.
    fn closed(&self, whom: &Whom, from: Network, now: Timestamp) -> Option<i64> {
        let both = &(whom.clone(), from);
        let own = self.name_and_network.over(both, PER_NAME_AND_NETWORK, now);
        let source = || self.network.over(&from, PER_NETWORK, now);
        let familiar = || self.familiar.over(both, 1, now).is_some();
        let strangers = || self.name.over(whom, PER_NAME, now).filter(|_| !familiar());
        own.or_else(source).or_else(strangers)
    }
}

/// The counters. A try counts from before it is hashed, so that many at once are no more than one after the other.
#[derive(Default)]
pub(crate) struct Lockout(Mutex<Tiers>);

impl Lockout {
    /// Fails with the seconds to wait when no more passwords for this user name are checked from there.
    pub(crate) fn check(&self, tried: &Try, now: Timestamp) -> Result<(), i64> {
        self.lock().closed(&tried.spelling, tried.from, now).map_or(Ok(()), Err)
    }

    /// Are no more passwords checked for the person, by whatever name?
    pub(crate) fn refuses(&self, tried: &Try, now: Timestamp) -> bool {
        let tiers = self.lock();
        tried.person.as_ref().is_some_and(|person| tiers.closed(person, tried.from, now).is_some())
    }

    /// Checks, and counts the try as a wrong one until it is given back.
    pub(crate) fn reserve(&self, tried: &Try, now: Timestamp) -> Result<Admitted, i64> {
        let mut tiers = self.lock();
        tiers.closed(&tried.spelling, tried.from, now).map_or(Ok(()), Err)?;
        let refused = tried.person.as_ref().is_some_and(|person| tiers.closed(person, tried.from, now).is_some());
        tiers.network.add(tried.from, now, WINDOW);
        for whom in tried.whoms() {
            tiers.name_and_network.add((whom.clone(), tried.from), now, WINDOW);
            tiers.name.add(whom.clone(), now, WINDOW);
        }
        Ok(if refused { Admitted::Refuse } else { Admitted::Check })
    }

    /// The try was no wrong password: it was right, or there was no room to check it.
    pub(crate) fn give_back(&self, tried: &Try) {
        let mut tiers = self.lock();
        tiers.network.take_back(&tried.from);
        for whom in tried.whoms() {
            tiers.name_and_network.take_back(&(whom.clone(), tried.from));
            tiers.name.take_back(whom);
        }
    }

    /// The owner is in: this network is familiar, and starts anew with this name and this person.
    pub(crate) fn succeeded(&self, tried: &Try, now: Timestamp) {
        let mut tiers = self.lock();
        for whom in tried.whoms() {
            let both = (whom.clone(), tried.from);
            tiers.name_and_network.0.remove(&both);
            tiers.familiar.0.remove(&both);
            tiers.familiar.add(both, now, FAMILIAR);
        }
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

    fn a_try(name: &str, from: &str) -> Try {
        Try::new(AccountId::from_i64(1), name, net(from))
    }

    fn alice(from: &str) -> Try {
        a_try("alice", from).of(Some(PrincipalId::from_i64(7)))
    }

    /// So many wrong passwords; how many of them were checked.
    fn fail(lockout: &Lockout, tried: &Try, times: u32) -> usize {
        (0..times).filter(|_| lockout.reserve(tried, NOW) == Ok(Admitted::Check)).count()
    }

    fn succeed(lockout: &Lockout, tried: &Try) {
        assert_eq!(lockout.reserve(tried, NOW), Ok(Admitted::Check));
        lockout.give_back(tried);
        lockout.succeeded(tried, NOW);
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
        succeed(&lockout, &alice("192.0.2.1"));
        for n in 0..=255_u32 {
            for name in ["alice", "alice@1", "7"] {
                let tried = a_try(name, &format!("10.{}.{}.1", n / 16, n % 16)).of(Some(PrincipalId::from_i64(7)));
                fail(&lockout, &tried, 1);
            }
        }
        assert!(lockout.check(&alice("10.200.0.1"), NOW).is_err(), "the name's budget for strangers is spent");
        let home = alice("192.0.2.77");
        assert_eq!(lockout.reserve(&home, NOW), Ok(Admitted::Check), "her own network is not a stranger's");
    }

    #[test]
    fn one_source_is_stopped_whatever_the_names_and_may_try_again_later() {
        let lockout = Lockout::default();
        for n in 0..100_u8 {
            fail(&lockout, &a_try(&n.to_string(), "10.0.0.1"), 1);
        }
        let wait = lockout.check(&alice("10.0.0.2"), NOW).unwrap_err();
        assert!((1..=301).contains(&wait), "{wait}");
        assert_eq!(lockout.check(&alice("10.0.1.2"), NOW), Ok(()));
        assert_eq!(lockout.check(&alice("10.0.0.2"), NOW.plus(WINDOW)), Ok(()));
    }

    #[test]
    fn a_success_wipes_the_slate_of_that_name_and_network() {
        let lockout = Lockout::default();
        let tried = alice("10.0.0.1");
        assert_eq!(fail(&lockout, &tried, 9), 9);
        succeed(&lockout, &tried);
        assert_eq!(fail(&lockout, &tried, 1), 1);
        assert_eq!(lockout.check(&tried, NOW), Ok(()));
    }

    #[test]
    fn several_names_of_one_person_open_no_more_tries_than_one() {
        let lockout = Lockout::default();
        let names = ["alice", "alice@1", "7"].map(|name| a_try(name, "10.0.0.1").of(Some(PrincipalId::from_i64(7))));
        let checked: usize = names.iter().map(|tried| fail(&lockout, tried, 10)).sum();
        assert_eq!(checked, 10);
        assert_eq!(fail(&lockout, &a_try("bob", "10.0.0.1").of(Some(PrincipalId::from_i64(8))), 1), 1, "others are others");
    }

    #[test]
    fn who_exists_does_not_show_in_what_is_answered() {
        let lockout = Lockout::default();
        let answers = |name: &str, person: Option<i64>| {
            let tried = a_try(name, "10.0.0.1").of(person.map(PrincipalId::from_i64));
            (0..12).map(|_| lockout.reserve(&tried, NOW).is_ok()).collect::<Vec<_>>()
        };
        let unknown = answers("nobody", None);
        assert_eq!(unknown.iter().filter(|let_in| **let_in).count(), 10);
        for (name, person) in [("alice", Some(7)), ("alice@1", Some(7)), ("nobody@1", None)] {
            assert_eq!(answers(name, person), unknown, "{name}");
        }
        assert!(answers("Nobody", None).iter().all(|let_in| !let_in), "letter case makes no other name");
    }

    #[test]
    fn what_is_given_back_was_never_counted() {
        let lockout = Lockout::default();
        let tried = alice("10.0.0.1");
        for _ in 0..300 {
            assert_eq!(lockout.reserve(&tried, NOW), Ok(Admitted::Check));
            lockout.give_back(&tried);
        }
    }
}
