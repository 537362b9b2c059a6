//! Which images namespaces keep.

use http::StatusCode;
use kit::{Answer, json};
use model::{Action, Glob, InstanceId, NamespaceName, act};
use registry::RetentionRule;

use super::namespaces::namespace;
use crate::call::Call;
use crate::errors::Problem;
use crate::shapes;

pub(super) async fn show_retention(call: Call) -> Result<Answer, Problem> {
    let on = namespace(&call).await?;
    let (instance, name) = (on.instance.id, on.name.clone());
    let permit = call.admit_or_hide::<act::GetRetention>(on, Action::GetNamespace).await?;
    let rules = call.registry().retention(permit).await?;
    Ok(json(StatusCode::OK, &answer(instance, &name, &rules)))
}

pub(super) async fn set_retention(call: Call) -> Result<Answer, Problem> {
    let wanted: api::SetRetention = call.json()?;
    let rules = wanted.rules.iter().map(rule).collect::<Result<Vec<_>, Problem>>()?;
    let on = namespace(&call).await?;
    let (instance, name) = (on.instance.id, on.name.clone());
    let permit = call.admit_or_hide::<act::SetRetention>(on, Action::GetNamespace).await?;
    call.registry().set_retention(permit, &rules).await?;
    Ok(json(StatusCode::OK, &answer(instance, &name, &rules)))
}

pub(super) async fn run_retention(call: Call) -> Result<Answer, Problem> {
    let api::RunRetention { dry_run } = call.json()?;
    let on = namespace(&call).await?;
    let permit = call.admit_or_hide::<act::RunRetention>(on, Action::GetNamespace).await?;
    let done = call.registry().run_retention(permit, dry_run).await?;
    Ok(json(StatusCode::OK, &shapes::retention_run(done, dry_run)))
}

fn answer(instance: InstanceId, name: &NamespaceName, rules: &[RetentionRule]) -> api::Retention {
    let rules = rules.iter().map(shapes::retention_rule).collect();
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
    })
}

fn glob(field: &str, said: Option<&str>) -> Result<Option<Glob>, Problem> {
    said.map(Glob::parse).transpose().map_err(|error| Problem::invalid(field, error))
}
