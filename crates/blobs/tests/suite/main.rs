//! What every back end must do: each case takes a store, each back end's module runs all of them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

mod s3;

use std::convert::Infallible;
use std::future::Future;
use std::ops::Range;

use blobs::{AppendCause, BlobError, BlobStore, Options, Stored, UploadState};
use bytes::Bytes;
use futures_util::{FutureExt, Stream, StreamExt, TryStreamExt, future, stream};
use model::{Algorithm, Digest, UploadId};

const LIMIT: u64 = 1 << 30;

fn key(n: u64) -> UploadId {
    UploadId::from_random(n.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

fn content(size: usize) -> Vec<u8> {
    let numbers = (0_u32..).map(|i| i.wrapping_mul(2_654_435_761));
    numbers.flat_map(u32::to_be_bytes).take(size).collect()
}

fn body(content: &[u8], frame: usize) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + use<> {
    let frames: Vec<_> = content.chunks(frame).map(|c| Ok(Bytes::copy_from_slice(c))).collect();
    stream::iter(frames)
}

async fn put(store: &BlobStore, key: UploadId, content: &[u8]) {
    let mut upload = store.create(key).await.unwrap();
    let state = upload.append(UploadState::new(), body(content, 16_384), LIMIT).await.unwrap();
    assert_eq!(upload.finish(&state).await.unwrap(), Digest::sha256(content));
}

async fn get(store: &BlobStore, key: UploadId, size: usize, range: Range<u64>) -> Result<Vec<u8>, BlobError> {
    let body = store.read(key, size as u64, range).await?;
    let (len, empty) = (body.len(), body.is_empty());
    let got = body.try_collect::<Vec<Bytes>>().await?.concat();
    assert_eq!((got.len() as u64, got.is_empty()), (len, empty));
    Ok(got)
}

async fn any_size_comes_back_whole(store: BlobStore) {
    let around = |n: usize| [n - 1, n, n + 1];
    let sizes = [around(1), around(64 << 10), around(192 << 10), around(256 << 10), around(3 << 20)].concat();
    for (n, size) in sizes.into_iter().enumerate() {
        let content = content(size);
        for (m, frame) in [7_001, 100_000, 5 << 20].into_iter().enumerate() {
            let key = key((10 * n + m) as u64);
            let mut upload = store.create(key).await.unwrap();
            let state = upload.append(UploadState::new(), body(&content, frame), LIMIT).await.unwrap();
            assert_eq!(state.offset(), size as u64);
            assert_eq!(upload.finish(&state).await.unwrap(), Digest::sha256(&content), "{size}");
            assert!(get(&store, key, size, 0..u64::MAX).await.unwrap() == content, "{size}");
            assert_eq!(store.size(key).await.unwrap(), size as u64);
        }
    }
}

async fn any_range_comes_back(store: BlobStore) {
    let content = content(700_000);
    put(&store, key(1), &content).await;
    let ends = [0, 1, 4096, 65_535, 65_536, 65_537, 300_000, 699_999, 700_000];
    for start in ends {
        for end in ends.into_iter().filter(|end| *end >= start) {
            let got = get(&store, key(1), content.len(), start as u64..end as u64).await.unwrap();
            assert!(got == content[start..end], "{start}..{end}");
        }
    }
    assert!(get(&store, key(1), content.len(), 700_000..800_000).await.unwrap().is_empty());
    assert!(get(&store, key(1), content.len(), 800_000..900_000).await.unwrap().is_empty());
    assert!(get(&store, key(1), 10, 0..u64::MAX).await.unwrap() == content[..10], "the record's size rules");
}

async fn pieces_may_come_from_request_to_request(store: BlobStore) {
    let content = content(400_000);
    let mut stored = UploadState::with_sha512().to_bytes();
    drop(store.create(key(1)).await.unwrap());
    for piece in content.chunks(77_777) {
        let mut upload = store.resume(key(1)).await.unwrap();
        let state = UploadState::from_bytes(&stored).unwrap();
        stored = upload.append(state, body(piece, 10_000), LIMIT).await.unwrap().to_bytes();
    }
    let state = UploadState::from_bytes(&stored).unwrap();
    assert_eq!(state.digest(Algorithm::Sha512), Some(Digest::sha512(&content)));
    let mut upload = store.resume(key(1)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(upload.finish(&state).await.unwrap(), Digest::sha256(&content));
    }
    assert!(get(&store, key(1), content.len(), 0..u64::MAX).await.unwrap() == content);
}

async fn a_digest_that_did_not_run_is_read_again(store: BlobStore) {
    for (n, size) in [0, 10, 9 << 20].into_iter().enumerate() {
        let (content, key) = (content(size), key(n as u64));
        put(&store, key, &content).await;
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            let again = store.digest_again(key, size as u64, algorithm).await.unwrap();
            assert_eq!(again, Digest::of(algorithm, &content));
        }
    }
    assert_eq!(UploadState::new().digest(Algorithm::Sha512), None);
}

async fn a_large_body_is_written_out_on_its_way(store: BlobStore) {
    let piece = Bytes::from(content(1 << 20));
    let size = 70 << 20;
    let frames = stream::iter(vec![piece.clone(); 70]).map(Ok::<_, Infallible>);
    let mut upload = store.create(key(1)).await.unwrap();
    let state = upload.append(UploadState::new(), frames, LIMIT).await.unwrap();
    let digest = upload.finish(&state).await.unwrap();
    assert_eq!(digest, Digest::sha256(&piece.repeat(70)));
    assert_eq!(store.digest_again(key(1), size, Algorithm::Sha256).await.unwrap(), digest);
}

async fn a_broken_body_keeps_what_came(store: BlobStore) {
    let content = content(300_000);
    let mut upload = store.create(key(1)).await.unwrap();
    let reset = stream::iter([Err("reset")]);
    let came = body(&content[..210_000], 9_999).map(|p| p.map_err(|e| match e {}));
    let stopped = upload.append(UploadState::new(), came.chain(reset), LIMIT).await.unwrap_err();
    assert!(matches!(stopped.cause, AppendCause::Body("reset")));
    assert_eq!(stopped.state.offset(), 210_000);
    let state = upload.append(*stopped.state, body(&content[210_000..], 9_999), LIMIT).await.unwrap();
    assert_eq!(upload.finish(&state).await.unwrap(), Digest::sha256(&content));
    assert!(get(&store, key(1), content.len(), 0..u64::MAX).await.unwrap() == content);
}

async fn what_came_after_the_stored_state_is_cut_off(store: BlobStore) {
    let content = content(500_000);
    let mut upload = store.create(key(1)).await.unwrap();
    let state = upload.append(UploadState::new(), body(&content[..100], 100), LIMIT).await.unwrap();
    let lost = upload.append(state.clone(), body(&content, 50_000), LIMIT).await.unwrap();
    assert_eq!(lost.offset(), 500_100);
    let state = upload.append(state, body(&content[100..300_000], 50_000), LIMIT).await.unwrap();
    upload.append(state.clone(), body(&content, 50_000), LIMIT).await.unwrap();
    assert_eq!(upload.finish(&state).await.unwrap(), Digest::sha256(&content[..300_000]));
    assert_eq!(store.size(key(1)).await.unwrap(), 300_000);
    assert!(get(&store, key(1), 300_000, 0..u64::MAX).await.unwrap() == content[..300_000]);
}

async fn a_body_beyond_the_limit_is_stopped(store: BlobStore) {
    let content = content(200_000);
    let mut upload = store.create(key(1)).await.unwrap();
    let stopped = upload.append(UploadState::new(), body(&content, 1_000), 150_500).await.unwrap_err();
    assert!(matches!(stopped.cause, AppendCause::TooLarge));
    assert_eq!(stopped.state.offset(), 150_000);
    let state = upload.append(*stopped.state, body(&content[150_000..150_500], 1_000), 150_500).await.unwrap();
    let stopped = upload.append(state, body(b"x", 1), 150_500).await.unwrap_err();
    assert!(matches!(stopped.cause, AppendCause::TooLarge));
    assert_eq!(upload.finish(&stopped.state).await.unwrap(), Digest::sha256(&content[..150_500]));
}

async fn one_request_at_a_time_has_a_key(store: BlobStore) {
    let first = store.create(key(1)).await.unwrap();
    assert!(matches!(store.resume(key(1)).await, Err(BlobError::Busy)));
    assert!(matches!(store.create(key(1)).await, Err(BlobError::Exists)));
    drop(first);
    store.resume(key(1)).await.unwrap();
}

async fn an_append_left_half_way_spoils_only_its_own_claim(store: BlobStore) {
    let content = content(1 << 20);
    let mut upload = store.create(key(1)).await.unwrap();
    let state = upload.append(UploadState::new(), body(&content[..10], 10), LIMIT).await.unwrap();
    let endless = body(&content, 10_000).chain(stream::pending());
    let mut left = Box::pin(upload.append(state.clone(), endless, LIMIT));
    for _ in 0..20 {
        assert!(left.as_mut().now_or_never().is_none());
        tokio::task::yield_now().await;
    }
    drop(left);
    let refused = upload.append(state.clone(), body(b"", 1), LIMIT).await.unwrap_err();
    assert!(matches!(refused.cause, AppendCause::Store(BlobError::Busy)));
    assert!(matches!(upload.finish(&state).await, Err(BlobError::Busy)));
    drop(upload);

    let mut upload = loop {
        match store.resume(key(1)).await {
            Err(BlobError::Busy) => tokio::task::yield_now().await,
            other => break other.unwrap(),
        }
    };
    let state = upload.append(state, body(&content[10..], 10_000), LIMIT).await.unwrap();
    assert_eq!(upload.finish(&state).await.unwrap(), Digest::sha256(&content));
    assert!(get(&store, key(1), content.len(), 0..u64::MAX).await.unwrap() == content);
}

async fn what_is_not_there_is_missing(store: BlobStore) {
    assert!(matches!(store.size(key(1)).await, Err(BlobError::Missing)));
    assert!(matches!(get(&store, key(1), 10, 0..10).await, Err(BlobError::Missing)));
    assert!(matches!(get(&store, key(1), 1 << 20, 0..1 << 20).await, Err(BlobError::Missing)));
    assert!(matches!(store.digest_again(key(1), 10, Algorithm::Sha512).await, Err(BlobError::Missing)));
    store.delete(key(1)).await.unwrap();
    store.ping().await.unwrap();
}

async fn content_shorter_than_its_record_is_damaged(store: BlobStore) {
    put(&store, key(1), &content(100_000)).await;
    for size in [100_001, 1 << 20] {
        assert!(matches!(get(&store, key(1), size, 99_990..u64::MAX).await, Err(BlobError::Damaged)));
        assert!(matches!(store.digest_again(key(1), size as u64, Algorithm::Sha256).await, Err(BlobError::Damaged)));
    }
    let mut longer = UploadState::new();
    let mut other = store.create(key(2)).await.unwrap();
    longer = other.append(longer, body(&content(100_001), 10_000), LIMIT).await.unwrap();
    let mut upload = store.resume(key(1)).await.unwrap();
    assert!(matches!(upload.finish(&longer).await, Err(BlobError::Damaged | BlobError::Missing)));
    let refused = upload.append(longer, body(b"x", 1), LIMIT).await.unwrap_err();
    assert!(matches!(refused.cause, AppendCause::Store(BlobError::Damaged | BlobError::Missing)));
}

async fn deletion_goes_by_key_and_can_be_repeated(store: BlobStore) {
    let content = content(3 << 20);
    put(&store, key(1), &content).await;
    put(&store, key(2), &content).await;
    let reading = store.read(key(1), content.len() as u64, 0..u64::MAX).await.unwrap();
    for _ in 0..2 {
        store.delete(key(1)).await.unwrap();
    }
    assert!(reading.try_collect::<Vec<Bytes>>().await.unwrap().concat() == content, "a reading goes on");
    assert!(matches!(store.size(key(1)).await, Err(BlobError::Missing)));
    assert!(get(&store, key(2), content.len(), 0..u64::MAX).await.unwrap() == content);
}

async fn a_list_names_everything_once(store: BlobStore) {
    assert_eq!(store.list(None, 10).await.unwrap(), []);
    let mut want: Vec<(UploadId, u64)> = (0..150).map(|n| (key(n), n % 3)).collect();
    for (key, size) in &want {
        let mut upload = store.create(*key).await.unwrap();
        let state = upload.append(UploadState::new(), body(&content(usize::try_from(*size).unwrap()), 10), LIMIT).await.unwrap();
        upload.finish(&state).await.unwrap();
    }
    for at_most in [0, 1, 7, 149, 150, 151] {
        let mut got: Vec<Stored> = Vec::new();
        loop {
            let page = store.list(got.last().map(|s| s.key), at_most).await.unwrap();
            assert!(page.len() <= at_most.max(1));
            if page.is_empty() {
                break;
            }
            got.extend(page);
        }
        assert!(got.iter().all(|s| s.modified.millis() > 0));
        let mut got: Vec<_> = got.into_iter().map(|s| (s.key, s.size)).collect();
        got.sort_unstable();
        want.sort_unstable();
        assert_eq!(got, want);
    }
}

async fn many_at_once_do_not_wait_for_each_other(store: BlobStore) {
    let stuck = (0..40).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut upload = store.create(key(1_000 + n)).await.unwrap();
            let slow = body(&content(100_000), 10_000).chain(stream::pending());
            upload.append(UploadState::new(), slow, LIMIT).await.unwrap();
        })
    });
    let stuck: Vec<_> = stuck.collect();
    let running = (0..40_u32).map(|n| {
        let (store, content) = (store.clone(), content(100_000 + n as usize));
        tokio::spawn(async move {
            put(&store, key(n.into()), &content).await;
            assert!(get(&store, key(n.into()), content.len(), 0..u64::MAX).await.unwrap() == content);
        })
    });
    for done in future::join_all(running).await {
        done.unwrap();
    }
    stuck.iter().for_each(tokio::task::JoinHandle::abort);
}

