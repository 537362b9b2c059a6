//! Whose is a secret that was found somewhere?

use http::StatusCode;
use kit::{Answer, json};
use model::act;
use secrets::Plain;

use crate::call::Call;
use crate::errors::Problem;
use crate::shapes;

pub(super) async fn look_up_secrets(call: Call) -> Result<Answer, Problem> {
    let asked: api::LookUpSecrets = call.json()?;
    let permit = call.admit::<act::IdentifySecret>(call.account()?).await?;
    let plain = asked.secrets.iter().map(|secret| Plain::new(secret.reveal().to_owned()));
    let secrets = plain.collect::<Result<Vec<_>, _>>().map_err(|error| Problem::invalid("secrets", error))?;
    let answers = call.identity().identify_secrets(permit, secrets).await?;
    let answers: Vec<_> = answers.into_iter().map(shapes::secret_owner).collect();
    Ok(json(StatusCode::OK, &answers))
}
