//! Blocks of addresses as network rules write them.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};

/// A block of addresses. IPv4 mapped into IPv6 is IPv4, here and in [`Cidr::contains`]: one address has one spelling.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Cidr(IpNet);

/// Why a text is no block.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CidrError {
    /// Neither an address nor a block.
    #[error("an IP address or a CIDR block, as 198.51.100.7, 10.0.0.0/8 or 2001:db8::/32")]
    Malformed,
    /// It is not clear whether the address or the whole block is meant.
    #[error("the address has bits behind its prefix: did you mean {block} or {address}?")]
    HostBits {
        /// The block that it is in.
        block: Cidr,
        /// The address alone.
        address: IpAddr,
    },
}

impl Cidr {
    /// Is the address in it?
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// How many leading bits its addresses share: the more, the narrower.
    pub fn prefix(&self) -> u8 {
        self.0.prefix_len()
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let written = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).map_err(|_| CidrError::Malformed)?;
        let block = canonical(written);
        if block == block.trunc() {
            return Ok(Self(block));
        }
        Err(CidrError::HostBits { block: Self(block.trunc()), address: block.addr() })
    }
}

fn canonical(written: IpNet) -> IpNet {
    let IpNet::V6(v6) = written else { return written };
    let mapped = Ipv6Addr::to_ipv4_mapped(&v6.addr()).zip(v6.prefix_len().checked_sub(96));
    mapped.and_then(|(v4, prefix)| Ipv4Net::new(v4, prefix).ok()).map_or(written, IpNet::V4)
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Many blocks, asked at once: their addresses as ranges, in order and apart, so that asking costs the same few steps for one
/// block as for hundreds.
#[derive(Clone, Default, Debug)]
pub(crate) struct Blocks {
    four: Box<[(u32, u32)]>,
    six: Box<[(u128, u128)]>,
}

impl Blocks {
    /// Is the address in any of them?
    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(v4) => has(&self.four, v4.to_bits()),
            IpAddr::V6(v6) => has(&self.six, v6.to_bits()),
        }
    }
}

impl FromIterator<Cidr> for Blocks {
    fn from_iter<I: IntoIterator<Item = Cidr>>(all: I) -> Self {
        let (mut four, mut six) = (Vec::new(), Vec::new());
        for Cidr(block) in all {
            match block {
                IpNet::V4(v4) => four.push((v4.network().to_bits(), v4.broadcast().to_bits())),
                IpNet::V6(v6) => six.push((v6.network().to_bits(), v6.broadcast().to_bits())),
            }
        }
        Self { four: apart(four), six: apart(six) }
    }
}

/// In order, and those within others left out: blocks overlap in no other way.
fn apart<T: Ord + Copy>(mut ranges: Vec<(T, T)>) -> Box<[(T, T)]> {
    ranges.sort_by_key(|(first, last)| (*first, std::cmp::Reverse(*last)));
    let mut apart: Vec<(T, T)> = Vec::with_capacity(ranges.len());
    for range in ranges {
        if apart.last().is_none_or(|(_, last)| *last < range.0) {
            apart.push(range);
        }
    }
    apart.into()
}

fn has<T: Ord + Copy>(apart: &[(T, T)], address: T) -> bool {
    let behind = apart.partition_point(|(first, _)| *first <= address);
    behind.checked_sub(1).and_then(|at| apart.get(at)).is_some_and(|(_, last)| address <= *last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<String, String> {
        text.parse::<Cidr>().map(|cidr| cidr.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn one_block_has_one_spelling() {
        for (text, want) in [
            ("198.51.100.7", "198.51.100.7/32"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:DB8:0::/32", "2001:db8::/32"),
            ("::ffff:198.51.100.7", "198.51.100.7/32"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(want), "{text}");
        }
    }

    #[test]
    fn what_is_no_block_is_refused_and_what_is_unclear_asked_about() {
        for bad in ["", "10", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ", "010.0.0.1", "example.com", "::1%eth0", "2001:db8::/129"] {
            assert!(read(bad).unwrap_err().starts_with("an IP address"), "{bad}");
        }
        assert_eq!(read("10.1.2.3/8").unwrap_err(), "the address has bits behind its prefix: did you mean 10.0.0.0/8 or 10.1.2.3?");
        // Mapped addresses under a prefix of IPv6 alone: no IPv4 block, and not a block of its own address either.
        assert!(read("::ffff:10.0.0.0/64").unwrap_err().contains("did you mean"));
    }

    proptest! {
        /// Asking all at once says what asking one after the other says.
        #[test]
        fn blocks_are_what_their_cidrs_are(
            blocks in prop::collection::vec((0_u32..64, 24_u8..=32), 0..12),
            six in prop::collection::vec((0_u128..64, 120_u8..=128), 0..12),
            asked in 0_u32..80,
        ) {
            let four = blocks.into_iter().map(|(bits, prefix)| IpNet::new(std::net::Ipv4Addr::from_bits(bits).into(), prefix));
            let six = six.into_iter().map(|(bits, prefix)| IpNet::new(Ipv6Addr::from_bits(bits).into(), prefix));
            let all: Vec<Cidr> = four.chain(six).map(|block| Cidr(block.unwrap().trunc())).collect();
            let together: Blocks = all.iter().copied().collect();
            for address in [IpAddr::V4(std::net::Ipv4Addr::from_bits(asked)), IpAddr::V6(Ipv6Addr::from_bits(asked.into()))] {
                prop_assert_eq!(together.contain(address), all.iter().any(|block| block.contains(address)), "{} in {:?}", address, all);
            }
        }
    }

    #[test]
    fn every_ipv4_address_is_no_ipv6_address_and_the_other_way_round() {
        let (four, six): (Cidr, Cidr) = ("0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap());
        for (address, in_four) in [("198.51.100.7", true), ("::ffff:198.51.100.7", true), ("2001:db8::1", false), ("::1", false)] {
            let address = address.parse().unwrap();
            assert_eq!((four.contains(address), six.contains(address)), (in_four, !in_four), "{address}");
        }
    }
}
