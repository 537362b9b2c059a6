//! Who one is, and what this API is.

use http::StatusCode;
use kit::{Answer, json};

use crate::call::Call;
use crate::errors::Problem;
use crate::{openapi, shapes};

pub(super) async fn whoami(call: Call) -> Result<Answer, Problem> {
    Ok(json(StatusCode::OK, &shapes::whoami(call.known()?)))
}

pub(super) async fn show_openapi(_call: Call) -> Result<Answer, Problem> {
    Ok(json(StatusCode::OK, &*openapi::DOCUMENT))
}
