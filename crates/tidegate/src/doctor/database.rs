//! The database: does it answer, soon enough, with the schema of this version, and does it keep what it is told?

use std::sync::Arc;
use std::time::Duration;

use meter::Stopwatch;
use model::{Clock as _, Timestamp};
use secrets::MasterKeys;
use store::{PostgresSettings, Store, StoreError, check, node};

use super::{Check, Status};
use crate::config::{Config, Database};
use crate::house::{database, refused};
use crate::system::SystemClock;

const NAME: &str = "database";
/// How often it is asked, and how long the slowest answer may take before it is warned of.
const ASKED: u32 = 5;
const SLOW: Duration = Duration::from_millis(50);
/// The oldest PostgreSQL that is served, as it writes it.
const OLDEST: i64 = 140_000;
/// Clocks that differ by more are warned of; by more than that, tokens end at the wrong time.
const SKEW_MS: i64 = 2000;
const SKEW_TOO_LARGE_MS: i64 = 30_000;

/// Looks at it; with it, if it could be opened.
pub(super) async fn examine(config: &Config, full: bool) -> (Option<Arc<Store>>, Vec<Check>) {
    let (store, mut checks) = match open(config).await {
        Ok(opened) => opened,
        Err(check) => return (None, vec![check]),
    };
    checks.push(latency(&store).await);
    match store.read(|tx| Box::pin(check::settings(tx))).await {
        Ok(settings) => checks.extend(settings_say(config, &settings)),
        Err(error) => checks.push(failed(config, &error)),
    }
    checks.extend(clock(config, &store).await);
    if full {
        checks.extend(own_check(config, &store).await);
    }
    (Some(store), checks)
}

async fn open(config: &Config) -> Result<(Arc<Store>, Vec<Check>), Check> {
    let database = database(config);
    let schema = Store::survey(&database).await.map_err(|error| failed(config, &error))?;
    if schema.applied == 0 {
        return Err(Check::problem(NAME, "there is none yet", "start the server, which makes it; or look at `database` and --data-dir"));
    }
    if !schema.pending.is_empty() {
        let found = format!("its schema is {}, this version knows {}", schema.applied, schema.known);
        let advice = if config.migrates_at_start {
            "the next start brings it up to date; until then use the version that serves it"
        } else {
            "run `tidegate migrate`, when you mean to change to this version"
        };
        return Err(Check::problem(NAME, found, advice));
    }
    let store = Store::peek(&database).await.map_err(|error| failed(config, &error))?;
    Ok((Arc::new(store), vec![Check::ok(NAME, format!("its schema is {}, which this version knows", schema.applied))]))
}

fn failed(config: &Config, error: &StoreError) -> Check {
    let advice = match config.database {
        Database::Sqlite => "see that the data folder is the server's, that this user may read it, and that its disk is sound",
        Database::Postgres(_) => "see that PostgreSQL runs there and lets this machine, role and password in",
    };
    Check::problem(NAME, refused(config, error).to_string(), advice)
}

/// How long the slowest of a few answers takes.
async fn latency(store: &Store) -> Check {
    let mut slowest = Duration::ZERO;
    for _ in 0..ASKED {
        let asked = Stopwatch::start();
        if let Err(error) = store.ping().await {
            return Check::problem(NAME, error.to_string(), "look at the database's own log");
        }
        slowest = slowest.max(asked.elapsed());
    }
    let found = format!("it answers within {} ms", slowest.as_millis());
    if slowest <= SLOW {
        return Check::ok(NAME, found);
    }
    Check::warning(NAME, found, "each push waits for it several times: let it be nearer, or see what else it does")
}

/// What it says of itself, against what it must be.
fn settings_say(config: &Config, settings: &[(String, String)]) -> Vec<Check> {
    let says = |name: &str| settings.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
    let number = |name: &str| says(name).parse::<i64>().unwrap_or(0);
    let megabytes = number("bytes") >> 20;
    if config.database == Database::Sqlite {
        let found = format!("SQLite {}, {megabytes} MiB", says("version"));
        let wal = says("journal_mode") == "wal";
        return vec![if wal {
            Check::ok(NAME, found)
        } else {
            Check::warning(NAME, "SQLite writes no WAL", "the next start of the server sets it")
        }];
    }
    let mut checks = vec![Check::ok(NAME, format!("PostgreSQL {}, {megabytes} MiB", says("server_version")))];
    let off = [
        ("fsync", "a crash of its machine can destroy the database"),
        ("full_page_writes", "a crash of its machine can destroy the database"),
        ("synchronous_commit", "a crash loses what clients were told is kept"),
    ];
    for (name, harm) in off.into_iter().filter(|(name, _)| says(name) == "off") {
        checks.push(Check::problem(NAME, format!("{name} is off: {harm}"), format!("set {name} = on in PostgreSQL's configuration")));
    }
    if says("in_recovery") == "on" || says("default_transaction_read_only") == "on" {
        checks.push(Check::problem(NAME, "it takes no changes: it is a standby, or read-only", "name the primary in `database`"));
    }
    if number("server_version_num") < OLDEST {
        checks.push(Check::problem(NAME, format!("PostgreSQL {} is too old", says("server_version")), "use version 14 or newer"));
    }
    if says("server_encoding") != "UTF8" {
        checks.push(Check::problem(NAME, format!("its encoding is {}", says("server_encoding")), "make the database with ENCODING 'UTF8'"));
    }
    checks.extend(room_for_connections(config, number("connections"), number("max_connections")));
    checks
}

