//! A part on its way: received in blocks that are never copied again, and counted against what all uploads may hold.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use object_store::PutPayload;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::{Objects, failure};
use crate::BlobError;

/// How much is received into one block.
const BLOCK: usize = 256 << 10;
/// What an upload may hold without asking: most configurations and manifests never ask.
const FREE: u64 = 64 << 10;
/// How long an upload waits for others to let go of memory.
const PATIENCE: Duration = Duration::from_secs(15);

/// Bytes in memory that are not in the storage yet.
#[derive(Debug, Default)]
pub(super) struct Part {
    blocks: Vec<Bytes>,
    /// The block that is being filled.
    open: BytesMut,
    len: u64,
    /// How many of `blocks` the digests have seen.
    seen: usize,
    slots: Option<OwnedSemaphorePermit>,
}

impl Part {
    /// Of bytes that the digests have seen.
    pub(super) async fn seen(objects: &Objects, size: u64, content: Bytes) -> Result<Self, BlobError> {
        let mut part = Self { len: content.len() as u64, blocks: vec![content], seen: 1, ..Self::default() };
        part.make_room(objects, size).await?;
        Ok(part)
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Takes what fits into a part of `size` bytes from the front of `frame`. Copied: a frame of a few bytes may keep a large
    /// buffer of its connection alive.
    pub(super) async fn fill(&mut self, objects: &Objects, size: u64, frame: &mut Bytes) -> Result<(), BlobError> {
        let room = usize::try_from(size - self.len).unwrap_or(usize::MAX);
        let mut taken = frame.split_to(frame.len().min(room));
        self.len += taken.len() as u64;
        self.make_room(objects, size).await?;
        while !taken.is_empty() {
            if self.open.capacity() == 0 {
                self.open.reserve(if self.blocks.is_empty() { taken.len().clamp(4096, BLOCK) } else { BLOCK });
            }
            let fits = self.open.capacity() - self.open.len();
            self.open.extend_from_slice(&taken.split_to(taken.len().min(fits)));
            if self.open.len() == self.open.capacity() {
                self.close();
            }
        }
        Ok(())
    }

    /// Asks for the memory of a whole part at once: whoever has begun one can always end it.
    async fn make_room(&mut self, objects: &Objects, size: u64) -> Result<(), BlobError> {
        if self.len > FREE && self.slots.is_none() {
            let slots = objects.slots(size);
            let waited = timeout(PATIENCE, slots).await.map_err(|_| failure::busy("too many uploads at once"))?;
            self.slots = Some(waited.map_err(|_| failure::busy("the storage is closed"))?);
        }
        Ok(())
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            self.blocks.push(std::mem::take(&mut self.open).freeze());
        }
        self.open = BytesMut::new();
    }

    /// What the digests have not seen yet.
    pub(super) fn unseen(&mut self) -> Vec<Bytes> {
        self.close();
        let unseen = self.blocks.get(self.seen..).unwrap_or_default().to_vec();
        self.seen = self.blocks.len();
        unseen
    }

    /// The content as a body; nothing is copied.
    pub(super) fn payload(&mut self) -> PutPayload {
        self.close();
        self.blocks.iter().cloned().collect()
    }

    /// The content in one piece.
    pub(super) fn whole(&mut self) -> Bytes {
        self.close();
        self.blocks.concat().into()
    }
}
