//! Repositories.

use std::sync::Arc;

use access::Filter;
use model::{Action, ImmutableTags, OnInstance, OnNamespace, RepositoryName, act};
use registry::{Counted, ImmutabilityChange, NewRepository, RegistryError, RepositoriesNamed, Repository, RepositoryChanges};

use super::named::{self, NORMAL, NOT_THERE, namespace_name, whole};
use super::namespaces::{TYPES, is_public, repo_type};
use super::pages::{Asked, behind};
use crate::call::Call;
use crate::errors::{Failure, Fault, Problem};
use crate::shapes::Object;

/// The code for one that is not there.
pub(super) const UNKNOWN: &str = "REPO_NOT_EXIST";
const ALL: &str = "ALL";
const STATUSES: [&str; 4] = [NORMAL, "DELETING", "DELETED", ALL];
/// The longest summary, in characters, and the longest detail, in bytes.
const LONGEST_SUMMARY: usize = 100;
const LONGEST_DETAIL: usize = 4096;

pub(super) async fn create_repository(call: Call) -> Result<Object, Failure> {
    let said = Said::read(&call)?;
    let instance = call.instance().await?;
    let on = named::on(&instance.on, call.required("RepoNamespaceName")?, call.required("RepoName")?)?;
    let permit = call.admit::<act::CreateRepository>(on).await?;
    instance.there()?;
    let immutable_tags = said.immutable.map(|immutable| immutable.then(ImmutableTags::all));
    let description = said.detail.unwrap_or_default();
    let new = NewRepository { public: Some(said.public), summary: said.summary, description, immutable_tags };
    let made = call.registry().create_repository(permit, new).await.map_err(told)?;
    Ok(Object::new().with("RepoId", made.id.to_string()))
}

pub(super) async fn get_repository(call: Call) -> Result<Object, Failure> {
    let named = call.instance().await?;
    let on = Arc::clone(&named.on);
    let there = named.there();
    let target = named::repository(&call, &on, there.is_ok()).await?;
    let permit = target.admit::<act::GetRepository>(&call, there, UNKNOWN).await?;
    let found = call.registry().show_repository(permit).await.map_err(told)?;
    Ok(shape(&on, &found).with("Detail", found.description))
}

/// With a namespace: all of it, for whoever may list it. Without: of every namespace, what the caller may see.
pub(super) async fn list_repository(call: Call) -> Result<Object, Failure> {
    let of_all = call.optional("RepoNamespaceName").is_none();
    let is_position = |token: &str| if of_all { call.registry().is_list_position(token) } else { RepositoryName::parse(token).is_ok() };
    let asked = Asked::read(&call, is_position)?;
    let nothing = !matches!(call.parameters.word("RepoStatus", &STATUSES)?, None | Some(NORMAL | ALL));
    let namespace = call.optional("RepoNamespaceName").map(|text| namespace_name("RepoNamespaceName", text)).transpose()?;
    let name = call.optional("RepoName");
    let instance = call.instance().await?;
    let on = Arc::clone(&instance.on);
    if let Some(namespace) = namespace {
        let within = OnNamespace { instance: Arc::clone(&on), name: namespace };
        let wanted = name.map(|name| whole(&within.name, name)).transpose()?;
        let permit = call.admit::<act::ListRepository>(within).await?;
        instance.there()?;
        return of_namespace(&call, permit, asked, (wanted, nothing)).await;
    }
    let filter = visible(&call, &on).await?;
    instance.there()?;
    everywhere(&call, &filter, &on, asked, (name, nothing)).await
}

async fn of_namespace(
    call: &Call,
    permit: access::Permit<act::ListRepository>,
    asked: Asked,
    (wanted, nothing): (Option<RepositoryName>, bool),
) -> Result<Object, Failure> {
    let on = Arc::clone(&permit.on().instance);
    let absent = |error| match error {
        RegistryError::NameUnknown => namespace_unknown(),
        error => error.into(),
    };
    match asked {
        Asked::Numbered(page) => {
            let found = call.registry().count_repositories(permit, wanted.as_ref(), page.window).await.map_err(absent)?;
            let found = if nothing { Counted { items: Vec::new(), total: 0 } } else { found };
            Ok(listed(&on, &found.items).and(page.said()).with("TotalCount", found.total.to_string()))
        }
        Asked::Behind { size, token } => {
            let mut found = call.registry().list_repositories(permit, Some(size), token.as_deref()).await.map_err(absent)?;
            let next = found.items.last().filter(|_| found.more && !nothing).map(|last| last.name.to_string());
            found.items.retain(|one| !nothing && wanted.as_ref().is_none_or(|wanted| one.name == *wanted));
            Ok(listed(&on, &found.items).and(behind(size, next)))
        }
    }
}