async fn a_last_body_may_break_and_be_gone_on_with(store: BlobStore) {
    let content = content(200_000);
    let mut upload = store.create(key(1)).await.unwrap();
    let state = upload.append(UploadState::new(), body(&content[..50_000], 9_999), LIMIT).await.unwrap();
    let came = body(&content[50_000..120_000], 9_999).map(|p| p.map_err(|e| match e {}));
    let stopped = upload.append_last(state, came.chain(stream::iter([Err("reset")])), LIMIT).await.unwrap_err();
    let state = upload.append(*stopped.state, body(b"", 1), LIMIT).await.unwrap();
    drop(upload);
    let mut upload = store.resume(key(1)).await.unwrap();
    let state = UploadState::from_bytes(&state.to_bytes()).unwrap();
    let state = upload.append_last(state, body(&content[120_000..], 9_999), LIMIT).await.unwrap();
    for _ in 0..2 {
        assert_eq!(upload.finish(&state).await.unwrap(), Digest::sha256(&content));
    }
    assert!(get(&store, key(1), content.len(), 0..u64::MAX).await.unwrap() == content);
}

async fn what_is_discarded_is_gone(store: BlobStore) {
    for (n, size) in [10, 100_000, 9 << 20].into_iter().enumerate() {
        let (content, key) = (content(size), key(n as u64));
        let mut upload = store.create(key).await.unwrap();
        let state = upload.append(UploadState::new(), body(&content, 100_000), LIMIT).await.unwrap();
        if size == 10 {
            upload.finish(&state).await.unwrap();
        }
        drop(upload);
        store.discard(key, &state).await.unwrap();
        assert!(matches!(store.size(key).await, Err(BlobError::Missing)));
        store.discard(key, &state).await.unwrap();
    }
    assert_eq!(store.staged(None, 10).await.unwrap(), []);
    assert_eq!(store.list(None, 10).await.unwrap(), []);
}

