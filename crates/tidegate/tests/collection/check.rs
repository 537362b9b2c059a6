//! The checker. It asks the program nothing: it reads the tables and the files, and says what is missing and what is left over.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use model::Digest;
use store::{Row, Store, StoreError};

use crate::support::digest;

/// What there is.
pub(crate) struct Seen {
    /// Repository and digest of each manifest.
    manifests: BTreeSet<(String, String)>,
    /// Repository, its account, a manifest of it, and a blob that this one names.
    needs: Vec<(String, i64, String, String)>,
    /// Repository, its account, and a blob that it has.
    links: BTreeSet<(String, i64, String)>,
    /// Account and digest; key and size.
    blobs: BTreeMap<(i64, String), (i64, i64)>,
    uploads: BTreeSet<i64>,
    /// Condemned, and not deleted yet.
    waiting: BTreeSet<i64>,
    /// By key.
    content: BTreeMap<i64, PathBuf>,
    /// What lies beside.
    other: Vec<PathBuf>,
}

impl Seen {
    pub(crate) fn read(database: &store::Database, content: &Path) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut seen = runtime.block_on(rows(database)).unwrap();
        for path in files(content) {
            match key(&path) {
                Some(key) => assert!(seen.content.insert(key, path).is_none(), "{key:016x} lies there twice"),
                None if path.ends_with("probe") => {}
                None => seen.other.push(path),
            }
        }
        seen
    }

    /// So much of it that a check says something.
    pub(crate) fn counts(&self) -> String {
        format!(
            "{} manifests that need {} blobs, {} links, {} blobs, {} pieces of content",
            self.manifests.len(),
            self.needs.len(),
            self.links.len(),
            self.blobs.len(),
            self.content.len()
        )
    }

    /// Manifests that were acknowledged and are not there.
    pub(crate) fn lost<'a>(&self, acknowledged: impl IntoIterator<Item = &'a (String, String)>) -> Vec<String> {
        let lost = acknowledged.into_iter().filter(|one| !self.manifests.contains(*one));
        lost.map(|(repository, digest)| format!("{repository}@{digest} was acknowledged, and is not there")).collect()
    }

    /// What a manifest names and is not there, whole.
    pub(crate) fn missing(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (repository, account, manifest, blob) in &self.needs {
            if let Some(why) = self.trouble(repository, *account, blob) {
                wrong.push(format!("{repository}@{manifest} names {blob}: {why}"));
            }
        }
        for (repository, account, blob) in &self.links {
            if !self.blobs.contains_key(&(*account, blob.clone())) {
                wrong.push(format!("{repository} has {blob}, and there is no such blob"));
            }
        }
        wrong
    }

    fn trouble(&self, repository: &str, account: i64, blob: &str) -> Option<String> {
        if !self.links.contains(&(repository.to_owned(), account, blob.to_owned())) {
            return Some("the repository does not have it".to_owned());
        }
        let Some((key, size)) = self.blobs.get(&(account, blob.to_owned())) else { return Some("it has no row".to_owned()) };
        let Some(path) = self.content.get(key) else { return Some(format!("its content {key:016x} is not there")) };
        let content = std::fs::read(path).unwrap();
        if content.len() as u64 != size.unsigned_abs() || digest(&content) != *blob {
            return Some(format!("its content {key:016x} is another"));
        }
        None
    }

    /// What nothing needs.
    pub(crate) fn orphans(&self) -> Vec<String> {
        let needed: BTreeSet<(&str, &str)> = self.needs.iter().map(|(repository, _, _, blob)| (&**repository, &**blob)).collect();
        let linked: BTreeSet<(i64, &str)> = self.links.iter().map(|(_, account, blob)| (*account, &**blob)).collect();
        let keys: BTreeSet<i64> = self.blobs.values().map(|(key, _)| *key).collect();
        let links = self.links.iter().filter(|(repository, _, blob)| !needed.contains(&(&**repository, &**blob)));
        let blobs = self.blobs.keys().filter(|(account, blob)| !linked.contains(&(*account, &**blob)));
        let content = self.content.keys().filter(|key| !keys.contains(key));
        let mut left: Vec<String> =
            links.map(|(repository, _, blob)| format!("{repository} has {blob}, which no manifest names")).collect();
        left.extend(blobs.map(|(_, blob)| format!("{blob} is a blob that no repository has")));
        left.extend(content.map(|key| format!("content {key:016x} lies there, and no blob has it")));
        left.extend(self.uploads.iter().map(|key| format!("upload {key:016x} has not ended")));
        left.extend(self.waiting.iter().map(|key| format!("content {key:016x} waits to be deleted")));
        left.extend(self.other.iter().map(|path| format!("{} lies among the content", path.display())));
        left
    }

    /// Where the content of some blob lies that a manifest names.
    pub(crate) fn some_content(&self) -> PathBuf {
        let (_, account, _, blob) = self.needs.first().unwrap();
        self.content[&self.blobs[&(*account, blob.clone())].0].clone()
    }
}

async fn rows(database: &store::Database) -> Result<Seen, StoreError> {
    let store = Store::peek(database).await?;
    let all = async |sql: &'static str| -> Result<Vec<Row>, StoreError> {
        store.read(|tx| Box::pin(async move { tx.rows(sql, &[]).await })).await
    };
    let text =
        |row: &Row, column| -> Result<String, StoreError> { Ok(Digest::from_bytes(&row.get::<Vec<u8>>(column)?).unwrap().to_string()) };
    let manifests = all("SELECT r.name, m.digest FROM manifest m JOIN repository r ON r.id = m.repository_id").await?;
    let needs = "SELECT r.name, r.account_id, c.parent, c.child FROM manifest_child c JOIN repository r ON r.id = c.repository_id \
                 WHERE c.kind = 'blob'";
    let links = "SELECT r.name, r.account_id, l.digest FROM blob_link l JOIN repository r ON r.id = l.repository_id";
    let keys = async |sql| -> Result<BTreeSet<i64>, StoreError> { all(sql).await?.iter().map(|row| row.get(0)).collect() };
    let needs = all(needs).await?;
    let links = all(links).await?;
    let blobs = all("SELECT account_id, digest, storage_key, size FROM blob").await?;
    Ok(Seen {
        manifests: manifests.iter().map(|row| Ok((row.get(0)?, text(row, 1)?))).collect::<Result<_, StoreError>>()?,
        needs: needs.iter().map(|row| Ok((row.get(0)?, row.get(1)?, text(row, 2)?, text(row, 3)?))).collect::<Result<_, StoreError>>()?,
        links: links.iter().map(|row| Ok((row.get(0)?, row.get(1)?, text(row, 2)?))).collect::<Result<_, StoreError>>()?,
        blobs: blobs.iter().map(|row| Ok(((row.get(0)?, text(row, 1)?), (row.get(2)?, row.get(3)?)))).collect::<Result<_, StoreError>>()?,
        uploads: keys("SELECT id FROM upload").await?,
        waiting: keys("SELECT storage_key FROM condemned WHERE deleted_ms IS NULL").await?,
        content: BTreeMap::new(),
        other: Vec::new(),
    })
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Content lies under its key: sixteen hexadecimal digits.
fn key(path: &Path) -> Option<i64> {
    let name = path.file_name()?.to_str()?;
    let key = (name.len() == 16).then(|| u64::from_str_radix(name, 16).ok())??;
    Some(key.cast_signed())
}
