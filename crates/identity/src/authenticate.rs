//! Everything that can be presented, and who it makes one.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use access::{Entered, Frequent, Outcome, PrincipalRights, Record, SessionRights};
use model::{
    AccountId, Caller, CredentialId, CredentialKind, CredentialRef, InstanceId, Known, OnAccount, Op, PrincipalId, PrincipalKind, Resource,
    Scopes, Timestamp,
};
use secrets::{KeyedHash, Kind as SecretKind, Plain, Recognised};
use store::StoreError;
use store::change;
use store::credential::Credential;
use store::instance::Instance;
use tokens::{Claims, Kind as TokenKind, Tokens, Usable};

use crate::workloads::Named;
use crate::{AuthError, By, Identity};

/// What a client presents.
#[derive(Debug)]
pub enum Presented {
    /// Nothing.
    Nothing,
    /// A user name and a password of any kind.
    Basic {
        /// The user name as sent.
        username: String,
        /// The password as sent.
        password: Plain,
    },
    /// A bearer token.
    Bearer(Plain),
}

/// Where it is presented.
#[derive(Clone, Copy, Debug)]
pub enum At<'a> {
    /// At the registry or its token service.
    Registry {
        /// The instance that the host name chose, and whose network rules have let the request in.
        instance: &'a Entered,
        /// The host as the client names it: a bearer's audience.
        service: &'a str,
    },
    /// At the management API.
    Management {
        /// The same.
        instance: &'a Entered,
    },
}

impl By {
    const fn of(presented: &Presented, at: &At<'_>) -> Self {
        match (presented, at) {
            (Presented::Nothing, _) => Self::Nothing,
            (Presented::Basic { .. }, _) => Self::Basic,
            (Presented::Bearer(_), At::Registry { .. }) => Self::Bearer,
            (Presented::Bearer(_), At::Management { .. }) => Self::Manage,
        }
    }
}

/// A stored credential with its owner, both alive.
struct Alive {
    owner: Arc<PrincipalRights>,
    credential: Arc<Credential>,
    session: Option<Arc<SessionRights>>,
}

impl Identity {
    /// Who is this? Nothing presented is nobody; anything wrong is an error, never nobody.
    pub async fn authenticate(&self, op: &Op, presented: Presented, at: At<'_>) -> Result<Caller, AuthError> {
        let by = By::of(&presented, &at);
        let answer = self.told(op, presented, at).await;
        self.received(op, by, answer)
    }

    async fn told(&self, op: &Op, presented: Presented, at: At<'_>) -> Result<Caller, AuthError> {
        self.access.directory().fresh(op.now).await.map_err(|_| AuthError::Unavailable)?;
        match (presented, at) {
            (Presented::Nothing, _) => Ok(Caller::anonymous()),
            (Presented::Bearer(token), At::Registry { instance, service }) => self.bearer(op, &token, instance, service).await,
            (Presented::Bearer(token), At::Management { .. }) => Box::pin(self.manage_token(op, &token)).await,
            (Presented::Basic { username, password }, At::Registry { instance, .. }) => {
                let answer = Box::pin(self.basic(op, &username, password, instance)).await;
                Box::pin(self.write_down_failure(op, instance.on.account, &username, &answer)).await;
                answer
            }
            (Presented::Basic { .. }, At::Management { .. }) => Err(AuthError::Invalid),
        }
    }

    /// An access key's owner, for a token of the management API (OAuth 2.0 client credentials, RFC 6749 section 4.4).
    ///
    /// The id of a session's key comes with its security token; a service account's client id with its client secret.
    pub async fn authenticate_access_key(
        &self,
        op: &Op,
        access_key_id: &str,
        secret: &Plain,
        security_token: Option<&Plain>,
    ) -> Result<Caller, AuthError> {
        self.access.directory().fresh(op.now).await.map_err(|_| AuthError::Unavailable)?;
        let answer = self.by_key(op, access_key_id, secret, security_token).await;
        if answer.is_err() && !access_key_id.contains(char::is_control) {
            // An id that nobody has is written down too, as a user name is: else it would be answered sooner.
            let key = self.read(|tx| Box::pin(store::credential::by_access_key(tx, access_key_id))).await?;
            let here = self.instance_at("").await?.map(|default| default.on.account);
            if let Some(account) = key.map(|(key, _)| key.account).or(here) {
                self.write_down_failure(op, account, access_key_id, &answer).await;
            }
        }
        let answer = self.received(op, By::Key, answer);
        self.write_down_login(op, answer).await
    }

