//! From written values to typed settings. Each error names the setting and where its value came from.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use access::Networks;
use blobs::ObjectProtocol;
use kit::{ForwardedHeader, Host, LogRequests};
use model::{NetworkName, Seconds};
use registry::{Collection, Redirects};
use tracing_subscriber::filter::LevelFilter;
use trail::Keeping;
use zeroize::Zeroizing;

use super::layers::Values;
use super::network::NetworkSetting;
use super::table::find;
use super::{
    AuditConfig, BlobPlace, CollectionConfig, Config, ConfigError, CredentialSource, Database, LogConfig, LogFormat, MasterKeySource,
    ObjectConfig, PostgresConfig, SinkConfig, SinkToken, TlsFiles, objects,
};

/// Each choice of a setting with what it means.
type Choices<T> = &'static [(&'static str, T)];

const FORMATS: Choices<LogFormat> = &[("text", LogFormat::Text), ("json", LogFormat::Json)];
const REQUESTS: Choices<LogRequests> = &[("all", LogRequests::All), ("errors", LogRequests::Errors), ("off", LogRequests::Off)];
const HEADERS: Choices<ForwardedHeader> = &[("x-forwarded", ForwardedHeader::XForwarded), ("forwarded", ForwardedHeader::Forwarded)];
const LINES: Choices<chain::Format> = &[("jsonl", chain::Format::Jsonl), ("cloudevents", chain::Format::CloudEvents)];
const MIGRATIONS: Choices<bool> = &[("start", true), ("manual", false)];
const YES: Choices<bool> = &[("true", true), ("false", false)];
const STYLES: Choices<Option<bool>> = &[("auto", None), ("true", Some(true)), ("false", Some(false))];
const SOURCES: Choices<CredentialSource> = &[
    ("auto", CredentialSource::Auto),
    ("environment", CredentialSource::Environment),
    ("web-identity", CredentialSource::WebIdentity),
    ("profile", CredentialSource::Profile),
    ("container", CredentialSource::Container),
    ("instance", CredentialSource::Instance),
];
const LEVELS: Choices<LevelFilter> = &[
    ("error", LevelFilter::ERROR),
    ("warn", LevelFilter::WARN),
    ("info", LevelFilter::INFO),
    ("debug", LevelFilter::DEBUG),
    ("trace", LevelFilter::TRACE),
];

/// Twice as long as a URL of object storage holds.
const PRESIGNED: Seconds = Seconds::minutes(10);

impl Config {
    /// Reads and checks every setting.
    pub(crate) fn read(values: &Values) -> Result<Self, ConfigError> {
        let from = Reader(values);
        let data_dir: PathBuf = from.required("data_dir")?;
        let (networks, private_listen) = from.networks()?;
        Ok(Self {
            listen: from.listen()?,
            external_url: from.optional::<ExternalUrl>("external_url")?.map(|url| url.0),
            tls: from.tls()?,
            admin_listen: from.optional("admin_listen")?,
            database: from.database()?,
            postgres: from.postgres()?,
            migrates_at_start: from.choice("migrations", MIGRATIONS)?,
            blobs: from.blobs(&data_dir)?,
            redirects: from.redirects(&networks)?,
            master_key: from.master_key(&MASTER_KEY)?.unwrap_or_else(|| MasterKeySource::DataDir(data_dir.join("master.key"))),
            old_master_key: from.master_key(&OLD_MASTER_KEY)?,
            next_master_key: from.master_key(&NEXT_MASTER_KEY)?,
            services: from.list::<Service>("services")?.into_iter().map(|s| s.0).collect(),
            max_namespaces: from.count("limits.namespaces")?,
            max_repositories: from.count("limits.repositories")?,
            collection: from.collection(&networks)?,
            requests_per_second_per_caller: from.rate("limits.requests_per_second_per_caller")?,
            requests_per_second_per_address: from.rate("limits.requests_per_second_per_address")?,
            bearer_lifetime: from.seconds("token.bearer_seconds", 60, 3600)?,
            audit: AuditConfig { keeping: from.keeping()?, sink: from.sink()? },
            log: LogConfig {
                format: from.choice("log.format", FORMATS)?,
                level: from.choice("log.level", LEVELS)?,
                requests: from.choice("log.requests", REQUESTS)?,
            },
            trusted_proxies: from.list("trusted_proxies")?,
            forwarded_header: from.choice("forwarded_header", HEADERS)?,
            networks,
            private_listen,
            alibaba: door_alibaba::Settings {
                suffixes: from.list::<Service>("alibaba.suffixes")?.into_iter().map(|s| s.0.to_ascii_lowercase()).collect(),
                requests_per_second: u32::try_from(from.number("alibaba.requests_per_second", 1, 100_000)?).unwrap_or(1),
            },
            max_connections: usize::try_from(from.number("max_connections", 1, 1_000_000)?).unwrap_or(1),
            shutdown: from.seconds("shutdown_seconds", 0, 3600)?,
            data_dir,
        })
    }
}

