//! Blobs' rows against the content that they name, and back.

use std::sync::Arc;

use blobs::{BlobError, BlobStore};
use model::{AccountId, Digest, Seconds, Timestamp, UploadId};
use store::{Store, StoreError, check, collection};
use tokio::task::JoinSet;

use super::finding::{Collectable, Kind, Looked};
use crate::CareError;
use crate::progress::{Progress, Report};

/// Rows of a page.
const PAGE: i64 = 500;
/// Pieces of content of a page of the storage.
const LISTED: usize = 1000;
/// Blobs asked for side by side; where all of each is read, fewer.
const ASKED_AT_ONCE: usize = 16;
const READ_AT_ONCE: usize = 4;
/// Random places that a sample is taken from.
const PLACES: u64 = 10;

/// A blob whose content is not what its row says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lost {
    /// Whose it is.
    pub account: AccountId,
    /// Its digest.
    pub digest: Digest,
    /// Under which key it should lie.
    pub key: UploadId,
    /// The size that its row says.
    pub size: u64,
    /// What is wrong with it.
    pub kind: Kind,
}

/// A database and its content.
#[derive(Clone, Debug)]
pub struct Contents {
    /// The database.
    pub store: Arc<Store>,
    /// The content.
    pub blobs: BlobStore,
    /// Whether all of the content is read, and its digest compared.
    pub read: bool,
}

/// What a walk over blobs has seen.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Walked {
    /// Blobs looked at.
    pub blobs: u64,
    /// Their bytes, as their rows say.
    pub bytes: u64,
    /// Were that all?
    pub all: bool,
    /// Blobs that no repository links; counted where all are looked at.
    pub unlinked: u64,
    /// Their bytes.
    pub unlinked_bytes: u64,
    /// What is not as it should be; the walk stops where these are too many.
    pub lost: Vec<Lost>,
    /// How much of each account is lost, of those that have lost anything, and of the one that is looked at.
    pub(super) shares: Vec<Share>,
}

/// How much of an account is lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Share {
    pub(super) account: AccountId,
    pub(super) blobs: u64,
    pub(super) lost: u64,
}

#[derive(Clone, Copy)]
struct Row {
    account: AccountId,
    digest: Digest,
    key: UploadId,
    size: u64,
}

impl Contents {
    /// Looks at every blob, until `most` of them are lost.
    pub(super) async fn walk(&self, most: usize, report: Report<'_>) -> Result<Walked, CareError> {
        let mut walked = Walked { all: true, ..Walked::default() };
        let mut after = (i64::MIN, Vec::new());
        loop {
            let (id, digest) = (after.0, &*after.1);
            let page = self.store.scan(|tx| Box::pin(collection::blobs(tx, (id, digest), PAGE))).await?;
            let Some(last) = page.last() else { return Ok(walked) };
            after = (last.account.as_i64(), last.digest.as_bytes().to_vec());
            for blob in page.iter().filter(|blob| !blob.needed) {
                walked.unlinked += 1;
                walked.unlinked_bytes += unsigned(blob.size);
            }
            let rows = page.iter().map(|b| Row { account: b.account, digest: b.digest, key: b.key, size: unsigned(b.size) });
            let known = walked.lost.len();
            self.look_at(rows.collect(), &mut walked).await?;
            for of_one in page.chunk_by(|a, b| a.account == b.account) {
                walked.share(of_one.first().map(|blob| blob.account), of_one.len(), known);
            }
            report(Progress::Blobs { what: "checked", done: walked.blobs, of: None, bytes: walked.bytes });
            if walked.lost.len() >= most {
                walked.all = false;
                return Ok(walked);
            }
        }
    }

    /// Looks at every blob, until very many are lost.
    pub async fn all(&self, report: Report<'_>) -> Result<Walked, CareError> {
        self.walk(super::AT_ONCE, report).await
    }

    /// Looks at about so many blobs, drawn at random: at all of them, where there are no more. `bits` are random.
    pub async fn sample(&self, about: u64, mut bits: impl FnMut() -> u64) -> Result<Walked, CareError> {
        let mut walked = Walked::default();
        let first = self.from(i64::MIN, about.saturating_add(1)).await?;
        walked.all = first.len() as u64 <= about;
        if walked.all {
            self.look_at(first, &mut walked).await?;
            return Ok(walked);
        }
        for _ in 0..PLACES {
            let rows = self.from(bits().cast_signed(), about.div_ceil(PLACES)).await?;
            self.look_at(rows, &mut walked).await?;
        }
        Ok(walked)
    }

