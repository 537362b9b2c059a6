//! Accounts and principals, and the one space of login names.

use std::sync::Arc;

use model::{AccountId, InstanceId, PrincipalId, PrincipalKind, Timestamp};

use crate::{Row, StoreError, Tx, params};

/// An account.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its numeric id.
    pub id: AccountId,
    /// Its UUID.
    pub uuid: String,
    /// Its alias, usable in `NAME@ALIAS`.
    pub alias: Option<String>,
    /// Nobody of a suspended account is anybody.
    pub enabled: bool,
    /// Since when.
    pub created: Timestamp,
}

/// A principal.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Its numeric id.
    pub id: PrincipalId,
    /// Its UUID.
    pub uuid: String,
    /// Its account.
    pub account: AccountId,
    /// What kind.
    pub kind: PrincipalKind,
    /// Its name in the account.
    pub name: Arc<str>,
    /// Disabled principals are nobody.
    pub enabled: bool,
    /// What it is for.
    pub description: String,
    /// What else is said of a user.
    pub profile: Profile,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
    /// An admin user's one instance.
    pub instance: Option<InstanceId>,
    /// Since when.
    pub created: Timestamp,
    /// Changed when; none: not since it was made.
    pub updated: Option<Timestamp>,
}

/// What is said of a user for people to read; empty: nothing.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Profile {
    /// What to call them.
    pub display_name: String,
    /// Where to write to.
    pub email: String,
    /// Where to call.
    pub phone: String,
}

/// The columns that [`principal`] reads, in front of what a statement selects them by.
macro_rules! select_principal {
    ($rest:literal) => {
        select_principal!("", $rest)
    };
    // With a further column, of a table that `$rest` joins.
    ($column:literal, $rest:literal) => {
        concat!(
            "SELECT id, uuid, account_id, kind, name, enabled, created_ms, description, expires_ms, instance_id, display_name, email, ",
            "phone, updated_ms",
            $column,
            " FROM principal ",
            $rest
        )
    };
}

fn principal(row: &Row) -> Result<Principal, StoreError> {
    Ok(Principal {
        id: PrincipalId::from_i64(row.get(0)?),
        uuid: row.get(1)?,
        account: AccountId::from_i64(row.get(2)?),
        kind: PrincipalKind::parse(&row.get::<String>(3)?).ok_or_else(|| StoreError::corrupt("principal.kind"))?,
        name: row.get::<String>(4)?.into(),
        enabled: row.get(5)?,
        created: Timestamp::from_millis(row.get(6)?),
        description: row.get(7)?,
        expires: row.get::<Option<i64>>(8)?.map(Timestamp::from_millis),
        instance: row.get::<Option<i64>>(9)?.map(InstanceId::from_i64),
        profile: Profile { display_name: row.get(10)?, email: row.get(11)?, phone: row.get(12)? },
        updated: row.get::<Option<i64>>(13)?.map(Timestamp::from_millis),
    })
}

/// A principal, and since when it is what the statement asked about.
fn principal_since(row: &Row) -> Result<(Principal, Timestamp), StoreError> {
    Ok((principal(row)?, Timestamp::from_millis(row.get(14)?)))
}

/// Writes a new account.
pub async fn insert_account(tx: &mut Tx<'_>, id: AccountId, uuid: &str, now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT INTO account (id, uuid, created_ms) VALUES ($1, $2, $3)";
    tx.execute(sql, params![id.as_i64(), uuid, now.millis()]).await?;
    Ok(())
}

/// Gives an account an alias, or takes it away. `Conflict` when another account has it. False: there is no such account.
pub async fn set_alias(tx: &mut Tx<'_>, id: AccountId, alias: Option<&str>) -> Result<bool, StoreError> {
    Ok(tx.execute("UPDATE account SET alias = $1 WHERE id = $2", params![alias, id.as_i64()]).await? == 1)
}

/// Suspends an account or lets it go on. False: there is none.
pub async fn set_account_enabled(tx: &mut Tx<'_>, id: AccountId, enabled: bool) -> Result<bool, StoreError> {
    Ok(tx.execute("UPDATE account SET enabled = $1 WHERE id = $2", params![enabled, id.as_i64()]).await? == 1)
}

