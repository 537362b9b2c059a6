//! Namespaces.

use std::sync::Arc;

use model::{NamespaceId, NamespaceName, OnInstance, OnNamespace, act};
use registry::{Counted, Namespace, NamespaceChanges, NewNamespace, RegistryError};
use serde_json::Value as Json;

use super::named::{NORMAL, NOT_THERE, Target, namespace_name, not_supported};
use super::pages::Numbered;
use crate::call::Call;
use crate::errors::{Failure, Fault, Problem};
use crate::shapes::Object;

const PUBLIC: &str = "PUBLIC";
const PRIVATE: &str = "PRIVATE";
/// What kinds of repository there are.
pub(super) const TYPES: [&str; 2] = [PUBLIC, PRIVATE];
const STATUSES: [&str; 2] = [NORMAL, "DELETING"];
const CONFIGURATION: &str = "DefaultRepoConfiguration";

pub(super) fn is_public(word: &str) -> bool {
    word == PUBLIC
}

pub(super) const fn repo_type(public: bool) -> &'static str {
    if public { PUBLIC } else { PRIVATE }
}

pub(super) async fn create_namespace(call: Call) -> Result<Object, Failure> {
    let changes = changes(&call)?;
    let name = name(call.required("NamespaceName")?)?;
    let instance = call.instance().await?;
    let permit = call.admit::<act::CreateNamespace>(OnNamespace { instance: Arc::clone(&instance.on), name }).await?;
    instance.there()?;
    let new = NewNamespace(changes.apply(NewNamespace::default().0));
    call.registry().create_namespace(permit, new).await.map_err(told)?;
    Ok(Object::new())
}

pub(super) async fn get_namespace(call: Call) -> Result<Object, Failure> {
    let named = call.instance().await?;
    let on = Arc::clone(&named.on);
    let there = named.there();
    let target = target(&call, &on, there.is_ok()).await?;
    let permit = target.admit::<act::GetNamespace>(&call, there, "NAMESPACE_NOT_EXIST").await?;
    let found = call.registry().show_namespace(permit).await.map_err(told)?;
    Ok(shape(&on, &found))
}

pub(super) async fn list_namespace(call: Call) -> Result<Object, Failure> {
    let page = Numbered::read(&call)?;
    let status = call.parameters.word("NamespaceStatus", &STATUSES)?;
    let wanted = call.optional("NamespaceName").map(name).transpose()?;
    let instance = call.instance().await?;
    let on = Arc::clone(&instance.on);
    let permit = call.admit::<act::ListNamespace>((*on).clone()).await?;
    instance.there()?;
    let found = match status {
        None | Some(NORMAL) => call.registry().count_namespaces(permit, wanted.as_ref(), page.window).await?,
        Some(_) => Counted { items: Vec::new(), total: 0 },
    };
    let shown = found.items.iter().map(|namespace| shape(&on, namespace));
    Ok(Object::new().list("Namespaces", shown).and(page.said()).with("TotalCount", found.total.to_string()))
}

pub(super) async fn update_namespace(call: Call) -> Result<Object, Failure> {
    let changes = changes(&call)?;
    let name = name(call.required("NamespaceName")?)?;
    let instance = call.instance().await?;
    let permit = call.admit::<act::UpdateNamespace>(OnNamespace { instance: Arc::clone(&instance.on), name }).await?;
    instance.there()?;
    call.registry().update_namespace(permit, changes).await.map_err(told)?;
    Ok(Object::new())
}

pub(super) async fn delete_namespace(call: Call) -> Result<Object, Failure> {
    let name = name(call.required("NamespaceName")?)?;
    let instance = call.instance().await?;
    let permit = call.admit::<act::DeleteNamespace>(OnNamespace { instance: Arc::clone(&instance.on), name }).await?;
    instance.there()?;
    call.registry().delete_namespace(permit).await.map_err(told)?;
    Ok(Object::new())
}

/// The namespace of a request: by name, or by id.
async fn target(call: &Call, instance: &Arc<OnInstance>, there: bool) -> Result<Target<OnNamespace>, Failure> {
    let on = |name| OnNamespace { instance: Arc::clone(instance), name };
    if let Some(text) = call.optional("NamespaceName") {
        return Ok(Target::Name(on(name(text)?)));
    }
    let text = call.optional("NamespaceId").ok_or_else(|| Problem::missing("NamespaceName"))?;
    let absent = on(name(NOT_THERE)?);
    let Ok(id) = text.parse::<NamespaceId>() else { return Ok(Target::Id { found: None, absent }) };
    // What another account's instance holds is not looked at.
    let found = if there { call.registry().namespace_of(instance, id).await } else { Err(RegistryError::NameUnknown) };
    match found {
        Ok(found) => Ok(Target::Id { found: Some(found), absent }),
        Err(RegistryError::NameUnknown) => Ok(Target::Id { found: None, absent }),
        Err(error) => Err(error.into()),
    }
}

