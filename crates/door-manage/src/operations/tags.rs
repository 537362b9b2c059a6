//! Tags: `REPOSITORY/TAG` at the end of the path, split from the right.

use http::StatusCode;
use kit::{Answer, empty, json};
use model::{Action, Digest, OnRepository, RepositoryName, Tag, act};

use crate::call::Call;
use crate::errors::Problem;
use crate::page::{Asked, Page};
use crate::shapes;

/// The repository and the tag of the path; what is no name names nothing.
async fn tag(call: &Call) -> Result<(OnRepository, Tag), Problem> {
    let (name, tag) = call.path(1).rsplit_once('/').ok_or_else(Problem::not_found)?;
    let name = RepositoryName::parse(name).map_err(|_| Problem::not_found())?;
    let tag = Tag::parse(tag).map_err(|_| Problem::not_found())?;
    Ok((OnRepository { instance: call.on_instance().await?, name }, tag))
}

fn digest(text: &str) -> Result<Digest, Problem> {
    text.parse().map_err(|_| Problem::invalid("digest", "an algorithm (sha256, sha512), a colon and lower-case hex digits"))
}

/// What a new tag is to point at.
enum To {
    Digest(Digest),
    Tag(Tag),
}

pub(super) async fn create_tag(call: Call) -> Result<Answer, Problem> {
    let new: api::CreateTag = call.json()?;
    let name = RepositoryName::parse(&new.repository).map_err(Problem::name("repository"))?;
    let tag = Tag::parse(&new.name).map_err(Problem::name("name"))?;
    let to = match (&new.digest, &new.from) {
        (Some(text), None) => To::Digest(digest(text)?),
        (None, Some(from)) => To::Tag(Tag::parse(from).map_err(Problem::name("from"))?),
        _ => return Err(Problem::invalid("digest", "either this or from")),
    };
    let on = OnRepository { instance: call.on_instance().await?, name };
    let name = on.name.clone();
    let permit = call.admit_or_hide::<act::CreateRepositoryTag>(on, Action::ListRepositoryTag).await?;
    let made = match to {
        To::Digest(digest) => call.registry().create_tag(permit, &tag, &digest).await?,
        To::Tag(from) => call.registry().copy_tag(permit, &from, &tag).await?,
    };
    Ok(json(StatusCode::CREATED, &shapes::tag(&name, &made)))
}

pub(super) async fn list_tags(call: Call) -> Result<Answer, Problem> {
    let query: api::TagQuery = call.query()?;
    let asked = Asked::read(query.limit, query.after.as_deref())?;
    let name = RepositoryName::parse(&query.repository).map_err(Problem::name("repository"))?;
    let on = OnRepository { instance: call.on_instance().await?, name };
    let name = on.name.clone();
    let permit = call.admit_or_hide::<act::ListRepositoryTag>(on, Action::ListRepositoryTag).await?;
    let found = call.registry().list_tags(permit, Some(asked.limit), Some(&asked.after)).await?;
    let next = found.items.last().filter(|_| found.more).map(|t| t.name.to_string());
    let items = found.items.iter().map(|t| shapes::tag(&name, t)).collect();
    Ok(Page { items, next }.answer(call.own_path(), call.raw_query()))
}

pub(super) async fn show_tag(call: Call) -> Result<Answer, Problem> {
    let (on, tag) = tag(&call).await?;
    let name = on.name.clone();
    let permit = call.admit_or_hide::<act::ListRepositoryTag>(on, Action::ListRepositoryTag).await?;
    let found = call.registry().show_tag(permit, &tag).await?;
    Ok(json(StatusCode::OK, &shapes::tag(&name, &found)))
}

pub(super) async fn update_tag(call: Call) -> Result<Answer, Problem> {
    let change: api::UpdateTag = call.json()?;
    let digest = digest(&change.digest)?;
    let (on, tag) = tag(&call).await?;
    let name = on.name.clone();
    let permit = call.admit_or_hide::<act::UpdateRepositoryTag>(on, Action::ListRepositoryTag).await?;
    let changed = call.registry().update_tag(permit, &tag, &digest).await?;
    Ok(json(StatusCode::OK, &shapes::tag(&name, &changed)))
}

pub(super) async fn delete_tag(call: Call) -> Result<Answer, Problem> {
    let (on, tag) = tag(&call).await?;
    let permit = call.admit_or_hide::<act::DeleteRepositoryTag>(on, Action::ListRepositoryTag).await?;
    call.registry().delete_tag(permit, &tag).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
