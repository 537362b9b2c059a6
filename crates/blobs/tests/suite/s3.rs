//! Over a real S3 server that checks signatures: `TIDEGATE_TEST_S3_URL=http://KEY:SECRET@HOST:PORT/BUCKET` names it.

use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use blobs::{ObjectProtocol, ObjectStorage, ObjectsError};
use zeroize::Zeroizing;

use super::*;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// The bucket of the test run, under a prefix that nobody else has.
pub(crate) fn storage() -> Option<ObjectStorage> {
    #[expect(clippy::disallowed_methods, reason = "the test run names its server in the environment")]
    let url = std::env::var("TIDEGATE_TEST_S3_URL").ok()?;
    let (keys, place) = url.strip_prefix("http://").unwrap().split_once('@').unwrap();
    let ((id, secret), (host, bucket)) = (keys.split_once(':').unwrap(), place.split_once('/').unwrap());
    let endpoint = format!("http://{host}");
    let options = [
        ("aws_endpoint", endpoint.as_str()),
        ("aws_region", "us-east-1"),
        ("aws_allow_http", "true"),
        ("aws_access_key_id", id),
        ("aws_secret_access_key", secret),
    ];
    let prefix = format!("suite-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    Some(ObjectStorage {
        protocol: ObjectProtocol::S3,
        bucket: bucket.to_owned(),
        prefix,
        options: options.map(|(name, value)| (name.to_owned(), Zeroizing::new(value.to_owned()))).to_vec(),
        authorities: None,
    })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn not_run(name: &str) {
    // Straight to standard error, which the test harness does not swallow.
    let line = format!("NOT RUN: over_s3::{name}: TIDEGATE_TEST_S3_URL is not set\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

pub(crate) fn run<F: Future<Output = ()>>(name: &str, case: impl FnOnce(BlobStore) -> F) {
    let Some(storage) = storage() else { return not_run(name) };
    runtime().block_on(async { case(open(&storage).await).await });
}

async fn open(storage: &ObjectStorage) -> BlobStore {
    BlobStore::open_objects(storage, Options { jobs: 2, ..Options::default() }).await.unwrap()
}

/// One test a story that needs the settings too.
macro_rules! stories {
    ($($story:ident)*) => { mod stories {
        $(#[test] fn $story() {
            let Some(storage) = super::storage() else { return super::not_run(stringify!($story)) };
            super::runtime().block_on(super::$story(storage));
        })*
    } };
}

stories! {
    another_node_goes_on
    nothing_is_left_of_an_upload_that_ended
    a_finished_upload_is_known_by_its_content
    two_nodes_that_write_to_one_upload_make_no_wrong_blob
    what_a_stopped_node_left_is_found_and_cleared
    small_pieces_of_a_large_blob
    many_parts_in_any_order
    a_presigned_url_gives_the_content_for_a_while
    settings_that_cannot_be_used_are_named
    memory_is_bounded
}

async fn another_node_goes_on(storage: ObjectStorage) {
    let [one, two] = [open(&storage).await, open(&storage).await];
    for (n, size, cut) in [(1, 1_000, 400), (2, 700_000, 300_000), (3, 20 << 20, 9 << 20), (4, 16 << 20, 8 << 20), (5, 8 << 20, 100)] {
        let content = content(size);
        let mut upload = one.create(key(n)).await.unwrap();
        let stored = upload.append(UploadState::new(), body(&content[..cut], 70_000), LIMIT).await.unwrap().to_bytes();
        drop(upload);
        let mut upload = two.resume(key(n)).await.unwrap();
        let state = UploadState::from_bytes(&stored).unwrap();
        let stored = upload.append(state, body(&content[cut..], 70_000), LIMIT).await.unwrap().to_bytes();
        drop(upload);
        let mut upload = one.resume(key(n)).await.unwrap();
        let state = UploadState::from_bytes(&stored).unwrap();
        let state = upload.append_last(state, body(b"", 1), LIMIT).await.unwrap();
        assert_eq!(state.to_bytes(), stored, "nothing came: nothing has to be written down");
        assert_eq!(upload.finish(&state).await.unwrap(), Digest::sha256(&content));
        assert!(get(&two, key(n), size, 0..u64::MAX).await.unwrap() == content, "{n}");
    }
}

/// Deletions run beside everything else: they come to an end.
async fn until_nothing_is_staged(store: &BlobStore) {
    for _ in 0..100 {
        if store.staged(None, 10).await.unwrap().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{:?}", store.staged(None, 10).await);
}

async fn nothing_is_left_of_an_upload_that_ended(storage: ObjectStorage) {
    let store = open(&storage).await;
    let content = content(18 << 20);
    let mut upload = store.create(key(1)).await.unwrap();
    let mut state = UploadState::new();
    for piece in content.chunks(1 << 20) {
        state = upload.append(state, body(piece, 100_000), LIMIT).await.unwrap();
    }
    assert_eq!(store.staged(None, 10).await.unwrap().len(), 1);
    upload.finish(&state).await.unwrap();
    until_nothing_is_staged(&store).await;
    assert_eq!(store.list(None, 10).await.unwrap().len(), 1);
}

async fn a_finished_upload_is_known_by_its_content(storage: ObjectStorage) {
    let store = open(&storage).await;
    for (n, size) in [100, 9 << 20].into_iter().enumerate() {
        let (content, key) = (content(size), key(n as u64));
        let mut upload = store.create(key).await.unwrap();
        let state = upload.append(UploadState::new(), body(&content, 100_000), LIMIT).await.unwrap();
        let mut elsewhere = store.create(super::key(100 + n as u64)).await.unwrap();
        let other = elsewhere.append(UploadState::new(), body(&content[1..], 1_000), LIMIT).await.unwrap();
        upload.finish(&state).await.unwrap();
        drop(upload);
        let mut again = store.resume(key).await.unwrap();
        let stored = UploadState::from_bytes(&state.to_bytes()).unwrap();
        // Its tail is gone by now, or not: either way this content is there.
        match again.finish(&stored).await {
            Ok(digest) => assert_eq!(digest, Digest::sha256(&content)),
            Err(error) => assert!(matches!(error, BlobError::Missing), "{error:?}"),
        }
        assert!(again.finish(&other).await.is_err(), "not what lies there");
        assert!(get(&store, key, size, 0..u64::MAX).await.unwrap() == content);
    }
}

async fn two_nodes_that_write_to_one_upload_make_no_wrong_blob(storage: ObjectStorage) {
    let [one, two] = [open(&storage).await, open(&storage).await];
    let mine = content(20 << 20);
    let theirs: Vec<u8> = mine.iter().map(|byte| byte ^ 1).collect();
    let mut first = one.create(key(1)).await.unwrap();
    let begun = first.append(UploadState::new(), body(&mine[..9 << 20], 100_000), LIMIT).await.unwrap();
    let mut second = two.resume(key(1)).await.unwrap();
    let won = first.append(begun.clone(), body(&mine[9 << 20..], 100_000), LIMIT).await.unwrap();
    let lost = second.append(begun, body(&theirs[9 << 20..], 100_000), LIMIT).await.unwrap();
    assert_ne!(won.to_bytes(), lost.to_bytes());
    // The part that the second has replaced is missed: nothing whole is made of both.
    assert!(matches!(first.finish(&won).await, Err(BlobError::Missing)));
    let digest = second.finish(&lost).await.unwrap();
    let whole = [&mine[..9 << 20], &theirs[9 << 20..]].concat();
    assert_eq!(digest, Digest::sha256(&whole));
    assert!(matches!(first.finish(&won).await, Err(BlobError::Missing)), "the content is another one");
    assert!(get(&one, key(1), whole.len(), 0..u64::MAX).await.unwrap() == whole);
}

async fn what_a_stopped_node_left_is_found_and_cleared(storage: ObjectStorage) {
    let store = open(&storage).await;
    let mut left = Vec::new();
    for n in 0..5 {
        let mut upload = store.create(key(n)).await.unwrap();
        upload.append(UploadState::new(), body(&content(9 << 20), 1 << 20), LIMIT).await.unwrap();
        left.push(key(n));
    }
    let mut found: Vec<UploadId> = Vec::new();
    loop {
        let page = store.staged(found.last().copied(), 2).await.unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() <= 2 && page.iter().all(|staged| staged.modified.millis() > 0));
        found.extend(page.iter().map(|staged| staged.key));
    }
    found.sort_unstable();
    left.sort_unstable();
    assert_eq!(found, left);
    for key in found {
        store.clear_staged(key).await.unwrap();
        store.clear_staged(key).await.unwrap();
    }
    assert_eq!(store.staged(None, 10).await.unwrap(), []);
}

async fn small_pieces_of_a_large_blob(storage: ObjectStorage) {
    let store = open(&storage).await;
    let content = content(9 << 20);
    let mut stored = UploadState::new().to_bytes();
    for piece in content.chunks(300_000) {
        let mut upload = store.resume(key(1)).await.unwrap();
        let state = UploadState::from_bytes(&stored).unwrap();
        stored = upload.append(state, body(piece, 50_000), LIMIT).await.unwrap().to_bytes();
        assert!(stored.len() < 40_000);
    }
    let mut upload = store.resume(key(1)).await.unwrap();
    assert_eq!(upload.finish(&UploadState::from_bytes(&stored).unwrap()).await.unwrap(), Digest::sha256(&content));
    assert!(get(&store, key(1), content.len(), 0..u64::MAX).await.unwrap() == content);
}

async fn many_parts_in_any_order(storage: ObjectStorage) {
    let store = open(&storage).await;
    let content = content(100 << 20);
    let mut upload = store.create(key(1)).await.unwrap();
    let state = upload.append_last(UploadState::new(), body(&content, 3 << 20), LIMIT).await.unwrap();
    let digest = upload.finish(&state).await.unwrap();
    assert_eq!(digest, Digest::sha256(&content));
    assert_eq!(store.digest_again(key(1), content.len() as u64, Algorithm::Sha256).await.unwrap(), digest);
}

async fn a_presigned_url_gives_the_content_for_a_while(storage: ObjectStorage) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    async fn fetch(url: &str, range: &str) -> String {
        let (host, _) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let mut stream = tokio::net::TcpStream::connect(host).await.unwrap();
        let path = url.strip_prefix(&format!("http://{host}")).unwrap();
        let ask = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nrange: bytes={range}\r\nconnection: close\r\n\r\n");
        stream.write_all(ask.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    let store = open(&storage).await;
    put(&store, key(1), b"0123456789").await;
    let url = store.location(key(1), Duration::from_secs(2)).await.unwrap().unwrap();
    assert_eq!(format!("{url:?}"), "PresignedUrl");
    let answer = fetch(url.expose(), "2-4").await;
    assert!(answer.contains(" 206 ") && answer.ends_with("\r\n\r\n234"), "{answer}");
    let altered = url.expose().replace("Expires=2", "Expires=9");
    assert!(fetch(&altered, "2-4").await.contains(" 403 "));
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(fetch(url.expose(), "2-4").await.contains(" 403 "));
}

async fn settings_that_cannot_be_used_are_named(storage: ObjectStorage) {
    let with = |name: &str, value: &str| {
        let mut changed = storage.clone();
        changed.options.retain(|(option, _)| option != name);
        changed.options.push((name.to_owned(), Zeroizing::new(value.to_owned())));
        changed
    };
    let elsewhere = ObjectStorage { bucket: "no-such-bucket".into(), ..storage.clone() };
    let untrusted = ObjectStorage { authorities: Some(String::new()), ..storage.clone() };
    for (storage, want) in [
        (with("aws_secret_access_key", "hunter2"), "403 SignatureDoesNotMatch"),
        (with("aws_access_key_id", "hunter2"), "the object storage answers 40"),
        (with("aws_endpoint", "http://127.0.0.1:1"), "cannot be reached"),
        (with("aws_colour", "hunter2"), "there is no option `aws_colour`"),
        (elsewhere, "404 NoSuchBucket"),
        (untrusted, "0 are there"),
    ] {
        let error = BlobStore::open_objects(&storage, Options::default()).await.unwrap_err();
        let text = format!("{error} {error:?} {storage:?}");
        assert!(text.contains(want) && !text.contains("hunter2"), "{text}");
        assert!(matches!(error, ObjectsError::Settings(_) | ObjectsError::Unusable { .. }));
    }
}

async fn memory_is_bounded(storage: ObjectStorage) {
    let store = BlobStore::open_objects(&storage, Options { jobs: 2, parts: 4 }).await.unwrap();
    let stuck: Vec<_> = (0..4)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut upload = store.create(key(1_000 + n)).await.unwrap();
                let slow = body(&content(100_000), 10_000).chain(stream::pending());
                upload.append(UploadState::new(), slow, LIMIT).await.unwrap();
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    put(&store, key(1), &content(60_000)).await;
    let large = content(20 << 20);
    let waiting = put(&store, key(2), &large);
    assert!(tokio::time::timeout(Duration::from_millis(500), waiting).await.is_err(), "there is no memory for it");
    stuck.iter().for_each(tokio::task::JoinHandle::abort);
    put(&store, key(3), &large).await;
}
