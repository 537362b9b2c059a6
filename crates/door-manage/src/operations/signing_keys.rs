//! Token signing keys: their public halves.

use http::StatusCode;
use kit::{Answer, json};
use model::act;

use crate::call::Call;
use crate::errors::Problem;
use crate::shapes;

pub(super) async fn list_signing_keys(call: Call) -> Result<Answer, Problem> {
    keys(&call).await
}

pub(super) async fn rotate_signing_key(call: Call) -> Result<Answer, Problem> {
    let permit = call.admit::<act::RotateSigningKey>(call.account()?).await?;
    call.identity().tokens().rotate(permit, call.identity().access().audit()).await?;
    keys(&call).await
}

async fn keys(call: &Call) -> Result<Answer, Problem> {
    let keys = call.identity().tokens().public_keys(call.op.now).await?;
    let keys: Vec<_> = keys.into_iter().map(shapes::signing_key).collect();
    Ok(json(StatusCode::OK, &keys))
}
