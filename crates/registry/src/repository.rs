//! Repositories as things to manage.

use access::{Audit, Permit, Record, audit};
use model::{Glob, ImmutableTags, Locks, OnNamespace, OnRepository, RepositoryId, Timestamp, UploadId, act};
use store::Tx;
use store::repository::{self, Repository};
use store::resource_policy::Owner;

use crate::catalog::{Page, one_more, page_size, printable};
use crate::namespace::{forget_policy, tell};
use crate::protection::Guard;
use crate::quota::one_more_repository;
use crate::{Limits, Registry, RegistryError};

/// The longest description, in bytes.
const MAX_DESCRIPTION: usize = 4096;
/// The longest summary, in bytes: a hundred characters of any script.
const MAX_SUMMARY: usize = 400;

/// A new repository's settings.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NewRepository {
    /// May anybody read it? None: as its namespace says of new ones.
    pub public: Option<bool>,
    /// For people, in one line of at most 400 bytes.
    pub summary: String,
    /// For people, at most 4096 bytes.
    pub description: String,
    /// Which of its tags are immutable. None: as its namespace says of new ones.
    pub immutable_tags: Option<Immutability>,
}

/// Which of a repository's tags are immutable by its own setting; none: no tag.
pub type Immutability = Option<ImmutableTags>;

/// What is to change of that.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ImmutabilityChange {
    /// All tags, or not all: where some are, not all is what it is already.
    All(bool),
    /// The patterns, as far as they are given; one that is none goes.
    Patterns {
        /// Which tags. Without them, there are no exceptions either.
        tags: Option<Option<Glob>>,
        /// Save these.
        except: Option<Option<Glob>>,
    },
}

impl ImmutabilityChange {
    fn apply(&self, to: Immutability) -> Immutability {
        let everything = to.as_ref().is_some_and(ImmutableTags::is_everything);
        match self {
            Self::All(all) if *all == everything => to,
            Self::All(true) => Some(ImmutableTags::all()),
            Self::All(false) => None,
            Self::Patterns { tags, except } => {
                let (was, was_except) = to.map_or((None, None), |to| (Some(to.tags), to.except));
                let except = except.clone().unwrap_or(was_except);
                tags.clone().unwrap_or(was).map(|tags| ImmutableTags { tags, except })
            }
        }
    }
}

/// What is to change of a repository; none stays as it is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RepositoryChanges {
    /// May anybody read it?
    pub public: Option<bool>,
    /// For people, in one line of at most 400 bytes.
    pub summary: Option<String>,
    /// For people, at most 4096 bytes.
    pub description: Option<String>,
    /// Which of its tags are immutable?
    pub immutable_tags: Option<ImmutabilityChange>,
}

/// A text that can be kept: no longer than the limit, and without what no database keeps.
fn kept(text: &str, max: usize) -> Result<String, RegistryError> {
    if text.len() > max {
        return Err(RegistryError::TooLarge { limit: max as u64 });
    }
    Ok(text.chars().filter(|c| *c != '\0').collect())
}

impl Registry {
    /// Creates a repository in a namespace that is there.
    pub async fn create_repository(
        &self,
        permit: Permit<act::CreateRepository>,
        mut new: NewRepository,
    ) -> Result<Repository, RegistryError> {
        new.description = kept(&new.description, MAX_DESCRIPTION)?;
        new.summary = kept(&new.summary, MAX_SUMMARY)?;
        let now = permit.op().now;
        let id = RepositoryId::from_random((self.random)());
        let (on, record) = (permit.on(), permit.success());
        let made = (id, &new, now);
        let created = self.write_growing(on, now, |tx| Box::pin(create(tx, (on, self.limits), made, (self.audit(), &record)))).await?;
        self.in_force(now).await;
        Ok(created)
    }

    /// A repository.
    pub async fn show_repository(&self, permit: Permit<act::GetRepository>) -> Result<Repository, RegistryError> {
        let on = permit.on();
        self.store.read(|tx| Box::pin(find(tx, on))).await
    }

    /// A namespace's repositories by name, behind `after`, at most `n`.
    pub async fn list_repositories(
        &self,
        permit: Permit<act::ListRepository>,
        n: Option<usize>,
        after: Option<&str>,
    ) -> Result<Page<Repository>, RegistryError> {
        let (on, n, after) = (permit.on(), page_size(n), printable(after));
        let read = self.store.read(|tx| Box::pin(list(tx, on, after, one_more(n)))).await?;
        Ok(Page::of(read, n))
    }

