//! How long a decision takes for a caller with 100 statements: `cargo run --release -p policy --example decision`.
#![expect(clippy::disallowed_methods, reason = "measuring reads the clock")]
#![expect(clippy::print_stdout, reason = "the figures are the output")]

use std::error::Error;
use std::hint::black_box;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use model::{AccountId, Action, InstanceId, InstanceName, OnInstance, OnRepository, Region, RepositoryName, Resource, Timestamp};
use policy::{Context, Document, Effect, Request, covers, evaluate, filter, ram};

const ROUNDS: u32 = 100_000;

fn main() -> Result<(), Box<dyn Error>> {
    let instance = Arc::new(OnInstance {
        account: AccountId::from_random(1),
        id: InstanceId::from_random(2),
        name: InstanceName::parse("local")?,
        region: Region::parse("local")?,
    });
    let documents = documents()?;
    let held: Vec<_> = documents.iter().map(|document| ("p", document)).collect();
    let context = Context::new(Timestamp::from_millis(1_800_000_000_000), "10.1.2.3".parse::<IpAddr>()?, true);
    for (what, name) in [("allowed by the last", "team-99/app"), ("allowed by none", "nobody/app")] {
        let on = Resource::Repository(OnRepository { instance: Arc::clone(&instance), name: RepositoryName::parse(name)? });
        report(&format!("decision over 100 statements, {what}"), ROUNDS, || {
            evaluate(&held, &Request { action: Action::PullRepository, resource: black_box(&on), context: &context }).is_allowed()
        });
    }
    report("filter over 100 statements", ROUNDS, || filter(&held, Action::PullRepository, &context, &instance).is_empty());
    let allowing = documents.iter().flat_map(|d| &d.statements).filter(|s| s.effect() == Effect::Allow).cloned();
    let allowing = Document { statements: allowing.collect() };
    report("delegation of 90 statements by whoever holds them and 10 denials that are withheld", ROUNDS / 1000, || {
        covers(AccountId::from_random(1), &held.iter().map(|(_, d)| *d).collect::<Vec<_>>(), black_box(&all(&documents))).is_ok()
    });
    report("delegation of 90 statements by whoever holds them", ROUNDS / 1000, || {
        covers(AccountId::from_random(1), &[&allowing], black_box(&allowing)).is_ok()
    });
    Ok(())
}

/// Ten documents of ten statements; each speaks of the action, has two resources with stars inside, and every other a condition.
fn documents() -> Result<Vec<Document>, policy::PolicyError> {
    let statement = |n: usize| {
        let condition =
            if n.is_multiple_of(2) { r#","Condition":{"IpAddress":{"acs:SourceIp":["192.168.0.0/16","10.0.0.0/8"]}}"# } else { "" };
        let effect = if n % 10 == 5 { "Deny" } else { "Allow" };
        format!(
            r#"{{"Effect":"{effect}","Action":["cr:Pull*","cr:GetRepository"],"Resource":["acs:cr:*:*:repository/*/team-{n}/*","acs:cr:*:*:repository/local/team-{n}"]{condition}}}"#
        )
    };
    let document = |n: usize| (n * 10..n * 10 + 10).map(statement).collect::<Vec<_>>().join(",");
    (0..10).map(|n| ram::parse(&format!(r#"{{"Version":"1","Statement":[{}]}}"#, document(n)))).collect()
}

fn all(documents: &[Document]) -> Document {
    Document { statements: documents.iter().flat_map(|d| d.statements.clone()).collect() }
}

/// The best of nine runs: the others were disturbed.
fn report(what: &str, rounds: u32, decide: impl Fn() -> bool) {
    let run = || {
        let begin = Instant::now();
        for _ in 0..rounds / 9 {
            black_box(decide());
        }
        begin.elapsed().as_nanos() / u128::from(rounds / 9)
    };
    println!("{what}: {} ns", (0..9).map(|_| run()).min().unwrap_or_default());
}
