//! Asking what policies say: why, over many requests, and who may.

use std::collections::BTreeMap;
use std::sync::Arc;

use access::{Permit, Proposed, Question};
use http::StatusCode;
use kit::{Answer, json};
use model::{
    Action, CredentialId, NamespaceName, OnInstance, OnIntegration, OnNamespace, OnPrincipal, OnProvider, OnRepository, PrincipalId,
    PrincipalKind, RepositoryName, Resource, ResourceKind, act,
};

use crate::call::Call;
use crate::errors::Problem;
use crate::page::{Asked, Page};
use crate::shapes;

pub(super) async fn explain_policy(call: Call) -> Result<Answer, Problem> {
    let asked: api::ExplainPolicy = call.json()?;
    let permit = may_ask_about(&call, &asked).await?;
    let question = question(&call, &asked).await?;
    let said = call.identity().explain_policies(&permit, &[question], None).await?;
    let said = said.into_iter().next().ok_or_else(Problem::not_found)?;
    Ok(json(StatusCode::OK, &shapes::explanation(said)))
}

pub(super) async fn simulate_policies(call: Call) -> Result<Answer, Problem> {
    let asked: api::SimulatePolicies = call.json()?;
    if !(1..=api::MAX_SIMULATED).contains(&asked.requests.len()) {
        return Err(Problem::invalid("requests", "1 to 1000 requests"));
    }
    let proposed = asked.document.as_deref().map(|text| proposed(text, asked.instead)).transpose()?;
    // Those about one principal are answered together, under one permit.
    let mut about: BTreeMap<Option<&str>, Vec<usize>> = BTreeMap::new();
    for (index, request) in asked.requests.iter().enumerate() {
        about.entry(subject(request)?).or_default().push(index);
    }
    let mut answers: Vec<Option<api::Explanation>> = vec![None; asked.requests.len()];
    for indices in about.into_values() {
        let requests: Vec<_> = indices.iter().filter_map(|index| asked.requests.get(*index)).collect();
        let Some(first) = requests.first() else { continue };
        let permit = may_ask_about(&call, first).await?;
        let mut questions = Vec::with_capacity(requests.len());
        for request in &requests {
            questions.push(question(&call, request).await?);
        }
        let said = call.identity().explain_policies(&permit, &questions, proposed.as_ref()).await?;
        for (index, said) in indices.into_iter().zip(said) {
            if let Some(answer) = answers.get_mut(index) {
                *answer = Some(shapes::explanation(said));
            }
        }
    }
    Ok(json(StatusCode::OK, &answers.into_iter().flatten().collect::<Vec<_>>()))
}

pub(super) async fn list_permitted_principals(call: Call) -> Result<Answer, Problem> {
    let query: api::PermittedQuery = call.query()?;
    let asked = Asked::read(query.limit, query.after.as_deref())?;
    let after = query.after.as_deref().map(str::parse::<PrincipalId>).transpose();
    let after = after.map_err(|_| Problem::invalid("after", "what the Link header of the page before said"))?;
    let permit = call.admit::<act::ListPermittedPrincipals>(call.account()?).await?;
    let api::PermittedQuery { action, resource, instance, from, at, .. } = query;
    let about = api::ExplainPolicy { user: None, principal: None, session: None, action, resource, instance, from, at };
    let question = question(&call, &about).await?;
    let limit = i64::try_from(asked.limit).unwrap_or(i64::MAX);
    let permitted = call.identity().list_permitted_principals(permit, &question, after, limit).await?;
    let next = permitted.next.map(|id| id.to_string());
    let items = permitted.found.into_iter().map(shapes::permitted).collect::<Vec<_>>();
    Ok(Page { items, next }.answer(call.own_path(), call.raw_query()))
}

fn proposed(text: &str, instead: bool) -> Result<Proposed, Problem> {
    let document = policy::ram::parse(text).map_err(|e| Problem::invalid("document", e.to_string()))?;
    Ok(Proposed { document: Arc::new(document), instead })
}

