//! Pushing blobs: in one request, in two, in chunks, or by mounting (OCI distribution specification 1.1, "Pushing blobs").
//!
//! Every request is admitted when it begins, the last one too; a body that was admitted is not cut off.

use access::Refusal;
use bytes::Bytes;
use futures_util::{Stream, stream};
use kit::{RequestBody, Upload};
use model::{Algorithm, Digest, OnRepository, RepositoryName, UploadId, act};

use super::{Call, Handled, digest, repository_name};
use crate::errors::{Code, Failure, Refused};
use crate::shapes::{self, Query, chunk};

/// What an upload begins as.
enum Start {
    /// Its content follows in other requests.
    Empty(Algorithm),
    /// Its content is this request's body.
    Whole(Digest),
    /// The content may be there, in that repository.
    Mount(Digest, RepositoryName),
}

impl Start {
    /// A mount without a source is an upload: to look for the content everywhere would tell who has it.
    fn of(query: Query<'_>) -> Result<Self, Failure> {
        let (mount, from) = (query.one("mount")?, query.one("from")?);
        match (query.one("digest")?, mount) {
            (Some(_), Some(_)) => Err(Failure::new(Code::BlobUploadInvalid, "digest and mount cannot stand together")),
            (Some(whole), None) => Ok(Self::Whole(digest(&whole)?)),
            (None, Some(wanted)) => {
                let wanted = digest(&wanted)?;
                match from {
                    Some(from) => Ok(Self::Mount(wanted, repository_name(&from)?)),
                    None => Ok(Self::Empty(wanted.algorithm())),
                }
            }
            (None, None) => Ok(Self::Empty(algorithm(query)?)),
        }
    }
}

impl Call<'_> {
    pub(super) async fn begin_upload(&self, body: RequestBody) -> Handled {
        let (on, start) = (self.repository()?, Start::of(self.query())?);
        match start {
            Start::Empty(algorithm) => self.begin_empty(on, algorithm).await,
            Start::Whole(digest) => self.put_whole(on, &digest, body).await,
            Start::Mount(digest, source) => self.mount(on, &digest, source).await,
        }
    }

    async fn begin_empty(&self, on: OnRepository, algorithm: Algorithm) -> Handled {
        let name = on.name.clone();
        let permit = self.admit::<act::PushRepository>(on).await?;
        let id = self.door.registry.begin_upload(permit, algorithm).await?;
        Ok(shapes::upload_grown(self.links(&name), id, 0))
    }

    async fn put_whole(&self, on: OnRepository, digest: &Digest, body: RequestBody) -> Handled {
        let name = on.name.clone();
        let permit = self.admit::<act::PushRepository>(on).await?;
        self.door.registry.expect_room(&permit, Some(digest), body.declared_length().unwrap_or_default()).await?;
        self.door.registry.put_blob(permit, pieces(body), digest).await?;
        Ok(shapes::mounted(self.links(&name), digest))
    }

    /// Who may not pull from the source learns nothing of it: it is as if the blob were not there.
    async fn mount(&self, on: OnRepository, digest: &Digest, source: RepositoryName) -> Handled {
        let name = on.name.clone();
        let source = OnRepository { instance: on.instance.clone(), name: source };
        let permit = self.admit::<act::PushRepository>(on.clone()).await?;
        if let Some(source) = self.admit_source(source).await?
            && self.door.registry.mount(permit, source, digest).await?
        {
            return Ok(shapes::mounted(self.links(&name), digest));
        }
        self.begin_empty(on, digest.algorithm()).await
    }

    async fn admit_source(&self, source: OnRepository) -> Result<Option<access::Permit<act::PullRepository>>, Refused> {
        match self.door.identity.access().admit::<act::PullRepository>(self.op, &self.caller, source).await {
            Ok(permit) => Ok(Some(permit)),
            Err(Refusal::Unavailable) => Err(Refusal::Unavailable.into()),
            Err(
                Refusal::Unauthenticated
                | Refusal::InsufficientScope { .. }
                | Refusal::Denied { .. }
                | Refusal::Exceeds { .. }
                | Refusal::Network(_)
                | Refusal::NotFound,
            ) => Ok(None),
        }
    }

    pub(super) async fn upload_status(&self) -> Handled {
        let (on, id) = (self.repository()?, self.upload_id()?);
        let name = on.name.clone();
        let permit = self.admit::<act::PushRepository>(on).await?;
        let offset = self.door.registry.upload_status(permit, id).await?;
        Ok(shapes::upload_stands(self.links(&name), id, offset))
    }

    pub(super) async fn append_chunk(&self, body: RequestBody) -> Handled {
        let (on, id) = (self.repository()?, self.upload_id()?);
        let expected = self.expected(&body)?;
        let name = on.name.clone();
        let permit = self.admit::<act::PushRepository>(on).await?;
        self.door.registry.expect_room_for(&permit, id, None, body.declared_length().unwrap_or_default()).await?;
        let offset = self.door.registry.append(permit, id, expected, pieces(body)).await?;
        Ok(shapes::upload_grown(self.links(&name), id, offset))
    }

    pub(super) async fn finish_upload(&self, body: RequestBody) -> Handled {
        let (on, id) = (self.repository()?, self.upload_id()?);
        let wanted = self.query().one("digest")?;
        let wanted = wanted.ok_or_else(|| Failure::new(Code::DigestInvalid, "the parameter digest is missing"))?;
        let (digest, expected) = (digest(&wanted)?, self.expected(&body)?);
        let name = on.name.clone();
        let permit = self.admit::<act::PushRepository>(on).await?;
        self.door.registry.expect_room_for(&permit, id, Some(&digest), body.declared_length().unwrap_or_default()).await?;
        self.door.registry.finish_upload(permit, id, expected, pieces(body), &digest).await?;
        Ok(shapes::mounted(self.links(&name), &digest))
    }

    pub(super) async fn cancel_upload(&self) -> Handled {
        let (on, id) = (self.repository()?, self.upload_id()?);
        let permit = self.admit::<act::PushRepository>(on).await?;
        self.door.registry.cancel_upload(permit, id).await?;
        Ok(shapes::cancelled())
    }

    fn upload_id(&self) -> Result<UploadId, Failure> {
        self.route.item.parse().map_err(|_| Failure::new(Code::BlobUploadUnknown, "there is no such upload: begin another one"))
    }

    /// Where the client says that this body goes.
    fn expected(&self, body: &RequestBody) -> Result<Option<u64>, Failure> {
        chunk(&self.head.headers, body.declared_length())
    }
}

/// The algorithm that the content's digest will be asked for by, where the client says so beforehand.
fn algorithm(query: Query<'_>) -> Result<Algorithm, Failure> {
    match query.one("digest-algorithm")?.as_deref() {
        None | Some("sha256") => Ok(Algorithm::Sha256),
        Some("sha512") => Ok(Algorithm::Sha512),
        Some(_) => Err(Failure::new(Code::DigestInvalid, model::DigestError::Algorithm.to_string())),
    }
}

/// A body as a stream.
fn pieces(body: RequestBody) -> impl Stream<Item = std::io::Result<Bytes>> + Send {
    stream::unfold(body.into_upload(), |mut upload: Upload| async {
        let piece = upload.next().await?;
        Some((piece.map_err(std::io::Error::other), upload))
    })
}
