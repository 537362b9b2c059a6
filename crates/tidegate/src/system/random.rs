//! The operating system's randomness, fetched a page at a time so that a request id costs no system call.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use kit::Randomness;
use rand_core::{TryCryptoRng, TryRng};
use zeroize::Zeroize as _;

const PAGE: usize = 1024;

/// A handle to the one source; clones share it. Bytes that have been handed out are wiped.
#[derive(Clone)]
pub(crate) struct SystemRandom(Arc<Mutex<Page>>);

struct Page {
    bytes: [u8; PAGE],
    used: usize,
}

impl SystemRandom {
    /// Opens the source.
    pub(crate) fn open() -> Self {
        Self(Arc::new(Mutex::new(Page { bytes: [0; PAGE], used: PAGE })))
    }
}

impl Page {
    fn take(&mut self, wanted: &mut [u8]) {
        if self.used + wanted.len() > PAGE {
            fetch(&mut self.bytes);
            self.used = 0;
        }
        let end = self.used + wanted.len();
        if let Some(next) = self.bytes.get_mut(self.used..end) {
            wanted.copy_from_slice(next);
            next.zeroize();
        }
        self.used = end;
    }
}

/// Without randomness nothing here is safe, and the system promises it: the process ends rather than go on.
#[expect(clippy::disallowed_methods, reason = "this is where the system's randomness is read")]
fn fetch(bytes: &mut [u8]) {
    if getrandom::fill(bytes).is_err() {
        std::process::abort();
    }
}

impl Randomness for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        if bytes.len() > PAGE {
            return fetch(bytes);
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take(bytes);
    }
}

impl TryRng for SystemRandom {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for SystemRandom {}

impl std::fmt::Debug for SystemRandom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SystemRandom")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_hands_out_the_same_bytes_twice() {
        let random = SystemRandom::open();
        let draw = |n| {
            let mut bytes = vec![0; n];
            random.fill(&mut bytes);
            bytes
        };
        // Across the page's end, and beyond its size.
        let drawn: std::collections::HashSet<_> = (0..200).map(|_| draw(16)).collect();
        assert_eq!(drawn.len(), 200);
        assert!(!drawn.contains(&vec![0; 16]));
        assert_ne!(draw(PAGE + 1), draw(PAGE + 1));
    }
}
