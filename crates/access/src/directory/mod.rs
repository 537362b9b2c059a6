//! What this node knows from memory: principals with their policies, credentials, instances, what is public.
//!
//! Everything here is loaded when first needed, bounded, and forgotten when the change feed says so. A load that a change
//! overtook is thrown away, so that nothing older than the feed's last look is ever believed.

mod follow;
mod rights;

use std::hash::Hash;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use meter::Tally;
use model::{AccountId, CredentialId, InstanceId, OnInstance, PolicyId, PrincipalId, ProviderId, RepositoryName, Timestamp};
use policy::TrustDocument;
use quick_cache::Equivalent;
use store::account::Account;
use store::change::{self, Change};
use store::credential::Credential;
use store::instance::Instance;
use store::provider::Provider;
use store::{Store, StoreError, Tx, Work};
use tokio::sync::MutexGuard;

use crate::Rules;
use crate::meters::FeedMeters;
use crate::owned::OwnedPolicies;
use crate::rules::Entrance;
use crate::shelf;
use crate::turns::Turns;

pub(crate) use rights::InForce;
pub use rights::{Attached, PrincipalRights, SessionRights};

type Shelf<K, V> = shelf::Shelf<K, Arc<V>>;

/// What somebody finds who looks something up.
enum Found<'a, V> {
    Known(V),
    /// Nothing, and the turn to load it.
    Missing(MutexGuard<'a, ()>),
}

/// This node's memory of who there is and what they may.
pub struct Directory {
    store: Arc<Store>,
    principals: Shelf<PrincipalId, PrincipalRights>,
    policies: Shelf<PolicyId, InForce>,
    credentials: Shelf<CredentialId, Credential>,
    sessions: Shelf<CredentialId, SessionRights>,
    accounts: Shelf<AccountId, Account>,
    providers: Shelf<ProviderId, Provider>,
    first: OnceLock<AccountId>,
    instances: Shelf<Arc<str>, Entrance>,
    /// Below which domains host names speak of instances.
    suffixes: OnceLock<Vec<String>>,
    rules: Shelf<InstanceId, Rules>,
    public: shelf::Shelf<(InstanceId, RepositoryName), bool>,
    owned: Shelf<InstanceId, OwnedPolicies>,
    guards: Shelf<AccountId, Attached>,
    /// Changes up to here are applied. Guarded by `applying` wherever it decides what is kept.
    applied: AtomicI64,
    looked: AtomicI64,
    applying: Mutex<()>,
    following: tokio::sync::Mutex<()>,
    turns: Turns,
    listeners: Mutex<Vec<Listener>>,
    meters: FeedMeters,
}

/// Somebody else who keeps what a change can end: told of each change, `None` meaning "forget everything".
pub type Listener = Box<dyn Fn(Option<Change>) + Send + Sync>;

impl std::fmt::Debug for Directory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Directory").field("applied", &self.applied).finish_non_exhaustive()
    }
}

impl Directory {
    /// An empty memory over `store`, in step with the feed as it is now.
    pub async fn open(store: Arc<Store>, now: Timestamp) -> Result<Self, StoreError> {
        let head = store.read(|tx| Box::pin(change::head(tx))).await?;
        Ok(Self {
            store,
            principals: Shelf::new(100_000),
            policies: Shelf::new(10_000),
            credentials: Shelf::new(100_000),
            sessions: Shelf::new(20_000),
            accounts: Shelf::new(1_000),
            first: OnceLock::new(),
            providers: Shelf::new(4_096),
            instances: Shelf::new(4_096),
            suffixes: OnceLock::new(),
            rules: Shelf::new(4_096),
            public: shelf::Shelf::new(65_536),
            owned: Shelf::new(128),
            guards: Shelf::new(1_000),
            applied: AtomicI64::new(head),
            looked: AtomicI64::new(now.millis()),
            applying: Mutex::new(()),
            following: tokio::sync::Mutex::new(()),
            turns: Turns::new(),
            listeners: Mutex::new(Vec::new()),
            meters: FeedMeters::default(),
        })
    }

    /// Below these domains host names speak of instances, as Alibaba Cloud's do. Said once, before the first request.
    pub fn name_hosts_below(&self, suffixes: Vec<String>) {
        if self.suffixes.set(suffixes).is_err() {
            tracing::error!("below which domains hosts are named was said before");
        }
    }

