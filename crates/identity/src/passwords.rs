//! Chosen passwords: one for signing in, one a person and instance for the registry. argon2id, behind the lockout and a queue.

use std::sync::Arc;

use access::{Permit, audit};
use meter::Tally;
use model::{AccountId, Caller, CredentialId, CredentialKind, InstanceId, Op, PrincipalId, Seconds, Timestamp, act};
use quick_cache::sync::{Cache, DefaultLifecycle, PlaceholderGuard};
use quick_cache::{DefaultHashBuilder, UnitWeighter};
use secrets::{ChosenPassword, PasswordHash, Pepper, Plain};
use store::change::{self, Change};
use store::credential::{self, Credential, Kept};
use store::{StoreError, Tx};

use crate::lockout::{Admitted, Network, Try};
use crate::{AuthError, Identity, IdentityError, names};

/// The slot of a person's sign-in password.
pub(crate) const SIGN_IN: &str = "sign-in";
/// A successful check is remembered for so long.
const REMEMBERED: Seconds = Seconds::minutes(1);
/// Nobody has this id.
const NOBODY: PrincipalId = PrincipalId::from_i64(0);

/// The slot of a person's permanent password at an instance.
pub(crate) fn permanent_slot(instance: InstanceId) -> String {
    format!("permanent/{instance}")
}

/// Successful checks of the last minute, by a keyed hash that never leaves this process. What is remembered is which
/// credential the password was right for; that it still holds is asked of the directory each time.
pub(crate) struct Checked {
    pepper: Pepper,
    known: Cache<[u8; 32], Remembered>,
    tally: Tally,
}

/// The turn to check a password; whoever presents the same at the same moment waits for what comes of it.
type Turn<'c> = PlaceholderGuard<'c, [u8; 32], Remembered, UnitWeighter, DefaultHashBuilder, DefaultLifecycle<[u8; 32], Remembered>>;
type Remembered = (PrincipalId, CredentialId, Arc<str>, Timestamp);

impl Checked {
    pub(crate) fn new(pepper: Pepper) -> Self {
        Self { pepper, known: Cache::new(10_000), tally: Tally::default() }
    }

    fn key(&self, account: AccountId, username: &str, slot: &str, password: &Plain) -> [u8; 32] {
        let context = format!("{account}\0{slot}\0{username}");
        *self.pepper.hash_in_context(context.as_bytes(), password).as_bytes()
    }

