//! Login names (contract, "Names and login names"): which principal a user name means, and which user names mean a principal.

use std::sync::Arc;

use access::PrincipalRights;
use model::{AccountId, Caller, CredentialId, OnUser, PrincipalId, PrincipalKind};
use store::account::{self, Principal};
use store::{StoreError, Tx};

use crate::{Identity, IdentityError};

/// The user names of a login token that are not its owner's.
const TEMPORARY: [&str; 2] = ["cr_temp_user", "temp_user_cr"];

/// Longer user names mean nobody.
pub(crate) const MAX: usize = 256;

/// The principal that `username` means in `account`: `root`, the account's id, `NAME`, `NAME@ACCOUNT`, a numeric user id.
pub(crate) async fn resolve(tx: &mut Tx<'_>, account: AccountId, username: &str) -> Result<Option<Principal>, StoreError> {
    if username.len() > MAX || username.contains(char::is_control) {
        return Ok(None);
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

impl Identity {
    /// Is `username` one of this principal's names?
    pub(crate) async fn is_name_of(&self, username: &str, owner: &PrincipalRights) -> Result<bool, StoreError> {
        if owner.kind == PrincipalKind::User && *username == *owner.name {
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

    /// The user whom `text` (a name or a numeric id) means in the caller's account, as something to ask a permit for: there
    /// or not, so that rights are decided before anything is told.
    pub async fn user(&self, caller: &Caller, text: &str) -> Result<OnUser, IdentityError> {
        let known = caller.known().ok_or(IdentityError::NotFound("user"))?;
        let account = known.account;
        if text.contains(char::is_control) {
            return Err(IdentityError::NotFound("user"));
        }
        let plain = text.len() <= 64 && !text.contains('@');
        let found = if plain { self.read(|tx| Box::pin(resolve(tx, account, text))).await? } else { None };
        Ok(match found {
            Some(p) => OnUser { account, id: Some(p.id), name: p.name },
            None => OnUser { account, id: None, name: text.chars().take(64).collect::<String>().into() },
        })
    }

    /// The caller as a user.
    pub fn oneself(caller: &Caller) -> Result<OnUser, IdentityError> {
        let known = caller.known().ok_or(IdentityError::NotFound("user"))?;
        Ok(OnUser { account: known.account, id: Some(known.principal), name: Arc::clone(&known.name) })
    }

    /// Whose credential this is, if it is of the caller's account.
    pub async fn owner_of_credential(&self, caller: &Caller, id: CredentialId) -> Result<OnUser, IdentityError> {
        let found = self.read(|tx| Box::pin(store::credential::by_id(tx, id))).await?;
        self.owner(caller, found.map(|c| c.principal), "credential").await
    }

    /// Whose access key this is, if it is of the caller's account.
    pub async fn owner_of_access_key(&self, caller: &Caller, access_key_id: &str) -> Result<OnUser, IdentityError> {
        let found = self.read(|tx| Box::pin(store::credential::by_access_key(tx, access_key_id))).await?;
        self.owner(caller, found.map(|(c, _)| c.principal), "access key").await
    }

    async fn owner(&self, caller: &Caller, principal: Option<PrincipalId>, what: &'static str) -> Result<OnUser, IdentityError> {
        let missing = IdentityError::NotFound(what);
        let (Some(known), Some(id)) = (caller.known(), principal) else { return Err(missing) };
        let owner = self.access.directory().principal(id).await?;
        match owner.filter(|o| o.account == known.account) {
            Some(owner) => Ok(OnUser { account: owner.account, id: Some(id), name: Arc::clone(&owner.name) }),
            None => Err(missing),
        }
    }
}
