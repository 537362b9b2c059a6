//! Requests that an access key has signed: the key by its id, its signature, what goes with a session's key, the nonce.
//!
//! What is said to whom. That there is no key of an id is said to everybody (ids are public, and clients tell their users apart by
//! it); that a key is disabled or its time over, to whoever has signed with it. The nonce is asked last, so that no stranger fills
//! the memory of them.

use std::time::Duration;

use access::Entered;
use model::{Caller, CredentialKind, Op, Seconds, Timestamp};
use secrets::{KeyedHash, Kind, Plain, Recognised, Row, Sealed};
use sha2::{Digest as _, Sha256};
use store::StoreError;
use store::credential::Credential;
use store::nonce;

use crate::{AuthError, Identity, Outcome};

/// A request's time may be this far from the server's clock, either way.
pub const SIGNED_WINDOW: Seconds = Seconds::minutes(15);
/// Nonces are kept so much longer: nodes' clocks differ.
const MARGIN: Seconds = Seconds::minutes(5);
/// The longest nonce and the longest key id, in bytes.
const LONGEST: usize = 256;
/// Nonces that are forgotten in one transaction, and how often in one go.
const BATCH: i64 = 10_000;
const BATCHES: usize = 200;
/// Between two of them others write.
const PAUSE: Duration = Duration::from_millis(20);

/// What a signed request says about itself.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// The public half of the key.
    pub access_key_id: &'a str,
    /// What goes with a session's key.
    pub security_token: Option<&'a Plain>,
    /// What tells the request from all others. (Clients of one old API have none.)
    pub nonce: Option<&'a str>,
    /// When it was signed.
    pub at: Timestamp,
}

/// Why a signed request is nobody's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SignedError {
    /// No key has this id.
    #[error("there is no such access key")]
    UnknownKey,
    /// The signature is not the key's.
    #[error("the signature does not match")]
    WrongSignature,
    /// The right signature, but the key, its owner or their account is disabled, or the key's time is over.
    #[error("the access key or its user is disabled")]
    Inactive,
    /// The time is too far from the server's.
    #[error("the request's time is more than 15 minutes off")]
    OutOfTime,
    /// The nonce was used before.
    #[error("the nonce was used before")]
    NonceUsed,
    /// The nonce is empty or far too long.
    #[error("a nonce has 1 to 256 bytes")]
    NonceMalformed,
    /// A session's key without its token.
    #[error("the key of a session comes with its security token")]
    TokenMissing,
    /// Not a security token at all.
    #[error("the security token is malformed")]
    TokenMalformed,
    /// The session has ended.
    #[error("the session has ended")]
    TokenExpired,
    /// Another key's token.
    #[error("the security token is not the key's")]
    TokenMismatch,
    /// More requests than a caller may make.
    #[error("too many requests")]
    Throttled {
        /// Milliseconds to wait.
        retry_after_ms: i64,
    },
    /// The database does not answer, or this node has lost touch with it.
    #[error("signatures cannot be checked right now: try again")]
    Unavailable,
}

impl From<StoreError> for SignedError {
    fn from(error: StoreError) -> Self {
        let _ = AuthError::from(error);
        Self::Unavailable
    }
}

impl SignedError {
    /// As the trail says it; none: nobody's doing.
    const fn reason(self) -> Option<&'static str> {
        match self {
            Self::UnknownKey => Some("unknown access key"),
            Self::WrongSignature => Some("wrong signature"),
            Self::Inactive => Some("disabled"),
            Self::OutOfTime => Some("the request's time is off"),
            Self::NonceUsed => Some("the nonce was used before"),
            Self::TokenExpired => Some("expired"),
            Self::TokenMissing | Self::TokenMalformed | Self::TokenMismatch => Some("wrong security token"),
            Self::NonceMalformed | Self::Throttled { .. } | Self::Unavailable => None,
        }
    }

    /// As it is counted.
    pub(crate) const fn outcome(self) -> Outcome {
        match self {
            Self::Inactive => Outcome::Disabled,
            Self::OutOfTime | Self::TokenExpired => Outcome::Expired,
            Self::Throttled { .. } => Outcome::Throttled,
            Self::Unavailable => Outcome::Unavailable,
            Self::UnknownKey
            | Self::WrongSignature
            | Self::NonceUsed
            | Self::NonceMalformed
            | Self::TokenMissing
            | Self::TokenMalformed
            | Self::TokenMismatch => Outcome::Invalid,
        }
    }
}

