//! One request's hold on an upload: claimed first, and only then read, so that two writers never share a place.

use access::{Audit, Permit, Record, audit};
use blobs::{AppendCause, AppendError, BlobError, UploadState};
use bytes::Bytes;
use futures_util::Stream;
use model::{AccountId, Algorithm, Digest, OnRepository, PrincipalId, RepositoryId, RepositoryName, Timestamp, UploadId, act};
use store::blob::{Insertion, Linking, Stored};
use store::upload::Upload;
use store::{StoreError, Tx};

use crate::quota::fits;
use crate::{Registry, RegistryError};

/// An upload that this request alone may write to.
#[derive(Debug)]
pub(crate) struct Session {
    id: UploadId,
    repository: RepositoryId,
    claim: blobs::Upload,
    /// As it stands in the database; none: a whole blob in one request has no row.
    row: Option<Vec<u8>>,
    state: UploadState,
}

/// Content that is durable, on its way to be linked.
struct Kept {
    id: UploadId,
    repository: RepositoryId,
    account: AccountId,
    name: RepositoryName,
    row: Option<Vec<u8>>,
    digest: Digest,
    size: u64,
    now: Timestamp,
    record: Record,
}

pub(crate) fn principal(permit: &Permit<act::PushRepository>) -> Option<PrincipalId> {
    permit.by().known().map(|known| known.principal)
}

impl Registry {
    /// The upload's row, for who began it and in the repository it was begun in alone (CVE-2026-32589).
    pub(crate) async fn upload_row(&self, permit: &Permit<act::PushRepository>, id: UploadId) -> Result<Upload, RegistryError> {
        let on = permit.on();
        let row = self.store.read(|tx| Box::pin(store::upload::find(tx, on.instance.id, &on.name, id))).await?;
        row.filter(|u| u.principal == principal(permit)).ok_or(RegistryError::UploadUnknown)
    }

    /// The same, once it is claimed. A commit that was given up and still comes has ended it then, or never will. Where this process
    /// alone commits there is none.
    async fn claimed_row(&self, permit: &Permit<act::PushRepository>, id: UploadId) -> Result<Upload, RegistryError> {
        if self.store.commits().is_some() {
            return self.upload_row(permit, id).await;
        }
        let on = permit.on();
        let row = self.store.write_soon(|tx| Box::pin(store::upload::find_held(tx, on.instance.id, &on.name, id))).await?;
        row.filter(|u| u.principal == principal(permit)).ok_or(RegistryError::UploadUnknown)
    }

    /// Claims an upload, and reads how far it is.
    pub(crate) async fn claim(&self, permit: &Permit<act::PushRepository>, id: UploadId) -> Result<Session, RegistryError> {
        self.upload_row(permit, id).await?;
        let (claim, new) = match self.blobs.resume(id).await {
            Err(BlobError::Missing) => (self.blobs.create(id).await?, true),
            claim => (claim?, false),
        };
        let row = match self.claimed_row(permit, id).await {
            Ok(row) => row,
            Err(gone) => {
                self.delete_content_if(new, id).await;
                return Err(gone);
            }
        };
        let state = UploadState::from_bytes(&row.state)?;
        if new && state.offset() > 0 {
            // What had been stored is lost (a power cut before anything was durable): the client begins another upload.
            self.store.write(|tx| Box::pin(store::upload::delete(tx, id))).await?;
            self.delete_content_if(true, id).await;
            return Err(RegistryError::UploadUnknown);
        }
        Ok(Session { id, repository: row.repository, claim, row: Some(row.state), state })
    }

    /// A session for a whole blob in one request.
    pub(crate) async fn session_without_row(&self, repository: RepositoryId, algorithm: Algorithm) -> Result<Session, RegistryError> {
        let id = UploadId::from_random((self.random)());
        let claim = self.blobs.create(id).await?;
        Ok(Session { id, repository, claim, row: None, state: new_state(algorithm) })
    }

    /// Deletes content that no row names. What fails to go now is found when the storage is listed.
    pub(crate) async fn delete_content_if(&self, unnamed: bool, key: UploadId) {
        if unnamed && let Err(error) = self.blobs.delete(key).await {
            tracing::warn!(%key, %error, "content that nothing names stays for now");
        }
    }

