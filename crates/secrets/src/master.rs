//! The master key, from which every other key that protects secrets at rest is derived.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, Zeroizing};

use crate::keyed::hmac_sha256;
use crate::{Pepper, Plain, Random, SealingKey};

const RELAXED: GeneralPurposeConfig = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, RELAXED);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, RELAXED);

/// 32 random bytes that an operator keeps apart from the database. Nodes that share a database share it.
pub struct MasterKey(Zeroizing<[u8; 32]>);

crate::redacted_debug!(MasterKey);

/// Which master key: the first 4 bytes of its SHA-256. Public; stored in every [`crate::Sealed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId(pub(crate) [u8; 4]);

impl KeyId {
    /// As it stands in what was sealed.
    pub const fn bytes(self) -> [u8; 4] {
        self.0
    }

    /// From what was sealed.
    pub const fn from_bytes(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Display for KeyId {
    /// 8 hexadecimal digits.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

/// Why a text or file is no master key. None of the texts repeats the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MasterKeyProblem {
    /// Neither 32 raw bytes nor their base64 or hexadecimal form.
    #[error("a master key is 32 random bytes: raw, as 64 hexadecimal digits, or in base64 (`openssl rand -base64 32`)")]
    Unreadable,
    /// 32 characters of text are no 32 random bytes.
    #[error("a master key of 32 characters is a passphrase, not 32 random bytes; make one by `openssl rand -base64 32`")]
    Passphrase,
    /// The same byte 32 times.
    #[error("a master key that repeats one byte protects nothing; make one by `openssl rand -base64 32`")]
    Constant,
}

impl MasterKey {
    /// A new key.
    pub fn generate(random: &mut dyn Random) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        random.fill_bytes(&mut *key);
        Self(key)
    }

    /// Reads the content of a key file or variable: 32 raw bytes, or base64 or hexadecimal text with white space
    /// around it.
    pub fn parse(content: &[u8]) -> Result<Self, MasterKeyProblem> {
        let key = match <[u8; 32]>::try_from(content) {
            Ok(raw) => Self::from_raw(raw)?,
            Err(_) => decode(content.trim_ascii()).ok_or(MasterKeyProblem::Unreadable)?,
        };
        let constant = key.iter().all(|byte| Some(byte) == key.first());
        if constant { Err(MasterKeyProblem::Constant) } else { Ok(Self(key)) }
    }

    /// Random bytes are never all text (one key in 10¹³), so 32 of text are a passphrase or half a key in hexadecimal.
    fn from_raw(mut raw: [u8; 32]) -> Result<Zeroizing<[u8; 32]>, MasterKeyProblem> {
        let is_text = raw.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
        let key = Zeroizing::new(raw);
        raw.zeroize();
        if is_text { Err(MasterKeyProblem::Passphrase) } else { Ok(key) }
    }

    /// The key as 64 hexadecimal digits, for the file it is kept in.
    pub fn to_text(&self) -> Plain {
        Plain::from_short(hex::encode(self.0.as_slice()))
    }

    /// Which key this is.
    pub fn id(&self) -> KeyId {
        let digest: [u8; 32] = Sha256::digest(self.0.as_slice()).into();
        let [a, b, c, d, ..] = digest;
        KeyId([a, b, c, d])
    }

    /// The key for keyed hashes of generated secrets in databases from before it was kept in them.
    pub fn pepper(&self) -> Pepper {
        Pepper::from_key(self.derive("pepper"))
    }

    /// The key for sealing.
    pub fn sealing_key(&self) -> SealingKey {
        SealingKey::from_key(self.id(), self.derive("sealing"))
    }

    /// What shows that a backup was made by who holds this key, and is unchanged: HMAC-SHA-256 over its manifest.
    pub fn backup_mac(&self, manifest: &[u8]) -> [u8; 32] {
        hmac_sha256(&self.derive("backup"), &[manifest])
    }

    /// Is `mac` that of this manifest? In constant time.
    pub fn is_backup_mac(&self, manifest: &[u8], mac: &[u8]) -> bool {
        self.backup_mac(manifest).as_slice().ct_eq(mac).into()
    }

    /// One block of HKDF-Expand's kind (RFC 5869): the master key is uniform already, so there is nothing to extract.
    fn derive(&self, label: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(hmac_sha256(&self.0, &[b"tidegate/v1/", label.as_bytes()]))
    }
}

fn decode(text: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    if text.len() == 64 {
        return hex::decode_to_slice(text, &mut *key).ok().map(|()| key);
    }
    // 32 bytes are 43 or 44 characters of base64; the slack is what the decoder wants to write whole groups.
    let mut buffer = Zeroizing::new([0; 36]);
    let engine = [STANDARD, URL_SAFE];
    let length = engine.iter().find_map(|engine| engine.decode_slice(text, &mut *buffer).ok())?;
    key.copy_from_slice(buffer.get(..length).filter(|bytes| bytes.len() == 32)?);
    Some(key)
}