    async fn recall(&self, key: &[u8; 32], now: Timestamp) -> Result<(PrincipalId, CredentialId, Arc<str>), Turn<'_>> {
        if self.known.get(key).is_some_and(|(.., until)| until <= now) {
            self.known.remove(key);
        }
        let known = self.known.get_value_or_guard_async(key).await;
        self.tally.count(known.is_ok());
        known.map(|(principal, credential, name, _)| (principal, credential, name))
    }

    pub(crate) const fn tally(&self) -> &Tally {
        &self.tally
    }

    fn remember(&self, key: [u8; 32], turn: Option<Turn<'_>>, what: Remembered) {
        match turn {
            // Taken away meanwhile: then it is remembered next time.
            Some(turn) => drop(turn.insert(what)),
            None => self.known.insert(key, what),
        }
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
        let tried = Try::new(account, username, Network::of(op.source_ip));
        self.lockout.check(&tried, op.now).map_err(|retry_after| AuthError::LockedOut { retry_after })?;
        let key = self.checked.key(account, username, slot, &password);
        let turn = match self.checked.recall(&key, op.now).await {
            Err(turn) => Some(turn),
            Ok((principal, ..)) if self.lockout.refuses(&tried.clone().of(Some(principal)), op.now) => None,
            Ok((principal, credential, name)) => match self.alive_owner(op, principal, credential).await {
                // Whoever has another name since is looked up again: the old one may be somebody else's.
                Ok(caller) if caller.known().is_some_and(|known| known.name == name) => return Ok(caller),
                Ok(_) | Err(_) => None,
            },
        };
        let (person, found) = self.stored_password(account, username, slot).await?;
        let tried = tried.of(person);
        let found = self.verify(op, &tried, password, found).await?.ok_or(AuthError::Invalid)?;
        let caller = self.alive_owner(op, found.principal, found.id).await?;
        self.lockout.succeeded(&tried, op.now);
        let name = caller.known().map_or_else(|| Arc::from(""), |known| Arc::clone(&known.name));
        self.checked.remember(key, turn, (found.principal, found.id, name, op.now.plus(REMEMBERED)));
        self.access.audit().note_use(op, found.id);
        Ok(caller)
    }

    /// The credential, if the password is its own and may be checked at all. One hash, whatever there is.
    async fn verify(
        &self,
        op: &Op,
        tried: &Try,
        password: Plain,
        found: Option<(Credential, String)>,
    ) -> Result<Option<Credential>, AuthError> {
        let stored = found.as_ref().map(|(_, phc)| PasswordHash::parse(phc)).transpose().map_err(|_| AuthError::Unavailable)?;
        let admitted = self.lockout.reserve(tried, op.now).map_err(|retry_after| AuthError::LockedOut { retry_after })?;
        let stored = stored.filter(|_| admitted == Admitted::Check);
        let checked = self.hashing.verify(Network::of(op.source_ip), password, stored).await;
        if !matches!(checked, Ok(false)) {
            self.lockout.give_back(tried);
        }
        let right = checked.map_err(|_| AuthError::Busy)?;
        Ok(found.filter(|_| right).map(|(credential, _)| credential))
    }

    /// Whom a user name means, and their password in the slot. As many reads for a name that means nobody.
    async fn stored_password(
        &self,
        account: AccountId,
        username: &str,
        slot: &str,
    ) -> Result<(Option<PrincipalId>, Option<(Credential, String)>), StoreError> {
        self.read(|tx| {
            Box::pin(async move {
                let person = names::resolve(tx, account, username).await?.filter(|p| p.account == account).map(|p| p.id);
                let found = credential::by_slot(tx, person.unwrap_or(NOBODY), slot).await?;
                Ok((person, found.filter(|_| person.is_some())))
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
        let new = Password { principal, kind: CredentialKind::PermanentPassword, instance: Some(instance), slot, first: false };
        self.set_password(permit.op(), permit.by(), new, password, permit.success()).await
    }

    /// Sets a user's sign-in password.
    pub async fn set_sign_in_password(
        &self,
        permit: Permit<act::UpdateLoginProfile>,
        password: ChosenPassword,
    ) -> Result<(), IdentityError> {
        let principal = permit.on().id.ok_or(IdentityError::NotFound("user"))?;
        let new = Password { principal, kind: CredentialKind::SignInPassword, instance: None, slot: SIGN_IN.into(), first: false };
        self.set_password(permit.op(), permit.by(), new, password, permit.success()).await
    }

    /// The same for one who has none.
    pub(crate) async fn set_first_sign_in_password(
        &self,
        permit: &Permit<act::CreateLoginProfile>,
        password: ChosenPassword,
    ) -> Result<(), IdentityError> {
        let principal = permit.on().id.ok_or(IdentityError::NotFound("user"))?;
        let new = Password { principal, kind: CredentialKind::SignInPassword, instance: None, slot: SIGN_IN.into(), first: true };
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
        self.access.may_stand_in_for(op, by, new.principal).await?;
        let hash = self.hashing.hash(Network::of(op.source_ip), password).await.map_err(|_| IdentityError::Busy)?;
        let (credential, kept) = (&self.new_credential(op, by, &new), &Kept::Password(hash.to_phc()));
        let (new, record, account) = (&new, &record, credential.account);
        self.change(op.now, |tx| {
            Box::pin(async move {
                let there = store::account::principal_by_id(tx, new.principal).await?.is_some_and(|p| p.account == account);
                if !there {
                    return Err(IdentityError::NotFound("user"));
                }
                let enabled = enabled_after(tx, by, new).await?;
                if new.first && credential::in_slot(tx, new.principal, &new.slot).await?.is_some() {
                    return Err(IdentityError::InUse("somebody else set a password meanwhile".into()));
                }
                if let Some(old) = credential::clear_slot(tx, new.principal, &new.slot).await? {
                    change::append(tx, op.now, Change::Credential(old.as_i64())).await?;
                }
                credential::insert(tx, &Credential { enabled, ..credential.clone() }, Some(&new.slot), kept).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await
    }

    fn new_credential(&self, op: &Op, by: &Caller, new: &Password) -> Credential {
        let id = CredentialId::from_random(self.dice.bits());
        let (account, maker, name) = match by.known() {
            Some(known) => (known.account, known.principal, known.name.to_string()),
            None => (AccountId::from_i64(0), new.principal, String::new()),
        };
        let fresh = Credential::fresh(id, new.kind, (account, new.principal), (op.now, maker, name));
        Credential { instance: new.instance, ..fresh }
    }
}

/// A password that is about to be set.
struct Password {
    principal: PrincipalId,
    kind: CredentialKind,
    instance: Option<InstanceId>,
    slot: String,
    /// Only if there is none yet.
    first: bool,
}

/// Is a password enabled that takes another's place? As that one was: to enable is a right of its own, which setting one's own
/// password must not go round.
async fn enabled_after(tx: &mut Tx<'_>, by: &Caller, new: &Password) -> Result<bool, IdentityError> {
    let enabled = credential::by_slot(tx, new.principal, &new.slot).await?.is_none_or(|(old, _)| old.enabled);
    let own = by.known().is_some_and(|known| known.principal == new.principal);
    if enabled || !own { Ok(enabled) } else { Err(IdentityError::Disabled) }
}
