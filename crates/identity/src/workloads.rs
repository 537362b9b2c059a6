//! Workloads: who presents a token of an issuer that the account trusts.
//!
//! What is said to whom. A stranger (a token that nobody's issuer signed, or of an issuer that nobody trusts) gets the one answer for
//! everything unknown. Whoever presents a token that a trusted issuer did sign is told which of time, audience, subject or claim is
//! not as it must be, with the value that was presented; never what would have been right, since everybody can get a token of
//! a public issuer. An issuer is asked for keys only if a provider of the account stands for it and is enabled.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use access::{Access, Frequent, Outcome, Record, Refusal};
use federation::{Claims, Issuer, Issuers, Jwt, Mismatch, shown};
use fetch::Fetcher;
use meter::Tally;
use model::{AccountId, Caller, CredentialId, OnAccount, Op, PrincipalId, PrincipalKind, ProviderId, Resource, Seconds, Timestamp};
use policy::{Context, Effective, Key, TrustDocument, Who};
use quick_cache::sync::Cache;
use secrets::Plain;
use sha2::{Digest as _, Sha256};
use store::StoreError;
use store::change::Change;
use store::federated::Federated;
use store::provider::Provider;

use crate::federated::conditions;
use crate::meters::Outcome as Met;
use crate::names::resolve;
use crate::providers::{client_ids, issuer_of};
use crate::roles::read_trust;
use crate::sessions::Behind;
use crate::{AssumeRole, AuthError, By, Identity, IdentityError, NewSession, TokenFault, Untrusted};

/// Verified tokens that are remembered.
const REMEMBERED: usize = 10_000;
/// A remembered token is verified again after this: its key may have been withdrawn.
const REMEMBERED_FOR: Seconds = Seconds::minutes(5);
/// Federated credentials that are held against one token.
const MAX_CANDIDATES: i64 = 2000;
/// Of those that fit, so many are kept.
const MAX_TRUSTED: usize = 64;

/// Tokens of issuers, verified, and the keys for it.
pub(crate) struct Workloads {
    pub(crate) issuers: Issuers,
    known: Arc<Known>,
    tally: Tally,
}

/// What has been verified. Whatever changes whom somebody trusts empties it.
struct Known {
    tokens: Cache<(AccountId, [u8; 32]), Arc<Workload>>,
    emptied: AtomicU64,
    outdated: Mutex<Outdated>,
}

/// Whose issuers' keys are not to be used again before they were asked for anew. At most one entry a provider.
#[derive(Default)]
struct Outdated {
    all: bool,
    providers: BTreeSet<i64>,
}

/// A verified token, and whom it may be: those alive today are looked for at each use.
struct Workload {
    provider: Arc<Provider>,
    claims: Claims,
    trusted: Vec<(PrincipalId, CredentialId)>,
    /// Of those that do not fit, what the nearest one missed.
    nearest: Option<Mismatch>,
    until: Timestamp,
}

/// What a workload calls itself.
#[derive(Clone, Copy)]
pub(crate) enum Named<'n> {
    /// By this name, or by none in particular: it chooses where several trust the token.
    Perhaps(&'n str),
    /// By this name and no other.
    As(&'n str),
    /// By none.
    Not,
}

/// A role that is assumed with a token of an issuer.
#[derive(Debug)]
pub struct FederatedSession {
    /// The session.
    pub session: NewSession,
    /// What the token says.
    pub claims: Claims,
}

impl Workloads {
    /// Follows the change feed of `access`. Only pinned keys verify.
    pub(crate) fn new(access: &Access) -> Self {
        let known = Arc::new(Known { tokens: Cache::new(REMEMBERED), emptied: AtomicU64::new(0), outdated: Mutex::default() });
        let listening = Arc::clone(&known);
        access.directory().listen(Box::new(move |change| {
            listening.outdate(change);
            if matches!(change, Some(Change::Provider(_) | Change::IssuerKeys(_)) | None) {
                listening.empty();
            }
        }));
        Self { issuers: Issuers::offline(), known, tally: Tally::default() }
    }

    pub(crate) const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Forgets keys that are outdated, before a token is held against them. Whoever finds nothing outdated finds it forgotten.
    fn forget_outdated(&self, provider: ProviderId, issuer: &Issuer) {
        let mut outdated = self.known.outdated.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut outdated.all) {
            self.issuers.forget_all();
        }
        if outdated.providers.remove(&provider.as_i64()) {
            self.issuers.forget(issuer);
        }
    }

    /// Asks issuers for their keys from now on.
    pub(crate) fn fetch_with(&mut self, fetcher: Arc<Fetcher>) {
        self.issuers = Issuers::new(fetcher);
    }
}

