//! The products whose APIs are spoken here: their versions, and the hosts that they are called at.

/// One product with one version of its API.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Product {
    /// Container Registry Enterprise Edition, 2018-12-01.
    Cr,
    /// Security Token Service, 2015-04-01.
    Sts,
    /// Resource Access Management, 2015-05-01.
    Ram,
    /// Identity Management, 2019-08-15: OIDC providers.
    Ims,
}

impl Product {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Cr, Self::Sts, Self::Ram, Self::Ims];

    /// Its name in host names.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Cr => "cr",
            Self::Sts => "sts",
            Self::Ram => "ram",
            Self::Ims => "ims",
        }
    }

    /// The version of its API.
    pub const fn version(self) -> &'static str {
        match self {
            Self::Cr => "2018-12-01",
            Self::Sts => "2015-04-01",
            Self::Ram => "2015-05-01",
            Self::Ims => "2019-08-15",
        }
    }

    pub(crate) fn of_version(version: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|product| product.version() == version)
    }

    /// The product that an API host is of: `cr.REGION.SUFFIX`, `cr-vpc.REGION.SUFFIX`, `ram.SUFFIX`. Other hosts are of none, and
    /// all products answer there.
    pub(crate) fn of_host(host: &str, suffixes: &[String]) -> Option<Self> {
        let below = suffixes.iter().find_map(|suffix| host.strip_suffix(&**suffix)?.strip_suffix('.'))?;
        let mut labels = below.split('.');
        let code = labels.next()?;
        let code = code.strip_suffix("-vpc").unwrap_or(code);
        if labels.count() > 1 {
            return None;
        }
        Self::ALL.into_iter().find(|product| product.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_hosts_are_of_their_product() {
        let suffixes = ["cr.example.com".to_owned(), "example.com".to_owned()];
        for (host, want) in [
            ("cr.cn-shanghai.example.com", Some(Product::Cr)),
            ("cr-vpc.cn-shanghai.example.com", Some(Product::Cr)),
            ("sts.example.com", Some(Product::Sts)),
            ("ram.example.com", Some(Product::Ram)),
            ("ims.cn-shanghai.example.com", Some(Product::Ims)),
            ("local-registry.cn-shanghai.cr.example.com", None),
            ("cr.a.b.example.com", None),
            ("example.com", None),
            ("xexample.com", None),
            ("cr.cn-shanghai.other.com", None),
            ("localhost", None),
        ] {
            assert_eq!(Product::of_host(host, &suffixes), want, "{host}");
        }
    }
}
