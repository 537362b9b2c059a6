//! Labels: which things belong together. A thing's labels go with it.

use model::{AccountId, InstanceId, NamespaceId, PolicyId, PrincipalId, ProviderId};

use crate::{Row, StoreError, Tx, params};

/// What carries a label.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// A user, group, service account or role.
    Principal(PrincipalId),
    /// A policy.
    Policy(PolicyId),
    /// An instance.
    Instance(InstanceId),
    /// A namespace.
    Namespace(NamespaceId),
    /// An OIDC provider.
    Provider(ProviderId),
}

impl Owner {
    /// Its id.
    pub const fn id(self) -> i64 {
        match self {
            Self::Principal(id) => id.as_i64(),
            Self::Policy(id) => id.as_i64(),
            Self::Instance(id) => id.as_i64(),
            Self::Namespace(id) => id.as_i64(),
            Self::Provider(id) => id.as_i64(),
        }
    }

    /// The same as the five columns.
    const fn columns(self) -> [Option<i64>; 5] {
        match self {
            Self::Principal(id) => [Some(id.as_i64()), None, None, None, None],
            Self::Policy(id) => [None, Some(id.as_i64()), None, None, None],
            Self::Instance(id) => [None, None, Some(id.as_i64()), None, None],
            Self::Namespace(id) => [None, None, None, Some(id.as_i64()), None],
            Self::Provider(id) => [None, None, None, None, Some(id.as_i64())],
        }
    }
}

/// A label and what carries it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Labelled {
    /// The kind of what carries it: a principal's, or `policy`, `instance`, `namespace`, `oidc_provider`.
    pub kind: String,
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The name of the instance it is in, if it is in one.
    pub instance: Option<String>,
    /// The label's key.
    pub key: String,
    /// Its value.
    pub value: String,
}

fn labelled(row: &Row) -> Result<Labelled, StoreError> {
    let (principal, policy, namespace): (Option<String>, Option<String>, Option<String>) = (row.get(4)?, row.get(5)?, row.get(7)?);
    let (instance, provider): (Option<String>, Option<String>) = (row.get(6)?, row.get(8)?);
    let (kind, name, instance) = match (principal, policy, namespace, instance) {
        (Some(name), ..) => (row.get(3)?, name, None),
        (_, Some(name), ..) => ("policy".to_owned(), name, None),
        (_, _, Some(name), instance) => ("namespace".to_owned(), name, instance),
        (_, _, _, Some(name)) => ("instance".to_owned(), name, None),
        _ => ("oidc_provider".to_owned(), provider.ok_or_else(|| StoreError::corrupt("label.object_id"))?, None),
    };
    Ok(Labelled { kind, id: row.get(0)?, name, instance, key: row.get(1)?, value: row.get(2)? })
}

/// Puts a label on something, or gives the label a new value.
pub async fn set(tx: &mut Tx<'_>, account: AccountId, owner: Owner, key: &str, value: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO label (account_id, object_id, key, value, principal_id, policy_id, instance_id, namespace_id, provider_id) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (object_id, key) DO UPDATE SET value = excluded.value";
    let [principal, policy, instance, namespace, provider] = owner.columns();
    tx.execute(sql, params![account.as_i64(), owner.id(), key, value, principal, policy, instance, namespace, provider]).await?;
    Ok(())
}

/// Takes a label off something, if it is there.
pub async fn remove(tx: &mut Tx<'_>, owner: Owner, key: &str) -> Result<(), StoreError> {
    tx.execute("DELETE FROM label WHERE object_id = $1 AND key = $2", params![owner.id(), key]).await?;
    Ok(())
}

/// How many something carries.
pub async fn count(tx: &mut Tx<'_>, owner: Owner) -> Result<i64, StoreError> {
    let row = tx.row("SELECT count(*) FROM label WHERE object_id = $1", params![owner.id()]).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

macro_rules! select_labelled {
    ($rest:literal) => {
        concat!(
            "SELECT l.object_id, l.key, l.value, p.kind, p.name, o.name, i.name, n.name, d.name FROM label l \
             LEFT JOIN principal p ON p.id = l.principal_id LEFT JOIN policy o ON o.id = l.policy_id \
             LEFT JOIN oidc_provider d ON d.id = l.provider_id \
             LEFT JOIN namespace n ON n.id = l.namespace_id LEFT JOIN instance i ON i.id = coalesce(l.instance_id, n.instance_id) \
             WHERE l.account_id = $1 AND ",
            $rest
        )
    };
}

/// The account's labels behind (`id`, `key`), at most `limit`; with this key and value alone, where they are not empty.
pub async fn list(
    tx: &mut Tx<'_>,
    account: AccountId,
    (key, value): (&str, &str),
    (after_id, after_key): (i64, &str),
    limit: i64,
) -> Result<Vec<Labelled>, StoreError> {
    let rows = match (key, value) {
        ("", "") => {
            let sql = select_labelled!("(l.object_id, l.key) > ($2, $3) ORDER BY l.object_id, l.key LIMIT $4");
            tx.rows(sql, params![account.as_i64(), after_id, after_key, limit]).await?
        }
        // Behind (id, key) there may still be this key of the same id.
        (key, "") => {
            let sql =
                select_labelled!("l.key = $2 AND l.object_id >= $3 AND (l.object_id > $3 OR l.key > $4) ORDER BY l.object_id LIMIT $5");
            tx.rows(sql, params![account.as_i64(), key, after_id, after_key, limit]).await?
        }
        ("", value) => {
            let sql = select_labelled!("l.value = $2 AND (l.object_id, l.key) > ($3, $4) ORDER BY l.object_id, l.key LIMIT $5");
            tx.rows(sql, params![account.as_i64(), value, after_id, after_key, limit]).await?
        }
        (key, value) => {
            let sql = select_labelled!(
                "l.key = $2 AND l.value = $3 AND l.object_id >= $4 AND (l.object_id > $4 OR l.key > $5) ORDER BY l.object_id LIMIT $6"
            );
            tx.rows(sql, params![account.as_i64(), key, value, after_id, after_key, limit]).await?
        }
    };
    rows.iter().map(labelled).collect()
}
