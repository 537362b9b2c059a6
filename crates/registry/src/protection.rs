//! May this change, or go? Immutable tags and locks are decided here, and nowhere else, within the transaction that changes.
//!
//! Whoever moves or removes a tag, or removes a manifest, a blob or a repository, makes a [`Guard`] of the repository in the
//! transaction and asks it first. A way round would be one that does not ask: `tests/registry/protection.rs` goes them all.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;

use access::Permit;
use model::{ActionKind, Digest, ImmutableTags, Lock, Locks, OnRepository, RepositoryId, RepositoryName, Tag};
use store::protection::{self, Kept, KeptTag};
use store::{StoreError, Tx};

use crate::{Registry, RegistryError};

/// Tags looked at together.
const STEP: i64 = 1000;
/// How many manifests are looked at to know whether one of them is kept; more are taken for a yes.
const REACH: usize = 10_000;

/// What stands against a change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Protection {
    /// A tag is immutable.
    Immutable {
        /// The tag.
        tag: Tag,
        /// Which rule says so.
        by: ImmutableTags,
    },
    /// The repository is locked.
    Repository {
        /// Its name.
        name: RepositoryName,
        /// Against this.
        lock: Lock,
    },
    /// A tag is locked.
    Tag {
        /// The tag.
        tag: Tag,
        /// Against this.
        lock: Lock,
    },
    /// A manifest is locked.
    Manifest {
        /// Its digest.
        digest: Digest,
        /// Against this.
        lock: Lock,
    },
    /// What was asked for is locked against reading: its repository, its tag or itself.
    Unreadable,
    /// A manifest belongs to what is kept.
    Part {
        /// What it is a part of.
        of: Box<Self>,
    },
    /// Manifests are made of a blob, in a repository where some are kept.
    InUse {
        /// The blob.
        blob: Digest,
    },
    /// So many manifests are made of it that not all could be looked at.
    TooManyParents,
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Immutable { tag, by } => write!(f, "tag {tag} is immutable here ({by}): push under another tag"),
            Self::Repository { name, lock } => write!(f, "repository {name} is locked against {}", gerund(*lock)),
            Self::Tag { tag, lock } => write!(f, "tag {tag} is locked against {}", gerund(*lock)),
            Self::Manifest { digest, lock } => write!(f, "manifest {digest} is locked against {}", gerund(*lock)),
            Self::Unreadable => f.write_str("this is locked against reading"),
            Self::Part { of } => write!(f, "this is a part of what is kept: {of}"),
            Self::InUse { blob } => write!(f, "manifests are made of {blob}, in a repository where some are kept: delete them first"),
            Self::TooManyParents => write!(f, "more than {REACH} manifests are made of it: delete those first"),
        }
    }
}

const fn gerund(lock: Lock) -> &'static str {
    match lock {
        Lock::Read => "reading",
        Lock::Write => "writing",
        Lock::List => "listing",
        Lock::Delete => "deleting",
    }
}

impl From<Protection> for RegistryError {
    fn from(protection: Protection) -> Self {
        Self::Protected(protection)
    }
}

type Decided = Result<(), RegistryError>;

/// What keeps a repository, its tags and its manifests as they are, as of this transaction.
#[derive(Debug)]
pub(crate) struct Guard {
    /// The repository's id.
    pub(crate) id: RepositoryId,
    name: RepositoryName,
    locks: Locks,
    /// May tags and manifests have locks of their own?
    guarded: bool,
    /// Which tags are immutable.
    rules: Vec<ImmutableTags>,
}

impl Guard {
    /// Of a repository that is there.
    pub(crate) async fn of(tx: &mut Tx<'_>, on: &OnRepository) -> Result<Self, RegistryError> {
        let found: Result<_, StoreError> = protection::repository(tx, on.instance.id, &on.name).await;
        let Kept { id, namespace, locks, guarded, immutable_tags } = found?.ok_or(RegistryError::NameUnknown)?;
        let within = on.name.within_namespace();
        let rules = store::tag_rule::list(tx, namespace).await?.into_iter().map(|rule| rule.terms);
        let rules = rules.filter(|terms| terms.speak_of(within)).map(|terms| terms.tags).chain(immutable_tags).collect();
        Ok(Self { id, name: on.name.clone(), locks, guarded, rules })
    }

    /// Does nothing here keep tags or manifests as they are?
    const fn is_idle(&self) -> bool {
        self.rules.is_empty() && !self.guarded
    }

    /// May things be put into the repository?
    pub(crate) fn may_write(&self) -> Decided {
        self.unlocked(&[Lock::Write])
    }

    /// May things be taken out of the repository?
    fn may_take_out(&self) -> Decided {
        self.unlocked(&[Lock::Write, Lock::Delete])
    }

    fn unlocked(&self, locks: &[Lock]) -> Decided {
        match locks.iter().find(|lock| self.locks.has(**lock)) {
            Some(lock) => Err(Protection::Repository { name: self.name.clone(), lock: *lock }.into()),
            None => Ok(()),
        }
    }

    /// May the tag point at this manifest from now on? Where it points already, nothing changes.
    pub(crate) async fn may_point(&self, tx: &mut Tx<'_>, tag: &Tag, at: &Digest) -> Decided {
        self.may_write()?;
        if self.is_idle() {
            return Ok(());
        }
        let there = protection::tag(tx, self.id, tag).await?;
        if there.as_ref().is_some_and(|there| there.digest == *at) {
            return Ok(());
        }
        self.manifest_unlocked(tx, at, &[Lock::Write]).await?;
        let Some(there) = there else { return Ok(()) };
        self.tag_unlocked(&there, &[Lock::Write])?;
        self.manifest_unlocked(tx, &there.digest, &[Lock::Write]).await
    }

