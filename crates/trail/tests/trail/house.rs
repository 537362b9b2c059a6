//! A house over a fresh database, whose trail is read and verified as the client does it.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use api::{AuditRecord, AuditTrail};
use chain::{Begin, Belief, End, Keys, ProblemKind, Report, Verifier};
use serde_json::json;
use store::{Database, PostgresSettings, Store, StoreError, params};
use testkit::House;

/// One test a database for each story, which is an `async fn(House, Settings)`.
macro_rules! on_each {
    ($($story:ident)*) => { $(mod $story {
        #[test]
        fn sqlite() {
            crate::house::on_sqlite(super::$story);
        }
        #[test]
        fn postgres() {
            crate::house::on_postgres(concat!(module_path!(), "::postgres"), super::$story);
        }
    })* };
}
pub(crate) use on_each;

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}

pub(crate) fn on_sqlite(story: impl AsyncFn(House)) {
    run(async { story(testkit::house().await).await });
}

pub(crate) fn on_postgres(name: &str, story: impl AsyncFn(House)) {
    on_postgres_settings(name, async |settings| {
        story(House::over(Store::open(&Database::Postgres(settings)).await.unwrap()).await).await;
    });
}

/// The number of the next schema.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Tells a story in a schema of its own, or says by name that it was not told.
pub(crate) fn on_postgres_settings(name: &str, story: impl AsyncFn(PostgresSettings)) {
    #[expect(clippy::disallowed_methods, reason = "the test run names its PostgreSQL in the environment")]
    let Ok(url) = std::env::var("TIDEGATE_TEST_POSTGRES_URL") else {
        // Straight to standard error, which the test harness does not swallow.
        let line = format!("NOT RUN: {name}: TIDEGATE_TEST_POSTGRES_URL is not set\n");
        return std::io::stderr().write_all(line.as_bytes()).unwrap();
    };
    let schema = format!("test_trail_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
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

/// Users are made, which is written down, and sealed a few at a time.
pub(crate) async fn happen(house: &House, batches: &[usize]) {
    let root = house.root_manager().await;
    for size in batches {
        for _ in 0..*size {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            root.post("/api/v1/users", &json!({ "name": format!("u{number}") })).await.expect(201);
        }
        house.seal().await;
    }
}

/// The whole chain of the house's account, as the client reads it: page by page.
pub(crate) async fn records(house: &House) -> Vec<AuditRecord> {
    let root = house.root_manager().await;
    let (mut all, mut path) = (Vec::new(), "/api/v1/audit-records?limit=7".to_owned());
    loop {
        let page = root.get(&path).await.expect(200);
        all.extend(serde_json::from_slice::<Vec<AuditRecord>>(&page.body).unwrap());
        let Some(link) = page.headers.get("link") else { return all };
        link.to_str().unwrap().split(['<', '>']).nth(1).unwrap().clone_into(&mut path);
    }
}

pub(crate) async fn trail(house: &House) -> AuditTrail {
    serde_json::from_slice(&house.root_manager().await.get("/api/v1/audit-trail").await.expect(200).body).unwrap()
}

/// What the client finds.
pub(crate) async fn verify(house: &House) -> Report {
    let (trail, records) = (trail(house).await, records(house).await);
    let keys = Keys::parse(&trail.keys.iter().map(|key| key.public_key_pem.as_str()).collect::<String>()).unwrap();
    let begin = trail.begin.map_or(Begin::First, Begin::Behind);
    let mut verifier = Verifier::new(&keys, Belief::All, &begin);
    for record in &records {
        verifier.record(record);
    }
    verifier.finish(End::Whole(trail.head.as_deref()))
}

/// How many records the chain has.
pub(crate) async fn length(house: &House) -> i64 {
    i64::try_from(records(house).await.len()).unwrap()
}

/// What kind of harm the client finds, and at which record.
pub(crate) async fn found(house: &House) -> Vec<(ProblemKind, i64)> {
    let report = verify(house).await;
    assert_eq!(report.whole, report.problems.is_empty());
    report.problems.iter().map(|p| (p.kind, p.at.as_ref().map_or(0, |at| at.sequence))).collect()
}

/// What somebody who can write the database does.
pub(crate) async fn sql(house: &House, statement: &'static str) {
    let done: Result<u64, StoreError> = house.store.write(|tx| Box::pin(async move { tx.execute(statement, params![]).await })).await;
    assert!(done.unwrap() > 0, "nothing was touched: {statement}");
}

/// A number that the database knows.
pub(crate) async fn number(store: &Arc<Store>, statement: &'static str) -> i64 {
    store.read(|tx| Box::pin(async move { tx.one(statement, params![]).await?.get::<i64>(0) })).await.unwrap_or_else(|e: StoreError| {
        let cause = std::error::Error::source(&e).map(ToString::to_string);
        unreachable!("{e}: {cause:?}")
    })
}

pub(crate) const DAY: model::Seconds = model::Seconds::days(1);
