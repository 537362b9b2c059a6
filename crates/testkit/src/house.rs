//! The house.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use access::{Access, Audit, Directory, NamedNetwork, Networks, Operator};
use blobs::BlobStore;
use door_alibaba::Alibaba;
use door_manage::Manage;
use door_oci::DoorOci;
use door_token::DoorToken;
use fetch::Fetcher;
use identity::{Bootstrap, Identity, Keeper, NewAccount, UpdateAccount};
use kit::{Answer, Request, problem};
use model::{Clock as _, FixedClock, Op, RequestId, Seconds, Timestamp};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use registry::{Cursors, Limits, Registry};
use secrets::{Dice, MasterKey, MasterKeys, Returning};
use store::Store;
use tokens::Tokens;
use trail::Trail;

use crate::Client;

/// When every house begins: 2026-01-02T03:04:05Z.
pub const NOW: Timestamp = Timestamp::from_seconds(1_767_323_045);
/// Every user's permanent password.
pub const PASSWORD: &str = "correct-horse-9";

/// A house with its root user and the instance `local`.
pub struct House {
    clock: FixedClock,
    /// The use cases of identity.
    pub identity: Arc<Identity>,
    /// The use cases of the registry.
    pub registry: Arc<Registry>,
    /// Decides rights.
    pub access: Arc<Access>,
    /// The audit trail.
    pub trail: Arc<Trail>,
    /// The database.
    pub store: Arc<Store>,
    /// What seals its secrets.
    pub master_keys: MasterKeys,
    /// What the first start made.
    pub bootstrap: Bootstrap,
    accounts: Vec<(String, Bootstrap)>,
    oci: DoorOci,
    token: DoorToken,
    manage: Manage,
    alibaba: Alibaba,
    clients: AtomicU64,
    _blobs: tempfile::TempDir,
}

impl std::fmt::Debug for House {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("House")
    }
}

/// A new house, on SQLite in memory.
pub async fn house() -> House {
    House::over(Store::memory().await.unwrap()).await
}

/// The named networks of every house: `office` (10.1.0.0/16) by address, `lab` (any address) and `cell` (10.2.0.0/16) by listeners
/// of their own.
fn networks() -> Networks {
    let named = |name: &str, addresses: &[&str], has_listener| {
        let addresses = addresses.iter().map(|block| block.parse().unwrap()).collect();
        NamedNetwork { name: name.parse().unwrap(), addresses, has_listener }
    };
    Networks::new(vec![named("office", &["10.1.0.0/16"], false), named("lab", &[], true), named("cell", &["10.2.0.0/16"], true)]).unwrap()
}

/// Below which domain every house's hosts are named as Alibaba Cloud names them, and how many requests a key may make in a second.
fn alibaba_settings() -> door_alibaba::Settings {
    door_alibaba::Settings { suffixes: vec!["cr.cloud.example".into(), "cloud.example".into()], requests_per_second: 100 }
}

impl House {
    /// A new house over an empty database.
    pub async fn over(store: Store) -> Self {
        let dice = Arc::new(Dice::new(Box::new(ChaCha20Rng::seed_from_u64(1))));
        let master = dice.with(|random| MasterKey::generate(random));
        let store = Arc::new(store);
        let folder = tempfile::tempdir().unwrap();
        let blobs = BlobStore::open(folder.path(), blobs::Options::default()).unwrap();
        let directory = Directory::open(Arc::clone(&store), NOW).await.unwrap();
        directory.name_hosts_below(alibaba_settings().suffixes);
        let access = Access::new(Arc::new(directory), Arc::new(Audit::new(Arc::clone(&store), 1)));
        let access = Arc::new(access.among(networks()));
        let bearer = Seconds::minutes(5);
        let master_keys = MasterKeys::from(master);
        let keeper = Keeper::open(&store, &master_keys, &dice, NOW).await.unwrap();
        let tokens =
            Arc::new(Tokens::open(Arc::clone(&store), keeper.sealing(), Arc::clone(&dice), tokens::ISSUER, bearer, NOW).await.unwrap());
        access.directory().listen(tokens.listener());
        let sealing = keeper.sealing();
        let identity = Identity::new(Arc::clone(&store), Arc::clone(&access), tokens, keeper, Arc::clone(&dice), 1);
        let identity = Arc::new(identity.fetching_with(Arc::new(Fetcher::new().unwrap())));
        let returning = Arc::new(Returning::new(Arc::clone(&sealing), Arc::clone(&dice), "list position"));
        let same = Arc::clone(&returning);
        let cursors = Cursors::new(move |name| returning.seal(name), move |sealed| same.open(sealed));
        let trail = Arc::new(Trail::open(Arc::clone(&store), sealing, Arc::clone(&dice), "testkit", NOW).await.unwrap());
        let random = move || dice.bits();
        let registry = Arc::new(Registry::new(Arc::clone(&store), blobs, Arc::clone(&access), random, cursors, Limits::default()));
        let bootstrap = identity.prepare_bootstrap(NOW).await.unwrap();
        assert!(identity.commit_bootstrap(&bootstrap).await.unwrap(), "the database is empty");
        Self {
            clock: FixedClock::at(NOW),
            oci: DoorOci::new(Arc::clone(&identity), Arc::clone(&registry), None),
            token: DoorToken::new(Arc::clone(&identity), vec!["other.example".into()]),
            manage: Manage::new(Arc::clone(&identity), Arc::clone(&registry), Arc::clone(&trail)),
            alibaba: Alibaba::new(Arc::clone(&identity), Arc::clone(&registry), alibaba_settings()),
            clients: AtomicU64::new(1),
            identity,
            registry,
            access,
            trail,
            store,
            master_keys,
            bootstrap,
            accounts: Vec::new(),
            _blobs: folder,
        }
    }

