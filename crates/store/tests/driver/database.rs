//! A fresh database for each test.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use store::{Database, Migration, PostgresSettings, Store};

pub(crate) const SCHEMA: &[Migration] = &[Migration {
    number: 1,
    name: "people",
    sql: "CREATE TABLE person (id BIGINT PRIMARY KEY, account BIGINT NOT NULL, name TEXT NOT NULL, picture BYTEA, UNIQUE (account, name));
          CREATE UNIQUE INDEX person_length ON person (length(name), account) WHERE account = 9;
          CREATE TABLE pet (id BIGINT PRIMARY KEY, owner BIGINT NOT NULL REFERENCES person (id), name TEXT NOT NULL);
          CREATE TABLE counter (name TEXT NOT NULL UNIQUE, value BIGINT NOT NULL);
          INSERT INTO counter (name, value) VALUES ('visits', 0);",
}];

pub(crate) fn run<F: Future>(future: F) -> F::Output {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(4).enable_all().build().unwrap().block_on(future)
}

pub(crate) fn on_memory(case: impl AsyncFn(Arc<Store>)) {
    run(async { case(Arc::new(Store::open_with(&Database::Memory, SCHEMA).await.unwrap())).await });
}

pub(crate) fn on_file(case: impl AsyncFn(Arc<Store>)) {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::Directory(folder.path().join("data"));
    run(async { case(Arc::new(Store::open_with(&database, SCHEMA).await.unwrap())).await });
}

pub(crate) fn on_postgres(name: &str, case: impl AsyncFn(Arc<Store>)) {
    on_postgres_settings(name, async |settings| {
        let store = Store::open_with(&Database::Postgres(settings), SCHEMA).await.unwrap();
        case(Arc::new(store)).await;
    });
}

/// The number of the next schema.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Runs `case` with a schema of its own, or says by name that it did not run.
pub(crate) fn on_postgres_settings(name: &str, case: impl AsyncFn(PostgresSettings)) {
    #[expect(clippy::disallowed_methods, reason = "the test run names its PostgreSQL in the environment")]
    let Ok(url) = std::env::var("TIDEGATE_TEST_POSTGRES_URL") else {
        return not_run(name, "TIDEGATE_TEST_POSTGRES_URL is not set");
    };
    let schema = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let mark = if url.contains('?') { '&' } else { '?' };
    let own = format!("{url}{mark}options=-c%20search_path%3D{schema}");
    run(async {
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}")).await.unwrap();
        case(PostgresSettings::new(own)).await;
        client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
    });
}

/// Straight to standard error, which the test harness does not swallow.
pub(crate) fn not_run(name: &str, why: &str) {
    let line = format!("NOT RUN: {name}: {why}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}