/// Reads typed values and says what is wrong with which.
struct Reader<'a>(&'a Values);

impl Reader<'_> {
    fn texts(&self, key: &str) -> &[String] {
        self.0.get(key).map_or(&[], |given| &given.values)
    }

    fn invalid(&self, key: &'static str, problem: impl Display) -> ConfigError {
        let origin = self.0.get(key).map(|given| given.origin.to_string()).unwrap_or_default();
        ConfigError::Invalid { key, origin, problem: problem.to_string() }
    }

    /// What was expected; a secret's value is left out.
    fn wrong(&self, key: &'static str, text: &str) -> ConfigError {
        match find(key) {
            Some(setting) if setting.secret => self.invalid(key, format!("expected {}", setting.takes)),
            Some(setting) => self.invalid(key, format!("`{text}`: expected {}", setting.takes)),
            None => self.invalid(key, "unknown"),
        }
    }

    fn list<T: FromStr>(&self, key: &'static str) -> Result<Vec<T>, ConfigError> {
        self.texts(key).iter().map(|text| text.parse().map_err(|_| self.wrong(key, text))).collect()
    }

    fn optional<T: FromStr>(&self, key: &'static str) -> Result<Option<T>, ConfigError> {
        self.texts(key).first().map(|text| text.parse().map_err(|_| self.wrong(key, text))).transpose()
    }

    fn required<T: FromStr>(&self, key: &'static str) -> Result<T, ConfigError> {
        self.optional(key)?.ok_or_else(|| self.invalid(key, "must not be empty"))
    }

    fn choice<T: Copy>(&self, key: &'static str, choices: Choices<T>) -> Result<T, ConfigError> {
        let text: String = self.required(key)?;
        choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value).ok_or_else(|| {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            self.invalid(key, format!("`{text}` is none of {}", names.join(", ")))
        })
    }

    fn number(&self, key: &'static str, min: u64, max: u64) -> Result<u64, ConfigError> {
        let number = self.required(key)?;
        if (min..=max).contains(&number) { Ok(number) } else { Err(self.invalid(key, format!("{number} is not from {min} to {max}"))) }
    }

    fn count(&self, key: &'static str) -> Result<u32, ConfigError> {
        self.number(key, 1, u32::MAX.into()).map(|n| u32::try_from(n).unwrap_or(u32::MAX))
    }

    fn rate(&self, key: &'static str) -> Result<Option<u32>, ConfigError> {
        if self.texts(key).is_empty() { Ok(None) } else { self.count(key).map(Some) }
    }

    fn seconds(&self, key: &'static str, min: u64, max: u64) -> Result<Duration, ConfigError> {
        self.number(key, min, max).map(Duration::from_secs)
    }

    fn listen(&self) -> Result<Vec<SocketAddr>, ConfigError> {
        let addresses = self.list("listen")?;
        if addresses.is_empty() { Err(self.invalid("listen", "at least one address is needed")) } else { Ok(addresses) }
    }

    fn networks(&self) -> Result<(Networks, Vec<(SocketAddr, NetworkName)>), ConfigError> {
        const KEY: &str = "network";
        let read = |text: &String| text.parse().map_err(|problem: String| self.invalid(KEY, format!("`{text}`: {problem}")));
        let all: Vec<NetworkSetting> = self.texts(KEY).iter().map(read).collect::<Result<_, _>>()?;
        let listeners = |one: &NetworkSetting| one.listen.iter().map(|address| (*address, one.network.name.clone())).collect::<Vec<_>>();
        let private_listen = all.iter().flat_map(listeners).collect();
        let networks = Networks::new(all.into_iter().map(|one| one.network).collect()).map_err(|problem| self.invalid(KEY, problem))?;
        Ok((networks, private_listen))
    }

    fn tls(&self) -> Result<Option<TlsFiles>, ConfigError> {
        match (self.optional("tls.cert")?, self.optional("tls.key")?) {
            (Some(cert), Some(key)) => Ok(Some(TlsFiles { cert, key })),
            (None, None) => Ok(None),
            _ => Err(ConfigError::HalfTls),
        }
    }

    fn database(&self) -> Result<Database, ConfigError> {
        let text: String = self.required("database")?;
        if text == "sqlite" {
            Ok(Database::Sqlite)
        } else if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Ok(Database::Postgres(Zeroizing::new(text)))
        } else {
            Err(self.wrong("database", ""))
        }
    }

    fn postgres(&self) -> Result<PostgresConfig, ConfigError> {
        Ok(PostgresConfig {
            connections: usize::try_from(self.number("postgres.connections", 1, 1000)?).unwrap_or(1),
            acquire: self.seconds("postgres.acquire_seconds", 1, 60)?,
            statement: self.seconds("postgres.statement_seconds", 1, 600)?,
            ca_file: self.optional("postgres.ca_file")?,
        })
    }

    fn blobs(&self, data_dir: &Path) -> Result<BlobPlace, ConfigError> {
        let object = self.objects()?;
        let Some(text) = self.optional::<String>("blobs")? else { return Ok(BlobPlace::Directory(data_dir.join("blobs"))) };
        let place = objects::parse(&text).map_err(|problem| self.invalid("blobs", problem))?;
        let Some((protocol, bucket, prefix)) = place else { return Ok(BlobPlace::Directory(text.into())) };
        Ok(BlobPlace::Objects(Box::new(ObjectConfig { protocol, bucket, prefix, ..object })))
    }

    /// What is said of object storage, whether there is one or not: a mistake is found at once.
    fn objects(&self) -> Result<ObjectConfig, ConfigError> {
        const ENDPOINT: &str = "object_storage.endpoint";
        let endpoint: Option<String> = self.optional(ENDPOINT)?;
        if endpoint.as_deref().is_some_and(|text| !objects::is_endpoint(text)) {
            return Err(self.invalid(ENDPOINT, "expected `https://HOST` or `http://HOST`, with a port or not, and nothing else"));
        }
        Ok(ObjectConfig {
            protocol: ObjectProtocol::S3,
            bucket: String::new(),
            prefix: String::new(),
            endpoint,
            region: self.optional("object_storage.region")?,
            path_style: self.choice("object_storage.path_style", STYLES)?,
            credentials: self.choice("object_storage.credentials", SOURCES)?,
            profile: self.optional("object_storage.profile")?,
            ca_file: self.optional("object_storage.ca_file")?,
        })
    }

    fn redirects(&self, networks: &Networks) -> Result<Redirects, ConfigError> {
        const KEY: &str = "blob_redirects";
        objects::redirects(self.texts(KEY), |name| networks.names().any(|known| known == name))
            .map_err(|problem| self.invalid(KEY, problem))
    }

    fn collection(&self, networks: &Networks) -> Result<CollectionConfig, ConfigError> {
        const DELETE_AFTER: &str = "collection.delete_after";
        let every = self.time("collection.every", Seconds(1))?;
        let times = Collection { grace: self.time("collection.grace", Seconds(0))?, delete_after: self.time(DELETE_AFTER, Seconds(0))? };
        if !matches!(self.redirects(networks)?, Redirects::Off) && times.delete_after < PRESIGNED {
            return Err(self.invalid(DELETE_AFTER, "clients that are sent to object storage need 10m at least"));
        }
        Ok(CollectionConfig { enabled: self.choice("collection.enabled", YES)?, every, times })
    }

    /// Up to a year.
    fn time(&self, key: &'static str, least: Seconds) -> Result<Seconds, ConfigError> {
        let text: String = self.required(key)?;
        Seconds::parse(&text).filter(|time| (least..=Seconds::days(366)).contains(time)).ok_or_else(|| self.wrong(key, &text))
    }

    fn keeping(&self) -> Result<Keeping, ConfigError> {
        let default = self.days("audit.retention")?;
        let least = self.days("audit.retention_min")?.or(default).unwrap_or(Keeping::LEAST);
        let most = self.days("audit.retention_max")?.unwrap_or(Keeping::MOST);
        if most < least {
            return Err(self.invalid("audit.retention_max", "it is less than accounts must keep"));
        }
        Ok(Keeping { default, least, most })
    }

    fn days(&self, key: &'static str) -> Result<Option<Seconds>, ConfigError> {
        let Some(text) = self.optional::<String>(key)? else { return Ok(None) };
        let days = Seconds::parse(&text).filter(|keep| (Seconds::days(1)..=Keeping::MOST).contains(keep));
        Ok(Some(days.ok_or_else(|| self.wrong(key, &text))?))
    }

    fn sink(&self) -> Result<Option<SinkConfig>, ConfigError> {
        let format = self.choice("audit.sink.format", LINES)?;
        let internal = self.choice("audit.sink.internal", YES)?;
        let Some(url) = self.optional::<String>("audit.sink.url")? else { return Ok(None) };
        let token: Option<String> = self.optional("audit.sink.token")?;
        let file: Option<PathBuf> = self.optional("audit.sink.token_file")?;
        let token = token.map(|value| SinkToken::Value(Zeroizing::new(value))).or(file.map(SinkToken::File));
        Ok(Some(SinkConfig { url, format, token, ca_file: self.optional("audit.sink.ca_file")?, internal }))
    }

    fn master_key(&self, keys: &MasterKeySettings) -> Result<Option<MasterKeySource>, ConfigError> {
        let value: Option<String> = self.optional(keys.value)?;
        let file: Option<PathBuf> = self.optional(keys.file)?;
        Ok(match (value, self.texts(keys.command), file) {
            (Some(value), ..) => Some(MasterKeySource::Value(Zeroizing::new(value))),
            (None, command @ [_, ..], _) => Some(MasterKeySource::Command(command.to_vec())),
            (None, [], file) => file.map(MasterKeySource::File),
        })
    }
}

/// The settings that one master key may come from.
struct MasterKeySettings {
    value: &'static str,
    command: &'static str,
    file: &'static str,
}

const MASTER_KEY: MasterKeySettings = MasterKeySettings { value: "master_key", command: "master_key_command", file: "master_key_file" };
const OLD_MASTER_KEY: MasterKeySettings =
    MasterKeySettings { value: "old_master_key", command: "old_master_key_command", file: "old_master_key_file" };
const NEXT_MASTER_KEY: MasterKeySettings =
    MasterKeySettings { value: "next_master_key", command: "next_master_key_command", file: "next_master_key_file" };

/// `https://registry.example` or with a port: scheme and authority alone.
struct ExternalUrl(String);

impl FromStr for ExternalUrl {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let bare = text.strip_suffix('/').unwrap_or(text);
        let host = bare.strip_prefix("https://").or_else(|| bare.strip_prefix("http://")).ok_or(())?;
        Host::parse(host).map(|_| Self(bare.to_owned())).map_err(|_| ())
    }
}

/// A name that a client may give as `service`: as it would stand in a challenge.
struct Service(String);

impl FromStr for Service {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Host::parse(text).map(|host| Self(host.as_str().to_owned())).map_err(|_| ())
    }
}