fn room_for_connections(config: &Config, used: i64, most: i64) -> Option<Check> {
    let besides = i64::try_from(PostgresSettings::BESIDES).unwrap_or(0);
    let node = i64::try_from(config.postgres.connections).unwrap_or(i64::MAX).saturating_add(besides);
    let advice = "raise max_connections in PostgreSQL, or lower postgres.connections: every node needs its own, and a few are left over";
    if most < node.saturating_add(3) {
        return Some(Check::warning(NAME, format!("a node may open {node} connections, and PostgreSQL allows {most} in all"), advice));
    }
    (used.saturating_mul(10) >= most.saturating_mul(9))
        .then(|| Check::warning(NAME, format!("{used} of its {most} connections are in use"), advice))
}

/// This machine's clock against the database's, and against what was written last.
async fn clock(config: &Config, store: &Store) -> Vec<Check> {
    const NAME: &str = "clock";
    let watch = Stopwatch::start();
    let asked = SystemClock.now();
    let read = store.read(|tx| Box::pin(async move { Ok((node::clock(tx).await?, check::latest(tx).await?)) })).await;
    let (theirs, latest): (Timestamp, Option<Timestamp>) = match read {
        Ok(read) => read,
        Err(error) => return vec![failed(config, &error)],
    };
    let took = i64::try_from(watch.elapsed().as_millis()).unwrap_or(i64::MAX);
    let mut checks = vec![skew(asked.millis().saturating_add(took / 2) - theirs.millis(), took)];
    let ahead = latest.map_or(0, |latest| latest.millis_since(asked) - took);
    if ahead > SKEW_MS {
        checks.push(Check::problem(
            NAME,
            format!("the database has records from {} seconds ahead of this machine's clock", ahead / 1000),
            "let NTP set the clocks of this machine and of the other nodes: ends of tokens, leases and the audit trail go by them",
        ));
    }
    checks
}

fn skew(ahead: i64, took: i64) -> Check {
    const NAME: &str = "clock";
    let advice = "let NTP set both clocks: ends of tokens, leases and times in the audit trail are wrong by as much";
    let found = format!("this machine's clock is {} ms {} the database's", ahead.abs(), if ahead < 0 { "behind" } else { "ahead of" });
    match ahead.abs() - took / 2 {
        SKEW_TOO_LARGE_MS.. => Check::problem(NAME, found, advice),
        SKEW_MS.. => Check::warning(NAME, found, advice),
        _ => Check::ok(NAME, found),
    }
}

/// What SQLite finds wrong with its file.
async fn own_check(config: &Config, store: &Store) -> Vec<Check> {
    if config.database != Database::Sqlite {
        return vec![Check::ok(NAME, "its own check of its files is PostgreSQL's: see pg_amcheck, and data checksums")];
    }
    match store.snapshot(|tx| Box::pin(check::damage(tx))).await {
        Ok(damage) if damage.is_empty() => vec![Check::ok(NAME, "SQLite finds its file sound")],
        Ok(damage) => {
            let found = format!("its file is damaged: {}", damage.iter().take(3).cloned().collect::<Vec<_>>().join("; "));
            vec![Check::problem(NAME, found, "stop the server, keep a copy of the file, and restore a backup (docs/backup.md)")]
        }
        Err::<_, StoreError>(error) => vec![failed(config, &error)],
    }
}

/// Under which master keys the database's secrets lie, against those at hand.
pub(super) async fn secrets(store: &Store, keys: Option<&MasterKeys>) -> Vec<Check> {
    const NAME: &str = "master_key";
    let Some(keys) = keys else { return Vec::new() };
    let found = match identity::sealed_secrets(store).await {
        Ok(found) => found,
        Err(error) => return vec![Check::problem(NAME, error.to_string(), "see what is said of the database")],
    };
    let ring = keys.sealing();
    let under = |role: Option<&str>| found.iter().filter(|one| ring.role(one.key) == role).map(|one| one.count).sum::<i64>();
    let (unknown, old) = (under(None), under(Some("old")));
    let mut check = Check::ok(NAME, format!("every secret in the database opens ({})", under(Some("current"))));
    if unknown > 0 {
        let advice = "give the key that they were sealed with (`tidegate master-key status` names it), as old_master_key_file";
        check = Check::problem(NAME, format!("{unknown} secrets in the database lie under a key that is not at hand"), advice);
    } else if old > 0 {
        check = Check { status: Status::Ok, found: format!("{old} secrets still lie under the old key: the server renews them"), ..check };
    }
    vec![check]
}

/// The instances' host names, the first thousand.
pub(super) async fn hosts(store: &Store) -> Vec<String> {
    store.read(|tx| Box::pin(check::hosts(tx, 1000))).await.unwrap_or_default()
}
