//! The keys that sign the trail: in the database, their private halves sealed.
//!
//! They are not the token keys: those rotate and go, these signatures have to hold as long as the trail; and whoever gets hold
//! of a token key can sign no trail (`docs/decisions/audit-chain.md`).

use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chain::{Checkpoint, Keys};
use model::Timestamp;
use secrets::{Dice, Plain, Row, Sealed, SealingKey};
use store::audit::mark::{self, Key};
use store::{Store, StoreError, Tx};

use crate::TrailError;

/// What a sealed key belongs to.
const NOUN: &str = "audit_key.sealed";

/// The keys as this node holds them: the youngest signs.
pub(crate) struct KeyRing {
    pair: EcdsaKeyPair,
    kid: String,
    public: Keys,
    all: Vec<api::AuditKey>,
}

impl KeyRing {
    pub(crate) async fn open(store: Arc<Store>, sealing: SealingKey, dice: &Dice, now: Timestamp) -> Result<Self, TrailError> {
        let first = &generate(&sealing, dice, now)?;
        let stored = store.write(|tx| Box::pin(all_or_first(tx, first))).await?;
        let mut ring: Option<Self> = None;
        for key in stored {
            let Ok(pair) = open_key(&sealing, &key) else {
                tracing::error!(
                    kid = key.kid,
                    "a signing key of the audit trail does not open under the master key: what it signed cannot be verified"
                );
                continue;
            };
            let point = pair.public_key().as_ref().to_vec();
            let (mut public, mut all) = ring.map_or_else(|| (Keys::default(), Vec::new()), |ring| (ring.public, ring.all));
            public.insert(&point);
            all.push(published(&point, key.created));
            ring = Some(Self { pair, kid: chain::kid(&point), public, all });
        }
        ring.ok_or(TrailError::Key)
    }

    /// Signs a checkpoint.
    pub(crate) fn sign(&self, checkpoint: &Checkpoint) -> Result<String, TrailError> {
        let input = checkpoint.signing_input(&self.kid);
        let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes()).map_err(|_| TrailError::Key)?;
        Ok(Checkpoint::join(&input, signature.as_ref()))
    }

    /// The public halves: of the keys that open under the master key, so that nobody who can write the database adds one.
    pub(crate) const fn public(&self) -> &Keys {
        &self.public
    }

    pub(crate) fn published(&self) -> Vec<api::AuditKey> {
        self.all.clone()
    }
}

fn published(point: &[u8], created_at: Timestamp) -> api::AuditKey {
    api::AuditKey { kid: chain::kid(point), algorithm: "ES256".into(), public_key_pem: chain::pem(point), created_at }
}

async fn all_or_first(tx: &mut Tx<'_>, first: &Key) -> Result<Vec<Key>, StoreError> {
    let there = mark::keys(tx).await?;
    if !there.is_empty() {
        return Ok(there);
    }
    mark::insert_key(tx, first).await?;
    Ok(vec![first.clone()])
}

fn generate(sealing: &SealingKey, dice: &Dice, now: Timestamp) -> Result<Key, TrailError> {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).map_err(|_| TrailError::Key)?;
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).map_err(|_| TrailError::Key)?;
    let public = pair.public_key().as_ref().to_vec();
    let kid = chain::kid(&public);
    let plain = Plain::new(STANDARD.encode(pkcs8.as_ref())).map_err(|_| TrailError::Key)?;
    let sealed = dice.with(|random| sealing.seal(&plain, Row { noun: NOUN, id: &kid }, random)).map_err(|_| TrailError::Key)?;
    Ok(Key { kid, sealed: sealed.as_bytes().to_vec(), public, created: now })
}

fn open_key(sealing: &SealingKey, key: &Key) -> Result<EcdsaKeyPair, TrailError> {
    let row = Row { noun: NOUN, id: &key.kid };
    let plain = sealing.open(&Sealed::from_bytes(key.sealed.clone()), row).map_err(|_| TrailError::Key)?;
    let pkcs8 = STANDARD.decode(plain.reveal()).map_err(|_| TrailError::Key)?;
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).map_err(|_| TrailError::Key)
}