/// How many days an account keeps its audit trail; none: as long as the server's setting says.
pub async fn audit_retention(tx: &mut Tx<'_>, id: AccountId) -> Result<Option<i64>, StoreError> {
    let row = tx.row("SELECT audit_retention_days FROM account WHERE id = $1", params![id.as_i64()]).await?;
    row.map_or(Ok(None), |row| row.get(0))
}

/// Says so. False: there is no such account.
pub async fn set_audit_retention(tx: &mut Tx<'_>, id: AccountId, days: Option<i64>) -> Result<bool, StoreError> {
    Ok(tx.execute("UPDATE account SET audit_retention_days = $1 WHERE id = $2", params![days, id.as_i64()]).await? == 1)
}

/// Whether any account says how long it keeps its audit trail.
pub async fn any_audit_retention(tx: &mut Tx<'_>) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM account WHERE audit_retention_days IS NOT NULL LIMIT 1";
    Ok(tx.row(sql, params![]).await?.is_some())
}

/// The accounts by id, after `after`, at most `limit`.
pub async fn accounts(tx: &mut Tx<'_>, after: i64, limit: i64) -> Result<Vec<Account>, StoreError> {
    let sql = "SELECT id, uuid, alias, created_ms, enabled FROM account WHERE id > $1 ORDER BY id LIMIT $2";
    tx.rows(sql, params![after, limit]).await?.iter().map(account).collect()
}

/// How many accounts there are, and when the last one was made.
pub async fn accounts_made(tx: &mut Tx<'_>) -> Result<(i64, Option<Timestamp>), StoreError> {
    let row = tx.one("SELECT CAST(count(*) AS BIGINT), CAST(max(created_ms) AS BIGINT) FROM account", params![]).await?;
    Ok((row.get(0)?, row.get::<Option<i64>>(1)?.map(Timestamp::from_millis)))
}

/// Whose name this domain is: the account that it has been handed to.
pub async fn domain_owner(tx: &mut Tx<'_>, domain: &str) -> Result<Option<AccountId>, StoreError> {
    let row = tx.row("SELECT account_id FROM account_domain WHERE domain = $1", params![domain]).await?;
    row.map(|row| row.get(0).map(AccountId::from_i64)).transpose()
}

/// The domains that an account has been handed, by name.
pub async fn domains(tx: &mut Tx<'_>, id: AccountId) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT domain FROM account_domain WHERE account_id = $1 ORDER BY domain";
    tx.rows(sql, params![id.as_i64()]).await?.iter().map(|row| row.get(0)).collect()
}

/// Hands an account these domains and no others. `Conflict` when another account has one of them.
pub async fn set_domains(tx: &mut Tx<'_>, id: AccountId, domains: &[String]) -> Result<(), StoreError> {
    tx.execute("DELETE FROM account_domain WHERE account_id = $1", params![id.as_i64()]).await?;
    for domain in domains {
        let sql = "INSERT INTO account_domain (domain, account_id) VALUES ($1, $2)";
        tx.execute(sql, params![&**domain, id.as_i64()]).await?;
    }
    Ok(())
}

/// The account with this id.
pub async fn account_by_id(tx: &mut Tx<'_>, id: AccountId) -> Result<Option<Account>, StoreError> {
    let sql = "SELECT id, uuid, alias, created_ms, enabled FROM account WHERE id = $1";
    tx.row(sql, params![id.as_i64()]).await?.as_ref().map(account).transpose()
}

/// The account with this id or alias.
pub async fn find_account(tx: &mut Tx<'_>, id_or_alias: &str) -> Result<Option<Account>, StoreError> {
    let id = id_or_alias.parse::<AccountId>().map_or(0, AccountId::as_i64);
    let sql = "SELECT id, uuid, alias, created_ms, enabled FROM account WHERE id = $1 OR alias = $2";
    tx.row(sql, params![id, id_or_alias]).await?.as_ref().map(account).transpose()
}

