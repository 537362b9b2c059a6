//! argon2id for chosen passwords.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{ChosenPassword, Plain, Random};

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// How every hash of ours begins. A change of cost adds a second, known beginning and the rule which of them a dummy
/// takes; a cost read from a column is never obeyed.
const BEGINNING: &str = "$argon2id$v=19$m=19456,t=2,p=1$";
/// Blocks of 1 KiB that a hasher asks room for, touched or not: glibc keeps what it was asked for in pieces of up to 32 MiB
/// when it is given back, for each thread anew (`DEFAULT_MMAP_THRESHOLD_MAX`); larger ones go back to the system.
const ROOM: usize = 33 * 1024;
const SALT: usize = 16;
const OUTPUT: usize = 32;

/// A chosen password's hash: argon2id, 19 MiB, 2 passes, 1 lane; as a PHC string in its column.
#[derive(Clone)]
pub struct PasswordHash {
    salt: [u8; SALT],
    output: [u8; OUTPUT],
}

crate::redacted_debug!(PasswordHash);

/// The column holds no password hash that this program writes: other text, or other parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored password hash is not one that this program writes")]
pub struct MalformedHash;

/// A password could not be hashed for lack of memory. That is an overload (503), never a wrong password (401).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no memory to hash a password")]
pub struct HashingFailed;

impl PasswordHash {
    /// Reads the column back. All rubbish and every other set of parameters is refused: a cost of its own would show
    /// in the answer's time, or take the server's memory.
    pub fn parse(text: &str) -> Result<Self, MalformedHash> {
        let (salt, output) = text.strip_prefix(BEGINNING).and_then(|rest| rest.split_once('$')).ok_or(MalformedHash)?;
        Ok(Self { salt: decode_exactly(salt)?, output: decode_exactly(output)? })
    }

    /// For the column: `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`.
    pub fn to_phc(&self) -> String {
        let (salt, output) = (STANDARD_NO_PAD.encode(self.salt), STANDARD_NO_PAD.encode(self.output));
        format!("{BEGINNING}{salt}${output}")
    }
}

fn decode_exactly<const N: usize>(text: &str) -> Result<[u8; N], MalformedHash> {
    if text.len() != (N * 4).div_ceil(3) {
        return Err(MalformedHash);
    }
    let bytes = STANDARD_NO_PAD.decode(text).map_err(|_| MalformedHash)?;
    bytes.try_into().map_err(|_| MalformedHash)
}

/// One hashing job's memory, used again from call to call: as many jobs run at once as there are hashers, and each
/// holds 19 MiB from its first call until [`Hasher::release_memory`].
#[derive(Default)]
pub struct Hasher {
    blocks: Vec<Block>,
    calls: u64,
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Hasher").field("calls", &self.calls).finish_non_exhaustive()
    }
}

impl Hasher {
    /// A hasher that holds no memory yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Hashes a password that is being set. Takes milliseconds: not for an async worker.
    pub fn hash_password(&mut self, password: &ChosenPassword, random: &mut dyn Random) -> Result<PasswordHash, HashingFailed> {
        let mut salt = [0; SALT];
        random.fill_bytes(&mut salt);
        let output = *self.run(password.as_plain(), &salt)?;
        Ok(PasswordHash { salt, output })
    }

    /// Whether that is the password, compared in constant time. Takes milliseconds: not for an async worker.
    pub fn verify_password(&mut self, presented: &Plain, stored: &PasswordHash) -> Result<bool, HashingFailed> {
        let output = self.run(presented, &stored.salt)?;
        Ok(output.ct_eq(&stored.output).into())
    }

    /// The same work for a name that does not exist or has no password, so that time does not tell. Never a success.
    pub fn dummy_verify(&mut self, presented: &Plain) -> Result<(), HashingFailed> {
        let nobody = PasswordHash { salt: [0; SALT], output: [0; OUTPUT] };
        self.verify_password(presented, &nobody).map(|_| ())
    }

    /// How often this hasher ran argon2id. Tests hold logins that must look alike to the same number.
    pub const fn hash_calls(&self) -> u64 {
        self.calls
    }

    /// Gives the 19 MiB back, when nobody logs in for a while. The next call takes them again.
    pub fn release_memory(&mut self) {
        self.blocks = Vec::new();
    }

    fn run(&mut self, password: &Plain, salt: &[u8; SALT]) -> Result<Zeroizing<[u8; OUTPUT]>, HashingFailed> {
        self.calls = self.calls.saturating_add(1);
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(OUTPUT)).map_err(|_| HashingFailed)?;
        self.take_memory(params.block_count())?;
        let mut output = Zeroizing::new([0; OUTPUT]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(password.reveal().as_bytes(), salt, &mut *output, &mut self.blocks)
            .map_err(|_| HashingFailed)?;
        Ok(output)
    }

    fn take_memory(&mut self, blocks: usize) -> Result<(), HashingFailed> {
        let missing = blocks.max(ROOM).saturating_sub(self.blocks.len());
        self.blocks.try_reserve_exact(missing).map_err(|_| HashingFailed)?;
        self.blocks.resize(blocks, Block::new());
        Ok(())
    }
}
