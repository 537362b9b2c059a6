//! While a backup copies, a hold stands; afterwards none does, and one that was left ends by itself.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use blobs::BlobStore;
use care::{Backup, BackupMade, CareError, Progress};
use model::{AccountId, Clock, Digest, FixedClock, Seconds, Timestamp, UploadId};
use secrets::{MasterKey, MasterKeys};
use store::{Store, StoreError, params};

/// This machine's clock is behind the database's by years: nothing here may go by it.
const NOW: Timestamp = Timestamp::from_millis(1_000_000_000_000);

/// A database with one blob, and where its backups go.
struct House {
    folder: tempfile::TempDir,
    store: Arc<Store>,
    blobs: BlobStore,
    clock: Arc<dyn Clock>,
    keys: MasterKeys,
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let blobs = BlobStore::open(&folder.path().join("content"), blobs::Options::default()).unwrap();
        let keys = MasterKeys::from(MasterKey::parse(&[7, 8].repeat(16)).unwrap());
        let this = Self { folder, store: Arc::new(Store::memory().await.unwrap()), blobs, clock: Arc::new(FixedClock::at(NOW)), keys };
        this.put(b"content").await;
        this
    }

    async fn put(&self, content: &'static [u8]) {
        let (key, digest) = (UploadId::from_i64(0x1234), Digest::sha256(content));
        let mut upload = self.blobs.create(key).await.unwrap();
        let body = futures_util::stream::iter([Ok::<_, std::io::Error>(bytes::Bytes::from_static(content))]);
        let state = upload.append_last(blobs::UploadState::new(), body, 100).await.unwrap();
        upload.finish(&state).await.unwrap();
        let at = store::blob::Stored { key, size: i64::try_from(content.len()).unwrap() };
        let write = self.store.write(|tx| Box::pin(async move { store::blob::insert(tx, AccountId::from_i64(1), &digest, at, NOW).await }));
        write.await.unwrap();
    }

    /// Makes a backup into a folder of its own, and does something the moment that content is copied.
    async fn back_up(&self, random: u64, meanwhile: &(dyn Fn() + Send + Sync)) -> Result<BackupMade, CareError> {
        self.told(random, &|progress| {
            if let Progress::Blobs { .. } = progress {
                meanwhile();
            }
        })
        .await
    }

    async fn told(&self, random: u64, report: care::Report<'_>) -> Result<BackupMade, CareError> {
        let target: PathBuf = self.folder.path().join(format!("backups-{random}"));
        let (store, blobs, clock) = (Arc::clone(&self.store), self.blobs.clone(), Arc::clone(&self.clock));
        let (target, keys) = (&*target, &self.keys);
        Backup { store, blobs, clock, target, keys, with_master_key: false, made_by: "a test", random }.make(report).await
    }

    async fn stands(&self) -> bool {
        self.store.read(|tx| Box::pin(store::hold::stands(tx))).await.unwrap()
    }

    async fn sql(&self, sql: &'static str) {
        let done: Result<u64, StoreError> = self.store.write(|tx| Box::pin(async move { tx.execute(sql, params![]).await })).await;
        done.unwrap();
    }

    /// As if half an hour had passed in which nobody renewed it: the machine slept, or could not reach the database.
    async fn lapse(&self) {
        self.sql("UPDATE hold SET until_ms = 1").await;
    }
}

/// Where nobody can wait: while something is told.
fn now<T>(work: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(work))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_stands_from_before_the_snapshot_until_the_end() {
    let (house, seen) = (House::new().await, AtomicBool::new(false));
    let made = house.back_up(1, &|| seen.store(now(house.stands()), Ordering::Relaxed)).await.unwrap();
    assert_eq!((made.blobs, made.new_blobs, made.missing_blobs.len()), (1, 1, 0));
    assert!(seen.load(Ordering::Relaxed), "it stands while content is copied");
    assert!(!house.stands().await, "it has ended with the backup");

    house.store.write(|tx| Box::pin(store::hold::set(tx, "left", Seconds::minutes(30)))).await.unwrap();
    assert!(house.stands().await);
    house.lapse().await;
    assert!(!house.stands().await, "one that was left ends by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_ends_leaves_the_hold_of_another_alone() {
    let (house, seen) = (House::new().await, AtomicBool::new(false));
    let meanwhile = || {
        now(house.back_up(2, &|| {})).unwrap();
        seen.store(now(house.stands()), Ordering::Relaxed);
    };
    house.back_up(1, &meanwhile).await.unwrap();
    assert!(seen.load(Ordering::Relaxed), "the first one's hold stands when the second has ended");
    assert!(!house.stands().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_whose_hold_has_lapsed_is_none() {
    let house = House::new().await;
    let refused = house.back_up(1, &|| now(house.lapse())).await.unwrap_err().to_string();
    assert!(refused.contains("begin the backup again"), "{refused}");
    let target = care::Target::open(&house.folder.path().join("backups-1")).unwrap();
    assert_eq!(care::snapshots(&target).unwrap(), []);
    // Once it has ended it is not taken up again, as if it had stood.
    let renewed = house.store.write(|tx| Box::pin(store::hold::renew(tx, "backup-0000000000000001", Seconds::minutes(30))));
    assert!(!renewed.await.unwrap());
    assert!(!house.stands().await);
    house.back_up(1, &|| {}).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_does_not_end_at_once_is_no_failure_of_a_backup_that_is_made() {
    let (house, said) = (House::new().await, AtomicBool::new(false));
    house.sql("CREATE TRIGGER stays BEFORE DELETE ON hold BEGIN SELECT RAISE(ABORT, 'it stays'); END").await;
    let report = |progress: Progress<'_>| {
        if let Progress::Remark(text) = progress {
            said.store(text.contains("half an hour"), Ordering::Relaxed);
        }
    };
    let made = house.told(1, &report).await.unwrap();
    let target = care::Target::open(&house.folder.path().join("backups-1")).unwrap();
    assert_eq!(care::snapshots(&target).unwrap().first().map(|one| one.name.clone()), Some(made.name));
    assert!(said.load(Ordering::Relaxed));
}
