//! Credentials of every kind, in one table: what can be presented, whose it is, until when, and when it last was.

use std::net::IpAddr;

use model::{AccountId, CredentialId, CredentialKind, InstanceId, IntegrationId, PrincipalId, ProviderId, Timestamp};

use crate::{Row, StoreError, Tx, params};

/// A credential without its secret.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Its id.
    pub id: CredentialId,
    /// Its account.
    pub account: AccountId,
    /// Whose it is.
    pub principal: PrincipalId,
    /// What kind.
    pub kind: CredentialKind,
    /// The one instance it is for; none: all.
    pub instance: Option<InstanceId>,
    /// What it is for, in its maker's words.
    pub description: String,
    /// The access key's public half.
    pub access_key_id: Option<String>,
    /// Disabled credentials open nothing.
    pub enabled: bool,
    /// Made when.
    pub created: Timestamp,
    /// Made by whom.
    pub created_by: PrincipalId,
    /// The maker's name at that time.
    pub created_by_name: String,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used: Option<Timestamp>,
    /// From where it was last used.
    pub last_used_from: Option<String>,
    /// What it was made for.
    pub integration: Option<IntegrationId>,
    /// The one that took its place by rotation.
    pub replaced_by: Option<CredentialId>,
    /// When it was to end, before that rotation brought its end forward.
    pub planned: Option<Timestamp>,
    /// The OIDC provider that it stands and falls with.
    pub provider: Option<ProviderId>,
}

impl Credential {
    /// One that is being made: enabled, for all instances, without an end, never used. `made`: when, by whom, and their name.
    pub fn fresh(
        id: CredentialId,
        kind: CredentialKind,
        (account, principal): (AccountId, PrincipalId),
        made: (Timestamp, PrincipalId, String),
    ) -> Self {
        let (created, created_by, created_by_name) = made;
        Self {
            id,
            account,
            principal,
            kind,
            instance: None,
            description: String::new(),
            access_key_id: None,
            enabled: true,
            created,
            created_by,
            created_by_name,
            expires: None,
            last_used: None,
            last_used_from: None,
            integration: None,
            replaced_by: None,
            planned: None,
            provider: None,
        }
    }
}

/// How a credential's secret is kept: never in plain.
#[derive(Clone)]
pub enum Kept {
    /// A keyed hash of a generated secret.
    Hash([u8; 32]),
    /// An argon2id string of a chosen password.
    Password(String),
    /// A sealed secret that must be read back to check signatures, and its keyed hash.
    Sealed(Vec<u8>, [u8; 32]),
    /// There is no secret at all: trust in somebody else's.
    Nothing,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kept(…)")
    }
}

macro_rules! select_credential {
    ($rest:literal) => {
        concat!(
            "SELECT id, account_id, principal_id, kind, instance_id, description, access_key_id, enabled, created_ms, created_by, ",
            "created_by_name, expires_ms, last_used_ms, last_used_from, password, sealed, provider_id, integration_id, replaced_by, ",
            "planned_ms FROM credential ",
            $rest
        )
    };
}

fn credential(row: &Row) -> Result<Credential, StoreError> {
    Ok(Credential {
        id: CredentialId::from_i64(row.get(0)?),
        account: AccountId::from_i64(row.get(1)?),
        principal: PrincipalId::from_i64(row.get(2)?),
        kind: CredentialKind::parse(&row.get::<String>(3)?).ok_or_else(|| StoreError::corrupt("credential.kind"))?,
        instance: row.get::<Option<i64>>(4)?.map(InstanceId::from_i64),
        description: row.get(5)?,
        access_key_id: row.get(6)?,
        enabled: row.get(7)?,
        created: Timestamp::from_millis(row.get(8)?),
        created_by: PrincipalId::from_i64(row.get(9)?),
        created_by_name: row.get(10)?,
        expires: row.get::<Option<i64>>(11)?.map(Timestamp::from_millis),
        last_used: row.get::<Option<i64>>(12)?.map(Timestamp::from_millis),
        last_used_from: row.get(13)?,
        integration: row.get::<Option<i64>>(17)?.map(IntegrationId::from_i64),
        replaced_by: row.get::<Option<i64>>(18)?.map(CredentialId::from_i64),
        planned: row.get::<Option<i64>>(19)?.map(Timestamp::from_millis),
        provider: row.get::<Option<i64>>(16)?.map(ProviderId::from_i64),
    })
}

