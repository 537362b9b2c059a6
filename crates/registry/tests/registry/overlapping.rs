//! The collection beside pushes in transactions that are open at the same time, on PostgreSQL: one of the two is run again, whichever
//! commits first. (`interleavings` tries whole units in every order; SQLite has one writer, and nothing overlaps there.)

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use model::{Digest, RepositoryId, UploadId};
use store::blob::{self, Insertion, Stored};
use store::collection::{self, BlobSeen};
use store::{StoreError, Tx, params};
use tokio::sync::Barrier;

use crate::house::{House, NOW};

const APP: &str = "demo/app";
const LAYER: &[u8] = b"a layer";
/// Longer than a statement that waits for nobody takes.
const PATIENCE: Duration = Duration::from_millis(500);

/// Two units: each pauses once, in its first try, until both have got there, or one of them waits for the other's row.
struct Meeting {
    both: Barrier,
    tries: [AtomicU32; 2],
}

impl Meeting {
    fn new() -> Self {
        Self { both: Barrier::new(2), tries: Default::default() }
    }

    fn begins(&self, who: usize) -> bool {
        self.tries[who].fetch_add(1, Ordering::SeqCst) == 0
    }

    /// The two have been open at the same time, in their first tries.
    async fn pause(&self, first: bool) {
        if first {
            // Late: the other one waits for a row that this one has changed.
            let _ = tokio::time::timeout(PATIENCE, self.both.wait()).await;
        }
    }

    fn tries(&self) -> u32 {
        self.tries.iter().map(|tries| tries.load(Ordering::SeqCst)).sum()
    }
}

/// Who does what before both have begun: nothing but a look, or all of it.
const EARLY: [(bool, bool); 4] = [(false, false), (true, false), (false, true), (true, true)];

fn digest() -> Digest {
    Digest::sha256(LAYER)
}

async fn repository(house: &House) -> RepositoryId {
    let at = house.at(APP);
    let found: Result<_, StoreError> = house.store.read(|tx| Box::pin(store::repository::id_by_name(tx, at.instance.id, &at.name))).await;
    found.unwrap().unwrap()
}

/// A statement that takes the unit's view of the database, as any first one does.
async fn look(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    tx.rows("SELECT COUNT(*) FROM blob", &[]).await.map(drop)
}

/// A manifest that names a link (its client was told by HEAD that the blob is there) beside the step that takes the link away.
#[test]
fn a_manifest_beside_the_end_of_its_link() {
    crate::house::on_postgres(concat!(module_path!(), "::manifest"), async |house: House| {
        for early in EARLY {
            house.put_blob(APP, LAYER).await;
            let (repository, meeting) = (repository(&house).await, Meeting::new());
            let (found, gone) = tokio::join!(name(&house, repository, &meeting, early.0), take_away(&house, repository, &meeting, early.1));
            assert_ne!(found, gone, "{early:?}: the manifest finds the link, or it is gone");
            let links = house.rows("SELECT digest FROM blob_link").await;
            assert_eq!(links, usize::from(found), "{early:?}: what a manifest was told is there stays");
            assert!(meeting.tries() > 2, "{early:?}: one of the two was run again");
            for sql in ["DELETE FROM manifest_child", "DELETE FROM blob_link", "DELETE FROM blob"] {
                change(&house, sql).await;
            }
        }
    });
}

/// What `put_manifest` does of it: touches the links, and writes down that it names them.
async fn name(house: &House, repository: RepositoryId, meeting: &Meeting, early: bool) -> bool {
    let account = house.local.account;
    let unit = house.store.write(|tx| {
        let first = meeting.begins(0);
        Box::pin(async move {
            look(tx).await?;
            if !early {
                meeting.pause(first).await;
            }
            let found = blob::touch(tx, account, repository, &[digest()], NOW).await?;
            if found.is_empty() {
                return Ok::<_, StoreError>(false);
            }
            let sql = "INSERT INTO manifest_child (repository_id, parent, child, kind) VALUES ($1, $2, $3, 'blob')";
            tx.execute(sql, params![repository.as_i64(), Digest::sha256(b"parent").as_bytes(), digest().as_bytes()]).await?;
            if early {
                meeting.pause(first).await;
            }
            Ok(true)
        })
    });
    unit.await.unwrap()
}

