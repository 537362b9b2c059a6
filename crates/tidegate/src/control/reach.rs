//! How a command reaches the desk: through the running server's socket, or else by opening the database itself.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::OnceLock;

use http::Method;
use identity::IdentityError;
use kit::Randomness as _;
use model::{Clock as _, Op, RequestId};
use registry::RegistryError;

use super::collection::{BegunRow, CollectionRow, PreviewAsk, PreviewRow, RunRow, TallyRow};
use super::socket::{SOCKET, Socket};
use super::{AccountChanges, AccountRow, ControlError, Desk, NetworkReset, NewAccount, Prepared, ResetRow, door};
use crate::collection_job::{self, Collector};
use crate::config::{Config, Database, MasterKeySource};
use crate::data_dir::open_data_dir;
use crate::house::House;
use crate::leases::Leases;
use crate::master_key::master_keys;
use crate::refusal::Refusal;
use crate::system::{SystemClock, SystemRandom};

/// A way to the desk.
pub(crate) enum Reach {
    /// A server runs here.
    Socket(Socket),
    /// None runs here, or several share the database.
    Database(Box<Own>),
}

/// A desk of one's own.
pub(crate) struct Own {
    desk: Desk,
    house: House,
    /// Where it does what one does for all.
    leases: OnceLock<Leases>,
    random: SystemRandom,
}

impl Reach {
    /// Finds the way that the settings lead.
    pub(crate) async fn find(config: &Config) -> Result<Self, ControlError> {
        match Socket::connect(&config.data_dir.join(SOCKET)).await? {
            Some(socket) => Ok(Self::Socket(socket)),
            None => Own::open(config).await.map(|own| Self::Database(Box::new(own))),
        }
    }

    /// The same for a command that only reads: the schema of the database stays as it is.
    pub(crate) async fn find_to_read(config: &Config) -> Result<Self, ControlError> {
        Self::find(&Config { migrates_at_start: false, ..config.clone() }).await
    }

    pub(crate) async fn prepare(&self, new: NewAccount) -> Result<Prepared, ControlError> {
        match self {
            Self::Socket(socket) => socket.call(Method::POST, "/accounts/preparations", &new).await,
            Self::Database(own) => Ok(own.desk.prepare(&own.op(), new).await?),
        }
    }

    pub(crate) async fn create(&self, preparation: &str) -> Result<AccountRow, ControlError> {
        match self {
            Self::Socket(socket) => socket.call(Method::PUT, &format!("/accounts/preparations/{preparation}"), &()).await,
            Self::Database(own) => Ok(own.desk.create(&own.op(), preparation).await?),
        }
    }

    /// Lets everybody in again at an instance's public endpoint.
    pub(crate) async fn reset_network(&self, reset: NetworkReset) -> Result<ResetRow, ControlError> {
        match self {
            Self::Socket(socket) => socket.call(Method::POST, "/network-resets", &reset).await,
            Self::Database(own) => Ok(own.desk.reset_network(&own.op(), reset).await?),
        }
    }

    /// The nodes that serve.
    pub(crate) async fn nodes(&self) -> Result<Vec<api::Node>, ControlError> {
        match self {
            Self::Socket(socket) => socket.call(Method::GET, "/nodes", &()).await,
            Self::Database(own) => Ok(own.desk.nodes(&own.op()).await?),
        }
    }

    /// Begins a run of the collection, unless one is under way.
    pub(crate) async fn begin_collection(&self) -> Result<BegunRow, ControlError> {
        match self {
            Self::Socket(socket) => socket.call(Method::POST, "/collection/runs", &()).await,
            Self::Database(own) => own.desk.begin_collection(&own.op()).await,
        }
    }

    /// How far a run of the collection is.
    pub(crate) async fn collection_run(&self, number: i64) -> Result<RunRow, ControlError> {
        match self {
            Self::Socket(socket) => socket.call(Method::GET, &format!("/collection/runs/{number}"), &()).await,
            Self::Database(own) => own.desk.collection_run(number).await,
        }
    }

    /// What the collection has done, and has before it.
    pub(crate) async fn collection(&self) -> Result<CollectionRow, ControlError> {
        match self {
            Self::Socket(socket) => socket.call(Method::GET, "/collection", &()).await,
            Self::Database(own) => own.desk.collection().await,
        }
    }

    /// What a run of the collection would do now; `told` hears the sum so far after each part.
    pub(crate) async fn preview_collection(&self, mut told: impl FnMut(&TallyRow)) -> Result<TallyRow, ControlError> {
        let (mut sum, mut ask) = (TallyRow::default(), PreviewAsk::default());
        loop {
            let part: PreviewRow = match self {
                Self::Socket(socket) => socket.call(Method::POST, "/collection/previews", &ask).await?,
                Self::Database(own) => own.desk.preview_collection(&own.op(), ask).await?,
            };
            sum = sum.and(part.tally);
            if part.next.is_none() {
                return Ok(sum);
            }
            told(&sum);
            ask = PreviewAsk { place: part.next };
        }
    }

