//! Accounts: show and name one's own; make, list, suspend and resume them, for whoever holds the server's configuration.

use access::{Operator, Permit, Record, audit};
use model::{AccountAlias, AccountId, Timestamp, act};
use store::account::{self, Account};
use store::change::{self, Change};
use store::{StoreError, Tx, instance};

use crate::bootstrap::{Bootstrap, NewAccount};
use crate::{Identity, IdentityError, instances};

/// Accounts of one server.
const MAX: i64 = 10_000;
/// Accounts in one page.
const PAGE: i64 = 500;

/// What to change of an account, for whoever holds the server's configuration; none: as it is.
#[derive(Clone, Debug, Default)]
pub struct UpdateAccount {
    /// Suspended: nobody of it is anybody.
    pub enabled: Option<bool>,
    /// The host names that it may claim, each with every name below.
    pub domains: Option<Vec<String>>,
}

impl Identity {
    /// The account.
    pub async fn show_account(&self, permit: Permit<act::GetAccountAlias>) -> Result<Account, IdentityError> {
        let id = permit.on().0;
        let found = self.read(|tx| Box::pin(account::account_by_id(tx, id))).await?;
        found.ok_or(IdentityError::NotFound("account"))
    }

    /// Gives the account an alias. That one is taken has to be said; whose it is, is not.
    pub async fn set_account_alias(&self, permit: Permit<act::SetAccountAlias>, alias: AccountAlias) -> Result<Account, IdentityError> {
        let record = permit.success().with_detail(alias.to_string());
        self.put_alias((permit.on().0, permit.op().now), Some(&alias), &record).await
    }

    /// Takes the account's alias away.
    pub async fn clear_account_alias(&self, permit: Permit<act::ClearAccountAlias>) -> Result<Account, IdentityError> {
        self.put_alias((permit.on().0, permit.op().now), None, &permit.success()).await
    }

    async fn put_alias(
        &self,
        (id, now): (AccountId, Timestamp),
        alias: Option<&AccountAlias>,
        record: &Record,
    ) -> Result<Account, IdentityError> {
        self.change(now, |tx| {
            Box::pin(async move {
                take_alias(tx, id, alias).await?;
                change::append(tx, now, Change::Account(id.as_i64())).await?;
                audit::write(tx, self.access.audit(), record).await?;
                account::account_by_id(tx, id).await?.ok_or(IdentityError::NotFound("account"))
            })
        })
        .await
    }

    /// Makes up a further account, without writing it: its secrets must lie in their file before the database has it.
    pub async fn prepare_account(&self, by: &Operator, new: NewAccount) -> Result<Bootstrap, IdentityError> {
        self.make_up(new, by.op().now).await
    }

    /// Writes a further account.
    pub async fn create_account(&self, by: Operator, new: &Bootstrap) -> Result<Account, IdentityError> {
        let (now, id) = (by.op().now, new.account);
        let record = &by.success(id, "operator:CreateAccount");
        self.change(now, |tx| {
            Box::pin(async move {
                let (count, last) = account::accounts_made(tx).await?;
                // The first account stays the first, whatever the clock does.
                let Some(last) = last else { return Err(IdentityError::InUse("the server has no first account: start it first".into())) };
                if count >= MAX {
                    return Err(IdentityError::Limit { what: "accounts a server", max: MAX });
                }
                check_domains(tx, id, &new.hosts).await?;
                new.write(tx, now.max(Timestamp::from_millis(last.millis() + 1))).await?;
                take_alias(tx, id, new.alias.as_ref()).await?;
                audit::write(tx, self.access.audit(), record).await?;
                account::account_by_id(tx, id).await?.ok_or(IdentityError::NotFound("account"))
            })
        })
        .await
    }

    /// A page of the server's accounts by id, after `after`, with the domains that each has been handed.
    pub async fn list_accounts(&self, _by: Operator, after: i64) -> Result<Vec<(Account, Vec<String>)>, IdentityError> {
        let all: Result<_, StoreError> = self
            .read(|tx| {
                Box::pin(async move {
                    let mut all = Vec::new();
                    for one in account::accounts(tx, after, PAGE).await? {
                        let domains = account::domains(tx, one.id).await?;
                        all.push((one, domains));
                    }
                    Ok(all)
                })
            })
            .await;
        Ok(all?)
    }

    /// Suspends an account, lets it go on, or hands it other domains. `text`: its id or alias.
    pub async fn update_account(&self, by: Operator, text: &str, wanted: UpdateAccount) -> Result<(Account, Vec<String>), IdentityError> {
        let now = by.op().now;
        let domains = wanted.domains.map(instances::checked_hosts).transpose()?;
        let (by, domains) = (&by, &domains);
        self.change(now, |tx| {
            Box::pin(async move {
                let missing = IdentityError::NotFound("account");
                let id = account::find_account(tx, text).await?.ok_or(missing)?.id;
                if let Some(enabled) = wanted.enabled {
                    account::set_account_enabled(tx, id, enabled).await?;
                    let what = if enabled { "operator:ResumeAccount" } else { "operator:SuspendAccount" };
                    audit::write(tx, self.access.audit(), &by.success(id, what)).await?;
                }
                if let Some(domains) = domains {
                    check_domains(tx, id, domains).await?;
                    account::set_domains(tx, id, domains).await?;
                    let record = by.success(id, "operator:SetAccountDomains").with_detail(domains.join(" "));
                    audit::write(tx, self.access.audit(), &record).await?;
                }
                change::append(tx, now, Change::Account(id.as_i64())).await?;
                let changed = account::account_by_id(tx, id).await?.ok_or(IdentityError::NotFound("account"))?;
                Ok((changed, account::domains(tx, id).await?))
            })
        })
        .await
    }
}

async fn take_alias(tx: &mut Tx<'_>, id: AccountId, alias: Option<&AccountAlias>) -> Result<(), IdentityError> {
    if let Some(alias) = alias
        && account::find_account(tx, alias.as_str()).await?.is_some_and(|owner| owner.id != id)
    {
        return Err(IdentityError::Taken { what: "account alias", name: alias.to_string() });
    }
    account::set_alias(tx, id, alias.map(AccountAlias::as_str)).await?;
    Ok(())
}

/// A domain is handed to one account, and to none while another has an instance there.
async fn check_domains(tx: &mut Tx<'_>, id: AccountId, domains: &[String]) -> Result<(), IdentityError> {
    for domain in domains {
        let handed = account::domain_owner(tx, domain).await?.is_some_and(|owner| owner != id);
        if handed || instance::others_at(tx, id, domain).await? {
            return Err(IdentityError::Taken { what: "host of another account", name: domain.clone() });
        }
    }
    Ok(())
}

/// May the account claim this host name? The nearest domain that has been handed to somebody decides; a name that nobody has
/// been handed is the first account's, as is every name that nobody claims.
pub(crate) async fn may_claim(tx: &mut Tx<'_>, id: AccountId, host: &str) -> Result<(), IdentityError> {
    let mut domain = Some(host);
    while let Some(name) = domain {
        match account::domain_owner(tx, name).await? {
            Some(owner) if owner == id => return Ok(()),
            Some(_) => return Err(IdentityError::Taken { what: "host", name: host.to_owned() }),
            None => domain = name.split_once('.').map(|(_, parent)| parent),
        }
    }
    if account::first_account(tx).await?.is_none_or(|first| first.id == id) {
        return Ok(());
    }
    let problem = format!("{host} has not been handed to this account: whoever runs the server does that (`tidegate account domains`)");
    Err(IdentityError::invalid("hosts", problem))
}
