//! Which images namespaces keep.

use http::StatusCode;
use kit::{Answer, json};
use model::{Action, Glob, InstanceId, NamespaceName, act};
use registry::{KeptRule, RetentionRule, RetentionSchedule};

use super::namespaces::namespace;
use crate::call::Call;
use crate::errors::Problem;
use crate::page::{Asked, Page};
use crate::shapes;

pub(super) async fn show_retention(call: Call) -> Result<Answer, Problem> {
    let on = namespace(&call).await?;
    let (instance, name) = (on.instance.id, on.name.clone());
    let permit = call.admit_or_hide::<act::GetRetention>(on, Action::GetNamespace).await?;
    let kept = call.registry().retention(permit).await?;
    Ok(json(StatusCode::OK, &answer(instance, &name, said(&kept))))
}

pub(super) async fn list_retention(call: Call) -> Result<Answer, Problem> {
    let page: api::Page = call.query()?;
    let asked = Asked::read(page.limit, page.after.as_deref())?;
    let on = (*call.on_instance().await?).clone();
    let instance = on.id;
    let permit = call.admit_or_hide::<act::ListRetention>(on, Action::GetInstance).await?;
    let found = call.registry().list_retention(permit, Some(asked.limit), Some(&asked.after)).await?;
    let next = found.items.last().filter(|_| found.more).map(|of| of.namespace.to_string());
    let items = found.items.iter().map(|of| answer(instance, &of.namespace, said(&of.rules))).collect();
    Ok(Page { items, next }.answer(call.own_path(), call.raw_query()))
}

pub(super) async fn set_retention(call: Call) -> Result<Answer, Problem> {
    let wanted: api::SetRetention = call.json()?;
    let rules = wanted.rules.iter().map(rule).collect::<Result<Vec<_>, Problem>>()?;
    let on = namespace(&call).await?;
    let (instance, name) = (on.instance.id, on.name.clone());
    let permit = call.admit_or_hide::<act::SetRetention>(on, Action::GetNamespace).await?;
    call.registry().set_retention(permit, &rules).await?;
    Ok(json(StatusCode::OK, &answer(instance, &name, rules.iter())))
}

pub(super) async fn run_retention(call: Call) -> Result<Answer, Problem> {
    let api::RunRetention { dry_run } = call.json()?;
    let on = namespace(&call).await?;
    let permit = call.admit_or_hide::<act::RunRetention>(on, Action::GetNamespace).await?;
    let done = call.registry().run_retention(permit, dry_run).await?;
    Ok(json(StatusCode::OK, &shapes::retention_run(done, dry_run)))
}

fn said(kept: &[KeptRule]) -> impl Iterator<Item = &RetentionRule> {
    kept.iter().map(|kept| &kept.rule)
}

fn answer<'a>(instance: InstanceId, name: &NamespaceName, rules: impl Iterator<Item = &'a RetentionRule>) -> api::Retention {
    let rules = rules.map(shapes::retention_rule).collect();
    api::Retention { namespace: name.to_string(), instance_id: instance.to_string(), rules }
}

fn rule(said: &api::RetentionRule) -> Result<RetentionRule, Problem> {
    Ok(RetentionRule {
        repositories: glob("repositories", said.repositories.as_deref())?.unwrap_or_else(Glob::everything),
        tags: glob("tags", said.tags.as_deref())?.unwrap_or_else(Glob::everything),
        keep_newest: said.keep_newest,
        keep_tags: glob("keep_tags", said.keep_tags.as_deref())?,
        keep_pushed_days: said.keep_pushed_days,
        keep_pulled_days: said.keep_pulled_days,
        untagged_days: said.untagged_days,
        schedule: said.schedule.map(schedule).unwrap_or_default(),
    })
}

const fn schedule(said: api::RetentionSchedule) -> RetentionSchedule {
    match said {
        api::RetentionSchedule::Hourly => RetentionSchedule::Hourly,
        api::RetentionSchedule::Daily => RetentionSchedule::Daily,
        api::RetentionSchedule::Weekly => RetentionSchedule::Weekly,
        api::RetentionSchedule::Monthly => RetentionSchedule::Monthly,
        api::RetentionSchedule::Asked => RetentionSchedule::Asked,
    }
}

fn glob(field: &str, said: Option<&str>) -> Result<Option<Glob>, Problem> {
    said.map(Glob::parse).transpose().map_err(|error| Problem::invalid(field, error))
}
