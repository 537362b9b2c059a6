//! Rules of the lifecycle of artifacts: rules of retention, each one of a namespace's.

use std::sync::Arc;

use access::Permit;
use model::{ActionKind, Glob, NamespaceName, OnInstance, OnNamespace, RetentionRuleId, Timestamp, act};
use registry::{KeptRule, MAX_NEWEST, RegistryError, RetentionRule, RetentionSchedule};

use super::named::{self, namespace_name, not_supported, whole};
use super::pages::Numbered;
use super::wildcards::{pattern, regexp};
use crate::call::Call;
use crate::errors::{Failure, Fault, Problem};
use crate::shapes::{Object, Value};

/// The code for one that is not there.
const UNKNOWN: &str = "ARTIFACT_LIFECYCLE_RULE_NOT_EXIST";
const INSTANCE: &str = "INSTANCE";
const NAMESPACE: &str = "NAMESPACE";
const REPO: &str = "REPO";
const SCOPES: [&str; 3] = [INSTANCE, NAMESPACE, REPO];
/// All of a namespace's repositories.
const EVERYWHERE: &str = "**";
/// When rules are acted on: its words, and ours.
const TIMES: [(&str, RetentionSchedule); 3] =
    [("DAY", RetentionSchedule::Daily), ("WEEK", RetentionSchedule::Weekly), ("MONTH", RetentionSchedule::Monthly)];
/// How old manifests without a tag are that go: the door has no word for it.
const UNTAGGED_DAYS: u32 = 1;

pub(super) async fn create_artifact_lifecycle_rule(call: Call) -> Result<Object, Failure> {
    let (namespace, rule) = said(&call)?;
    let instance = call.instance().await?;
    let permit = call.admit::<act::SetRetention>(OnNamespace { instance: Arc::clone(&instance.on), name: namespace }).await?;
    instance.there()?;
    let unknown = |error| match error {
        RegistryError::NameUnknown => Problem::business("NAMESPACE_NOT_EXIST", "The namespace does not exist.").into(),
        error => told(error),
    };
    let made = call.registry().add_retention_rule(permit, &rule).await.map_err(unknown)?;
    Ok(Object::new().with("RuleId", made.to_string()))
}

pub(super) async fn get_artifact_lifecycle_rule(call: Call) -> Result<Object, Failure> {
    let (permit, id) = admit::<act::GetRetention>(&call).await?;
    let on = permit.on().clone();
    let now = call.op.now;
    let found = call.registry().retention_rule(permit, id).await.map_err(told)?;
    Ok(shape(&on.instance, &on.name, &found, now))
}

pub(super) async fn list_artifact_lifecycle_rule(call: Call) -> Result<Object, Failure> {
    let page = Numbered::read(&call)?;
    let of_tags = call.parameters.boolean("EnableDeleteTag")?;
    let instance = call.instance().await?;
    let on = Arc::clone(&instance.on);
    let permit = call.admit::<act::ListRetention>((*on).clone()).await?;
    instance.there()?;
    let shown = |rule: &RetentionRule| of_tags.is_none_or(|wanted| rule.speaks_of_tags() == wanted);
    let found = call.registry().count_retention_rules(permit, page.window, shown).await?;
    let rules = found.items.iter().map(|(namespace, kept)| shape(&on, namespace, kept, call.op.now));
    Ok(Object::new().list("Rules", rules).and(page.said()).with("TotalCount", found.total))
}

pub(super) async fn update_artifact_lifecycle_rule(call: Call) -> Result<Object, Failure> {
    let (namespace, rule) = said(&call)?;
    let (permit, id) = admit::<act::SetRetention>(&call).await?;
    if permit.on().name != namespace {
        return Err(denied("A rule stays in its namespace: delete it, and create it in the other one.").into());
    }
    call.registry().update_retention_rule(permit, id, &rule, is_of_this_door).await.map_err(told)?;
    Ok(Object::new())
}

pub(super) async fn delete_artifact_lifecycle_rule(call: Call) -> Result<Object, Failure> {
    let (permit, id) = admit::<act::SetRetention>(&call).await?;
    call.registry().delete_retention_rule(permit, id).await.map_err(told)?;
    Ok(Object::new())
}

/// A permit on the namespace of the rule that `RuleId` names.
async fn admit<A: ActionKind<On = OnNamespace>>(call: &Call) -> Result<(Permit<A>, RetentionRuleId), Failure> {
    let id = call.required("RuleId")?.parse::<RetentionRuleId>().ok();
    let named = call.instance().await?;
    let on = Arc::clone(&named.on);
    let there = named.there();
    let target = named::namespace_by_id(call, &on, id.map(|id| id.namespace), there.is_ok()).await?;
    let permit = target.admit::<A>(call, there, UNKNOWN).await?;
    let id = id.ok_or_else(|| Problem::business(UNKNOWN, "There is nothing of this id."))?;
    Ok((permit, id))
}

/// What a request says of a rule: all of it, as the vendor's tools send it. What rules of this server cannot be is refused.
fn said(call: &Call) -> Result<(NamespaceName, RetentionRule), Failure> {
    if call.parameters.boolean("DryRun")? == Some(true) {
        return Err(not_supported("DryRun").into());
    }
    if call.parameters.has("Policies") {
        return Err(not_supported("Policies").into());
    }
    let (namespace, repositories) = scope(call)?;
    let tags = call.parameters.boolean("EnableDeleteTag")?;
    let untagged = call.parameters.boolean("EnableDeleteUntaggedManifest")?.unwrap_or_default();
    let rule = RetentionRule { repositories, schedule: schedule(call)?, ..RetentionRule::default() };
    match (tags, untagged) {
        (Some(true), true) => Err(wrong("EnableDeleteUntaggedManifest", "only one of this and EnableDeleteTag is true").into()),
        (None, false) => Err(Problem::missing("EnableDeleteTag").into()),
        (Some(false), false) => Err(not_supported("A rule that is turned off").into()),
        (_, true) => Ok((namespace, RetentionRule { untagged_days: Some(UNTAGGED_DAYS), ..rule })),
        (Some(true), false) => Ok((namespace, keeping(call, rule)?)),
    }
}

