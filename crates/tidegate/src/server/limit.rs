//! How many requests may come from one address.

use std::net::IpAddr;

use meter::Counter;
use model::{Op, Timestamp};
use throttle::Throttle;

/// Addresses whose buckets are remembered; another one's is full.
const REMEMBERED: usize = 65_536;
/// What may come at once, in seconds' worth.
const BURST: u32 = 10;

/// Whose bucket a request is taken from: an IPv4 address, or an IPv6 /64, which one customer has all of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Source {
    V4(u32),
    V6(u64),
}

impl Source {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => Self::V6(u64::try_from(address.to_bits() >> 64).unwrap_or_default()),
        }
    }
}

/// The limit of every listener but the admin listener and the control socket.
#[derive(Debug)]
pub(crate) struct AddressLimit {
    throttle: Throttle<Source>,
    refused: Counter,
}

impl AddressLimit {
    /// So many a second.
    pub(crate) fn new(a_second: u32) -> Self {
        Self { throttle: Throttle::new(a_second, BURST, REMEMBERED), refused: Counter::default() }
    }

    /// Milliseconds to wait, if there are too many. The address is the client's, as a trusted proxy names it.
    pub(super) fn take(&self, op: &Op) -> Result<(), i64> {
        self.take_from(op.source_ip, op.now).inspect_err(|_| self.refused.inc())
    }

    fn take_from(&self, address: IpAddr, now: Timestamp) -> Result<(), i64> {
        self.throttle.take(&Source::of(address), now)
    }

    /// Requests refused so far.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_own_bucket_and_a_network_of_ipv6_one_together() {
        let limit = AddressLimit::new(1);
        let many = |address: &str| (0..20).filter(|_| limit.take_from(address.parse().unwrap(), Timestamp::from_millis(5)).is_ok()).count();
        assert_eq!(many("192.0.2.1"), 10);
        assert_eq!(many("::ffff:192.0.2.1"), 0, "the same address");
        assert_eq!(many("192.0.2.2"), 10);
        assert_eq!(many("2001:db8::1"), 10);
        assert_eq!(many("2001:db8::ffff:1"), 0);
        assert_eq!(many("2001:db8:0:1::1"), 10);
    }

    #[test]
    fn a_million_addresses_take_no_more_room_than_there_is() {
        let limit = AddressLimit::new(1);
        for address in 0..1_000_000_u32 {
            assert_eq!(limit.take_from(IpAddr::from(address.to_be_bytes()), Timestamp::from_millis(5)), Ok(()));
        }
        assert!(limit.throttle.remembered() <= REMEMBERED);
    }
}