impl Known {
    fn outdate(&self, change: Option<Change>) {
        let mut outdated = self.outdated.lock().unwrap_or_else(PoisonError::into_inner);
        match change {
            Some(Change::IssuerKeys(id)) => drop(outdated.providers.insert(id)),
            Some(_) => {}
            None => outdated.all = true,
        }
    }

    fn empty(&self) {
        self.emptied.fetch_add(1, Ordering::SeqCst);
        self.tokens.clear();
    }

    /// Keeps what was found while `emptied` stood so, unless that has changed.
    fn keep(&self, emptied: u64, key: (AccountId, [u8; 32]), workload: &Arc<Workload>) {
        self.tokens.insert(key, Arc::clone(workload));
        if self.emptied.load(Ordering::SeqCst) != emptied {
            self.tokens.remove(&key);
        }
    }
}

/// Is it shaped like a token of some issuer, and not like a password? (A chosen one has at most 32 characters.)
pub(crate) fn is_token(text: &str) -> bool {
    text.len() > 64 && text.starts_with("eyJ") && text.bytes().filter(|b| *b == b'.').count() == 2
}

impl Identity {
    /// A service account by a token that one of its federated credentials trusts (RFC 7523), for a token of the management
    /// API. Without a client id the account is the given one, and the token must fit one service account.
    pub async fn authenticate_workload(
        &self,
        op: &Op,
        account: AccountId,
        client_id: Option<&str>,
        token: &Plain,
    ) -> Result<Caller, AuthError> {
        self.access.directory().fresh(op.now).await.map_err(|_| AuthError::Unavailable)?;
        let account = self.account_of_client(client_id).await?.unwrap_or(account);
        let answer = self.by_workload(op, account, client_id.map_or(Named::Not, Named::As), token).await;
        self.write_down_failure(op, account, client_id.unwrap_or("workload"), &answer).await;
        let caller = self.received(op, By::Workload, answer)?;
        if let Some(known) = caller.known() {
            let workload = self.workload(op, account, token).await?;
            let record = || {
                let detail = shown(&format!("{} {}", workload.claims.issuer(), workload.claims.subject()));
                Record::new(op, &caller, "login", &Resource::Account(OnAccount(known.account)), Outcome::Success).with_detail(detail)
            };
            self.access.audit().note_frequent(op, &caller, Frequent::Login, record).await;
        }
        Ok(caller)
    }

    /// A client id is a UUID, which says by itself whose it is.
    async fn account_of_client(&self, client_id: Option<&str>) -> Result<Option<AccountId>, StoreError> {
        let Some(uuid) = client_id.and_then(|id| uuid::Uuid::try_parse(id).ok()) else { return Ok(None) };
        let uuid = &uuid.hyphenated().to_string();
        self.read(|tx| Box::pin(store::account::account_of_uuid(tx, uuid))).await
    }

    /// Whom a token makes its bearer.
    pub(crate) async fn by_workload(&self, op: &Op, account: AccountId, named: Named<'_>, token: &Plain) -> Result<Caller, AuthError> {
        let workload = self.workload(op, account, token).await?;
        let Workload { claims, provider, .. } = &*workload;
        claims.hold_at(op.now).map_err(|problem| untrusted(provider, TokenFault::Time, &problem))?;
        if workload.trusted.is_empty() {
            let subject = || Mismatch::Subject { presented: format!("'{}'", shown(claims.subject())) };
            return Err(mismatched(provider, &workload.nearest.clone().unwrap_or_else(subject)));
        }
        let (principal, credential) = self.chosen(op, account, &workload, named).await?;
        self.access.audit().note_use(op, credential);
        self.workload_caller(op, principal, credential, claims.expires()).await
    }

    /// Of those who trust the token, the one that is alive and meant.
    async fn chosen(
        &self,
        op: &Op,
        account: AccountId,
        workload: &Workload,
        named: Named<'_>,
    ) -> Result<(PrincipalId, CredentialId), AuthError> {
        let meant = match named {
            Named::As(name) | Named::Perhaps(name) => self.read(|tx| Box::pin(resolve(tx, account, name))).await?.map(|p| p.id),
            Named::Not => None,
        };
        let meant = meant.filter(|id| workload.trusted.iter().any(|(principal, _)| principal == id));
        if matches!(named, Named::As(_)) && meant.is_none() {
            return Err(untrusted(&workload.provider, TokenFault::Claims, &"the named service account does not trust it"));
        }
        let mut alive: Vec<(PrincipalId, CredentialId)> = Vec::new();
        let mut ended = AuthError::Invalid;
        for (principal, credential) in workload.trusted.iter().filter(|(principal, _)| meant.is_none_or(|meant| meant == *principal)) {
            match self.alive_owner(op, *principal, *credential).await {
                Ok(_) => alive.push((*principal, *credential)),
                Err(error @ (AuthError::Unavailable | AuthError::Busy)) => return Err(error),
                Err(error) => ended = error,
            }
        }
        let first = *alive.first().ok_or(ended)?;
        if alive.iter().any(|(principal, _)| *principal != first.0) {
            return Err(untrusted(
                &workload.provider,
                TokenFault::Claims,
                &"several service accounts trust it: give the name of one as the user name or client id",
            ));
        }
        Ok(first)
    }

