//! Databases that fill up, go away or have no connection left; and when success is said.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use store::{Database, PostgresSettings, Store, StoreError, params};

use crate::database::{SCHEMA, not_run, on_postgres_settings, run};
use crate::units::{add, people};

async fn add_picture(store: &Store, id: i64, size: usize) -> Result<(), StoreError> {
    let (name, picture) = (&format!("person {id}"), &vec![7_u8; size]);
    store
        .write(|tx| {
            Box::pin(async move {
                let sql = "INSERT INTO person (id, account, name, picture) VALUES ($1, 1, $2, $3)";
                tx.execute(sql, params![id, name, picture]).await?;
                Ok(())
            })
        })
        .await
}

/// A reader of its own, outside the store, sees each unit by the time that the store says it is done.
#[test]
fn success_is_said_after_the_commit() {
    let folder = tempfile::tempdir().unwrap();
    let outside = folder.path().join("tidegate.db");
    run(async {
        let store = Arc::new(Store::open_with(&Database::Directory(folder.path().to_owned()), SCHEMA).await.unwrap());
        let tasks: Vec<_> = (0..64)
            .map(|id| {
                let (store, outside) = (Arc::clone(&store), outside.clone());
                tokio::spawn(async move {
                    add_picture(&store, id, 10).await.unwrap();
                    let outside = rusqlite::Connection::open(outside).unwrap();
                    outside.query_row("SELECT count(*) FROM person WHERE id = ?1", [id], |row| row.get::<_, i64>(0)).unwrap()
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 1);
        }
    });
}

fn mount(folder: &Path) -> bool {
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"]).arg(folder).status();
    mounted.is_ok_and(|status| status.success())
}

#[test]
fn a_full_disk_fails_the_group_and_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    if !mount(folder.path()) {
        return not_run("a_full_disk_fails_the_group_and_loses_nothing_that_was_acknowledged", "no right to mount a small disk");
    }
    let outcome = std::panic::catch_unwind(|| run(fill(folder.path())));
    let unmounted = Command::new("umount").arg(folder.path()).status().unwrap();
    assert!(outcome.is_ok() && unmounted.success());
}

async fn fill(folder: &Path) {
    let database = Database::Directory(folder.to_owned());
    let store = Arc::new(Store::open_with(&database, SCHEMA).await.unwrap());
    let tasks: Vec<_> = (0..100)
        .map(|id| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { add_picture(&store, id, 100_000).await })
        })
        .collect();
    let mut kept = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(()) => kept += 1,
            Err(error) => assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}"),
        }
    }
    assert!(kept < 100, "the disk did not fill up");
    assert_eq!(people(&store).await, kept);
    drop(store);
    assert_eq!(people(&Store::open_with(&database, SCHEMA).await.unwrap()).await, kept);
}

#[test]
fn a_postgres_that_is_not_there_is_unavailable() {
    let mut settings = PostgresSettings::new("postgres://nobody:secret@127.0.0.1:1/none");
    settings.acquire_timeout = Duration::from_secs(1);
    assert!(!format!("{settings:?}").contains("secret"));
    let refused = run(Store::open_with(&Database::Postgres(settings), SCHEMA)).unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
}

#[test]
fn a_pool_without_a_free_connection_is_unavailable() {
    on_postgres_settings("a_pool_without_a_free_connection_is_unavailable", async |mut settings| {
        settings.pool_size = 1;
        settings.acquire_timeout = Duration::from_millis(500);
        let store = &Store::open_with(&Database::Postgres(settings), SCHEMA).await.unwrap();
        let another = || store.read(|tx| Box::pin(async move { tx.row("SELECT 1", params![]).await.map(drop) }));
        let refused: Result<(), StoreError> = store.read(|_| Box::pin(async move { another().await })).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
        another().await.unwrap();
    });
}

/// Whoever looks at the change feed, or asks whether the database answers, does not wait behind requests.
#[test]
fn what_everything_depends_on_goes_past_a_full_queue() {
    on_postgres_settings("what_everything_depends_on_goes_past_a_full_queue", async |mut settings| {
        (settings.pool_size, settings.acquire_timeout) = (1, Duration::from_mins(2));
        let store = &Arc::new(Store::open_with(&Database::Postgres(settings), SCHEMA).await.unwrap());
        let slow = async |store: Arc<Store>| {
            let slept = store.read(|tx| Box::pin(async move { tx.row("SELECT 1 FROM pg_sleep(0.3)", params![]).await.map(drop) }));
            slept.await.map_err(|error: StoreError| error.to_string())
        };
        let waiting: Vec<_> = (0..2_000).map(|_| tokio::spawn(slow(Arc::clone(store)))).collect();
        // Those for whom there is no room in the queue are told at once; the others would take five minutes.
        while waiting.iter().filter(|one| one.is_finished()).count() < 900 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        for _ in 0..10 {
            tokio::time::timeout(Duration::from_secs(10), store.ping()).await.unwrap().unwrap();
        }
        waiting.iter().for_each(tokio::task::JoinHandle::abort);
        let mut told = 0;
        for one in waiting {
            told += u32::from(one.await.is_ok_and(|answered| answered.is_err()));
        }
        assert!((900..1_000).contains(&told), "{told}");
    });
}

/// Looks again until it is so; a minute at most.
async fn until(is_so: impl Fn() -> bool) {
    let looking = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), looking).await.unwrap();
}

