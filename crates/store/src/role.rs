//! Roles: who may assume them, as written; and their sessions.

use model::{AccountId, CredentialId, PrincipalId, Seconds, Timestamp};

use crate::{Row, StoreError, Tx, params};

/// What a role has beyond what every principal has.
#[derive(Clone, Debug)]
pub struct Role {
    /// Who may assume it: the trust policy as written.
    pub trust: String,
    /// A session lasts so long at most.
    pub max_session: Seconds,
}

/// A role that is assumed for a while.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its key.
    pub credential: CredentialId,
    /// The role.
    pub role: PrincipalId,
    /// What whoever assumed it called it.
    pub name: String,
    /// Who is behind it, as whoever assumed it says.
    pub source_identity: Option<String>,
    /// What bounds the role's rights for this session, as written.
    pub policy: Option<String>,
    /// The keyed hash of its security token.
    pub token_hash: [u8; 32],
    /// The credential that assumed it: the session ends with it.
    pub parent: Option<CredentialId>,
}

/// Writes what a new role has.
pub async fn insert(tx: &mut Tx<'_>, id: PrincipalId, role: &Role) -> Result<(), StoreError> {
    let sql = "INSERT INTO role (principal_id, trust, max_session_s) VALUES ($1, $2, $3)";
    tx.execute(sql, params![id.as_i64(), &*role.trust, role.max_session.0]).await?;
    Ok(())
}

/// What the role has.
pub async fn by_id(tx: &mut Tx<'_>, id: PrincipalId) -> Result<Option<Role>, StoreError> {
    let row = tx.row("SELECT trust, max_session_s FROM role WHERE principal_id = $1", params![id.as_i64()]).await?;
    row.map(|row| Ok(Role { trust: row.get(0)?, max_session: Seconds(row.get(1)?) })).transpose()
}

/// The account's roles behind `after`, by their ids, with whom each trusts, at most `limit`.
pub async fn trusts(tx: &mut Tx<'_>, account: AccountId, after: i64, limit: i64) -> Result<Vec<(PrincipalId, String)>, StoreError> {
    let sql = "SELECT r.principal_id, r.trust FROM role r JOIN principal p ON p.id = r.principal_id \
               WHERE p.account_id = $1 AND p.kind = 'role' AND p.id > $2 ORDER BY p.id LIMIT $3";
    let rows = tx.rows(sql, params![account.as_i64(), after, limit]).await?;
    rows.iter().map(|row| Ok((PrincipalId::from_i64(row.get(0)?), row.get(1)?))).collect()
}

/// Changes who may assume it and for how long. False: there is none.
pub async fn update(tx: &mut Tx<'_>, id: PrincipalId, role: &Role) -> Result<bool, StoreError> {
    let sql = "UPDATE role SET trust = $1, max_session_s = $2 WHERE principal_id = $3";
    Ok(tx.execute(sql, params![&*role.trust, role.max_session.0, id.as_i64()]).await? == 1)
}

/// Writes a new session; its credential is there already.
pub async fn insert_session(tx: &mut Tx<'_>, s: &Session) -> Result<(), StoreError> {
    let sql = "INSERT INTO session (credential_id, role_id, name, source_identity, policy, token_hash, parent_id) \
               VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let values = params![
        s.credential.as_i64(),
        s.role.as_i64(),
        &*s.name,
        s.source_identity.as_deref(),
        s.policy.as_deref(),
        s.token_hash.to_vec(),
        s.parent.map(CredentialId::as_i64)
    ];
    tx.execute(sql, values).await?;
    Ok(())
}

/// The session with this key.
pub async fn session(tx: &mut Tx<'_>, credential: CredentialId) -> Result<Option<Session>, StoreError> {
    let sql = "SELECT credential_id, role_id, name, source_identity, policy, token_hash, parent_id FROM session WHERE credential_id = $1";
    tx.row(sql, params![credential.as_i64()]).await?.as_ref().map(read_session).transpose()
}

fn read_session(row: &Row) -> Result<Session, StoreError> {
    let hash: Vec<u8> = row.get(5)?;
    Ok(Session {
        credential: CredentialId::from_i64(row.get(0)?),
        role: PrincipalId::from_i64(row.get(1)?),
        name: row.get(2)?,
        source_identity: row.get(3)?,
        policy: row.get(4)?,
        token_hash: hash.try_into().map_err(|_| StoreError::corrupt("session.token_hash"))?,
        parent: row.get::<Option<i64>>(6)?.map(CredentialId::from_i64),
    })
}

/// The keys of a role's sessions that have not ended, at most `limit`.
pub async fn sessions_of(tx: &mut Tx<'_>, role: PrincipalId, now: Timestamp, limit: i64) -> Result<Vec<CredentialId>, StoreError> {
    let sql = "SELECT s.credential_id FROM session s JOIN credential c ON c.id = s.credential_id \
               WHERE s.role_id = $1 AND c.expires_ms > $2 ORDER BY s.credential_id LIMIT $3";
    let rows = tx.rows(sql, params![role.as_i64(), now.millis(), limit]).await?;
    rows.iter().map(|row| row.get(0).map(CredentialId::from_i64)).collect()
}

/// Deletes at most `limit` sessions that ended before `before`; how many they were.
pub async fn prune_sessions(tx: &mut Tx<'_>, before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let sql = "SELECT id FROM credential WHERE expires_ms < $1 AND kind = 'session' ORDER BY expires_ms LIMIT $2";
    let ended = tx.rows(sql, params![before.millis(), limit]).await?;
    for row in &ended {
        delete_session(tx, CredentialId::from_i64(row.get(0)?)).await?;
    }
    Ok(ended.len() as u64)
}

/// Ends all sessions of roles, in every account.
pub async fn end_all_sessions(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64, StoreError> {
    let sql = "UPDATE credential SET enabled = 0, expires_ms = $1 WHERE kind = 'session' AND (expires_ms IS NULL OR expires_ms > $1)";
    tx.execute(sql, params![now.millis()]).await
}

/// Ends a session: deletes it with its key.
pub async fn delete_session(tx: &mut Tx<'_>, key: CredentialId) -> Result<(), StoreError> {
    tx.execute("DELETE FROM session WHERE credential_id = $1", params![key.as_i64()]).await?;
    tx.execute("DELETE FROM credential WHERE id = $1", params![key.as_i64()]).await?;
    Ok(())
}
