//! Federated credentials: whom of an issuer a service account trusts. What every credential has stands in `credential`.

use model::{CredentialId, PrincipalId, ProviderId};

use crate::{Row, StoreError, Tx, params};

/// What a federated credential has beyond what every credential has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Federated {
    /// Its row among all credentials.
    pub credential: CredentialId,
    /// The issuer.
    pub provider: ProviderId,
    /// Whose it is.
    pub principal: PrincipalId,
    /// Its name among its owner's.
    pub name: String,
    /// The audience, exactly.
    pub audience: String,
    /// The subject, or a pattern of subjects.
    pub subject: String,
    /// Has the subject no wildcard?
    pub exact: bool,
    /// Further claims: a JSON object of lists.
    pub claims: String,
}

macro_rules! select_federated {
    ($rest:literal) => {
        concat!("SELECT credential_id, provider_id, principal_id, name, audience, subject, exact, claims FROM federated_credential ", $rest)
    };
}

fn federated(row: &Row) -> Result<Federated, StoreError> {
    Ok(Federated {
        credential: CredentialId::from_i64(row.get(0)?),
        provider: ProviderId::from_i64(row.get(1)?),
        principal: PrincipalId::from_i64(row.get(2)?),
        name: row.get(3)?,
        audience: row.get(4)?,
        subject: row.get(5)?,
        exact: row.get(6)?,
        claims: row.get(7)?,
    })
}

/// Writes a new one; its row among all credentials is there already. `Conflict` when its owner has one of that name.
pub async fn insert(tx: &mut Tx<'_>, f: &Federated) -> Result<(), StoreError> {
    let sql = "INSERT INTO federated_credential (credential_id, provider_id, principal_id, name, audience, subject, exact, claims) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let values =
        params![f.credential.as_i64(), f.provider.as_i64(), f.principal.as_i64(), &*f.name, &*f.audience, &*f.subject, f.exact, &*f.claims];
    tx.execute(sql, values).await?;
    Ok(())
}

/// Changes whom it trusts. False: there is none.
pub async fn update(tx: &mut Tx<'_>, f: &Federated) -> Result<bool, StoreError> {
    let sql = "UPDATE federated_credential SET audience = $1, subject = $2, exact = $3, claims = $4 WHERE credential_id = $5";
    let values = params![&*f.audience, &*f.subject, f.exact, &*f.claims, f.credential.as_i64()];
    Ok(tx.execute(sql, values).await? == 1)
}

/// The owner's of this name.
pub async fn by_name(tx: &mut Tx<'_>, principal: PrincipalId, name: &str) -> Result<Option<Federated>, StoreError> {
    let sql = select_federated!("WHERE principal_id = $1 AND name = $2");
    tx.row(sql, params![principal.as_i64(), name]).await?.as_ref().map(federated).transpose()
}

/// All of an owner's, by name.
pub async fn of_principal(tx: &mut Tx<'_>, principal: PrincipalId) -> Result<Vec<Federated>, StoreError> {
    let sql = select_federated!("WHERE principal_id = $1 ORDER BY name");
    tx.rows(sql, params![principal.as_i64()]).await?.iter().map(federated).collect()
}

/// Those of an issuer that may trust this subject: by it exactly, or by a pattern that is still to be held against it.
pub async fn candidates(tx: &mut Tx<'_>, provider: ProviderId, subject: &str, limit: i64) -> Result<Vec<Federated>, StoreError> {
    let sql = select_federated!("WHERE provider_id = $1 AND exact = 1 AND subject = $2 ORDER BY credential_id LIMIT $3");
    let mut found = tx.rows(sql, params![provider.as_i64(), subject, limit]).await?;
    let sql = select_federated!("WHERE provider_id = $1 AND exact = 0 ORDER BY credential_id LIMIT $2");
    found.extend(tx.rows(sql, params![provider.as_i64(), limit]).await?);
    found.iter().map(federated).collect()
}

/// Whose trust in this issuer would end with it, at most `limit`.
pub async fn principals_of(tx: &mut Tx<'_>, provider: ProviderId, limit: i64) -> Result<Vec<PrincipalId>, StoreError> {
    let sql = "SELECT DISTINCT principal_id FROM federated_credential WHERE provider_id = $1 ORDER BY principal_id LIMIT $2";
    let rows = tx.rows(sql, params![provider.as_i64(), limit]).await?;
    rows.iter().map(|row| row.get(0).map(PrincipalId::from_i64)).collect()
}