    /// A token that an issuer of the account did sign, and who trusts it; verified now or a moment ago.
    async fn workload(&self, op: &Op, account: AccountId, token: &Plain) -> Result<Arc<Workload>, AuthError> {
        let key = (account, Sha256::digest(token.reveal()).into());
        if let Some(known) = self.workloads.tally.note(self.workloads.known.tokens.get(&key).filter(|known| known.until > op.now)) {
            return Ok(known);
        }
        let emptied = self.workloads.known.emptied.load(Ordering::SeqCst);
        let workload = Arc::new(self.verified(op, account, token).await?);
        self.workloads.known.keep(emptied, key, &workload);
        Ok(workload)
    }

    async fn verified(&self, op: &Op, account: AccountId, token: &Plain) -> Result<Workload, AuthError> {
        let jwt = Jwt::parse(token.reveal()).map_err(|_| AuthError::Invalid)?;
        let issuer = jwt.issuer();
        let found = self.read(|tx| Box::pin(store::provider::by_issuer(tx, account, issuer))).await?;
        let provider = Arc::new(found.filter(|p| p.enabled).ok_or(AuthError::Invalid)?);
        let issuer = issuer_of(&provider).map_err(|_| StoreError::corrupt("oidc_provider"))?;
        self.workloads.forget_outdated(provider.id, &issuer);
        // An issuer that does not answer is no wrong token: the workload may try again.
        let keys = self.workloads.issuers.keys(&issuer, jwt.kid(), op.now).await.map_err(|_| AuthError::Unavailable)?;
        let claims = jwt.verify(&keys).map_err(|_| AuthError::Invalid)?;
        let (id, subject) = (provider.id, claims.subject());
        let candidates = self.read(|tx| Box::pin(store::federated::candidates(tx, id, subject, MAX_CANDIDATES))).await?;
        let (trusted, nearest) = hold(&claims, &candidates)?;
        let until = claims.expires().min(op.now.plus(REMEMBERED_FOR));
        Ok(Workload { provider, claims, trusted, nearest, until })
    }

    /// Assumes a role with a token of an issuer that its trust policy names (STS, AssumeRoleWithOIDC). Whoever asks has no other
    /// credential. The session is bounded by the role's maximum, not by the token's end: a token of five minutes may begin an
    /// hour's work, and the provider, disabled, ends it.
    pub async fn assume_role_with_oidc(
        &self,
        op: &Op,
        account: AccountId,
        (role, provider): (&str, Option<&str>),
        token: &Plain,
        wanted: &AssumeRole,
    ) -> Result<FederatedSession, IdentityError> {
        self.access.directory().fresh(op.now).await?;
        let answer = self.trusting_role(op, account, (role, provider), token, wanted).await;
        let noted = answer.as_ref().map(|_| Caller::anonymous()).map_err(AuthError::again);
        self.write_down_failure(op, account, role, &noted).await;
        let outcome = answer.as_ref().map_or_else(Met::of, |_| Met::Accepted);
        self.meters.logins.count((By::Workload, outcome));
        let (on, workload) = answer?;
        let whom = shown(&format!("{} {}", workload.claims.issuer(), workload.claims.subject()));
        let behind = Behind { parent: None, ends: None, vouched: Some((workload.provider.id, whom)) };
        let session = self.new_session(op, &Caller::anonymous(), &on, wanted, behind).await?;
        Ok(FederatedSession { session, claims: workload.claims.clone() })
    }

