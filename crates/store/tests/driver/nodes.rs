//! Nodes and leases: who is there, who was, and who does what.

use model::{Seconds, Timestamp};
use store::node::{self, Beat, Node};
use store::{Database, Store, StoreError, lease, params};

use crate::database::{on_postgres_settings, run};

fn said(id: &str, listen: &str) -> Beat {
    Beat {
        id: id.to_owned(),
        host: "here".to_owned(),
        listen: listen.to_owned(),
        version: "1".to_owned(),
        started: Timestamp::from_millis(7),
        clock_ahead_ms: -3,
        feed_lag_ms: 20,
        feed_behind: 1,
        database_ms: 2,
        failing: String::new(),
    }
}

async fn beat(store: &Store, said: &Beat) {
    let done: Result<(), StoreError> = store.write(|tx| Box::pin(node::beat(tx, said, Seconds(5)))).await;
    done.unwrap();
}

async fn all(store: &Store) -> Vec<Node> {
    let all: Result<_, StoreError> = store.read(|tx| Box::pin(node::all(tx))).await;
    all.unwrap()
}

async fn set_seen(store: &Store, id: &str, ms: i64) {
    let done: Result<u64, StoreError> =
        store.write(|tx| Box::pin(async move { tx.execute("UPDATE node SET seen_ms = $1 WHERE id = $2", params![ms, id]).await })).await;
    assert_eq!(done.unwrap(), 1);
}

async fn nodes_come_and_go(database: Database) {
    let store = Store::open(&database).await.unwrap();
    let (one, other) = (said("a", "10.0.0.1:5000"), said("b", "10.0.0.2:5000"));
    beat(&store, &one).await;
    beat(&store, &other).await;
    let first = all(&store).await;
    assert_eq!(first.iter().map(|node| &node.beat).collect::<Vec<_>>(), [&one, &other]);
    assert_eq!(first[0].due, first[0].seen.plus(Seconds(5)));
    assert!(first[0].seen.millis() > 1_700_000_000_000, "by the database's clock: {:?}", first[0].seen);

    // It says how it is now; what it is called and since when it runs stays.
    beat(&store, &Beat { feed_lag_ms: 999, failing: "blobs".to_owned(), version: "2".to_owned(), ..one.clone() }).await;
    let again = all(&store).await;
    assert_eq!((again[0].beat.feed_lag_ms, &*again[0].beat.failing, &*again[0].beat.version), (999, "blobs", "1"));
    assert!(again[0].seen >= first[0].seen);

    // The same place again: it was started anew.
    beat(&store, &said("c", "10.0.0.1:5000")).await;
    assert_eq!(all(&store).await.iter().map(|node| node.beat.id.clone()).collect::<Vec<_>>(), ["c", "b"]);

    let pruned = async || {
        let done: Result<u64, StoreError> = store.write(|tx| Box::pin(node::prune(tx, Seconds::days(1)))).await;
        done.unwrap()
    };
    assert_eq!(pruned().await, 0);
    set_seen(&store, "b", first[1].seen.millis() - 86_500_000).await;
    assert_eq!(pruned().await, 1);
    let ended: Result<(), StoreError> = store.write(|tx| Box::pin(node::forget(tx, "c"))).await;
    ended.unwrap();
    assert!(all(&store).await.is_empty());
}

async fn no_more_nodes_are_kept_than_there_is_room_for(database: Database) {
    let store = Store::open(&database).await.unwrap();
    let filled: Result<(), StoreError> = store
        .write(|tx| {
            Box::pin(async move {
                for number in 0..1010 {
                    node::beat(tx, &said(&format!("n{number:04}"), &format!("10.0.0.1:{number}")), Seconds(5)).await?;
                }
                Ok(())
            })
        })
        .await;
    filled.unwrap();
    let done: Result<u64, StoreError> = store.write(|tx| Box::pin(node::prune(tx, Seconds::days(1)))).await;
    assert_eq!(done.unwrap(), 10);
}

async fn a_lease_passes_on_when_it_is_given_back_or_over(database: Database) {
    let store = Store::open(&database).await.unwrap();
    let take = async |holder: &str, at: i64| {
        let taken: Result<bool, StoreError> =
            store.write(|tx| Box::pin(lease::take(tx, "job", holder, Timestamp::from_millis(at), Seconds(10)))).await;
        taken.unwrap()
    };
    assert!(take("a", 0).await && !take("b", 10_000).await);
    assert!(take("a", 5_000).await, "renewed");
    assert!(!take("b", 15_000).await && take("b", 15_001).await && !take("a", 15_002).await);
    let held: Result<_, StoreError> = store.read(|tx| Box::pin(lease::held(tx, Timestamp::from_millis(16_000)))).await;
    assert_eq!(held.unwrap(), [("b".to_owned(), "job".to_owned())]);
    let given: Result<u64, StoreError> = store.write(|tx| Box::pin(lease::release_all(tx, "b"))).await;
    assert!(given.unwrap() == 1 && take("a", 15_003).await);
    let over: Result<_, StoreError> = store.read(|tx| Box::pin(lease::held(tx, Timestamp::from_millis(26_000)))).await;
    assert_eq!(over.unwrap(), []);
}

#[test]
fn on_sqlite() {
    for case in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        run(all_cases(case, Database::Directory(folder.path().to_owned())));
    }
}

#[test]
fn on_postgres() {
    for case in 0..3 {
        on_postgres_settings("nodes::on_postgres", async |settings| all_cases(case, Database::Postgres(settings)).await);
    }
}

async fn all_cases(case: u8, database: Database) {
    match case {
        0 => nodes_come_and_go(database).await,
        1 => no_more_nodes_are_kept_than_there_is_room_for(database).await,
        _ => a_lease_passes_on_when_it_is_given_back_or_over(database).await,
    }
}
