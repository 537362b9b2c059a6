//! Named networks: which one a request came from, by the listener or the source address.

use std::net::IpAddr;

use model::{Network, NetworkName};

use crate::Cidr;

/// Named networks of one server, and blocks of addresses of all of them: each request is compared to them.
const MAX: usize = 64;
const MAX_BLOCKS: usize = 1024;

/// A named network, as the server's configuration describes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedNetwork {
    /// Its name.
    pub name: NetworkName,
    /// Its addresses. Of a network with a listener: those that may come by it; none: all.
    pub addresses: Vec<Cidr>,
    /// Has it a listener of its own? Then nobody belongs to it by address alone.
    pub has_listener: bool,
}

/// All named networks of a server.
#[derive(Clone, Default, Debug)]
pub struct Networks {
    all: Vec<NamedNetwork>,
    /// Blocks of networks without a listener, the narrowest first.
    blocks: Vec<(Cidr, NetworkName)>,
}

/// Why descriptions of networks do not go together.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NetworksError {
    /// Two have one name.
    #[error("there are two networks named `{0}`")]
    Twice(NetworkName),
    /// Nothing says who is in it.
    #[error("`{0}` has neither addresses nor a listener")]
    Empty(NetworkName),
    /// Which of the two an address means cannot be told.
    #[error("`{one}` and `{other}` both have {block}")]
    Shared {
        /// The block.
        block: Cidr,
        /// One of them.
        one: NetworkName,
        /// The other one.
        other: NetworkName,
    },
    /// More than are compared with each request.
    #[error("at most {MAX} networks with {MAX_BLOCKS} CIDR blocks in all")]
    Many,
}

impl Networks {
    /// No network at all: what a server without any has.
    pub const fn none() -> Self {
        Self { all: Vec::new(), blocks: Vec::new() }
    }

    /// Checks that the descriptions go together.
    pub fn new(all: Vec<NamedNetwork>) -> Result<Self, NetworksError> {
        if all.len() > MAX || all.iter().map(|n| n.addresses.len()).sum::<usize>() > MAX_BLOCKS {
            return Err(NetworksError::Many);
        }
        for (at, one) in all.iter().enumerate() {
            if all.iter().take(at).any(|other| other.name == one.name) {
                return Err(NetworksError::Twice(one.name.clone()));
            }
            if one.addresses.is_empty() && !one.has_listener {
                return Err(NetworksError::Empty(one.name.clone()));
            }
        }
        let blocks = narrowest_first(&all)?;
        Ok(Self { all, blocks })
    }

    /// Which network an address that came by an ordinary listener is in: the one with the narrowest block around it.
    pub fn by_address(&self, address: IpAddr) -> Network {
        let found = self.blocks.iter().find(|(block, _)| block.contains(address));
        found.map_or(Network::Public, |(_, name)| Network::Named(name.clone()))
    }

    /// Which network an address that came by this network's listener is in: that one, or none at all.
    pub fn by_listener(&self, name: &NetworkName, address: IpAddr) -> Network {
        match self.find(name) {
            Some(network) if network.addresses.is_empty() || network.addresses.iter().any(|block| block.contains(address)) => {
                Network::Private(name.clone())
            }
            _ => Network::Astray,
        }
    }

    /// Is there a network of this name?
    pub fn knows(&self, name: &NetworkName) -> bool {
        self.find(name).is_some()
    }

    /// All names, in the order of the configuration.
    pub fn names(&self) -> impl Iterator<Item = &NetworkName> {
        self.all.iter().map(|network| &network.name)
    }

    fn find(&self, name: &NetworkName) -> Option<&NamedNetwork> {
        self.all.iter().find(|network| network.name == *name)
    }
}

fn narrowest_first(all: &[NamedNetwork]) -> Result<Vec<(Cidr, NetworkName)>, NetworksError> {
    let by_address = all.iter().filter(|network| !network.has_listener);
    let mut blocks: Vec<_> = by_address.flat_map(|n| n.addresses.iter().map(|block| (*block, n.name.clone()))).collect();
    blocks.sort_by_key(|(block, _)| (std::cmp::Reverse(block.prefix()), *block));
    blocks.dedup();
    for pair in blocks.windows(2) {
        if let [(block, one), (same, other)] = pair
            && block == same
        {
            return Err(NetworksError::Shared { block: *block, one: one.clone(), other: other.clone() });
        }
    }
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, addresses: &[&str], has_listener: bool) -> NamedNetwork {
        let addresses = addresses.iter().map(|block| block.parse().unwrap()).collect();
        NamedNetwork { name: NetworkName::parse(name).unwrap(), addresses, has_listener }
    }

    fn networks(all: &[NamedNetwork]) -> Result<Networks, NetworksError> {
        Networks::new(all.to_vec())
    }

    fn name(network: &Network) -> Option<&str> {
        network.name().map(NetworkName::as_str)
    }

    #[test]
    fn the_narrowest_block_around_an_address_says_its_network() {
        let networks = networks(&[
            named("all-of-us", &["10.0.0.0/8", "2001:db8::/32"], false),
            named("office", &["10.1.0.0/16"], false),
            named("lab", &["10.1.2.0/24"], true),
        ])
        .unwrap();
        for (address, want) in [
            ("10.9.9.9", Some("all-of-us")),
            ("::ffff:10.9.9.9", Some("all-of-us")),
            ("2001:db8::9", Some("all-of-us")),
            ("10.1.9.9", Some("office")),
            ("10.1.2.3", Some("office")),
            ("198.51.100.7", None),
        ] {
            assert_eq!(name(&networks.by_address(address.parse().unwrap())), want, "{address}");
        }
    }

    #[test]
    fn a_listener_narrows_to_its_addresses() {
        let networks = networks(&[named("lab", &["10.1.2.0/24"], true), named("cell", &[], true)]).unwrap();
        let by = |listener: &str, address: &str| networks.by_listener(&NetworkName::parse(listener).unwrap(), address.parse().unwrap());
        assert_eq!(name(&by("lab", "10.1.2.3")), Some("lab"));
        assert_eq!(by("lab", "10.9.9.9"), Network::Astray);
        assert_eq!(name(&by("cell", "198.51.100.7")), Some("cell"));
        assert_eq!(by("elsewhere", "10.1.2.3"), Network::Astray);
    }

    #[test]
    fn networks_that_cannot_be_told_apart_are_refused() {
        let said = |all: &[NamedNetwork]| networks(all).unwrap_err().to_string();
        let (a, b) = (named("a", &["10.0.0.0/8"], false), named("b", &["10.0.0.0/8"], false));
        assert_eq!(said(&[a.clone(), b]), "`a` and `b` both have 10.0.0.0/8");
        assert_eq!(said(&[a.clone(), a.clone()]), "there are two networks named `a`");
        assert_eq!(said(&[named("c", &[], false)]), "`c` has neither addresses nor a listener");
        assert!(networks(&[a, named("b", &["10.0.0.0/8"], true)]).is_ok(), "a listener tells them apart");
        assert!(networks(&[named("twice", &["10.0.0.0/8", "10.0.0.0/8"], false)]).is_ok());
        let many: Vec<_> = (0..65).map(|n| named(&format!("n{n}"), &[], true)).collect();
        assert_eq!(networks(&many).unwrap_err(), NetworksError::Many);
    }
}
