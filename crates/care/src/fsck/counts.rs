//! What namespaces hold, against what they are said to hold.

use model::NamespaceId;
use store::check::{self, Place};
use store::quota::{self, Held};
use store::{Store, StoreError, Tx};

use super::finding::{Checkup, Finding, Kind};
use super::mend::Mending;
use crate::CareError;
use crate::progress::{Progress, Report};

/// Namespaces of a page.
const PAGE: i64 = 200;
/// What to do where the database did not let a namespace be counted anew: others pushed all the time, or it took too long.
const TRY_AGAIN: &str = "say --repair again when nobody pushes there, with more `postgres.statement_seconds` if it takes too long";

/// Every namespace.
pub(super) async fn namespaces(
    store: &Store,
    mending: Option<&Mending<'_>>,
    into: &mut Checkup,
    report: Report<'_>,
) -> Result<(), CareError> {
    let mut after = i64::MIN;
    loop {
        let page: Vec<(NamespaceId, Place)> = store.scan(|tx| Box::pin(check::namespaces(tx, after, PAGE))).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = last.as_i64();
        for (namespace, place) in &page {
            // A large namespace takes longer than a statement of the server may; in a snapshot it may.
            if let Some((said, is)) = store.snapshot(|tx| Box::pin(counted(tx, *namespace))).await? {
                wrong(store, mending, (*namespace, place), (said, is), into).await;
            }
        }
        into.looked_at.namespaces += page.len() as u64;
        report(Progress::Rows { table: "namespaces", done: into.looked_at.namespaces });
    }
}

/// What is said, and what is so, where the two differ.
async fn counted(tx: &mut Tx<'_>, namespace: NamespaceId) -> Result<Option<(Held, Held)>, StoreError> {
    let (said, is) = (quota::held(tx, namespace).await?, quota::counted_again(tx, namespace).await?);
    let right = said == is && check::counts_blobs_right(tx, namespace).await?;
    Ok((!right).then_some((said, is)))
}

/// A finding, mended where that is wished for. That one namespace cannot be counted anew does not keep the others from it.
async fn wrong(
    store: &Store,
    mending: Option<&Mending<'_>>,
    (namespace, place): (NamespaceId, &Place),
    (said, is): (Held, Held),
    into: &mut Checkup,
) {
    let what = format!("namespace {}", place.name);
    let text = &format!("{what} is counted anew: it was said to hold {} bytes in {} repositories", said.bytes, said.repositories);
    let recounted: Option<Result<(), StoreError>> = match mending {
        None => None,
        Some(mending) => Some(
            store
                .write(|tx| {
                    Box::pin(async move {
                        let held = quota::recount(tx, namespace).await?;
                        mending.write(tx, place.account, &format!("{text}, and holds {} in {}", held.bytes, held.repositories)).await
                    })
                })
                .await,
        ),
    };
    let next = match &recounted {
        None => "say --repair, which counts it anew".to_owned(),
        Some(Ok(())) => "it was counted anew".to_owned(),
        Some(Err(error)) => format!("it could not be counted anew: {error}; {TRY_AGAIN}"),
    };
    let problem = format!(
        "it holds {} bytes in {} repositories, and is said to hold {} in {}; {next}",
        is.bytes, is.repositories, said.bytes, said.repositories
    );
    into.find(Finding::new(Kind::Count, what, problem).mended(matches!(recounted, Some(Ok(())))));
}
