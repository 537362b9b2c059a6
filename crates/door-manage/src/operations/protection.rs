//! What keeps images as they are, and what refers to what. An image is `REPOSITORY/TAG` or `REPOSITORY/DIGEST` at the end of the path.

use http::StatusCode;
use kit::{Answer, empty, json};
use model::{
    Action, Glob, ImmutableTags, NamespaceName, OnNamespace, OnRepository, Reference, RepositoryId, RepositoryName, TagRuleId, act,
};
use registry::{Behind, Holding, LockChanges, Terms, TermsChanges};

use crate::call::Call;
use crate::errors::Problem;
use crate::page::{Asked, Page};
use crate::shapes::{self, pattern};

/// The namespace of the path; what is no name names nothing.
async fn namespace(call: &Call) -> Result<OnNamespace, Problem> {
    let name = NamespaceName::parse(call.path(1)).map_err(|_| Problem::not_found())?;
    Ok(OnNamespace { instance: call.on_instance().await?, name })
}

/// The rule of the path.
fn rule(call: &Call) -> Result<TagRuleId, Problem> {
    call.path(2).parse().map_err(|_| Problem::not_found())
}

/// The repository and the tag or digest of the path.
async fn image(call: &Call) -> Result<(OnRepository, Reference), Problem> {
    let (name, reference) = call.path(1).rsplit_once('/').ok_or_else(Problem::not_found)?;
    let name = RepositoryName::parse(name).map_err(|_| Problem::not_found())?;
    let reference = Reference::parse(reference).map_err(|_| Problem::not_found())?;
    Ok((OnRepository { instance: call.on_instance().await?, name }, reference))
}

/// A pattern that has to be there.
fn wanted(field: &'static str, text: &str) -> Result<Glob, Problem> {
    Glob::parse(text).map_err(|error| Problem::invalid(field, error))
}

/// An exception: nothing and the empty text are none.
fn exception(field: &'static str, text: Option<&str>) -> Result<Option<Glob>, Problem> {
    text.map_or(Ok(None), |text| pattern(field, text))
}

pub(super) async fn create_immutable_tag_rule(call: Call) -> Result<Answer, Problem> {
    let new: api::CreateImmutableTagRule = call.json()?;
    let terms = Terms {
        repositories: new.repositories.as_deref().map_or_else(|| Ok(Glob::everything()), |text| wanted("repositories", text))?,
        except_repositories: exception("except_repositories", new.except_repositories.as_deref())?,
        tags: ImmutableTags { tags: wanted("tags", &new.tags)?, except: exception("except_tags", new.except_tags.as_deref())? },
        enabled: new.enabled.unwrap_or(true),
    };
    let on = namespace(&call).await?;
    let name = on.name.clone();
    let permit = call.admit_or_hide::<act::CreateImmutableTagRule>(on, Action::GetNamespace).await?;
    let made = call.registry().create_tag_rule(permit, terms).await?;
    Ok(json(StatusCode::CREATED, &shapes::tag_rule(&name, made)))
}

pub(super) async fn list_immutable_tag_rules(call: Call) -> Result<Answer, Problem> {
    let on = namespace(&call).await?;
    let name = on.name.clone();
    let permit = call.admit_or_hide::<act::ListImmutableTagRules>(on, Action::GetNamespace).await?;
    let found = call.registry().list_tag_rules(permit).await?;
    Ok(json(StatusCode::OK, &found.into_iter().map(|rule| shapes::tag_rule(&name, rule)).collect::<Vec<_>>()))
}

pub(super) async fn update_immutable_tag_rule(call: Call) -> Result<Answer, Problem> {
    let change: api::UpdateImmutableTagRule = call.json()?;
    let changes = TermsChanges {
        repositories: change.repositories.as_deref().map(|text| wanted("repositories", text)).transpose()?,
        except_repositories: change.except_repositories.as_deref().map(|text| pattern("except_repositories", text)).transpose()?,
        tags: change.tags.as_deref().map(|text| wanted("tags", text)).transpose()?,
        except_tags: change.except_tags.as_deref().map(|text| pattern("except_tags", text)).transpose()?,
        enabled: change.enabled,
    };
    let (on, id) = (namespace(&call).await?, rule(&call)?);
    let name = on.name.clone();
    let permit = call.admit_or_hide::<act::UpdateImmutableTagRule>(on, Action::GetNamespace).await?;
    let now = call.registry().update_tag_rule(permit, id, changes).await?;
    Ok(json(StatusCode::OK, &shapes::tag_rule(&name, now)))
}

