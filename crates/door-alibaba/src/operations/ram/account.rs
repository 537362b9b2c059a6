//! The account's alias, and what refusals carry.

use identity::Diagnosis;
use model::{AccountAlias, AccountId, act};

use crate::call::Call;
use crate::errors::{Failure, Fault, Problem};
use crate::shapes::{Object, moment};

pub(super) async fn set_account_alias(call: Call) -> Result<Object, Failure> {
    let text = call.required("AccountAlias")?;
    let wrong = |fault| move |e: model::NameError| Problem::invalid("AccountAlias", fault, e.rule);
    let fault = if (3..=50).contains(&text.chars().count()) { Fault::InvalidChars } else { Fault::Length };
    let alias = AccountAlias::parse(text).map_err(wrong(fault))?;
    let permit = call.admit::<act::SetAccountAlias>(call.account()?).await?;
    call.identity().set_account_alias(permit, alias).await?;
    Ok(Object::new())
}

/// Without an alias it is the account's id, which is as good a name.
pub(super) async fn get_account_alias(call: Call) -> Result<Object, Failure> {
    let permit = call.admit::<act::GetAccountAlias>(call.account()?).await?;
    let account = call.identity().show_account(permit).await?;
    Ok(Object::new().with("AccountAlias", account.alias.unwrap_or_else(|| account.id.to_string())))
}

pub(super) async fn clear_account_alias(call: Call) -> Result<Object, Failure> {
    let permit = call.admit::<act::ClearAccountAlias>(call.account()?).await?;
    call.identity().clear_account_alias(permit).await?;
    Ok(Object::new())
}

pub(super) async fn decode_diagnostic_message(call: Call) -> Result<Object, Failure> {
    let encoded = call.required("EncodedDiagnosticMessage")?;
    let account = call.account()?;
    let permit = call.admit::<act::DecodeDiagnosticMessage>(account).await?;
    let diagnosis = call.identity().decode_diagnosis(&permit, encoded)?;
    call.identity().access().audit().note(permit.success()).await;
    Ok(Object::new().with("DecodedDiagnosticMessage", shape(account.0, diagnosis)))
}

fn shape(account: AccountId, diagnosis: Diagnosis) -> Object {
    let (kind, name) = match diagnosis.principal.split_once('/') {
        Some((role, session)) => ("AssumedRoleUser", format!("{role}:{session}")),
        None => ("SubUser", diagnosis.principal_id),
    };
    let principal = Object::new()
        .with("AuthPrincipalType", kind)
        .with("AuthPrincipalOwnerId", account.to_string())
        .with("AuthPrincipalDisplayName", name);
    let condition = |key: &str, value: String| Object::new().with("ConditionKey", key).list("ConditionValues", [value]);
    let conditions = [condition("acs:SourceIp", diagnosis.source_ip), condition("acs:CurrentTime", moment(diagnosis.time))];
    let statement = diagnosis.statement.and_then(|number| i64::try_from(number).ok());
    let effect = if diagnosis.explicit_deny { "Deny" } else { "Allow" };
    let matched = diagnosis.policy.filter(|_| diagnosis.explicit_deny);
    let matched = matched.map(|name| {
        let built_in = policy::builtin(&name).is_some();
        Object::new()
            .with("Effect", effect)
            .with("PolicyIdentifier", name)
            .with("PolicyType", if built_in { "System" } else { "Custom" })
            .maybe("Statement", statement)
    });
    Object::new()
        .with("AuthAction", diagnosis.action)
        .with("AuthResource", diagnosis.resource)
        .with("AuthPrincipal", principal)
        .list("AuthConditions", conditions)
        .with("ExplicitDeny", diagnosis.explicit_deny)
        .list("MatchedPolicies", matched)
        .with("NoPermissionPolicyType", "AccountLevelIdentityBasedPolicy")
        .with("Reason", diagnosis.reason)
}
