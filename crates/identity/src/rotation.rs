//! Rotation: a new secret in an old one's place, while the old one lives on for a set overlap.
//!
//! It takes the right to create (`docs/decisions/rotation.md`): a new secret outlives the disabling of the old one, so that
//! whoever has stolen one must not be able to make another of it.

use access::{Permit, Record, audit};
use model::{CredentialId, CredentialKind, OnPrincipal, Op, Seconds, Timestamp, act};
use secrets::{Kind, Plain};
use store::change::{self, Change};
use store::credential::{self, Credential, Kept};
use store::{StoreError, Tx};

use crate::principals::there;
use crate::{Identity, IdentityError, access_keys, client_secrets, credentials};

/// The old one lives so long unless told otherwise.
const OVERLAP: Seconds = Seconds::hours(24);
const LONGEST_OVERLAP: Seconds = Seconds::days(30);

/// A new secret in an old one's place: the only time that it is seen.
#[derive(Debug)]
pub struct Rotated {
    /// The new one.
    pub new: Credential,
    /// The user name to present it with.
    pub username: String,
    /// Its secret.
    pub secret: Plain,
    /// The old one, with its end.
    pub old: Credential,
}

/// What rotating needs to know of a kind.
#[derive(Clone, Copy)]
struct Rules {
    kind: CredentialKind,
    max: i64,
    what: &'static str,
}

const ACCESS_CREDENTIALS: Rules =
    Rules { kind: CredentialKind::AccessCredential, max: credentials::MAX, what: "access credentials a user" };
const CLIENT_SECRETS: Rules = Rules { kind: CredentialKind::ClientSecret, max: client_secrets::MAX, what: "secrets a service account" };
const ACCESS_KEYS: Rules = Rules { kind: CredentialKind::AccessKey, max: access_keys::MAX, what: "access keys a user" };

/// A secret that is ready to be written.
struct Ready {
    credential: Credential,
    secret: Plain,
    kept: Kept,
}

impl Identity {
    /// Gives an access credential a successor with the same owner, description, instance, integration and span of life.
    /// `_end` is the right to let the old one end.
    pub async fn rotate_credential(
        &self,
        permit: Permit<act::CreateAccessCredential>,
        _end: Permit<act::UpdateAccessCredential>,
        id: CredentialId,
        overlap: Option<Seconds>,
    ) -> Result<Rotated, IdentityError> {
        let ends = end_of_overlap(permit.op(), overlap)?;
        let (old, blank) = self.successor(permit.op(), permit.by(), permit.on(), (id, ACCESS_CREDENTIALS.kind)).await?;
        let ready = self.generated(Kind::AccessCredential, blank);
        let username = permit.on().name.to_string();
        self.rotate(permit.op(), username, ACCESS_CREDENTIALS, (old, ends), ready, permit.success()).await
    }

    /// Gives a service account's secret a successor. `_end` is the right to let the old one end.
    pub async fn rotate_client_secret(
        &self,
        permit: Permit<act::CreateClientSecret>,
        _end: Permit<act::UpdateClientSecret>,
        id: CredentialId,
        overlap: Option<Seconds>,
    ) -> Result<Rotated, IdentityError> {
        let ends = end_of_overlap(permit.op(), overlap)?;
        let (old, blank) = self.successor(permit.op(), permit.by(), permit.on(), (id, CLIENT_SECRETS.kind)).await?;
        let ready = self.generated(Kind::ClientSecret, blank);
        let username = self.shown(&permit).await?.uuid;
        self.rotate(permit.op(), username, CLIENT_SECRETS, (old, ends), ready, permit.success()).await
    }

    fn generated(&self, kind: Kind, credential: Credential) -> Ready {
        let secret = self.dice.with(|random| secrets::generate(kind, random));
        let kept = Kept::Hash(*self.keeper.pepper.hash(&secret).as_bytes());
        Ready { credential, secret, kept }
    }

    /// Gives an access key a successor. `_end` is the right to let the old one end.
    pub async fn rotate_access_key(
        &self,
        permit: Permit<act::CreateAccessKey>,
        _end: Permit<act::UpdateAccessKey>,
        access_key_id: &str,
        overlap: Option<Seconds>,
    ) -> Result<Rotated, IdentityError> {
        let ends = end_of_overlap(permit.op(), overlap)?;
        let found = self.own_key(permit.on(), access_key_id).await?;
        let (old, blank) = self.successor(permit.op(), permit.by(), permit.on(), (found.id, ACCESS_KEYS.kind)).await?;
        let (new, kept) = self.generate_access_key(blank)?;
        let ready = Ready { credential: new.credential, secret: new.secret, kept };
        let username = permit.on().name.to_string();
        self.rotate(permit.op(), username, ACCESS_KEYS, (old, ends), ready, permit.success()).await
    }

