//! What is acknowledged survives a power cut at every step, and what is not is never taken for whole.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use model::{Algorithm, Digest, UploadId};

use super::Directory;
use super::lossy::{Faults, Lossy, Luck};
use super::read::Reading;
use crate::{AppendCause, BlobError, Options, UploadState};

const KEY: UploadId = UploadId::from_i64(0x1234_5678);
const DIR: &str = "/var/tidegate";
const LIMIT: u64 = 1 << 30;

/// Several batches, the last of them not full.
fn content() -> Vec<u8> {
    (0..230_000_u32).map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()[0] | 1).collect()
}

type Piece = Result<Bytes, &'static str>;

fn pieces(content: &[u8]) -> impl stream::Stream<Item = Piece> + use<> {
    let frames: Vec<Piece> = content.chunks(10_000).map(|c| Ok(Bytes::copy_from_slice(c))).collect();
    stream::iter(frames)
}

fn open(disk: &Lossy) -> Option<Directory<Lossy>> {
    Directory::open(disk.clone(), Path::new(DIR), Options { jobs: 2, ..Options::default() }).ok()
}

/// What the database would have after an upload that the power cut may have ended.
#[derive(Default)]
struct Recorded {
    state: Option<Vec<u8>>,
    acknowledged: Option<Digest>,
}

/// An upload in two requests; the first one's connection breaks.
async fn upload(disk: &Lossy, content: &[u8], recorded: &mut Recorded) -> Option<()> {
    let dir = open(disk)?;
    let (first, second) = content.split_at(200_000);
    let mut claim = dir.create(KEY).await.ok()?;
    let broken = stream::StreamExt::chain(pieces(first), stream::iter([Err("connection reset")]));
    let stopped = claim.append(UploadState::new(), broken, LIMIT).await.unwrap_err();
    let AppendCause::Body("connection reset") = stopped.cause else { return None };
    recorded.state = Some(stopped.state.to_bytes());
    drop(claim);

    let mut claim = dir.resume(KEY).await.ok()?;
    let state = claim.append(*stopped.state, pieces(second), LIMIT).await.ok()?;
    recorded.state = Some(state.to_bytes());
    recorded.acknowledged = Some(claim.finish(&state).await.ok()?);
    Some(())
}

/// The client's next try: goes on where it can, else begins again.
async fn upload_rest(dir: &Directory<Lossy>, content: &[u8], recorded: &Recorded) -> Digest {
    let stored = recorded.state.as_ref().map_or_else(UploadState::new, |s| UploadState::from_bytes(s).unwrap());
    let (mut claim, state) = match dir.resume(KEY).await {
        Ok(claim) => (claim, stored),
        Err(BlobError::Missing) => (dir.create(KEY).await.unwrap(), UploadState::new()),
        Err(e) => panic!("{e:?}"),
    };
    let rest = &content[usize::try_from(state.offset()).unwrap()..];
    let state = claim.append(state, pieces(rest), LIMIT).await.unwrap();
    claim.finish(&state).await.unwrap()
}

async fn read_all(dir: &Directory<Lossy>, size: usize) -> Result<Vec<u8>, BlobError> {
    dir.read_whole(KEY, 0..size as u64).await.map(|b| b.to_vec())
}

#[tokio::test]
async fn what_is_acknowledged_survives_a_power_cut_at_every_step() {
    let content = content();
    let whole = Lossy::default();
    let mut recorded = Recorded::default();
    upload(&whole, &content, &mut recorded).await.unwrap();
    assert_eq!(recorded.acknowledged, Some(Digest::sha256(&content)));

    for luck in [Luck::Nothing, Luck::Names, Luck::Zeros, Luck::All] {
        for step in 0..=whole.steps() {
            let disk = Lossy::stopping_at(step);
            let mut recorded = Recorded::default();
            let done = upload(&disk, &content, &mut recorded).await;
            assert_eq!(done.is_some(), step == whole.steps(), "{luck:?}, step {step}");
            let dir = open(&disk.after_power_cut(luck)).unwrap();
            if recorded.acknowledged.is_none() {
                let digest = upload_rest(&dir, &content, &recorded).await;
                assert_eq!(digest, Digest::sha256(&content), "{luck:?}, step {step}");
            }
            assert!(read_all(&dir, content.len()).await.unwrap() == content, "{luck:?}, step {step}");
        }
    }
}

/// The test above can fail: without either sync the double loses what was acknowledged.
#[tokio::test]
async fn the_double_notices_a_missing_sync() {
    let content = content();
    let no_files = Faults { deaf_to_files: true, ..Faults::default() };
    let no_folders = Faults { deaf_to_folders: true, ..Faults::default() };
    for (faults, luck) in [(no_files, Luck::Names), (no_files, Luck::Zeros), (no_folders, Luck::Nothing)] {
        let disk = Lossy::with(faults);
        upload(&disk, &content, &mut Recorded::default()).await.unwrap();
        let dir = open(&disk.after_power_cut(luck)).unwrap();
        assert!(read_all(&dir, content.len()).await.ok() != Some(content.clone()), "{luck:?}");
    }
}

