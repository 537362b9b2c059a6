//! Lists: tags, referrers, repositories (OCI distribution specification 1.1, "Content Discovery"; the catalog is the Docker
//! registry's).

use model::{Action, act};
use registry::Visible;
use serde::Serialize;

use super::{Call, Handled, digest};
use crate::shapes;

#[derive(Serialize)]
struct TagList<'a> {
    name: &'a str,
    tags: Vec<&'a str>,
}

#[derive(Serialize)]
struct RepositoryList<'a> {
    repositories: Vec<&'a str>,
}

impl Call<'_> {
    pub(super) async fn list_tags(&self) -> Handled {
        let (on, asked) = (self.repository()?, self.query().page()?);
        let permit = self.admit::<act::PullRepository>(on).await?;
        let page = self.door.registry.tags(permit, asked.n, asked.last.as_deref()).await?;
        let tags: Vec<_> = page.items.iter().map(model::Tag::as_str).collect();
        let next = tags.last().copied().filter(|_| page.more);
        Ok(shapes::page(&TagList { name: self.route.name, tags }, self.path(), &asked, next))
    }

    pub(super) async fn list_referrers(&self) -> Handled {
        let (on, subject, query) = (self.repository()?, self.digest()?, self.query());
        let artifact_type = query.one("artifactType")?.filter(|kind| !kind.is_empty());
        let after = query.one("last")?.map(|text| digest(&text)).transpose()?;
        let permit = self.admit::<act::PullRepository>(on).await?;
        let found = self.door.registry.referrers(permit, &subject, artifact_type.as_deref(), after.as_ref()).await?;
        Ok(shapes::referrers(found, self.path(), artifact_type.as_deref()))
    }

    /// Whoever is not logged in is asked to: an empty list would say that there is nothing.
    pub(super) async fn list_repositories(&self) -> Handled {
        let asked = self.query().page()?;
        self.known()?;
        let filter = self.door.identity.access().visible(self.op, &self.caller, Action::PullRepository, &self.instance).await?;
        let Visible { items, next } = self.door.registry.catalog(&filter, &self.instance, asked.n, asked.last.as_deref()).await?;
        let repositories: Vec<_> = items.iter().map(model::RepositoryName::as_str).collect();
        Ok(shapes::page(&RepositoryList { repositories }, self.path(), &asked, next.as_deref()))
    }
}
