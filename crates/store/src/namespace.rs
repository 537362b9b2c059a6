//! Namespaces.

use model::{InstanceId, RepositoryName};

use crate::{StoreError, Tx, params};

/// May anybody read this repository: is it, or its namespace, public?
pub async fn is_public(tx: &mut Tx<'_>, instance: InstanceId, name: &RepositoryName) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM repository r JOIN namespace n ON n.id = r.namespace_id \
               WHERE r.instance_id = $1 AND r.name = $2 AND (r.is_public = 1 OR n.is_public = 1)";
    Ok(tx.row(sql, params![instance.as_i64(), name.as_str()]).await?.is_some())
}
