//! Whose certificates are believed.

use std::fmt;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::FetchError;

/// The most certificates of an own authority.
const MAX: usize = 16;

/// Whose certificates are believed.
#[derive(Clone, Default)]
pub enum Trust {
    /// Those of the public authorities.
    #[default]
    Public,
    /// Those of one's own authority, and no others. Made by [`Trust::own`].
    Own(OwnTrust),
}

/// One's own authority, ready for use.
#[derive(Clone)]
pub struct OwnTrust(pub(crate) Arc<ClientConfig>);

impl Trust {
    /// Trusts the certificates in this PEM text (1 to 16) in place of the public authorities.
    pub fn own(pem: &str) -> Result<Self, FetchError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|e| FetchError::Certificates(e.to_string()))?;
            roots.add(certificate).map_err(|e| FetchError::Certificates(e.to_string()))?;
        }
        if roots.is_empty() || roots.len() > MAX {
            return Err(FetchError::Certificates(format!("1 to {MAX} certificates in PEM are wanted, {} are there", roots.len())));
        }
        Ok(Self::Own(OwnTrust(Arc::new(configured(roots)?))))
    }
}

/// The public authorities.
pub(crate) fn public() -> Result<ClientConfig, FetchError> {
    configured(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
}

fn configured(roots: RootCertStore) -> Result<ClientConfig, FetchError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|e| FetchError::Certificates(e.to_string()))?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "Public",
            Self::Own(_) => "Own",
        })
    }
}

impl fmt::Debug for OwnTrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnTrust")
    }
}