/// Others wait for its turn: behind a queue of readers each would take as long as the queue.
#[test]
fn who_has_a_turn_goes_past_a_full_queue() {
    on_postgres_settings("who_has_a_turn_goes_past_a_full_queue", async |mut settings| {
        (settings.pool_size, settings.acquire_timeout) = (1, Duration::from_mins(2));
        let store = &Arc::new(Store::open_with(&Database::Postgres(settings), SCHEMA).await.unwrap());
        let slow = async |store: Arc<Store>| {
            let slept = store.read(|tx| Box::pin(async move { tx.row("SELECT 1 FROM pg_sleep(0.3)", params![]).await.map(drop) }));
            slept.await.map_err(|error: StoreError| error.to_string())
        };
        let (again, tries) = (Arc::clone(store), Arc::new(AtomicU32::new(0)));
        let counted = Arc::clone(&tries);
        let met = tokio::spawn(async move { meet_twice(&again, &counted).await.map_err(|error| error.to_string()) });
        until(|| tries.load(Ordering::Acquire) > 0).await;
        // One minute of queue.
        let waiting: Vec<_> = (0..200).map(|_| tokio::spawn(slow(Arc::clone(store)))).collect();
        until(|| store.connections().unwrap().waiting >= 200).await;
        let of_a_thing = async {
            for id in 0..10 {
                store.write_in_turn(7, |tx| Box::pin(add(tx, id, "of a thing"))).await?;
                let gone = store.write_in_turn(7, |tx| Box::pin(async move { tx.execute("DELETE FROM person", params![]).await }));
                gone.await?;
            }
            Ok::<_, StoreError>(())
        };
        tokio::time::timeout(Duration::from_secs(15), of_a_thing).await.unwrap().unwrap();
        tokio::time::timeout(Duration::from_secs(15), met).await.unwrap().unwrap().unwrap();
        assert_eq!(tries.load(Ordering::Acquire), 3);
        assert!(waiting.iter().filter(|one| one.is_finished()).count() < 150, "the queue was there all the time");
        waiting.iter().for_each(tokio::task::JoinHandle::abort);
    });
}

/// A unit that meets others twice, and goes through the third time. It holds its first connection until a queue has formed.
async fn meet_twice(store: &Store, tries: &AtomicU32) -> Result<(), StoreError> {
    store
        .write(|tx| {
            Box::pin(async move {
                if tries.fetch_add(1, Ordering::AcqRel) == 0 {
                    tx.row("SELECT 1 FROM pg_sleep(1.5)", params![]).await?;
                }
                if tries.load(Ordering::Acquire) < 3 {
                    tx.execute("DO $$ BEGIN RAISE EXCEPTION 'met' USING ERRCODE = '40001'; END $$", params![]).await?;
                }
                Ok(())
            })
        })
        .await
}

#[test]
fn a_statement_that_runs_too_long_is_unavailable() {
    on_postgres_settings("a_statement_that_runs_too_long_is_unavailable", async |mut settings| {
        settings.statement_timeout = Duration::from_millis(200);
        let store = Store::open_with(&Database::Postgres(settings), SCHEMA).await.unwrap();
        let slow = "SELECT 1 FROM pg_sleep(10)";
        let refused = store.read(|tx| Box::pin(async move { tx.rows(slow, params![]).await })).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
        store.ping().await.unwrap();
    });
}

/// The connection of a cancelled unit is closed, so the next unit does not wait behind its statement.
#[test]
fn a_cancelled_unit_frees_its_connection() {
    on_postgres_settings("a_cancelled_unit_frees_its_connection", async |mut settings| {
        settings.pool_size = 1;
        settings.acquire_timeout = Duration::from_secs(2);
        let store = Store::open_with(&Database::Postgres(settings), SCHEMA).await.unwrap();
        let slow = store.write(|tx| {
            Box::pin(async move {
                add(tx, 1, "ann").await?;
                tx.rows("SELECT 1 FROM pg_sleep(8)", params![]).await
            })
        });
        tokio::time::timeout(Duration::from_millis(300), slow).await.unwrap_err();
        assert_eq!(people(&store).await, 0);
    });
}

/// Several nodes whose units all change one row, as every change of a right does: none is told to try again by itself.
#[test]
fn many_units_of_several_nodes_that_change_one_row_all_go_through() {
    const WRITERS: i64 = 32;
    const ROUNDS: i64 = 6;
    on_postgres_settings("many_units_of_several_nodes_that_change_one_row_all_go_through", async |settings| {
        let mut nodes = Vec::new();
        for _ in 0..3 {
            nodes.push(Arc::new(Store::open_with(&Database::Postgres(settings.clone()), SCHEMA).await.unwrap()));
        }
        let tasks: Vec<_> = (0..3 * WRITERS)
            .map(|writer| {
                let store = Arc::clone(&nodes[usize::try_from(writer % 3).unwrap()]);
                tokio::spawn(async move {
                    for round in 0..ROUNDS {
                        let id = writer * ROUNDS + round;
                        visit(&store, id).await.unwrap_or_else(|error| panic!("writer {writer}, round {round}: {error}"));
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let counted: Result<i64, StoreError> =
            nodes[0].read(|tx| Box::pin(async move { tx.one("SELECT value FROM counter", params![]).await?.get(0) })).await;
        assert_eq!(counted.unwrap(), 3 * WRITERS * ROUNDS);
    });
}

async fn visit(store: &Store, id: i64) -> Result<(), StoreError> {
    let name = &format!("person {id}");
    store
        .write(|tx| {
            Box::pin(async move {
                tx.row("SELECT name FROM person WHERE account = 1 AND name = $1", params![name]).await?;
                tx.execute("INSERT INTO person (id, account, name) VALUES ($1, 1, $2)", params![id, name]).await?;
                tx.execute("UPDATE counter SET value = value + 1 WHERE name = 'visits'", params![]).await?;
                Ok(())
            })
        })
        .await
}
