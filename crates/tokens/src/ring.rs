//! The key ring: signing keys with overlapping rotation, in the database, their private halves sealed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use access::{Audit, Record};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use model::{Seconds, Timestamp};
use secrets::{Dice, Plain, Row, Sealed, SealingKeys};
use sha2::{Digest as _, Sha256};
use store::change::{self, Change};
use store::signing_key::{self, SigningKey};
use store::{Store, StoreError, Tx};

use crate::TokenError;

/// The lease under which one node at a time rotates.
pub const RING_JOB: &str = "rotate-signing-key";
/// A key signs for so long before a younger one is made.
const SIGNS_FOR: Seconds = Seconds::days(30);
/// A new key is known everywhere before it signs.
const ANNOUNCED: Seconds = Seconds::minutes(5);
/// What a key signed last may live so long after it: the longest login token, and an hour.
const OVERLAP: Seconds = Seconds::hours(25);
/// Kept for refresh tokens, whose life is their credential's.
const KEPT: Seconds = Seconds::days(3650);

/// In front of a P-256 point in a SubjectPublicKeyInfo (RFC 5480 section 2).
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01,
    0x07, 0x03, 0x42, 0x00,
];

/// A key as other verifiers need it.
#[derive(Clone, Debug)]
pub struct PublicKey {
    /// Its name in token headers: the libtrust fingerprint, as other registries expect it.
    pub kid: String,
    /// PEM, SubjectPublicKeyInfo.
    pub pem: String,
    /// A JSON Web Key (RFC 7517).
    pub jwk: serde_json::Value,
    /// Made when.
    pub created: Timestamp,
    /// Signs from here on.
    pub signs_from: Timestamp,
    /// Verifies bearer and login tokens until here; none: it is the youngest.
    pub retires: Option<Timestamp>,
}

struct Key {
    kid: String,
    pair: EcdsaKeyPair,
    public: Vec<u8>,
    created: Timestamp,
    signs_from: Timestamp,
    retires: Option<Timestamp>,
}

/// The ring as this node holds it.
pub(crate) struct Ring {
    store: Arc<Store>,
    sealing: Arc<SealingKeys>,
    dice: Arc<Dice>,
    keys: RwLock<Arc<Vec<Key>>>,
    stale: AtomicBool,
}

impl Ring {
    /// Opens the ring, with a first key on an empty database.
    pub(crate) async fn open(store: Arc<Store>, sealing: Arc<SealingKeys>, dice: Arc<Dice>, now: Timestamp) -> Result<Self, TokenError> {
        let ring = Self { store, sealing, dice, keys: RwLock::default(), stale: AtomicBool::new(true) };
        let first = ring.generate(now, now)?;
        let first = &first;
        ring.store.write(|tx| Box::pin(insert_first(tx, first))).await?;
        ring.keys().await?;
        Ok(ring)
    }

    /// The keys have changed: read them again before the next use.
    pub(crate) fn forget(&self) {
        self.stale.store(true, Ordering::Release);
    }

    /// Signs `payload` with the key whose turn it is.
    pub(crate) async fn sign(&self, now: Timestamp, typ: &str, payload: &impl serde::Serialize) -> Result<String, TokenError> {
        let keys = self.keys().await?;
        let key = keys.iter().rfind(|k| k.signs_from <= now).or_else(|| keys.first()).ok_or(TokenError::Key)?;
        crate::jws::sign(&key.pair, &key.kid, typ, payload)
    }

    /// The public point of key `kid`; `also_retired` for what may outlive a key's turn.
    pub(crate) async fn public(&self, kid: &str, now: Timestamp, also_retired: bool) -> Result<Vec<u8>, TokenError> {
        let keys = self.keys().await?;
        let key = keys.iter().find(|k| k.kid == kid).ok_or(TokenError::Invalid)?;
        let retired = key.retires.is_some_and(|at| at <= now);
        if retired && !also_retired { Err(TokenError::Invalid) } else { Ok(key.public.clone()) }
    }

    /// The keys that verify now or soon, for other verifiers.
    pub(crate) async fn publish(&self, now: Timestamp) -> Result<Vec<PublicKey>, TokenError> {
        let keys = self.keys().await?;
        Ok(keys.iter().filter(|k| k.retires.is_none_or(|at| at > now)).map(Key::publish).collect())
    }

    /// Makes a new key if the youngest has signed long enough, or if somebody wants it, which is written down. True: it did.
    pub(crate) async fn rotate(&self, now: Timestamp, wanted: Option<(&Audit, &Record)>) -> Result<bool, TokenError> {
        let youngest = self.keys().await?.iter().map(|k| k.signs_from).max();
        let due = youngest.is_none_or(|from| from.plus(SIGNS_FOR) <= now);
        let under_way = youngest.is_some_and(|from| from > now);
        if under_way || !(due || wanted.is_some()) {
            return Ok(false);
        }
        let key = self.generate(now, now.plus(ANNOUNCED))?;
        let key = &key;
        let made = self.store.write(|tx| Box::pin(insert_next(tx, key, youngest, wanted))).await?;
        self.forget();
        Ok(made)
    }

