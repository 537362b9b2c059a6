//! Lists by page number, with how many there are in all: what clouds' clients ask for. A list by name ([`crate::Page`]) is cheaper,
//! and has no end that cannot be reached.

use access::{Filter, Permit};
use model::{InstanceId, Locks, NamespaceName, OnInstance, OnRepository, RepositoryName, act};
use store::namespace::{self, Namespace};
use store::repository::{self, Repository};
use store::tag::{self, Tagged};
use store::{StoreError, Tx};

use crate::visible::{Visible, Walk};
use crate::{Registry, RegistryError};

/// How far page numbers lead, and how far is counted.
pub const REACH: usize = 100_000;

/// The most items in one window.
const MOST: usize = 1000;
/// Names that are looked at together.
const STEP: usize = 1000;

/// Part of a list by place: what stands behind the first `skip`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    skip: usize,
    take: usize,
}

impl Window {
    /// None: further than [`REACH`], or more at once than a list gives.
    pub fn new(skip: usize, take: usize) -> Option<Self> {
        let end = skip.checked_add(take)?;
        (end <= REACH && take <= MOST).then_some(Self { skip, take })
    }

    /// Its part of a list that is there whole.
    pub fn of<T>(self, all: &[T]) -> &[T] {
        let rest = all.get(self.skip..).unwrap_or_default();
        rest.get(..self.take).unwrap_or(rest)
    }

    /// Does it show what stands at this place?
    pub(crate) const fn holds(self, place: usize) -> bool {
        place >= self.skip && place - self.skip < self.take
    }

    fn sql(self) -> (i64, i64) {
        let number = |n| i64::try_from(n).unwrap_or(i64::MAX);
        (number(self.skip), number(self.take))
    }
}

/// What a window shows, and how many there are in all (at most [`REACH`] are counted).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counted<T> {
    /// By name.
    pub items: Vec<T>,
    /// All that the caller may see.
    pub total: i64,
}

impl<T> Counted<T> {
    fn one(found: Option<T>, window: Window) -> Self {
        let total = i64::from(found.is_some());
        Self { items: found.into_iter().skip(window.skip).take(window.take).collect(), total }
    }
}

/// Which repositories of an instance to list, among those that may be seen.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct RepositoriesNamed<'a> {
    /// Of this namespace alone.
    pub namespace: Option<&'a NamespaceName>,
    /// Of this name within their namespaces alone.
    pub name: Option<&'a str>,
}

impl RepositoriesNamed<'_> {
    fn shows(&self, name: &RepositoryName) -> bool {
        self.namespace.is_none_or(|namespace| name.namespace() == *namespace)
            && self.name.is_none_or(|rest| name.within_namespace() == rest)
    }
}

const REACH_SQL: i64 = 100_000;

impl Registry {
    /// An instance's namespaces by name, or the one that is `named`.
    pub async fn count_namespaces(
        &self,
        permit: Permit<act::ListNamespace>,
        named: Option<&NamespaceName>,
        window: Window,
    ) -> Result<Counted<Namespace>, RegistryError> {
        let id = permit.on().id;
        self.store
            .scan(|tx| {
                Box::pin(async move {
                    if let Some(name) = named {
                        return Ok(Counted::one(namespace::by_name(tx, id, name).await?, window));
                    }
                    let items = namespace::window(tx, id, window.sql()).await?;
                    Ok(Counted { items, total: namespace::count(tx, id, REACH_SQL).await? })
                })
            })
            .await
    }

    /// A namespace's repositories by name, or the one that is `named`, with its whole name.
    pub async fn count_repositories(
        &self,
        permit: Permit<act::ListRepository>,
        named: Option<&RepositoryName>,
        window: Window,
    ) -> Result<Counted<Repository>, RegistryError> {
        let on = permit.on();
        self.store
            .scan(|tx| {
                Box::pin(async move {
                    let namespace = namespace::by_name(tx, on.instance.id, &on.name).await?.ok_or(RegistryError::NameUnknown)?;
                    if let Some(name) = named {
                        let found = repository::by_name(tx, on.instance.id, name).await?.filter(|r| r.namespace == namespace.id);
                        return Ok(Counted::one(found, window));
                    }
                    let items = repository::window(tx, namespace.id, window.sql()).await?;
                    Ok(Counted { items, total: repository::count(tx, namespace.id, REACH_SQL).await? })
                })
            })
            .await
    }

