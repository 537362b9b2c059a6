//! Issuing and verifying.

use std::sync::Arc;

use access::{Audit, Granted, Permit};
use model::{Caller, InstanceId, Known, Op, Scopes, Seconds, Timestamp, act};
use quick_cache::sync::Cache;
use secrets::{Dice, Plain, SealingKeys};
use sha2::{Digest as _, Sha256};
use store::change::Change;
use store::{Store, StoreError};

use crate::claims::Payload;
use crate::ring::Ring;
use crate::{Claims, Kind, Meters, PublicKey, TokenError, jws};

/// A login token lives so long unless told otherwise.
const LOGIN_DEFAULT: Seconds = Seconds::hours(1);
const LOGIN_MIN: Seconds = Seconds::minutes(15);
const LOGIN_MAX: Seconds = Seconds::hours(24);
/// A token for the management API.
const MANAGE: Seconds = Seconds::minutes(15);
/// A refresh token whose credential never ends.
const REFRESH_MAX: Seconds = Seconds::days(3650);
/// Verified tokens that are remembered.
const REMEMBERED: usize = 50_000;

/// A token that goes into an `Authorization: Bearer` header.
#[derive(Debug)]
pub struct Bearer {
    /// The token.
    pub token: Plain,
    /// When it was made.
    pub issued: Timestamp,
    /// How long it lives.
    pub lives: Seconds,
}

/// A temporary password.
#[derive(Debug)]
pub struct LoginToken {
    /// What to present as the user name.
    pub username: &'static str,
    /// The password.
    pub password: Plain,
    /// When it ends.
    pub expires: Timestamp,
}

/// Who issues: what stands in `iss` of all our tokens.
pub const ISSUER: &str = "tidegate";

/// What a text that was found somewhere claims to be. Nothing of it is verified.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sighted {
    /// What kind of token.
    pub kind: Kind,
    /// Until when it claims to hold.
    pub until: Timestamp,
}

/// Does this text claim to be a token of ours?
pub fn sighted(text: &str) -> Option<Sighted> {
    let parts = jws::parse(text).ok()?;
    let kind = Kind::parse(&parts.header.typ)?;
    let payload: Payload = serde_json::from_slice(parts.claimed()).ok()?;
    (payload.issuer() == ISSUER).then(|| Sighted { kind, until: payload.until() })
}

/// What a token is presented for.
#[derive(Clone, Copy, Debug)]
pub struct Usable<'a> {
    /// The kind that opens here.
    pub kind: Kind,
    /// The audience it must be for; none: the kind's own.
    pub audience: Option<&'a str>,
}

/// Issues tokens and says what they say.
pub struct Tokens {
    ring: Arc<Ring>,
    dice: Arc<Dice>,
    issuer: String,
    bearer_life: Seconds,
    verified: Cache<[u8; 32], Arc<(Kind, Claims)>>,
    meters: Meters,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

impl Tokens {
    /// Opens the key ring. `issuer` goes into `iss`; bearer tokens live for `bearer_life`.
    pub async fn open(
        store: Arc<Store>,
        sealing: Arc<SealingKeys>,
        dice: Arc<Dice>,
        issuer: &str,
        bearer_life: Seconds,
        now: Timestamp,
    ) -> Result<Self, TokenError> {
        let ring = Ring::open(store, sealing, Arc::clone(&dice), now).await?;
        Ok(Self {
            ring: Arc::new(ring),
            dice,
            issuer: issuer.into(),
            bearer_life,
            verified: Cache::new(REMEMBERED),
            meters: Meters::default(),
        })
    }

    /// What is counted of tokens.
    pub const fn meters(&self) -> &Meters {
        &self.meters
    }

    /// What to tell the directory, so that a rotated key is known before it signs.
    pub fn listener(&self) -> access::Listener {
        let ring = Arc::clone(&self.ring);
        Box::new(move |change| {
            if matches!(change, Some(Change::SigningKeys) | None) {
                ring.forget();
            }
        })
    }

    /// A bearer token for registry requests at `service`, carrying what was granted.
    pub async fn issue_bearer(&self, op: &Op, granted: &Granted, service: &str, instance: InstanceId) -> Result<Bearer, TokenError> {
        let own = claims(op, granted.by(), service, self.bearer_life);
        let claims = Claims { instance: Some(instance), scopes: granted.scopes().clone(), ..own };
        self.bearer(op, Kind::Bearer, &claims).await
    }

    /// A bearer token for the management API.
    pub async fn issue_manage(&self, op: &Op, caller: &Caller) -> Result<Bearer, TokenError> {
        self.bearer(op, Kind::Manage, &claims(op, caller, Kind::Manage.typ(), MANAGE)).await
    }

    /// A refresh token that lives as long as the credential behind it, for `service` and one instance.
    pub async fn issue_refresh(&self, op: &Op, caller: &Caller, service: &str, instance: InstanceId) -> Result<Plain, TokenError> {
        let claims = Claims { instance: Some(instance), ..claims(op, caller, service, REFRESH_MAX) };
        Ok(self.bearer(op, Kind::Refresh, &claims).await?.token)
    }

