//! Host names as Alibaba Cloud writes them: `INSTANCE-registry.REGION.SUFFIX`, and `INSTANCE-registry-vpc.REGION.SUFFIX`. They choose an
//! instance, and never the network.

use store::instance::{self, Instance};
use store::{StoreError, Tx, account};

const PUBLIC: &str = "-registry";
const VPC: &str = "-registry-vpc";

/// What such a name says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Spoken<'h> {
    instance: &'h str,
    region: &'h str,
}

/// Reads a host name below one of the suffixes.
fn spoken<'h>(host: &'h str, suffixes: &[String]) -> Option<Spoken<'h>> {
    suffixes.iter().find_map(|suffix| {
        let below = host.strip_suffix(&**suffix)?.strip_suffix('.')?;
        let (first, region) = below.split_once('.')?;
        let instance = first.strip_suffix(VPC).or_else(|| first.strip_suffix(PUBLIC))?;
        (!region.contains('.') && !instance.is_empty()).then_some(Spoken { instance, region })
    })
}

/// The instance that a host name chooses: the one that has claimed it; else the one that the name speaks of; else the first
/// account's own.
pub(crate) async fn chosen(tx: &mut Tx<'_>, host: &str, suffixes: &[String]) -> Result<Option<Instance>, StoreError> {
    let Some(spoken) = spoken(host, suffixes) else { return instance::by_host(tx, host).await };
    if instance::host_owner(tx, host).await?.is_none() {
        // Names belong to the server: of whose account one speaks, the nearest domain says that has been handed to somebody.
        let mut owner = None;
        for (at, _) in host.match_indices('.') {
            owner = match owner {
                None => account::domain_owner(tx, host.get(at + 1..).unwrap_or_default()).await?,
                found => found,
            };
        }
        let owner = match owner {
            None => account::first_account(tx).await?.map(|first| first.id),
            found => found,
        };
        let named = match owner {
            Some(owner) => instance::by_name(tx, owner, spoken.instance).await?,
            None => None,
        };
        if let Some(found) = named.filter(|found| found.on.region.as_str() == spoken.region) {
            return Ok(Some(found));
        }
    }
    instance::by_host(tx, host).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_speak_of_an_instance_and_a_region() {
        let suffixes = ["cr.example.com".to_owned(), "example.com".to_owned()];
        let read = |host| spoken(host, &suffixes).map(|spoken| (spoken.instance, spoken.region));
        for host in [
            "prod-registry.cn-shanghai.cr.example.com",
            "prod-registry-vpc.cn-shanghai.cr.example.com",
            "prod-registry.cn-shanghai.example.com",
        ] {
            assert_eq!(read(host), Some(("prod", "cn-shanghai")), "{host}");
        }
        for host in [
            "registry.cn-shanghai.cr.example.com",
            "-registry.cn-shanghai.cr.example.com",
            "prod.cn-shanghai.cr.example.com",
            "prod-registry.cr.example.com.evil.com",
            "prod-registry.a.b.cr.example.com",
            "prod-registry.xexample.com",
            "localhost",
        ] {
            assert_eq!(read(host), None, "{host}");
        }
        assert_eq!(spoken("prod-registry.cn-shanghai.cr.example.com", &[]), None);
    }
}
