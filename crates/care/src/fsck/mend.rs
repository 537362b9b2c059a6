//! What can be mended: rows that say what is not so. One thing a transaction, with its record.

use access::{Audit, Record, audit};
use model::{AccountId, Clock, Op, RepositoryId};
use store::check::{self, Dropping, Place};
use store::{Store, StoreError, Tx, collection};

use super::content::Lost;
use super::finding::{Finding, Kind};
use crate::CareError;

/// What the records' action is called.
const ACTION: &str = "fsck";
/// Links that are taken away at once.
const LINKS: i64 = 200;
/// How often a blob's row is tried: each time somebody may have linked it once more.
const TRIES: u32 = 100_000;
/// Images that are named.
const IMAGES: i64 = 20;

/// Who mends.
#[derive(Debug)]
pub(super) struct Mending<'a> {
    pub(super) store: &'a Store,
    pub(super) audit: Audit,
    pub(super) clock: &'a dyn Clock,
    pub(super) op: &'a Op,
}

impl Mending<'_> {
    /// The record of something that was mended, for its change's own transaction.
    pub(super) async fn write(&self, tx: &mut Tx<'_>, account: AccountId, what: &str) -> Result<(), StoreError> {
        let op = Op { now: self.clock.now(), ..self.op.clone() };
        let record = Record::job(&op, account, ACTION).with_detail(what.chars().take(500).collect::<String>());
        audit::write(tx, &self.audit, &record).await
    }

    /// Takes away the row of a blob whose content is lost, with its links. False: it is not lost any more.
    async fn drop_blob(&self, lost: &Lost) -> Result<bool, StoreError> {
        for _ in 0..TRIES {
            let dropping = self.store.write(|tx| Box::pin(self.drop_some(tx, lost))).await?;
            if let Dropping::Done | Dropping::Changed = dropping {
                return Ok(dropping == Dropping::Done);
            }
        }
        Ok(false)
    }

    async fn drop_some(&self, tx: &mut Tx<'_>, lost: &Lost) -> Result<Dropping, StoreError> {
        let Lost { account, digest, key, .. } = *lost;
        let dropping = check::drop_blob(tx, account, &digest, key, LINKS).await?;
        if dropping == Dropping::Done {
            if lost.kind != Kind::BlobMissing {
                // What lies there is nobody's any more.
                collection::condemn(tx, &[(key, i64::try_from(lost.size).unwrap_or(i64::MAX))], self.clock.now()).await?;
            }
            self.write(tx, account, &format!("{digest} is taken out of the account: its content is lost")).await?;
        }
        Ok(dropping)
    }
}

/// A blob whose content is lost: what is found, and mended where that is wished for.
pub(super) async fn lost(store: &Store, mending: Option<&Mending<'_>>, lost: &Lost) -> Result<Finding, CareError> {
    let Lost { account, digest, key, kind, .. } = *lost;
    let images = store.scan(|tx| Box::pin(async move { check::images(tx, account, &digest, IMAGES).await })).await?;
    let images: Vec<String> = images.iter().map(shown).collect();
    let mended = match mending {
        Some(mending) => mending.drop_blob(lost).await?,
        None => false,
    };
    let wrong = match kind {
        Kind::BlobMissing => "its content is not in the storage".to_owned(),
        Kind::BlobSize => format!("its content does not have the {} bytes that it should", lost.size),
        _ => "its content has changed".to_owned(),
    };
    let next = if mended {
        "its row is gone: push an image that has it, and it is there again"
    } else {
        "restore it from a backup, or say --repair and push an image that has it"
    };
    let what = format!("{digest} of account {account} (storage key {:016x})", key.as_i64());
    Ok(Finding::new(kind, what, format!("{wrong}; {next}")).with_images(images).mended(mended))
}

fn shown(image: &check::Image) -> String {
    match &image.tag {
        Some(tag) => format!("{}:{tag}", image.repository),
        None => format!("{}@{}", image.repository, image.manifest),
    }
}

/// Where a repository is. None: it has gone meanwhile, and everything of it.
pub(super) async fn place(store: &Store, repository: RepositoryId) -> Result<Option<Place>, StoreError> {
    store.read(|tx| Box::pin(check::place(tx, repository))).await
}

/// How an image is named for a person: by its tags, or by its digest.
pub(super) async fn images(store: &Store, place: &Place, of: (RepositoryId, &model::Digest)) -> Result<Vec<String>, StoreError> {
    let (repository, manifest) = of;
    let tags = store.read(|tx| Box::pin(check::tags_of(tx, repository, manifest, IMAGES))).await?;
    Ok(if tags.is_empty() {
        vec![format!("{}@{manifest}", place.name)]
    } else {
        tags.into_iter().map(|tag| format!("{}:{tag}", place.name)).collect()
    })
}
