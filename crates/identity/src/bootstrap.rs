//! What a new account begins with: its root user with a password and an access key, and one instance. The first start makes
//! one, and whoever holds the server's configuration makes more.

use std::sync::Arc;

use model::{
    AccountAlias, AccountId, CredentialId, CredentialKind, InstanceId, InstanceName, OnInstance, PrincipalId, PrincipalKind, Region,
    Timestamp,
};
use secrets::{PasswordHash, Plain, generate_root_password};
use store::account::{self, Principal};
use store::change::{self, Change};
use store::credential::{self, Credential, Kept};
use store::instance::Instance;
use store::{StoreError, Tx};

use crate::lockout::Network;
use crate::{Identity, IdentityError, instances, passwords};

/// An account that is asked for.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Its alias.
    pub alias: Option<AccountAlias>,
    /// Its instance's name.
    pub instance: InstanceName,
    /// The host names that choose the instance: the account may claim these and every name below.
    pub hosts: Vec<String>,
}

/// A new account, secrets included: to be written to a file of mode 0600 once, never logged.
#[derive(Debug)]
pub struct Bootstrap {
    /// The account.
    pub account: AccountId,
    /// Its instance.
    pub instance: Arc<OnInstance>,
    /// The root user's sign-in password and permanent password at the instance.
    pub root_password: Plain,
    /// The root user's access key.
    pub access_key_id: String,
    /// Its secret.
    pub access_key_secret: Plain,
    /// The host names that choose the instance.
    pub hosts: Vec<String>,
    /// The account's alias.
    pub alias: Option<AccountAlias>,
    rows: Rows,
}

#[derive(Debug)]
struct Rows {
    account_uuid: String,
    root: Principal,
    instance: Instance,
    password: String,
    access_key: (Credential, Kept),
    passwords: [(Credential, String); 2],
    now: Timestamp,
}

impl Bootstrap {
    /// Writes the account and everything that it begins with.
    pub(crate) async fn write(&self, tx: &mut Tx<'_>, created: Timestamp) -> Result<(), IdentityError> {
        let rows = &self.rows;
        account::insert_account(tx, self.account, &rows.account_uuid, created).await?;
        account::insert_principal(tx, &rows.root).await?;
        account::set_domains(tx, self.account, &self.hosts).await?;
        instances::insert(tx, &rows.instance, &self.hosts).await?;
        let (key, kept) = &rows.access_key;
        credential::insert(tx, key, None, kept).await?;
        for (password, slot) in &rows.passwords {
            credential::insert(tx, password, Some(slot), &Kept::Password(rows.password.clone())).await?;
        }
        change::append(tx, rows.now, Change::Account(self.account.as_i64())).await?;
        change::append(tx, rows.now, Change::Principal(rows.root.id.as_i64())).await?;
        change::append(tx, rows.now, Change::Instance(rows.instance.on.id.as_i64())).await?;
        Ok(())
    }
}

impl Identity {
    /// Is there no account yet? Then nobody has started on this database before.
    pub async fn is_new(&self) -> Result<bool, IdentityError> {
        let first: Result<_, StoreError> = self.read(|tx| Box::pin(account::first_account(tx))).await;
        Ok(first?.is_none())
    }

    /// The first account that was made.
    pub async fn first_account(&self) -> Result<Option<AccountId>, IdentityError> {
        let first: Result<_, StoreError> = self.read(|tx| Box::pin(account::first_account(tx))).await;
        Ok(first?.map(|account| account.id))
    }

    /// Makes up the first account, without writing it: its secrets must lie in their file before the database has it.
    pub async fn prepare_bootstrap(&self, now: Timestamp) -> Result<Bootstrap, IdentityError> {
        let instance = InstanceName::parse("local").map_err(|e| IdentityError::invalid("name", e.rule))?;
        self.make_up(NewAccount { alias: None, instance, hosts: Vec::new() }, now).await
    }

    /// The same for any account.
    pub(crate) async fn make_up(&self, new: NewAccount, now: Timestamp) -> Result<Bootstrap, IdentityError> {
        let hosts = instances::checked_hosts(new.hosts)?;
        // It shares the users' space of names, so it may not be a name that they cannot have.
        model::LoginName::parse(new.instance.as_str()).map_err(|e| IdentityError::invalid("instance", e.rule))?;
        let account = AccountId::from_random(self.dice.bits());
        let instance = self.first_instance(account, new.instance, now)?;
        let root = Principal { id: account.root(), ..self.new_principal(account, PrincipalKind::Root, "root", now) };
        let chosen = self.dice.with(|random| generate_root_password(random));
        let root_password = Plain::new(chosen.as_plain().reveal().to_owned()).map_err(|_| IdentityError::Sealing)?;
        let here = Network::of(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
        let hash: PasswordHash = self.hashing.hash(here, chosen).await.map_err(|_| IdentityError::Busy)?;
        let (key, kept) = self.generate_access_key(self.first_credential(&root, CredentialKind::AccessKey, None, now))?;
        let id = instance.on.id;
        let permanent = self.first_credential(&root, CredentialKind::PermanentPassword, Some(id), now);
        let sign_in = self.first_credential(&root, CredentialKind::SignInPassword, None, now);
        let rows = Rows {
            account_uuid: uuid::Builder::from_random_bytes(self.dice.bits128().to_be_bytes()).into_uuid().to_string(),
            passwords: [(permanent, passwords::permanent_slot(id)), (sign_in, passwords::SIGN_IN.into())],
            password: hash.to_phc(),
            access_key: (key.credential, kept),
            root,
            now,
            instance,
        };
        Ok(Bootstrap {
            account,
            instance: Arc::clone(&rows.instance.on),
            root_password,
            access_key_id: key.access_key_id,
            access_key_secret: key.secret,
            hosts,
            alias: new.alias,
            rows,
        })
    }

    /// Writes the first account. False: another node was first, nothing was written.
    pub async fn commit_bootstrap(&self, bootstrap: &Bootstrap) -> Result<bool, IdentityError> {
        let rows = &bootstrap.rows;
        self.change(rows.now, |tx| {
            Box::pin(async move {
                if account::first_account(tx).await?.is_some() {
                    return Ok(false);
                }
                bootstrap.write(tx, rows.now).await?;
                Ok(true)
            })
        })
        .await
    }

    fn first_instance(&self, account: AccountId, name: InstanceName, now: Timestamp) -> Result<Instance, IdentityError> {
        let region = Region::parse("local").map_err(|e| IdentityError::invalid("region", e.rule))?;
        let on = OnInstance { account, id: InstanceId::from_random(self.dice.bits()), name, region };
        Ok(Instance { on: Arc::new(on), is_default: true, auto_create_namespace: true, identity_tokens: false, created: now, updated: now })
    }

    fn first_credential(&self, root: &Principal, kind: CredentialKind, instance: Option<InstanceId>, now: Timestamp) -> Credential {
        let id = CredentialId::from_random(self.dice.bits());
        let principal = PrincipalId::from_i64(root.id.as_i64());
        let fresh = Credential::fresh(id, kind, (root.account, principal), (now, root.id, root.name.to_string()));
        Credential { instance, description: "made with the account".into(), ..fresh }
    }
}
