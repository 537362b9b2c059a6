//! Access credentials, and every credential as something to list, disable, enable and delete.

use access::{Permit, Record, audit};
use model::{ActionKind, CredentialId, CredentialKind, InstanceId, IntegrationId, OnPrincipal, Op, PrincipalId, Seconds, act};
use secrets::{Kind, Plain};
use store::change::{self, Change};
use store::credential::{self, Credential, Kept};
use store::{StoreError, Tx};

use crate::principals::there;
use crate::{Identity, IdentityError};

/// Access credentials of one user.
pub(crate) const MAX: i64 = 100;
/// Credentials of one principal that are listed.
const LISTED: i64 = 1000;
/// What the rights over access credentials reach: the registry's own kinds, never what opens the management API.
const REGISTRY_KINDS: &[CredentialKind] = &[CredentialKind::AccessCredential, CredentialKind::PermanentPassword];
/// An integration that has used a credential within so long runs with it.
const RECENT: Seconds = Seconds::days(1);
/// Ten years.
const LONGEST: Seconds = Seconds::days(3650);

/// An access credential that is asked for.
#[derive(Clone, Debug)]
pub struct CreateCredential {
    /// What it is for: 1 to 256 characters.
    pub description: String,
    /// When it ends by itself; none: never.
    pub expires_in: Option<Seconds>,
    /// The one instance it is for; none: all.
    pub instance: Option<InstanceId>,
    /// What it is made for.
    pub integration: Option<IntegrationId>,
}

/// A new access credential: the only time its secret is seen.
#[derive(Debug)]
pub struct NewCredential {
    /// Everything but the secret.
    pub credential: Credential,
    /// The user name to present it with.
    pub username: String,
    /// The secret.
    pub secret: Plain,
}

