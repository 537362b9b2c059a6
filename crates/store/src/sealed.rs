//! Where sealed secrets lie, for what seals them anew: one place a table. A table that gets a sealed column gets a line here.

use model::Timestamp;

use crate::{StoreError, Tx, params};

/// A column of sealed secrets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Secrets of access keys, by the key's public id.
    AccessKeys,
    /// Private halves of token signing keys, by `kid`.
    SigningKeys,
    /// Private halves of the keys that sign the audit trail, by `kid`.
    AuditKeys,
    /// What the server keeps for itself, by name.
    ServerKeys,
}

impl Place {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::AccessKeys, Self::SigningKeys, Self::AuditKeys, Self::ServerKeys];

    /// The noun that its secrets are bound to.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::AccessKeys => "credential.sealed",
            Self::SigningKeys => "signing_key.sealed",
            Self::AuditKeys => "audit_key.sealed",
            Self::ServerKeys => "server_key.sealed",
        }
    }
}

/// A sealed secret: its row's id, and the secret.
pub type Sealed = (String, Vec<u8>);

/// Secrets under one master key (the 4 bytes of its id), by id after `after`, at most `limit`.
pub async fn under(tx: &mut Tx<'_>, place: Place, after: &str, key: [u8; 4], limit: i64) -> Result<Vec<Sealed>, StoreError> {
    let sql = match place {
        Place::AccessKeys => {
            "SELECT access_key_id, sealed FROM credential WHERE access_key_id > $1 AND substr(sealed, 2, 4) = $2 \
             ORDER BY access_key_id LIMIT $3"
        }
        Place::SigningKeys => "SELECT kid, sealed FROM signing_key WHERE kid > $1 AND substr(sealed, 2, 4) = $2 ORDER BY kid LIMIT $3",
        Place::AuditKeys => "SELECT kid, sealed FROM audit_key WHERE kid > $1 AND substr(sealed, 2, 4) = $2 ORDER BY kid LIMIT $3",
        Place::ServerKeys => "SELECT name, sealed FROM server_key WHERE name > $1 AND substr(sealed, 2, 4) = $2 ORDER BY name LIMIT $3",
    };
    let rows = tx.rows(sql, params![after, &key, limit]).await?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Puts `new` in the place of `old`, if that is still there. False: it has changed, or is gone.
pub async fn replace(tx: &mut Tx<'_>, place: Place, id: &str, old: &[u8], new: &[u8]) -> Result<bool, StoreError> {
    let sql = match place {
        Place::AccessKeys => "UPDATE credential SET sealed = $1 WHERE access_key_id = $2 AND sealed = $3",
        Place::SigningKeys => "UPDATE signing_key SET sealed = $1 WHERE kid = $2 AND sealed = $3",
        Place::AuditKeys => "UPDATE audit_key SET sealed = $1 WHERE kid = $2 AND sealed = $3",
        Place::ServerKeys => "UPDATE server_key SET sealed = $1 WHERE name = $2 AND sealed = $3",
    };
    Ok(tx.execute(sql, params![new, id, old]).await? == 1)
}

/// How many secrets lie under which master key.
pub async fn count(tx: &mut Tx<'_>, place: Place) -> Result<Vec<([u8; 4], i64)>, StoreError> {
    let sql = match place {
        Place::AccessKeys => {
            "SELECT substr(sealed, 2, 4), count(*) FROM credential WHERE access_key_id > '' AND sealed IS NOT NULL \
             GROUP BY substr(sealed, 2, 4)"
        }
        Place::SigningKeys => "SELECT substr(sealed, 2, 4), count(*) FROM signing_key GROUP BY substr(sealed, 2, 4)",
        Place::AuditKeys => "SELECT substr(sealed, 2, 4), count(*) FROM audit_key GROUP BY substr(sealed, 2, 4)",
        Place::ServerKeys => "SELECT substr(sealed, 2, 4), count(*) FROM server_key GROUP BY substr(sealed, 2, 4)",
    };
    let row = |row: &crate::Row| {
        let key: Vec<u8> = row.get(0)?;
        Ok((key.try_into().map_err(|_| StoreError::corrupt(place.noun()))?, row.get(1)?))
    };
    tx.rows(sql, params![]).await?.iter().map(row).collect()
}

/// A secret of the server's own.
pub async fn server_key(tx: &mut Tx<'_>, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let row = tx.row("SELECT sealed FROM server_key WHERE name = $1", params![name]).await?;
    row.map(|row| row.get(0)).transpose()
}

/// Keeps a secret of the server's own, if there is none by that name yet.
pub async fn insert_server_key(tx: &mut Tx<'_>, name: &str, sealed: &[u8], now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT INTO server_key (name, sealed, created_ms) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";
    tx.execute(sql, params![name, sealed, now.millis()]).await?;
    Ok(())
}