    /// Does a server run that walks what this command begins: here, or elsewhere over the same database?
    pub(crate) async fn is_served(&self) -> Result<bool, ControlError> {
        match self {
            Self::Socket(_) => Ok(true),
            // SQLite is this command's alone.
            Self::Database(own) if own.house.store.commits().is_some() => Ok(false),
            Self::Database(_) => Ok(self.nodes().await?.iter().any(|node| node.alive)),
        }
    }

    /// Collects where no server of this machine does; `failed` hears why it does not get on. It never returns.
    pub(crate) async fn help_collection(&self, failed: impl Fn(&RegistryError) + Sync) -> Infallible {
        match self {
            Self::Socket(_) => std::future::pending().await,
            Self::Database(own) => collection_job::help(&own.house, own.leases(), failed).await,
        }
    }

    /// All of them, page by page.
    pub(crate) async fn list(&self) -> Result<Vec<AccountRow>, ControlError> {
        let mut all: Vec<AccountRow> = Vec::new();
        loop {
            let after = all.last().map_or("0", |last| &last.account.account_id).to_owned();
            let page = match self {
                Self::Socket(socket) => socket.call(Method::GET, &format!("/accounts?after={after}"), &()).await?,
                Self::Database(own) => own.desk.list(&own.op(), after.parse().unwrap_or_default()).await?,
            };
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// `account`: id or alias.
    pub(crate) async fn update(&self, account: &str, changes: AccountChanges) -> Result<AccountRow, ControlError> {
        // It goes into a path as it stands.
        if !account.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(IdentityError::NotFound("account").into());
        }
        match self {
            Self::Socket(socket) => socket.call(Method::PATCH, &format!("/accounts/{account}"), &changes).await,
            Self::Database(own) => Ok(own.desk.update(&own.op(), account, changes).await?),
        }
    }

    /// Nothing more will be asked.
    pub(crate) async fn close(self) {
        if let Self::Database(own) = self {
            if let Some(leases) = own.leases.get() {
                leases.give_back().await;
            }
            own.house.close().await;
        }
    }
}

impl Own {
    async fn open(config: &Config) -> Result<Self, ControlError> {
        if !is_set_up(config) {
            return Err(ControlError::Nowhere(config.data_dir.clone()));
        }
        open_data_dir(&config.data_dir)?;
        let random = SystemRandom::open();
        let keys = master_keys(config, &mut random.clone())?;
        let house = House::open(config, &keys, &random, "account").await.map_err(|refusal| match refusal {
            Refusal::DataDirInUse(path) => ControlError::Silent(path),
            other => other.into(),
        })?;
        if house.identity.is_new().await? {
            return Err(ControlError::NeverStarted);
        }
        let scheme = if config.tls.is_some() { "https" } else { "http" };
        let listened = || config.listen.first().map(|address| format!("{scheme}://{address}")).unwrap_or_default();
        let endpoint = config.external_url.clone().unwrap_or_else(listened);
        let desk = Desk::new(&house, endpoint, Collector::new(config.collection));
        Ok(Self { desk, house, leases: OnceLock::new(), random })
    }

    fn leases(&self) -> &Leases {
        self.leases.get_or_init(|| Leases::new(&self.house.store, &format!("command-{:032x}", bits(&self.random))))
    }

    fn op(&self) -> Op {
        Op {
            request_id: RequestId::from_random(bits(&self.random)),
            now: SystemClock.now(),
            source_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            network: model::Network::Public,
            secure: false,
            user_agent: Some("tidegate account".into()),
        }
    }
}

fn bits(random: &SystemRandom) -> u128 {
    let mut bits = [0; 16];
    random.fill(&mut bits);
    u128::from_be_bytes(bits)
}

/// What of the server that runs here is not as it must be, by name.
pub(crate) async fn readiness(config: &Config) -> Result<Vec<String>, ControlError> {
    let path = config.data_dir.join(SOCKET);
    let nobody = || ControlError::Socket { path: path.clone(), cause: "nobody listens there".to_owned() };
    Socket::connect(&path).await?.ok_or_else(nobody)?.call(Method::GET, door::READINESS, &()).await
}

/// Has a server been started with these settings? A command makes neither a database nor a master key.
fn is_set_up(config: &Config) -> bool {
    let there = |path: &Path| path.exists();
    let key = match &config.master_key {
        MasterKeySource::Value(_) | MasterKeySource::File(_) | MasterKeySource::Command(_) => true,
        MasterKeySource::DataDir(path) => there(path),
    };
    key && (config.database != Database::Sqlite || there(&config.data_dir.join("format")))
}

impl From<RegistryError> for ControlError {
    fn from(error: RegistryError) -> Self {
        Self::Refused { code: door::registry_code(&error).to_owned(), message: error.to_string() }
    }
}

impl From<IdentityError> for ControlError {
    fn from(error: IdentityError) -> Self {
        let (_, code) = door::code(&error);
        Self::Refused { code: code.to_owned(), message: error.to_string() }
    }
}
