//! What refers to what: to a tag or digest within its repository, and which repositories have a digest.

use std::fmt;
use std::str::FromStr;

use access::{Filter, Permit};
use model::{Digest, MediaType, OnInstance, OnRepository, Reference, RepositoryId, RepositoryName, Tag, act};
use store::protection::{self, Holder, KeptTag, Referring};
use store::{StoreError, Tx};

use crate::catalog::{Page, one_more, page_size};
use crate::{Registry, RegistryError};

/// Repositories looked at together, and at most for one page.
const STEP: i64 = 1000;
const REACH: usize = 100_000;

/// How something refers to a digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Relation {
    /// A tag points at it.
    Tag,
    /// A manifest is made of it.
    Parent,
    /// A manifest has it as its subject.
    Referrer,
}

impl Relation {
    const ALL: [Self; 3] = [Self::Tag, Self::Parent, Self::Referrer];

    /// `tag`, `parent`, `referrer`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tag => "tag",
            Self::Parent => "parent",
            Self::Referrer => "referrer",
        }
    }
}

/// What refers to a digest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ImageReference {
    /// How.
    pub relation: Relation,
    /// The tag, where it is one.
    pub tag: Option<Tag>,
    /// What the tag points at, or the manifest that refers to it.
    pub digest: Digest,
    /// The manifest's media type; of a tag, none.
    pub media_type: Option<MediaType>,
    /// The type that a referrers list shows.
    pub artifact_type: Option<String>,
}

impl ImageReference {
    fn of_tag(tag: KeptTag) -> Self {
        Self { relation: Relation::Tag, tag: Some(tag.name), digest: tag.digest, media_type: None, artifact_type: None }
    }

    fn of_manifest(relation: Relation, found: Referring) -> Self {
        let Referring { digest, media_type, artifact_type } = found;
        Self { relation, tag: None, digest, media_type: Some(media_type), artifact_type }
    }

    /// Where a list goes on behind it.
    pub fn cursor(&self) -> Behind {
        match &self.tag {
            Some(tag) => Behind { relation: Relation::Tag, key: Key::Tag(tag.clone()) },
            None => Behind { relation: self.relation, key: Key::Manifest(self.digest) },
        }
    }
}

/// A place in a list of references.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Behind {
    relation: Relation,
    key: Key,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Key {
    Tag(Tag),
    Manifest(Digest),
}

impl fmt::Display for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Key::Tag(tag) => write!(f, "{}:{tag}", self.relation.as_str()),
            Key::Manifest(digest) => write!(f, "{}:{digest}", self.relation.as_str()),
        }
    }
}

impl FromStr for Behind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (word, key) = text.split_once(':').ok_or(())?;
        let relation = Relation::ALL.into_iter().find(|relation| relation.as_str() == word).ok_or(())?;
        let key = match relation {
            Relation::Tag => Key::Tag(Tag::parse(key).map_err(|_| ())?),
            Relation::Parent | Relation::Referrer => Key::Manifest(key.parse().map_err(|_| ())?),
        };
        Ok(Self { relation, key })
    }
}

/// A repository that has a digest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holding {
    /// Its id.
    pub repository: RepositoryId,
    /// Its name.
    pub name: RepositoryName,
    /// As a manifest; else as a blob.
    pub manifest: bool,
}

impl Registry {
    /// What refers to an image in its repository, behind `behind`, at most `n`: tags by name, then manifests that are made of it,
    /// then those that have it as their subject, each by digest. The digest may be a blob's.
    pub async fn image_references(
        &self,
        permit: Permit<act::ListRepositoryTag>,
        image: &Reference,
        n: Option<usize>,
        behind: Option<&Behind>,
    ) -> Result<Page<ImageReference>, RegistryError> {
        let (on, n) = (permit.on(), page_size(n));
        let found = self.store.scan(|tx| Box::pin(references(tx, on, image, (n, behind)))).await?;
        Ok(Page::of(found, n))
    }

