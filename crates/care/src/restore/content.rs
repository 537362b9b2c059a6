//! Content out of a backup into a store, under the keys that it had; hashed once more on its way.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use blobs::{AppendCause, BlobError, BlobStore, UploadState};
use bytes::Bytes;
use futures_util::{Stream, stream};
use model::Algorithm;
use tokio::task::JoinSet;

use super::is_there;
use crate::CareError;
use crate::backup::{AT_ONCE, BlobRow, BlobRows, Manifest, Target, key_text};
use crate::hashing::CHUNK;
use crate::progress::{Progress, Report};

pub(super) async fn put_all(
    blobs: &BlobStore,
    target: &Arc<Target>,
    (folder, manifest): (&Path, &Manifest),
    report: Report<'_>,
) -> Result<(), CareError> {
    let missing: HashSet<&String> = manifest.missing_blobs.iter().collect();
    let (mut done, mut bytes) = (0, 0);
    let mut tell = |ended: Option<Result<Result<u64, CareError>, tokio::task::JoinError>>| {
        let Some(ended) = ended else { return Ok(()) };
        bytes += ended.map_err(|error| CareError::refused(error.to_string()))??;
        done += 1;
        report(Progress::Blobs { what: "restored", done, of: Some(manifest.blobs.count), bytes });
        Ok::<_, CareError>(())
    };
    let mut running = JoinSet::new();
    for blob in BlobRows::open(folder, &manifest.tables)? {
        let blob = blob?;
        if missing.contains(&key_text(blob.key)) {
            continue;
        }
        if running.len() >= AT_ONCE {
            tell(running.join_next().await)?;
        }
        running.spawn(put(blobs.clone(), Arc::clone(target), blob));
    }
    while let Some(ended) = running.join_next().await {
        tell(Some(ended))?;
    }
    Ok(())
}

async fn put(blobs: BlobStore, target: Arc<Target>, blob: BlobRow) -> Result<u64, CareError> {
    match write(&blobs, &target, blob).await {
        Err(CareError::Blobs { error, .. }) if is_there(&error) => {}
        written => return written.map(|()| blob.size),
    }
    // Left by a restore that was interrupted.
    let asked = |error| CareError::Blobs { key: blob.key, error };
    match blobs.digest_again(blob.key, blob.size, blob.digest.algorithm()).await {
        Ok(digest) if digest == blob.digest && blobs.size(blob.key).await.map_err(asked)? == blob.size => return Ok(blob.size),
        Ok(_) | Err(BlobError::Damaged) => {}
        Err(error) => return Err(asked(error)),
    }
    blobs.delete(blob.key).await.map_err(asked)?;
    write(&blobs, &target, blob).await.map(|()| blob.size)
}

async fn write(blobs: &BlobStore, target: &Target, blob: BlobRow) -> Result<(), CareError> {
    let asked = |error| CareError::Blobs { key: blob.key, error };
    let path = target.blob(blob.key);
    let file = File::open(&path).map_err(CareError::file(&path))?;
    let mut upload = blobs.create(blob.key).await.map_err(asked)?;
    let state = match blob.digest.algorithm() {
        Algorithm::Sha256 => UploadState::new(),
        Algorithm::Sha512 => UploadState::with_sha512(),
    };
    let state = match upload.append_last(state, pieces(file), blob.size).await {
        Ok(state) => state,
        Err(stopped) => {
            let left = blobs.discard(blob.key, &stopped.state).await;
            return Err(match stopped.cause {
                AppendCause::Store(error) => asked(error),
                AppendCause::Body(error) => CareError::file(&path)(error),
                AppendCause::TooLarge => CareError::damaged(key_text(blob.key), "it is larger than its row says"),
            })
            .or_else(|error| left.map_err(asked).and(Err(error)));
        }
    };
    if state.digest(blob.digest.algorithm()) != Some(blob.digest) {
        blobs.discard(blob.key, &state).await.map_err(asked)?;
        return Err(CareError::damaged(format!("blob {}", key_text(blob.key)), "its content has changed"));
    }
    upload.finish(&state).await.map_err(asked)?;
    Ok(())
}

fn pieces(file: File) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::unfold(Some(file), |file| async {
        let mut file = file?;
        let mut piece = vec![0; CHUNK];
        match file.read(&mut piece) {
            Ok(0) => None,
            Ok(read) => {
                piece.truncate(read);
                Some((Ok(piece.into()), Some(file)))
            }
            Err(error) => Some((Err(error), None)),
        }
    })
}