impl Identity {
    /// Creates an access credential for a user.
    pub async fn create_credential(
        &self,
        permit: Permit<act::CreateAccessCredential>,
        wanted: CreateCredential,
    ) -> Result<NewCredential, IdentityError> {
        let description = checked_description(&wanted.description)?;
        let expires = checked_expiry(permit.op(), wanted.expires_in)?;
        let integration = self.present_integration(wanted.integration).await?;
        let owner = there(permit.on())?;
        self.access.may_stand_in_for(permit.op(), permit.by(), owner).await?;
        let secret = self.dice.with(|random| secrets::generate(Kind::AccessCredential, random));
        let new = &Credential {
            instance: wanted.instance,
            description,
            expires,
            integration,
            ..self.blank(permit.op(), permit.by(), permit.on(), CredentialKind::AccessCredential)?
        };
        let kept = &Kept::Hash(*self.keeper.pepper.hash(&secret).as_bytes());
        let record = &permit.success().with_detail(new.id.to_string());
        self.change(permit.op().now, |tx| {
            Box::pin(async move {
                if credential::count(tx, owner, CredentialKind::AccessCredential).await? >= MAX {
                    return Err(IdentityError::Limit { what: "access credentials a user", max: MAX });
                }
                credential::insert(tx, new, None, kept).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await?;
        let username = permit.on().name.to_string();
        Ok(NewCredential { credential: new.clone(), username, secret })
    }

    pub(crate) fn blank(
        &self,
        op: &Op,
        by: &model::Caller,
        owner: &OnPrincipal,
        kind: CredentialKind,
    ) -> Result<Credential, IdentityError> {
        let maker = by.known().ok_or(IdentityError::NotFound("user"))?;
        self.blank_by(op, (maker.principal, &maker.name), owner, kind)
    }

    pub(crate) fn blank_by(
        &self,
        op: &Op,
        (maker, name): (PrincipalId, &str),
        owner: &OnPrincipal,
        kind: CredentialKind,
    ) -> Result<Credential, IdentityError> {
        let id = CredentialId::from_random(self.dice.bits());
        let principal = owner.id.ok_or(IdentityError::NotFound("user"))?;
        Ok(Credential::fresh(id, kind, (owner.account, principal), (op.now, maker, name.to_owned())))
    }

    /// Everything a user, a service account or a role holds, oldest first, without secrets.
    pub async fn list_credentials(&self, permit: Permit<act::ListAccessCredential>) -> Result<Vec<Credential>, IdentityError> {
        let owner = permit.on().id.ok_or(IdentityError::NotFound("user"))?;
        Ok(self.read(|tx| Box::pin(credential::newest_of_principal(tx, owner, LISTED))).await?)
    }

    /// One of the credentials of every kind that a user holds, without its secret.
    pub async fn show_credential(&self, permit: Permit<act::ListAccessCredential>, id: CredentialId) -> Result<Credential, IdentityError> {
        let found: Result<_, StoreError> = self.read(|tx| Box::pin(credential::by_id(tx, id))).await;
        found?.filter(|c| Some(c.principal) == permit.on().id).ok_or(IdentityError::NotFound("credential"))
    }

    /// Enables or disables a credential; disabled, it and every token made from it open nothing anywhere within a second.
    pub async fn set_credential_enabled(
        &self,
        permit: Permit<act::UpdateAccessCredential>,
        id: CredentialId,
        enabled: bool,
    ) -> Result<Credential, IdentityError> {
        let record = permit.success().with_detail(format!("{} {id}", if enabled { "enable" } else { "disable" }));
        self.enable(&permit, (id, REGISTRY_KINDS), enabled, &record).await
    }

    /// Deletes a credential; every token made from it ends. One that an integration has used within the last day is deleted by
    /// `force` alone.
    pub async fn delete_credential(
        &self,
        permit: Permit<act::DeleteAccessCredential>,
        id: CredentialId,
        force: bool,
    ) -> Result<(), IdentityError> {
        let record = permit.success().with_detail(id.to_string());
        if permit.by().known().map(|known| known.principal) == permit.on().id {
            self.not_a_disabled_password(id).await?;
        }
        if !force {
            self.not_in_use(permit.op(), permit.on(), id).await?;
        }
        self.delete(permit.op(), permit.on(), (id, REGISTRY_KINDS), &record).await
    }

    /// Something runs with it: an integration has used it within the last day.
    pub(crate) async fn not_in_use(&self, op: &Op, owner: &OnPrincipal, id: CredentialId) -> Result<(), IdentityError> {
        let found: Result<_, StoreError> = self.read(|tx| Box::pin(credential::by_id(tx, id))).await;
        let found = found?.filter(|c| Some(c.principal) == owner.id && c.integration.is_some());
        match found.and_then(|c| c.last_used).filter(|last| last.plus(RECENT) > op.now) {
            Some(last) => Err(IdentityError::RecentlyUsed { last }),
            None => Ok(()),
        }
    }

    /// Whoever could delete their own disabled password could set another one, and be in again.
    async fn not_a_disabled_password(&self, id: CredentialId) -> Result<(), IdentityError> {
        let found: Result<_, StoreError> = self.read(|tx| Box::pin(credential::by_id(tx, id))).await;
        let disabled = found?.is_some_and(|c| c.kind == CredentialKind::PermanentPassword && !c.enabled);
        if disabled { Err(IdentityError::Disabled) } else { Ok(()) }
    }

    /// Whoever enables a credential lets whoever has it be its owner.
    pub(crate) async fn enable<A: ActionKind<On = OnPrincipal>>(
        &self,
        permit: &Permit<A>,
        (id, kinds): (CredentialId, &'static [CredentialKind]),
        enabled: bool,
        record: &Record,
    ) -> Result<Credential, IdentityError> {
        let (op, owner) = (permit.op(), permit.on());
        if enabled {
            self.access.may_stand_in_for(op, permit.by(), there(owner)?).await?;
        }
        self.change(op.now, |tx| {
            Box::pin(async move {
                let found = owned(tx, owner, id, kinds).await?;
                credential::set_enabled(tx, id, enabled).await?;
                change::append(tx, op.now, Change::Credential(id.as_i64())).await?;
                audit::write(tx, self.access.audit(), record).await?;
                Ok(Credential { enabled, ..found })
            })
        })
        .await
    }

    pub(crate) async fn delete(
        &self,
        op: &Op,
        owner: &OnPrincipal,
        (id, kinds): (CredentialId, &'static [CredentialKind]),
        record: &Record,
    ) -> Result<(), IdentityError> {
        self.change(op.now, |tx| {
            Box::pin(async move {
                owned(tx, owner, id, kinds).await?;
                credential::delete(tx, id).await?;
                change::append(tx, op.now, Change::Credential(id.as_i64())).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await
    }
}

/// The credential, if it is that user's and of a kind that the caller's right is about: an id of somebody else's answers
/// nothing.
async fn owned(tx: &mut Tx<'_>, owner: &OnPrincipal, id: CredentialId, kinds: &[CredentialKind]) -> Result<Credential, IdentityError> {
    let found: Result<_, StoreError> = credential::by_id(tx, id).await;
    let found = found?.filter(|c| Some(c.principal) == owner.id).ok_or(IdentityError::NotFound("credential"))?;
    match found.kind {
        kind if kinds.contains(&kind) => Ok(found),
        CredentialKind::AccessKey => Err(IdentityError::invalid("credential", "this is an access key: it is changed by its own commands")),
        _ => Err(IdentityError::invalid("credential", "a sign-in password is changed by setting another one")),
    }
}

pub(crate) fn checked_description(text: &str) -> Result<String, IdentityError> {
    let text = text.trim();
    let fits = (1..=256).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(IdentityError::invalid("description", "1 to 256 characters that say what it is for")) }
}

pub(crate) fn checked_expiry(op: &Op, life: Option<Seconds>) -> Result<Option<model::Timestamp>, IdentityError> {
    match life {
        None => Ok(None),
        Some(life) if (Seconds::minutes(1)..=LONGEST).contains(&life) => Ok(Some(op.now.plus(life))),
        Some(_) => Err(IdentityError::invalid("expires_in", "one minute to 3650 days")),
    }
}
