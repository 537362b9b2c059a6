//! Why the server does not start, and what to do about it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A refusal to start: each says what happened and what to do next.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("{0} is already in use by another program; stop that program, or choose another address with --listen")]
    AddressInUse(SocketAddr),
    #[error("{0} cannot be listened on without more rights; choose a port above 1023 with --listen")]
    AddressForbidden(SocketAddr),
    #[error("{address} cannot be listened on: {cause}; choose an address of this machine with --listen")]
    Address { address: SocketAddr, cause: io::Error },
    #[error("the data folder {0} is in use by another Tidegate server; stop that one, or choose another folder with --data-dir")]
    DataDirInUse(PathBuf),
    #[error(
        "the data folder {path} cannot be written: {cause}; give the user that runs Tidegate the right, or choose another folder with --data-dir"
    )]
    DataDirUnwritable { path: PathBuf, cause: io::Error },
    #[error(
        "the data folder {path} was written by a newer Tidegate (its format is {found}, this version knows {known}); run that version or a newer one"
    )]
    DataDirNewer { path: PathBuf, found: u32, known: u32 },
    #[error("{path} says no format that Tidegate knows; if the folder is not Tidegate's, choose another one with --data-dir")]
    DataDirForeign { path: PathBuf },
    #[error("the TLS file {path} cannot be read: {cause}; check `tls.cert` and `tls.key`")]
    TlsUnreadable { path: PathBuf, cause: String },
    #[error("the TLS key does not go with the certificate: {0}; check `tls.cert` and `tls.key`")]
    TlsMismatch(String),
    #[error("the database does not open: {0}")]
    Database(String),
    #[error("{0}")]
    Schema(String),
    #[error("the blob folder does not open: {0}")]
    Blobs(String),
    #[error("the object storage of `blobs` cannot be used: {0}; check `blobs` and `object_storage`")]
    ObjectStorage(String),
    #[error("the token signing keys cannot be used: {0}; is this the master key that the database was made with?")]
    SigningKeys(String),
    #[error("the secrets in the database do not open: {0}; check `master_key_file`, and `old_master_key_file` while the key is changed")]
    Sealed(String),
    #[error("outgoing connections cannot be made: {0}")]
    Outgoing(String),
    #[error("the audit sink cannot be used: {0}; check `audit.sink`")]
    AuditSink(String),
    #[error("the first account could not be made: {0}")]
    Bootstrap(String),
    #[error("the master key {from} cannot be used: {problem}")]
    MasterKey { from: String, problem: String },
    #[error(
        "the server has ended, and the database did not take what waited to be written: records of pulls and logins of the last moments are \
         lost; look into its log for why"
    )]
    Unwritten,
    #[error("the process cannot {what}: {cause}")]
    System { what: &'static str, cause: io::Error },
}
