//! What this node knows from memory: principals with their policies, credentials, instances, what is public.
//!
//! Everything here is loaded when first needed, bounded, and forgotten when the change feed says so. A load that a change
//! overtook is thrown away, so that nothing older than the feed's last look is ever believed.

use std::hash::Hash;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use meter::{Stopwatch, Tally};
use model::{AccountId, CredentialId, InstanceId, OnInstance, PolicyId, PrincipalId, PrincipalKind, ProviderId, RepositoryName, Timestamp};
use policy::TrustDocument;
use store::account::{Account, Principal};
use store::change::{self, Change, Entry};
use store::credential::Credential;
use store::instance::Instance;
use store::provider::Provider;
use store::{Store, StoreError, Tx, Work};
use tokio::time::timeout;

use crate::meters::FeedMeters;
use crate::owned::OwnedPolicies;
use crate::rules::Entrance;
use crate::shelf;
use crate::turns::Turns;
use crate::{Refusal, Rules};

/// How long a node may go without a look at the change feed before it must not decide anything.
const FRESH_MS: i64 = 1000;
/// How long a request waits for a late look at the feed, behind others that wait for the same.
const FRESH_PATIENCE: Duration = Duration::from_secs(1);
/// How long one look may take before its connection is given up.
const LOOK_PATIENCE: Duration = Duration::from_secs(2);
/// A look at the feed so long ago that it says nothing.
const NEVER: i64 = 0;
/// Changes read in one go.
const PAGE: i64 = 1000;

/// Policies that are attached: by id, or built in by name.
pub type Attached = Vec<(Arc<str>, Option<PolicyId>)>;

/// A principal and the names of what is attached to it.
#[derive(Debug)]
pub struct PrincipalRights {
    /// The principal.
    pub id: PrincipalId,
    /// Its account.
    pub account: AccountId,
    /// What kind.
    pub kind: PrincipalKind,
    /// Its name.
    pub name: Arc<str>,
    /// Disabled principals are nobody.
    pub enabled: bool,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
    /// An admin user's one instance.
    pub instance: Option<InstanceId>,
    /// Its policies: by id, or built in by name.
    pub policies: Attached,
    /// The groups it is in, whose policies it has too.
    pub groups: Vec<PrincipalId>,
}

impl PrincipalRights {
    /// Is it somebody now? (Its account is asked for by [`Directory::somebody`].)
    pub fn holds(&self, now: Timestamp) -> bool {
        self.enabled && self.expires.is_none_or(|end| end > now)
    }
}

/// A role that is assumed for a while.
#[derive(Debug)]
pub struct SessionRights {
    /// What whoever assumed it called it.
    pub name: Arc<str>,
    /// Who is behind it, as whoever assumed it says.
    pub source_identity: Option<Arc<str>>,
    /// What bounds the role's rights; none: nothing.
    pub policy: Option<policy::Document>,
    /// The keyed hash of its security token.
    pub token_hash: [u8; 32],
    /// The credential that assumed it: the session ends with it.
    pub parent: Option<CredentialId>,
}

/// A policy's document in force.
#[derive(Debug)]
pub(crate) struct InForce {
    pub(crate) document: policy::Document,
}

/// A principal with what its rights are decided by.
struct Loaded {
    rights: PrincipalRights,
    groups: Vec<PrincipalRights>,
    policies: Vec<(PolicyId, InForce)>,
    account: Option<Account>,
    guards: Option<(Attached, Vec<(PolicyId, InForce)>)>,
}