/// Which tags it keeps.
fn keeping(call: &Call, rule: RetentionRule) -> Result<RetentionRule, Failure> {
    let keep_newest = call.parameters.integer("RetentionTagCount", 0..=MAX_NEWEST.into())?.and_then(|n| u32::try_from(n).ok());
    let keep_newest = keep_newest.filter(|n| *n > 0);
    let keep_tags = call.optional("TagRegexp").map(str::trim).filter(|text| !text.is_empty()).map(expression).transpose()?;
    if keep_newest.is_none() && keep_tags.is_none() {
        // Whatever is deleted then is everything.
        return Err(Problem::missing("RetentionTagCount").into());
    }
    Ok(RetentionRule { keep_newest, keep_tags, ..rule })
}

fn expression(text: &str) -> Result<Glob, Problem> {
    pattern(text).ok_or_else(|| not_supported("TagRegexp with more than letters, digits, _, -, \\., ., .*, .+, a|b and (a|b)"))
}

/// Of which namespace's repositories it speaks.
fn scope(call: &Call) -> Result<(NamespaceName, Glob), Failure> {
    let (namespace, repository) = (call.optional("NamespaceName"), call.optional("RepoName"));
    let scope = call.parameters.word("Scope", &SCOPES)?.unwrap_or(match (namespace, repository) {
        (None, _) => INSTANCE,
        (Some(_), None) => NAMESPACE,
        (Some(_), Some(_)) => REPO,
    });
    if scope == INSTANCE {
        return Err(not_supported("A rule for all namespaces of an instance").into());
    }
    let namespace = namespace_name("NamespaceName", namespace.ok_or_else(|| Problem::missing("NamespaceName"))?)?;
    let repositories = match (scope, repository) {
        (REPO, None) => return Err(Problem::missing("RepoName").into()),
        (REPO, Some(name)) => {
            let name = whole(&namespace, name)?;
            Glob::parse(name.within_namespace()).map_err(|error| wrong("RepoName", &error.to_string()))?
        }
        _ => Glob::everything(),
    };
    Ok((namespace, repositories))
}

/// When it is acted on. One that is not `Auto` waits until somebody asks for it.
fn schedule(call: &Call) -> Result<RetentionSchedule, Failure> {
    let word = call.parameters.word("ScheduleTime", &TIMES.map(|(word, _)| word))?;
    let named = TIMES.into_iter().find(|(known, _)| Some(*known) == word).map_or(RetentionSchedule::Hourly, |(_, schedule)| schedule);
    let auto = call.parameters.boolean("Auto")?.unwrap_or_default();
    Ok(if auto { named } else { RetentionSchedule::Asked })
}

/// Does a rule say no more than this door has words for? Else changing it here would take away what it says besides.
fn is_of_this_door(rule: &RetentionRule) -> Result<(), &'static str> {
    let days = rule.keep_pushed_days.is_some() || rule.keep_pulled_days.is_some();
    let untagged = rule.untagged_days.is_some_and(|days| days != UNTAGGED_DAYS || rule.speaks_of_tags());
    let some = rule.repositories.as_str() != EVERYWHERE && rule.repositories.as_str().contains(['*', '?', '{']);
    if days || untagged || some || !rule.tags.is_everything() {
        Err("this rule says more than can be said here: change it where it was made")
    } else {
        Ok(())
    }
}

fn wrong(parameter: &'static str, problem: &str) -> Problem {
    Problem::invalid(parameter, Fault::Format, problem)
}

fn denied(message: impl Into<String>) -> Problem {
    Problem::business("OPERATION_DENIED", message)
}

/// What the registry says of a rule, in the words for one.
fn told(error: RegistryError) -> Failure {
    match error {
        RegistryError::NameUnknown => Problem::business(UNKNOWN, "The rule does not exist.").into(),
        RegistryError::RuleInvalid { reason } => denied(format!("{reason}.")).into(),
        error => error.into(),
    }
}

fn shape(instance: &OnInstance, namespace: &NamespaceName, kept: &KeptRule, now: Timestamp) -> Object {
    let KeptRule { id, rule, created, changed } = kept;
    let everywhere = rule.repositories.as_str() == EVERYWHERE;
    let time = TIMES.iter().find(|(_, schedule)| *schedule == rule.schedule).map_or("", |(word, _)| *word);
    Object::new()
        .with("InstanceId", instance.id.to_string())
        .with("RuleId", id.to_string())
        .with("Scope", if everywhere { NAMESPACE } else { REPO })
        .with("NamespaceName", namespace.as_str())
        .with("RepoName", if everywhere { "" } else { rule.repositories.as_str() })
        .with("Auto", rule.schedule != RetentionSchedule::Asked)
        .with("ScheduleTime", time)
        .maybe("NextTime", rule.schedule.next(now).map(Timestamp::millis))
        .with("DryRun", false)
        .with("EnableDeleteTag", rule.speaks_of_tags())
        .with("EnableDeleteUntaggedManifest", rule.untagged_days.is_some())
        .maybe("RetentionTagCount", rule.keep_newest.map(i64::from))
        .with("TagRegexp", rule.keep_tags.as_ref().map(regexp).unwrap_or_default())
        .list("Policies", Vec::<Value>::new())
        .with("CreateTime", created.millis())
        .with("ModifiedTime", changed.millis())
}
