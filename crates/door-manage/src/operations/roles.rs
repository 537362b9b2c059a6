//! Roles, and sessions of them.

use api::Secret;
use http::StatusCode;
use identity::{AssumeRole, CreateRole, UpdateRole};
use kit::{Answer, empty, json};
use model::{Action, OnPrincipal, PrincipalKind, RoleName, act};

use crate::call::Call;
use crate::errors::Problem;
use crate::shapes;

impl Call {
    async fn role(&self) -> Result<OnPrincipal, Problem> {
        self.principal(PrincipalKind::Role, self.path(0)).await
    }
}

pub(super) async fn create_role(call: Call) -> Result<Answer, Problem> {
    let new: api::CreateRole = call.json()?;
    let name = RoleName::parse(&new.name).map_err(Problem::name("name"))?;
    let on = OnPrincipal { account: call.account()?.0, id: None, kind: PrincipalKind::Role, name: name.as_str().into() };
    let permit = call.admit::<act::CreateRole>(on).await?;
    let wanted = CreateRole { description: new.description, trust: new.trust_policy, max_session: new.max_session };
    let made = call.identity().create_role(permit, &wanted).await?;
    Ok(json(StatusCode::CREATED, &shapes::role(made)))
}

pub(super) async fn list_roles(call: Call) -> Result<Answer, Problem> {
    let asked = call.asked()?;
    let permit = call.admit::<act::ListRoles>(call.account()?).await?;
    let roles = call.identity().list_roles(permit, &asked.after, asked.one_more()).await?;
    Ok(call.page(roles, &asked, |r| r.principal.name.to_string(), shapes::role))
}

pub(super) async fn show_role(call: Call) -> Result<Answer, Problem> {
    let permit = call.admit_or_hide::<act::GetRole>(call.role().await?, Action::GetRole).await?;
    let found = call.identity().show_role(permit).await?;
    Ok(json(StatusCode::OK, &shapes::role(found)))
}

pub(super) async fn update_role(call: Call) -> Result<Answer, Problem> {
    let change: api::UpdateRole = call.json()?;
    let permit = call.admit_or_hide::<act::UpdateRole>(call.role().await?, Action::GetRole).await?;
    let wanted = UpdateRole {
        description: change.description,
        trust: change.trust_policy,
        max_session: change.max_session,
        enabled: change.enabled,
    };
    let changed = call.identity().update_role(permit, &wanted).await?;
    Ok(json(StatusCode::OK, &shapes::role(changed)))
}

pub(super) async fn delete_role(call: Call) -> Result<Answer, Problem> {
    let permit = call.admit_or_hide::<act::DeleteRole>(call.role().await?, Action::GetRole).await?;
    call.identity().delete_role(permit).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn end_sessions(call: Call) -> Result<Answer, Problem> {
    let permit = call.admit_or_hide::<act::UpdateRole>(call.role().await?, Action::GetRole).await?;
    let ended = call.identity().end_sessions(permit).await?;
    Ok(json(StatusCode::OK, &api::EndedSessions { ended }))
}

/// Whoever may assume no such role learns of none: a role that is not there is refused like one that does not trust.
pub(super) async fn assume_role(call: Call) -> Result<Answer, Problem> {
    let wanted: api::AssumeRole = call.json()?;
    let permit = call.admit::<act::AssumeRole>(call.role().await?).await?;
    let wanted = AssumeRole {
        session_name: wanted.session_name,
        lasts: wanted.duration,
        policy: wanted.policy,
        external_id: wanted.external_id,
        source_identity: wanted.source_identity,
    };
    let session = call.identity().assume_role(permit, &wanted).await?;
    let shape = api::Session {
        assumed_role: format!("{}/{}", session.role.name, session.name),
        access_key_id: session.access_key_id,
        access_key_secret: Secret::new(session.access_key_secret.reveal()),
        security_token: Secret::new(session.security_token.reveal()),
        credential_id: session.credential.to_string(),
        expires_at: session.expires,
    };
    Ok(json(StatusCode::CREATED, &shape))
}
