//! The keys that sign the trail: in the database, their private halves sealed.
//!
//! They are not the token keys: those go when their last token has ended, these signatures have to hold as long as the trail; and
//! whoever gets hold of a token key can sign no trail (`docs/decisions/audit-chain.md`). The youngest signs; a chain that an older
//! one has signed is handed over to it by that older one ([`crate::seal`]), so that no key comes from nowhere.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use access::{Audit, Permit, Record};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chain::{Checkpoint, Keys};
use model::{Seconds, Timestamp, act};
use secrets::{Dice, Plain, Row, Sealed, SealingKeys};
use store::audit::mark::{self, Key};
use store::{Store, StoreError, Tx};

use crate::{Trail, TrailError};

/// What a sealed key belongs to.
const NOUN: &str = "audit_key.sealed";
/// Keys are kept for ever: no more than so many, and a second rotation waits for a day.
const MAX: usize = 1000;
const SIGNS_AT_LEAST: Seconds = Seconds::days(1);

/// What keeps the keys, and how this node holds them.
pub(crate) struct KeyRing {
    store: Arc<Store>,
    sealing: Arc<SealingKeys>,
    dice: Arc<Dice>,
    held: RwLock<Arc<Ring>>,
}

/// The keys at one moment, oldest first; never none.
pub(crate) struct Ring {
    signers: Vec<Signer>,
    youngest: usize,
    public: Keys,
    /// All that are stored, those included that do not open.
    stored: BTreeSet<String>,
}

/// A key that can sign.
pub(crate) struct Signer {
    pair: EcdsaKeyPair,
    pub(crate) kid: String,
    made: Timestamp,
    /// The first keys were sealed without a time, which the database alone says: they are older than any that has one.
    dated: bool,
}

impl KeyRing {
    pub(crate) async fn open(store: Arc<Store>, sealing: Arc<SealingKeys>, dice: Arc<Dice>, now: Timestamp) -> Result<Self, TrailError> {
        let first = &generate(&sealing, &dice, now)?;
        let stored = store.write(|tx| Box::pin(all_or_first(tx, first))).await?;
        let held = RwLock::new(Arc::new(Ring::open(&sealing, &stored)?));
        Ok(Self { store, sealing, dice, held })
    }

    /// The keys as they were known last.
    pub(crate) fn held(&self) -> Arc<Ring> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The keys as they are stored now: another node may have made one.
    pub(crate) async fn renewed(&self, tx: &mut Tx<'_>) -> Result<Arc<Ring>, TrailError> {
        let (held, stored) = (self.held(), mark::keys(tx).await?);
        if stored.len() == held.stored.len() && stored.iter().all(|key| held.stored.contains(&key.kid)) {
            return Ok(held);
        }
        let ring = Arc::new(Ring::open(&self.sealing, &stored)?);
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&ring);
        Ok(ring)
    }

    /// The same, for who has no transaction open.
    pub(crate) async fn renew(&self) -> Result<Arc<Ring>, TrailError> {
        self.store.read(|tx| Box::pin(self.renewed(tx))).await
    }

    /// Random bits, for an event that the sealer writes itself.
    pub(crate) fn bits(&self) -> u64 {
        self.dice.bits()
    }
}

impl Ring {
    fn open(sealing: &SealingKeys, stored: &[Key]) -> Result<Self, TrailError> {
        let (mut signers, mut public) = (Vec::new(), Keys::default());
        for key in stored {
            let Ok(signer) = open_key(sealing, key) else {
                tracing::error!(
                    kid = key.kid,
                    "a signing key of the audit trail does not open under the master key: what it signed cannot be verified"
                );
                continue;
            };
            public.insert(signer.point());
            signers.push(signer);
        }
        signers.sort_by(|a, b| (a.dated, a.made, &a.kid).cmp(&(b.dated, b.made, &b.kid)));
        let youngest = signers.len().checked_sub(1).ok_or(TrailError::Key)?;
        Ok(Self { signers, youngest, public, stored: stored.iter().map(|key| key.kid.clone()).collect() })
    }

    /// The key that signs what no older one has signed before.
    pub(crate) fn youngest(&self) -> Result<&Signer, TrailError> {
        self.signers.get(self.youngest).ok_or(TrailError::Key)
    }

    pub(crate) fn signer(&self, kid: &str) -> Option<&Signer> {
        self.signers.iter().find(|signer| signer.kid == kid)
    }

