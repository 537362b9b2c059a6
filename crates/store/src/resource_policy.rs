//! Policies of namespaces and repositories: who else may use them. What the text means is `policy`'s business.

use model::{InstanceId, NamespaceId, NamespaceName, RepositoryId, RepositoryName, Timestamp};

use crate::{Row, StoreError, Tx, params};

/// What a policy belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// A namespace, and what is in it.
    Namespace(NamespaceId),
    /// A repository.
    Repository(RepositoryId),
}

/// The same by name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// A namespace, and what is in it.
    Namespace(NamespaceName),
    /// A repository.
    Repository(RepositoryName),
}

/// A policy as written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResourcePolicy {
    /// The document.
    pub document: String,
    /// Since when.
    pub updated: Timestamp,
}

impl Owner {
    const fn parts(self) -> (Option<i64>, Option<i64>) {
        match self {
            Self::Namespace(id) => (Some(id.as_i64()), None),
            Self::Repository(id) => (None, Some(id.as_i64())),
        }
    }
}

/// The policy of something, if it has one.
pub async fn of(tx: &mut Tx<'_>, owner: Owner) -> Result<Option<ResourcePolicy>, StoreError> {
    let (namespace, repository) = owner.parts();
    let sql = "SELECT document, updated_ms FROM resource_policy WHERE namespace_id = $1 OR repository_id = $2";
    let row = tx.row(sql, params![namespace, repository]).await?;
    row.map(|row| Ok(ResourcePolicy { document: row.get(0)?, updated: Timestamp::from_millis(row.get(1)?) })).transpose()
}

/// Writes something's policy in the place of the one that it has.
pub async fn put(tx: &mut Tx<'_>, instance: InstanceId, owner: Owner, document: &str, now: Timestamp) -> Result<(), StoreError> {
    delete(tx, owner).await?;
    let (namespace, repository) = owner.parts();
    let sql = "INSERT INTO resource_policy (instance_id, namespace_id, repository_id, document, updated_ms) VALUES ($1, $2, $3, $4, $5)";
    tx.execute(sql, params![instance.as_i64(), namespace, repository, document, now.millis()]).await?;
    Ok(())
}

/// Deletes something's policy. False: it has none.
pub async fn delete(tx: &mut Tx<'_>, owner: Owner) -> Result<bool, StoreError> {
    let (namespace, repository) = owner.parts();
    let sql = "DELETE FROM resource_policy WHERE namespace_id = $1 OR repository_id = $2";
    Ok(tx.execute(sql, params![namespace, repository]).await? > 0)
}

/// How many policies an instance's namespaces and repositories have.
pub async fn count(tx: &mut Tx<'_>, instance: InstanceId) -> Result<i64, StoreError> {
    tx.one("SELECT count(*) FROM resource_policy WHERE instance_id = $1", params![instance.as_i64()]).await?.get(0)
}

/// All of them, with what they belong to.
pub async fn of_instance(tx: &mut Tx<'_>, instance: InstanceId) -> Result<Vec<(Place, String)>, StoreError> {
    let sql = "SELECT 'namespace' AS kind, n.name, p.document FROM resource_policy p JOIN namespace n ON n.id = p.namespace_id \
               WHERE p.instance_id = $1 \
               UNION ALL SELECT 'repository' AS kind, r.name, p.document FROM resource_policy p JOIN repository r ON r.id = p.repository_id \
               WHERE p.instance_id = $1";
    tx.rows(sql, params![instance.as_i64()]).await?.iter().map(placed).collect()
}

fn placed(row: &Row) -> Result<(Place, String), StoreError> {
    let name: String = row.get(1)?;
    let corrupt = |_| StoreError::corrupt("resource_policy.name");
    let place = match row.get::<String>(0)?.as_str() {
        "namespace" => Place::Namespace(NamespaceName::parse(&name).map_err(corrupt)?),
        _ => Place::Repository(RepositoryName::parse(&name).map_err(corrupt)?),
    };
    Ok((place, row.get(2)?))
}
