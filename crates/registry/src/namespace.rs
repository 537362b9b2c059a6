//! Namespaces as things to manage.

use access::{Audit, Permit, Record, audit};
use model::{InstanceId, NamespaceId, OnNamespace, Timestamp, act};
use store::change::{self, Change};
use store::namespace::{self, Namespace, Settings};
use store::resource_policy::{self, Owner};
use store::tag_rule;
use store::{StoreError, Tx};

use crate::catalog::{Page, one_more, page_size, printable};
use crate::push_target::DEFAULTS;
use crate::quota::one_more_namespace;
use crate::{Limits, Registry, RegistryError};

/// A new namespace's settings; what is not said is private, makes repositories on push, and has whole indexes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NewNamespace(pub Settings);

impl Default for NewNamespace {
    fn default() -> Self {
        Self(DEFAULTS)
    }
}

/// What is to change of a namespace; none stays as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct NamespaceChanges {
    /// May anybody read its repositories?
    pub public: Option<bool>,
    /// May a push make its repository?
    pub auto_create_repository: Option<bool>,
    /// May an index name manifests that are not there?
    pub sparse_indexes: Option<bool>,
    /// Is a repository public that is made without saying so?
    pub default_public: Option<bool>,
    /// Are all tags of a repository immutable that is made without saying so?
    pub default_immutable_tags: Option<bool>,
}

impl NamespaceChanges {
    /// Settings with these changes.
    #[must_use]
    pub fn apply(self, to: Settings) -> Settings {
        Settings {
            public: self.public.unwrap_or(to.public),
            auto_create_repository: self.auto_create_repository.unwrap_or(to.auto_create_repository),
            sparse_indexes: self.sparse_indexes.unwrap_or(to.sparse_indexes),
            default_public: self.default_public.unwrap_or(to.default_public),
            default_immutable_tags: self.default_immutable_tags.unwrap_or(to.default_immutable_tags),
        }
    }
}

impl Registry {
    /// Creates a namespace.
    pub async fn create_namespace(&self, permit: Permit<act::CreateNamespace>, new: NewNamespace) -> Result<Namespace, RegistryError> {
        let now = permit.op().now;
        let id = NamespaceId::from_random((self.random)());
        let namespace = Namespace { id, name: permit.on().name.clone(), settings: new.0, created: now };
        let (on, record) = (permit.on(), permit.success());
        self.store.write(|tx| Box::pin(create(tx, (on, self.limits), &namespace, (self.audit(), &record)))).await?;
        self.in_force(now).await;
        Ok(namespace)
    }

    /// A namespace.
    pub async fn show_namespace(&self, permit: Permit<act::GetNamespace>) -> Result<Namespace, RegistryError> {
        let on = permit.on();
        self.store.read(|tx| Box::pin(find(tx, on))).await
    }

    /// An instance's namespaces by name, behind `after`, at most `n`.
    pub async fn list_namespaces(
        &self,
        permit: Permit<act::ListNamespace>,
        n: Option<usize>,
        after: Option<&str>,
    ) -> Result<Page<Namespace>, RegistryError> {
        let (instance, n, after) = (permit.on().id, page_size(n), printable(after));
        let read = self.store.read(|tx| Box::pin(namespace::list(tx, instance, after, one_more(n)))).await?;
        Ok(Page::of(read, n))
    }

    /// Changes a namespace's settings.
    pub async fn update_namespace(
        &self,
        permit: Permit<act::UpdateNamespace>,
        changes: NamespaceChanges,
    ) -> Result<Namespace, RegistryError> {
        let (on, now) = (permit.on(), permit.op().now);
        let record = permit.success();
        let updated = self.store.write(|tx| Box::pin(update(tx, on, (changes, now), (self.audit(), &record)))).await?;
        self.in_force(now).await;
        Ok(updated)
    }

    /// Deletes a namespace that has no repositories.
    pub async fn delete_namespace(&self, permit: Permit<act::DeleteNamespace>) -> Result<(), RegistryError> {
        let (on, now) = (permit.on(), permit.op().now);
        let record = permit.success();
        self.store.write(|tx| Box::pin(delete(tx, on, now, (self.audit(), &record)))).await?;
        self.in_force(now).await;
        Ok(())
    }
}

async fn create(
    tx: &mut Tx<'_>,
    (on, limits): (&OnNamespace, Limits),
    new: &Namespace,
    (audit, record): (&Audit, &Record),
) -> Result<(), RegistryError> {
    if !namespace::insert(tx, on.instance.id, new).await? {
        return Err(RegistryError::Exists);
    }
    one_more_namespace(tx, on.instance.id, limits).await?;
    if new.settings.public {
        tell(tx, on.instance.id, new.created).await?;
    }
    Ok(audit::write(tx, audit, record).await?)
}

pub(crate) async fn find(tx: &mut Tx<'_>, on: &OnNamespace) -> Result<Namespace, RegistryError> {
    namespace::by_name(tx, on.instance.id, &on.name).await?.ok_or(RegistryError::NameUnknown)
}

async fn update(
    tx: &mut Tx<'_>,
    on: &OnNamespace,
    (changes, now): (NamespaceChanges, Timestamp),
    (audit, record): (&Audit, &Record),
) -> Result<Namespace, RegistryError> {
    let mut namespace = find(tx, on).await?;
    let was = namespace.settings;
    namespace.settings = changes.apply(was);
    namespace::update(tx, namespace.id, namespace.settings).await?;
    if was.public != namespace.settings.public {
        tell(tx, on.instance.id, now).await?;
    }
    audit::write(tx, audit, record).await?;
    Ok(namespace)
}

async fn delete(tx: &mut Tx<'_>, on: &OnNamespace, now: Timestamp, (audit, record): (&Audit, &Record)) -> Result<(), RegistryError> {
    let namespace = find(tx, on).await?;
    forget_policy(tx, on.instance.id, Owner::Namespace(namespace.id), now).await?;
    tag_rule::delete_all(tx, namespace.id).await?;
    if !namespace::delete_empty(tx, namespace.id).await? {
        return Err(RegistryError::NotEmpty);
    }
    store::usage::remove_namespace(tx, on.instance.id).await?;
    if namespace.settings.public {
        tell(tx, on.instance.id, now).await?;
    }
    Ok(audit::write(tx, audit, record).await?)
}

/// Deletes the policy of what is being deleted, if it has one: whoever takes its name begins without.
pub(crate) async fn forget_policy(tx: &mut Tx<'_>, instance: InstanceId, owner: Owner, now: Timestamp) -> Result<(), StoreError> {
    if resource_policy::delete(tx, owner).await? {
        change::append(tx, now, Change::ResourcePolicy(instance.as_i64())).await?;
    }
    Ok(())
}

/// Tells every node that what is public in an instance has changed.
pub(crate) async fn tell(tx: &mut Tx<'_>, instance: InstanceId, now: Timestamp) -> Result<(), StoreError> {
    change::append(tx, now, Change::Visibility(instance.as_i64())).await
}
