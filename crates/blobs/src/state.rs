//! How far an upload has come: what is stored between its pieces.

use std::fmt;

use model::{Algorithm, Digest};
use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use sha2::digest::typenum::Unsigned;
use sha2::{Digest as _, Sha256, Sha512};

use crate::BlobError;
use crate::objects::Progress;

/// The shape of [`UploadState::to_bytes`]: this number, a number for the algorithms, the offset, the hashes' states.
const VERSION: u8 = 1;
/// The same, and then what object storage has of it.
const WITH_PROGRESS: u8 = 2;
const ONLY_SHA256: u8 = 0;
const WITH_SHA512: u8 = 1;

/// How many bytes an upload has, and the hashes over them so far.
///
/// Its bytes say something about the content (the hashes' last unfinished block): keep them where the content may be.
#[derive(Clone)]
pub struct UploadState {
    offset: u64,
    sha256: Sha256,
    sha512: Option<Sha512>,
    /// What lies where, if that is not one file.
    progress: Option<Box<Progress>>,
}

impl UploadState {
    /// Of an upload that has no content yet.
    pub fn new() -> Self {
        Self { offset: 0, sha256: Sha256::new(), sha512: None, progress: None }
    }

    /// Likewise, with SHA-512 running beside SHA-256: for a client that said so when it began.
    pub fn with_sha512() -> Self {
        Self { sha512: Some(Sha512::new()), ..Self::new() }
    }

    /// How many bytes there are; where the next piece goes.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The digest of the content so far. `None` if that algorithm did not run: then the finished content has to be read
    /// by [`BlobStore::digest_again`](crate::BlobStore::digest_again).
    pub fn digest(&self, algorithm: Algorithm) -> Option<Digest> {
        match algorithm {
            Algorithm::Sha256 => Some(self.sha256()),
            Algorithm::Sha512 => self.sha512.clone().map(|h| Digest::Sha512(h.finalize().into())),
        }
    }

    /// Whether the storage makes content of one of the two at most, whatever it still does about the other: `self` may be given up for
    /// `other` then, although nobody knows what became of its end. Not where a multipart upload was begun between them.
    pub fn ends_as(&self, other: &Self) -> bool {
        let [one, two] = [self, other].map(|state| state.progress().and_then(Progress::multipart));
        one == two
    }

    pub(crate) fn sha256(&self) -> Digest {
        Digest::Sha256(self.sha256.clone().finalize().into())
    }

    /// Goes on over `piece`, which is written at the offset.
    pub(crate) fn update(&mut self, piece: &[u8]) {
        self.sha256.update(piece);
        if let Some(sha512) = &mut self.sha512 {
            sha512.update(piece);
        }
        self.offset += piece.len() as u64;
    }

    /// What object storage has of it.
    pub(crate) fn progress(&self) -> Option<&Progress> {
        self.progress.as_deref()
    }

    pub(crate) fn take_progress(&mut self) -> Progress {
        self.progress.take().map(|progress| *progress).unwrap_or_default()
    }

    pub(crate) fn set_progress(&mut self, progress: Progress) {
        self.progress = Some(Box::new(progress));
    }

    /// For the database: at most 400 bytes for a directory; for object storage up to 32 KiB more, and about 40 for each 8 MiB.
    pub fn to_bytes(&self) -> Vec<u8> {
        let algorithms = if self.sha512.is_some() { WITH_SHA512 } else { ONLY_SHA256 };
        let version = if self.progress.is_some() { WITH_PROGRESS } else { VERSION };
        let mut bytes = vec![version, algorithms];
        bytes.extend_from_slice(&self.offset.to_le_bytes());
        bytes.extend_from_slice(&self.sha256.serialize());
        if let Some(sha512) = &self.sha512 {
            bytes.extend_from_slice(&sha512.serialize());
        }
        if let Some(progress) = &self.progress {
            progress.encode(&mut bytes);
        }
        bytes
    }

    /// What [`to_bytes`](Self::to_bytes) wrote; else [`BlobError::Damaged`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BlobError> {
        Self::decode(bytes).ok_or(BlobError::Damaged)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[version, algorithms], rest) = bytes.split_first_chunk()?;
        let (offset, rest) = rest.split_first_chunk()?;
        let (sha256, rest) = take_hash::<Sha256>(rest)?;
        let (sha512, rest) = match algorithms {
            ONLY_SHA256 => (None, rest),
            WITH_SHA512 => take_hash::<Sha512>(rest).map(|(hash, rest)| (Some(hash), rest))?,
            _ => return None,
        };
        let progress = match version {
            VERSION => rest.is_empty().then_some(None)?,
            WITH_PROGRESS => Some(Box::new(Progress::decode(rest)?)),
            _ => return None,
        };
        Some(Self { offset: u64::from_le_bytes(*offset), sha256, sha512, progress })
    }
}

fn take_hash<H: SerializableState>(bytes: &[u8]) -> Option<(H, &[u8])> {
    let (state, rest) = bytes.split_at_checked(<H::SerializedStateSize as Unsigned>::USIZE)?;
    let state = SerializedState::<H>::try_from(state).ok()?;
    Some((H::deserialize(&state).ok()?, rest))
}

impl Default for UploadState {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for UploadState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadState").field("offset", &self.offset).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_on_from_its_bytes_at_every_place() {
        let content: Vec<u8> = (0..300_u16).map(|i| i.to_le_bytes()[0]).collect();
        for cut in 0..content.len() {
            for mut state in [UploadState::new(), UploadState::with_sha512()] {
                state.update(&content[..cut]);
                let mut state = UploadState::from_bytes(&state.to_bytes()).unwrap();
                assert_eq!(state.offset(), cut as u64);
                state.update(&content[cut..]);
                assert_eq!(state.digest(Algorithm::Sha256), Some(Digest::sha256(&content)));
                let sha512 = state.digest(Algorithm::Sha512);
                assert!(sha512.is_none_or(|d| d == Digest::sha512(&content)));
                assert!(state.to_bytes().len() <= 400);
            }
        }
        assert!(UploadState::with_sha512().digest(Algorithm::Sha512).is_some());
    }

    #[test]
    fn projquay_11190_a_state_is_read_or_refused_and_does_nothing_else() {
        let good = UploadState::with_sha512().to_bytes();
        for end in 0..good.len() {
            assert!(UploadState::from_bytes(&good[..end]).is_err(), "{end}");
        }
        let mut long = good.clone();
        long.push(0);
        let mut newer = good.clone();
        newer[0] = 3;
        let mut unknown = good;
        unknown[1] = 2;
        for bad in [long, newer, unknown] {
            assert!(UploadState::from_bytes(&bad).is_err());
        }
    }
}
