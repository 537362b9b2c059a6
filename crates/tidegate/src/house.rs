//! The whole house over one database and one place for blobs, and the work that goes on in its background.

use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;

use access::{Access, Audit, Directory};
use blobs::BlobStore;
use fetch::Fetcher;
use identity::{Identity, Keeper};
use model::{Clock as _, Seconds};
use registry::{Cursors, Limits, Registry};
use secrets::{Dice, MasterKeys, Returning};
use store::{PostgresSettings, Store, StoreError};
use tokens::Tokens;
use trail::Trail;

use crate::audit_heads::AuditHeads;
use crate::config::{BlobPlace, Config, Database};
use crate::object_storage;
use crate::refusal::Refusal;
use crate::system::{SystemClock, SystemRandom, environment};

/// Everything that doors are made over.
#[derive(Clone, Debug)]
pub(crate) struct House {
    pub(crate) store: Arc<Store>,
    pub(crate) blobs: BlobStore,
    pub(crate) access: Arc<Access>,
    pub(crate) identity: Arc<Identity>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) trail: Arc<Trail>,
    pub(crate) heads: AuditHeads,
}

impl House {
    /// Opens the database, the blobs and what stands on them. `node` names this one among its equals.
    pub(crate) async fn open(config: &Config, keys: &MasterKeys, random: &SystemRandom, node: &str) -> Result<Self, Refusal> {
        let now = SystemClock.now();
        let dice = Arc::new(Dice::new(Box::new(random.clone())));
        let store = Arc::new(open(config).await.map_err(|error| refused(config, &error))?);
        let blobs = blobs(config).await?;
        let unopened = |error: StoreError| Refusal::Database(error.to_string());
        let directory = Directory::open(Arc::clone(&store), now).await.map_err(unopened)?;
        directory.name_hosts_below(config.alibaba.suffixes.clone());
        let audit = Audit::new(Arc::clone(&store), u32::try_from(dice.bits() >> 32).unwrap_or(0));
        let access = Arc::new(Access::new(Arc::new(directory), Arc::new(audit)).among(config.networks.clone()));
        let life = Seconds(i64::try_from(config.bearer_lifetime.as_secs()).unwrap_or(300));
        let keeper = Keeper::open(&store, keys, &dice, now).await.map_err(|e| Refusal::Sealed(e.to_string()))?;
        let tokens = Tokens::open(Arc::clone(&store), keeper.sealing(), Arc::clone(&dice), tokens::ISSUER, life, now).await;
        let tokens = Arc::new(tokens.map_err(|e| Refusal::SigningKeys(e.to_string()))?);
        access.directory().listen(tokens.listener());
        let fetcher = Arc::new(Fetcher::new().map_err(|e| Refusal::Outgoing(e.to_string()))?);
        let sealing = keeper.sealing();
        let identity = Identity::new(Arc::clone(&store), Arc::clone(&access), tokens, keeper, Arc::clone(&dice), hashers());
        let identity = identity.fetching_with(fetcher).limiting_callers(config.requests_per_second_per_caller).on_node(node);
        let identity = Arc::new(identity);
        let cursors = cursors(Returning::new(Arc::clone(&sealing), Arc::clone(&dice), "list position"));
        let trail = Trail::open(Arc::clone(&store), sealing, Arc::clone(&dice), node, now).await;
        let trail = Arc::new(trail.map_err(|e| Refusal::SigningKeys(e.to_string()))?.keeping(config.audit.keeping));
        let heads = AuditHeads::open(&config.data_dir, &trail);
        let limits = Limits { namespaces: config.max_namespaces, repositories: config.max_repositories, ..Limits::default() };
        let random = move || dice.bits();
        let registry = Registry::new(Arc::clone(&store), blobs.clone(), Arc::clone(&access), random, cursors, limits);
        let registry = Arc::new(registry.redirecting(config.redirects.clone()).collecting(config.collection.times));
        Ok(Self { store, blobs, access, identity, registry, trail, heads })
    }