/// The first account made; none on an empty database.
pub async fn first_account(tx: &mut Tx<'_>) -> Result<Option<Account>, StoreError> {
    let sql = "SELECT id, uuid, alias, created_ms, enabled FROM account ORDER BY created_ms, id LIMIT 1";
    tx.row(sql, params![]).await?.as_ref().map(account).transpose()
}

fn account(row: &Row) -> Result<Account, StoreError> {
    let created = Timestamp::from_millis(row.get(3)?);
    Ok(Account { id: AccountId::from_i64(row.get(0)?), uuid: row.get(1)?, alias: row.get(2)?, enabled: row.get(4)?, created })
}

/// Writes a new principal. `Conflict` when its id or UUID is taken; its name is kept apart by [`take_login_name`].
pub async fn insert_principal(tx: &mut Tx<'_>, p: &Principal) -> Result<(), StoreError> {
    let sql = "INSERT INTO principal (id, uuid, account_id, kind, name, enabled, created_ms, description, expires_ms, instance_id, \
               display_name, email, phone, updated_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    let values = params![
        p.id.as_i64(),
        &*p.uuid,
        p.account.as_i64(),
        p.kind.as_str(),
        &*p.name,
        p.enabled,
        p.created.millis(),
        &*p.description,
        p.expires.map(Timestamp::millis),
        p.instance.map(InstanceId::as_i64),
        &*p.profile.display_name,
        &*p.profile.email,
        &*p.profile.phone,
        p.updated.map(Timestamp::millis)
    ];
    tx.execute(sql, values).await?;
    Ok(())
}

/// Takes a login name. False: it is taken.
pub async fn take_login_name(tx: &mut Tx<'_>, account: AccountId, name: &str, owner_kind: &str, owner: i64) -> Result<bool, StoreError> {
    let sql = "INSERT INTO login_name (account_id, name, owner_kind, owner_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    Ok(tx.execute(sql, params![account.as_i64(), name, owner_kind, owner]).await? == 1)
}

/// Gives one login name back.
pub async fn free_login_name(tx: &mut Tx<'_>, account: AccountId, name: &str) -> Result<(), StoreError> {
    tx.execute("DELETE FROM login_name WHERE account_id = $1 AND name = $2", params![account.as_i64(), name]).await?;
    Ok(())
}

/// Gives an owner's login names back.
pub async fn free_login_names(tx: &mut Tx<'_>, owner: i64) -> Result<(), StoreError> {
    tx.execute("DELETE FROM login_name WHERE owner_id = $1", params![owner]).await?;
    Ok(())
}

/// The principal with this id.
pub async fn principal_by_id(tx: &mut Tx<'_>, id: PrincipalId) -> Result<Option<Principal>, StoreError> {
    let sql = select_principal!("WHERE id = $1");
    tx.row(sql, params![id.as_i64()]).await?.as_ref().map(principal).transpose()
}

/// The account's principal with this login name.
pub async fn principal_by_name(tx: &mut Tx<'_>, account: AccountId, name: &str) -> Result<Option<Principal>, StoreError> {
    let sql =
        select_principal!("WHERE id = (SELECT owner_id FROM login_name WHERE account_id = $1 AND name = $2 AND owner_kind <> 'instance')");
    tx.row(sql, params![account.as_i64(), name]).await?.as_ref().map(principal).transpose()
}

/// The account's principal of this kind with this name.
pub async fn principal_named(
    tx: &mut Tx<'_>,
    account: AccountId,
    kind: PrincipalKind,
    name: &str,
) -> Result<Option<Principal>, StoreError> {
    let sql = select_principal!("WHERE account_id = $1 AND kind = $2 AND name = $3");
    tx.row(sql, params![account.as_i64(), kind.as_str(), name]).await?.as_ref().map(principal).transpose()
}

/// Whose account a UUID of a principal is of.
pub async fn account_of_uuid(tx: &mut Tx<'_>, uuid: &str) -> Result<Option<AccountId>, StoreError> {
    let row = tx.row("SELECT account_id FROM principal WHERE uuid = $1", params![uuid]).await?;
    row.map(|row| row.get(0).map(AccountId::from_i64)).transpose()
}

