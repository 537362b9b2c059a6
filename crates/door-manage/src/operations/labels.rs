//! Labels. Whoever may change a thing may label it.

use http::StatusCode;
use identity::LabelChanges;
use kit::{Answer, empty};
use model::{Action, NamespaceName, OnNamespace, PrincipalKind, act};

use crate::call::Call;
use crate::errors::Problem;
use crate::page::Asked;
use crate::shapes;

fn changes(call: &Call) -> Result<LabelChanges, Problem> {
    let change: api::UpdateLabels = call.json()?;
    Ok(LabelChanges::parse(change.labels)?)
}

pub(super) async fn list_labels(call: Call) -> Result<Answer, Problem> {
    let query: api::LabelQuery = call.query()?;
    let asked = Asked::read(query.limit, query.after.as_deref())?;
    let with = (query.key.as_deref().unwrap_or_default(), query.value.as_deref().unwrap_or_default());
    if [with.0, with.1].iter().any(|text| text.chars().any(char::is_control)) {
        return Err(Problem::invalid("key", "no label is spelled so"));
    }
    let (id, key) = asked.after.split_once(':').unwrap_or(("", ""));
    let id = if id.is_empty() {
        i64::MIN
    } else {
        id.parse().map_err(|_| Problem::invalid("after", "what the Link header of the page before said"))?
    };
    let permit = call.admit::<act::ListTagResources>(call.account()?).await?;
    let found = call.identity().list_labels(permit, with, (id, key), asked.one_more()).await?;
    Ok(call.page(found, &asked, |l| format!("{}:{}", l.id, l.key), shapes::labelled))
}

macro_rules! of_principals {
    ($($name:ident $kind:ident $Update:ident $see:ident;)*) => {$(
        pub(super) async fn $name(call: Call) -> Result<Answer, Problem> {
            let changes = changes(&call)?;
            let on = call.principal(PrincipalKind::$kind, call.path(0)).await?;
            let permit = call.admit_or_hide::<act::$Update>(on, Action::$see).await?;
            call.identity().label(permit, &changes).await?;
            Ok(empty(StatusCode::NO_CONTENT))
        }
    )*};
}

of_principals! {
    label_user User UpdateUser GetUser;
    label_group Group UpdateGroup GetGroup;
    label_service_account ServiceAccount UpdateServiceAccount GetServiceAccount;
    label_role Role UpdateRole GetRole;
}

pub(super) async fn label_policy(call: Call) -> Result<Answer, Problem> {
    let changes = changes(&call)?;
    let on = call.identity().policy(&call.caller, call.path(0)).await?;
    let permit = call.admit_or_hide::<act::CreatePolicyVersion>(on, Action::GetPolicy).await?;
    call.identity().label(permit, &changes).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn label_oidc_provider(call: Call) -> Result<Answer, Problem> {
    let changes = changes(&call)?;
    let on = call.identity().provider(&call.caller, call.path(0)).await?;
    let permit = call.admit_or_hide::<act::UpdateOIDCProvider>(on, Action::GetOIDCProvider).await?;
    call.identity().label(permit, &changes).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn label_instance(call: Call) -> Result<Answer, Problem> {
    let changes = changes(&call)?;
    let on = (*call.on_instance().await?).clone();
    let permit = call.admit_or_hide::<act::UpdateInstance>(on, Action::GetInstance).await?;
    call.identity().label(permit, &changes).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

pub(super) async fn label_namespace(call: Call) -> Result<Answer, Problem> {
    let changes = changes(&call)?;
    let name = NamespaceName::parse(call.path(1)).map_err(|_| Problem::not_found())?;
    let on = OnNamespace { instance: call.on_instance().await?, name };
    let permit = call.admit_or_hide::<act::UpdateNamespace>(on, Action::GetNamespace).await?;
    call.identity().label(permit, &changes).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
