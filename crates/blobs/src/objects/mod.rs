//! The object storage back end, by the crate `object_store`: S3 and its like; Google Cloud Storage and Azure Blob Storage besides.
//!
//! Content up to a part's size is one object, put when the upload ends. Larger content is a multipart upload under the key's final
//! name, begun with its first full part; its id and the parts' ETags are in the [`UploadState`](crate::UploadState), with a tail of
//! less than a part: in the state itself, or staged as an object whose name says its content.
//!
//! Nothing is renamed, and nothing whole is replaced: an object is made only where there is none, and a multipart upload ends once.
//! A claim holds on this node alone. Two nodes that write to one upload spoil each other's parts, which their ETags show; a state
//! that has not won in the database must not be finished ([`BlobStore::claims_everywhere`](crate::BlobStore::claims_everywhere)).

mod append;
mod failure;
mod http;
mod name;
mod part;
mod progress;
mod read;
mod settings;
mod staged;

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use model::{Timestamp, UploadId};
use object_store::path::Path;
use object_store::{ObjectStoreExt as _, PutMode, PutPayload};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

pub(crate) use append::Upload;
pub(crate) use progress::Progress;
pub(crate) use read::Reading;
pub use settings::{ObjectProtocol, ObjectStorage};

use crate::jobs::Jobs;
use crate::{BlobError, Meters, ObjectsError, Options, PresignedUrl, Stored};
use failure::failure;
use name::Names;
use settings::Clients;

/// What one slot of memory holds.
const SLOT: u64 = 8 << 20;

/// A bucket, or a part of one.
#[derive(Clone)]
pub(crate) struct Objects(Arc<Inner>);

struct Inner {
    clients: Clients,
    names: Names,
    jobs: Jobs,
    claims: Mutex<HashSet<UploadId>>,
    /// Parts that may be in memory.
    slots: Arc<Semaphore>,
    shown: String,
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Objects").field(&self.0.shown).finish()
    }
}

impl Objects {
    /// Makes the client.
    pub(crate) fn new(storage: &ObjectStorage, options: Options, meters: &Meters) -> Result<Self, ObjectsError> {
        let inner = Inner {
            clients: storage.clients(meters)?,
            names: Names::new(&storage.prefix),
            jobs: Jobs::new(options.jobs),
            claims: Mutex::default(),
            slots: Arc::new(Semaphore::new(options.parts.max(4))),
            shown: storage.to_string(),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Makes the client, and tries to write and to read.
    pub(crate) async fn open(storage: &ObjectStorage, options: Options, meters: &Meters) -> Result<Self, ObjectsError> {
        let opened = Self::new(storage, options, meters)?;
        opened.try_out().await.map_err(|error| ObjectsError::Unusable { storage: storage.to_string(), problem: problem(&error) })?;
        Ok(opened)
    }

    async fn try_out(&self) -> Result<(), BlobError> {
        self.ping().await?;
        self.get(&self.names().probe()).await.map(drop)?;
        self.list(None, 1).await.map(drop)
    }

    fn clients(&self) -> &Clients {
        &self.0.clients
    }

    fn names(&self) -> &Names {
        &self.0.names
    }

    fn jobs(&self) -> &Jobs {
        &self.0.jobs
    }

    /// Waits for the memory of a part of this size.
    fn slots(&self, size: u64) -> impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + use<> {
        Arc::clone(&self.0.slots).acquire_many_owned(u32::try_from(size.div_ceil(SLOT)).unwrap_or(1))
    }

    pub(crate) fn create(&self, key: UploadId) -> Result<Upload, BlobError> {
        self.claim(key).ok_or(BlobError::Exists)
    }

    pub(crate) fn resume(&self, key: UploadId) -> Result<Upload, BlobError> {
        self.claim(key).ok_or(BlobError::Busy)
    }

    fn claim(&self, key: UploadId) -> Option<Upload> {
        let new = self.0.claims.lock().unwrap_or_else(PoisonError::into_inner).insert(key);
        new.then(|| Upload::new(self.clone(), Claim { objects: self.clone(), key }))
    }

    pub(crate) async fn delete(&self, key: UploadId) -> Result<(), BlobError> {
        self.remove(&self.names().blob(key)).await
    }

    /// Nothing there is no error.
    async fn remove(&self, path: &Path) -> Result<(), BlobError> {
        match self.clients().objects.delete(path).await.map_err(|e| failure(&e)) {
            Err(BlobError::Missing) => Ok(()),
            removed => removed,
        }
    }

    pub(crate) async fn ping(&self) -> Result<(), BlobError> {
        self.put(&self.names().probe(), PutPayload::from_static(b"?"), PutMode::Overwrite).await
    }

    pub(crate) async fn location(&self, key: UploadId, lifetime: Duration) -> Result<PresignedUrl, BlobError> {
        let signed = self.clients().signer.signed_url(::http::Method::GET, &self.names().blob(key), lifetime).await;
        signed.map(|url| PresignedUrl::new(url.into())).map_err(|e| failure(&e))
    }

    pub(crate) async fn list(&self, after: Option<UploadId>, at_most: usize) -> Result<Vec<Stored>, BlobError> {
        let below = self.names().blobs();
        let found = match after {
            None => self.clients().objects.list(Some(&below)),
            Some(key) => self.clients().objects.list_with_offset(Some(&below), &self.names().blob(key)),
        };
        let stored = found.try_filter_map(|meta| {
            let key = self.names().key_of_blob(&meta.location);
            let modified = Timestamp::from_millis(meta.last_modified.timestamp_millis());
            futures_util::future::ready(Ok(key.map(|key| Stored { key, size: meta.size, modified })))
        });
        stored.take(at_most.max(1)).try_collect().await.map_err(|e| failure(&e))
    }
}

/// The only one on this node who writes under a key, until it is dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    objects: Objects,
    key: UploadId,
}

impl Claim {
    fn key(&self) -> UploadId {
        self.key
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.objects.0.claims.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// What is wrong, for the one who starts the program.
fn problem(error: &BlobError) -> String {
    match error {
        BlobError::Unavailable(cause) => cause.to_string(),
        BlobError::Missing => "what was written there is not found".to_owned(),
        other => other.to_string(),
    }
}
