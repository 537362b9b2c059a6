//! TLS from files, read again on request; running connections keep what they began with.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CipherSuite, ServerConfig};
use tokio_rustls::TlsAcceptor;

use crate::config::TlsFiles;
use crate::refusal::Refusal;

/// Names the one cryptography provider; first thing in `main`, so that nothing guesses.
pub(crate) fn install_crypto_provider() {
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    // AES-128-GCM first, as most large sites have it: layers are many bytes, and 256 bits cost each of them more.
    provider.cipher_suites.sort_by_key(|suite| suite.suite() != CipherSuite::TLS13_AES_128_GCM_SHA256);
    // An error says that one is installed already.
    let _ = provider.install_default();
}

/// What is spoken over TLS, the better first. Clients pull layers side by side: with HTTP/1.1 each has a connection of its own,
/// and so a core; HTTP/2 puts them all on one, cut into pieces of 16 KiB. (`docs/decisions/tls.md`)
const PROTOCOLS: [&[u8]; 2] = [b"http/1.1", b"h2"];

/// The certificate in force.
#[derive(Debug)]
pub(crate) struct Tls {
    files: TlsFiles,
    current: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads the files.
    pub(crate) fn read(files: TlsFiles) -> Result<Self, Refusal> {
        let current = RwLock::new(configuration(&files)?);
        Ok(Self { files, current })
    }

    /// Reads the files again; on an error the certificate in force stays.
    pub(crate) fn reload(&self) -> Result<(), Refusal> {
        let next = configuration(&self.files)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn configuration(files: &TlsFiles) -> Result<Arc<ServerConfig>, Refusal> {
    let certificates = certificates(&files.cert)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| unreadable(&files.key, &error))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(|error| Refusal::TlsMismatch(error.to_string()))?;
    config.ignore_client_order = true;
    config.alpn_protocols = PROTOCOLS.map(Vec::from).to_vec();
    Ok(Arc::new(config))
}

/// The certificates in a PEM file, in their order.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Refusal> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(found) if found.is_empty() => Err(unreadable(path, &"there is no certificate in it")),
        Ok(found) => Ok(found),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn unreadable(path: &Path, cause: &impl ToString) -> Refusal {
    Refusal::TlsUnreadable { path: path.to_owned(), cause: cause.to_string() }
}
