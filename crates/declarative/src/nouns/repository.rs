//! `kind: Repository`: its settings. It holds images, so that it carries no labels and is never pruned.

use std::path::Path;

use api::{CreateRepository, Lock, UpdateLocks, UpdateRepository};
use client::ClientError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::resource_policy::{self, Of};
use super::text::{self, PolicyText};
use crate::Trouble;
use crate::diff;
use crate::error::found;
use crate::noun::{Here, Noun};
use crate::step::{Call, Change, Key, Step, call};

pub(crate) struct Repository;

/// What is set by steps of its own.
const TIES: [&str; 2] = ["policy", "locked"];

/// A repository's settings. Repositories are made by a document or by a push, and never pruned.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct RepositorySpec {
    /// May anybody pull? As the namespace says of new ones unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public: Option<bool>,
    /// What it holds, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    /// What it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Which of its tags are immutable, besides what the namespace's rules say: a pattern; empty: none. As the namespace says of new
    /// ones unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    immutable_tags: Option<String>,
    /// Save these: a pattern; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    immutable_tags_except: Option<String>,
    /// What it is locked against, all of it; `[]`: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    locked: Option<Vec<Lock>>,
    /// Who else may use it: a RAM document whose statements name principals; `{}`: nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = text::schema)]
    policy: Option<PolicyText>,
}

impl Noun for Repository {
    const KIND: &'static str = "Repository";
    const IN_INSTANCE: bool = true;
    const LABEL: Option<&'static str> = None;
    type Spec = RepositorySpec;

    fn resolve(spec: &mut RepositorySpec, base: &Path) -> Result<(), Trouble> {
        spec.policy.as_mut().map_or(Ok(()), |policy| policy.resolve(base))
    }

    async fn list(here: &Here<'_>, instance: &str) -> Result<Vec<String>, ClientError> {
        let mut names = Vec::new();
        for namespace in here.client.namespaces(instance).list().await? {
            let repositories = here.client.repositories(instance).list(&namespace.name).await?;
            names.extend(repositories.into_iter().map(|repository| repository.name));
        }
        Ok(names)
    }

    async fn read(here: &Here<'_>, key: &Key, wanted: Option<&RepositorySpec>) -> Result<Option<RepositorySpec>, ClientError> {
        let Some(there) = found(here.client.repositories(key.at()).show(&key.name).await)? else { return Ok(None) };
        let asked = wanted.is_none_or(|wanted| wanted.policy.is_some());
        let policy = resource_policy::read(here, Of::Repository, key, asked).await?;
        let (summary, description) = (Some(there.summary), Some(there.description));
        Ok(Some(RepositorySpec {
            public: Some(there.public),
            summary,
            description,
            immutable_tags: Some(there.immutable_tags.unwrap_or_default()),
            immutable_tags_except: Some(there.immutable_tags_except.unwrap_or_default()),
            locked: Some(there.locked),
            policy,
        }))
    }

    fn plan(_here: &Here<'_>, key: &Key, wanted: &RepositorySpec, there: Option<RepositorySpec>) -> Result<Vec<Step>, Trouble> {
        let (instance, name) = (key.at().to_owned(), key.name.clone());
        let policy =
            resource_policy::plan(Of::Repository, key, wanted.policy.as_ref(), there.as_ref().and_then(|there| there.policy.as_ref()));
        let was_locked = there.as_ref().and_then(|there| there.locked.as_deref()).unwrap_or_default();
        let ties: Vec<Step> = lock(key, wanted.locked.as_deref(), was_locked).into_iter().chain(policy).collect();
        let Some(there) = there else {
            let (summary, description) = (wanted.summary.clone().unwrap_or_default(), wanted.description.clone().unwrap_or_default());
            let (immutable_tags, immutable_tags_except) = (wanted.immutable_tags.clone(), wanted.immutable_tags_except.clone());
            let new = CreateRepository { name, public: wanted.public, summary, description, immutable_tags, immutable_tags_except };
            let made = Step::create(key, diff::all(wanted, &TIES), call!(client => client.repositories(&instance).create(&new)));
            return Ok([made].into_iter().chain(ties).collect());
        };
        let changes = diff::changes(wanted, &there, &TIES);
        if changes.is_empty() {
            return Ok(ties);
        }
        let touched = |field| diff::touches(&changes, &[field]);
        let change = UpdateRepository {
            public: wanted.public.filter(|_| touched("public")),
            summary: wanted.summary.clone().filter(|_| touched("summary")),
            description: wanted.description.clone().filter(|_| touched("description")),
            immutable_tags: wanted.immutable_tags.clone().filter(|_| touched("immutableTags")),
            immutable_tags_except: wanted.immutable_tags_except.clone().filter(|_| touched("immutableTagsExcept")),
        };
        let step = Step::update(key, changes, call!(client => client.repositories(&instance).update(&name, &change)));
        Ok([step].into_iter().chain(ties).collect())
    }

    fn delete(_key: &Key) -> Option<Call> {
        None
    }
}

/// Locks it against what is wanted, and against nothing else.
fn lock(key: &Key, wanted: Option<&[Lock]>, there: &[Lock]) -> Option<Step> {
    let wanted = wanted?;
    let missing = |from: &[Lock], of: &[Lock]| of.iter().copied().filter(|lock| !from.contains(lock)).collect::<Vec<_>>();
    let change = UpdateLocks { lock: missing(there, wanted), unlock: missing(wanted, there) };
    if change.lock.is_empty() && change.unlock.is_empty() {
        return None;
    }
    let json = |locks: &[Lock]| serde_json::to_value(locks).unwrap_or_default();
    let (instance, name) = (key.at().to_owned(), key.name.clone());
    let said = Change::new("locked", json(there), json(wanted));
    Some(Step::tie(key, said, call!(client => client.repositories(&instance).lock(&name, &change))))
}
