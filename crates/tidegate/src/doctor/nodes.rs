//! Who serves the database, and whether the work that they do for all goes on: the audit trail, collection, holds.

use std::sync::Arc;

use model::{Clock as _, Seconds, Timestamp};
use store::collection_run::{self, Run};
use store::node::{self, Node};
use store::{Store, StoreError, audit, hold, lease};

use super::Check;
use crate::config::Config;
use crate::system::SystemClock;

/// Records that wait to be sealed: so many are counted, and so old may they be.
const COUNTED: i64 = 100_000;
const OLD: Seconds = Seconds::minutes(1);
/// How far a node may be behind.
const LAG_MS: i64 = 1000;
const SKEW_MS: i64 = 2000;
/// How late a run of the collection may be.
const LATE: Seconds = Seconds::minutes(60);

struct Seen {
    /// By the database's clock.
    now: Timestamp,
    nodes: Vec<Node>,
    leases: Vec<(String, String)>,
    backlog: (i64, Option<Timestamp>),
    run: Option<Run>,
    held: bool,
}

/// Looks at them.
pub(super) async fn examine(config: &Config, store: &Arc<Store>) -> Vec<Check> {
    let ours = SystemClock.now();
    let seen: Result<Seen, StoreError> = store
        .read(|tx| {
            Box::pin(async move {
                let now = node::clock(tx).await?;
                let (nodes, leases) = (node::all(tx).await?, lease::held(tx, now).await?);
                let backlog = audit::backlog(tx, COUNTED).await?;
                let run = collection_run::newest(tx, 1).await?.pop();
                Ok(Seen { now, nodes, leases, backlog, run, held: hold::stands(tx).await? })
            })
        })
        .await;
    let seen = match seen {
        Ok(seen) => seen,
        Err(error) => return vec![Check::problem("nodes", error.to_string(), "see what is said of the database")],
    };
    let (alive, silent): (Vec<&Node>, Vec<&Node>) = seen.nodes.iter().partition(|node| identity::is_alive(node, seen.now));
    let mut checks = nodes(&alive, &silent, &seen.leases);
    checks.push(trail(seen.backlog, ours, !alive.is_empty()));
    checks.push(collection(config, seen.run.as_ref(), ours, !alive.is_empty()));
    if seen.held {
        checks.push(Check::ok(
            "collection",
            "it deletes nothing at the moment: a backup is being made, or was interrupted half an hour ago at most",
        ));
    }
    checks
}

fn nodes(alive: &[&Node], silent: &[&Node], leases: &[(String, String)]) -> Vec<Check> {
    const NAME: &str = "nodes";
    let mut checks = vec![Check::ok(NAME, format!("{} serve the database; {} jobs are held by one of them", alive.len(), leases.len()))];
    for node in silent {
        let found = format!("{} ({}) was last heard of at {}", node.beat.host, node.beat.listen, node.seen);
        checks.push(Check::warning(
            NAME,
            found,
            "it ended without saying so: see its log, and start it again; it is forgotten after a day",
        ));
    }
    for node in alive {
        checks.extend(node_is_well(node));
    }
    let versions: std::collections::BTreeSet<&str> = alive.iter().map(|node| node.beat.version.as_str()).collect();
    if versions.len() > 1 {
        let found = format!("they have different versions: {}", versions.into_iter().collect::<Vec<_>>().join(", "));
        checks.push(Check::warning(NAME, found, "bring all of them to the newest"));
    }
    checks
}

fn node_is_well(node: &Node) -> Option<Check> {
    const NAME: &str = "nodes";
    let beat = &node.beat;
    if !beat.failing.is_empty() {
        let found = format!("{} ({}) cannot reach: {}", beat.host, beat.listen, beat.failing);
        return Some(Check::problem(NAME, found, "run this on its machine"));
    }
    if beat.clock_ahead_ms.abs() > SKEW_MS {
        let found = format!("the clock of {} ({}) differs from the database's by {} ms", beat.host, beat.listen, beat.clock_ahead_ms);
        return Some(Check::warning(NAME, found, "let NTP set both"));
    }
    (beat.feed_lag_ms > LAG_MS).then(|| {
        let found = format!("{} ({}) has followed changes of rights {} ms ago", beat.host, beat.listen, beat.feed_lag_ms);
        Check::warning(NAME, found, "it answers 503 while it cannot follow: see its log and its way to the database")
    })
}

fn trail((count, oldest): (i64, Option<Timestamp>), now: Timestamp, served: bool) -> Check {
    const NAME: &str = "audit_trail";
    let old = oldest.is_some_and(|oldest| oldest.plus(OLD) < now);
    let most = if count >= COUNTED { "at least " } else { "" };
    let found =
        format!("{most}{count} records wait to be sealed, the oldest of {}", oldest.map_or_else(|| "now".to_owned(), |t| t.to_string()));
    match (old, served) {
        (false, _) => Check::ok(NAME, format!("{count} records wait to be sealed, as they do for a second")),
        (true, false) => Check::warning(NAME, found, "start a server, which seals them"),
        (true, true) => Check::problem(NAME, found, "see the servers' logs for why they do not seal them, and docs/audit.md"),
    }
}

fn collection(config: &Config, run: Option<&Run>, now: Timestamp, served: bool) -> Check {
    const NAME: &str = "collection";
    let settings = config.collection;
    if !settings.enabled {
        return Check::ok(NAME, "it is switched off: content that nobody needs stays");
    }
    let Some(run) = run else { return Check::ok(NAME, "it has not run yet") };
    let due = run.started.plus(settings.every).plus(LATE);
    match run.ended {
        None if due < now => {
            let advice = "see the servers' logs: a storage that refuses to delete stops it";
            Check::warning(NAME, format!("a run that began at {} has not ended", run.started), advice)
        }
        None => Check::ok(NAME, format!("it has run since {}", run.started)),
        Some(_) if due < now && served => {
            Check::warning(NAME, format!("it has not run since {}", run.started), "see the servers' logs for why, and docs/collection.md")
        }
        Some(ended) => Check::ok(NAME, format!("its last run ended at {ended}")),
    }
}
