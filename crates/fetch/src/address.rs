//! Which addresses may be reached.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// How far a call may reach.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub enum Reach {
    /// Addresses that are routed in the internet, and no others.
    #[default]
    Public,
    /// Loopback, private, carrier-grade NAT and unique local addresses too. Never link-local, multicast or unspecified ones, nor where
    /// clouds keep their machines' credentials: nothing that is fetched for a reason lives there.
    Internal,
}

/// What kind of address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// Routed in the internet.
    Public,
    /// Somebody's own network, this machine included.
    Internal,
    /// Not to be reached by anybody.
    Never,
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

/// By the address's high and low half.
const fn v6(high: u64, low: u64, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::from_bits(((high as u128) << 64) | low as u128), prefix)
}

/// IANA IPv4 Special-Purpose Address Registry, and what clouds put elsewhere. The first that fits decides.
const V4: &[(Ipv4Net, Kind)] = &[
    (v4(100, 100, 100, 200, 32), Kind::Never), // Alibaba Cloud's metadata service
    (v4(168, 63, 129, 16, 32), Kind::Never),   // Azure's wire server
    (v4(192, 0, 0, 192, 32), Kind::Never),     // Oracle Cloud's metadata service
    (v4(0, 0, 0, 0, 8), Kind::Never),          // "this network"; 0.0.0.0 reaches the machine itself
    (v4(169, 254, 0, 0, 16), Kind::Never),     // link-local: metadata services
    (v4(224, 0, 0, 0, 4), Kind::Never),        // multicast
    (v4(240, 0, 0, 0, 4), Kind::Never),        // reserved, broadcast
    (v4(10, 0, 0, 0, 8), Kind::Internal),
    (v4(100, 64, 0, 0, 10), Kind::Internal), // carrier-grade NAT
    (v4(127, 0, 0, 0, 8), Kind::Internal),
    (v4(172, 16, 0, 0, 12), Kind::Internal),
    (v4(192, 0, 0, 0, 24), Kind::Internal),   // IETF protocol assignments
    (v4(192, 0, 2, 0, 24), Kind::Internal),   // documentation
    (v4(192, 88, 99, 0, 24), Kind::Internal), // 6to4 relays, deprecated
    (v4(192, 168, 0, 0, 16), Kind::Internal),
    (v4(198, 18, 0, 0, 15), Kind::Internal),   // benchmarks
    (v4(198, 51, 100, 0, 24), Kind::Internal), // documentation
    (v4(203, 0, 113, 0, 24), Kind::Internal),  // documentation
];

/// IANA IPv6 Special-Purpose Address Registry. The first that fits decides; what none fits and is not global unicast
/// (2000::/3) is for nobody.
const V6: &[(Ipv6Net, Kind)] = &[
    (v6(0xfd00_0ec2_0000_0000, 0x0000_0000_0000_0254, 128), Kind::Never), // AWS's metadata service
    (v6(0xfd20_00ce_0000_0000, 0x0000_0000_0000_0254, 128), Kind::Never), // Google Cloud's metadata service
    (v6(0, 0x0000_0000_0000_0001, 128), Kind::Internal),
    (v6(0xfc00_0000_0000_0000, 0, 7), Kind::Internal),  // unique local
    (v6(0x2001_0000_0000_0000, 0, 23), Kind::Never),    // protocol assignments: Teredo, ORCHID, benchmarks
    (v6(0x2001_0db8_0000_0000, 0, 32), Kind::Internal), // documentation
    (v6(0x3fff_0000_0000_0000, 0, 20), Kind::Internal), // documentation
    (v6(0x2000_0000_0000_0000, 0, 3), Kind::Public),
];

/// Prefixes behind which an IPv4 address stands, and at which bit.
const CARRIERS: &[(Ipv6Net, u32)] = &[
    (v6(0, 0x0000_ffff_0000_0000, 96), 96), // IPv4-mapped
    (v6(0x0064_ff9b_0000_0000, 0, 96), 96), // NAT64
    (v6(0x2002_0000_0000_0000, 0, 16), 16), // 6to4
];

impl Reach {
    /// May this address be reached?
    pub fn allows(self, address: IpAddr) -> bool {
        match (self, kind(address)) {
            (_, Kind::Public) | (Self::Internal, Kind::Internal) => true,
            (_, Kind::Never) | (Self::Public, Kind::Internal) => false,
        }
    }
}

fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(v4) => kind_v4(v4),
        IpAddr::V6(v6) => carried(v6).map_or_else(|| kind_v6(v6), kind_v4),
    }
}

fn kind_v4(address: Ipv4Addr) -> Kind {
    V4.iter().find(|(net, _)| net.contains(&address)).map_or(Kind::Public, |(_, kind)| *kind)
}

fn kind_v6(address: Ipv6Addr) -> Kind {
    V6.iter().find(|(net, _)| net.contains(&address)).map_or(Kind::Never, |(_, kind)| *kind)
}

/// The IPv4 address that an IPv6 address stands for.
fn carried(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let (_, at) = CARRIERS.iter().find(|(net, _)| net.contains(&address))?;
    let bits = (u128::from(address) >> (96 - at)) & u128::from(u32::MAX);
    u32::try_from(bits).ok().map(Ipv4Addr::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(kind_: Kind, addresses: &[&str]) {
        for address in addresses {
            assert_eq!(kind(address.parse().unwrap()), kind_, "{address}");
        }
    }

    #[test]
    fn what_is_routed_is_public() {
        kinds(
            Kind::Public,
            &["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "192.167.1.1", "223.255.255.255"],
        );
        kinds(Kind::Public, &["2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]);
    }

    #[test]
    fn own_networks_are_internal_however_they_are_spelled() {
        kinds(Kind::Internal, &["127.0.0.1", "127.255.255.255", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1"]);
        kinds(Kind::Internal, &["::1", "fc00::1", "fdff::1", "::ffff:127.0.0.1", "::ffff:10.1.2.3", "64:ff9b::7f00:1", "2002:7f00:1::"]);
        kinds(Kind::Internal, &["192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"]);
    }

    #[test]
    fn some_are_for_nobody() {
        kinds(Kind::Never, &["0.0.0.0", "0.1.2.3", "169.254.169.254", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"]);
        kinds(
            Kind::Never,
            &["::", "fe80::1", "febf::1", "fec0::1", "ff02::1", "::ffff:169.254.169.254", "::ffff:0.0.0.0", "2002:a9fe:a9fe::"],
        );
        kinds(Kind::Never, &["100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "64:ff9b::a9fe:a9fe"]);
        // IPv4-compatible, local NAT64, Teredo, discard-only: nobody is there.
        kinds(Kind::Never, &["::7f00:1", "64:ff9b:1::7f00:1", "2001::1", "2001:10::1", "100::1", "4000::1"]);
    }

    #[test]
    fn reach_decides() {
        for (address, public, internal) in [("8.8.8.8", true, true), ("127.0.0.1", false, true), ("169.254.169.254", false, false)] {
            let address = address.parse().unwrap();
            assert_eq!((Reach::Public.allows(address), Reach::Internal.allows(address)), (public, internal), "{address}");
        }
    }
}
