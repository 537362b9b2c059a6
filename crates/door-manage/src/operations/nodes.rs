//! The nodes of the server.

use http::StatusCode;
use kit::{Answer, json};
use model::act;

use crate::call::Call;
use crate::errors::Problem;
use crate::shapes;

pub(super) async fn list_nodes(call: Call) -> Result<Answer, Problem> {
    let permit = call.admit::<act::ListNodes>(call.account()?).await?;
    let nodes = call.identity().list_nodes(permit).await?;
    let nodes: Vec<_> = nodes.into_iter().map(shapes::node).collect();
    Ok(json(StatusCode::OK, &nodes))
}
