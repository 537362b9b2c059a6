//! The effective settings, typed. What it may not do: act on them.

mod arguments;
mod docs;
mod error;
mod layers;
mod network;
mod objects;
mod read;
mod show;
mod table;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use access::Networks;
use ipnet::IpNet;
use kit::{ForwardedHeader, LogRequests};
use model::{NetworkName, Seconds};
use registry::Redirects;
use tracing_subscriber::filter::LevelFilter;
use trail::Keeping;
use zeroize::Zeroizing;

pub(crate) use arguments::{Loaded, MachineArguments, SettingArguments};
pub(crate) use docs::configuration_page;
pub(crate) use error::ConfigError;
pub(crate) use objects::{BlobPlace, CredentialSource, ObjectConfig};
pub(crate) use show::show;

/// Where the rows are kept.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Database {
    /// A file in the data folder.
    Sqlite,
    /// A connection URL, which may hold a password.
    Postgres(Zeroizing<String>),
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "Sqlite",
            Self::Postgres(_) => "Postgres(…)",
        })
    }
}

/// How PostgreSQL is spoken to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct PostgresConfig {
    pub(crate) connections: usize,
    pub(crate) acquire: Duration,
    pub(crate) statement: Duration,
    pub(crate) ca_file: Option<PathBuf>,
}

/// Where the key that seals stored secrets comes from.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum MasterKeySource {
    /// Given as a value.
    Value(Zeroizing<String>),
    /// A program with its arguments that prints it.
    Command(Vec<String>),
    /// A file that must be there.
    File(PathBuf),
    /// A file in the data folder that is made when it is missing.
    DataDir(PathBuf),
}

impl std::fmt::Debug for MasterKeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Value(_) => f.write_str("Value(…)"),
            Self::Command(_) => f.write_str("Command(…)"),
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::DataDir(path) => write!(f, "DataDir({})", path.display()),
        }
    }
}

/// The files of TLS.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct TlsFiles {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

/// Where audit records are delivered to.
#[derive(Clone, Debug)]
pub(crate) struct SinkConfig {
    pub(crate) url: String,
    pub(crate) format: chain::Format,
    pub(crate) token: Option<SinkToken>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) internal: bool,
}

/// What the sink knows us by.
#[derive(Clone)]
pub(crate) enum SinkToken {
    Value(Zeroizing<String>),
    File(PathBuf),
}

impl std::fmt::Debug for SinkToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Value(_) => f.write_str("Value(…)"),
            Self::File(path) => write!(f, "File({})", path.display()),
        }
    }
}

/// The audit trail's settings.
#[derive(Clone, Debug)]
pub(crate) struct AuditConfig {
    pub(crate) keeping: Keeping,
    pub(crate) sink: Option<SinkConfig>,
}

/// What is collected, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct CollectionConfig {
    pub(crate) enabled: bool,
    pub(crate) every: Seconds,
    pub(crate) times: registry::Collection,
}

/// How log lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// The log's settings.
#[derive(Clone, Debug)]
pub(crate) struct LogConfig {
    pub(crate) format: LogFormat,
    pub(crate) level: LevelFilter,
    pub(crate) requests: LogRequests,
}

/// All settings of the server.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) data_dir: PathBuf,
    pub(crate) listen: Vec<SocketAddr>,
    /// Scheme and authority, without a slash at the end.
    pub(crate) external_url: Option<String>,
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) admin_listen: Option<SocketAddr>,
    pub(crate) database: Database,
    pub(crate) postgres: PostgresConfig,
    /// Whether `serve` migrates.
    pub(crate) migrates_at_start: bool,
    pub(crate) blobs: BlobPlace,
    pub(crate) redirects: Redirects,
    pub(crate) master_key: MasterKeySource,
    /// The one before, while it is changed.
    pub(crate) old_master_key: Option<MasterKeySource>,
    /// The most namespaces in one instance.
    pub(crate) max_namespaces: u32,
    /// The most repositories in one instance.
    pub(crate) max_repositories: u32,
    pub(crate) collection: CollectionConfig,
    /// How many requests one caller, and one address, may make; none: any number.
    pub(crate) requests_per_second_per_caller: Option<u32>,
    pub(crate) requests_per_second_per_address: Option<u32>,
    /// The one to come.
    pub(crate) next_master_key: Option<MasterKeySource>,
    pub(crate) services: Vec<String>,
    pub(crate) bearer_lifetime: Duration,
    pub(crate) audit: AuditConfig,
    pub(crate) log: LogConfig,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) forwarded_header: ForwardedHeader,
    /// The named networks, and their own listeners.
    pub(crate) networks: Networks,
    pub(crate) private_listen: Vec<(SocketAddr, NetworkName)>,
    /// How Alibaba Cloud's hosts are named, and how often a key may call.
    pub(crate) alibaba: door_alibaba::Settings,
    pub(crate) max_connections: usize,
    pub(crate) shutdown: Duration,
}