    /// Frees what an upload has brought, once its row is taken away.
    pub(crate) async fn discard_taken(&self, id: UploadId, state: &[u8]) {
        let discarded = match UploadState::from_bytes(state) {
            Ok(state) => self.blobs.discard(id, &state).await,
            Err(error) => Err(error),
        };
        if let Err(error) = discarded {
            tracing::warn!(key = %id, %error, "content that nothing names stays for now");
        }
    }

    /// Frees what a session without a row has brought.
    pub(crate) async fn discard(&self, session: Session) {
        if let Err(error) = self.blobs.discard(session.id, &session.state).await {
            tracing::warn!(key = %session.id, %error, "content that nothing names stays for now");
        }
    }

    /// Appends what comes, and writes down how far it came, in a failure too.
    pub(crate) async fn append_to<S>(&self, session: &mut Session, now: Timestamp, body: S) -> Result<(), RegistryError>
    where
        S: Stream<Item = std::io::Result<Bytes>> + Send,
    {
        let outcome = session.take_in(body, self.limits.blob).await;
        let Some(was) = session.row.take() else { return outcome };
        let is = session.state.to_bytes();
        let id = session.id;
        // Not synced either: the content is not before the upload's end.
        let advanced = self.store.write_soon(|tx| Box::pin(store::upload::advance(tx, id, &was, &is, now))).await?;
        session.row = Some(is);
        if advanced { outcome } else { Err(RegistryError::UploadUnknown) }
    }

    /// Ends an upload: the content is what `asked` says, durable, then linked in one transaction. What is not is forgotten.
    pub(crate) async fn complete(
        &self,
        permit: &Permit<act::PushRepository>,
        mut session: Session,
        asked: &Digest,
    ) -> Result<(), RegistryError> {
        let running = session.state.digest(asked.algorithm());
        if let Some(found) = running.filter(|found| found != asked) {
            return self.refuse(session, RegistryError::DigestInvalid { found }).await;
        }
        let was = self.win(&mut session, permit.op().now).await?;
        if let Err(error) = session.claim.finish(&session.state).await {
            self.put_back(&session, was, permit.op().now).await;
            return Err(lost(error));
        }
        if running.is_none() {
            let found = self.blobs.digest_again(session.id, session.state.offset(), asked.algorithm()).await?;
            if found != *asked {
                return self.refuse(session, RegistryError::DigestInvalid { found }).await;
            }
        }
        let record = permit.success().with_detail(asked.to_string());
        let kept = session.kept(asked, permit.on(), permit.op().now, record);
        let first = match self.write_growing(permit.on(), permit.op().now, |tx| Box::pin(kept.link(tx, self.audit()))).await {
            Ok(first) => first,
            Err(full @ RegistryError::Quota { .. }) => return self.refuse(session, full).await,
            Err(error) => return Err(error),
        };
        self.delete_content_if(!first, kept.id).await;
        Ok(())
    }

    /// Lets the database say whose end of the upload holds, where another node may be ending it in another way. Gives back how it stood
    /// before.
    async fn win(&self, session: &mut Session, now: Timestamp) -> Result<Option<Vec<u8>>, RegistryError> {
        let (id, is) = (session.id, session.state.to_bytes());
        let Some(was) = session.row.take_if(|was| !self.blobs.claims_everywhere() && *was != is) else { return Ok(None) };
        let won = self.store.write_soon(|tx| Box::pin(store::upload::advance(tx, id, &was, &is, now))).await?;
        session.row = Some(is);
        if won { Ok(Some(was)) } else { Err(RegistryError::UploadUnknown) }
    }

    /// Puts an upload that could not be ended back to where it stood: its client sends the end again, with what came last. Not where the
    /// storage may yet make content of both; then the client begins another upload.
    async fn put_back(&self, session: &Session, was: Option<Vec<u8>>, now: Timestamp) {
        let goes_on = |was: &Vec<u8>| UploadState::from_bytes(was).is_ok_and(|was| session.state.ends_as(&was));
        let (Some(was), Some(is)) = (was.filter(goes_on), &session.row) else { return };
        let (id, back) = (session.id, |error| tracing::warn!(key = %session.id, %error, "an upload does not stand where it stood"));
        self.store.write_soon(|tx| Box::pin(store::upload::advance(tx, id, is, &was, now))).await.map_or_else(back, drop);
    }