/// Writes a new credential. `slot` names what a principal has one of; a second one in a slot is a `Conflict`.
pub async fn insert(tx: &mut Tx<'_>, c: &Credential, slot: Option<&str>, kept: &Kept) -> Result<(), StoreError> {
    let (hash, password, sealed) = match kept {
        Kept::Hash(hash) => (Some(hash.to_vec()), None, None),
        Kept::Password(text) => (None, Some(text.clone()), None),
        Kept::Sealed(sealed, hash) => (Some(hash.to_vec()), None, Some(sealed.clone())),
        Kept::Nothing => (None, None, None),
    };
    let sql = "INSERT INTO credential (id, account_id, principal_id, kind, slot, instance_id, description, hash, password, access_key_id, sealed, \
               enabled, created_ms, created_by, created_by_name, expires_ms, provider_id, integration_id) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
    let values = params![
        c.id.as_i64(),
        c.account.as_i64(),
        c.principal.as_i64(),
        c.kind.as_str(),
        slot,
        c.instance.map(InstanceId::as_i64),
        &*c.description,
        hash,
        password,
        c.access_key_id.as_deref(),
        sealed,
        c.enabled,
        c.created.millis(),
        c.created_by.as_i64(),
        &*c.created_by_name,
        c.expires.map(Timestamp::millis),
        c.provider.map(ProviderId::as_i64),
        c.integration.map(IntegrationId::as_i64)
    ];
    tx.execute(sql, values).await?;
    Ok(())
}

/// The credential with this id.
pub async fn by_id(tx: &mut Tx<'_>, id: CredentialId) -> Result<Option<Credential>, StoreError> {
    tx.row(select_credential!("WHERE id = $1"), params![id.as_i64()]).await?.as_ref().map(credential).transpose()
}

