//! Endpoints of instances: whom the public one lets in, and which named networks have a private one. What the entries mean is
//! `access`'s business.

use model::{InstanceId, NetworkName, Timestamp};

use crate::{Row, StoreError, Tx, params};

/// The public endpoint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Public {
    /// Off, it lets nobody in.
    pub enabled: bool,
    /// Does it let everybody in, or its entries alone?
    pub lets_everybody_in: bool,
}

impl Default for Public {
    /// As a new instance has it.
    fn default() -> Self {
        Self { enabled: true, lets_everybody_in: true }
    }
}

/// One entry of the public endpoint's allow list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The block of addresses, as `access` prints it.
    pub cidr: String,
    /// What it is.
    pub comment: String,
    /// Made when.
    pub created: Timestamp,
    /// Made by whom: the name at that time.
    pub created_by: String,
}

/// One private endpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Private {
    /// The named network that it is for.
    pub network: NetworkName,
    /// Made when.
    pub created: Timestamp,
    /// Made by whom: the name at that time.
    pub created_by: String,
}

/// All endpoints of an instance.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Endpoints {
    /// The public one.
    pub public: Public,
    /// Its entries, by text.
    pub entries: Vec<Entry>,
    /// The private ones, by network.
    pub private: Vec<Private>,
}

/// An instance's endpoints. An instance that is not there has a new one's.
pub async fn of_instance(tx: &mut Tx<'_>, id: InstanceId) -> Result<Endpoints, StoreError> {
    let sql = "SELECT public_enabled, lets_everybody_in FROM endpoint WHERE instance_id = $1";
    let Some(row) = tx.row(sql, params![id.as_i64()]).await? else { return Ok(Endpoints::default()) };
    let public = Public { enabled: row.get(0)?, lets_everybody_in: row.get(1)? };
    let entries = "SELECT cidr, comment, created_ms, created_by_name FROM endpoint_entry WHERE instance_id = $1 ORDER BY cidr";
    let entries = tx.rows(entries, params![id.as_i64()]).await?.iter().map(entry).collect::<Result<_, _>>()?;
    let private = "SELECT network, created_ms, created_by_name FROM endpoint_network WHERE instance_id = $1 ORDER BY network";
    let private = tx.rows(private, params![id.as_i64()]).await?.iter().map(one_private).collect::<Result<_, _>>()?;
    Ok(Endpoints { public, entries, private })
}

fn entry(row: &Row) -> Result<Entry, StoreError> {
    let created = Timestamp::from_millis(row.get(2)?);
    Ok(Entry { cidr: row.get(0)?, comment: row.get(1)?, created, created_by: row.get(3)? })
}

fn one_private(row: &Row) -> Result<Private, StoreError> {
    let network = NetworkName::parse(&row.get::<String>(0)?).map_err(|_| StoreError::corrupt("endpoint_network.network"))?;
    Ok(Private { network, created: Timestamp::from_millis(row.get(1)?), created_by: row.get(2)? })
}

/// Sets the public endpoint. Called too before anything else is written of an instance: without its row there is nothing.
pub async fn set_public(tx: &mut Tx<'_>, id: InstanceId, public: Public) -> Result<(), StoreError> {
    let sql = "INSERT INTO endpoint (instance_id, public_enabled, lets_everybody_in) VALUES ($1, $2, $3) \
               ON CONFLICT (instance_id) DO UPDATE SET public_enabled = excluded.public_enabled, lets_everybody_in = excluded.lets_everybody_in";
    tx.execute(sql, params![id.as_i64(), public.enabled, public.lets_everybody_in]).await?;
    Ok(())
}

/// Writes an entry, or another comment to it.
pub async fn put_entry(tx: &mut Tx<'_>, id: InstanceId, e: &Entry) -> Result<(), StoreError> {
    let sql = "INSERT INTO endpoint_entry (instance_id, cidr, comment, created_ms, created_by_name) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (instance_id, cidr) DO UPDATE SET comment = excluded.comment";
    tx.execute(sql, params![id.as_i64(), &*e.cidr, &*e.comment, e.created.millis(), &*e.created_by]).await?;
    Ok(())
}

/// Deletes an entry. False: there is none.
pub async fn delete_entry(tx: &mut Tx<'_>, id: InstanceId, cidr: &str) -> Result<bool, StoreError> {
    let sql = "DELETE FROM endpoint_entry WHERE instance_id = $1 AND cidr = $2";
    Ok(tx.execute(sql, params![id.as_i64(), cidr]).await? == 1)
}

/// Writes a private endpoint. False: there is one already.
pub async fn insert_private(tx: &mut Tx<'_>, id: InstanceId, p: &Private) -> Result<bool, StoreError> {
    let sql = "INSERT INTO endpoint_network (instance_id, network, created_ms, created_by_name) VALUES ($1, $2, $3, $4) \
               ON CONFLICT DO NOTHING";
    Ok(tx.execute(sql, params![id.as_i64(), p.network.as_str(), p.created.millis(), &*p.created_by]).await? == 1)
}

/// Deletes a private endpoint. False: there is none.
pub async fn delete_private(tx: &mut Tx<'_>, id: InstanceId, network: &NetworkName) -> Result<bool, StoreError> {
    let sql = "DELETE FROM endpoint_network WHERE instance_id = $1 AND network = $2";
    Ok(tx.execute(sql, params![id.as_i64(), network.as_str()]).await? == 1)
}

/// Forgets an instance's endpoints: it goes.
pub(crate) async fn forget(tx: &mut Tx<'_>, id: InstanceId) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM endpoint_entry WHERE instance_id = $1",
        "DELETE FROM endpoint_network WHERE instance_id = $1",
        "DELETE FROM endpoint WHERE instance_id = $1",
    ] {
        tx.execute(sql, params![id.as_i64()]).await?;
    }
    Ok(())
}