    /// With one more account of this alias, whose instance answers to `ALIAS.example`: see [`House::account`].
    pub async fn with_account(mut self, alias: &str) -> Self {
        let new = NewAccount {
            alias: Some(model::AccountAlias::parse(alias).unwrap()),
            instance: model::InstanceName::parse("local").unwrap(),
            hosts: vec![host_of(alias)],
        };
        let prepared = self.identity.prepare_account(&self.operator(), new).await.unwrap();
        self.identity.create_account(self.operator(), &prepared).await.unwrap();
        self.accounts.push((alias.to_owned(), prepared));
        self
    }

    /// An account made by [`House::with_account`].
    pub fn account(&self, alias: &str) -> Account<'_> {
        let (alias, bootstrap) = self.accounts.iter().find(|(name, _)| name == alias).unwrap();
        Account { house: self, host: host_of(alias), bootstrap }
    }

    /// The first account, in the same shape.
    pub fn first_account(&self) -> Account<'_> {
        Account { house: self, host: crate::HOST.to_owned(), bootstrap: &self.bootstrap }
    }

    /// Whoever holds the server's configuration.
    #[expect(clippy::disallowed_methods, reason = "the tests' own house")]
    pub fn operator(&self) -> Operator {
        let op = Op {
            request_id: RequestId::from_random(1),
            now: self.now(),
            source_ip: std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
            network: model::Network::Public,
            secure: false,
            user_agent: None,
        };
        self.access.operator(&op)
    }

    /// Writes many rows at once into the first account and its instance.
    pub fn population(&self) -> crate::Population<'_> {
        let (account, instance) = (self.bootstrap.account, self.bootstrap.instance.id);
        crate::Population { store: &self.store, account, instance, now: self.now() }
    }

    /// Suspends an account, or lets it go on.
    pub async fn suspend(&self, account: &Account<'_>, suspended: bool) {
        let changes = UpdateAccount { enabled: Some(!suspended), domains: None };
        self.identity.update_account(self.operator(), &account.id(), changes).await.unwrap();
    }

    /// With one more user, who has the permanent password [`PASSWORD`] and no right at all.
    pub async fn with_user(self, name: &str) -> Self {
        let root = self.root_manager().await;
        root.post("/api/v1/users", &serde_json::json!({ "name": name })).await.expect(201);
        let body = serde_json::json!({ "kind": "permanent", "password": PASSWORD });
        root.put(&format!("/api/v1/users/{name}/password"), &body).await.expect(204);
        self
    }

    /// With a policy of this document attached to a user.
    pub async fn with_policy(self, user: &str, name: &str, document: &str) -> Self {
        let root = self.root_manager().await;
        let body = serde_json::json!({ "name": name, "document": document });
        root.post("/api/v1/policies", &body).await.expect(201);
        root.put(&format!("/api/v1/users/{user}/policies/{name}"), &serde_json::json!({})).await.expect(204);
        self
    }

    /// With the trail of another node over the same database.
    #[must_use]
    pub fn with_trail(self, trail: Arc<Trail>) -> Self {
        let manage = Manage::new(Arc::clone(&self.identity), Arc::clone(&self.registry), Arc::clone(&trail));
        Self { trail, manage, ..self }
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets time pass, and the background look at the change feed that goes with it.
    pub async fn advance(&self, by: Seconds) {
        self.clock.advance(by);
        self.access.directory().follow(self.now()).await.unwrap();
    }

    /// What the background does each second: writes down what has gathered, and seals it. How many records were sealed.
    pub async fn seal(&self) -> u64 {
        self.access.audit().flush().await.unwrap();
        self.trail.seal(self.now()).await.unwrap()
    }

    /// Nobody in particular.
    pub fn anon(&self) -> Client<'_> {
        Client::new(self, None)
    }

    /// Somebody with a user name and a password, by Basic.
    pub fn login(&self, username: &str, password: &str) -> Client<'_> {
        Client::basic(self, username, password)
    }

    /// A user made by [`House::with_user`], by Basic.
    pub fn user(&self, name: &str) -> Client<'_> {
        self.login(name, PASSWORD)
    }

    /// The root user, by Basic.
    pub fn root(&self) -> Client<'_> {
        self.login("root", self.bootstrap.root_password.reveal())
    }

    /// Somebody with a bearer token.
    pub fn bearer(&self, token: &str) -> Client<'_> {
        Client::new(self, Some(format!("Bearer {token}")))
    }

    /// The root user at the management API.
    pub async fn root_manager(&self) -> Client<'_> {
        self.manager(&self.bootstrap.access_key_id, self.bootstrap.access_key_secret.reveal()).await
    }

    /// The same from an address from which it signs in too.
    pub async fn root_manager_from(&self, address: &str) -> Client<'_> {
        let (id, secret) = (&self.bootstrap.access_key_id, self.bootstrap.access_key_secret.reveal());
        let reply = self.login(id, secret).from(address).form("/api/v1/oauth2/token", "grant_type=client_credentials").await.expect(200);
        self.bearer(&reply.text("access_token")).from(address)
    }

    /// An access key's owner at the management API.
    pub async fn manager(&self, access_key_id: &str, secret: &str) -> Client<'_> {
        let form = "grant_type=client_credentials";
        let reply = self.login(access_key_id, secret).form("/api/v1/oauth2/token", form).await.expect(200);
        self.bearer(&reply.text("access_token"))
    }

    /// A number for one more client.
    pub(crate) fn next_client(&self) -> u64 {
        self.clients.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) async fn answer(&self, request: Request) -> Answer {
        match request.path() {
            "/token" => self.token.answer(request).await,
            path if path.starts_with("/.well-known/") => self.token.answer(request).await,
            path if path == "/v2" || path.starts_with("/v2/") => self.oci.answer(request).await,
            path if path.starts_with("/api/v1/") => self.manage.answer(request).await,
            "/tokens" => self.alibaba.answer_tokens(request).await,
            "/" if door_alibaba::is_meant(&request.head) => {
                let nobody = || problem(http::StatusCode::NOT_FOUND, "NOT_FOUND", "no door");
                self.alibaba.answer(request).await.unwrap_or_else(nobody)
            }
            _ => problem(http::StatusCode::NOT_FOUND, "NOT_FOUND", "no door"),
        }
    }
}