/// The credential whose generated secret has this keyed hash.
pub async fn by_hash(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<Credential>, StoreError> {
    tx.row(select_credential!("WHERE hash = $1"), params![&hash[..]]).await?.as_ref().map(credential).transpose()
}

/// The key of the session whose security token has this keyed hash.
pub async fn by_session_token(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<Credential>, StoreError> {
    let sql = select_credential!("WHERE id = (SELECT credential_id FROM session WHERE token_hash = $1 LIMIT 1)");
    tx.row(sql, params![&hash[..]]).await?.as_ref().map(credential).transpose()
}

/// The access key with this public id, and its sealed secret.
pub async fn by_access_key(tx: &mut Tx<'_>, access_key_id: &str) -> Result<Option<(Credential, Vec<u8>)>, StoreError> {
    let Some(row) = tx.row(select_credential!("WHERE access_key_id = $1"), params![access_key_id]).await? else { return Ok(None) };
    Ok(Some((credential(&row)?, row.get(15)?)))
}

/// The password in a principal's slot, and its argon2id string.
pub async fn by_slot(tx: &mut Tx<'_>, principal: PrincipalId, slot: &str) -> Result<Option<(Credential, String)>, StoreError> {
    let sql = select_credential!("WHERE principal_id = $1 AND slot = $2");
    let Some(row) = tx.row(sql, params![principal.as_i64(), slot]).await? else { return Ok(None) };
    Ok(Some((credential(&row)?, row.get(14)?)))
}

/// What is in a principal's slot, of whatever kind.
pub async fn in_slot(tx: &mut Tx<'_>, principal: PrincipalId, slot: &str) -> Result<Option<Credential>, StoreError> {
    let sql = select_credential!("WHERE principal_id = $1 AND slot = $2");
    tx.row(sql, params![principal.as_i64(), slot]).await?.as_ref().map(credential).transpose()
}

/// A principal's credentials, oldest first.
pub async fn of_principal(tx: &mut Tx<'_>, principal: PrincipalId) -> Result<Vec<Credential>, StoreError> {
    let sql = select_credential!("WHERE principal_id = $1 ORDER BY created_ms, id");
    tx.rows(sql, params![principal.as_i64()]).await?.iter().map(credential).collect()
}

/// The same, but for the newest `limit` alone: a role can have any number of sessions.
pub async fn newest_of_principal(tx: &mut Tx<'_>, principal: PrincipalId, limit: i64) -> Result<Vec<Credential>, StoreError> {
    let sql = select_credential!("WHERE principal_id = $1 ORDER BY created_ms DESC, id DESC LIMIT $2");
    let mut found: Vec<Credential> =
        tx.rows(sql, params![principal.as_i64(), limit]).await?.iter().map(credential).collect::<Result<_, _>>()?;
    found.reverse();
    Ok(found)
}

/// How many credentials of a kind a principal has.
pub async fn count(tx: &mut Tx<'_>, principal: PrincipalId, kind: CredentialKind) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM credential WHERE principal_id = $1 AND kind = $2";
    tx.one(sql, params![principal.as_i64(), kind.as_str()]).await?.get(0)
}

/// An account's credentials that were made to last and end after `from` and not after `until`: enabled, with nothing in
/// their place yet. The soonest first, behind (end, id) `after`, at most `limit`.
pub async fn ending(
    tx: &mut Tx<'_>,
    account: AccountId,
    (from, until): (Timestamp, Timestamp),
    after: (i64, i64),
    limit: i64,
) -> Result<Vec<Credential>, StoreError> {
    let sql = select_credential!(
        "WHERE account_id = $1 AND (expires_ms, id) > ($2, $3) AND expires_ms <= $4 \
         AND enabled = 1 AND replaced_by IS NULL AND kind IN ('access_credential', 'client_secret', 'access_key') \
         ORDER BY expires_ms, id LIMIT $5"
    );
    let after = after.max((from.millis(), i64::MAX));
    let values = params![account.as_i64(), after.0, after.1, until.millis(), limit];
    tx.rows(sql, values).await?.iter().map(credential).collect()
}

/// How many such credentials of all accounts end after `from` and not after `until`.
pub async fn count_ending(tx: &mut Tx<'_>, from: Timestamp, until: Timestamp) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM credential WHERE expires_ms > $1 AND expires_ms <= $2 AND enabled = 1 AND replaced_by IS NULL \
               AND kind IN ('access_credential', 'client_secret', 'access_key')";
    tx.one(sql, params![from.millis(), until.millis()]).await?.get(0)
}

/// An account's credentials of every kind that lasts, by id behind `after`, at most `limit`.
pub async fn of_account(tx: &mut Tx<'_>, account: AccountId, after: i64, limit: i64) -> Result<Vec<Credential>, StoreError> {
    let sql = select_credential!("WHERE account_id = $1 AND id > $2 AND kind <> 'session' ORDER BY id LIMIT $3");
    tx.rows(sql, params![account.as_i64(), after, limit]).await?.iter().map(credential).collect()
}

/// An integration's credentials, by id behind `after`, at most `limit`.
pub async fn of_integration(tx: &mut Tx<'_>, integration: IntegrationId, after: i64, limit: i64) -> Result<Vec<Credential>, StoreError> {
    let sql = select_credential!("WHERE integration_id = $1 AND id > $2 ORDER BY id LIMIT $3");
    tx.rows(sql, params![integration.as_i64(), after, limit]).await?.iter().map(credential).collect()
}

/// Deletes what a principal has of a kind that was rotated and has ended since; the ids.
pub async fn delete_replaced(
    tx: &mut Tx<'_>,
    principal: PrincipalId,
    kind: CredentialKind,
    now: Timestamp,
) -> Result<Vec<CredentialId>, StoreError> {
    let sql = "DELETE FROM credential WHERE principal_id = $1 AND kind = $2 AND replaced_by IS NOT NULL AND expires_ms <= $3 RETURNING id";
    let rows = tx.rows(sql, params![principal.as_i64(), kind.as_str(), now.millis()]).await?;
    rows.iter().map(|row| row.get(0).map(CredentialId::from_i64)).collect()
}

/// Lets `by` take a credential's place, which ends at `at` or sooner. Whether it may is the caller's to know.
pub async fn replace(tx: &mut Tx<'_>, id: CredentialId, by: CredentialId, at: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE credential SET replaced_by = $1, planned_ms = CASE WHEN replaced_by IS NULL THEN expires_ms ELSE planned_ms END, \
               expires_ms = CASE WHEN expires_ms < $2 THEN expires_ms ELSE $2 END WHERE id = $3";
    tx.execute(sql, params![by.as_i64(), at.millis(), id.as_i64()]).await?;
    Ok(())
}

/// What stands and falls with an OIDC provider: ids and kinds.
pub async fn of_provider(tx: &mut Tx<'_>, provider: ProviderId) -> Result<Vec<Credential>, StoreError> {
    let sql = select_credential!("WHERE provider_id = $1 ORDER BY id");
    tx.rows(sql, params![provider.as_i64()]).await?.iter().map(credential).collect()
}

/// Says anew what it is for. False: there is none.
pub async fn describe(tx: &mut Tx<'_>, id: CredentialId, description: &str) -> Result<bool, StoreError> {
    Ok(tx.execute("UPDATE credential SET description = $1 WHERE id = $2", params![description, id.as_i64()]).await? == 1)
}

/// Enables or disables. False: there is none.
pub async fn set_enabled(tx: &mut Tx<'_>, id: CredentialId, enabled: bool) -> Result<bool, StoreError> {
    Ok(tx.execute("UPDATE credential SET enabled = $1 WHERE id = $2", params![enabled, id.as_i64()]).await? == 1)
}

/// Deletes. False: there is none.
pub async fn delete(tx: &mut Tx<'_>, id: CredentialId) -> Result<bool, StoreError> {
    Ok(tx.execute("DELETE FROM credential WHERE id = $1", params![id.as_i64()]).await? == 1)
}

/// Deletes what is in a principal's slot; its id, if there was something.
pub async fn clear_slot(tx: &mut Tx<'_>, principal: PrincipalId, slot: &str) -> Result<Option<CredentialId>, StoreError> {
    let sql = "DELETE FROM credential WHERE principal_id = $1 AND slot = $2 RETURNING id";
    tx.row(sql, params![principal.as_i64(), slot]).await?.map(|row| row.get(0).map(CredentialId::from_i64)).transpose()
}

/// One use of a credential.
#[derive(Clone, Debug)]
pub struct Use {
    /// Which.
    pub credential: CredentialId,
    /// When.
    pub at: Timestamp,
    /// From where.
    pub from: IpAddr,
}

/// Notes uses, at most one in `every_ms` of a credential, whichever node saw it. Touches rows that are there alone, so that it
/// can never bring a deleted credential back.
pub async fn note_uses(tx: &mut Tx<'_>, uses: &[Use], every_ms: i64) -> Result<(), StoreError> {
    let sql = "UPDATE credential SET last_used_ms = $1, last_used_from = $2 WHERE id = $3 AND (last_used_ms IS NULL OR last_used_ms <= $4)";
    for one in uses {
        let values = params![one.at.millis(), one.from.to_string(), one.credential.as_i64(), one.at.millis() - every_ms];
        tx.execute(sql, values).await?;
    }
    Ok(())
}

/// How many credentials there are, in all accounts, that can be presented.
pub async fn count_live(tx: &mut Tx<'_>, now: Timestamp) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM credential WHERE enabled = 1 AND (expires_ms IS NULL OR expires_ms > $1)";
    tx.one(sql, params![now.millis()]).await?.get(0)
}
