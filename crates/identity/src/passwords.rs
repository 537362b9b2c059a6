//! Chosen passwords: one for signing in, one a person and instance for the registry. argon2id, behind the lockout and a queue.

use std::sync::Arc;

use access::{Permit, audit};
use model::{AccountId, Caller, CredentialId, CredentialKind, InstanceId, Op, PrincipalId, Seconds, Timestamp, act};
use quick_cache::sync::Cache;
use secrets::{ChosenPassword, PasswordHash, Pepper, Plain};
use store::StoreError;
use store::change::{self, Change};
use store::credential::{self, Credential, Kept};

use crate::lockout::Network;
use crate::{AuthError, Identity, IdentityError, names};

/// The slot of a person's sign-in password.
pub(crate) const SIGN_IN: &str = "sign-in";
/// A successful check is remembered for so long.
const REMEMBERED: Seconds = Seconds::minutes(1);

/// The slot of a person's permanent password at an instance.
pub(crate) fn permanent_slot(instance: InstanceId) -> String {
    format!("permanent/{instance}")
}

/// Successful checks of the last minute, by a keyed hash that never leaves this process. What is remembered is which
/// credential the password was right for; that it still holds is asked of the directory each time.
pub(crate) struct Checked {
    pepper: Pepper,
    known: Cache<[u8; 32], (PrincipalId, CredentialId, Timestamp)>,
}

impl Checked {
    pub(crate) fn new(pepper: Pepper) -> Self {
        Self { pepper, known: Cache::new(10_000) }
    }

    fn key(&self, account: AccountId, username: &str, slot: &str, password: &Plain) -> [u8; 32] {
        let context = format!("{account}\0{slot}\0{username}");
        *self.pepper.hash_in_context(context.as_bytes(), password).as_bytes()
    }
}

impl Identity {
    /// The owner of a chosen password. The same work for unknown names, for people without one, and for wrong ones.
    pub(crate) async fn by_password(
        &self,
        op: &Op,
        account: AccountId,
        username: &str,
        password: Plain,
        slot: &str,
    ) -> Result<Caller, AuthError> {
        // Before the memory is asked: else whoever is locked out could go on guessing what it holds.
        let name = counted_name(account, username);
        let from = Network::of(op.source_ip);
        self.lockout.check(&name, from, op.now).map_err(|retry_after| AuthError::LockedOut { retry_after })?;
        let key = self.checked.key(account, username, slot, &password);
        if let Some((principal, credential, until)) = self.checked.known.get(&key)
            && until > op.now
            && let Ok(caller) = self.alive_owner(op, principal, credential).await
        {
            return Ok(caller);
        }
        let found = self.stored_password(account, username, slot).await?;
        let stored = found.as_ref().map(|(_, phc)| PasswordHash::parse(phc)).transpose().map_err(|_| AuthError::Unavailable)?;
        let right = self.hashing.verify(from, password, stored).await.map_err(|_| AuthError::Busy)?;
        let Some((credential, _)) = found.filter(|_| right) else {
            self.lockout.failed(&name, from, op.now);
            return Err(AuthError::Invalid);
        };
        let caller = self.alive_owner(op, credential.principal, credential.id).await?;
        self.lockout.succeeded(&name, from, op.now);
        self.checked.known.insert(key, (credential.principal, credential.id, op.now.plus(REMEMBERED)));
        self.access.audit().note_use(op, credential.id);
        Ok(caller)
    }

    async fn stored_password(&self, account: AccountId, username: &str, slot: &str) -> Result<Option<(Credential, String)>, StoreError> {
        self.read(|tx| {
            Box::pin(async move {
                match names::resolve(tx, account, username).await? {
                    Some(p) if p.account == account => credential::by_slot(tx, p.id, slot).await,
                    _ => Ok(None),
                }
            })
        })
        .await
    }

    /// Sets a user's permanent password at an instance.
    pub async fn set_permanent_password(
        &self,
        permit: Permit<act::ResetLoginPassword>,
        instance: InstanceId,
        password: ChosenPassword,
    ) -> Result<(), IdentityError> {
        let principal = permit.on().id.ok_or(IdentityError::NotFound("user"))?;
        let slot = permanent_slot(instance);
        let new = Password { principal, kind: CredentialKind::PermanentPassword, instance: Some(instance), slot };
        self.set_password(permit.op(), permit.by(), new, password, permit.success()).await
    }

    /// Sets a user's sign-in password.
    pub async fn set_sign_in_password(
        &self,
        permit: Permit<act::UpdateLoginProfile>,
        password: ChosenPassword,
    ) -> Result<(), IdentityError> {
        let principal = permit.on().id.ok_or(IdentityError::NotFound("user"))?;
        let new = Password { principal, kind: CredentialKind::SignInPassword, instance: None, slot: SIGN_IN.into() };
        self.set_password(permit.op(), permit.by(), new, password, permit.success()).await
    }

    async fn set_password(
        &self,
        op: &Op,
        by: &Caller,
        new: Password,
        password: ChosenPassword,
        record: access::Record,
    ) -> Result<(), IdentityError> {
        let hash = self.hashing.hash(Network::of(op.source_ip), password).await.map_err(|_| IdentityError::Busy)?;
        let (credential, kept) = (&self.new_credential(op, by, &new), &Kept::Password(hash.to_phc()));
        let (new, record, account) = (&new, &record, credential.account);
        self.change(op.now, |tx| {
            Box::pin(async move {
                let there = store::account::principal_by_id(tx, new.principal).await?.is_some_and(|p| p.account == account);
                if !there {
                    return Err(IdentityError::NotFound("user"));
                }
                if let Some(old) = credential::clear_slot(tx, new.principal, &new.slot).await? {
                    change::append(tx, op.now, Change::Credential(old.as_i64())).await?;
                }
                credential::insert(tx, credential, Some(&new.slot), kept).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await
    }

    fn new_credential(&self, op: &Op, by: &Caller, new: &Password) -> Credential {
        let maker = by.known();
        Credential {
            id: CredentialId::from_random(self.dice.bits()),
            account: maker.map_or(AccountId::from_i64(0), |k| k.account),
            principal: new.principal,
            kind: new.kind,
            instance: new.instance,
            description: String::new(),
            access_key_id: None,
            enabled: true,
            created: op.now,
            created_by: maker.map_or(new.principal, |k| k.principal),
            created_by_name: maker.map_or_else(String::new, |k| k.name.to_string()),
            expires: None,
            last_used: None,
            last_used_from: None,
        }
    }
}

/// A password that is about to be set.
struct Password {
    principal: PrincipalId,
    kind: CredentialKind,
    instance: Option<InstanceId>,
    slot: String,
}

/// What the lockout counts by: the name as presented, there or not. Long names are cut, so that they count together.
fn counted_name(account: AccountId, username: &str) -> Arc<str> {
    let username: String = username.chars().take(64).collect();
    format!("{account}/{username}").into()
}