    /// A temporary password for oneself: as long as asked (15 minutes to 24 hours), else an hour, and never longer than what
    /// asked for it.
    pub async fn issue_login_token(
        &self,
        permit: Permit<act::GetAuthorizationToken>,
        life: Option<Seconds>,
        instance: Option<InstanceId>,
    ) -> Result<LoginToken, TokenError> {
        let life = life.unwrap_or(LOGIN_DEFAULT);
        if !(LOGIN_MIN..=LOGIN_MAX).contains(&life) {
            return Err(TokenError::Lifetime);
        }
        let own = claims(permit.op(), permit.by(), Kind::Login.typ(), life);
        let claims = Claims { instance: instance.or(own.instance), ..own };
        let password = self.bearer(permit.op(), Kind::Login, &claims).await?.token;
        Ok(LoginToken { username: "cr_temp_user", password, expires: claims.until })
    }

    /// What `token` says, if it is one of ours, of that kind, for that audience, now.
    pub async fn verify(&self, token: &str, usable: Usable<'_>, now: Timestamp) -> Result<Arc<(Kind, Claims)>, TokenError> {
        let fingerprint: [u8; 32] = Sha256::digest(token).into();
        let said = match self.meters.verified.note(self.verified.get(&fingerprint)) {
            Some(said) => said,
            None => self.verify_signature(token, fingerprint, now).await?,
        };
        let (kind, claims) = &*said;
        let audience = usable.audience.unwrap_or(usable.kind.typ());
        if *kind != usable.kind || claims.audience != audience {
            return Err(TokenError::Invalid);
        }
        if claims.until <= now { Err(TokenError::Expired) } else { Ok(said) }
    }

    /// What kind of token a text claims to be, unverified: none if it is not even shaped like one of ours.
    pub fn recognise(text: &str) -> Option<Kind> {
        jws::parse(text).ok().and_then(|parts| Kind::parse(&parts.header.typ))
    }

    /// What `token` says, if it is one of ours and its signing key is still there; whether it has ended or not, and whatever it
    /// is for. It opens nothing: it tells whose a found token is.
    pub async fn identify(&self, token: &str, now: Timestamp) -> Result<Option<Arc<(Kind, Claims)>>, TokenError> {
        match self.verify_signature(token, Sha256::digest(token).into(), now).await {
            Ok(said) => Ok(Some(said)),
            Err(TokenError::Invalid | TokenError::Expired | TokenError::Lifetime) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The keys that verify now or soon.
    pub async fn public_keys(&self, now: Timestamp) -> Result<Vec<PublicKey>, TokenError> {
        self.ring.publish(now).await
    }

    /// Begins a new signing key now.
    pub async fn rotate(&self, permit: Permit<act::RotateSigningKey>, audit: &Audit) -> Result<bool, TokenError> {
        self.ring.rotate(permit.op().now, Some((audit, &permit.success()))).await
    }

    /// Begins a new signing key when the youngest has signed long enough. For the job that holds [`crate::RING_JOB`].
    pub async fn rotate_if_due(&self, now: Timestamp) -> Result<bool, TokenError> {
        self.ring.rotate(now, None).await
    }

    async fn verify_signature(&self, token: &str, fingerprint: [u8; 32], now: Timestamp) -> Result<Arc<(Kind, Claims)>, TokenError> {
        let parts = jws::parse(token)?;
        let kind = Kind::parse(&parts.header.typ).ok_or(TokenError::Invalid)?;
        let public = self.ring.public(&parts.header.kid, now, kind == Kind::Refresh).await?;
        let payload: Payload = serde_json::from_slice(parts.verify(&public)?).map_err(|_| TokenError::Invalid)?;
        let said = Arc::new((kind, payload.claims(now)?));
        self.verified.insert(fingerprint, Arc::clone(&said));
        Ok(said)
    }

    async fn bearer(&self, op: &Op, kind: Kind, claims: &Claims) -> Result<Bearer, TokenError> {
        let payload = Payload::new(kind, &self.issuer, claims, self.dice.bits128());
        let token = self.ring.sign(op.now, kind.typ(), &payload).await?;
        self.meters.issued.count((kind.into(),));
        let token = Plain::new(token).map_err(|_| TokenError::Invalid)?;
        let lives = Seconds(claims.until.seconds() - op.now.seconds());
        Ok(Bearer { token, issued: op.now, lives })
    }
}

fn claims(op: &Op, caller: &Caller, audience: &str, life: Seconds) -> Claims {
    let known: Option<&Known> = caller.known();
    let wanted = op.now.plus(life);
    Claims {
        principal: known.map(|k| k.principal),
        audience: audience.into(),
        credential: known.map(|k| k.credential.id),
        credential_kind: known.map(|k| k.credential.kind),
        instance: known.and_then(|k| k.instance),
        scopes: Scopes::default(),
        from: op.now,
        until: known.and_then(|k| k.ends).map_or(wanted, |ends| ends.min(wanted)),
    }
}

impl From<TokenError> for StoreError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Store(error) => error,
            _ => Self::corrupt("signing_key.sealed"),
        }
    }
}