impl Identity {
    /// Whose key signed this request. `verify` is told the key's secret and says whether the signature is made with it; of a key
    /// that nobody has it is asked too, with a secret that nobody has, so that the answer takes as long.
    pub async fn authenticate_signed(
        &self,
        op: &Op,
        entered: &Entered,
        signed: Signed<'_>,
        verify: impl FnOnce(&Plain) -> bool + Send,
    ) -> Result<Caller, SignedError> {
        self.access.directory().fresh(op.now).await.map_err(|_| SignedError::Unavailable)?;
        let (account, answer) = if let Some((key, sealed)) = self.signing_key(signed).await? {
            (key.account, self.by_signature(op, signed, (&key, sealed), verify).await)
        } else {
            verify(&self.dice.with(|random| secrets::generate(Kind::AccessKeySecret, random)));
            (entered.on.account, Err(SignedError::UnknownKey))
        };
        if let Some(reason) = answer.as_ref().err().and_then(|error| error.reason()) {
            self.note_failure(op, account, signed.access_key_id, reason).await;
        }
        let answer = self.received_signed(op, answer);
        self.write_down_login(op, answer).await
    }

    /// The key with its sealed secret.
    async fn signing_key(&self, signed: Signed<'_>) -> Result<Option<(Credential, Vec<u8>)>, StoreError> {
        let id = signed.access_key_id;
        if id.len() > LONGEST || id.contains(char::is_control) {
            return Ok(None);
        }
        self.read(|tx| Box::pin(store::credential::by_access_key(tx, id))).await
    }

    async fn by_signature(
        &self,
        op: &Op,
        signed: Signed<'_>,
        (key, sealed): (&Credential, Vec<u8>),
        verify: impl FnOnce(&Plain) -> bool + Send,
    ) -> Result<Caller, SignedError> {
        let row = Row { noun: "credential.sealed", id: signed.access_key_id };
        let secret = self.keeper.sealing.open(&Sealed::from_bytes(sealed), row).map_err(|error| {
            tracing::error!(%error, "an access key's secret does not open");
            SignedError::Unavailable
        })?;
        if !verify(&secret) {
            return Err(SignedError::WrongSignature);
        }
        if op.now.millis_since(signed.at).saturating_abs() > SIGNED_WINDOW.0 * 1000 {
            return Err(SignedError::OutOfTime);
        }
        self.goes_with(key, signed.security_token).await?;
        let caller = self.alive_owner(op, key.principal, key.id).await.map_err(|error| ended(key.kind, &error))?;
        self.use_nonce(op, key, signed).await?;
        self.access.audit().note_use(op, key.id);
        Ok(caller)
    }

    /// A session's key is nothing without its security token, and a long-term key has none.
    async fn goes_with(&self, key: &Credential, token: Option<&Plain>) -> Result<(), SignedError> {
        let token = match (key.kind, token) {
            (CredentialKind::AccessKey, None) => return Ok(()),
            (CredentialKind::Session, Some(token)) => token,
            (CredentialKind::Session, None) => return Err(SignedError::TokenMissing),
            _ => return Err(SignedError::TokenMismatch),
        };
        if Kind::recognise(token.reveal()) != Recognised::Generated(Kind::SecurityToken) {
            return Err(SignedError::TokenMalformed);
        }
        let session = self.access.directory().session(key.id).await?.ok_or(SignedError::TokenExpired)?;
        let right = self.keeper.pepper.hash(token).matches(&KeyedHash::from_bytes(session.token_hash));
        if right { Ok(()) } else { Err(SignedError::TokenMismatch) }
    }

    async fn use_nonce(&self, op: &Op, key: &Credential, signed: Signed<'_>) -> Result<(), SignedError> {
        let Some(text) = signed.nonce else { return Ok(()) };
        if text.is_empty() || text.len() > LONGEST {
            return Err(SignedError::NonceMalformed);
        }
        let (id, hash) = (key.id, Sha256::digest(text));
        let until = signed.at.plus(SIGNED_WINDOW).plus(MARGIN);
        let first: Result<bool, StoreError> =
            self.store.write(|tx| Box::pin(async move { nonce::use_once(tx, id, &hash[..], op.now, until).await })).await;
        if first? { Ok(()) } else { Err(SignedError::NonceUsed) }
    }

    /// Forgets nonces of requests that are too old to be sent again; how many they were. For the job that holds its lease.
    pub async fn prune_nonces(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut all = 0;
        for _ in 0..BATCHES {
            let gone = self.store.write(|tx| Box::pin(nonce::prune(tx, now, BATCH))).await?;
            all += gone;
            if gone < BATCH.cast_unsigned() {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(all)
    }
}

/// What is said to whoever has the secret of a key that opens nothing any more.
const fn ended(kind: CredentialKind, error: &AuthError) -> SignedError {
    match (error, kind) {
        (AuthError::Unavailable | AuthError::Busy | AuthError::LockedOut { .. } | AuthError::Throttled { .. }, _) => {
            SignedError::Unavailable
        }
        (AuthError::Expired | AuthError::Invalid, CredentialKind::Session) => SignedError::TokenExpired,
        _ => SignedError::Inactive,
    }
}