pub(super) async fn delete_immutable_tag_rule(call: Call) -> Result<Answer, Problem> {
    let (on, id) = (namespace(&call).await?, rule(&call)?);
    let permit = call.admit_or_hide::<act::DeleteImmutableTagRule>(on, Action::GetNamespace).await?;
    call.registry().delete_tag_rule(permit, id).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

fn lock_changes(change: &api::UpdateLocks) -> LockChanges {
    LockChanges { lock: shapes::locks(&change.lock), unlock: shapes::locks(&change.unlock) }
}

pub(super) async fn lock_repository(call: Call) -> Result<Answer, Problem> {
    let change: api::UpdateLocks = call.json()?;
    let name = RepositoryName::parse(call.path(1)).map_err(|_| Problem::not_found())?;
    let on = OnRepository { instance: call.on_instance().await?, name };
    let permit = call.admit_or_hide::<act::LockRepository>(on, Action::GetRepository).await?;
    let locked = call.registry().lock_repository(permit, lock_changes(&change)).await?;
    Ok(json(StatusCode::OK, &shapes::repository(locked)))
}

pub(super) async fn lock_image(call: Call) -> Result<Answer, Problem> {
    let change: api::UpdateLocks = call.json()?;
    let (on, image) = image(&call).await?;
    let name = on.name.clone();
    let permit = call.admit_or_hide::<act::LockRepository>(on, Action::ListRepositoryTag).await?;
    let locked = call.registry().lock_image(permit, &image, lock_changes(&change)).await?;
    Ok(json(StatusCode::OK, &shapes::image_protection(&name, &locked)))
}

pub(super) async fn show_image_protection(call: Call) -> Result<Answer, Problem> {
    let (on, image) = image(&call).await?;
    let name = on.name.clone();
    let permit = call.admit_or_hide::<act::ListRepositoryTag>(on, Action::ListRepositoryTag).await?;
    let found = call.registry().show_image_protection(permit, &image).await?;
    Ok(json(StatusCode::OK, &shapes::image_protection(&name, &found)))
}

pub(super) async fn list_image_references(call: Call) -> Result<Answer, Problem> {
    let asked = call.asked()?;
    let behind: Option<Behind> = place(&asked)?;
    let (on, image) = image(&call).await?;
    let permit = call.admit_or_hide::<act::ListRepositoryTag>(on, Action::ListRepositoryTag).await?;
    let found = call.registry().image_references(permit, &image, Some(asked.limit), behind.as_ref()).await?;
    let next = found.items.last().filter(|_| found.more).map(|last| last.cursor().to_string());
    let items = found.items.into_iter().map(shapes::image_reference).collect();
    Ok(Page { items, next }.answer(call.own_path(), call.raw_query()))
}

/// Where a list goes on.
fn place<P: std::str::FromStr>(asked: &Asked) -> Result<Option<P>, Problem> {
    let wrong = |_| Problem::invalid("after", "what the Link header of the page before said");
    if asked.after.is_empty() { Ok(None) } else { asked.after.parse().map(Some).map_err(wrong) }
}

/// A repository that has a digest, as a place in the list of them.
struct Held(bool, RepositoryId);

impl std::str::FromStr for Held {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (kind, id) = text.split_once(':').ok_or(())?;
        let manifest = match kind {
            "blob" => false,
            "manifest" => true,
            _ => return Err(()),
        };
        Ok(Self(manifest, id.parse().map_err(|_| ())?))
    }
}

fn cursor(last: &Holding) -> String {
    format!("{}:{}", if last.manifest { "manifest" } else { "blob" }, last.repository)
}

/// Whoever may pull nothing in the instance learns no more than of an instance that is not there.
pub(super) async fn list_digest_holders(call: Call) -> Result<Answer, Problem> {
    let query: api::DigestQuery = call.query()?;
    let asked = Asked::read(query.limit, query.after.as_deref())?;
    let behind = place::<Held>(&asked)?.map(|held| (held.0, held.1));
    let wrong = |_| Problem::invalid("digest", "an algorithm (sha256, sha512), a colon and lower-case hex digits");
    let digest = query.digest.parse().map_err(wrong)?;
    let on = call.on_instance().await?;
    let filter = call.visible(Action::PullRepository, &on).await?;
    if filter.is_empty() {
        return Err(Problem::not_found());
    }
    let found = call.registry().digest_holders(&filter, &on, &digest, (Some(asked.limit), behind)).await?;
    let next = found.items.last().filter(|_| found.more).map(cursor);
    let items = found.items.iter().map(shapes::digest_holder).collect();
    Ok(Page { items, next }.answer(call.own_path(), call.raw_query()))
}
