//! Accounts: show.

use access::Permit;
use model::act;
use store::account::{self, Account};

use crate::{Identity, IdentityError};

impl Identity {
    /// The account.
    pub async fn show_account(&self, permit: Permit<act::GetAccountAlias>) -> Result<Account, IdentityError> {
        let id = permit.on().0;
        let found = self.read(|tx| Box::pin(account::account_by_id(tx, id))).await?;
        found.ok_or(IdentityError::NotFound("account"))
    }
}
