//! `kind: Repository`: its settings. It holds images, so that it carries no labels and is never pruned.

use api::{CreateRepository, UpdateRepository};
use client::ClientError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Trouble;
use crate::diff;
use crate::error::found;
use crate::noun::{Here, Noun};
use crate::step::{Call, Key, Step, call};

pub(crate) struct Repository;

/// A repository's settings. Repositories are made by a document or by a push, and never pruned.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct RepositorySpec {
    /// May anybody pull? No for a new one unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public: Option<bool>,
    /// What it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

impl Noun for Repository {
    const KIND: &'static str = "Repository";
    const IN_INSTANCE: bool = true;
    const LABEL: Option<&'static str> = None;
    type Spec = RepositorySpec;

    async fn list(here: &Here<'_>, instance: &str) -> Result<Vec<String>, ClientError> {
        let mut names = Vec::new();
        for namespace in here.client.namespaces(instance).list().await? {
            let repositories = here.client.repositories(instance).list(&namespace.name).await?;
            names.extend(repositories.into_iter().map(|repository| repository.name));
        }
        Ok(names)
    }

    async fn read(here: &Here<'_>, key: &Key, _wanted: Option<&RepositorySpec>) -> Result<Option<RepositorySpec>, ClientError> {
        let there = found(here.client.repositories(key.at()).show(&key.name).await)?;
        Ok(there.map(|there| RepositorySpec { public: Some(there.public), description: Some(there.description) }))
    }

    fn plan(_here: &Here<'_>, key: &Key, wanted: &RepositorySpec, there: Option<RepositorySpec>) -> Result<Vec<Step>, Trouble> {
        let (instance, name) = (key.at().to_owned(), key.name.clone());
        let Some(there) = there else {
            let (public, description) = (wanted.public.unwrap_or_default(), wanted.description.clone().unwrap_or_default());
            let new = CreateRepository { name, public, description };
            return Ok(vec![Step::create(key, diff::all(wanted, &[]), call!(client => client.repositories(&instance).create(&new)))]);
        };
        let changes = diff::changes(wanted, &there, &[]);
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        let touched = |field| diff::touches(&changes, &[field]);
        let change = UpdateRepository {
            public: wanted.public.filter(|_| touched("public")),
            description: wanted.description.clone().filter(|_| touched("description")),
        };
        Ok(vec![Step::update(key, changes, call!(client => client.repositories(&instance).update(&name, &change)))])
    }

    fn delete(_key: &Key) -> Option<Call> {
        None
    }
}