async fn take_away(house: &House, repository: RepositoryId, meeting: &Meeting, early: bool) -> bool {
    // Without any grace: everything is old enough.
    let before = NOW.plus(model::Seconds::days(1));
    let unit = house.store.write(|tx| {
        let first = meeting.begins(1);
        Box::pin(async move {
            look(tx).await?;
            if !early {
                meeting.pause(first).await;
            }
            let gone = !collection::remove_links(tx, repository, &[digest()], before).await?.is_empty();
            if early {
                meeting.pause(first).await;
            }
            Ok::<_, StoreError>(gone)
        })
    });
    unit.await.unwrap()
}

/// A push of a digest whose last link has gone, beside the step that condemns its content.
#[test]
fn a_push_again_beside_the_end_of_the_blob() {
    crate::house::on_postgres(concat!(module_path!(), "::push"), async |house: House| {
        for (number, early) in EARLY.into_iter().enumerate() {
            house.put_blob(APP, LAYER).await;
            change(&house, "DELETE FROM blob_link").await;
            let (repository, meeting) = (repository(&house).await, Meeting::new());
            let seen: Result<Vec<BlobSeen>, StoreError> = house.store.read(|tx| Box::pin(collection::blobs(tx, (i64::MIN, &[]), 10))).await;
            let old = seen.unwrap()[0];
            let new = UploadId::from_random(900 + number as u64);
            let (pushed, gone) = tokio::join!(push(&house, repository, new, &meeting, early.0), condemn(&house, old, &meeting, early.1));
            // Under the old key while that is not condemned, else under its own.
            let expected = if gone { Insertion::New } else { Insertion::There };
            assert_eq!(pushed, expected, "{early:?}");
            let whole = "SELECT l.digest FROM blob_link l JOIN blob b ON b.digest = l.digest \
                         WHERE NOT EXISTS (SELECT 1 FROM condemned c WHERE c.storage_key = b.storage_key)";
            assert_eq!(house.rows(whole).await, 1, "{early:?}: a link to a blob whose content stays");
            assert!(meeting.tries() > 2, "{early:?}: one of the two was run again");
            for sql in ["DELETE FROM blob_link", "DELETE FROM blob"] {
                change(&house, sql).await;
            }
        }
    });
}

async fn push(house: &House, repository: RepositoryId, key: UploadId, meeting: &Meeting, early: bool) -> Insertion {
    let account = house.local.account;
    let unit = house.store.write(|tx| {
        let first = meeting.begins(0);
        Box::pin(async move {
            look(tx).await?;
            if !early {
                meeting.pause(first).await;
            }
            let done = blob::insert(tx, account, &digest(), Stored { key, size: 7 }, NOW).await?;
            blob::link(tx, repository, &digest(), NOW).await?;
            if early {
                meeting.pause(first).await;
            }
            Ok::<_, StoreError>(done)
        })
    });
    unit.await.unwrap()
}

async fn condemn(house: &House, blob: BlobSeen, meeting: &Meeting, early: bool) -> bool {
    let unit = house.store.write(|tx| {
        let first = meeting.begins(1);
        Box::pin(async move {
            look(tx).await?;
            if !early {
                meeting.pause(first).await;
            }
            let gone = !collection::remove_blobs(tx, blob.account, &[blob.digest], NOW).await?.is_empty();
            if early {
                meeting.pause(first).await;
            }
            Ok::<_, StoreError>(gone)
        })
    });
    unit.await.unwrap()
}

async fn change(house: &House, sql: &'static str) {
    let done: Result<u64, StoreError> = house.store.write(|tx| Box::pin(async move { tx.execute(sql, &[]).await })).await;
    done.unwrap();
}
