//! Pushing blobs: in one request, in two, or in chunks (OCI distribution specification, "Pushing blobs").

use access::Permit;
use bytes::Bytes;
use futures_util::Stream;
use model::{Algorithm, Digest, Seconds, Timestamp, UploadId, act};
use store::Tx;
use store::upload::Upload;

use crate::push_target::Destination;
use crate::upload_session::{new_state, principal};
use crate::{Registry, RegistryError};

/// An upload that nobody has touched for so long is abandoned.
const ABANDONED: Seconds = Seconds::days(1);
/// Abandoned uploads that are cleared in one go.
const CLEARED: i64 = 256;
/// Uploads with something staged that are looked at in one go.
const STAGED: usize = 256;

impl Registry {
    /// Begins an upload. Its digest may be asked for by either algorithm; the one named here is not read a second time.
    pub async fn begin_upload(&self, permit: Permit<act::PushRepository>, algorithm: Algorithm) -> Result<UploadId, RegistryError> {
        let id = UploadId::from_random((self.random)());
        let begun =
            Begun { destination: self.destination(&permit), id, principal: principal(&permit), state: new_state(algorithm).to_bytes() };
        self.expect_room(&permit, None, 0).await?;
        if self.is_bounded(permit.on(), permit.op().now).await? {
            self.write_growing(permit.on(), permit.op().now, |tx| Box::pin(begun.write(tx))).await?;
        } else {
            // Nothing is promised yet: an upload that a power cut took is begun again.
            self.store.write_soon(|tx| Box::pin(begun.write(tx))).await?;
        }
        self.settled(&begun.destination).await;
        Ok(id)
    }

    /// Appends a chunk, and says where the next one goes. `expected`: where the client says this one goes. An error keeps
    /// what had arrived.
    pub async fn append<S>(
        &self,
        permit: Permit<act::PushRepository>,
        id: UploadId,
        expected: Option<u64>,
        body: S,
    ) -> Result<u64, RegistryError>
    where
        S: Stream<Item = std::io::Result<Bytes>> + Send,
    {
        let mut session = self.claim(&permit, id).await?;
        session.expect_offset(expected)?;
        self.append_to(&mut session, permit.op().now, body).await?;
        Ok(session.offset())
    }

    /// Fails if the next chunk, of so many bytes at least, certainly does not fit into the namespace, and forgets the upload then: a
    /// client that tried the rest again would not get further.
    pub async fn expect_room_for(
        &self,
        permit: &Permit<act::PushRepository>,
        id: UploadId,
        digest: Option<&Digest>,
        bytes: u64,
    ) -> Result<(), RegistryError> {
        let full = match self.expect_room(permit, digest, bytes).await {
            Err(full @ RegistryError::Quota { .. }) => full,
            other => return other,
        };
        self.forget(permit, id).await?;
        Err(full)
    }

    /// Where the next chunk goes.
    pub async fn upload_status(&self, permit: Permit<act::PushRepository>, id: UploadId) -> Result<u64, RegistryError> {
        let row = self.upload_row(&permit, id).await?;
        Ok(blobs::UploadState::from_bytes(&row.state)?.offset())
    }

    /// Forgets an upload and what it has brought.
    pub async fn cancel_upload(&self, permit: Permit<act::PushRepository>, id: UploadId) -> Result<(), RegistryError> {
        self.forget(&permit, id).await
    }

    async fn forget(&self, permit: &Permit<act::PushRepository>, id: UploadId) -> Result<(), RegistryError> {
        self.upload_row(permit, id).await?;
        let taken = self.store.write(|tx| Box::pin(store::upload::take(tx, id))).await?;
        let state = taken.ok_or(RegistryError::UploadUnknown)?;
        self.discard_taken(id, &state).await;
        Ok(())
    }

    /// Appends the last chunk, which may be empty, and ends the upload: when this returns, the blob is durable, and the
    /// repository has it. Content with another digest is forgotten together with its upload.
    pub async fn finish_upload<S>(
        &self,
        permit: Permit<act::PushRepository>,
        id: UploadId,
        expected: Option<u64>,
        body: S,
        digest: &Digest,
    ) -> Result<(), RegistryError>
    where
        S: Stream<Item = std::io::Result<Bytes>> + Send,
    {
        let mut session = self.claim(&permit, id).await?;
        session.expect_offset(expected)?;
        if let Err(stopped) = session.take_in_last(body, self.limits.blob).await {
            if matches!(stopped, RegistryError::Interrupted(_) | RegistryError::TooLarge { .. }) {
                // Written down, so that the client can go on from where it broke off.
                self.append_to(&mut session, permit.op().now, futures_util::stream::empty()).await?;
            }
            return Err(stopped);
        }
        self.complete(&permit, session, digest).await
    }

    /// Keeps a whole blob that came in one request.
    pub async fn put_blob<S>(&self, permit: Permit<act::PushRepository>, body: S, digest: &Digest) -> Result<(), RegistryError>
    where
        S: Stream<Item = std::io::Result<Bytes>> + Send,
    {
        let destination = self.destination(&permit);
        let there = self.store.read(|tx| Box::pin(destination.find(tx))).await?;
        let target = if let Some(target) = there {
            target
        } else {
            let made = self.write_growing(permit.on(), permit.op().now, |tx| Box::pin(destination.ensure(tx))).await?;
            self.settled(&destination).await;
            made
        };
        let mut session = self.session_without_row(target.id, digest.algorithm()).await?;
        if let Err(stopped) = session.take_in_last(body, self.limits.blob).await {
            self.discard(session).await;
            return Err(stopped);
        }
        self.complete(&permit, session, digest).await
    }

    /// Clears uploads that nobody has touched for a day, and says how many. A background job, on one node at a time.
    pub async fn clear_abandoned_uploads(&self, now: Timestamp) -> Result<usize, RegistryError> {
        let before = now.plus(Seconds(-ABANDONED.0));
        let mut cleared = 0;
        loop {
            let gone = self.store.write(|tx| Box::pin(store::upload::take_untouched(tx, before, CLEARED))).await?;
            for (id, state) in &gone {
                self.discard_taken(*id, state).await;
            }
            cleared += gone.len();
            if gone.is_empty() {
                return Ok(cleared + self.clear_staged(before).await?);
            }
        }
    }

    /// Clears what a node that stopped has left in object storage of uploads that no row names.
    async fn clear_staged(&self, before: Timestamp) -> Result<usize, RegistryError> {
        let (mut after, mut cleared) = (None, 0);
        loop {
            let page = self.blobs.staged(after, STAGED).await?;
            let Some(last) = page.last() else { return Ok(cleared) };
            after = Some(last.key);
            for staged in page.iter().filter(|staged| staged.modified < before) {
                if !self.store.read(|tx| Box::pin(store::upload::exists(tx, staged.key))).await? {
                    self.blobs.clear_staged(staged.key).await?;
                    cleared += 1;
                }
            }
        }
    }
}

struct Begun {
    destination: Destination,
    id: UploadId,
    principal: Option<model::PrincipalId>,
    state: Vec<u8>,
}

impl Begun {
    async fn write(&self, tx: &mut Tx<'_>) -> Result<(), RegistryError> {
        let target = self.destination.ensure(tx).await?;
        let upload = Upload { id: self.id, repository: target.id, principal: self.principal, state: self.state.clone() };
        Ok(store::upload::insert(tx, &upload, self.destination.now()).await?)
    }
}