    /// Writes out what waits to be written. Call it when the last request has been answered. False: the database does not take it.
    pub(crate) async fn close(&self) -> bool {
        let flushed = self.access.audit().flush().await;
        if let Err(error) = &flushed {
            tracing::error!(%error, "audit records were not written");
        }
        if let Err(error) = self.registry.flush_pulls().await {
            tracing::warn!(%error, "when images were pulled last was not written");
        }
        if let Err(error) = self.trail.close(SystemClock.now()).await {
            tracing::warn!(%error, "audit records are written, and will be sealed by the next node");
        }
        self.heads.keep(&self.trail);
        flushed.is_ok()
    }
}

/// Where lists go on, for those who are told it.
fn cursors(returning: Returning) -> Cursors {
    let returning = Arc::new(returning);
    let same = Arc::clone(&returning);
    Cursors::new(move |name| returning.seal(name), move |sealed| same.open(sealed))
}

pub(crate) async fn blobs(config: &Config) -> Result<BlobStore, Refusal> {
    match &config.blobs {
        BlobPlace::Directory(path) => BlobStore::open(path, blobs::Options::default()).map_err(|e| Refusal::Blobs(e.to_string())),
        BlobPlace::Objects(objects) => {
            let storage = object_storage::storage(objects, environment()).map_err(Refusal::ObjectStorage)?;
            let opened = BlobStore::open_objects(&storage, blobs::Options::default()).await;
            opened.map_err(|e| Refusal::ObjectStorage(e.to_string()))
        }
    }
}

/// The blobs, for reading alone: nothing is tried, and nothing written.
pub(crate) fn blobs_to_read(config: &Config) -> Result<BlobStore, Refusal> {
    match &config.blobs {
        BlobPlace::Directory(path) => BlobStore::look_into(path, blobs::Options::default()).map_err(|e| Refusal::Blobs(e.to_string())),
        BlobPlace::Objects(objects) => {
            let storage = object_storage::storage(objects, environment()).map_err(Refusal::ObjectStorage)?;
            let opened = BlobStore::look_into_objects(&storage, blobs::Options::default());
            opened.map_err(|e| Refusal::ObjectStorage(e.to_string()))
        }
    }
}

/// Half the cores hash passwords: a flood of wrong ones leaves the other half to everybody else.
fn hashers() -> usize {
    (available_parallelism().map_or(1, NonZero::get) / 2).max(1)
}

async fn open(config: &Config) -> Result<Store, StoreError> {
    let database = database(config);
    if config.migrates_at_start { Store::open(&database).await } else { Store::open_as_it_is(&database).await }
}

pub(crate) fn database(config: &Config) -> store::Database {
    match &config.database {
        Database::Sqlite => store::Database::Directory(config.data_dir.clone()),
        Database::Postgres(url) => store::Database::Postgres(PostgresSettings {
            url: url.to_string(),
            pool_size: config.postgres.connections,
            acquire_timeout: config.postgres.acquire,
            statement_timeout: config.postgres.statement,
            ca_file: config.postgres.ca_file.clone(),
        }),
    }
}

/// Why the database does not open, for whoever runs the server.
pub(crate) fn refused(config: &Config, error: &StoreError) -> Refusal {
    match error {
        StoreError::InUse(path) => Refusal::DataDirInUse(path.clone()),
        StoreError::Newer { .. } | StoreError::Behind { .. } => Refusal::Schema(error.to_string()),
        error => {
            let hint = if config.database == Database::Sqlite { "" } else { " (check `database`, and that PostgreSQL runs there)" };
            let cause = cause(error).map(|cause| format!(": {cause}")).unwrap_or_default();
            Refusal::Database(format!("{error}{cause}{hint}"))
        }
    }
}

/// What the database itself said. It names hosts, roles and tables, no password.
fn cause(error: &StoreError) -> Option<String> {
    let first = std::error::Error::source(error)?;
    let mut chain = std::iter::successors(Some(first), |cause| cause.source());
    chain.by_ref().last().map(|last| last.to_string().split_whitespace().collect::<Vec<_>>().join(" "))
}
