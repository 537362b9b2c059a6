//! What the collection has done, does, and has before it. Numbers of the whole server, which are nobody's in particular.

use store::collection::{self, Waiting};
use store::collection_run::{self, Run};
use store::{StoreError, Tx, lease, node};

use super::COLLECTION_JOB;
use crate::{Registry, RegistryError};

/// Who walks at the moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Doer {
    /// Its name among its equals.
    pub node: String,
    /// The machine's name; none: it is no node that serves, but a command, or one that has just ended.
    pub host: Option<String>,
}

/// What the collection has done, and has before it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CollectionStatus {
    /// The run that is under way.
    pub running: Option<Run>,
    /// Who has the lease.
    pub by: Option<Doer>,
    /// The last one that has ended.
    pub last: Option<Run>,
    /// What waits to be deleted.
    pub waiting: Waiting,
}

impl CollectionStatus {
    /// Pieces of content that all runs together have deleted, and their bytes.
    pub fn total(&self) -> (i64, i64) {
        self.running.as_ref().or(self.last.as_ref()).map_or((0, 0), |run| run.total)
    }
}

impl Registry {
    /// What it has done, and has before it.
    pub async fn collection_status(&self) -> Result<CollectionStatus, RegistryError> {
        let found: Result<_, StoreError> = self
            .store
            .scan(|tx| Box::pin(async move { Ok((collection_run::newest(tx, 2).await?, collection::waiting(tx).await?, doer(tx).await?)) }))
            .await;
        let (runs, waiting, by) = found?;
        let (mut ended, mut running): (Vec<Run>, Vec<Run>) = runs.into_iter().partition(|run| run.ended.is_some());
        ended.truncate(1);
        Ok(CollectionStatus { running: running.pop(), by, last: ended.pop(), waiting })
    }

    /// One run, and who walks at the moment. None: there was none of this number, or it is long forgotten.
    pub async fn collection_run(&self, number: i64) -> Result<Option<(Run, Option<Doer>)>, RegistryError> {
        let found: Result<_, StoreError> =
            self.store.read(|tx| Box::pin(async move { Ok((collection_run::numbered(tx, number).await?, doer(tx).await?)) })).await;
        let (run, by) = found?;
        Ok(run.map(|run| (run, by)))
    }
}

async fn doer(tx: &mut Tx<'_>) -> Result<Option<Doer>, StoreError> {
    let now = node::clock(tx).await?;
    let held = lease::held(tx, now).await?;
    let Some((holder, _)) = held.into_iter().find(|(_, name)| name == COLLECTION_JOB) else { return Ok(None) };
    let host = node::all(tx).await?.into_iter().find(|node| node.beat.id == holder).map(|node| node.beat.host);
    Ok(Some(Doer { node: holder, host }))
}
