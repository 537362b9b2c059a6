//! `tidegate gc run | status`: for whoever holds the server's configuration, on its machine.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use clap::Subcommand;
use registry::RegistryError;
use serde::Serialize;
use tokio::time::sleep;

use super::{CommandError, Session};
use crate::config::MachineArguments;
use crate::control::{BegunRow, CollectionRow, ControlError, Reach, RunRow, TallyRow};
use crate::printer::{Output, note};

/// How often it is asked how far a run is.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// So often, while something changes, it is said: every tenth look.
const SAY_EVERY: u32 = 10;
/// So many looks without a step are a minute's.
const LOOKS_A_MINUTE: u32 = 300;
/// So many reasons for standing still are told, each once.
const REASONS: usize = 32;

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Collect now what nothing needs any more, and wait for the end; on the server's machine, with its configuration
    Run {
        /// Change nothing, only say what would go
        #[arg(long)]
        dry_run: bool,
        /// Begin it, and leave it to the server
        #[arg(long, conflicts_with = "dry_run")]
        no_wait: bool,
        #[command(flatten)]
        machine: MachineArguments,
    },
    /// Show what the collection does, has done, and has before it; on the server's machine, with its configuration
    Status {
        #[command(flatten)]
        machine: MachineArguments,
    },
}

pub(super) async fn run(command: Command, session: &Session) -> Result<Output, CommandError> {
    let (Command::Run { machine, .. } | Command::Status { machine }) = &command;
    let environment = session.environment.iter().map(|(name, value)| (name.clone(), value.clone()));
    let config = machine.load(environment).map_err(ControlError::from)?;
    let reach = match command {
        Command::Status { .. } | Command::Run { dry_run: true, .. } => Reach::find_to_read(&config).await?,
        Command::Run { .. } => Reach::find(&config).await?,
    };
    let done = act(&command, &reach).await;
    reach.close().await;
    Ok(done?)
}

async fn act(command: &Command, reach: &Reach) -> Result<Output, ControlError> {
    match command {
        Command::Status { .. } => {
            let seen = reach.collection().await?;
            Ok(Output::told(&seen, status(&seen)))
        }
        Command::Run { dry_run: true, .. } => {
            let would = reach.preview_collection(|sum| note(&format!("… {}", gone(sum)))).await?;
            Ok(Output::told(
                &DryRun { dry_run: true, tally: would },
                format!("A run would do this now: {}. Nothing was changed.", gone(&would)),
            ))
        }
        Command::Run { no_wait: true, .. } => {
            let begun = reach.begin_collection().await?;
            let what = if begun.joined { "is under way already" } else { "has begun" };
            let text = format!("Run {} {what}; `tidegate gc status` shows how far it is.", begun.run.run);
            if !reach.is_served().await? {
                note("No server runs: the run waits until one starts, or for `tidegate gc run`.");
            }
            Ok(Output::told(&begun.run, text))
        }
        Command::Run { .. } => {
            let begun = reach.begin_collection().await?;
            let ended = tokio::select! {
                ended = to_the_end(reach, &begun) => ended?,
                never = reach.help_collection(say_once()) => match never {},
            };
            let text = format!("Run {} has ended: {}.", ended.run, gone(&ended.tally));
            Ok(Output::told(&ended, text))
        }
    }
}

/// What a run would do.
#[derive(Serialize)]
struct DryRun {
    dry_run: bool,
    #[serde(flatten)]
    tally: TallyRow,
}

/// Waits for a run that began after this command.
async fn to_the_end(reach: &Reach, begun: &BegunRow) -> Result<RunRow, ControlError> {
    let first = begun.run.run;
    if !begun.joined {
        return ended(reach, first).await;
    }
    note(&format!("Run {first} is under way since {}: one that misses nothing follows it.", begun.run.started_at));
    ended(reach, first).await?;
    let next = reach.begin_collection().await?.run;
    ended(reach, next.run).await
}

/// Waits for the end of a run, and says how far it is.
async fn ended(reach: &Reach, number: i64) -> Result<RunRow, ControlError> {
    let (mut said, mut looks, mut still) = (String::new(), 0_u32, Still::default());
    loop {
        let run = reach.collection_run(number).await?;
        if run.ended_at.is_some() {
            return Ok(run);
        }
        if let Some(minutes) = still.look(run.steps) {
            note(&format!("… run {number} has not moved for {minutes} min; {}", where_to_look(reach)));
        }
        let far = progress(&run);
        if looks.is_multiple_of(SAY_EVERY) && far != said {
            note(&far);
            said = far;
        }
        looks = looks.wrapping_add(1);
        sleep(LOOK_EVERY).await;
    }
}

/// Tells why it does not get on, each reason once.
fn say_once() -> impl Fn(&RegistryError) + Sync {
    let said = Mutex::new(BTreeSet::new());
    move |error| {
        let mut text = format!("… it is tried again: {error}");
        let mut cause = error.source();
        while let Some(because) = cause {
            text = format!("{text}: {because}");
            cause = because.source();
        }
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.len() < REASONS && said.insert(text.clone()) {
            note(&text);
        }
    }
}

