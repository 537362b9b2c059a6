//! Secrets that must be read back: AES-256-GCM under a key derived from the master key.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::{KeyId, Plain, Random};

const VERSION: u8 = 1;
const HEADER: usize = 1 + 4;
const TAG: usize = 16;

/// A sealed secret: version, key id (4 bytes), nonce (12), ciphertext and tag (16).
#[derive(Clone)]
pub struct Sealed(Vec<u8>);

/// What seals and opens; from [`crate::MasterKey::sealing_key`].
pub struct SealingKey {
    id: KeyId,
    key: Zeroizing<[u8; 32]>,
}

crate::redacted_debug!(Sealed, SealingKey);

/// The row that a sealed secret belongs to: one copied into another row does not open there.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The noun's table or column, such as `access_key.secret`.
    pub noun: &'a str,
    /// The row's id.
    pub id: &'a str,
}

/// The cipher refused to work; nothing was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret could not be sealed")]
pub struct SealError;

/// Why a sealed secret did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not a sealed secret of a version that this program knows.
    #[error("this is no sealed secret, or one of a newer version")]
    Malformed,
    /// Sealed under another master key.
    #[error("sealed under master key {0}, which is not the one in use")]
    OtherKey(KeyId),
    /// Changed since it was sealed, or moved from another row.
    #[error("the sealed secret was changed, or belongs to another row")]
    Tampered,
}

impl Sealed {
    /// Reads the column back. What it holds is judged when it is opened.
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// For the column.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The master key that it was sealed under, for rotation; `None` if this is no sealed secret.
    pub fn key_id(&self) -> Option<KeyId> {
        self.parts().map(|parts| parts.key_id)
    }

    fn parts(&self) -> Option<Parts<'_>> {
        let (header, rest) = self.0.split_first_chunk::<HEADER>()?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_LEN>()?;
        let [version, a, b, c, d] = *header;
        let plausible = version == VERSION && (TAG..=TAG + Plain::MAX_BYTES).contains(&ciphertext.len());
        plausible.then_some(Parts { key_id: KeyId([a, b, c, d]), nonce: *nonce, ciphertext })
    }
}

struct Parts<'a> {
    key_id: KeyId,
    nonce: [u8; NONCE_LEN],
    ciphertext: &'a [u8],
}

impl SealingKey {
    pub(crate) const fn from_key(id: KeyId, key: Zeroizing<[u8; 32]>) -> Self {
        Self { id, key }
    }

    /// Which master key it comes from.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Seals a secret for one row. The nonce is random: one key is good for 2³² secrets.
    pub fn seal(&self, secret: &Plain, row: Row<'_>, random: &mut dyn Random) -> Result<Sealed, SealError> {
        let mut nonce = [0; NONCE_LEN];
        random.fill_bytes(&mut nonce);
        // Room for the tag from the start: growing would leave a copy of the plain text behind.
        let mut body = Zeroizing::new(Vec::with_capacity(secret.reveal().len() + TAG));
        body.extend_from_slice(secret.reveal().as_bytes());
        self.cipher()
            .ok_or(SealError)?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), self.bound_to(row), &mut *body)
            .map_err(|_| SealError)?;
        let header = self.header();
        Ok(Sealed([&header[..], &nonce, &body].concat()))
    }

    /// Opens what was sealed for that row.
    pub fn open(&self, sealed: &Sealed, row: Row<'_>) -> Result<Plain, OpenError> {
        let parts = sealed.parts().ok_or(OpenError::Malformed)?;
        if parts.key_id != self.id {
            return Err(OpenError::OtherKey(parts.key_id));
        }
        let mut body = Zeroizing::new(parts.ciphertext.to_vec());
        let nonce = Nonce::assume_unique_for_key(parts.nonce);
        let cipher = self.cipher().ok_or(OpenError::Tampered)?;
        let plain = cipher.open_in_place(nonce, self.bound_to(row), &mut body).map_err(|_| OpenError::Tampered)?;
        let text = std::str::from_utf8(plain).map_err(|_| OpenError::Tampered)?;
        Ok(Plain::from_short(text.to_owned()))
    }

    fn cipher(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&AES_256_GCM, &*self.key).ok().map(LessSafeKey::new)
    }

    fn header(&self) -> [u8; HEADER] {
        let [a, b, c, d] = self.id.0;
        [VERSION, a, b, c, d]
    }

    /// Header, then both names behind their lengths, so that no two rows read alike.
    fn bound_to(&self, row: Row<'_>) -> Aad<Vec<u8>> {
        let length = (row.noun.len() as u64).to_be_bytes();
        let header = self.header();
        Aad::from([&header[..], &length, row.noun.as_bytes(), row.id.as_bytes()].concat())
    }
}
