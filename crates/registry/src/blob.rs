//! Pulling blobs, and mounting them from one repository into another. A repository sees a blob only through its own link.

use std::ops::Range;
use std::time::Duration;

use access::{Audit, Permit, Record, audit};
use blobs::{BlobBody, BlobError, PresignedUrl};
use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;
use model::{Digest, Network, NetworkName, OnRepository, act};
use store::Tx;
use store::blob::{Linked, Linking, Stored};

use crate::protection::Protection;
use crate::push_target::Destination;
use crate::quota::fits;
use crate::{Registry, RegistryError};

/// The largest blob whose bytes are kept in memory beside manifests'.
const SMALL_BLOB: u64 = 64 << 10;
/// How long a presigned URL holds: clients follow at once, and clocks may differ.
const PRESIGNED: Duration = Duration::from_mins(5);

/// For whom a blob is redirected to object storage, instead of passed on from there.
#[derive(Clone, Default, Debug)]
pub enum Redirects {
    /// Nobody.
    #[default]
    Off,
    /// Everybody.
    On,
    /// Who comes from one of these named networks, or, if it says so, from none.
    From {
        /// Requests from no named network too.
        public: bool,
        /// The networks.
        networks: Vec<NetworkName>,
    },
}

impl Redirects {
    fn holds_for(&self, network: &Network) -> bool {
        match self {
            Self::Off => false,
            Self::On => true,
            Self::From { public, networks } => network.name().map_or(*public, |name| networks.contains(name)),
        }
    }
}

/// Which bytes of a blob (RFC 9110 section 14.1.2), as a client asks for them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ByteRange {
    /// From this one up to that one, both included; beyond the end is cut.
    Between(u64, u64),
    /// From this one to the end.
    From(u64),
    /// So many at the end.
    Last(u64),
}

impl ByteRange {
    /// The bytes that exist of those asked for; none: unsatisfiable.
    pub fn within(self, size: u64) -> Option<Range<u64>> {
        let range = match self {
            Self::Between(first, last) => first..last.saturating_add(1).min(size),
            Self::From(first) => first..size,
            Self::Last(n) => size.saturating_sub(n)..size,
        };
        Some(range).filter(|r| !r.is_empty())
    }
}

/// A blob, or a part of it.
#[derive(Debug)]
pub struct BlobFound {
    /// The size of the whole blob.
    pub size: u64,
    /// The bytes that `body` holds.
    pub range: Range<u64>,
    /// The bytes.
    pub body: BlobBody,
}

impl Registry {
    /// Pulls a blob, or a part of it.
    pub async fn blob(
        &self,
        permit: Permit<act::PullRepository>,
        digest: &Digest,
        range: Option<ByteRange>,
    ) -> Result<BlobFound, RegistryError> {
        let (linked, size) = self.find_blob(permit.on(), digest).await?;
        let range = match range {
            None => 0..size,
            Some(range) => range.within(size).ok_or(RegistryError::RangeUnsatisfiable { size })?,
        };
        let body = match self.body(digest, &linked.stored, size, &range).await {
            Err(BlobError::Missing) => self.body_of_another(permit.on(), digest, &linked, &range).await?,
            body => body?,
        };
        Ok(BlobFound { size, range, body })
    }

    async fn body(&self, digest: &Digest, stored: &Stored, size: u64, range: &Range<u64>) -> Result<BlobBody, BlobError> {
        match size {
            0..=SMALL_BLOB => Ok(BlobBody::whole(in_range(&self.small_blob(digest, stored, size).await?, range)?)),
            _ => self.blobs.read(stored.key, size, range.clone()).await,
        }
    }

    /// What was found is not where it lay: unless it has been collected since, or collected and pushed again, it is lost.
    async fn body_of_another(
        &self,
        on: &OnRepository,
        digest: &Digest,
        was: &Linked,
        range: &Range<u64>,
    ) -> Result<BlobBody, RegistryError> {
        let (is, size) = self.find_blob(on, digest).await?;
        if is.stored.key == was.stored.key {
            return Err(BlobError::Missing.into());
        }
        Ok(self.body(digest, &is.stored, size, range).await?)
    }

    /// Configurations and small layers: read once, and checked against their digest before they are kept.
    async fn small_blob(&self, digest: &Digest, stored: &Stored, size: u64) -> Result<Bytes, BlobError> {
        if let Some(content) = self.content_tally.note(self.contents.get(digest)) {
            return Ok(content);
        }
        let content = match self.blobs.read(stored.key, size, 0..size).await?.into_whole() {
            Ok(content) => content,
            Err(pieces) => pieces.try_collect::<BytesMut>().await?.freeze(),
        };
        if Digest::of(digest.algorithm(), &content) != *digest {
            return Err(BlobError::Damaged);
        }
        self.contents.insert(*digest, content.clone());
        Ok(content)
    }

    /// Where the client gets a blob by itself, if it comes from where that is wanted and the blob is not small.
    pub async fn blob_elsewhere(
        &self,
        permit: &Permit<act::PullRepository>,
        digest: &Digest,
    ) -> Result<Option<PresignedUrl>, RegistryError> {
        if !self.redirects.holds_for(&permit.op().network) {
            return Ok(None);
        }
        let (linked, size) = self.find_blob(permit.on(), digest).await?;
        match size {
            0..=SMALL_BLOB => Ok(None),
            _ => Ok(self.blobs.location(linked.stored.key, PRESIGNED).await?),
        }
    }