    /// The role, if it trusts the token. One that is not there trusts nobody.
    async fn trusting_role(
        &self,
        op: &Op,
        account: AccountId,
        (role, named): (&str, Option<&str>),
        token: &Plain,
        wanted: &AssumeRole,
    ) -> Result<(model::OnPrincipal, Arc<Workload>), AuthError> {
        let workload = self.workload(op, account, token).await?;
        let Workload { claims, provider, .. } = &*workload;
        claims.hold_at(op.now).map_err(|problem| untrusted(provider, TokenFault::Time, &problem))?;
        if named.is_some_and(|named| named != provider.name) {
            return Err(untrusted(provider, TokenFault::Claims, &"it is not of the provider that was named"));
        }
        let accepted = client_ids(provider)?;
        let presented = || format!("'{}'", shown(&claims.audiences().join("', '")));
        let audience = claims.audiences().iter().find(|audience| accepted.contains(audience));
        let audience = audience.ok_or_else(|| mismatched(provider, &Mismatch::Audience { presented: presented() }))?;
        let not_trusted = || mismatched(provider, &Mismatch::Subject { presented: format!("'{}'", shown(claims.subject())) });
        let found = self.read(|tx| Box::pin(store::account::principal_named(tx, account, PrincipalKind::Role, role))).await?;
        let found = found.ok_or_else(not_trusted)?;
        let trust = self.role(found.id).await.map_err(|_| AuthError::Unavailable)?.trust;
        let trust = read_trust(account, &trust).map_err(|_| StoreError::corrupt("role.trust"))?;
        if !trusts(&trust, &circumstances(op, account, provider, claims, audience, wanted)) {
            return Err(not_trusted());
        }
        if self.access.directory().somebody(found.id, op.now).await?.is_none() {
            return Err(AuthError::Disabled);
        }
        let on = model::OnPrincipal { account, id: Some(found.id), kind: found.kind, name: found.name };
        Ok((on, workload))
    }
}

/// A service account, and its federated credential that trusts.
type Holds = (PrincipalId, CredentialId);

/// Which of the candidates trust these claims, and what the nearest of the others missed.
fn hold(claims: &Claims, candidates: &[Federated]) -> Result<(Vec<Holds>, Option<Mismatch>), StoreError> {
    let (mut trusted, mut nearest) = (Vec::new(), None);
    for candidate in candidates {
        match conditions(candidate)?.met_by(claims) {
            Ok(()) if trusted.len() < MAX_TRUSTED => trusted.push((candidate.principal, candidate.credential)),
            Ok(()) => {}
            Err(missed) => nearest = nearest.max(Some(missed)),
        }
    }
    Ok((trusted, nearest))
}

/// Said to whoever presents a token that a trusted issuer did sign.
fn untrusted(provider: &Provider, fault: TokenFault, why: &dyn std::fmt::Display) -> AuthError {
    let why = format!("the token of {} is not accepted: {why}", provider.issuer).into();
    AuthError::Untrusted(Untrusted { fault, why })
}

/// The same, for what conditions ask of.
fn mismatched(provider: &Provider, missed: &Mismatch) -> AuthError {
    let fault = match missed {
        Mismatch::Audience { .. } => TokenFault::Audience,
        Mismatch::Subject { .. } | Mismatch::Claim { .. } => TokenFault::Claims,
    };
    untrusted(provider, fault, missed)
}

/// What a role's trust policy can ask of a token.
fn circumstances(op: &Op, account: AccountId, provider: &Provider, claims: &Claims, audience: &str, wanted: &AssumeRole) -> Context {
    let own = [("iss", claims.issuer()), ("sub", claims.subject()), ("aud", audience)];
    let context = Context::from(op).by(Who::federated(account, &provider.name)).with(Key::RoleSessionName, &wanted.session_name);
    let context = own.into_iter().fold(context, |context, (name, value)| context.with(Key::Oidc(name.into()), value));
    claims.texts().fold(context, |context, (name, value)| context.with(Key::Oidc(name.into()), &value))
}

/// Does the trust policy let the token in, and does what lets it in say whom? A statement that asks for nothing but issuer and audience
/// would trust everybody whom the issuer knows.
fn trusts(trust: &TrustDocument, context: &Context) -> bool {
    let said = trust.evaluate(context);
    let deciding = said.statement.and_then(|number| trust.document().statements.get(number.checked_sub(1)?));
    let says_whom = |key: &Key| matches!(key, Key::Oidc(name) if !matches!(&**name, "iss" | "aud"));
    said.effective == Effective::Allowed && deciding.is_some_and(|s| s.condition().iter().any(|clause| says_whom(&clause.key)))
}

impl AuthError {
    /// The same once more, for the audit trail.
    fn again(&self) -> Self {
        match self {
            Self::Untrusted(why) => Self::Untrusted(why.clone()),
            Self::Expired => Self::Expired,
            Self::Disabled => Self::Disabled,
            Self::Unavailable | Self::Busy => Self::Unavailable,
            Self::Invalid | Self::LockedOut { .. } | Self::Throttled { .. } => Self::Invalid,
        }
    }
}

impl From<AuthError> for IdentityError {
    fn from(error: AuthError) -> Self {
        Self::Unbelieved(error)
    }
}

impl From<Refusal> for AuthError {
    fn from(_: Refusal) -> Self {
        Self::Unavailable
    }
}