    async fn by_key(&self, op: &Op, id: &str, secret: &Plain, security_token: Option<&Plain>) -> Result<Caller, AuthError> {
        if id.contains(char::is_control) {
            return Err(AuthError::Invalid);
        }
        match SecretKind::recognise(secret.reveal()) {
            Recognised::Generated(SecretKind::AccessKeySecret) => self.by_access_key(op, id, secret, security_token).await,
            Recognised::Generated(SecretKind::ClientSecret) if security_token.is_none() => self.by_client_id(op, id, secret).await,
            _ => Err(AuthError::Invalid),
        }
    }

    async fn by_access_key(
        &self,
        op: &Op,
        access_key_id: &str,
        secret: &Plain,
        security_token: Option<&Plain>,
    ) -> Result<Caller, AuthError> {
        let found = self.by_secret(secret).await?;
        let found = found.filter(|c| c.access_key_id.as_deref() == Some(access_key_id)).ok_or(AuthError::Invalid)?;
        self.is_token_of(&found, security_token).await?;
        let alive = self.alive(op, found.principal, found.id).await?;
        self.access.audit().note_use(op, found.id);
        let ends = alive.credential.expires;
        Ok(alive.caller(found.kind, None, None, ends))
    }

    /// A session's key is nothing without its security token, and a long-term key has none.
    async fn is_token_of(&self, key: &Credential, security_token: Option<&Plain>) -> Result<(), AuthError> {
        let right = match (key.kind, security_token) {
            (CredentialKind::AccessKey, None) => true,
            (CredentialKind::Session, Some(token)) => {
                let session = self.access.directory().session(key.id).await?;
                session.is_some_and(|session| self.keeper.pepper.hash(token).matches(&KeyedHash::from_bytes(session.token_hash)))
            }
            _ => false,
        };
        if right { Ok(()) } else { Err(AuthError::Invalid) }
    }

    /// A service account by its client id and one of its secrets (OAuth 2.0 client credentials).
    async fn by_client_id(&self, op: &Op, client_id: &str, secret: &Plain) -> Result<Caller, AuthError> {
        let found = self.by_secret(secret).await?.ok_or(AuthError::Invalid)?;
        let owner = self.access.directory().principal(found.principal).await?.ok_or(AuthError::Invalid)?;
        if found.kind != CredentialKind::ClientSecret || !self.is_name_of(client_id, &owner).await? {
            return Err(AuthError::Invalid);
        }
        let alive = self.alive(op, found.principal, found.id).await?;
        self.access.audit().note_use(op, found.id);
        Ok(alive.caller(CredentialKind::ClientSecret, None, None, found.expires))
    }

    /// A person, by sign-in password, for a token of the management API. A user name that says its account (`NAME@ACCOUNT`, a
    /// numeric id) says which; else it is `account`, whose host was called.
    pub async fn authenticate_sign_in(&self, op: &Op, account: AccountId, username: &str, password: Plain) -> Result<Caller, AuthError> {
        self.access.directory().fresh(op.now).await.map_err(|_| AuthError::Unavailable)?;
        let account = self.read(|tx| Box::pin(crate::names::account_of(tx, account, username))).await?;
        let answer = self.by_password(op, account, username, password, crate::passwords::SIGN_IN).await;
        self.write_down_failure(op, account, username, &answer).await;
        let answer = self.received(op, By::SignIn, answer);
        self.write_down_login(op, answer).await
    }

