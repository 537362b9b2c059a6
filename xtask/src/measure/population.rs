//! Tokens in a full house: 10,000 principals with 100,000 credentials and 100 policies of 20 statements, up to five of them a
//! principal. All of it is made by the management API; then 16 clients ask for tokens, each time for another credential.

use std::net::Ipv4Addr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use serde_json::{Value, json};

use super::figures::{most_memory, print};
use super::http::Connection;
use super::logins::{basic, grant};
use super::tidegate::{Manager, Tidegate};

const POLICIES: usize = 100;
const STATEMENTS: usize = 20;
const CREDENTIALS_EACH: usize = 10;
/// Connections that furnish the house, and that ask for tokens.
const HANDS: usize = 48;
const CLIENTS: usize = 16;

#[derive(Args)]
pub(super) struct Options {
    #[arg(long, default_value_t = 10_000)]
    pub(super) principals: usize,
    /// Token requests that are timed, after as many that are not.
    #[arg(long, default_value_t = 200_000)]
    pub(super) grants: usize,
}

pub(super) fn run(tidegate: &Tidegate, options: &Options) -> Result<()> {
    let ((), most) = most_memory(tidegate.pid(), || {
        let begin = Instant::now();
        let logins = furnish(tidegate, options.principals)?;
        print("population_furnished_in", "s", &[begin.elapsed().as_secs_f64()]);
        // Each credential once, so that nothing of it is known before.
        report("token_grant_cold", &ask(tidegate, &logins, logins.len())?);
        ask(tidegate, &logins, options.grants)?;
        report("token_grant_warm", &ask(tidegate, &logins, options.grants)?);
        Ok(())
    })?;
    print("population_anonymous_memory", "MiB", &[most]);
    Ok(())
}

/// Makes policies, then users with theirs and their credentials; an `Authorization` header a credential.
fn furnish(tidegate: &Tidegate, principals: usize) -> Result<Vec<String>> {
    let mut manager = Manager::log_in(tidegate)?;
    for number in 0..POLICIES {
        manager.send("POST", "policies", &json!({"name": format!("policy-{number}"), "document": document(number)}))?;
    }
    let (next, logins) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(principals * CREDENTIALS_EACH)));
    thread::scope(|scope| {
        let work = || -> Result<()> {
            let mut manager = Manager::log_in(tidegate)?;
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= principals {
                    return Ok(());
                }
                let made = person(&mut manager, number)?;
                logins.lock().map_err(|_| anyhow!("a thread ended"))?.extend(made);
            }
        };
        let running: Vec<_> = (0..HANDS).map(|_| scope.spawn(work)).collect();
        running.into_iter().try_for_each(|one| one.join().map_err(|_| anyhow!("a thread ended"))?)
    })?;
    logins.into_inner().map_err(|_| anyhow!("a thread ended"))
}

fn person(manager: &mut Manager, number: usize) -> Result<Vec<String>> {
    let name = format!("person-{number}");
    manager.create_user(&name)?;
    for policy in 0..=number % 5 {
        manager.send("PUT", &format!("users/{name}/policies/policy-{}", (number * 7 + policy) % POLICIES), &Value::Null)?;
    }
    (0..CREDENTIALS_EACH).map(|_| Ok(basic(&name, &manager.create_credential(&name)?))).collect()
}

/// A document of 20 statements; every one of them lets pull a repository of its own, and the last one the one that is asked for.
fn document(number: usize) -> String {
    let statement = |index: usize| {
        let name = if index + 1 == STATEMENTS { "bench/small".to_owned() } else { format!("team-{number}/app-{index}") };
        json!({"Effect": "Allow", "Action": ["cr:PullRepository", "cr:GetRepository"], "Resource": format!("acs:cr:*:*:repository/local/{name}")})
    };
    json!({"Version": "1", "Statement": (0..STATEMENTS).map(statement).collect::<Vec<_>>()}).to_string()
}

/// Milliseconds of so many grants, sorted, and how many a second they were.
fn ask(tidegate: &Tidegate, logins: &[String], grants: usize) -> Result<(Vec<f64>, f64)> {
    let (address, next, all) = (tidegate.address(), AtomicUsize::new(0), Mutex::new(Vec::with_capacity(grants)));
    let begin = Instant::now();
    thread::scope(|scope| {
        let work = || -> Result<()> {
            let mut connection = Connection::open(address, Ipv4Addr::LOCALHOST)?;
            let mut took = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= grants {
                    all.lock().map_err(|_| anyhow!("a thread ended"))?.extend(took);
                    return Ok(());
                }
                // A prime step: neighbours in time are strangers in the table.
                let login = logins.get(number * 7919 % logins.len()).context("no credentials")?;
                let asked = Instant::now();
                let answer = connection.call(&grant(&address.to_string(), login))?;
                took.push(asked.elapsed().as_secs_f64() * 1e3);
                if answer.status != 200 {
                    bail!("a right secret was answered {}: {}", answer.status, String::from_utf8_lossy(&answer.body));
                }
            }
        };
        let running: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(work)).collect();
        running.into_iter().try_for_each(|one| one.join().map_err(|_| anyhow!("a thread ended"))?)
    })?;
    let mut all = all.into_inner().map_err(|_| anyhow!("a thread ended"))?;
    all.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "a rate of some thousands")]
    let rate = grants as f64 / begin.elapsed().as_secs_f64();
    Ok((all, rate))
}

fn report(metric: &str, (took, rate): &(Vec<f64>, f64)) {
    let at = |hundredths: usize| took.get(took.len() * hundredths / 100).copied().unwrap_or_default();
    print(&format!("{metric}_c16_rps"), "req/s", &[*rate]);
    print(&format!("{metric}_c16_p50"), "ms", &[at(50)]);
    print(&format!("{metric}_c16_p99"), "ms", &[at(99)]);
}