    /// May the tag go? Its manifest stays.
    pub(crate) async fn may_remove_tag(&self, tx: &mut Tx<'_>, tag: &Tag) -> Decided {
        self.may_take_out()?;
        if self.is_idle() {
            return Ok(());
        }
        let Some(there) = protection::tag(tx, self.id, tag).await? else { return Ok(()) };
        self.tag_unlocked(&there, &[Lock::Write, Lock::Delete])?;
        self.manifest_unlocked(tx, &there.digest, &[Lock::Write]).await
    }

    /// May the manifest go, with the tags that point at it? Not if what it is a part of may not.
    pub(crate) async fn may_remove_manifest(&self, tx: &mut Tx<'_>, digest: &Digest) -> Decided {
        self.may_take_out()?;
        if self.is_idle() {
            return Ok(());
        }
        let (mut seen, mut next) = (BTreeSet::from([*digest]), VecDeque::from([*digest]));
        while let Some(one) = next.pop_front() {
            self.unkept(tx, &one).await.map_err(|error| if one == *digest { error } else { part(error) })?;
            let room = REACH - seen.len();
            let parents = protection::parents(tx, self.id, &one, None, i64::try_from(room + 1).unwrap_or(i64::MAX)).await?;
            if parents.len() > room {
                return Err(Protection::TooManyParents.into());
            }
            next.extend(parents.into_iter().filter(|parent| seen.insert(*parent)));
        }
        Ok(())
    }

    /// May the blob's link go?
    pub(crate) async fn may_remove_blob(&self, tx: &mut Tx<'_>, blob: &Digest) -> Decided {
        self.may_take_out()?;
        if self.is_idle() || protection::parents(tx, self.id, blob, None, 1).await?.is_empty() {
            return Ok(());
        }
        Err(Protection::InUse { blob: *blob }.into())
    }

    /// May the repository go, with everything in it?
    pub(crate) async fn may_remove_repository(&self, tx: &mut Tx<'_>) -> Decided {
        self.may_take_out()?;
        if self.is_idle() {
            return Ok(());
        }
        let kept: Locks = KEEPING.into_iter().collect();
        if let Some(digest) = protection::locked_manifest(tx, self.id, kept).await? {
            return self.manifest_unlocked(tx, &digest, &KEEPING).await;
        }
        let mut after = String::new();
        loop {
            let tags = protection::tags(tx, self.id, &after, STEP).await?;
            tags.iter().try_for_each(|tag| self.tag_unlocked(tag, &KEEPING))?;
            match tags.last() {
                Some(last) => last.name.as_str().clone_into(&mut after),
                None => return Ok(()),
            }
        }
    }

    /// Is the manifest itself free to go, and every tag that points at it?
    async fn unkept(&self, tx: &mut Tx<'_>, digest: &Digest) -> Decided {
        self.manifest_unlocked(tx, digest, &KEEPING).await?;
        let mut after = String::new();
        loop {
            let tags = protection::tags_at(tx, self.id, digest, &after, STEP).await?;
            tags.iter().try_for_each(|tag| self.tag_unlocked(tag, &KEEPING))?;
            match tags.last() {
                Some(last) => last.name.as_str().clone_into(&mut after),
                None => return Ok(()),
            }
        }
    }

    fn tag_unlocked(&self, tag: &KeptTag, locks: &[Lock]) -> Decided {
        if let Some(by) = self.rules.iter().find(|rule| rule.covers(&tag.name)) {
            return Err(Protection::Immutable { tag: tag.name.clone(), by: by.clone() }.into());
        }
        match locks.iter().find(|lock| tag.locks.has(**lock)) {
            Some(lock) => Err(Protection::Tag { tag: tag.name.clone(), lock: *lock }.into()),
            None => Ok(()),
        }
    }

    async fn manifest_unlocked(&self, tx: &mut Tx<'_>, digest: &Digest, locks: &[Lock]) -> Decided {
        if !self.guarded {
            return Ok(());
        }
        let has = protection::manifest(tx, self.id, digest).await?.unwrap_or_default();
        match locks.iter().find(|lock| has.has(**lock)) {
            Some(lock) => Err(Protection::Manifest { digest: *digest, lock: *lock }.into()),
            None => Ok(()),
        }
    }
}

/// What keeps something from going.
const KEEPING: [Lock; 2] = [Lock::Write, Lock::Delete];

/// Said of what the thing asked for is a part of.
fn part(error: RegistryError) -> RegistryError {
    match error {
        RegistryError::Protected(of @ (Protection::Immutable { .. } | Protection::Tag { .. } | Protection::Manifest { .. })) => {
            Protection::Part { of: Box::new(of) }.into()
        }
        other => other,
    }
}

/// The id of a repository that is not locked against reading.
pub(crate) async fn readable(tx: &mut Tx<'_>, on: &OnRepository) -> Result<Option<RepositoryId>, RegistryError> {
    match store::repository::id_and_locks(tx, on.instance.id, &on.name).await? {
        Some((_, locks)) if locks.has(Lock::Read) => Err(Protection::Unreadable.into()),
        found => Ok(found.map(|(id, _)| id)),
    }
}

impl Registry {
    /// Writes down that something was refused because of what is kept: somebody tried.
    pub(crate) async fn noting<A: ActionKind, T>(&self, permit: &Permit<A>, outcome: Result<T, RegistryError>) -> Result<T, RegistryError> {
        if let Err(RegistryError::Protected(protection)) = &outcome {
            self.audit().note(permit.denied(protection.to_string())).await;
        }
        outcome
    }
}
