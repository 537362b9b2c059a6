//! The use cases behind the control socket and the operator's commands.

use std::sync::{Arc, Mutex, PoisonError};

use access::{Access, Operator};
use identity::{Bootstrap, Identity, IdentityError, UpdateAccount};
use model::{AccountAlias, AccountId, InstanceName, Op, Seconds, Timestamp};
use store::account::Account;

use super::{AccountChanges, AccountRow, NetworkReset, NewAccount, Prepared, ResetRow};
use crate::bootstrap::secrets_text;
use crate::house::House;

/// Accounts that are made up and wait to be written, and how long.
const MAX_WAITING: usize = 8;
const PATIENCE: Seconds = Seconds::minutes(1);

/// Where whoever holds the server's configuration is served.
pub(crate) struct Desk {
    access: Arc<Access>,
    identity: Arc<Identity>,
    /// Where clients find the server.
    endpoint: String,
    waiting: Mutex<Vec<(Timestamp, Bootstrap)>>,
}

impl Desk {
    pub(crate) fn new(house: &House, endpoint: String) -> Self {
        let (access, identity) = (Arc::clone(&house.access), Arc::clone(&house.identity));
        Self { access, identity, endpoint, waiting: Mutex::default() }
    }

    #[expect(clippy::disallowed_methods, reason = "whoever stands at the desk holds the server's configuration")]
    fn operator(&self, op: &Op) -> Operator {
        self.access.operator(op)
    }

    /// Makes up an account and keeps it for a minute.
    pub(crate) async fn prepare(&self, op: &Op, new: NewAccount) -> Result<Prepared, IdentityError> {
        let prepared = self.identity.prepare_account(&self.operator(op), wanted(new)?).await?;
        let endpoint = prepared.hosts.first().map_or_else(|| self.endpoint.clone(), |host| endpoint_at(&self.endpoint, host));
        let file = secrets_text(&prepared, &endpoint).to_string();
        let account_id = prepared.account.to_string();
        let mut waiting = self.waiting(op.now);
        if waiting.len() >= MAX_WAITING {
            return Err(IdentityError::Busy);
        }
        waiting.push((op.now, prepared));
        Ok(Prepared { preparation: account_id.clone(), account_id, file })
    }

    /// Writes an account that was made up within the last minute.
    pub(crate) async fn create(&self, op: &Op, preparation: &str) -> Result<AccountRow, IdentityError> {
        let missing = IdentityError::NotFound("prepared account");
        let id = preparation.parse::<AccountId>().map_err(|_| IdentityError::NotFound("prepared account"))?;
        let prepared = {
            let mut waiting = self.waiting(op.now);
            let place = waiting.iter().position(|(_, one)| one.account == id).ok_or(missing)?;
            waiting.swap_remove(place).1
        };
        let made = self.identity.create_account(self.operator(op), &prepared).await?;
        Ok(row((made, prepared.hosts)))
    }

    /// A page of accounts by id.
    pub(crate) async fn list(&self, op: &Op, after: i64) -> Result<Vec<AccountRow>, IdentityError> {
        let all = self.identity.list_accounts(self.operator(op), after).await?;
        Ok(all.into_iter().map(row).collect())
    }

    /// Suspends an account, lets it go on, hands it domains. `account`: id or alias.
    pub(crate) async fn update(&self, op: &Op, account: &str, changes: AccountChanges) -> Result<AccountRow, IdentityError> {
        let wanted = UpdateAccount { enabled: changes.enabled, domains: changes.domains };
        self.identity.update_account(self.operator(op), account, wanted).await.map(row)
    }

    /// Lets everybody in again at an instance's public endpoint.
    pub(crate) async fn reset_network(&self, op: &Op, reset: NetworkReset) -> Result<ResetRow, IdentityError> {
        let on = self.identity.reset_endpoints(self.operator(op), reset.instance.as_deref()).await?;
        Ok(ResetRow { account_id: on.account.to_string(), instance_id: on.id.to_string(), name: on.name.to_string() })
    }

    /// The nodes that serve.
    pub(crate) async fn nodes(&self, op: &Op) -> Result<Vec<api::Node>, IdentityError> {
        let nodes = self.identity.list_nodes_as_operator(self.operator(op)).await?;
        Ok(nodes.into_iter().map(door_manage::node).collect())
    }

    /// What waits, without what has waited too long.
    fn waiting(&self, now: Timestamp) -> std::sync::MutexGuard<'_, Vec<(Timestamp, Bootstrap)>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|(since, _)| since.plus(PATIENCE) > now);
        waiting
    }
}

fn wanted(new: NewAccount) -> Result<identity::NewAccount, IdentityError> {
    let invalid = |field| move |error: model::NameError| IdentityError::Invalid { field, problem: error.rule.to_owned() };
    let alias = new.alias.as_deref().map(AccountAlias::parse).transpose().map_err(invalid("alias"))?;
    let instance = InstanceName::parse(new.instance.as_deref().unwrap_or("local")).map_err(invalid("instance"))?;
    Ok(identity::NewAccount { alias, instance, hosts: new.hosts })
}

fn row((account, domains): (Account, Vec<String>)) -> AccountRow {
    let account = api::Account {
        account_id: account.id.to_string(),
        uuid: account.uuid,
        alias: account.alias,
        enabled: account.enabled,
        created_at: account.created,
    };
    AccountRow { account, domains }
}

/// The same server by another host name: scheme and port stay.
fn endpoint_at(endpoint: &str, host: &str) -> String {
    let (scheme, authority) = endpoint.split_once("://").unwrap_or(("http", endpoint));
    let port = authority.rsplit_once(':').map(|(_, port)| port).filter(|port| port.bytes().all(|b| b.is_ascii_digit()));
    port.map_or_else(|| format!("{scheme}://{host}"), |port| format!("{scheme}://{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_host_name_keeps_scheme_and_port() {
        for (endpoint, want) in [
            ("http://127.0.0.1:5000", "http://b.example:5000"),
            ("https://registry.example", "https://b.example"),
            ("https://[::1]:8443", "https://b.example:8443"),
            ("https://[::1]", "https://b.example"),
        ] {
            assert_eq!(endpoint_at(endpoint, "b.example"), want);
        }
    }
}