/// The account's principal with this UUID.
pub async fn principal_by_uuid(tx: &mut Tx<'_>, account: AccountId, uuid: &str) -> Result<Option<Principal>, StoreError> {
    let sql = select_principal!("WHERE uuid = $1 AND account_id = $2");
    tx.row(sql, params![uuid, account.as_i64()]).await?.as_ref().map(principal).transpose()
}

/// An account's principals of one kind by name, after `after`, at most `limit`.
pub async fn principals(
    tx: &mut Tx<'_>,
    account: AccountId,
    kind: PrincipalKind,
    after: &str,
    limit: i64,
) -> Result<Vec<Principal>, StoreError> {
    let sql = select_principal!("WHERE account_id = $1 AND kind = $2 AND name > $3 ORDER BY name LIMIT $4");
    tx.rows(sql, params![account.as_i64(), kind.as_str(), after, limit]).await?.iter().map(principal).collect()
}

/// An account's principals of every kind by id, after `after`, at most `limit`.
pub async fn principals_by_id(tx: &mut Tx<'_>, account: AccountId, after: i64, limit: i64) -> Result<Vec<Principal>, StoreError> {
    let sql = select_principal!("WHERE account_id = $1 AND id > $2 ORDER BY id LIMIT $3");
    tx.rows(sql, params![account.as_i64(), after, limit]).await?.iter().map(principal).collect()
}

/// Changes what is said of a principal and when it ends. False: there is none.
pub async fn describe(tx: &mut Tx<'_>, id: PrincipalId, description: &str, expires: Option<Timestamp>) -> Result<bool, StoreError> {
    let sql = "UPDATE principal SET description = $1, expires_ms = $2 WHERE id = $3";
    Ok(tx.execute(sql, params![description, expires.map(Timestamp::millis), id.as_i64()]).await? == 1)
}

/// Changes what else is said of a user. False: there is none.
pub async fn set_profile(tx: &mut Tx<'_>, id: PrincipalId, profile: &Profile) -> Result<bool, StoreError> {
    let sql = "UPDATE principal SET display_name = $1, email = $2, phone = $3 WHERE id = $4";
    Ok(tx.execute(sql, params![&*profile.display_name, &*profile.email, &*profile.phone, id.as_i64()]).await? == 1)
}

/// Gives a principal another name. Login names are [`take_login_name`]'s business.
pub async fn rename(tx: &mut Tx<'_>, id: PrincipalId, name: &str) -> Result<bool, StoreError> {
    tx.execute("UPDATE membership SET member_name = $1 WHERE member_id = $2", params![name, id.as_i64()]).await?;
    Ok(tx.execute("UPDATE principal SET name = $1 WHERE id = $2", params![name, id.as_i64()]).await? == 1)
}

/// Notes when a principal was changed.
pub async fn touch(tx: &mut Tx<'_>, id: PrincipalId, now: Timestamp) -> Result<(), StoreError> {
    tx.execute("UPDATE principal SET updated_ms = $1 WHERE id = $2", params![now.millis(), id.as_i64()]).await?;
    Ok(())
}

/// How many principals of a kind an account has.
pub async fn count_principals(tx: &mut Tx<'_>, account: AccountId, kind: PrincipalKind) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM principal WHERE account_id = $1 AND kind = $2";
    tx.one(sql, params![account.as_i64(), kind.as_str()]).await?.get(0)
}

/// The groups that somebody is in, and since when.
pub async fn memberships(tx: &mut Tx<'_>, member: PrincipalId) -> Result<Vec<(Principal, Timestamp)>, StoreError> {
    let sql = select_principal!(", joined_ms", "JOIN membership ON group_id = id WHERE member_id = $1 ORDER BY name");
    tx.rows(sql, params![member.as_i64()]).await?.iter().map(principal_since).collect()
}