/// Whoever may see none learns no more than that they may not.
async fn visible(call: &Call, on: &Arc<OnInstance>) -> Result<Filter, Failure> {
    let filter = call.identity().access().visible(&call.op, &call.caller, Action::GetRepository, on).await?;
    if filter.is_empty() {
        let name = namespace_name("RepoNamespaceName", NOT_THERE)?;
        call.admit::<act::ListRepository>(OnNamespace { instance: Arc::clone(on), name }).await?;
    }
    Ok(filter)
}

async fn everywhere(
    call: &Call,
    filter: &Filter,
    on: &Arc<OnInstance>,
    asked: Asked,
    (name, nothing): (Option<&str>, bool),
) -> Result<Object, Failure> {
    let hidden = Filter::nothing();
    let filter = if nothing { &hidden } else { filter };
    let wanted = RepositoriesNamed { namespace: None, name };
    match asked {
        Asked::Numbered(page) => {
            let found = call.registry().count_visible(filter, on, wanted, page.window).await?;
            Ok(listed(on, &found.items).and(page.said()).with("TotalCount", found.total.to_string()))
        }
        Asked::Behind { size, token } => {
            let found = call.registry().visible_repositories(filter, on, wanted, (size, token.as_deref())).await?;
            Ok(listed(on, &found.items).and(behind(size, found.next)))
        }
    }
}

pub(super) async fn update_repository(call: Call) -> Result<Object, Failure> {
    let said = Said::read(&call)?;
    let named = call.instance().await?;
    let on = Arc::clone(&named.on);
    let there = named.there();
    let target = named::repository(&call, &on, there.is_ok()).await?;
    let permit = target.admit::<act::UpdateRepository>(&call, there, UNKNOWN).await?;
    let changes = RepositoryChanges {
        public: Some(said.public),
        summary: Some(said.summary),
        description: said.detail,
        immutable_tags: said.immutable.map(ImmutabilityChange::All),
    };
    call.registry().update_repository(permit, changes).await.map_err(told)?;
    Ok(Object::new())
}

pub(super) async fn delete_repository(call: Call) -> Result<Object, Failure> {
    let named = call.instance().await?;
    let on = Arc::clone(&named.on);
    let there = named.there();
    let target = named::repository(&call, &on, there.is_ok()).await?;
    let permit = target.admit::<act::DeleteRepository>(&call, there, UNKNOWN).await?;
    call.registry().delete_repository(permit).await.map_err(told)?;
    Ok(Object::new())
}

/// What a request says of a repository.
struct Said {
    public: bool,
    summary: String,
    detail: Option<String>,
    /// Are all tags immutable?
    immutable: Option<bool>,
}

impl Said {
    fn read(call: &Call) -> Result<Self, Failure> {
        let public = call.parameters.word("RepoType", &TYPES)?.ok_or_else(|| Problem::missing("RepoType"))?;
        let summary = call.required("Summary")?;
        if summary.chars().count() > LONGEST_SUMMARY || summary.chars().any(char::is_control) {
            let wanted = format!("one line of at most {LONGEST_SUMMARY} characters");
            return Err(Problem::invalid("Summary", Fault::Length, wanted).into());
        }
        let detail = call.optional("Detail");
        let printable = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
        if detail.is_some_and(|text| text.len() > LONGEST_DETAIL || !text.chars().all(printable)) {
            return Err(Problem::invalid("Detail", Fault::Length, format!("at most {LONGEST_DETAIL} bytes of text")).into());
        }
        let immutable = call.parameters.boolean("TagImmutability")?;
        Ok(Self { public: is_public(public), summary: summary.to_owned(), detail: detail.map(str::to_owned), immutable })
    }
}

fn namespace_unknown() -> Failure {
    Problem::business("NAMESPACE_NOT_EXIST", "The namespace does not exist.").into()
}

/// What the registry says of a repository, in the words for one.
fn told(error: RegistryError) -> Failure {
    match error {
        RegistryError::NameUnknown => Problem::business(UNKNOWN, "The repository does not exist.").into(),
        RegistryError::NamespaceUnknown(_) => namespace_unknown(),
        RegistryError::Exists => Problem::business("REPO_ALREADY_EXIST", "The repository exists already.").into(),
        error => error.into(),
    }
}

fn listed(on: &OnInstance, repositories: &[Repository]) -> Object {
    Object::new().list("Repositories", repositories.iter().map(|repository| shape(on, repository)))
}

fn shape(on: &OnInstance, repository: &Repository) -> Object {
    Object::new()
        .with("InstanceId", on.id.to_string())
        .with("RepoId", repository.id.to_string())
        .with("RepoNamespaceName", repository.name.namespace().as_str())
        .with("RepoName", repository.name.within_namespace())
        .with("RepoType", repo_type(repository.public))
        .with("RepoStatus", NORMAL)
        .with("RepoBuildType", "MANUAL")
        .with("Summary", &*repository.summary)
        .with("TagImmutability", repository.immutable_tags.as_ref().is_some_and(ImmutableTags::is_everything))
        .with("CreateTime", repository.created.millis())
        .with("ModifiedTime", repository.updated.millis())
        .with("ResourceGroupId", "")
}
