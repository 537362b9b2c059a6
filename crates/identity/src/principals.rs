//! What users, service accounts, groups and roles have in common as things to manage.

use std::sync::Arc;

use access::{Permit, Record, audit};
use model::{AccountId, ActionKind, CredentialKind, OnPrincipal, Op, PrincipalId, PrincipalKind, Timestamp};
use store::Tx;
use store::account::{self, Principal, Profile};
use store::change::{self, Change};
use store::credential;

use crate::passwords::SIGN_IN;
use crate::{Held, Identity, IdentityError, named};

impl Identity {
    pub(crate) fn new_principal(&self, account: AccountId, kind: PrincipalKind, name: &str, now: Timestamp) -> Principal {
        Principal {
            id: PrincipalId::from_random(self.dice.bits()),
            uuid: uuid::Builder::from_random_bytes(self.dice.bits128().to_be_bytes()).into_uuid().to_string(),
            account,
            kind,
            name: Arc::from(name),
            enabled: true,
            description: String::new(),
            profile: Profile::default(),
            expires: None,
            instance: None,
            created: now,
            updated: None,
        }
    }

    /// The principal that a permit speaks of.
    pub(crate) async fn shown<A: ActionKind<On = OnPrincipal>>(&self, permit: &Permit<A>) -> Result<Principal, IdentityError> {
        let (id, missing) = (there(permit.on())?, IdentityError::NotFound(permit.on().kind.words()));
        self.read(|tx| Box::pin(account::principal_by_id(tx, id))).await?.ok_or(missing)
    }

    /// Principals of one kind by name, after `after`, at most `limit`.
    pub(crate) async fn listed(
        &self,
        account: AccountId,
        kind: PrincipalKind,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Principal>, IdentityError> {
        Ok(self.read(|tx| Box::pin(account::principals(tx, account, kind, after, limit))).await?)
    }

    /// Deletes somebody with all that is theirs: credentials, sessions, attachments, memberships.
    pub(crate) async fn delete_principal(&self, op: &Op, on: &OnPrincipal, record: &Record) -> Result<(), IdentityError> {
        self.delete_leaving(op, on, Leaving::Nothing, record).await
    }

    pub(crate) async fn delete_leaving(&self, op: &Op, on: &OnPrincipal, left: Leaving, record: &Record) -> Result<(), IdentityError> {
        let (id, missing) = (there(on)?, on.kind.words());
        self.change(op.now, |tx| {
            Box::pin(async move {
                if left == Leaving::NothingToLeave {
                    nothing_left(tx, on.kind, id).await?;
                }
                named::free(tx, on.account, on.kind.noun(), &on.name, op.now).await?;
                for credential in store::credential::of_principal(tx, id).await? {
                    change::append(tx, op.now, Change::Credential(credential.id.as_i64())).await?;
                }
                if !account::delete_principal(tx, id).await? {
                    return Err(IdentityError::NotFound(missing));
                }
                change::append(tx, op.now, Change::Principal(id.as_i64())).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await
    }
}

/// What becomes of what somebody has who is deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leaving {
    /// It goes with them.
    Nothing,
    /// Whoever still has keys, policies, groups, members or a sign-in password is not deleted.
    NothingToLeave,
}

async fn nothing_left(tx: &mut Tx<'_>, kind: PrincipalKind, id: PrincipalId) -> Result<(), IdentityError> {
    let held = if credential::count(tx, id, CredentialKind::AccessKey).await? > 0 {
        Held::AccessKey
    } else if !account::members(tx, id, "", 1).await?.is_empty() {
        Held::Member
    } else if !store::policy::attachments(tx, id).await?.is_empty() {
        Held::Policy(kind)
    } else if !account::groups_of(tx, id).await?.is_empty() {
        Held::Group
    } else if kind == PrincipalKind::User && credential::in_slot(tx, id, SIGN_IN).await?.is_some() {
        Held::LoginProfile
    } else {
        return Ok(());
    };
    Err(IdentityError::Holds(held))
}

/// No more than so many of a kind in an account.
pub(crate) async fn room(tx: &mut Tx<'_>, new: &Principal, what: &'static str, max: i64) -> Result<(), IdentityError> {
    if account::count_principals(tx, new.account, new.kind).await? < max {
        return Ok(());
    }
    Err(IdentityError::Limit { what, max })
}

/// Writes a new principal. Those that log in take a login name; the others are named among their kind.
pub(crate) async fn insert(tx: &mut Tx<'_>, new: &Principal) -> Result<(), IdentityError> {
    let logs_in = matches!(new.kind, PrincipalKind::User | PrincipalKind::ServiceAccount);
    if logs_in && !account::take_login_name(tx, new.account, &new.name, new.kind.as_str(), new.id.as_i64()).await? {
        return Err(IdentityError::Taken { what: "user, service account or instance", name: new.name.to_string() });
    }
    if !logs_in && account::principal_named(tx, new.account, new.kind, &new.name).await?.is_some() {
        return Err(IdentityError::Taken { what: new.kind.words(), name: new.name.to_string() });
    }
    named::take(tx, new.account, new.kind.noun(), &new.name).await?;
    account::insert_principal(tx, new).await?;
    Ok(change::append(tx, new.created, Change::Principal(new.id.as_i64())).await?)
}

/// Its id, if it is there.
pub(crate) fn there(on: &OnPrincipal) -> Result<PrincipalId, IdentityError> {
    on.id.ok_or(IdentityError::NotFound(on.kind.words()))
}

/// What something is for, in its maker's words: at most 1024 characters.
pub(crate) fn checked_description(text: &str) -> Result<String, IdentityError> {
    if text.chars().count() > 1024 || text.chars().any(char::is_control) {
        return Err(IdentityError::invalid("description", "at most 1024 characters"));
    }
    Ok(text.to_owned())
}