    /// Changes a repository's settings.
    pub async fn update_repository(
        &self,
        permit: Permit<act::UpdateRepository>,
        mut changes: RepositoryChanges,
    ) -> Result<Repository, RegistryError> {
        changes.description = changes.description.as_deref().map(|text| kept(text, MAX_DESCRIPTION)).transpose()?;
        changes.summary = changes.summary.as_deref().map(|text| kept(text, MAX_SUMMARY)).transpose()?;
        let (on, now) = (permit.on(), permit.op().now);
        let record = permit.success();
        let updated = self.store.write(|tx| Box::pin(update(tx, on, (&changes, now), (self.audit(), &record)))).await?;
        self.in_force(now).await;
        Ok(updated)
    }

    /// Deletes a repository with its tags, manifests, links and uploads.
    pub async fn delete_repository(&self, permit: Permit<act::DeleteRepository>) -> Result<(), RegistryError> {
        let (on, now) = (permit.on(), permit.op().now);
        let record = permit.success();
        let deleted = self.store.write(|tx| Box::pin(delete(tx, on, now, (self.audit(), &record)))).await;
        for (id, state) in self.noting(&permit, deleted).await? {
            self.discard_taken(id, &state).await;
        }
        self.in_force(now).await;
        Ok(())
    }
}

async fn create(
    tx: &mut Tx<'_>,
    (on, limits): (&OnRepository, Limits),
    (id, new, now): (RepositoryId, &NewRepository, Timestamp),
    (audit, record): (&Audit, &Record),
) -> Result<Repository, RegistryError> {
    let name = on.name.namespace();
    let namespace = store::namespace::by_name(tx, on.instance.id, &name).await?.ok_or(RegistryError::NamespaceUnknown(name))?;
    let repository = Repository {
        id,
        account: on.instance.account,
        instance: on.instance.id,
        namespace: namespace.id,
        name: on.name.clone(),
        public: new.public.unwrap_or(namespace.settings.default_public),
        summary: new.summary.clone(),
        description: new.description.clone(),
        locks: Locks::default(),
        immutable_tags: new.immutable_tags.clone().unwrap_or_else(|| namespace.settings.default_immutable_tags.then(ImmutableTags::all)),
        created: now,
        updated: now,
    };
    if !repository::insert(tx, &repository).await? {
        return Err(RegistryError::Exists);
    }
    one_more_repository(tx, on, limits).await?;
    if repository.public {
        tell(tx, on.instance.id, now).await?;
    }
    audit::write(tx, audit, record).await?;
    Ok(repository)
}

pub(crate) async fn find(tx: &mut Tx<'_>, on: &OnRepository) -> Result<Repository, RegistryError> {
    repository::by_name(tx, on.instance.id, &on.name).await?.ok_or(RegistryError::NameUnknown)
}

async fn list(tx: &mut Tx<'_>, on: &OnNamespace, after: &str, limit: i64) -> Result<Vec<Repository>, RegistryError> {
    let namespace = store::namespace::by_name(tx, on.instance.id, &on.name).await?;
    let namespace = namespace.ok_or(RegistryError::NameUnknown)?;
    Ok(repository::list(tx, namespace.id, after, limit).await?)
}

async fn update(
    tx: &mut Tx<'_>,
    on: &OnRepository,
    (changes, now): (&RepositoryChanges, Timestamp),
    (audit, record): (&Audit, &Record),
) -> Result<Repository, RegistryError> {
    let mut repository = find(tx, on).await?;
    let was_public = repository.public;
    repository.public = changes.public.unwrap_or(repository.public);
    if let Some(description) = &changes.description {
        repository.description.clone_from(description);
    }
    if let Some(summary) = &changes.summary {
        repository.summary.clone_from(summary);
    }
    if let Some(change) = &changes.immutable_tags {
        repository.immutable_tags = change.apply(repository.immutable_tags);
    }
    repository.updated = now;
    repository::update(tx, &repository).await?;
    if was_public != repository.public {
        tell(tx, on.instance.id, now).await?;
    }
    audit::write(tx, audit, record).await?;
    Ok(repository)
}

async fn delete(
    tx: &mut Tx<'_>,
    on: &OnRepository,
    now: Timestamp,
    (audit, record): (&Audit, &Record),
) -> Result<Vec<(UploadId, Vec<u8>)>, RegistryError> {
    let repository = find(tx, on).await?;
    Guard::of(tx, on).await?.may_remove_repository(tx).await?;
    let uploads = store::upload::of_repository(tx, repository.id).await?;
    forget_policy(tx, on.instance.id, Owner::Repository(repository.id), now).await?;
    repository::delete(tx, repository.id).await?;
    store::usage::remove_repository(tx, on.instance.id).await?;
    if repository.public {
        tell(tx, on.instance.id, now).await?;
    }
    audit::write(tx, audit, record).await?;
    Ok(uploads)
}