    /// Forgets an upload whose content is not kept, and answers why.
    async fn refuse(&self, session: Session, why: RegistryError) -> Result<(), RegistryError> {
        let id = session.id;
        if let Some(row) = &session.row
            && !self.store.write(|tx| Box::pin(store::upload::finish(tx, id, row))).await?
        {
            // Another node has gone on with it, or ended it: what is there may be a blob.
            return Err(RegistryError::UploadUnknown);
        }
        self.discard(session).await;
        Err(why)
    }
}

/// What an upload had brought is gone: the client begins another one.
fn lost(error: BlobError) -> RegistryError {
    match error {
        BlobError::Missing => RegistryError::UploadUnknown,
        other => other.into(),
    }
}

/// The state of an upload without content, whose digest will be asked for by `algorithm`.
pub(crate) fn new_state(algorithm: Algorithm) -> UploadState {
    match algorithm {
        Algorithm::Sha256 => UploadState::new(),
        Algorithm::Sha512 => UploadState::with_sha512(),
    }
}

impl Session {
    /// Fails if the chunk does not begin where the upload stands.
    pub(crate) fn expect_offset(&self, expected: Option<u64>) -> Result<(), RegistryError> {
        let offset = self.state.offset();
        if expected.is_none_or(|e| e == offset) { Ok(()) } else { Err(RegistryError::RangeInvalid { offset }) }
    }

    pub(crate) fn offset(&self) -> u64 {
        self.state.offset()
    }

    /// Appends what comes.
    async fn take_in<S>(&mut self, body: S, limit: u64) -> Result<(), RegistryError>
    where
        S: Stream<Item = std::io::Result<Bytes>> + Send,
    {
        let taken = self.claim.append(self.state.clone(), body, limit).await;
        self.taken(taken, limit)
    }

    /// Appends the last chunk, without writing down how far it came: it is linked next.
    pub(crate) async fn take_in_last<S>(&mut self, body: S, limit: u64) -> Result<(), RegistryError>
    where
        S: Stream<Item = std::io::Result<Bytes>> + Send,
    {
        let taken = self.claim.append_last(self.state.clone(), body, limit).await;
        self.taken(taken, limit)
    }

    fn taken(&mut self, taken: Result<UploadState, AppendError<std::io::Error>>, limit: u64) -> Result<(), RegistryError> {
        let stopped = match taken {
            Ok(state) => {
                self.state = state;
                return Ok(());
            }
            Err(stopped) => stopped,
        };
        self.state = *stopped.state;
        Err(match stopped.cause {
            AppendCause::Body(error) => RegistryError::Interrupted(error),
            AppendCause::TooLarge => RegistryError::TooLarge { limit },
            AppendCause::Store(error) => lost(error),
        })
    }

    fn kept(&self, digest: &Digest, on: &OnRepository, now: Timestamp, record: Record) -> Kept {
        let (id, repository, row, size) = (self.id, self.repository, self.row.clone(), self.state.offset());
        Kept { id, repository, account: on.instance.account, name: on.name.clone(), row, digest: *digest, size, now, record }
    }
}

impl Kept {
    /// Links the content. False: the account has it already, under another key. What was condemned meanwhile, because the upload
    /// took longer than any should, is pushed again.
    async fn link(&self, tx: &mut Tx<'_>, audit: &Audit) -> Result<bool, RegistryError> {
        if let Some(row) = &self.row
            && !store::upload::finish(tx, self.id, row).await?
        {
            return Err(RegistryError::UploadUnknown);
        }
        let size = i64::try_from(self.size).map_err(|e| StoreError::corrupt(e.to_string()))?;
        let at = Stored { key: self.id, size };
        let first = match store::blob::insert(tx, self.account, &self.digest, at, self.now).await? {
            Insertion::New => true,
            Insertion::There => false,
            Insertion::Condemned => return Err(RegistryError::UploadUnknown),
        };
        match store::blob::link(tx, self.repository, &self.digest, self.now).await? {
            Linking::NoRepository => return Err(RegistryError::NameUnknown),
            Linking::Done(grown) => fits(tx, &self.name, grown).await?,
        }
        audit::write(tx, audit, &self.record).await?;
        Ok(first)
    }
}
