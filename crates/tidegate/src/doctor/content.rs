//! The store of blobs: does it answer, and does it have what the database says?

use std::sync::Arc;

use blobs::BlobStore;
use care::{CareError, Contents, Walked};
use kit::Randomness as _;
use meter::Stopwatch;
use model::{Clock as _, Seconds};
use rustix::fs::{Access, access};
use store::Store;

use super::{Check, Depth};
use crate::config::{BlobPlace, Config};
use crate::house::blobs_to_read;
use crate::system::{SystemClock, SystemRandom};

const NAME: &str = "blobs";
/// Pieces of content whose rows are looked for, unless all are.
const STRAYS: u64 = 1000;
/// How long an answer may take before it is warned of.
const SLOW_MS: u128 = 1000;
/// Lost blobs that are named.
const NAMED: usize = 5;

/// Looks at it, and at blobs of the database in it.
pub(super) async fn examine(config: &Config, store: Option<&Arc<Store>>, depth: Depth, tell: care::Report<'_>) -> Vec<Check> {
    let blobs = match blobs_to_read(config) {
        Ok(blobs) => blobs,
        Err(refusal) => return vec![Check::problem(NAME, refusal.to_string(), where_to_look(config))],
    };
    let mut checks = vec![answers(config, &blobs).await];
    if let BlobPlace::Directory(path) = &config.blobs
        && access(path, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_err()
    {
        let found = format!("{} cannot be written by this user", path.display());
        checks.push(Check::problem(NAME, found, "run this as the user that runs the server; if it is, let it own the folder"));
    }
    let (Some(store), true) = (store, checks.iter().all(|check| check.status != super::Status::Problem)) else { return checks };
    let contents = Contents { store: Arc::clone(store), blobs, read: false };
    match lost(&contents, depth, tell).await {
        Ok(found) => checks.extend(found),
        Err(error) => checks.push(Check::problem(NAME, error.to_string(), where_to_look(config))),
    }
    match strays(config, &contents, depth, tell).await {
        Ok(check) => checks.push(check),
        Err(error) => checks.push(Check::problem(NAME, error.to_string(), where_to_look(config))),
    }
    checks
}

const fn where_to_look(config: &Config) -> &'static str {
    match &config.blobs {
        BlobPlace::Directory(_) => "see that `blobs` names the server's folder, that its disk is mounted and that this user may read it",
        BlobPlace::Objects(_) => {
            "see `blobs`, `object_storage`, the credentials in the environment, and the way to the storage (docs/storage.md)"
        }
    }
}

async fn answers(config: &Config, blobs: &BlobStore) -> Check {
    let watch = Stopwatch::start();
    if let Err(error) = blobs.list(None, 1).await {
        let cause = std::error::Error::source(&error).map(|cause| format!(" ({cause})")).unwrap_or_default();
        return Check::problem(NAME, format!("they cannot be listed: {error}{cause}"), where_to_look(config));
    }
    let took = watch.elapsed().as_millis();
    let found = format!("they are listed within {took} ms (it is not tried to write)");
    if took <= SLOW_MS {
        return Check::ok(NAME, found);
    }
    Check::warning(NAME, found, "each push and pull waits for it: let the storage be nearer, or see what else it does")
}

async fn lost(contents: &Contents, depth: Depth, tell: care::Report<'_>) -> Result<Vec<Check>, CareError> {
    let random = SystemRandom::open();
    let bits = move || {
        let mut bytes = [0; 8];
        random.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    };
    let walked = if depth.full { contents.all(tell).await? } else { contents.sample(depth.sample, bits).await? };
    let which = if walked.all { "all" } else { "a sample, drawn at random, of" };
    let mut checks = Vec::new();
    if walked.lost.is_empty() {
        checks.push(Check::ok(NAME, format!("{which} {} blobs of the database are there, with their sizes", walked.blobs)));
    } else {
        checks.push(Check::problem(
            NAME,
            named(&walked, which),
            "run `tidegate fsck`, which names the images, and then `tidegate fsck --repair`",
        ));
    }
    Ok(checks)
}

fn named(walked: &Walked, which: &str) -> String {
    let first: Vec<String> = walked.lost.iter().take(NAMED).map(|lost| lost.digest.to_string()).collect();
    let more = if walked.lost.len() > NAMED { " and more" } else { "" };
    format!("of {which} {} blobs {} are missing or have another size: {}{more}", walked.blobs, walked.lost.len(), first.join(", "))
}

async fn strays(config: &Config, contents: &Contents, depth: Depth, tell: care::Report<'_>) -> Result<Check, CareError> {
    let before = SystemClock.now().plus(Seconds(-config.collection.times.grace.0));
    let (seen, found) = contents.strays((!depth.full).then_some(STRAYS), before, tell).await?;
    let text = format!("of {seen} pieces of content {} have no row ({} MiB)", found.objects, found.bytes >> 20);
    Ok(if found.objects == 0 {
        Check::ok(NAME, format!("{seen} pieces of content that were looked at have their rows, or are new"))
    } else if config.collection.enabled {
        Check::ok(NAME, format!("{text}: the next run of the collection takes them"))
    } else {
        Check::warning(NAME, text, "switch collection on (collection.enabled), which takes them")
    })
}