    /// Who may go on as whom: the owner of a refresh token (Docker token specification, OAuth 2.0 form).
    pub async fn authenticate_refresh(&self, op: &Op, token: &Plain, instance: &Instance, service: &str) -> Result<Caller, AuthError> {
        let answer = self.by_refresh(op, token, instance, service).await;
        self.received(op, By::Refresh, answer)
    }

    async fn by_refresh(&self, op: &Op, token: &Plain, instance: &Instance, service: &str) -> Result<Caller, AuthError> {
        self.access.directory().fresh(op.now).await.map_err(|_| AuthError::Unavailable)?;
        if !instance.identity_tokens {
            return Err(AuthError::Invalid);
        }
        let usable = Usable { kind: TokenKind::Refresh, audience: Some(service) };
        let said = self.tokens.verify(token.reveal(), usable, op.now).await?;
        let claims = &said.1;
        if claims.instance != Some(instance.on.id) {
            return Err(AuthError::Invalid);
        }
        self.by_claims(op, claims, CredentialKind::RefreshToken, None).await
    }

    async fn bearer(&self, op: &Op, token: &Plain, instance: &Instance, service: &str) -> Result<Caller, AuthError> {
        let usable = Usable { kind: TokenKind::Bearer, audience: Some(service) };
        let said = self.tokens.verify(token.reveal(), usable, op.now).await?;
        let claims = &said.1;
        if claims.instance != Some(instance.on.id) {
            return Err(AuthError::Invalid);
        }
        if claims.principal.is_none() {
            return Ok(Caller::anonymous());
        }
        let kind = claims.credential_kind.ok_or(AuthError::Invalid)?;
        self.by_claims(op, claims, kind, Some(claims.scopes.clone())).await
    }

    async fn manage_token(&self, op: &Op, token: &Plain) -> Result<Caller, AuthError> {
        let usable = Usable { kind: TokenKind::Manage, audience: None };
        let said = self.tokens.verify(token.reveal(), usable, op.now).await?;
        let kind = said.1.credential_kind.ok_or(AuthError::Invalid)?;
        let caller = self.by_claims(op, &said.1, kind, None).await?;
        let known = caller.known().ok_or(AuthError::Invalid)?;
        // A workload has nothing but the token it came with, and what is made from it ends with it.
        if known.credential.kind == CredentialKind::FederatedCredential {
            return Ok(caller);
        }
        // A management token is its key at work for a while: what the key makes may outlive the token, never the key.
        let alive = self.alive(op, known.principal, known.credential.id).await?;
        Ok(alive.caller(kind, said.1.instance, None, alive.credential.expires))
    }

    async fn by_claims(&self, op: &Op, claims: &Claims, kind: CredentialKind, scopes: Option<Scopes>) -> Result<Caller, AuthError> {
        let principal = claims.principal.ok_or(AuthError::Invalid)?;
        let credential = claims.credential.ok_or(AuthError::Invalid)?;
        let alive = self.alive(op, principal, credential).await?;
        Ok(alive.caller(kind, claims.instance, scopes, Some(claims.until)))
    }

    async fn basic(&self, op: &Op, username: &str, password: Plain, instance: &Instance) -> Result<Caller, AuthError> {
        match SecretKind::recognise(password.reveal()) {
            Recognised::Generated(SecretKind::AccessCredential) => {
                self.by_generated(op, username, &password, (CredentialKind::AccessCredential, instance)).await
            }
            Recognised::Generated(SecretKind::ClientSecret) => {
                self.by_generated(op, username, &password, (CredentialKind::ClientSecret, instance)).await
            }
            Recognised::Generated(SecretKind::AdminPassword) => {
                self.by_generated(op, username, &password, (CredentialKind::AdminPassword, instance)).await
            }
            // Keys of the API sign requests, and open nothing by themselves.
            Recognised::Generated(_) | Recognised::MalformedOf(_) => Err(AuthError::Invalid),
            Recognised::Chosen if Tokens::recognise(password.reveal()) == Some(TokenKind::Login) => {
                self.by_login_token(op, username, &password, instance).await
            }
            Recognised::Chosen if crate::workloads::is_token(password.reveal()) => {
                self.by_workload(op, instance.on.account, Named::Perhaps(username), &password).await
            }
            Recognised::Chosen => {
                let slot = crate::passwords::permanent_slot(instance.on.id);
                self.by_password(op, instance.on.account, username, password, &slot).await
            }
        }
    }

