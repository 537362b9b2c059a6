//! Text that somebody is told and gives back: unreadable in between, and different each time that the same text is told.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::{Dice, Plain, Row, Sealed, SealingKeys};

/// The longest sealed text that is looked at.
const LONGEST: usize = 4096;

/// Seals text for one purpose, in letters that a URL takes as they are.
pub struct Returning {
    keys: Arc<SealingKeys>,
    dice: Arc<Dice>,
    purpose: &'static str,
}

crate::redacted_debug!(Returning);

impl Returning {
    /// What was sealed for another purpose does not open.
    pub const fn new(keys: Arc<SealingKeys>, dice: Arc<Dice>, purpose: &'static str) -> Self {
        Self { keys, dice, purpose }
    }

    /// None: it is too long, or the cipher refused to work.
    pub fn seal(&self, text: &str) -> Option<String> {
        let plain = Plain::new(text.to_owned()).ok()?;
        let sealed = self.dice.with(|random| self.keys.seal(&plain, self.row(), random)).ok()?;
        Some(URL_SAFE_NO_PAD.encode(sealed.as_bytes())).filter(|sealed| sealed.len() <= LONGEST)
    }

    /// None: it is not what [`seal`](Self::seal) has told for this purpose, or the master key has changed since.
    pub fn open(&self, sealed: &str) -> Option<String> {
        let bytes = if sealed.len() <= LONGEST { URL_SAFE_NO_PAD.decode(sealed).ok()? } else { return None };
        let plain = self.keys.open(&Sealed::from_bytes(bytes), self.row()).ok()?;
        Some(plain.reveal().to_owned())
    }

    const fn row(&self) -> Row<'static> {
        Row { noun: self.purpose, id: "" }
    }
}