/// Whom a question is about, as it names them; none: the caller.
fn subject(asked: &api::ExplainPolicy) -> Result<Option<&str>, Problem> {
    match (&asked.user, &asked.principal) {
        (Some(_), Some(_)) => Err(Problem::invalid("principal", "name a user or a principal, not both")),
        (user, principal) => Ok(principal.as_deref().or(user.as_deref())),
    }
}

/// A permit to ask about them, unless whoever may not see them must not learn that they are there.
async fn may_ask_about(call: &Call, asked: &api::ExplainPolicy) -> Result<Permit<act::SimulatePolicy>, Problem> {
    let text = subject(asked)?;
    let named = asked.principal.is_some().then_some(text).flatten().and_then(|text| text.split_once('/'));
    let on: OnPrincipal = match named {
        Some((noun, name)) => call.principal(kind(noun)?, name).await?,
        None => call.user(text).await?,
    };
    let see = match on.kind {
        PrincipalKind::Group => Action::GetGroup,
        PrincipalKind::Role => Action::GetRole,
        PrincipalKind::ServiceAccount => Action::GetServiceAccount,
        PrincipalKind::Root | PrincipalKind::User | PrincipalKind::Admin => Action::GetUser,
    };
    call.admit_or_hide::<act::SimulatePolicy>(on, see).await
}

fn kind(noun: &str) -> Result<PrincipalKind, Problem> {
    let known = [PrincipalKind::User, PrincipalKind::ServiceAccount, PrincipalKind::Group, PrincipalKind::Role];
    let found = known.into_iter().find(|kind| kind.noun() == noun);
    found.ok_or_else(|| Problem::invalid("principal", "user/NAME, group/NAME, role/NAME or service-account/NAME"))
}

async fn question(call: &Call, asked: &api::ExplainPolicy) -> Result<Question, Problem> {
    let no_action = || Problem::invalid("action", "no such action: write it as cr:PullRepository");
    let action = Action::parse(&asked.action).ok_or_else(no_action)?;
    let session = asked.session.as_deref().map(str::parse::<CredentialId>).transpose().map_err(|_| Problem::not_found())?;
    let (from, at) = (asked.from.unwrap_or(call.op.source_ip), asked.at.unwrap_or(call.op.now));
    Ok(Question { action, resource: resource(call, action, asked).await?, from, at, session })
}

/// What the question is about: as the action's kind of resource says.
async fn resource(call: &Call, action: Action, asked: &api::ExplainPolicy) -> Result<Resource, Problem> {
    let named = || asked.resource.as_deref().ok_or_else(|| Problem::invalid("resource", "this action is done to something: name it"));
    Ok(match action.resource_kind() {
        ResourceKind::Account => Resource::Account(call.account()?),
        ResourceKind::Instance => {
            let text = asked.resource.as_deref().or(asked.instance.as_deref());
            Resource::Instance(call.instance_named(text).await?.on)
        }
        ResourceKind::Namespace => {
            let name = NamespaceName::parse(named()?).map_err(Problem::name("resource"))?;
            Resource::Namespace(OnNamespace { instance: instance(call, asked).await?, name })
        }
        ResourceKind::Repository => {
            let name = RepositoryName::parse(named()?).map_err(Problem::name("resource"))?;
            Resource::Repository(OnRepository { instance: instance(call, asked).await?, name })
        }
        ResourceKind::User => Resource::Principal(call.user(Some(named()?)).await?),
        ResourceKind::ServiceAccount => Resource::Principal(call.principal(PrincipalKind::ServiceAccount, named()?).await?),
        ResourceKind::Group => Resource::Principal(call.principal(PrincipalKind::Group, named()?).await?),
        ResourceKind::Role => Resource::Principal(call.principal(PrincipalKind::Role, named()?).await?),
        ResourceKind::Provider => Resource::Provider(OnProvider { account: call.account()?.0, id: None, name: named()?.into() }),
        ResourceKind::Integration => Resource::Integration(OnIntegration { account: call.account()?.0, id: None, name: named()?.into() }),
        ResourceKind::Policy => Resource::Policy(call.identity().policy(&call.caller, named()?).await?),
    })
}

async fn instance(call: &Call, asked: &api::ExplainPolicy) -> Result<Arc<OnInstance>, Problem> {
    Ok(call.instance_named(asked.instance.as_deref()).await?.on)
}
