//! ims 2019-08-15: OIDC providers.

use identity::{CreateProvider, IdentityError, UpdateProvider};
use model::{Action as A, OnProvider, act};
use store::provider::Provider;

use super::Needs::Action as Act;
use super::{Operation, operation};
use crate::arn::arn;
use crate::call::Call;
use crate::errors::{Failure, Fault, Problem};
use crate::shapes::{Object, moment};

const NAME: &[&str] = &["OIDCProviderName"];
/// A page of a list.
const PAGE: i64 = 100;

pub(super) const OPERATIONS: &[Operation] = &[
    operation!(create, Ims "CreateOIDCProvider", Act(A::CreateOIDCProvider)).requires(&["OIDCProviderName", "IssuerUrl"]),
    operation!(get, Ims "GetOIDCProvider", Act(A::GetOIDCProvider)).requires(NAME),
    operation!(list, Ims "ListOIDCProviders", Act(A::ListOIDCProviders)),
    operation!(update, Ims "UpdateOIDCProvider", Act(A::UpdateOIDCProvider)).requires(NAME),
    operation!(delete, Ims "DeleteOIDCProvider", Act(A::DeleteOIDCProvider)).requires(NAME),
    operation!(add_client_id, Ims "AddClientIdToOIDCProvider", Act(A::UpdateOIDCProvider)).requires(&["OIDCProviderName", "ClientId"]),
    operation!(remove_client_id, Ims "RemoveClientIdFromOIDCProvider", Act(A::UpdateOIDCProvider))
        .requires(&["OIDCProviderName", "ClientId"]),
];

async fn named(call: &Call) -> Result<OnProvider, Failure> {
    Ok(call.identity().provider(&call.caller, call.required("OIDCProviderName")?).await?)
}

/// `Fingerprints` is taken and not kept: an issuer's certificate is checked against public authorities, or the provider's own.
async fn create(call: Call) -> Result<Object, Failure> {
    no_limit(&call)?;
    let wanted = CreateProvider {
        issuer: call.required("IssuerUrl")?.to_owned(),
        client_ids: client_ids(&call).unwrap_or_default(),
        description: call.optional("Description").unwrap_or_default().to_owned(),
        ..CreateProvider::default()
    };
    let on = OnProvider { id: None, ..named(&call).await? };
    let permit = call.admit::<act::CreateOIDCProvider>(on).await?;
    let made = call.identity().create_provider(permit, &wanted).await.map_err(|error| by_parameter(error, "ClientIds"))?;
    Ok(Object::new().with("OIDCProvider", shape(&made)))
}

/// What was wrong, by the parameter that it came in.
fn by_parameter(error: IdentityError, client_ids: &'static str) -> Failure {
    match error {
        IdentityError::Invalid { field: "name", problem } => Problem::invalid("OIDCProviderName", Fault::Format, problem).into(),
        IdentityError::Invalid { field: "client_ids", problem } => Problem::invalid(client_ids, Fault::Format, problem).into(),
        error => error.into(),
    }
}

/// Tokens hold until they say that they end; no further bound on their age is kept.
fn no_limit(call: &Call) -> Result<(), Problem> {
    match call.optional("IssuanceLimitTime") {
        None => Ok(()),
        Some(_) => Err(Problem::invalid("IssuanceLimitTime", Fault::Format, "this server has no such limit: tokens hold until their exp")),
    }
}

fn client_ids(call: &Call) -> Option<Vec<String>> {
    let text = call.parameters.given("ClientIds")?;
    Some(text.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect())
}

async fn get(call: Call) -> Result<Object, Failure> {
    let permit = call.admit::<act::GetOIDCProvider>(named(&call).await?).await?;
    let found = call.identity().show_provider(permit).await?;
    Ok(Object::new().with("OIDCProvider", shape(&found)))
}

async fn list(call: Call) -> Result<Object, Failure> {
    let most = call.parameters.integer("MaxItems", 1..=PAGE)?.unwrap_or(PAGE);
    let after = call.optional("Marker").unwrap_or_default().to_owned();
    let permit = call.admit::<act::ListOIDCProviders>(call.account()?).await?;
    let mut found = call.identity().list_providers(permit, &after, most + 1).await?;
    let more = i64::try_from(found.len()).is_ok_and(|n| n > most);
    found.truncate(usize::try_from(most).unwrap_or(0));
    let marker = found.last().filter(|_| more).map(|last| last.name.clone());
    Ok(Object::new().with("IsTruncated", more).maybe("Marker", marker).wrapped("OIDCProviders", "OIDCProvider", found.iter().map(shape)))
}

async fn update(call: Call) -> Result<Object, Failure> {
    no_limit(&call)?;
    let description = call.parameters.given("NewDescription").map(str::to_owned);
    let wanted = UpdateProvider { client_ids: client_ids(&call), description, ..UpdateProvider::default() };
    change(&call, &wanted, "ClientIds").await
}

async fn add_client_id(call: Call) -> Result<Object, Failure> {
    let one = Some(call.required("ClientId")?.to_owned());
    change(&call, &UpdateProvider { add_client_id: one, ..UpdateProvider::default() }, "ClientId").await
}

async fn remove_client_id(call: Call) -> Result<Object, Failure> {
    let one = Some(call.required("ClientId")?.to_owned());
    change(&call, &UpdateProvider { remove_client_id: one, ..UpdateProvider::default() }, "ClientId").await
}

async fn change(call: &Call, wanted: &UpdateProvider, client_ids: &'static str) -> Result<Object, Failure> {
    let permit = call.admit::<act::UpdateOIDCProvider>(named(call).await?).await?;
    let changed = call.identity().update_provider(permit, wanted).await.map_err(|error| by_parameter(error, client_ids))?;
    Ok(Object::new().with("OIDCProvider", shape(&changed)))
}

async fn delete(call: Call) -> Result<Object, Failure> {
    let permit = call.admit::<act::DeleteOIDCProvider>(named(&call).await?).await?;
    call.identity().delete_provider(permit).await?;
    Ok(Object::new())
}

fn shape(provider: &Provider) -> Object {
    let (date, millis) = (moment(provider.created), provider.created.millis().to_string());
    let client_ids: Vec<String> = serde_json::from_str(&provider.client_ids).unwrap_or_default();
    Object::new()
        .with("OIDCProviderName", provider.name.as_str())
        .with("Arn", arn(provider.account, "oidc-provider", &provider.name))
        .with("IssuerUrl", provider.issuer.as_str())
        .with("ClientIds", client_ids.join(","))
        .with("Fingerprints", "")
        .with("Description", provider.description.as_str())
        .with("CreateDate", date.as_str())
        .with("UpdateDate", date)
        .with("GmtCreate", millis.as_str())
        .with("GmtModified", millis)
}