/// A group's members by name, after `after`, at most `limit`, and since when.
pub async fn members_since(
    tx: &mut Tx<'_>,
    group: PrincipalId,
    after: &str,
    limit: i64,
) -> Result<Vec<(Principal, Timestamp)>, StoreError> {
    let sql = select_principal!(
        ", joined_ms",
        "JOIN membership ON member_id = id WHERE group_id = $1 AND member_name > $2 ORDER BY member_name LIMIT $3"
    );
    tx.rows(sql, params![group.as_i64(), after, limit]).await?.iter().map(principal_since).collect()
}

/// Whom in the account a policy of this name is attached to, and since when: by id after `after`, at most `limit`.
pub async fn holders(
    tx: &mut Tx<'_>,
    account: AccountId,
    policy_name: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<(Principal, Timestamp)>, StoreError> {
    let sql = select_principal!(
        ", attached_ms",
        "JOIN attachment ON principal_id = id WHERE policy_name = $1 AND principal_id > $2 AND account_id = $3 ORDER BY principal_id LIMIT $4"
    );
    tx.rows(sql, params![policy_name, after, account.as_i64(), limit]).await?.iter().map(principal_since).collect()
}

/// The groups that somebody is in.
pub async fn groups_of(tx: &mut Tx<'_>, member: PrincipalId) -> Result<Vec<Principal>, StoreError> {
    let sql = select_principal!("WHERE id IN (SELECT group_id FROM membership WHERE member_id = $1) ORDER BY name");
    tx.rows(sql, params![member.as_i64()]).await?.iter().map(principal).collect()
}

/// A group's members by name, after `after`, at most `limit`.
pub async fn members(tx: &mut Tx<'_>, group: PrincipalId, after: &str, limit: i64) -> Result<Vec<Principal>, StoreError> {
    let sql = select_principal!("JOIN membership ON member_id = id WHERE group_id = $1 AND member_name > $2 ORDER BY member_name LIMIT $3");
    tx.rows(sql, params![group.as_i64(), after, limit]).await?.iter().map(principal).collect()
}

/// Takes somebody into a group. False: already in it.
pub async fn join(tx: &mut Tx<'_>, group: PrincipalId, member: PrincipalId, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "INSERT INTO membership (group_id, member_id, joined_ms, member_name) \
               VALUES ($1, $2, $3, (SELECT name FROM principal WHERE id = $2)) ON CONFLICT DO NOTHING";
    Ok(tx.execute(sql, params![group.as_i64(), member.as_i64(), now.millis()]).await? == 1)
}

/// Takes somebody out of a group. False: not in it.
pub async fn leave(tx: &mut Tx<'_>, group: PrincipalId, member: PrincipalId) -> Result<bool, StoreError> {
    let sql = "DELETE FROM membership WHERE group_id = $1 AND member_id = $2";
    Ok(tx.execute(sql, params![group.as_i64(), member.as_i64()]).await? == 1)
}

/// Enables or disables a principal. False: there is none.
pub async fn set_enabled(tx: &mut Tx<'_>, id: PrincipalId, enabled: bool) -> Result<bool, StoreError> {
    Ok(tx.execute("UPDATE principal SET enabled = $1 WHERE id = $2", params![enabled, id.as_i64()]).await? == 1)
}

/// Deletes a principal with its credentials, sessions, attachments, memberships and names. False: there is none.
pub async fn delete_principal(tx: &mut Tx<'_>, id: PrincipalId) -> Result<bool, StoreError> {
    tx.execute("DELETE FROM session WHERE role_id = $1", params![id.as_i64()]).await?;
    tx.execute("DELETE FROM role WHERE principal_id = $1", params![id.as_i64()]).await?;
    tx.execute("DELETE FROM credential WHERE principal_id = $1", params![id.as_i64()]).await?;
    tx.execute("DELETE FROM attachment WHERE principal_id = $1", params![id.as_i64()]).await?;
    tx.execute("DELETE FROM membership WHERE member_id = $1 OR group_id = $1", params![id.as_i64()]).await?;
    free_login_names(tx, id.as_i64()).await?;
    Ok(tx.execute("DELETE FROM principal WHERE id = $1", params![id.as_i64()]).await? == 1)
}
