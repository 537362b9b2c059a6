//! Breaks things below a server: rows by SQL, content by its file, as a lost disk or a hand would.

use std::path::{Path, PathBuf};
use std::time::Duration;

use store::{Database, PostgresSettings, Store, StoreError, Value};

use crate::house::files;
use crate::support::node::Settings;

/// A server's database, as it is.
pub(crate) struct Hurt {
    runtime: tokio::runtime::Runtime,
    store: Store,
    /// Where its content lies, among other things.
    folder: PathBuf,
}

impl Hurt {
    /// Opens the database of a server that does not run, or is on PostgreSQL.
    pub(crate) fn open(settings: &Settings) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let url = settings.environment.iter().find(|(name, _)| name == "TIDEGATE_DATABASE").map(|(_, url)| url.clone());
        let database = match url {
            None => Database::Directory(settings.data.clone()),
            Some(url) => Database::Postgres(PostgresSettings {
                url,
                pool_size: 2,
                acquire_timeout: Duration::from_secs(10),
                statement_timeout: Duration::from_secs(10),
                ca_file: None,
            }),
        };
        let store = runtime.block_on(Store::peek(&database)).unwrap();
        Self { runtime, store, folder: settings.data.parent().unwrap().to_owned() }
    }

    /// Runs a statement; it changes exactly one row.
    #[track_caller]
    pub(crate) fn sql(&self, sql: &'static str, values: &[Value]) {
        let changed: Result<u64, StoreError> =
            self.runtime.block_on(self.store.write(|tx| Box::pin(async move { tx.execute(sql, values).await })));
        assert_eq!(changed.unwrap(), 1, "{sql}");
    }

    /// Runs a statement that changes as many rows as there are, or the schema.
    #[track_caller]
    pub(crate) fn all(&self, sql: &'static str, values: &[Value]) {
        let changed: Result<u64, StoreError> =
            self.runtime.block_on(self.store.write(|tx| Box::pin(async move { tx.execute(sql, values).await })));
        changed.unwrap();
    }

    /// The number that a statement gives.
    pub(crate) fn number(&self, sql: &'static str, values: &[Value]) -> i64 {
        let row: Result<_, StoreError> = self.runtime.block_on(self.store.read(|tx| Box::pin(async move { tx.one(sql, values).await })));
        row.unwrap().get(0).unwrap()
    }

    /// The file that holds a blob, in the folder of blobs or in the S3 server's.
    pub(crate) fn file_of(&self, digest: &str) -> PathBuf {
        let key = self.number("SELECT storage_key FROM blob WHERE digest = $1", &[bytes(digest)]);
        let name = format!("{key:016x}");
        let mut found = files(&self.folder).into_iter().filter(|path| path.file_name().is_some_and(|file| file == &*name));
        found.next().unwrap_or_else(|| panic!("no file {name} below {}", self.folder.display()))
    }
}

/// A digest as rows have it.
pub(crate) fn bytes(digest: &str) -> Value {
    Value::Bytes(digest.parse::<model::Digest>().unwrap().as_bytes().to_vec())
}

/// Changes one byte of a file, and not its length.
pub(crate) fn flip(path: &Path) {
    let mut content = std::fs::read(path).unwrap();
    let middle = content.len() / 2;
    content[middle] ^= 0x10;
    std::fs::write(path, content).unwrap();
}

/// Leaves half of a file.
pub(crate) fn cut(path: &Path) {
    let content = std::fs::read(path).unwrap();
    std::fs::write(path, &content[..content.len() / 2]).unwrap();
}