    async fn by_generated(
        &self,
        op: &Op,
        username: &str,
        secret: &Plain,
        (kind, instance): (CredentialKind, &Instance),
    ) -> Result<Caller, AuthError> {
        let found = self.by_secret(secret).await?.ok_or(AuthError::Invalid)?;
        let bound_elsewhere = found.instance.is_some_and(|bound| bound != instance.on.id);
        if found.account != instance.on.account || found.kind != kind || bound_elsewhere {
            return Err(AuthError::Invalid);
        }
        let owner = self.access.directory().principal(found.principal).await?.ok_or(AuthError::Invalid)?;
        if !self.is_name_of(username, &owner).await? {
            return Err(AuthError::Invalid);
        }
        let alive = self.alive(op, found.principal, found.id).await?;
        self.access.audit().note_use(op, found.id);
        Ok(alive.caller(kind, found.instance, None, found.expires))
    }

    async fn by_login_token(&self, op: &Op, username: &str, token: &Plain, instance: &Instance) -> Result<Caller, AuthError> {
        let said = self.tokens.verify(token.reveal(), Usable { kind: TokenKind::Login, audience: None }, op.now).await?;
        let claims = &said.1;
        let principal = claims.principal.ok_or(AuthError::Invalid)?;
        let owner = self.access.directory().principal(principal).await?.ok_or(AuthError::Invalid)?;
        let bound_elsewhere = claims.instance.is_some_and(|bound| bound != instance.on.id);
        let named = self.may_be_temporary(username, &owner).await?;
        if owner.account != instance.on.account || bound_elsewhere || !named {
            return Err(AuthError::Invalid);
        }
        self.by_claims(op, claims, CredentialKind::LoginToken, None).await
    }

    /// Looks a generated secret up by its keyed hash.
    async fn by_secret(&self, secret: &Plain) -> Result<Option<Arc<Credential>>, StoreError> {
        let hash = *self.keeper.pepper.hash(secret).as_bytes();
        let read = async || {
            let found = self.read(|tx| {
                Box::pin(async move { Ok::<_, StoreError>((change::head(tx).await?, store::credential::by_hash(tx, &hash).await?)) })
            });
            let (head, found) = found.await?;
            let found = found.map(Arc::new);
            if let Some(found) = &found {
                self.access.directory().remember_credential(head, found);
            }
            Ok(found)
        };
        self.secrets.get_or_read(&self.store, hash, read).await
    }

    /// A credential and its owner, if both hold today: what ended, ends everything made from it.
    pub(crate) async fn alive_owner(&self, op: &Op, principal: PrincipalId, credential: CredentialId) -> Result<Caller, AuthError> {
        let alive = self.alive(op, principal, credential).await?;
        let (kind, instance, ends) = (alive.credential.kind, alive.credential.instance, alive.credential.expires);
        Ok(alive.caller(kind, instance, None, ends))
    }

    /// A workload that a federated credential trusts, for as long as the token it came with.
    pub(crate) async fn workload_caller(
        &self,
        op: &Op,
        principal: PrincipalId,
        credential: CredentialId,
        ends: Timestamp,
    ) -> Result<Caller, AuthError> {
        let alive = self.alive(op, principal, credential).await?;
        let ends = alive.credential.expires.map_or(ends, |end| end.min(ends));
        Ok(alive.caller(CredentialKind::FederatedCredential, None, None, Some(ends)))
    }

