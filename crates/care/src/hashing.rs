//! Digests of content that comes in pieces, by the algorithm that it is known by.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use model::{Algorithm, Digest};
use sha2::{Digest as _, Sha256, Sha512};

/// How much of a file is read at once.
pub(crate) const CHUNK: usize = 256 << 10;

/// A digest under way.
pub(crate) enum Hashing {
    Sha256(Sha256),
    Sha512(Box<Sha512>),
}

impl Hashing {
    pub(crate) fn by(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha512 => Self::Sha512(Box::new(Sha512::new())),
        }
    }

    pub(crate) fn update(&mut self, piece: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(piece),
            Self::Sha512(hash) => hash.update(piece),
        }
    }

    pub(crate) fn finish(self) -> Digest {
        match self {
            Self::Sha256(hash) => Digest::Sha256(hash.finalize().into()),
            Self::Sha512(hash) => Digest::Sha512(hash.finalize().into()),
        }
    }
}

/// A file's digest and size.
pub(crate) fn digest_of_file(path: &Path, algorithm: Algorithm) -> std::io::Result<(Digest, u64)> {
    let (mut file, mut hashing, mut size) = (File::open(path)?, Hashing::by(algorithm), 0);
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = file.read(&mut buffer)?;
        let Some(piece) = buffer.get(..read).filter(|piece| !piece.is_empty()) else { break };
        hashing.update(piece);
        size += read as u64;
    }
    Ok((hashing.finish(), size))
}