    /// A blob whole, if it is small: a configuration. None: it has more than 64 KiB, or is not there.
    pub async fn configuration(&self, permit: Permit<act::PullRepository>, digest: &Digest) -> Result<Option<Bytes>, RegistryError> {
        match self.find_blob(permit.on(), digest).await {
            Ok((linked, size)) if size <= SMALL_BLOB => Ok(Some(self.small_blob(digest, &linked.stored, size).await?)),
            Ok(_) | Err(RegistryError::BlobUnknown) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A blob's size. Who asks may be about to push a manifest that names it: it stays for the collection's grace, or half of it.
    pub async fn head_blob(&self, permit: &Permit<act::PullRepository>, digest: &Digest) -> Result<u64, RegistryError> {
        let (linked, size) = self.find_blob(permit.on(), digest).await?;
        if self.collection.may_go_soon(&linked, permit.op().now) {
            self.keep_for_now(permit, digest, &linked).await?;
        }
        Ok(size)
    }

    pub(crate) async fn find_blob(&self, on: &OnRepository, digest: &Digest) -> Result<(Linked, u64), RegistryError> {
        let key = (on.instance.id, on.name.clone(), *digest);
        let read = || self.store.read(|tx| Box::pin(store::blob::find_linked(tx, on.instance.id, &on.name, digest)));
        match self.links.get_or_read(&self.store, key, read).await? {
            Some(linked) if linked.unreadable => Err(Protection::Unreadable.into()),
            Some(linked) => Ok((linked, u64::try_from(linked.stored.size).unwrap_or_default())),
            None => Err(self.name_or(on, RegistryError::BlobUnknown).await),
        }
    }

    /// Links a blob that `source` has into the repository of `permit`. False: `source` does not have it, or it belongs to
    /// another account; the client has to upload.
    pub async fn mount(
        &self,
        permit: Permit<act::PushRepository>,
        source: Permit<act::PullRepository>,
        digest: &Digest,
    ) -> Result<bool, RegistryError> {
        if source.on().instance.account != permit.on().instance.account {
            return Ok(false);
        }
        let mount = Mount {
            destination: self.destination(&permit),
            source: source.on(),
            digest,
            record: permit.success().with_detail(format!("{digest} from {}", source.on().name)),
        };
        let linked = self.write_growing(permit.on(), permit.op().now, |tx| Box::pin(mount.link(tx, self.audit()))).await?;
        self.settled(&mount.destination).await;
        Ok(linked)
    }
}

/// The part of a blob that is in memory whole.
fn in_range(content: &Bytes, range: &Range<u64>) -> Result<Bytes, BlobError> {
    let end = usize::try_from(range.end).ok().filter(|end| *end <= content.len()).ok_or(BlobError::Damaged)?;
    let start = usize::try_from(range.start).ok().filter(|start| *start <= end).ok_or(BlobError::Damaged)?;
    Ok(content.slice(start..end))
}

struct Mount<'a> {
    destination: Destination,
    source: &'a OnRepository,
    digest: &'a Digest,
    record: Record,
}

impl Mount<'_> {
    async fn link(&self, tx: &mut Tx<'_>, audit: &Audit) -> Result<bool, RegistryError> {
        let (instance, name) = (self.source.instance.id, &self.source.name);
        // What is locked against reading is not given away either: the client has to bring it.
        if store::blob::find_linked(tx, instance, name, self.digest).await?.is_none_or(|linked| linked.unreadable) {
            return Ok(false);
        }
        let target = self.destination.ensure(tx).await?;
        match store::blob::link(tx, target.id, self.digest, self.destination.now()).await? {
            Linking::NoRepository => return Err(RegistryError::NameUnknown),
            Linking::Done(grown) => fits(tx, &self.destination.on.name, grown).await?,
        }
        audit::write(tx, audit, &self.record).await?;
        Ok(true)
    }
}

impl From<BlobError> for RegistryError {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Busy => Self::Conflict,
            BlobError::Full => Self::Full(Box::new(error)),
            BlobError::Unavailable(_) => Self::Unavailable(Box::new(error)),
            BlobError::Missing | BlobError::Exists | BlobError::Damaged => Self::Broken(Box::new(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_hold_for_the_networks_that_are_named() {
        let [office, lab] = ["office", "lab"].map(|name| NetworkName::parse(name).unwrap());
        let from = |public| Redirects::From { public, networks: vec![office.clone()] };
        for (redirects, public, in_office, in_lab) in [
            (Redirects::Off, false, false, false),
            (Redirects::On, true, true, true),
            (from(false), false, true, false),
            (from(true), true, true, false),
        ] {
            assert_eq!(redirects.holds_for(&Network::Public), public);
            assert_eq!(redirects.holds_for(&Network::Named(office.clone())), in_office);
            assert_eq!(redirects.holds_for(&Network::Private(lab.clone())), in_lab);
        }
    }

    #[test]
    fn ranges_are_cut_at_the_end_and_never_empty() {
        for (range, size, want) in [
            (ByteRange::Between(0, 0), 10, Some(0..1)),
            (ByteRange::Between(2, u64::MAX), 10, Some(2..10)),
            (ByteRange::Between(10, 11), 10, None),
            (ByteRange::Between(3, 2), 10, None),
            (ByteRange::From(9), 10, Some(9..10)),
            (ByteRange::From(10), 10, None),
            (ByteRange::Last(3), 10, Some(7..10)),
            (ByteRange::Last(30), 10, Some(0..10)),
            (ByteRange::Last(0), 10, None),
            (ByteRange::From(0), 0, None),
        ] {
            assert_eq!(range.within(size), want, "{range:?} of {size}");
        }
    }
}
