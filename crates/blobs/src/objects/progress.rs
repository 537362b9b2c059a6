//! How far an upload to object storage has come, besides its digests: stored with them between two requests.

use bytes::Bytes;

use super::name::TailName;

/// The size of a part: the first ones, then larger ones, so that 10,000 of them (what S3 takes) hold the largest blob. S3 wants
/// 5 MiB at least.
const PART: u64 = 8 << 20;
const LARGE_PART: u64 = 32 << 20;
/// How many parts have the first size.
const SMALL_PARTS: u64 = 5000;
/// The most parts that S3 takes.
pub(super) const MAX_PARTS: usize = 10_000;
/// The longest tail that is kept in the state itself.
pub(super) const INLINE: usize = 32 << 10;

/// The size of the part with this number, counted from 0.
pub(super) fn part_size(index: usize) -> u64 {
    if (index as u64) < SMALL_PARTS { PART } else { LARGE_PART }
}

/// How many bytes so many parts hold.
fn bytes_in(parts: usize) -> u64 {
    let parts = parts as u64;
    parts.min(SMALL_PARTS) * PART + parts.saturating_sub(SMALL_PARTS) * LARGE_PART
}

/// What lies where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The multipart upload, once there is a part.
    pub(super) multipart: Option<String>,
    /// What the storage calls each part (its ETag): a part that somebody has replaced is found by it.
    pub(super) parts: Vec<String>,
    pub(super) tail: Tail,
    /// Staged tails of earlier states, which nobody needs once this state is stored.
    pub(super) stale: Vec<TailName>,
}

/// What came after the last full part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Tail {
    #[default]
    None,
    /// In the state itself.
    Inline(Bytes),
    /// In an object of its own, named by the offset and the digest there.
    Staged,
    /// In the memory of the claim: not durable.
    Held,
}

impl Progress {
    /// The multipart upload, once there is a part.
    pub(crate) fn multipart(&self) -> Option<&str> {
        self.multipart.as_deref()
    }

    /// Where the tail begins.
    pub(super) fn tail_start(&self) -> u64 {
        bytes_in(self.parts.len())
    }

    pub(crate) fn encode(&self, into: &mut Vec<u8>) {
        let (kind, inline): (u8, &[u8]) = match &self.tail {
            Tail::None => (0, &[]),
            Tail::Inline(bytes) => (1, bytes),
            Tail::Staged => (2, &[]),
            // Stored for the comparison with another node's state alone: what is in memory is staged nowhere.
            Tail::Held => (3, &[]),
        };
        into.push(kind);
        put(into, inline);
        put(into, self.multipart.as_deref().unwrap_or_default().as_bytes());
        count(into, self.parts.len());
        self.parts.iter().for_each(|part| put(into, part.as_bytes()));
        count(into, self.stale.len());
        self.stale.iter().for_each(|name| name.encode(into));
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (&kind, rest) = bytes.split_first()?;
        let mut rest = Rest(rest);
        let inline = rest.piece()?;
        let tail = match kind {
            0 => Tail::None,
            1 => Tail::Inline(Bytes::copy_from_slice(inline)),
            2 | 3 => Tail::Staged,
            _ => return None,
        };
        let multipart = Some(rest.text()?).filter(|id| !id.is_empty());
        let parts = (0..rest.count()?).map(|_| rest.text()).collect::<Option<Vec<_>>>()?;
        let stale = (0..rest.count()?).map(|_| TailName::decode(rest.take(TailName::BYTES)?)).collect::<Option<Vec<_>>>()?;
        let sound = rest.0.is_empty() && parts.len() <= MAX_PARTS && (multipart.is_some() || parts.is_empty());
        sound.then_some(Self { multipart, parts, tail, stale })
    }
}

fn count(into: &mut Vec<u8>, n: usize) {
    into.extend_from_slice(&u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes());
}

fn put(into: &mut Vec<u8>, bytes: &[u8]) {
    count(into, bytes.len());
    into.extend_from_slice(bytes);
}

struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }

    fn count(&mut self) -> Option<usize> {
        let (n, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        // Nothing that is counted takes less than a byte.
        usize::try_from(u32::from_le_bytes(*n)).ok().filter(|n| *n <= self.0.len())
    }

    fn piece(&mut self) -> Option<&'a [u8]> {
        let n = self.count()?;
        self.take(n)
    }

    fn text(&mut self) -> Option<String> {
        self.piece().and_then(|bytes| String::from_utf8(bytes.to_vec()).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_parts_hold_the_largest_blob() {
        assert!(bytes_in(MAX_PARTS) > 1 << 37);
        let sum: u64 = (0..6000).map(part_size).sum();
        assert_eq!(bytes_in(6000), sum);
    }

    #[test]
    fn goes_on_from_its_bytes_and_from_no_others() {
        let stale = vec![TailName { offset: 7, digest: [3; 32] }];
        let parts = vec!["\"a\"".to_owned(), "b".repeat(70)];
        for tail in [Tail::None, Tail::Inline(Bytes::from_static(b"xyz")), Tail::Staged] {
            let progress = Progress { multipart: Some("id".into()), parts: parts.clone(), tail, stale: stale.clone() };
            let mut bytes = Vec::new();
            progress.encode(&mut bytes);
            assert_eq!(Progress::decode(&bytes), Some(progress));
            for end in 0..bytes.len() {
                assert_eq!(Progress::decode(&bytes[..end]), None, "{end}");
            }
            bytes.push(0);
            assert_eq!(Progress::decode(&bytes), None);
        }
    }
}
