//! A house over a fresh database, whose trail is read and verified as the client does it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use api::{AuditRecord, AuditTrail};
use chain::{Begin, Belief, End, Keys, ProblemKind, Report, Verifier};
use serde_json::json;
use store::{Database, Store, StoreError, params};
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

pub(crate) fn on_sqlite(story: impl AsyncFn(House)) {
    testkit::run(async { story(testkit::house().await).await });
}

pub(crate) fn on_postgres(name: &str, story: impl AsyncFn(House)) {
    testkit::on_postgres(name, async |settings| {
        story(House::over(Store::open(&Database::Postgres(settings)).await.unwrap()).await).await;
    });
}

/// The number of the next user.
static NEXT: AtomicU64 = AtomicU64::new(0);

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
