//! Plain, hashed and sealed secrets, as different types.
//!
//! # What it is for
//! | Type | Holds | Where it may go |
//! |---|---|---|
//! | [`Plain`] | a secret as its owner knows it | made once, shown once; never a column, a log line, an error |
//! | [`KeyedHash`] | a generated secret, hashed under the [`Pepper`] | a column with a unique index |
//! | [`PasswordHash`] | a chosen password, by argon2id | a column |
//! | [`Sealed`] | a secret that must be read back (signing keys, access key secrets) | a column |
//!
//! None of them has `==`: compare with the constant-time `matches` and `verify_password`. Their `Debug` prints the
//! type's name and nothing else.
//!
//! # What it may not do
//! Store anything, look anything up, read a clock, open a file, or fetch randomness: callers pass a
//! `&mut dyn` [`Random`]. It decides no rights and knows no protocol.
//!
//! # How to add to it
//! A new kind of generated secret is a variant of [`Kind`] with a prefix that was never used before, and a row in
//! `docs/secrets.md` (a test compares the two). A published prefix never changes: scanners outside know it.
#![deny(missing_docs)]

mod chosen;
mod dice;
mod hasher;
mod keyed;
mod kind;
mod master;
mod plain;
mod returning;
mod ring;
mod scan;
mod sealed;

pub use chosen::{ChosenPassword, PasswordProblem, generate_root_password};
pub use dice::Dice;
pub use hasher::{Hasher, HashingFailed, MalformedHash, PasswordHash};
pub use keyed::{KeyedHash, Pepper};
pub use kind::{Kind, Recognised, generate, generate_access_key_id, generate_session_key_id};
pub use master::{KeyId, MasterKey, MasterKeyProblem};
pub use plain::{Plain, SecretTooLong};
/// The source of randomness that is passed in: take `&mut dyn Random`. Only cryptographically secure sources have it.
pub use rand_core::CryptoRng as Random;
pub use returning::Returning;
pub use ring::{MasterKeys, SealingKeys, UnrelatedKeys};
pub use scan::{Found, Scanner, Shape};
pub use sealed::{OpenError, Row, SealError, Sealed, SealingKey};

/// `Debug` that names the type and prints nothing of what it holds.
macro_rules! redacted_debug {
    ($($name:ident),+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )+};
}
pub(crate) use redacted_debug;

#[cfg(test)]
mod tests;
