//! What is under way, and its end: by who knows its state, or by who finds what was left.

use futures_util::{StreamExt, TryStreamExt, stream};
use model::{Timestamp, UploadId};
use object_store::path::Path;

use super::Objects;
use super::failure::failure;
use super::name::{TailName, is_multipart};
use super::progress::{Progress, Tail};
use crate::{BlobError, Staged, UploadState};

/// Deletions that run side by side.
const AT_ONCE: usize = 8;

impl Objects {
    /// Ends an upload that is not wanted any more, and whatever it has brought.
    pub(crate) async fn discard(&self, key: UploadId, state: &UploadState) -> Result<(), BlobError> {
        if let Some(id) = state.progress().and_then(|progress| progress.multipart.as_ref()) {
            self.abort(key, id).await?;
        }
        let mut names = vec![self.names().blob(key)];
        if let Some(progress) = state.progress() {
            names.extend(self.names_of(key, state.offset(), &TailName::of(state), progress));
        }
        self.remove_all(names).await
    }

    /// Everything that is staged for an upload, after what its state says.
    pub(super) fn names_of(&self, key: UploadId, offset: u64, name: &TailName, progress: &Progress) -> Vec<Path> {
        let own = (progress.tail == Tail::Staged && offset > 0).then_some(name);
        let tails = own.into_iter().chain(&progress.stale).map(|tail| self.names().tail(key, tail));
        let note = progress.multipart.as_ref().map(|id| self.names().multipart(key, id));
        tails.chain(note).collect()
    }

    /// A multipart upload that is gone has ended already.
    async fn abort(&self, key: UploadId, id: &String) -> Result<(), BlobError> {
        match self.clients().parts.abort_multipart(&self.names().blob(key), id).await.map_err(|e| failure(&e)) {
            Err(BlobError::Missing) => Ok(()),
            ended => ended,
        }
    }

    async fn remove_all(&self, names: Vec<Path>) -> Result<(), BlobError> {
        let removals = stream::iter(names).map(|name| async move { self.remove(&name).await });
        removals.buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Deletes what nobody needs any more, beside everything else. What fails to go is found by [`Self::staged`].
    pub(super) fn forget(&self, names: Vec<Path>) {
        if names.is_empty() {
            return;
        }
        let this = self.clone();
        tokio::spawn(async move {
            let _ = this.remove_all(names).await;
        });
    }

    /// A page of the keys for which something is staged, each with the time of what was staged last.
    pub(crate) async fn staged(&self, after: Option<UploadId>, at_most: usize) -> Result<Vec<Staged>, BlobError> {
        let below = self.names().all_staged();
        let mut found = match after {
            None => self.clients().objects.list(Some(&below)),
            Some(key) => self.clients().objects.list_with_offset(Some(&below), &self.names().after_staged(key)),
        };
        let mut page: Vec<Staged> = Vec::new();
        while let Some(meta) = found.try_next().await.map_err(|e| failure(&e))? {
            let Some(key) = self.names().key_of_staged(&meta.location) else { continue };
            let modified = Timestamp::from_millis(meta.last_modified.timestamp_millis());
            let full = page.len() == at_most.max(1);
            match page.last_mut().filter(|last| last.key == key) {
                Some(last) => last.modified = last.modified.max(modified),
                None if full => break,
                None => page.push(Staged { key, modified }),
            }
        }
        Ok(page)
    }

    /// Ends everything that is staged for a key.
    pub(crate) async fn clear_staged(&self, key: UploadId) -> Result<(), BlobError> {
        let staged = self.clients().objects.list(Some(&self.names().staged(key)));
        let names: Vec<Path> = staged.map_ok(|meta| meta.location).try_collect().await.map_err(|e| failure(&e))?;
        for note in names.iter().filter(|name| is_multipart(name)) {
            match self.get(note).await {
                Ok(id) => self.abort(key, &String::from_utf8_lossy(&id).into_owned()).await?,
                Err(BlobError::Missing) => {}
                Err(error) => return Err(error),
            }
        }
        self.remove_all(names).await
    }
}