    /// A repository's tags by name, with what they point at.
    pub async fn count_tags(&self, permit: Permit<act::ListRepositoryTag>, window: Window) -> Result<Counted<Tagged>, RegistryError> {
        let on = permit.on();
        self.store
            .scan(|tx| {
                Box::pin(async move {
                    let repository = crate::delete::repository(tx, on).await?;
                    let items = tag::window(tx, repository, window.sql()).await?;
                    Ok(Counted { items, total: tag::count(tx, repository, REACH_SQL).await? })
                })
            })
            .await
    }

    /// The repositories of an instance that `filter` shows, in every namespace or as `named`. Rows outside of the filter's ranges
    /// are never touched, and what it hides is not counted.
    pub async fn count_visible(
        &self,
        filter: &Filter,
        instance: &OnInstance,
        named: RepositoriesNamed<'_>,
        window: Window,
    ) -> Result<Counted<Repository>, RegistryError> {
        let id = instance.id;
        let seen: Result<_, StoreError> = self
            .store
            .scan(|tx| {
                Box::pin(async move {
                    let mut seen = Seen { window, names: Vec::new(), total: 0 };
                    let mut each = |name: Option<&RepositoryName>| {
                        seen.take(name.filter(|name| named.shows(name)));
                        true
                    };
                    self.managed(filter, id, REACH).through(tx, "", STEP, &mut each).await?;
                    Ok(Counted { items: rows(tx, id, &seen.names).await?, total: seen.total })
                })
            })
            .await;
        Ok(seen?)
    }

    /// The same behind `after` (what the page before said), at most `n`. A page looks at [`LOOKED_AT`](crate::LOOKED_AT) names at most, and may have fewer
    /// than `n` of them, or none, and lead on.
    pub async fn visible_repositories(
        &self,
        filter: &Filter,
        instance: &OnInstance,
        named: RepositoriesNamed<'_>,
        (n, after): (usize, Option<&str>),
    ) -> Result<Visible<Repository>, RegistryError> {
        let (id, n, after) = (instance.id, n.min(MOST), self.behind_what(after));
        let walk = self.managed(filter, id, self.drawn());
        self.store
            .scan(|tx| {
                Box::pin(async {
                    let Visible { items, next } = walk.page(tx, &after, n, |name| named.shows(name)).await?;
                    Ok(Visible { items: rows(tx, id, &items).await?, next })
                })
            })
            .await
    }

    /// Who manages repositories sees those too that the registry's own lists leave out.
    fn managed<'a>(&'a self, filter: &'a Filter, instance: InstanceId, most: usize) -> Walk<'a> {
        Walk { filter, instance, hidden: Locks::default(), most, cursors: &self.cursors }
    }
}

/// What has been seen on the way to a window and through it.
struct Seen {
    window: Window,
    names: Vec<RepositoryName>,
    total: i64,
}

impl Seen {
    /// Takes the next name, or none where one was passed over.
    fn take(&mut self, name: Option<&RepositoryName>) {
        if let Some(name) = name {
            let place = usize::try_from(self.total).unwrap_or(usize::MAX);
            self.total += 1;
            if place >= self.window.skip && self.names.len() < self.window.take {
                self.names.push(name.clone());
            }
        }
    }
}

/// The repositories of these names that are still there.
async fn rows(tx: &mut Tx<'_>, instance: InstanceId, names: &[RepositoryName]) -> Result<Vec<Repository>, StoreError> {
    let mut rows = Vec::with_capacity(names.len());
    for name in names {
        rows.extend(repository::by_name(tx, instance, name).await?);
    }
    Ok(rows)
}

impl Registry {
    /// The repository of this id in an instance, as something to ask a permit for.
    pub async fn repository_of(
        &self,
        instance: &std::sync::Arc<OnInstance>,
        id: model::RepositoryId,
    ) -> Result<OnRepository, RegistryError> {
        let found: Result<_, StoreError> = self.store.read(|tx| Box::pin(repository::by_id(tx, instance.id, id))).await;
        let name = found?.ok_or(RegistryError::NameUnknown)?.name;
        Ok(OnRepository { instance: std::sync::Arc::clone(instance), name })
    }

    /// The namespace of this id in an instance, as something to ask a permit for.
    pub async fn namespace_of(
        &self,
        instance: &std::sync::Arc<OnInstance>,
        id: model::NamespaceId,
    ) -> Result<model::OnNamespace, RegistryError> {
        let found: Result<_, StoreError> = self.store.read(|tx| Box::pin(namespace::by_id(tx, instance.id, id))).await;
        let name = found?.ok_or(RegistryError::NameUnknown)?.name;
        Ok(model::OnNamespace { instance: std::sync::Arc::clone(instance), name })
    }
}