/// One account of several: its clients name its own host.
#[derive(Debug)]
pub struct Account<'h> {
    house: &'h House,
    host: String,
    /// What it was made with.
    pub bootstrap: &'h Bootstrap,
}

impl<'h> Account<'h> {
    /// Its id.
    pub fn id(&self) -> String {
        self.bootstrap.account.to_string()
    }

    /// The host name that chooses its instance.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Nobody in particular, there.
    pub fn anon(&self) -> Client<'h> {
        self.house.anon().at(&self.host)
    }

    /// Somebody with a user name and a password, by Basic.
    pub fn login(&self, username: &str, password: &str) -> Client<'h> {
        self.house.login(username, password).at(&self.host)
    }

    /// Its root user, by Basic.
    pub fn root(&self) -> Client<'h> {
        self.login("root", self.bootstrap.root_password.reveal())
    }

    /// Its root user at the management API.
    pub async fn root_manager(&self) -> Client<'h> {
        self.manager(&self.bootstrap.access_key_id, self.bootstrap.access_key_secret.reveal()).await
    }

    /// An access key's owner at the management API.
    pub async fn manager(&self, access_key_id: &str, secret: &str) -> Client<'h> {
        self.house.manager(access_key_id, secret).await.at(&self.host)
    }
}

fn host_of(alias: &str) -> String {
    format!("{alias}.example")
}
