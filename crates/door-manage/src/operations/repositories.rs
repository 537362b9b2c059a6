//! Repositories. Their names' slashes stand in the path as they are.

use http::StatusCode;
use kit::{Answer, empty, json};
use model::{Action, ImmutableTags, NamespaceName, OnNamespace, OnRepository, RepositoryName, act};
use registry::{Immutability, ImmutabilityChange, NewRepository, RepositoryChanges};

use crate::call::Call;
use crate::errors::Problem;
use crate::page::{Asked, Page};
use crate::shapes::{self, pattern};

/// The repository of the path; what is no name names nothing.
async fn repository(call: &Call) -> Result<OnRepository, Problem> {
    let name = RepositoryName::parse(call.path(1)).map_err(|_| Problem::not_found())?;
    Ok(OnRepository { instance: call.on_instance().await?, name })
}

pub(super) async fn create_repository(call: Call) -> Result<Answer, Problem> {
    let new: api::CreateRepository = call.json()?;
    let name = RepositoryName::parse(&new.name).map_err(Problem::name("name"))?;
    let on = OnRepository { instance: call.on_instance().await?, name };
    let permit = call.admit_or_hide::<act::CreateRepository>(on, Action::GetRepository).await?;
    let wanted = NewRepository {
        public: new.public,
        summary: summary(new.summary)?,
        description: description(new.description)?,
        immutable_tags: immutability(new.immutable_tags.as_deref(), new.immutable_tags_except.as_deref())?,
    };
    let made = call.registry().create_repository(permit, wanted).await?;
    Ok(json(StatusCode::CREATED, &shapes::repository(made)))
}

pub(super) async fn list_repositories(call: Call) -> Result<Answer, Problem> {
    let query: api::RepositoryQuery = call.query()?;
    let asked = Asked::read(query.limit, query.after.as_deref())?;
    let name = NamespaceName::parse(&query.namespace).map_err(Problem::name("namespace"))?;
    let on = OnNamespace { instance: call.on_instance().await?, name };
    let permit = call.admit_or_hide::<act::ListRepository>(on, Action::GetNamespace).await?;
    let found = call.registry().list_repositories(permit, Some(asked.limit), Some(&asked.after)).await?;
    let next = found.items.last().filter(|_| found.more).map(|r| r.name.to_string());
    let items = found.items.into_iter().map(shapes::repository).collect();
    Ok(Page { items, next }.answer(call.own_path(), call.raw_query()))
}

pub(super) async fn show_repository(call: Call) -> Result<Answer, Problem> {
    let on = repository(&call).await?;
    let permit = call.admit_or_hide::<act::GetRepository>(on, Action::GetRepository).await?;
    let found = call.registry().show_repository(permit).await?;
    Ok(json(StatusCode::OK, &shapes::repository(found)))
}

pub(super) async fn update_repository(call: Call) -> Result<Answer, Problem> {
    let change: api::UpdateRepository = call.json()?;
    let on = repository(&call).await?;
    let permit = call.admit_or_hide::<act::UpdateRepository>(on, Action::GetRepository).await?;
    let changes = RepositoryChanges {
        public: change.public,
        summary: change.summary.map(summary).transpose()?,
        description: change.description.map(description).transpose()?,
        immutable_tags: immutability_change(change.immutable_tags.as_deref(), change.immutable_tags_except.as_deref())?,
    };
    let updated = call.registry().update_repository(permit, changes).await?;
    Ok(json(StatusCode::OK, &shapes::repository(updated)))
}

pub(super) async fn delete_repository(call: Call) -> Result<Answer, Problem> {
    let on = repository(&call).await?;
    let permit = call.admit_or_hide::<act::DeleteRepository>(on, Action::GetRepository).await?;
    call.registry().delete_repository(permit).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

fn summary(text: String) -> Result<String, Problem> {
    let fits = text.len() <= 400 && !text.chars().any(char::is_control);
    if fits { Ok(text) } else { Err(Problem::invalid("summary", "one line of at most 400 bytes without control characters")) }
}

/// PostgreSQL keeps no NUL, and a terminal is not to be steered.
fn description(text: String) -> Result<String, Problem> {
    let fits = text.len() <= 4096 && !text.chars().any(|c| c.is_control() && c != '\n');
    if fits { Ok(text) } else { Err(Problem::invalid("description", "at most 4096 bytes without control characters")) }
}

/// What a new repository is to be like; none: as its namespace says.
fn immutability(tags: Option<&str>, except: Option<&str>) -> Result<Option<Immutability>, Problem> {
    let Some(tags) = tags else {
        return if except.is_none() { Ok(None) } else { Err(Problem::invalid("immutable_tags_except", "only with immutable_tags")) };
    };
    let (tags, except) = (pattern("immutable_tags", tags)?, except.map_or(Ok(None), |text| pattern("immutable_tags_except", text))?);
    Ok(Some(tags.map(|tags| ImmutableTags { tags, except })))
}

fn immutability_change(tags: Option<&str>, except: Option<&str>) -> Result<Option<ImmutabilityChange>, Problem> {
    let tags = tags.map(|text| pattern("immutable_tags", text)).transpose()?;
    let except = except.map(|text| pattern("immutable_tags_except", text)).transpose()?;
    Ok((tags.is_some() || except.is_some()).then_some(ImmutabilityChange::Patterns { tags, except }))
}