    /// The old one, and everything of the new one but its secret.
    async fn successor(
        &self,
        op: &Op,
        by: &model::Caller,
        owner: &OnPrincipal,
        (id, kind): (CredentialId, CredentialKind),
    ) -> Result<(Credential, Credential), IdentityError> {
        // Whoever makes a secret of somebody's can be them.
        self.access.may_stand_in_for(op, by, there(owner)?).await?;
        let found: Result<_, StoreError> = self.read(|tx| Box::pin(credential::by_id(tx, id))).await;
        let old = found?.filter(|c| Some(c.principal) == owner.id).ok_or(IdentityError::NotFound("credential"))?;
        if old.kind != kind {
            let problem = "this kind is not rotated here: access keys and client secrets have their own commands, passwords are set anew";
            return Err(IdentityError::invalid("credential", problem));
        }
        // Whose successor was deleted is rotated again, and its end was brought forward the first time.
        let end = if old.replaced_by.is_some() { old.planned } else { old.expires };
        let span = end.map(|end| end.millis_since(old.created));
        let new = Credential {
            instance: old.instance,
            description: old.description.clone(),
            integration: old.integration,
            expires: span.map(|span| Timestamp::from_millis(op.now.millis() + span)),
            ..self.blank(op, by, owner, kind)?
        };
        Ok((old, new))
    }

    async fn rotate(
        &self,
        op: &Op,
        username: String,
        rules: Rules,
        (old, ends): (Credential, Timestamp),
        ready: Ready,
        record: Record,
    ) -> Result<Rotated, IdentityError> {
        let (new, kept, old) = (&ready.credential, &ready.kept, &old);
        let record = &record.with_detail(format!("rotate {} to {}, which ends {ends}", old.id, new.id));
        self.change(op.now, |tx| {
            Box::pin(async move {
                may_be_rotated(tx, op, old.id).await?;
                // What was rotated and has ended since is of no use to anybody, and would count.
                for ended in credential::delete_replaced(tx, new.principal, rules.kind, op.now).await? {
                    change::append(tx, op.now, Change::Credential(ended.as_i64())).await?;
                }
                if credential::count(tx, new.principal, rules.kind).await? >= rules.max {
                    return Err(IdentityError::Limit { what: rules.what, max: rules.max });
                }
                credential::insert(tx, new, None, kept).await?;
                credential::replace(tx, old.id, new.id, ends).await?;
                change::append(tx, op.now, Change::Credential(old.id.as_i64())).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await?;
        let ended = old.expires.map_or(ends, |sooner| sooner.min(ends));
        let old = Credential { expires: Some(ended), replaced_by: Some(new.id), ..old.clone() };
        Ok(Rotated { username, old, new: ready.credential, secret: ready.secret })
    }
}

fn end_of_overlap(op: &Op, overlap: Option<Seconds>) -> Result<Timestamp, IdentityError> {
    let overlap = overlap.unwrap_or(OVERLAP);
    let fits = (Seconds(0)..=LONGEST_OVERLAP).contains(&overlap);
    if fits { Ok(op.now.plus(overlap)) } else { Err(IdentityError::invalid("overlap", "0 seconds to 30 days")) }
}

/// Only what works now, and has no successor: of two rotations at once, one wins. Whoever could rotate a disabled one would
/// have enabled it.
async fn may_be_rotated(tx: &mut Tx<'_>, op: &Op, id: CredentialId) -> Result<(), IdentityError> {
    let old = credential::by_id(tx, id).await?.ok_or(IdentityError::NotFound("credential"))?;
    if !old.enabled || old.expires.is_some_and(|end| end <= op.now) {
        return Err(IdentityError::invalid("credential", "it is disabled or has ended: create a new one instead"));
    }
    match old.replaced_by {
        Some(successor) if credential::by_id(tx, successor).await?.is_some() => {
            Err(IdentityError::InUse(format!("{id} was rotated already: {successor} has its place; rotate that one")))
        }
        _ => Ok(()),
    }
}
