//! What policies say: `tidegate policy explain`, `simulate` and `who-can`.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use api::{ExplainPolicy, Explanation, PermittedQuery, SimulatePolicies};
use clap::Args;
use client::Tidegate;
use model::Timestamp;
use serde_json::{Value, json};

use super::{CommandError, input};
use crate::printer::Output;

/// May somebody do something?
#[derive(Args, Debug)]
pub(crate) struct Question {
    #[command(flatten)]
    subject: Subject,
    /// A role in this session, by the credential's id
    #[arg(long, value_name = "CREDENTIAL_ID", requires = "role")]
    session: Option<String>,
    #[command(flatten)]
    deed: Deed,
}

/// Who: one of them.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct Subject {
    /// The user
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// What this group gives its users
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// The role
    #[arg(long, value_name = "NAME")]
    role: Option<String>,
    /// The service account
    #[arg(long, value_name = "NAME")]
    service_account: Option<String>,
}

/// Something to do, and the circumstances.
#[derive(Args, Debug)]
pub(crate) struct Deed {
    /// The action: cr:PullRepository
    #[arg(long, value_name = "ACTION")]
    action: String,
    /// NAMESPACE/REPOSITORY, or whatever the action is done to
    #[arg(long, value_name = "RESOURCE")]
    resource: Option<String>,
    /// The instance, by name or id [default: the one that the server's host name chooses]
    #[arg(long, value_name = "INSTANCE")]
    instance: Option<String>,
    /// From this address [default: from here]
    #[arg(long, value_name = "IP")]
    from: Option<IpAddr>,
    /// At this time [default: now]
    #[arg(long, value_name = "TIME", value_parser = input::time)]
    at: Option<Timestamp>,
}

impl From<Question> for ExplainPolicy {
    fn from(question: Question) -> Self {
        let Question { subject, session, deed: Deed { action, resource, instance, from, at } } = question;
        let named = |noun: &str, name: Option<String>| name.map(|name| format!("{noun}/{name}"));
        let principal = named("group", subject.group).or(named("role", subject.role));
        let principal = principal.or(named("service-account", subject.service_account));
        Self { user: subject.user, principal, session, action, resource, instance, from, at }
    }
}

/// Many requests, and what is tried on them.
#[derive(Args, Debug)]
pub(crate) struct Simulation {
    /// The requests: a JSON list of {principal, action, resource, instance, from, at}; - is standard input
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// A document that is not stored, as if it were attached to whoever asks
    #[arg(long, value_name = "FILE")]
    document: Option<PathBuf>,
    /// The document stands in the place of what is attached, instead of beside it
    #[arg(long, requires = "document")]
    instead: bool,
}

pub(super) async fn explain(client: &Tidegate, question: Question) -> Result<Output, CommandError> {
    Ok(Output::one(&client.policies().explain(&question.into()).await?))
}

/// Asks a thousand at a time: what one call takes.
pub(super) async fn simulate(client: &Tidegate, simulation: Simulation) -> Result<Output, CommandError> {
    let document = simulation.document.as_deref().map(input::document).transpose()?;
    let requests = requests(&simulation.file)?;
    let mut answers = Vec::with_capacity(requests.len());
    for some in requests.chunks(api::MAX_SIMULATED) {
        let asked = SimulatePolicies { requests: some.to_vec(), document: document.clone(), instead: simulation.instead };
        let said = client.policies().simulate(&asked).await?;
        answers.extend(some.iter().zip(said).map(|(request, said)| answered(request, &said)));
    }
    Ok(Output::many(&answers, &["principal", "action", "resource", "decision", "layer", "policy", "statement"]))
}

fn requests(path: &Path) -> Result<Vec<ExplainPolicy>, CommandError> {
    let text = input::document(path)?;
    serde_json::from_str(&text).map_err(|e| CommandError::Usage(format!("{}: a JSON list of requests is wanted: {e}", path.display())))
}

/// A request with its answer.
fn answered(request: &ExplainPolicy, said: &Explanation) -> Value {
    let principal = request.principal.as_ref().or(request.user.as_ref());
    let mut answer = json!({"principal": principal, "action": request.action, "resource": request.resource});
    if let (Value::Object(answer), Ok(Value::Object(said))) = (&mut answer, serde_json::to_value(said)) {
        answer.extend(said);
    }
    answer
}

pub(super) async fn who_can(client: &Tidegate, deed: Deed) -> Result<Output, CommandError> {
    let Deed { action, resource, instance, from, at } = deed;
    let query = PermittedQuery { action, resource, instance, from, at, limit: None, after: None };
    Ok(Output::many(&client.policies().permitted(query).await?, &["principal", "through", "layer", "policy", "statement", "reason"]))
}