const fn where_to_look(reach: &Reach) -> &'static str {
    match reach {
        Reach::Socket(_) => "the server's log says why, and `tidegate doctor` looks at the database and the storage",
        Reach::Database(_) => "`tidegate doctor` looks at the database and the storage",
    }
}

/// How long a run has stood still.
#[derive(Default)]
struct Still {
    steps: i64,
    looks: u32,
}

impl Still {
    /// The minutes, each time that one more is full.
    fn look(&mut self, steps: i64) -> Option<u32> {
        if steps != self.steps {
            *self = Self { steps, looks: 0 };
            return None;
        }
        self.looks = self.looks.saturating_add(1);
        self.looks.is_multiple_of(LOOKS_A_MINUTE).then_some(self.looks / LOOKS_A_MINUTE)
    }
}

fn progress(run: &RunRow) -> String {
    let phase = run.phase.as_deref().unwrap_or_default();
    format!("… run {}, {phase}, {}: {}", run.run, by(run), gone(&run.tally))
}

/// Who does it.
fn by(run: &RunRow) -> String {
    match (&run.node_id, &run.host) {
        (Some(node), Some(host)) => format!("by {node} on {host}"),
        (Some(node), None) => format!("by {node}"),
        (None, _) => "waiting for a node".to_owned(),
    }
}

fn gone(tally: &TallyRow) -> String {
    format!(
        "{} links taken away, {} blobs ({}) and {} strays ({}) condemned, {} objects deleted, {} freed",
        tally.links_removed,
        tally.blobs_condemned,
        bytes(tally.blob_bytes_condemned),
        tally.strays_condemned,
        bytes(tally.stray_bytes_condemned),
        tally.objects_deleted,
        bytes(tally.bytes_freed)
    )
}

fn status(seen: &CollectionRow) -> String {
    let every = if seen.enabled { format!("every {}", time(seen.every_seconds)) } else { "off: runs that are asked for alone".to_owned() };
    let next = seen.next_at.map(|at| format!(", next at {at}")).unwrap_or_default();
    let (grace, after) = (time(seen.grace_seconds), time(seen.delete_after_seconds));
    let running = seen.running.as_ref().map_or_else(
        || "none".to_owned(),
        |run| {
            format!(
                "run {} since {}, {}, {}: {}",
                run.run,
                run.started_at,
                run.phase.as_deref().unwrap_or_default(),
                by(run),
                gone(&run.tally)
            )
        },
    );
    let last = seen.last.as_ref().map_or_else(|| "none yet".to_owned(), last_run);
    let since = seen.waiting_since.map(|at| format!(", the oldest since {at}")).unwrap_or_default();
    format!(
        "Collection    {every}{next}; grace {grace}, deleted {after} after it is condemned\n\
         Under way     {running}\n\
         Last run      {last}\n\
         Waiting       {} objects, {}{since}\n\
         Freed in all  {} objects, {}",
        seen.objects_waiting,
        bytes(seen.bytes_waiting),
        seen.objects_deleted,
        bytes(seen.bytes_freed)
    )
}

fn last_run(run: &RunRow) -> String {
    let Some(ended) = run.ended_at else { return format!("run {}", run.run) };
    let took = ended.millis_since(run.started_at).max(0);
    let asked = if run.asked { ", asked for" } else { "" };
    format!("run {}{asked}, ended at {ended} after {}.{} s: {}", run.run, took / 1000, took % 1000 / 100, gone(&run.tally))
}

/// The largest unit that it is a whole number of.
fn time(seconds: i64) -> String {
    let unit = [("d", 86400), ("h", 3600), ("m", 60)].into_iter().find(|(_, long)| seconds != 0 && seconds % long == 0);
    unit.map_or_else(|| format!("{seconds}s"), |(name, long)| format!("{}{name}", seconds / long))
}

/// To a tenth of the largest unit that it has.
fn bytes(count: i64) -> String {
    let unit = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)].into_iter().find(|(_, bits)| count >> bits > 0);
    unit.map_or_else(
        || format!("{count} bytes"),
        |(name, bits)| format!("{}.{} {name}", count >> bits, ((count & ((1 << bits) - 1)) * 10) >> bits),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_stands_still_is_told_of_each_minute() {
        let mut still = Still::default();
        let mut told = |looks: u32, steps: i64| (0..looks).filter_map(|_| still.look(steps)).collect::<Vec<_>>();
        assert_eq!(told(300, 0), [1]);
        assert!(told(299, 7).is_empty());
        assert_eq!(told(1000, 8), [1, 2, 3]);
        assert!(told(1, 9).is_empty());
    }

    #[test]
    fn sizes_and_times_are_said_in_units() {
        let sizes =
            [(0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (5 << 30, "5.0 GiB"), (i64::MAX, "8388607.9 TiB")];
        for (count, text) in sizes {
            assert_eq!(bytes(count), text);
        }
        for (seconds, text) in [(0, "0s"), (90, "90s"), (120, "2m"), (21600, "6h"), (86400, "1d")] {
            assert_eq!(time(seconds), text);
        }
    }
}
