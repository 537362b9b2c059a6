//! Generated secrets: a prefix that says the kind, random characters, a checksum.

use crate::{Plain, Random};

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 30 characters of base62 are 178 random bits; the house asks for 160.
const BODY: usize = 30;
/// A CRC-32 in base62 fits in 6 characters.
const CHECKSUM: usize = 6;

/// A kind of generated secret. `docs/secrets.md` has the table for people and scanners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A long-term access credential of a user.
    AccessCredential,
    /// The secret half of an access key, which signs API requests.
    AccessKeySecret,
    /// A service account's secret.
    ClientSecret,
    /// One of the two passwords of an instance's admin user.
    AdminPassword,
    /// What goes with a session's key: the session is nobody without it.
    SecurityToken,
}

/// What a presented secret says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recognised {
    /// A well-formed secret of that kind; whether it exists is for the store to say.
    Generated(Kind),
    /// The prefix of that kind, but another length, alphabet or checksum: refuse it without a query.
    MalformedOf(Kind),
    /// No known prefix: a password that a person chose, or a token.
    Chosen,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::AccessCredential, Self::AccessKeySecret, Self::ClientSecret, Self::AdminPassword, Self::SecurityToken];

    /// The characters that a secret of this kind starts with.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::AccessCredential => "tgc_",
            Self::AccessKeySecret => "tgk_",
            Self::ClientSecret => "tgs_",
            Self::AdminPassword => "tga_",
            Self::SecurityToken => "tgt_",
        }
    }

    /// Tells the kind of a presented secret from its text alone.
    pub fn recognise(text: &str) -> Recognised {
        let Some(kind) = Self::ALL.into_iter().find(|kind| text.starts_with(kind.prefix())) else {
            return Recognised::Chosen;
        };
        if is_well_formed(text, kind.prefix().len()) { Recognised::Generated(kind) } else { Recognised::MalformedOf(kind) }
    }
}

/// Makes a secret of that kind.
pub fn generate(kind: Kind, random: &mut dyn Random) -> Plain {
    // The capacity is exact, so that no grown-out-of buffer keeps a copy.
    let mut text = String::with_capacity(kind.prefix().len() + BODY + CHECKSUM);
    text.push_str(kind.prefix());
    text.extend((0..BODY).map(|_| random_character(BASE62, random)));
    let sum = checksum(text.as_bytes());
    text.extend(sum.map(char::from));
    Plain::from_short(text)
}

/// Makes an access key's id: `LTAI` and 20 letters and digits, the shape that the clouds' clients know. It is public.
pub fn generate_access_key_id(random: &mut dyn Random) -> String {
    let tail = (0..20).map(|_| random_character(BASE62, random));
    "LTAI".chars().chain(tail).collect()
}

/// Makes the id of a session's key: `STS.` and 24 letters and digits, the shape that the clouds' clients know. It is public.
pub fn generate_session_key_id(random: &mut dyn Random) -> String {
    let tail = (0..24).map(|_| random_character(BASE62, random));
    "STS.".chars().chain(tail).collect()
}

/// One character of the alphabet. Scaling 32 random bits instead of rejecting some keeps this total; the bias is
/// below 2⁻²⁵.
pub(crate) fn random_character(alphabet: &[u8], random: &mut dyn Random) -> char {
    let position = (u64::from(random.next_u32()) * alphabet.len() as u64) >> 32;
    let byte = usize::try_from(position).ok().and_then(|at| alphabet.get(at));
    char::from(byte.copied().unwrap_or(b'0'))
}

pub(crate) const LETTERS_AND_DIGITS: &[u8] = BASE62;

fn is_well_formed(text: &str, prefix: usize) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() != prefix + BODY + CHECKSUM {
        return false;
    }
    let (covered, sum) = bytes.split_at(prefix + BODY);
    let body_is_base62 = covered.iter().skip(prefix).all(u8::is_ascii_alphanumeric);
    // Not a secret comparison: anybody can compute the checksum.
    body_is_base62 && checksum(covered) == sum
}

/// CRC-32 of the bytes in base62, most significant digit first: what scanners of other products' tokens compute.
fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let mut rest = crc32(bytes);
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62.get((rest % 62) as usize).copied().unwrap_or(b'0');
        rest /= 62;
    }
    digits
}

/// The CRC-32 of ISO 3309 (zip, PNG). 34 bytes a call: a table would cost more than it saves.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::crc32;

    #[test]
    fn crc32_agrees_with_the_published_check_value() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }
}
