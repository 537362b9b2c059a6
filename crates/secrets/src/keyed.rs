//! Keyed hashes of generated secrets.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{Plain, Random};

/// The key under which generated secrets are hashed, so that a stolen database cannot even be searched for a guess. Made once
/// for a database and kept in it sealed, so that it outlives a change of the master key; or made for one process's memory.
pub struct Pepper(Zeroizing<[u8; 32]>);

/// HMAC-SHA-256 of a secret under a [`Pepper`].
#[derive(Clone)]
pub struct KeyedHash([u8; 32]);

crate::redacted_debug!(Pepper, KeyedHash);

impl Pepper {
    /// A new one.
    pub fn generate(random: &mut dyn Random) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        random.fill_bytes(&mut *key);
        Self(key)
    }

    pub(crate) fn from_key(key: Zeroizing<[u8; 32]>) -> Self {
        Self(key)
    }

    /// As a text that is sealed, to be kept.
    pub fn to_plain(&self) -> Plain {
        Plain::from_short(hex::encode(self.0.as_slice()))
    }

    /// Reads that text back.
    pub fn parse(text: &Plain) -> Option<Self> {
        let mut key = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.reveal(), &mut *key).ok().map(|()| Self(key))
    }

    /// The hash by which the store finds a generated secret.
    pub fn hash(&self, secret: &Plain) -> KeyedHash {
        KeyedHash(hmac_sha256(&self.0, &[&[0], secret.reveal().as_bytes()]))
    }

    /// The hash of a secret together with what it was checked for (a principal's id, a stored hash). The same secret
    /// in another context gives another hash.
    pub fn hash_in_context(&self, context: &[u8], secret: &Plain) -> KeyedHash {
        let length = (context.len() as u64).to_be_bytes();
        KeyedHash(hmac_sha256(&self.0, &[&[1], &length, context, secret.reveal().as_bytes()]))
    }
}

impl KeyedHash {
    /// Reads the column back.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// For the column.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether both are hashes of the same secret under the same pepper, in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

pub(crate) fn hmac_sha256(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC pads a short key with zeros to the hash's block; doing so here leaves nothing that can fail.
    let mut block = Zeroizing::new([0; 64]);
    let (head, _) = block.split_at_mut(32);
    head.copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