/// Runs every case over a back end.
macro_rules! over_each {
    ($($case:ident)*) => {
        mod over_a_directory {
            $(#[test] fn $case() { super::directory::run(super::$case); })*
        }
        mod over_s3 {
            $(#[test] fn $case() { super::s3::run(stringify!($case), super::$case); })*
        }
    };
}

over_each! {
    any_size_comes_back_whole
    any_range_comes_back
    pieces_may_come_from_request_to_request
    a_digest_that_did_not_run_is_read_again
    a_large_body_is_written_out_on_its_way
    a_broken_body_keeps_what_came
    what_came_after_the_stored_state_is_cut_off
    a_body_beyond_the_limit_is_stopped
    one_request_at_a_time_has_a_key
    an_append_left_half_way_spoils_only_its_own_claim
    what_is_not_there_is_missing
    content_shorter_than_its_record_is_damaged
    deletion_goes_by_key_and_can_be_repeated
    a_list_names_everything_once
    many_at_once_do_not_wait_for_each_other
    a_last_body_may_break_and_be_gone_on_with
    what_is_discarded_is_gone
}

mod directory {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;

    pub(super) fn run<F: Future<Output = ()>>(case: impl FnOnce(BlobStore) -> F) {
        let dir = tempfile::tempdir().unwrap();
        let store = BlobStore::open(dir.path(), Options { jobs: 2, ..Options::default() }).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        runtime.block_on(case(store));
    }

    #[tokio::test]
    async fn a_file_that_is_not_there_is_missing_to_its_upload() {
        let dir = tempfile::tempdir().unwrap();
        let store = BlobStore::open(dir.path(), Options::default()).unwrap();
        assert!(matches!(store.resume(key(1)).await, Err(BlobError::Missing)));
        put(&store, key(1), b"x").await;
        let mut upload = store.resume(key(1)).await.unwrap();
        store.delete(key(1)).await.unwrap();
        let refused = upload.append(UploadState::new(), body(b"x", 1), LIMIT).await.unwrap_err();
        assert!(matches!(refused.cause, AppendCause::Store(BlobError::Missing)));
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn nobody_else_may_read_the_files() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("new/data");
        let store = BlobStore::open(&dir, Options::default()).unwrap();
        put(&store, UploadId::from_i64(0xabc), b"secret").await;
        assert_eq!(fs::read(dir.join("blobs/bc/0000000000000abc")).unwrap(), b"secret");
        assert_eq!(mode(&dir.join("blobs/bc/0000000000000abc")), 0o600);
        for folder in ["", "blobs", "blobs/bc"] {
            assert_eq!(mode(&dir.join(folder)), 0o700, "{folder}");
        }
    }

    #[tokio::test]
    async fn what_else_lies_there_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let store = BlobStore::open(dir.path(), Options::default()).unwrap();
        for name in ["README", "0000000000000ABC", "+000000000000abc", "ffffffffffffffff"] {
            fs::write(dir.path().join("blobs/bc").join(name), "").unwrap();
        }
        assert_eq!(store.list(None, 10).await.unwrap(), []);
    }

    #[test]
    fn a_folder_that_cannot_be_used_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        for path in [file.clone(), file.join("below")] {
            let error = BlobStore::open(&path, Options::default()).unwrap_err();
            assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
        }
    }

    #[tokio::test]
    async fn a_folder_that_went_away_fails_the_ping() {
        let dir = tempfile::tempdir().unwrap();
        let store = BlobStore::open(dir.path(), Options::default()).unwrap();
        store.ping().await.unwrap();
        fs::remove_dir_all(dir.path()).unwrap();
        assert!(store.ping().await.is_err());
    }

    #[tokio::test]
    async fn two_nodes_share_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        let [one, two] = [(); 2].map(|()| BlobStore::open(dir.path(), Options::default()).unwrap());
        let mut upload = one.create(key(1)).await.unwrap();
        let state = upload.append(UploadState::new(), body(b"half", 4), LIMIT).await.unwrap();
        assert!(matches!(two.resume(key(1)).await, Err(BlobError::Busy)));
        drop(upload);
        let mut upload = two.resume(key(1)).await.unwrap();
        let state = upload.append(state, body(b" way", 4), LIMIT).await.unwrap();
        assert_eq!(upload.finish(&state).await.unwrap(), Digest::sha256(b"half way"));
        assert_eq!(get(&one, key(1), 8, 0..8).await.unwrap(), b"half way");
    }
}