/// What a request says of a namespace.
fn changes(call: &Call) -> Result<NamespaceChanges, Failure> {
    let auto_create_repository = call.parameters.boolean("AutoCreateRepo")?;
    let outside = call.parameters.word("DefaultRepoType", &TYPES)?;
    let inside = call.parameters.json(CONFIGURATION)?.map(|said| configuration(&said)).transpose()?.unwrap_or_default();
    let default_public = match (outside.map(is_public), inside.public) {
        (Some(one), Some(other)) if one != other => return Err(wrong("its RepoType is not DefaultRepoType").into()),
        (one, other) => one.or(other),
    };
    let default_immutable_tags = inside.immutable_tags;
    Ok(NamespaceChanges { auto_create_repository, default_public, default_immutable_tags, ..NamespaceChanges::default() })
}

/// What new repositories are to be like; none: it is not said.
#[derive(Clone, Copy, Default)]
struct Configuration {
    public: Option<bool>,
    immutable_tags: Option<bool>,
}

fn wrong(problem: &'static str) -> Problem {
    Problem::invalid(CONFIGURATION, Fault::Format, problem)
}

/// Of the configuration of new repositories, whether they are public and their tags immutable; the rest must be as everything is here.
fn configuration(said: &Json) -> Result<Configuration, Problem> {
    const SHAPE: &str = "a JSON object with RepoType, TagImmutability and ArtifactBuildRuleParameters";
    let said = said.as_object().ok_or_else(|| wrong(SHAPE))?;
    let flag = |value: Option<&Json>| match value {
        None | Some(Json::Null) => Ok(None),
        Some(value) => value.as_bool().map(Some).ok_or_else(|| wrong(SHAPE)),
    };
    let immutable_tags = flag(said.get("TagImmutability"))?;
    let building = said.get("ArtifactBuildRuleParameters").filter(|value| !value.is_null());
    if let Some(building) = building {
        let building = building.as_object().ok_or_else(|| wrong(SHAPE))?;
        if flag(building.get("ImageIndexOnly"))? == Some(true) {
            return Err(not_supported("ImageIndexOnly"));
        }
    }
    let word = said.get("RepoType").filter(|value| !value.is_null());
    let Some(word) = word else { return Ok(Configuration { public: None, immutable_tags }) };
    let known = word.as_str().and_then(|word| TYPES.into_iter().find(|known| known.eq_ignore_ascii_case(word)));
    let public = known.map(is_public).ok_or_else(|| wrong("RepoType is PUBLIC or PRIVATE"))?;
    Ok(Configuration { public: Some(public), immutable_tags })
}

fn name(text: &str) -> Result<NamespaceName, Problem> {
    namespace_name("NamespaceName", text)
}

/// What the registry says of a namespace, in the words for one.
fn told(error: RegistryError) -> Failure {
    match error {
        RegistryError::NameUnknown => Problem::business("NAMESPACE_NOT_EXIST", "The namespace does not exist.").into(),
        RegistryError::Exists => Problem::business("NAMESPACE_ALREADY_EXIST", "The namespace exists already.").into(),
        error => error.into(),
    }
}

fn shape(instance: &OnInstance, namespace: &Namespace) -> Object {
    let kind = repo_type(namespace.settings.public || namespace.settings.default_public);
    let building = Object::new().with("ImageIndexOnly", false);
    let configuration = Object::new()
        .with("RepoType", kind)
        .with("TagImmutability", namespace.settings.default_immutable_tags)
        .with("ArtifactBuildRuleParameters", building);
    Object::new()
        .with("InstanceId", instance.id.to_string())
        .with("NamespaceId", namespace.id.to_string())
        .with("NamespaceName", namespace.name.as_str())
        .with("NamespaceStatus", NORMAL)
        .with("AutoCreateRepo", namespace.settings.auto_create_repository)
        .with("DefaultRepoType", kind)
        .with(CONFIGURATION, configuration)
        .with("ResourceGroupId", "")
}
