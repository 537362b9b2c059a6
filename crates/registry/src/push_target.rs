//! Where a push goes: the repository, made on the way where its namespace and instance allow it.

use std::sync::atomic::{AtomicBool, Ordering};

use access::Permit;
use model::{ImmutableTags, Lock, Locks, NamespaceId, NamespaceName, OnRepository, RepositoryId, Timestamp, act};
use store::namespace::{Namespace, Settings};
use store::repository::{Repository, Target};
use store::{StoreError, Tx};

use crate::namespace::tell;
use crate::protection::Protection;
use crate::quota::{one_more_namespace, one_more_repository};
use crate::{Limits, Registry, RegistryError};

/// What a push needs to find or make its repository: drawn before the transaction, because that may run again.
#[derive(Debug)]
pub(crate) struct Destination {
    pub(crate) on: OnRepository,
    namespace: NamespaceId,
    repository: RepositoryId,
    now: Timestamp,
    limits: Limits,
    /// Has it made a repository that anybody may read?
    made_public: AtomicBool,
}

/// What a namespace is like when nobody has said.
pub(crate) const DEFAULTS: Settings =
    Settings { public: false, auto_create_repository: true, sparse_indexes: false, default_public: false, default_immutable_tags: false };
/// What a repository that a push has made says of itself: a cloud's words, that its clients know.
const MADE_BY_PUSH: &str = "Automatically created repository";

impl Registry {
    pub(crate) fn destination(&self, permit: &Permit<act::PushRepository>) -> Destination {
        Destination {
            on: permit.on().clone(),
            namespace: NamespaceId::from_random((self.random)()),
            repository: RepositoryId::from_random((self.random)()),
            now: permit.op().now,
            limits: self.limits,
            made_public: AtomicBool::new(false),
        }
    }

    /// After the transaction: lets what is public be so on this node before anybody is answered.
    pub(crate) async fn settled(&self, destination: &Destination) {
        if destination.made_public.load(Ordering::Relaxed) {
            self.in_force(destination.now).await;
        }
    }
}

impl Destination {
    pub(crate) const fn now(&self) -> Timestamp {
        self.now
    }

    /// The repository, if it is there; and if so, it is not locked against writing.
    pub(crate) async fn find(&self, tx: &mut Tx<'_>) -> Result<Option<Target>, RegistryError> {
        let found: Result<_, StoreError> = store::repository::target(tx, self.on.instance.id, &self.on.name).await;
        match found? {
            Some(target) if target.read_only => Err(Protection::Repository { name: self.on.name.clone(), lock: Lock::Write }.into()),
            found => Ok(found),
        }
    }

    /// The repository, made if it is not there. Making one grants nothing to anybody but what its namespace says of new ones.
    pub(crate) async fn ensure(&self, tx: &mut Tx<'_>) -> Result<Target, RegistryError> {
        if let Some(target) = self.find(tx).await? {
            return Ok(target);
        }
        let namespace = self.ensure_namespace(tx).await?;
        if !namespace.settings.auto_create_repository {
            return Err(RegistryError::RepositoryUnknown(self.on.name.clone()));
        }
        if store::repository::insert(tx, &self.new_repository(&namespace)).await? {
            one_more_repository(tx, &self.on, self.limits).await?;
            if namespace.settings.default_public {
                tell(tx, self.on.instance.id, self.now).await?;
                self.made_public.store(true, Ordering::Relaxed);
            }
        }
        self.find(tx).await?.ok_or(RegistryError::Conflict)
    }

    async fn ensure_namespace(&self, tx: &mut Tx<'_>) -> Result<Namespace, RegistryError> {
        let (instance, name) = (self.on.instance.id, self.on.name.namespace());
        if let Some(namespace) = store::namespace::by_name(tx, instance, &name).await? {
            return Ok(namespace);
        }
        let settings = store::instance::by_id(tx, instance).await?.ok_or(RegistryError::NameUnknown)?;
        // A first segment may be longer than a namespace's name may be.
        if !settings.auto_create_namespace || NamespaceName::parse(name.as_str()).is_err() {
            return Err(RegistryError::NamespaceUnknown(name));
        }
        let new = Namespace { id: self.namespace, name: name.clone(), settings: DEFAULTS, created: self.now };
        if store::namespace::insert(tx, instance, &new).await? {
            one_more_namespace(tx, instance, self.limits).await?;
        }
        store::namespace::by_name(tx, instance, &name).await?.ok_or(RegistryError::Conflict)
    }

    fn new_repository(&self, namespace: &Namespace) -> Repository {
        Repository {
            id: self.repository,
            account: self.on.instance.account,
            instance: self.on.instance.id,
            namespace: namespace.id,
            name: self.on.name.clone(),
            public: namespace.settings.default_public,
            summary: MADE_BY_PUSH.to_owned(),
            description: String::new(),
            locks: Locks::default(),
            immutable_tags: namespace.settings.default_immutable_tags.then(ImmutableTags::all),
            created: self.now,
            updated: self.now,
        }
    }
}