    async fn alive(&self, op: &Op, principal: PrincipalId, credential: CredentialId) -> Result<Alive, AuthError> {
        let directory = self.access.directory();
        let owner = directory.principal(principal).await?.ok_or(AuthError::Invalid)?;
        let credential = directory.credential(credential).await?.ok_or(AuthError::Invalid)?;
        let account = directory.account(owner.account).await?.ok_or(AuthError::Invalid)?;
        if credential.principal != principal {
            return Err(AuthError::Invalid);
        }
        if !account.enabled || !owner.enabled || !credential.enabled {
            return Err(AuthError::Disabled);
        }
        if [owner.expires, credential.expires].into_iter().flatten().any(|end| end <= op.now) {
            return Err(AuthError::Expired);
        }
        if let Some(provider) = credential.provider
            && !directory.provider(provider).await?.is_some_and(|provider| provider.enabled)
        {
            return Err(AuthError::Disabled);
        }
        let session = match credential.kind {
            CredentialKind::Session => Some(self.alive_session(op, credential.id).await?),
            _ => None,
        };
        Ok(Alive { owner, credential, session })
    }

    /// A session, if what it was made with still holds: a key that is dead ends what was assumed with it.
    async fn alive_session(&self, op: &Op, key: CredentialId) -> Result<Arc<SessionRights>, AuthError> {
        let directory = self.access.directory();
        let session = directory.session(key).await?.ok_or(AuthError::Invalid)?;
        let Some(parent) = session.parent else { return Ok(session) };
        let behind = directory.credential(parent).await?.ok_or(AuthError::Disabled)?;
        Box::pin(self.alive(op, behind.principal, parent)).await?;
        Ok(session)
    }

    pub(crate) async fn write_down_failure(&self, op: &Op, account: AccountId, username: &str, answer: &Result<Caller, AuthError>) {
        let reason = match answer {
            Ok(_) | Err(AuthError::Unavailable | AuthError::Busy | AuthError::Throttled { .. }) => return,
            Err(AuthError::Invalid) => "wrong user name or password",
            Err(AuthError::Expired) => "expired",
            Err(AuthError::Disabled) => "disabled",
            Err(AuthError::Untrusted(untrusted)) => &untrusted.why,
            Err(AuthError::LockedOut { .. }) => "locked out",
        };
        self.note_failure(op, account, username, reason).await;
    }

    /// A login that failed, for the trail: equal ones within a second are one record with a count.
    pub(crate) async fn note_failure(&self, op: &Op, account: AccountId, username: &str, reason: &str) {
        let mut hasher = DefaultHasher::new();
        (username, reason).hash(&mut hasher);
        let record = || Record::failed_login(op, account, username, None).with_detail(reason.to_owned());
        self.access.audit().note_frequent(op, &Caller::anonymous(), Frequent::Failed(hasher.finish()), record).await;
    }

    /// A sign-in to the management API, written down where it succeeded.
    pub(crate) async fn write_down_login<E>(&self, op: &Op, answer: Result<Caller, E>) -> Result<Caller, E> {
        let caller = answer?;
        if let Some(known) = caller.known() {
            let on = Resource::Account(OnAccount(known.account));
            let record = || Record::new(op, &caller, "login", &on, Outcome::Success);
            self.access.audit().note_frequent(op, &caller, Frequent::Login, record).await;
        }
        Ok(caller)
    }
}

impl Alive {
    /// As the audit trail names them: a role with its session, an admin user as what many share.
    fn name(&self) -> Arc<str> {
        match &self.session {
            _ if self.owner.kind == PrincipalKind::Admin => format!("admin:{}", self.owner.name).into(),
            Some(session) => format!("{}/{}", self.owner.name, session.name).into(),
            None => Arc::clone(&self.owner.name),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "identity says who somebody is, here and nowhere else")]
    fn caller(&self, kind: CredentialKind, instance: Option<InstanceId>, scopes: Option<Scopes>, ends: Option<Timestamp>) -> Caller {
        Caller::vouched_by_identity(Known {
            principal: self.owner.id,
            account: self.owner.account,
            kind: self.owner.kind,
            name: self.name(),
            credential: CredentialRef { id: self.credential.id, kind },
            instance,
            scopes,
            ends,
        })
    }
}
