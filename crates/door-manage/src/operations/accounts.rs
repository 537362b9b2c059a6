//! The account.

use http::StatusCode;
use kit::{Answer, json};
use model::act;

use crate::call::Call;
use crate::errors::Problem;
use crate::shapes;

pub(super) async fn show_account(call: Call) -> Result<Answer, Problem> {
    let permit = call.admit::<act::GetAccountAlias>(call.account()?).await?;
    let account = call.identity().show_account(permit).await?;
    Ok(json(StatusCode::OK, &shapes::account(&account)))
}