type Shelf<K, V> = shelf::Shelf<K, Arc<V>>;

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

    /// Looks at the change feed and forgets what has changed. A background job calls it each 250 ms; a use case calls it
    /// after its own change, so that the change is in force here before it is answered.
    pub async fn follow(&self, now: Timestamp) -> Result<(), StoreError> {
        let watch = Stopwatch::start();
        let _one_at_a_time = self.following.lock().await;
        loop {
            let from = self.applied.load(Ordering::Acquire);
            let look = self.store.read_first(|tx| Box::pin(head_and_since(tx, from)));
            let (head, changes) =
                timeout(LOOK_PATIENCE, look).await.map_err(|_| StoreError::Unavailable("the change feed does not answer".into()))??;
            let next = changes.first().map(|entry| entry.seq);
            if head < from || (head > from && next != Some(from + 1)) {
                // Numbers have no gaps: rows are gone (restored from a backup, or pruned while this node slept).
                self.forget_everything(head);
                continue;
            }
            self.apply(&changes);
            self.note_lag(&changes, now, watch);
            if changes.len() < usize::try_from(PAGE).unwrap_or(usize::MAX) {
                break;
            }
        }
        if now.millis() <= self.looked.load(Ordering::Acquire) - FRESH_MS {
            // The clock stepped back: what it showed before says nothing of how fresh this is.
            self.looked.store(now.millis(), Ordering::Release);
        }
        self.looked.fetch_max(now.millis(), Ordering::AcqRel);
        Ok(())
    }

    /// Follows after a change that is committed. It stands, whether this node can see it now or not: if not, this node decides
    /// nothing until it has looked again.
    pub async fn follow_own(&self, now: Timestamp) {
        if let Err(error) = self.follow(now).await {
            tracing::error!(%error, "a change is stored, but the feed does not answer: this node waits for it");
            self.looked.store(NEVER, Ordering::Release);
        }
    }

    /// Starts anew at `head`: nothing that was known before is believed.
    fn forget_everything(&self, head: i64) {
        tracing::warn!(head, "the change feed has a gap: everything is read again");
        self.meters.gaps.inc();
        let _guard = self.applying.lock().unwrap_or_else(PoisonError::into_inner);
        let listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        self.forget(None);
        listeners.iter().for_each(|tell| tell(None));
        self.applied.store(head, Ordering::Release);
    }

    /// How long after each change began it is in force here; clocks of nodes that differ show as more or less of it.
    fn note_lag(&self, changes: &[Entry], now: Timestamp, watch: Stopwatch) {
        for entry in changes {
            let before = u64::try_from(now.millis_since(entry.at)).unwrap_or(0);
            self.meters.applied.took(Duration::from_millis(before) + watch.elapsed());
        }
    }

    fn apply(&self, changes: &[Entry]) {
        let _guard = self.applying.lock().unwrap_or_else(PoisonError::into_inner);
        let listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        for Entry { seq, change, .. } in changes {
            self.forget(*change);
            listeners.iter().for_each(|tell| tell(*change));
            self.applied.store(*seq, Ordering::Release);
        }
    }

    fn forget(&self, change: Option<Change>) {
        match change {
            Some(Change::Account(id)) => {
                self.accounts.remove(&AccountId::from_i64(id));
                self.guards.remove(&AccountId::from_i64(id));
                // Its domains say of whose instances host names speak.
                self.instances.clear();
            }
            Some(Change::Principal(id)) => self.principals.remove(&PrincipalId::from_i64(id)),
            Some(Change::Credential(id)) => {
                self.credentials.remove(&CredentialId::from_i64(id));
                self.sessions.remove(&CredentialId::from_i64(id));
            }
            Some(Change::Policy(id)) => self.policies.remove(&PolicyId::from_i64(id)),
            Some(Change::Instance(id)) => {
                self.instances.clear();
                // How they are named follows its name.
                self.owned.remove(&InstanceId::from_i64(id));
            }
            Some(Change::Endpoints(id)) => {
                self.instances.clear();
                self.rules.remove(&InstanceId::from_i64(id));
            }
            Some(Change::Visibility(_)) => self.public.clear(),
            Some(Change::ResourcePolicy(id)) => self.owned.remove(&InstanceId::from_i64(id)),
            Some(Change::Provider(id)) => self.providers.remove(&ProviderId::from_i64(id)),
            Some(Change::IssuerKeys(_) | Change::SigningKeys) => {}
            None => {
                self.principals.clear();
                self.credentials.clear();
                self.sessions.clear();
                self.accounts.clear();
                self.policies.clear();
                self.providers.clear();
                self.instances.clear();
                self.rules.clear();
                self.public.clear();
                self.owned.clear();
                self.guards.clear();
            }
        }
    }

    /// Fails when this node has not seen the change feed for a second, after one more try: a stale node decides nothing.
    pub async fn fresh(&self, now: Timestamp) -> Result<(), Refusal> {
        if !self.is_stale(now) {
            return Ok(());
        }
        timeout(FRESH_PATIENCE, Box::pin(self.follow(now))).await.map_err(|_| Refusal::Unavailable)?.map_err(Refusal::from)
    }

    /// Is the last look at the feed older than a second?
    pub fn is_stale(&self, now: Timestamp) -> bool {
        now.millis() - self.looked.load(Ordering::Acquire) > FRESH_MS
    }

    /// The newest change that is applied here.
    pub fn applied(&self) -> i64 {
        self.applied.load(Ordering::Acquire)
    }

    /// Milliseconds since the last look at the feed.
    pub fn lag(&self, now: Timestamp) -> i64 {
        now.millis() - self.looked.load(Ordering::Acquire)
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

    /// A principal and what is attached to it. What its rights are decided by comes with it in one read: its groups, its account,
    /// and the documents that are not known yet.
    pub async fn principal(&self, id: PrincipalId) -> Result<Option<Arc<PrincipalRights>>, StoreError> {
        if let Some(known) = self.principals.get(&id) {
            return Ok(Some(known));
        }
        let _turn = self.turns.take(&id).await?;
        if self.principals.has(&id)
            && let Some(known) = self.principals.get(&id)
        {
            return Ok(Some(known));
        }
        let read = self.store.read(|tx| Box::pin(async move { Ok((change::head(tx).await?, self.load(tx, id).await?)) }));
        let (head, loaded): (i64, _) = read.await?;
        let Some(loaded) = loaded else { return Ok(None) };
        let rights = Arc::new(loaded.rights);
        self.keep(head, || {
            self.principals.insert(id, Arc::clone(&rights));
            loaded.groups.into_iter().for_each(|group| self.principals.insert(group.id, Arc::new(group)));
            loaded.policies.into_iter().for_each(|(id, policy)| self.policies.insert(id, Arc::new(policy)));
            loaded.account.into_iter().for_each(|account| self.accounts.insert(account.id, Arc::new(account)));
            if let Some((guards, policies)) = loaded.guards {
                self.guards.insert(rights.account, Arc::new(guards));
                for (id, policy) in policies {
                    self.policies.insert(id, Arc::new(policy));
                }
            }
        });
        Ok(Some(rights))
    }

    async fn load(&self, tx: &mut Tx<'_>, id: PrincipalId) -> Result<Option<Loaded>, StoreError> {
        let Some(rights) = rights(tx, id).await? else { return Ok(None) };
        let mut groups = Vec::new();
        for group in rights.groups.iter().filter(|group| !self.principals.has(*group)) {
            groups.extend(self::rights(tx, *group).await?);
        }
        let policies = self.unknown(tx, groups.iter().chain([&rights]).flat_map(|holder| &holder.policies)).await?;
        let account = if self.accounts.has(&rights.account) { None } else { store::account::account_by_id(tx, rights.account).await? };
        let guards = if self.guards.has(&rights.account) {
            None
        } else {
            let guards = named(store::guard::of_account(tx, rights.account).await?);
            let policies = self.unknown(tx, guards.iter()).await?;
            Some((guards, policies))
        };
        Ok(Some(Loaded { rights, groups, policies, account, guards }))
    }

    /// The documents that are not known yet, of those that are attached.
    async fn unknown<'a>(
        &self,
        tx: &mut Tx<'_>,
        attached: impl Iterator<Item = &'a (Arc<str>, Option<PolicyId>)>,
    ) -> Result<Vec<(PolicyId, InForce)>, StoreError> {
        let mut policies = Vec::new();
        for (_, policy) in attached {
            let Some(policy) = policy.filter(|policy| !self.policies.has(policy)) else { continue };
            policies.extend(in_force(tx, policy).await?.map(|found| (policy, found)));
        }
        Ok(policies)
    }

    /// Remembers a credential that was found by its secret, with the feed's number at that moment.
    pub fn remember_credential(&self, head: i64, found: &Arc<Credential>) {
        self.keep(head, || self.credentials.insert(found.id, Arc::clone(found)));
    }

    /// A principal, if it is somebody now: enabled, not at its end, in an account that is not suspended.
    pub async fn somebody(&self, id: PrincipalId, now: Timestamp) -> Result<Option<Arc<PrincipalRights>>, StoreError> {
        let Some(rights) = self.principal(id).await?.filter(|rights| rights.holds(now)) else { return Ok(None) };
        let account = self.account(rights.account).await?;
        Ok(account.is_some_and(|account| account.enabled).then_some(rights))
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

    /// A role's session, by its key.
    pub async fn session(&self, key: CredentialId) -> Result<Option<Arc<SessionRights>>, StoreError> {
        self.shelved(&self.sessions, key, |tx| Box::pin(async move { Ok((change::head(tx).await?, session(tx, key).await?)) })).await
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
        if let Some(known) = self.instances.get(host) {
            return Ok(Some(known));
        }
        let _turn = self.turns.take(host).await?;
        if self.instances.has(host)
            && let Some(known) = self.instances.get(host)
        {
            return Ok(Some(known));
        }
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
        if let Some(known) = self.public.get(&key) {
            return Ok(known);
        }
        let _turn = self.turns.take(&key).await?;
        if self.public.has(&key)
            && let Some(known) = self.public.get(&key)
        {
            return Ok(known);
        }
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

    /// What bounds everybody in an account.
    pub(crate) async fn guards(&self, account: AccountId) -> Result<Option<Arc<Attached>>, StoreError> {
        self.shelved(&self.guards, account, |tx| {
            Box::pin(async move { Ok((change::head(tx).await?, Some(named(store::guard::of_account(tx, account).await?)))) })
        })
        .await
    }

    /// A policy's document in force. `Corrupt` when its text no longer reads: that must never widen a right.
    pub(crate) async fn in_force(&self, id: PolicyId) -> Result<Option<Arc<InForce>>, StoreError> {
        self.shelved(&self.policies, id, |tx| Box::pin(async move { Ok((change::head(tx).await?, in_force(tx, id).await?)) })).await
    }

    /// From the shelf, else loaded together with the feed's head at that moment.
    async fn shelved<'c, K: Hash + Eq + Clone, V: Send>(
        &'c self,
        kept: &Shelf<K, V>,
        key: K,
        load: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, (i64, Option<V>), StoreError> + Send + Sync,
    ) -> Result<Option<Arc<V>>, StoreError> {
        if let Some(known) = kept.get(&key) {
            return Ok(Some(known));
        }
        let _turn = self.turns.take(&key).await?;
        if kept.has(&key)
            && let Some(known) = kept.get(&key)
        {
            return Ok(Some(known));
        }
        let (head, value) = self.store.read(load).await?;
        let value = value.map(Arc::new);
        if let Some(value) = &value {
            self.keep(head, || kept.insert(key, Arc::clone(value)));
        }
        Ok(value)
    }

    /// Keeps what was read at `head`, unless a younger change has been applied since.
    fn keep(&self, head: i64, insert: impl FnOnce()) {
        let _guard = self.applying.lock().unwrap_or_else(PoisonError::into_inner);
        if self.applied.load(Ordering::Acquire) <= head {
            insert();
        }
    }
}