    /// The repositories of an instance that have a digest and that `filter` shows, as a blob first, then as a manifest, each by id,
    /// behind `behind` (as a manifest? and its id), at most `n`. What is hidden leaves no trace: it looks on until the page is full,
    /// at no more than a hundred thousand repositories.
    pub async fn digest_holders(
        &self,
        filter: &Filter,
        instance: &OnInstance,
        digest: &Digest,
        (n, behind): (Option<usize>, Option<(bool, RepositoryId)>),
    ) -> Result<Page<Holding>, RegistryError> {
        let n = page_size(n);
        let found: Result<_, StoreError> = self
            .store
            .scan(|tx| {
                Box::pin(async move {
                    let mut found = Holders { filter, instance, digest, n, found: Vec::new(), looked_at: 0 };
                    for manifest in [false, true] {
                        match behind {
                            Some((as_manifest, _)) if as_manifest && !manifest => {}
                            Some((as_manifest, id)) if as_manifest == manifest => found.look(tx, manifest, id.as_i64()).await?,
                            _ => found.look(tx, manifest, -1).await?,
                        }
                    }
                    Ok(found.found)
                })
            })
            .await;
        Ok(Page::of(found?, n))
    }
}

async fn references(
    tx: &mut Tx<'_>,
    on: &OnRepository,
    image: &Reference,
    (n, behind): (usize, Option<&Behind>),
) -> Result<Vec<ImageReference>, RegistryError> {
    let repository = crate::delete::repository(tx, on).await?;
    let digest = match image {
        Reference::Digest(digest) => *digest,
        Reference::Tag(tag) => protection::tag(tx, repository, tag).await?.ok_or(RegistryError::ManifestUnknown)?.digest,
    };
    let mut found: Vec<ImageReference> = Vec::new();
    for relation in Relation::ALL.into_iter().filter(|relation| behind.is_none_or(|b| b.relation <= *relation)) {
        let room = one_more(n.saturating_sub(found.len()));
        let key = behind.filter(|behind| behind.relation == relation).map(|behind| &behind.key);
        found.extend(of_relation(tx, repository, &digest, (relation, key, room)).await?);
        if found.len() > n {
            break;
        }
    }
    Ok(found)
}

async fn of_relation(
    tx: &mut Tx<'_>,
    repository: RepositoryId,
    digest: &Digest,
    (relation, key, limit): (Relation, Option<&Key>, i64),
) -> Result<Vec<ImageReference>, StoreError> {
    let (tag, manifest) = match key {
        Some(Key::Tag(tag)) => (tag.as_str(), None),
        Some(Key::Manifest(digest)) => ("", Some(digest)),
        None => ("", None),
    };
    let manifests = match relation {
        Relation::Tag => {
            let tags = protection::tags_at(tx, repository, digest, tag, limit).await?;
            return Ok(tags.into_iter().map(ImageReference::of_tag).collect());
        }
        Relation::Parent => protection::made_of(tx, repository, digest, manifest, limit).await?,
        Relation::Referrer => protection::with_subject(tx, repository, digest, manifest, limit).await?,
    };
    Ok(manifests.into_iter().map(|found| ImageReference::of_manifest(relation, found)).collect())
}

/// Repositories with a digest, on the way to a page of those that may be seen.
struct Holders<'a> {
    filter: &'a Filter,
    instance: &'a OnInstance,
    digest: &'a Digest,
    n: usize,
    found: Vec<Holding>,
    looked_at: usize,
}

impl Holders<'_> {
    async fn look(&mut self, tx: &mut Tx<'_>, manifest: bool, after: i64) -> Result<(), StoreError> {
        let (place, mut after) = ((self.instance.account, self.instance.id), after);
        while self.found.len() <= self.n && self.looked_at < REACH {
            let step = if manifest {
                protection::having(tx, place, self.digest, (after, STEP)).await?
            } else {
                protection::linking(tx, place, self.digest, (after, STEP)).await?
            };
            let Some(last) = step.last() else { return Ok(()) };
            after = last.repository.as_i64();
            self.looked_at += step.len();
            let shown = step.into_iter().filter(|holder| self.filter.shows(&holder.name));
            self.found.extend(shown.map(|Holder { repository, name }| Holding { repository, name, manifest }));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_they_are_written() {
        let digest = Digest::sha256(b"x");
        for text in ["tag:v1".to_owned(), format!("parent:{digest}"), format!("referrer:{digest}")] {
            assert_eq!(text.parse::<Behind>().unwrap().to_string(), text);
        }
        for bad in ["", "tag", "tag:", "tag:a/b", "parent:v1", "child:v1", "referrer:sha256:00"] {
            assert!(bad.parse::<Behind>().is_err(), "{bad}");
        }
    }
}