#[tokio::test]
async fn an_empty_blob_is_durable_too() {
    let disk = Lossy::default();
    let mut claim = open(&disk).unwrap().create(KEY).await.unwrap();
    assert_eq!(claim.finish(&UploadState::new()).await.unwrap(), Digest::sha256(b""));
    let dir = open(&disk.after_power_cut(Luck::Nothing)).unwrap();
    assert_eq!(dir.size(KEY).await.unwrap(), 0);
}

#[tokio::test]
async fn a_full_disk_is_said_and_what_was_stored_stays_good() {
    let content = content();
    let disk = Lossy::default();
    let dir = open(&disk).unwrap();
    let mut claim = dir.create(KEY).await.unwrap();
    let state = claim.append(UploadState::new(), pieces(&content[..100]), LIMIT).await.unwrap();
    disk.set(Faults { refuses: Some(io::ErrorKind::StorageFull), ..Faults::default() });
    let stopped = claim.append(state, pieces(&content[100..]), LIMIT).await.unwrap_err();
    assert!(matches!(stopped.cause, AppendCause::Store(BlobError::Full)));
    assert!(matches!(dir.ping().await, Err(BlobError::Full)));
    drop(claim);

    disk.set(Faults::default());
    let recorded = Recorded { state: Some(stopped.state.to_bytes()), acknowledged: None };
    assert_eq!(upload_rest(&dir, &content, &recorded).await, Digest::sha256(&content));
}

#[tokio::test]
async fn reads_what_is_not_in_the_page_cache_or_only_partly() {
    let content = [content(), content()].concat();
    let disk = Lossy::default();
    let dir = open(&disk).unwrap();
    let mut claim = dir.create(KEY).await.unwrap();
    let body = stream::iter([Ok::<_, Infallible>(Bytes::from(content.clone()))]);
    let state = claim.append(UploadState::new(), body, LIMIT).await.unwrap();
    claim.finish(&state).await.unwrap();

    let cold = Faults { cached: Some(0), ..Faults::default() };
    let short = Faults { cached: Some(1000), ..Faults::default() };
    for faults in [Faults::default(), cold, short] {
        disk.set(faults);
        let file = Arc::new(super::disk::Disk::open(&disk, &dir.path(KEY)).unwrap());
        let mut reading = Reading::new(dir.clone(), file, 5..content.len() as u64);
        let mut got = Vec::new();
        while let Some(piece) = poll_fn(|cx| reading.poll_piece(cx)).await {
            got.extend_from_slice(&piece.unwrap());
            assert_eq!(got.len() as u64 + reading.len(), content.len() as u64 - 5);
        }
        assert!(got == content[5..]);
        assert_eq!(read_all(&dir, 1000).await.unwrap(), &content[..1000]);
    }
}

#[tokio::test]
async fn a_disk_that_takes_nothing_still_gives_what_is_not_in_the_page_cache() {
    let content = content();
    let disk = Lossy::default();
    let dir = open(&disk).unwrap();
    upload_rest(&dir, &content, &Recorded::default()).await;
    disk.set(Faults { refuses: Some(io::ErrorKind::ReadOnlyFilesystem), cached: Some(0), ..Faults::default() });
    assert!(read_all(&dir, content.len()).await.unwrap() == content);
    assert_eq!(dir.digest_again(KEY, content.len() as u64, Algorithm::Sha256).await.unwrap(), Digest::sha256(&content));
    assert!(matches!(dir.resume(KEY).await, Err(BlobError::Unavailable(_))));
    assert!(matches!(dir.ping().await, Err(BlobError::Unavailable(_))));
}

/// A disk that is not mounted has lost nothing: whoever were told so would forget uploads, and rows of blobs.
#[tokio::test]
async fn a_folder_that_is_away_is_not_one_that_has_lost_its_blobs() {
    let content = content();
    let disk = Lossy::default();
    let dir = open(&disk).unwrap();
    upload_rest(&dir, &content, &Recorded::default()).await;
    let (here, away) = (Path::new(DIR).join("blobs"), Path::new(DIR).join("away"));
    disk.rename(&here, &away);
    let other = UploadId::from_i64(1);
    let told = [
        dir.resume(KEY).await.err(),
        dir.create(other).await.err(),
        dir.size(KEY).await.err(),
        dir.delete(KEY).await.err(),
        dir.list(None, 10).await.err(),
        dir.ping().await.err(),
        read_all(&dir, content.len()).await.err(),
    ];
    for (n, error) in told.into_iter().enumerate() {
        assert!(matches!(error, Some(BlobError::Unavailable(_))), "{n}: {error:?}");
    }
    disk.rename(&away, &here);
    assert!(read_all(&dir, content.len()).await.unwrap() == content);
    assert!(matches!(dir.size(other).await, Err(BlobError::Missing)));
    dir.delete(other).await.unwrap();
    dir.ping().await.unwrap();
}
