//! Stories that are told over SQLite and PostgreSQL.

use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use store::PostgresSettings;

/// The number of the next schema.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Waits for a story on a runtime of its own.
pub fn run<F: Future>(story: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(story)
}

/// Tells a story in a schema of its own at the PostgreSQL that the environment names, or says by the test's name that it was not
/// told.
pub fn on_postgres(name: &str, story: impl AsyncFn(PostgresSettings)) {
    #[expect(clippy::disallowed_methods, reason = "the test run names its PostgreSQL in the environment")]
    let Ok(url) = std::env::var("TIDEGATE_TEST_POSTGRES_URL") else {
        // Straight to standard error, which the test harness does not swallow.
        let line = format!("NOT RUN: {name}: TIDEGATE_TEST_POSTGRES_URL is not set\n");
        return std::io::stderr().write_all(line.as_bytes()).unwrap();
    };
    let schema = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let mark = if url.contains('?') { '&' } else { '?' };
    let own = format!("{url}{mark}options=-c%20search_path%3D{schema}");
    run(async {
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(&format!("CREATE SCHEMA {schema}")).await.unwrap();
        story(PostgresSettings::new(own)).await;
        client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
    });
}
