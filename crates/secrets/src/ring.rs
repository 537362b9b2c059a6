//! Several master keys at once: one that seals, and others that still or already open.

use std::sync::{Arc, PoisonError, RwLock};

use crate::{KeyId, MasterKey, OpenError, Plain, Random, Row, SealError, Sealed, SealingKey};

/// The master key in force, and what it takes to change it while nodes run.
#[derive(Debug)]
pub struct MasterKeys {
    /// Seals and opens.
    pub current: MasterKey,
    /// The one before: it opens, and what it sealed is sealed anew.
    pub old: Option<MasterKey>,
    /// The one to come: it opens what nodes that have it already have sealed.
    pub next: Option<MasterKey>,
}

impl From<MasterKey> for MasterKeys {
    fn from(current: MasterKey) -> Self {
        Self { current, old: None, next: None }
    }
}

impl MasterKeys {
    /// The one with this id.
    pub fn find(&self, id: KeyId) -> Option<&MasterKey> {
        [Some(&self.current), self.old.as_ref(), self.next.as_ref()].into_iter().flatten().find(|key| key.id() == id)
    }

    /// The keys for sealing.
    pub fn sealing(&self) -> SealingKeys {
        SealingKeys(RwLock::new(Arc::new(Known::of(self))))
    }
}

/// Seals under the current master key, opens under each that is known. Shared by all that seal; the keys behind it can be
/// changed while it is in use.
pub struct SealingKeys(RwLock<Arc<Known>>);

crate::redacted_debug!(SealingKeys);

struct Known {
    current: SealingKey,
    old: Option<SealingKey>,
    next: Option<SealingKey>,
}

impl Known {
    fn of(keys: &MasterKeys) -> Self {
        Self {
            current: keys.current.sealing_key(),
            old: keys.old.as_ref().map(MasterKey::sealing_key),
            next: keys.next.as_ref().map(MasterKey::sealing_key),
        }
    }

    fn all(&self) -> impl Iterator<Item = &SealingKey> {
        [Some(&self.current), self.old.as_ref(), self.next.as_ref()].into_iter().flatten()
    }
}

/// New master keys that do not know the one in force: what it sealed would not open any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("none of them is master key {0}, which is in force: name it as the old one")]
pub struct UnrelatedKeys(pub KeyId);

impl SealingKeys {
    /// Seals under the current key.
    pub fn seal(&self, secret: &Plain, row: Row<'_>, random: &mut dyn Random) -> Result<Sealed, SealError> {
        self.known().current.seal(secret, row, random)
    }

    /// Opens with whichever key it was sealed under.
    pub fn open(&self, sealed: &Sealed, row: Row<'_>) -> Result<Plain, OpenError> {
        let id = sealed.key_id().ok_or(OpenError::Malformed)?;
        let known = self.known();
        known.all().find(|key| key.id() == id).ok_or(OpenError::OtherKey(id))?.open(sealed, row)
    }

    /// The same secret under the current key.
    pub fn renew(&self, sealed: &Sealed, row: Row<'_>, random: &mut dyn Random) -> Result<Sealed, OpenError> {
        let plain = self.open(sealed, row)?;
        self.seal(&plain, row, random).map_err(|SealError| OpenError::Malformed)
    }

    /// Which key seals.
    pub fn current(&self) -> KeyId {
        self.known().current.id()
    }

    /// Which key's secrets are to be sealed anew; none where there is no other than the current one.
    pub fn old(&self) -> Option<KeyId> {
        let known = self.known();
        known.old.as_ref().map(SealingKey::id).filter(|old| *old != known.current.id())
    }

    /// What a key is here: `current`, `old`, `next`; none: unknown.
    pub fn role(&self, id: KeyId) -> Option<&'static str> {
        let known = self.known();
        let is = |key: &Option<SealingKey>| key.as_ref().is_some_and(|key| key.id() == id);
        match () {
            () if known.current.id() == id => Some("current"),
            () if is(&known.old) => Some("old"),
            () if is(&known.next) => Some("next"),
            () => None,
        }
    }

    /// Takes other keys from now on, if they still open what was sealed until now. True: something has changed.
    pub fn replace(&self, keys: &MasterKeys) -> Result<bool, UnrelatedKeys> {
        let (new, before) = (Known::of(keys), self.known());
        if !new.all().any(|key| key.id() == before.current.id()) {
            return Err(UnrelatedKeys(before.current.id()));
        }
        let same = new.all().map(SealingKey::id).eq(before.all().map(SealingKey::id));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        Ok(!same)
    }

    fn known(&self) -> Arc<Known> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}