    /// The public halves: of the keys that open under the master key, so that nobody who can write the database adds one.
    pub(crate) const fn public(&self) -> &Keys {
        &self.public
    }

    pub(crate) fn published(&self) -> Vec<api::AuditKey> {
        self.signers.iter().map(Signer::publish).collect()
    }
}

impl Signer {
    /// Signs a checkpoint.
    pub(crate) fn sign(&self, checkpoint: &Checkpoint) -> Result<String, TrailError> {
        let input = checkpoint.signing_input(&self.kid);
        let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes()).map_err(|_| TrailError::Key)?;
        Ok(Checkpoint::join(&input, signature.as_ref()))
    }

    pub(crate) fn point(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    fn publish(&self) -> api::AuditKey {
        api::AuditKey { kid: self.kid.clone(), algorithm: "ES256".into(), public_key_pem: chain::pem(self.point()), created_at: self.made }
    }
}

impl Trail {
    /// Makes a new key, which each chain's old key hands over to when it is sealed next. All keys, oldest first.
    pub async fn rotate_key(&self, permit: Permit<act::RotateAuditKey>, audit: &Audit) -> Result<Vec<api::AuditKey>, TrailError> {
        let now = permit.op().now;
        // Whatever this node's clock says: the youngest is the one that was made last.
        let made = now.max(Timestamp::from_millis(self.keys.renew().await?.youngest()?.made.millis().saturating_add(1)));
        let key = &generate(&self.keys.sealing, &self.keys.dice, made)?;
        let record = &permit.success().with_detail(format!("key {}", key.kid));
        self.store.write(|tx| Box::pin(self.add_key(tx, key, now, audit, record))).await?;
        Ok(self.keys.renew().await?.published())
    }

    async fn add_key(&self, tx: &mut Tx<'_>, key: &Key, now: Timestamp, audit: &Audit, record: &Record) -> Result<(), TrailError> {
        let ring = self.keys.renewed(tx).await?;
        if ring.stored.len() >= MAX || (ring.stored.len() > 1 && ring.youngest()?.made.plus(SIGNS_AT_LEAST) > now) {
            return Err(TrailError::TooSoon);
        }
        mark::insert_key(tx, key).await?;
        access::audit::write(tx, audit, record).await?;
        Ok(())
    }
}

async fn all_or_first(tx: &mut Tx<'_>, first: &Key) -> Result<Vec<Key>, StoreError> {
    let there = mark::keys(tx).await?;
    if !there.is_empty() {
        return Ok(there);
    }
    mark::insert_key(tx, first).await?;
    Ok(vec![first.clone()])
}

/// Sealed together with the time of its making: whoever can write the database makes no old key the youngest.
fn generate(sealing: &SealingKeys, dice: &Dice, made: Timestamp) -> Result<Key, TrailError> {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).map_err(|_| TrailError::Key)?;
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).map_err(|_| TrailError::Key)?;
    let public = pair.public_key().as_ref().to_vec();
    let kid = chain::kid(&public);
    // Room for all of it from the start: growing would leave a copy behind.
    let mut text = String::with_capacity(512);
    STANDARD.encode_string(pkcs8.as_ref(), &mut text);
    text.push(' ');
    text.push_str(&made.millis().to_string());
    let plain = Plain::new(text).map_err(|_| TrailError::Key)?;
    let sealed = dice.with(|random| sealing.seal(&plain, Row { noun: NOUN, id: &kid }, random)).map_err(|_| TrailError::Key)?;
    Ok(Key { kid, sealed: sealed.as_bytes().to_vec(), public, created: made })
}

fn open_key(sealing: &SealingKeys, key: &Key) -> Result<Signer, TrailError> {
    let row = Row { noun: NOUN, id: &key.kid };
    let plain = sealing.open(&Sealed::from_bytes(key.sealed.clone()), row).map_err(|_| TrailError::Key)?;
    let (pkcs8, made, dated) = match plain.reveal().split_once(' ') {
        Some((pkcs8, made)) => (pkcs8, made.parse().map_err(|_| TrailError::Key)?, true),
        None => (plain.reveal(), key.created.millis(), false),
    };
    let pkcs8 = STANDARD.decode(pkcs8).map_err(|_| TrailError::Key)?;
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).map_err(|_| TrailError::Key)?;
    let kid = chain::kid(pair.public_key().as_ref());
    Ok(Signer { pair, kid, made: Timestamp::from_millis(made), dated })
}