    async fn from(&self, key: i64, limit: u64) -> Result<Vec<Row>, CareError> {
        let (key, limit) = (UploadId::from_i64(key), i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = self.store.scan(|tx| Box::pin(check::blobs_from(tx, key, limit))).await?;
        let row =
            |(account, digest, stored): (_, _, store::blob::Stored)| Row { account, digest, key: stored.key, size: unsigned(stored.size) };
        Ok(rows.into_iter().map(row).collect())
    }

    async fn look_at(&self, rows: Vec<Row>, walked: &mut Walked) -> Result<(), CareError> {
        let at_once = if self.read { READ_AT_ONCE } else { ASKED_AT_ONCE };
        let mut running = JoinSet::new();
        for row in rows {
            if running.len() >= at_once {
                self.note(running.join_next().await, walked).await?;
            }
            (walked.blobs, walked.bytes) = (walked.blobs + 1, walked.bytes + row.size);
            running.spawn(look(self.blobs.clone(), row, self.read));
        }
        while let Some(ended) = running.join_next().await {
            self.note(Some(ended), walked).await?;
        }
        Ok(())
    }

    async fn note(&self, ended: Ended, walked: &mut Walked) -> Result<(), CareError> {
        let Some(ended) = ended else { return Ok(()) };
        let (row, wrong) = ended.map_err(|error| CareError::refused(error.to_string()))??;
        let Some(kind) = wrong else { return Ok(()) };
        // Its row may have gone meanwhile, and then its content: that is the collection's way. A row that still stands is wrong.
        let found: Result<_, StoreError> = self.store.read(|tx| Box::pin(store::blob::find(tx, row.account, &row.digest))).await;
        if found?.is_some_and(|found| found.key == row.key) {
            walked.lost.push(Lost { account: row.account, digest: row.digest, key: row.key, size: row.size, kind });
        }
        Ok(())
    }

    /// Looks at what the storage has, up to so many pieces (none: at all), and counts what has no row and was written before `before`.
    pub async fn strays(&self, most: Option<u64>, before: Timestamp, report: Report<'_>) -> Result<(u64, Collectable), CareError> {
        let (mut seen, mut found, mut after) = (0, Collectable::default(), None);
        while most.is_none_or(|most| seen < most) {
            let page = self.blobs.list(after, LISTED).await.map_err(CareError::Listing)?;
            let Some(last) = page.last() else { break };
            after = Some(last.key);
            seen += page.len() as u64;
            let old: Vec<UploadId> = page.iter().filter(|one| one.modified < before).map(|one| one.key).collect();
            let strays = self.store.scan(|tx| Box::pin(collection::unnamed(tx, &old))).await?;
            found.objects += strays.len() as u64;
            found.bytes += page.iter().filter(|one| strays.contains(&one.key)).map(|one| one.size).sum::<u64>();
            report(Progress::Blobs { what: "in the storage", done: seen, of: most, bytes: 0 });
        }
        Ok((seen, found))
    }
}

type Ended = Option<Result<Result<(Row, Option<Kind>), CareError>, tokio::task::JoinError>>;

async fn look(blobs: BlobStore, row: Row, read: bool) -> Result<(Row, Option<Kind>), CareError> {
    let size = match blobs.size(row.key).await {
        Err(BlobError::Missing) => return Ok((row, Some(Kind::BlobMissing))),
        answer => answer.map_err(|error| CareError::Blobs { key: row.key, error })?,
    };
    if size != row.size {
        return Ok((row, Some(Kind::BlobSize)));
    }
    if !read {
        return Ok((row, None));
    }
    match blobs.digest_again(row.key, row.size, row.digest.algorithm()).await {
        Ok(digest) if digest == row.digest => Ok((row, None)),
        Ok(_) | Err(BlobError::Damaged) => Ok((row, Some(Kind::BlobContent))),
        Err(BlobError::Missing) => Ok((row, Some(Kind::BlobMissing))),
        Err(error) => Err(CareError::Blobs { key: row.key, error }),
    }
}

fn unsigned(size: i64) -> u64 {
    u64::try_from(size).unwrap_or(0)
}

/// What was written no later is old enough for the collection.
pub(super) fn old_before(now: Timestamp, grace: Seconds) -> Timestamp {
    now.plus(Seconds(-grace.0))
}

impl Walked {
    /// So many more blobs of an account were looked at. What was lost before `known` is counted already.
    fn share(&mut self, account: Option<AccountId>, blobs: usize, known: usize) {
        let Some(account) = account else { return };
        let lost = self.lost.iter().skip(known).filter(|one| one.account == account).count() as u64;
        let blobs = blobs as u64;
        match self.shares.last_mut() {
            Some(share) if share.account == account => (share.blobs, share.lost) = (share.blobs + blobs, share.lost + lost),
            Some(share) if share.lost == 0 => *share = Share { account, blobs, lost },
            _ => self.shares.push(Share { account, blobs, lost }),
        }
    }

    pub(super) fn add_to(&self, looked: &mut Looked, collectable: &mut Collectable) {
        (looked.blobs, looked.blob_bytes) = (self.blobs, self.bytes);
        (collectable.blobs, collectable.bytes) = (self.unlinked, collectable.bytes + self.unlinked_bytes);
    }
}
