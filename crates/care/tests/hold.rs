//! While a backup copies, a hold stands; afterwards none does, and one that was left ends by itself.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use blobs::BlobStore;
use care::Backup;
use model::{AccountId, Clock, Digest, FixedClock, Seconds, Timestamp, UploadId};
use secrets::{MasterKey, MasterKeys};
use store::Store;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

async fn stands(store: &Store, now: Timestamp) -> bool {
    store.read(|tx| Box::pin(store::hold::stands(tx, now))).await.unwrap()
}

async fn put(store: &Store, blobs: &BlobStore, content: &'static [u8]) -> Digest {
    let (key, digest) = (UploadId::from_i64(0x1234), Digest::sha256(content));
    let mut upload = blobs.create(key).await.unwrap();
    let body = futures_util::stream::iter([Ok::<_, std::io::Error>(bytes::Bytes::from_static(content))]);
    let state = upload.append_last(blobs::UploadState::new(), body, 100).await.unwrap();
    upload.finish(&state).await.unwrap();
    let at = store::blob::Stored { key, size: i64::try_from(content.len()).unwrap() };
    store.write(|tx| Box::pin(async move { store::blob::insert(tx, AccountId::from_i64(1), &digest, at, NOW).await })).await.unwrap();
    digest
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_stands_from_before_the_snapshot_until_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::memory().await.unwrap());
    let blobs = BlobStore::open(&folder.path().join("content"), blobs::Options::default()).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(FixedClock::at(NOW));
    let keys = MasterKeys::from(MasterKey::parse(&[7, 8].repeat(16)).unwrap());
    let target = folder.path().join("backups");
    let backup =
        Backup { store: Arc::clone(&store), blobs, clock, target: &target, keys: &keys, with_master_key: false, made_by: "a test" };

    let digest = put(&store, &backup.blobs, b"content").await;
    let seen = AtomicBool::new(false);
    let watch = |progress: care::Progress<'_>| {
        if let care::Progress::Blobs { .. } = progress {
            let stands = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(stands(&store, NOW)));
            seen.store(stands, Ordering::Relaxed);
        }
    };
    let made = backup.make(&watch).await.unwrap();
    assert_eq!((made.blobs, made.new_blobs, made.missing_blobs.len()), (1, 1, 0), "{digest}");
    assert!(seen.load(Ordering::Relaxed), "it stands while content is copied");
    assert!(!stands(&store, NOW).await, "it has ended with the backup");

    store.write(|tx| Box::pin(store::hold::set(tx, "backup", NOW, Seconds::minutes(30)))).await.unwrap();
    assert!(stands(&store, NOW.plus(Seconds(1799))).await);
    assert!(!stands(&store, NOW.plus(Seconds(1801))).await, "one that was left ends by itself");
}
