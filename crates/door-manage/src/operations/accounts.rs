//! The account.

use http::StatusCode;
use kit::{Answer, empty, json};
use model::{AccountAlias, act};

use crate::call::Call;
use crate::errors::Problem;
use crate::shapes;

pub(super) async fn show_account(call: Call) -> Result<Answer, Problem> {
    let permit = call.admit::<act::GetAccountAlias>(call.account()?).await?;
    let account = call.identity().show_account(permit).await?;
    Ok(json(StatusCode::OK, &shapes::account(&account)))
}

pub(super) async fn set_account_alias(call: Call) -> Result<Answer, Problem> {
    let wanted: api::SetAccountAlias = call.json()?;
    let alias = AccountAlias::parse(&wanted.alias).map_err(Problem::name("alias"))?;
    let permit = call.admit::<act::SetAccountAlias>(call.account()?).await?;
    let account = call.identity().set_account_alias(permit, alias).await?;
    Ok(json(StatusCode::OK, &shapes::account(&account)))
}

pub(super) async fn clear_account_alias(call: Call) -> Result<Answer, Problem> {
    let permit = call.admit::<act::ClearAccountAlias>(call.account()?).await?;
    call.identity().clear_account_alias(permit).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}
