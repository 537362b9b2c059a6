//! What the schemes share: encoding, keyed hashes, comparison.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// All but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Appends `text` as RFC 3986 encodes it: unreserved characters stay, every other byte of its UTF-8 is `%XX` in upper case.
pub(crate) fn encode_into(out: &mut String, text: &str) {
    out.extend(utf8_percent_encode(text, RESERVED));
}

/// Base64 of HMAC-SHA1 over `text`; the key is the secret with `suffix` behind it.
pub(crate) fn hmac_sha1(secret: &secrets::Plain, suffix: &str, text: &str) -> String {
    let key = secrets_bytes(secret, suffix);
    let mac = Hmac::<Sha1>::new_from_slice(&key).map(|mac| mac.chain_update(text).finalize().into_bytes());
    mac.map(|bytes| STANDARD.encode(bytes)).unwrap_or_default()
}

/// Lower-case hex of HMAC-SHA256 over `text`.
pub(crate) fn hmac_sha256(secret: &secrets::Plain, text: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes());
    mac.map(|mac| hex::encode(mac.chain_update(text).finalize().into_bytes())).unwrap_or_default()
}

/// Lower-case hex of SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Whether two signatures are the same text, in a time that tells nothing of where they differ. An empty one is none.
pub(crate) fn same(ours: &str, theirs: &str) -> bool {
    !ours.is_empty() && bool::from(ours.as_bytes().ct_eq(theirs.as_bytes()))
}

/// One line of a canonical form.
pub(crate) fn line(out: &mut String, text: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(out, "{text}");
}

fn secrets_bytes(secret: &secrets::Plain, suffix: &str) -> zeroize::Zeroizing<Vec<u8>> {
    let mut key = Vec::with_capacity(secret.reveal().len() + suffix.len());
    key.extend_from_slice(secret.reveal().as_bytes());
    key.extend_from_slice(suffix.as_bytes());
    zeroize::Zeroizing::new(key)
}