    fn generate(&self, now: Timestamp, signs_from: Timestamp) -> Result<SigningKey, TokenError> {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).map_err(|_| TokenError::Key)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).map_err(|_| TokenError::Key)?;
        let public = pair.public_key().as_ref().to_vec();
        let kid = fingerprint(&public);
        let plain = Plain::new(STANDARD.encode(pkcs8.as_ref())).map_err(|_| TokenError::Key)?;
        let row = Row { noun: "signing_key.sealed", id: &kid };
        let sealed = self.dice.with(|random| self.sealing.seal(&plain, row, random)).map_err(|_| TokenError::Key)?;
        Ok(SigningKey { kid, sealed: sealed.as_bytes().to_vec(), public, created: now, signs_from, retires: None })
    }

    async fn keys(&self) -> Result<Arc<Vec<Key>>, TokenError> {
        if self.stale.swap(false, Ordering::AcqRel)
            && let Err(error) = self.load().await
        {
            self.forget();
            return Err(error);
        }
        Ok(Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner)))
    }

    async fn load(&self) -> Result<(), TokenError> {
        let stored = self.store.read(|tx| Box::pin(signing_key::all(tx))).await?;
        let keys = stored.into_iter().map(|k| self.open_key(k)).collect::<Result<Vec<_>, _>>()?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        Ok(())
    }

    fn open_key(&self, stored: SigningKey) -> Result<Key, TokenError> {
        let row = Row { noun: "signing_key.sealed", id: &stored.kid };
        let plain = self.sealing.open(&Sealed::from_bytes(stored.sealed), row).map_err(|_| TokenError::Key)?;
        let pkcs8 = STANDARD.decode(plain.reveal()).map_err(|_| TokenError::Key)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).map_err(|_| TokenError::Key)?;
        // What the database says is its public half could be somebody else's.
        let public = pair.public_key().as_ref().to_vec();
        Ok(Key { kid: stored.kid, pair, public, created: stored.created, signs_from: stored.signs_from, retires: stored.retires })
    }
}

impl Key {
    fn publish(&self) -> PublicKey {
        let x = self.public.get(1..33).unwrap_or_default();
        let y = self.public.get(33..65).unwrap_or_default();
        PublicKey {
            kid: self.kid.clone(),
            pem: pem(&self.public),
            jwk: serde_json::json!({
                "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid,
                "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
            }),
            created: self.created,
            signs_from: self.signs_from,
            retires: self.retires,
        }
    }
}

async fn insert_first(tx: &mut Tx<'_>, key: &SigningKey) -> Result<(), StoreError> {
    if signing_key::all(tx).await?.is_empty() {
        signing_key::insert(tx, key).await?;
        change::append(tx, key.created, Change::SigningKeys).await?;
    }
    Ok(())
}

/// False: another node has made one since this one looked, however long ago that was. `youngest`: from when on the key signs after which
/// this one comes.
async fn insert_next(
    tx: &mut Tx<'_>,
    key: &SigningKey,
    youngest: Option<Timestamp>,
    wanted: Option<(&Audit, &Record)>,
) -> Result<bool, StoreError> {
    if signing_key::all(tx).await?.iter().map(|key| key.signs_from).max() != youngest {
        return Ok(false);
    }
    if let Some((audit, record)) = wanted {
        access::audit::write(tx, audit, record).await?;
    }
    signing_key::retire_older(tx, key.signs_from, key.signs_from.plus(OVERLAP)).await?;
    signing_key::insert(tx, key).await?;
    signing_key::delete_retired(tx, Timestamp::from_millis(key.created.millis() - KEPT.0 * 1000)).await?;
    change::append(tx, key.created, Change::SigningKeys).await?;
    Ok(true)
}

fn spki(point: &[u8]) -> Vec<u8> {
    [&SPKI[..], point].concat()
}

fn pem(point: &[u8]) -> String {
    let text = STANDARD.encode(spki(point));
    let lines: Vec<&str> = text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

/// The libtrust key id: base32 of the first 240 bits of SHA-256 over the SubjectPublicKeyInfo, in groups of four. CNCF
/// distribution 2.8 finds keys by it, and version 3 by the same text in a JWKS.
fn fingerprint(point: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let hash = Sha256::digest(spki(point));
    let bit = |i: usize| hash.get(i / 8).map_or(0, |byte| (byte >> (7 - i % 8)) & 1);
    let letter = |n: usize| (0..5).fold(0_usize, |value, i| (value << 1) | usize::from(bit(5 * n + i)));
    let letters: Vec<char> = (0..48).filter_map(|n| ALPHABET.get(letter(n)).map(|b| char::from(*b))).collect();
    letters.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join(":")
}