async fn head_and_since(tx: &mut Tx<'_>, from: i64) -> Result<(i64, Vec<Entry>), StoreError> {
    Ok((change::head(tx).await?, change::since(tx, from, PAGE).await?))
}

async fn rights(tx: &mut Tx<'_>, id: PrincipalId) -> Result<Option<PrincipalRights>, StoreError> {
    let Some(p) = store::account::principal_by_id(tx, id).await? else { return Ok(None) };
    let attached = store::policy::attachments(tx, id).await?;
    let policies = named(attached);
    let groups = store::account::groups_of(tx, id).await?.into_iter().map(|group| group.id).collect();
    let Principal { account, kind, name, enabled, expires, instance, .. } = p;
    Ok(Some(PrincipalRights { id, account, kind, name, enabled, expires, instance, policies, groups }))
}

fn named(attached: Vec<store::policy::Attachment>) -> Attached {
    attached.into_iter().map(|a| (Arc::from(a.name), a.policy)).collect()
}

async fn session(tx: &mut Tx<'_>, key: CredentialId) -> Result<Option<SessionRights>, StoreError> {
    let Some(s) = store::role::session(tx, key).await? else { return Ok(None) };
    let read = |text: String| policy::ram::parse(&text).map_err(|_| StoreError::corrupt("session.policy"));
    Ok(Some(SessionRights {
        name: s.name.into(),
        source_identity: s.source_identity.map(Into::into),
        policy: s.policy.map(read).transpose()?,
        token_hash: s.token_hash,
        parent: s.parent,
    }))
}

async fn entrance(tx: &mut Tx<'_>, host: &str, suffixes: &[String]) -> Result<Option<Entrance>, StoreError> {
    let Some(instance) = crate::hosts::chosen(tx, host, suffixes).await? else { return Ok(None) };
    let rules = rules(tx, instance.on.id).await?;
    Ok(Some(Entrance { instance: Arc::new(instance), rules }))
}

async fn rules(tx: &mut Tx<'_>, id: InstanceId) -> Result<Rules, StoreError> {
    Rules::read(&store::network::of_instance(tx, id).await?)
}

async fn in_force(tx: &mut Tx<'_>, id: PolicyId) -> Result<Option<InForce>, StoreError> {
    let Some((_, text)) = store::policy::document(tx, id).await? else { return Ok(None) };
    let document = policy::ram::parse(&text).map_err(|_| StoreError::corrupt("policy_version.document"))?;
    Ok(Some(InForce { document }))
}