    /// Tells `listener` of every change from now on, before any answer can depend on it.
    pub fn listen(&self, listener: Listener) {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    /// What is counted of following the feed.
    pub const fn meters(&self) -> &FeedMeters {
        &self.meters
    }

    /// How often each part of the memory was asked and had the answer.
    pub fn tallies(&self) -> [(&'static str, &Tally); 10] {
        [
            ("principals", self.principals.tally()),
            ("policies", self.policies.tally()),
            ("credentials", self.credentials.tally()),
            ("sessions", self.sessions.tally()),
            ("accounts", self.accounts.tally()),
            ("providers", self.providers.tally()),
            ("instances", self.instances.tally()),
            ("network_rules", self.rules.tally()),
            ("resource_policies", self.owned.tally()),
            ("visibility", self.public.tally()),
        ]
    }

    /// Remembers a credential that was found by its secret, with the feed's number at that moment.
    pub fn remember_credential(&self, head: i64, found: &Arc<Credential>) {
        self.keep(head, || self.credentials.insert(found.id, Arc::clone(found)));
    }

    /// Is this an account that is not suspended?
    pub async fn holds(&self, id: AccountId) -> Result<bool, StoreError> {
        Ok(self.account(id).await?.is_some_and(|account| account.enabled))
    }

    /// The first account that was made; it stays the first.
    pub async fn first_account(&self) -> Result<Option<AccountId>, StoreError> {
        if let Some(known) = self.first.get() {
            return Ok(Some(*known));
        }
        let found: Result<_, StoreError> = self.store.read(|tx| Box::pin(store::account::first_account(tx))).await;
        Ok(found?.map(|account| *self.first.get_or_init(|| account.id)))
    }

    /// An account.
    pub async fn account(&self, id: AccountId) -> Result<Option<Arc<Account>>, StoreError> {
        self.shelved(&self.accounts, id, |tx| {
            Box::pin(async move { Ok((change::head(tx).await?, store::account::account_by_id(tx, id).await?)) })
        })
        .await
    }

    /// A credential.
    pub async fn credential(&self, id: CredentialId) -> Result<Option<Arc<Credential>>, StoreError> {
        self.shelved(&self.credentials, id, |tx| {
            Box::pin(async move { Ok((change::head(tx).await?, store::credential::by_id(tx, id).await?)) })
        })
        .await
    }

    /// An OIDC provider.
    pub async fn provider(&self, id: ProviderId) -> Result<Option<Arc<Provider>>, StoreError> {
        self.shelved(&self.providers, id, |tx| {
            Box::pin(async move { Ok((change::head(tx).await?, store::provider::by_id(tx, id).await?)) })
        })
        .await
    }

    /// The instance that a host name (without its port) chooses.
    pub async fn instance(&self, host: &str) -> Result<Option<Arc<Instance>>, StoreError> {
        Ok(self.entrance(host).await?.map(|entrance| Arc::clone(&entrance.instance)))
    }

    /// The same with its network rules.
    pub(crate) async fn entrance(&self, host: &str) -> Result<Option<Arc<Entrance>>, StoreError> {
        let _turn = match self.look(&self.instances, host).await? {
            Found::Known(known) => return Ok(Some(known)),
            Found::Missing(turn) => turn,
        };
        let suffixes = self.suffixes.get().map_or(&[][..], Vec::as_slice);
        let read = self.store.read(|tx| {
            Box::pin(async move {
                let found = entrance(tx, host, suffixes).await?;
                let owned = match found.as_ref().map(|entrance| &entrance.instance.on) {
                    Some(on) if !self.owned.has(&on.id) => Some(OwnedPolicies::load(tx, on).await?),
                    _ => None,
                };
                Ok((change::head(tx).await?, found, owned))
            })
        });
        let (head, found, owned): (i64, Option<Entrance>, Option<OwnedPolicies>) = read.await?;
        let Some(entrance) = found.map(Arc::new) else { return Ok(None) };
        self.keep(head, || {
            self.instances.insert(host.into(), Arc::clone(&entrance));
            if let Some(owned) = owned {
                self.owned.insert(entrance.instance.on.id, Arc::new(owned));
            }
        });
        Ok(Some(entrance))
    }

    /// An instance's network rules.
    pub(crate) async fn rules(&self, id: InstanceId) -> Result<Arc<Rules>, StoreError> {
        if let Some(known) = self.rules.get(&id) {
            return Ok(known);
        }
        let load = self.shelved(&self.rules, id, |tx| Box::pin(async move { Ok((change::head(tx).await?, Some(rules(tx, id).await?))) }));
        load.await?.ok_or_else(|| StoreError::corrupt("endpoint"))
    }

    /// May anybody read this repository?
    pub async fn is_public(&self, instance: InstanceId, name: &RepositoryName) -> Result<bool, StoreError> {
        let key = (instance, name.clone());
        let _turn = match self.look(&self.public, &key).await? {
            Found::Known(known) => return Ok(known),
            Found::Missing(turn) => turn,
        };
        let (head, public) = self
            .store
            .read(|tx| {
                Box::pin(
                    async move { Ok::<_, StoreError>((change::head(tx).await?, store::namespace::is_public(tx, instance, name).await?)) },
                )
            })
            .await?;
        self.keep(head, || self.public.insert(key, public));
        Ok(public)
    }

    /// The policies of an instance's namespaces and repositories.
    pub(crate) async fn owned(&self, instance: &Arc<OnInstance>) -> Result<Option<Arc<OwnedPolicies>>, StoreError> {
        self.shelved(&self.owned, instance.id, |tx| {
            Box::pin(async move { Ok((change::head(tx).await?, Some(OwnedPolicies::load(tx, instance).await?))) })
        })
        .await
    }

    /// The instances of an account, from the database.
    pub(crate) async fn instances_of(&self, account: AccountId) -> Result<Vec<Instance>, StoreError> {
        self.store.read(|tx| Box::pin(store::instance::list(tx, account))).await
    }

    /// Some of an account's roles, by their ids, with whom each trusts: from the database.
    pub(crate) async fn trusts(&self, account: AccountId, after: i64, limit: i64) -> Result<Vec<(PrincipalId, TrustDocument)>, StoreError> {
        let found: Vec<(PrincipalId, String)> = self.store.scan(|tx| Box::pin(store::role::trusts(tx, account, after, limit))).await?;
        let read = |(id, text): (PrincipalId, String)| match policy::ram::parse_trust(account, &text) {
            Ok(trust) => Ok((id, trust)),
            Err(_) => Err(StoreError::corrupt("role.trust")),
        };
        found.into_iter().map(read).collect()
    }

    /// From the shelf, else loaded together with the feed's head at that moment.
    async fn shelved<'c, K: Hash + Eq + Clone, V: Send>(
        &'c self,
        kept: &Shelf<K, V>,
        key: K,
        load: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, (i64, Option<V>), StoreError> + Send + Sync,
    ) -> Result<Option<Arc<V>>, StoreError> {
        let _turn = match self.look(kept, &key).await? {
            Found::Known(known) => return Ok(Some(known)),
            Found::Missing(turn) => turn,
        };
        let (head, value) = self.store.read(load).await?;
        let value = value.map(Arc::new);
        if let Some(value) = &value {
            self.keep(head, || kept.insert(key, Arc::clone(value)));
        }
        Ok(value)
    }

    /// What a shelf has; else the turn to load it: one loads, and whoever waited for that finds it there.
    async fn look<K: Hash + Eq, V: Clone, Q: Hash + Equivalent<K> + ?Sized>(
        &self,
        kept: &shelf::Shelf<K, V>,
        key: &Q,
    ) -> Result<Found<'_, V>, StoreError> {
        if let Some(known) = kept.get(key) {
            return Ok(Found::Known(known));
        }
        let turn = self.turns.take(key).await?;
        let loaded = if kept.has(key) { kept.get(key) } else { None };
        Ok(loaded.map_or(Found::Missing(turn), Found::Known))
    }

    /// Keeps what was read at `head`, unless a younger change has been applied since.
    fn keep(&self, head: i64, insert: impl FnOnce()) {
        let _guard = self.applying.lock().unwrap_or_else(PoisonError::into_inner);
        if self.applied.load(Ordering::Acquire) <= head {
            insert();
        }
    }
}

async fn entrance(tx: &mut Tx<'_>, host: &str, suffixes: &[String]) -> Result<Option<Entrance>, StoreError> {
    let Some(instance) = crate::hosts::chosen(tx, host, suffixes).await? else { return Ok(None) };
    let rules = rules(tx, instance.on.id).await?;
    Ok(Some(Entrance { instance: Arc::new(instance), rules }))
}

async fn rules(tx: &mut Tx<'_>, id: InstanceId) -> Result<Rules, StoreError> {
    Rules::read(&store::network::of_instance(tx, id).await?)
}
