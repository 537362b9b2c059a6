//! Login names (contract, "Names and login names"): which principal a user name means, and which user names mean a principal.

use std::sync::Arc;

use access::PrincipalRights;
use model::{AccountId, Caller, CredentialId, OnPrincipal, PrincipalId, PrincipalKind};
use store::account::{self, Principal};
use store::{StoreError, Tx};

use crate::{Identity, IdentityError};

/// The user names of a login token that are not its owner's.
const TEMPORARY: [&str; 2] = ["cr_temp_user", "temp_user_cr"];

/// Longer user names mean nobody.
pub(crate) const MAX: usize = 256;

/// The principal that `username` means in `account`: `root`, the account's id, `NAME`, `NAME@ACCOUNT`, a numeric user id; of a
/// service account also its client id, `tcr$NAME` and `tcr@NAME`.
pub(crate) async fn resolve(tx: &mut Tx<'_>, account: AccountId, username: &str) -> Result<Option<Principal>, StoreError> {
    if username.len() > MAX || username.contains(char::is_control) {
        return Ok(None);
    }
    if let Some(name) = username.strip_prefix("tcr$").or_else(|| username.strip_prefix("tcr@")) {
        return account::principal_named(tx, account, PrincipalKind::ServiceAccount, name).await;
    }
    if uuid::Uuid::try_parse(username).is_ok() {
        let found = account::principal_by_uuid(tx, account, &username.to_ascii_lowercase()).await?;
        return Ok(found.filter(|p| p.kind == PrincipalKind::ServiceAccount));
    }
    let (name, account) = match username.rsplit_once('@') {
        // An account that is not there has nobody in it: that takes a read to say, like anything else.
        Some((name, domain)) => (name, account::find_account(tx, domain).await?.map_or(AccountId::from_i64(0), |found| found.id)),
        None => (username, account),
    };
    let id = if name == "root" { Some(account.root()) } else { name.parse::<PrincipalId>().ok() };
    match id {
        Some(id) => Ok(account::principal_by_id(tx, id).await?.filter(|p| p.account == account)),
        None => account::principal_by_name(tx, account, name).await,
    }
}

/// The account that a user name speaks of: the one it says, or else `here`. One read, whatever it says.
pub(crate) async fn account_of(tx: &mut Tx<'_>, here: AccountId, username: &str) -> Result<AccountId, StoreError> {
    if username.len() > MAX || username.contains(char::is_control) {
        return Ok(here);
    }
    let said = match (username.rsplit_once('@'), username.parse::<PrincipalId>()) {
        (Some((_, domain)), _) => account::find_account(tx, domain).await?.map(|found| found.id),
        (None, Ok(id)) => account::principal_by_id(tx, id).await?.map(|found| found.account),
        (None, Err(_)) => None,
    };
    Ok(said.unwrap_or(here))
}

/// The principal of this kind that `text` means: those with a login name by all of them, the others by name or id.
async fn named(tx: &mut Tx<'_>, account: AccountId, kind: PrincipalKind, text: &str) -> Result<Option<Principal>, StoreError> {
    let found = match (kind, text.parse::<PrincipalId>()) {
        (PrincipalKind::Root | PrincipalKind::User | PrincipalKind::ServiceAccount, _) => resolve(tx, account, text).await?,
        (PrincipalKind::Group | PrincipalKind::Role | PrincipalKind::Admin, Ok(id)) => account::principal_by_id(tx, id).await?,
        (PrincipalKind::Group | PrincipalKind::Role | PrincipalKind::Admin, Err(_)) => {
            account::principal_named(tx, account, kind, text).await?
        }
    };
    // By noun: the root user is a user.
    Ok(found.filter(|p| p.account == account && p.kind.noun() == kind.noun()))
}

impl Identity {
    /// Is `username` one of this principal's names?
    pub(crate) async fn is_name_of(&self, username: &str, owner: &PrincipalRights) -> Result<bool, StoreError> {
        if owner.kind == PrincipalKind::Admin {
            return Ok(*username == *owner.name);
        }
        let by_name = matches!(owner.kind, PrincipalKind::User | PrincipalKind::ServiceAccount);
        if by_name && *username == *owner.name {
            return Ok(true);
        }
        let found = self.read(|tx| Box::pin(resolve(tx, owner.account, username))).await?;
        Ok(found.is_some_and(|p| p.id == owner.id))
    }

    /// May a login token of this principal be presented under `username`?
    pub(crate) async fn may_be_temporary(&self, username: &str, owner: &PrincipalRights) -> Result<bool, StoreError> {
        if TEMPORARY.contains(&username) {
            return Ok(true);
        }
        self.is_name_of(username, owner).await
    }

    /// The principal of this kind whom `text` (a name, a numeric id, a service account's client id) means in the caller's
    /// account, as something to ask a permit for: there or not, so that rights are decided before anything is told. The root
    /// user is a user here.
    pub async fn principal(&self, caller: &Caller, kind: PrincipalKind, text: &str) -> Result<OnPrincipal, IdentityError> {
        let known = caller.known().ok_or(IdentityError::NotFound(kind.words()))?;
        let account = known.account;
        if text.contains(char::is_control) {
            return Err(IdentityError::NotFound(kind.words()));
        }
        let plain = text.len() <= 64 && !text.contains('@');
        let found = if plain { self.read(|tx| Box::pin(named(tx, account, kind, text))).await? } else { None };
        Ok(match found {
            Some(p) => OnPrincipal { account, id: Some(p.id), kind: p.kind, name: p.name },
            None => OnPrincipal { account, id: None, kind, name: text.chars().take(64).collect::<String>().into() },
        })
    }

    /// The caller as a user.
    pub fn oneself(caller: &Caller) -> Result<OnPrincipal, IdentityError> {
        let known = caller.known().ok_or(IdentityError::NotFound("user"))?;
        Ok(OnPrincipal { account: known.account, id: Some(known.principal), kind: known.kind, name: Arc::clone(&known.name) })
    }

    /// Whose credential this is, if it is of the caller's account.
    pub async fn owner_of_credential(&self, caller: &Caller, id: CredentialId) -> Result<OnPrincipal, IdentityError> {
        let found = self.read(|tx| Box::pin(store::credential::by_id(tx, id))).await?;
        self.owner(caller, found.map(|c| c.principal), "credential").await
    }

    /// Whose access key this is, if it is of the caller's account.
    pub async fn owner_of_access_key(&self, caller: &Caller, access_key_id: &str) -> Result<OnPrincipal, IdentityError> {
        let found = self.read(|tx| Box::pin(store::credential::by_access_key(tx, access_key_id))).await?;
        self.owner(caller, found.map(|(c, _)| c.principal), "access key").await
    }

    async fn owner(&self, caller: &Caller, principal: Option<PrincipalId>, what: &'static str) -> Result<OnPrincipal, IdentityError> {
        let missing = IdentityError::NotFound(what);
        let (Some(known), Some(id)) = (caller.known(), principal) else { return Err(missing) };
        let owner = self.access.directory().principal(id).await?;
        match owner.filter(|o| o.account == known.account) {
            Some(owner) => Ok(OnPrincipal { account: owner.account, id: Some(id), kind: owner.kind, name: Arc::clone(&owner.name) }),
            None => Err(missing),
        }
    }
}
