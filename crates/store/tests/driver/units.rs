//! Units of work: whole or undone, in whatever company.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use store::{Store, StoreError, Tx, params};

use crate::on_each;

on_each! { an_error_undoes_the_unit neighbours_are_kept_when_one_is_undone a_unit_reads_its_own_writes
a_read_sees_one_snapshot a_read_cannot_write nothing_is_lost_when_units_meet after_a_failed_statement_the_unit_is_over
a_cancelled_unit_is_whole_or_undone units_that_may_wait_for_the_disk_and_units_that_may_not a_panic_undoes_its_unit_alone units_run_in_spawned_tasks scans_run_on_any_runtime
a_unit_in_turn_is_timed_and_scheduled_as_every_other }

#[derive(Debug)]
pub(crate) enum UseCaseError {
    Refused,
    Store { _cause: StoreError },
}

impl From<StoreError> for UseCaseError {
    fn from(error: StoreError) -> Self {
        Self::Store { _cause: error }
    }
}

pub(crate) async fn add(tx: &mut Tx<'_>, id: i64, name: &str) -> Result<(), StoreError> {
    tx.execute("INSERT INTO person (id, account, name) VALUES ($1, 1, $2)", params![id, name]).await?;
    Ok(())
}

async fn count(tx: &mut Tx<'_>) -> Result<i64, StoreError> {
    let row = tx.row("SELECT count(*) FROM person", params![]).await?;
    row.map_or(Ok(0), |row| row.get(0))
}

pub(crate) async fn people(store: &Store) -> i64 {
    store.read(|tx| Box::pin(count(tx))).await.unwrap()
}

async fn is_there(store: &Store, id: i64) -> bool {
    let row = store.read(|tx| Box::pin(async move { tx.row("SELECT name FROM person WHERE id = $1", params![id]).await }));
    row.await.unwrap_or_else(|error: StoreError| panic!("{error}")).is_some()
}

/// A unit that adds one person, then goes wrong when told to.
async fn register(store: &Store, id: i64, refuse: bool) -> Result<i64, UseCaseError> {
    let name = &format!("person {id}");
    store
        .write(|tx| {
            Box::pin(async move {
                add(tx, id, name).await?;
                if refuse { Err(UseCaseError::Refused) } else { Ok(id) }
            })
        })
        .await
}

async fn an_error_undoes_the_unit(store: Arc<Store>) {
    assert!(matches!(register(&store, 1, true).await, Err(UseCaseError::Refused)));
    assert_eq!(people(&store).await, 0);
    assert_eq!(register(&store, 1, false).await.unwrap(), 1);
    assert_eq!(people(&store).await, 1);
}

async fn neighbours_are_kept_when_one_is_undone(store: Arc<Store>) {
    let tasks: Vec<_> = (0..600)
        .map(|id| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { register(&store, id, id % 3 == 0).await })
        })
        .collect();
    for (id, task) in tasks.into_iter().enumerate() {
        assert_eq!(task.await.unwrap().is_ok(), id % 3 != 0);
    }
    assert_eq!(people(&store).await, 400);
}

/// Both kinds side by side: each is seen by all when it returns, and each that fails is undone alone.
async fn units_that_may_wait_for_the_disk_and_units_that_may_not(store: Arc<Store>) {
    let tasks: Vec<_> = (0..300)
        .map(|id| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let name = &format!("soon {id}");
                let soon = store.write_soon(|tx| {
                    Box::pin(async move {
                        add(tx, 1000 + id, name).await?;
                        if id % 3 == 0 { Err(UseCaseError::Refused) } else { Ok(()) }
                    })
                });
                let (soon, full) = tokio::join!(soon, register(&store, id, id % 5 == 0));
                assert_eq!((soon.is_ok(), full.is_ok()), (id % 3 != 0, id % 5 != 0));
                assert_eq!(is_there(&store, 1000 + id).await, soon.is_ok());
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(people(&store).await, 200 + 240);
}

async fn a_unit_reads_its_own_writes(store: Arc<Store>) {
    let seen = store
        .write(|tx| {
            Box::pin(async move {
                add(tx, 1, "ann").await?;
                count(tx).await
            })
        })
        .await;
    assert_eq!(seen.unwrap(), 1);
}

async fn a_read_sees_one_snapshot(store: Arc<Store>) {
    let other = &Arc::clone(&store);
    let (before, after) = store
        .read(|tx| {
            Box::pin(async move {
                let before = count(tx).await?;
                let (done, wait) = std::sync::mpsc::channel();
                let other = Arc::clone(other);
                tokio::spawn(async move { done.send(register(&other, 1, false).await.is_ok()) });
                assert!(tokio::task::block_in_place(|| wait.recv()).unwrap());
                Ok::<_, StoreError>((before, count(tx).await?))
            })
        })
        .await
        .unwrap();
    assert_eq!((before, after, people(&store).await), (0, 0, 1));
}

async fn a_read_cannot_write(store: Arc<Store>) {
    store.read(|tx| Box::pin(async move { add(tx, 1, "ann").await })).await.unwrap_err();
    assert_eq!(people(&store).await, 0);
}

async fn nothing_is_lost_when_units_meet(store: Arc<Store>) {
    static RUNS: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];
    let postgres = store.backend_name() == "postgres";
    let runs = &RUNS[usize::from(postgres)];
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut done = 0_i64;
                for _ in 0..25 {
                    match store.write(|tx| Box::pin(visit(tx, runs))).await {
                        Ok(()) => done += 1,
                        Err(error) => assert!(matches!(error, StoreError::Conflict { .. }), "{error:?}"),
                    }
                }
                done
            })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += task.await.unwrap();
    }
    let row = store.read(|tx| Box::pin(tx.row("SELECT value FROM counter", params![]))).await.unwrap();
    assert_eq!(row.unwrap().get::<i64>(0).unwrap(), done);
    assert!(done >= 95, "units gave up too early: {done} of 100");
    if postgres {
        assert!(runs.load(Ordering::Relaxed) > 100, "no unit was run again");
    }
}

async fn visit(tx: &mut Tx<'_>, runs: &AtomicU64) -> Result<(), StoreError> {
    runs.fetch_add(1, Ordering::Relaxed);
    let row = tx.row("SELECT value FROM counter WHERE name = 'visits'", params![]).await?;
    let value: i64 = row.map_or(Ok(0), |row| row.get(0))?;
    tx.execute("UPDATE counter SET value = $1 WHERE name = 'visits'", params![value + 1]).await?;
    Ok(())
}

async fn after_a_failed_statement_the_unit_is_over(store: Arc<Store>) {
    register(&store, 1, false).await.unwrap();
    let result = store
        .write(|tx| {
            Box::pin(async move {
                add(tx, 2, "bob").await?;
                add(tx, 1, "again").await.unwrap_err();
                add(tx, 3, "eve").await.unwrap_err();
                Ok::<_, StoreError>(())
            })
        })
        .await;
    assert!(matches!(result, Err(StoreError::Statement(_))), "{result:?}");
    assert_eq!(people(&store).await, 1);
}

async fn a_cancelled_unit_is_whole_or_undone(store: Arc<Store>) {
    for id in 0..100_i64 {
        let unit = store.write(|tx| {
            Box::pin(async move {
                add(tx, id * 2, &format!("left {id}")).await?;
                add(tx, id * 2 + 1, &format!("right {id}")).await
            })
        });
        let short = std::time::Duration::from_micros(id.unsigned_abs() * 20);
        let _ = tokio::time::timeout(short, unit).await;
    }
    register(&store, 1_000, false).await.unwrap();
    let halves = "SELECT l.id FROM person l WHERE l.id < 1000
        AND NOT EXISTS (SELECT 1 FROM person r WHERE r.id / 2 = l.id / 2 AND r.id <> l.id)";
    let halves = store.read(|tx| Box::pin(tx.rows(halves, params![]))).await.unwrap();
    assert!(halves.is_empty(), "{halves:?}");
}

async fn a_panic_undoes_its_unit_alone(store: Arc<Store>) {
    let tasks: Vec<_> = (0..60)
        .map(|id| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { register_or_panic(&store, id).await })
        })
        .collect();
    for (id, task) in tasks.into_iter().enumerate() {
        assert_eq!(task.await.is_err_and(|error| error.is_panic()), id % 2 == 0);
    }
    let reader = Arc::clone(&store);
    let read = async move { reader.read(|tx| Box::pin(async move { panic!("{:?}", count(tx).await) })).await as Result<(), StoreError> };
    assert!(tokio::spawn(read).await.unwrap_err().is_panic());
    for _ in 0..20 {
        assert_eq!(people(&store).await, 30);
    }
}

async fn register_or_panic(store: &Store, id: i64) -> Result<(), StoreError> {
    let name = &format!("person {id}");
    store
        .write(|tx| {
            Box::pin(async move {
                add(tx, id, name).await?;
                assert!(id % 2 != 0, "a body's defect");
                Ok(())
            })
        })
        .await
}

/// As use cases hold the store.
struct Directory {
    store: Arc<Store>,
}

impl Directory {
    async fn rename(&self, names: &[(i64, String)]) -> Result<(), UseCaseError> {
        self.store
            .write(|tx| {
                Box::pin(async move {
                    for (id, name) in names {
                        tx.execute("UPDATE person SET name = $1 WHERE id = $2", params![name, *id]).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

async fn add_as<N: AsRef<str> + Sync>(directory: &Directory, id: i64, name: N) -> Result<(), StoreError> {
    let name = &name;
    directory.store.write(|tx| Box::pin(async move { add(tx, id, name.as_ref()).await })).await
}

async fn units_run_in_spawned_tasks(store: Arc<Store>) {
    let directory = Arc::new(Directory { store });
    let mine = Arc::clone(&directory);
    tokio::spawn(async move { add_as(&mine, 1, "ann").await }).await.unwrap().unwrap();
    let mine = Arc::clone(&directory);
    tokio::spawn(async move { mine.rename(&[(1, "bob".to_owned())]).await }).await.unwrap().unwrap();
    let found = "SELECT name FROM person WHERE id = 1";
    let row = directory.store.read(|tx| Box::pin(tx.row(found, params![]))).await.unwrap().unwrap();
    assert_eq!(row.get::<String>(0).unwrap(), "bob");
}

async fn scans_run_on_any_runtime(store: Arc<Store>) {
    register(&store, 1, false).await.unwrap();
    assert_eq!(store.scan(|tx| Box::pin(count(tx))).await.unwrap(), 1);
    if store.backend_name() == "sqlite" {
        let alone = tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { store.scan(|tx| Box::pin(count(tx))).await })
        });
        assert_eq!(alone.await.unwrap().unwrap(), 1);
    }
}

/// A scheduler that only counts.
#[derive(Debug, Default)]
struct Counted(AtomicU64);

impl store::Turns for Counted {
    fn turn(&self) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::ready(()))
    }
}

async fn a_unit_in_turn_is_timed_and_scheduled_as_every_other(store: Arc<Store>) {
    let turns = Arc::new(Counted::default());
    store.take_turns(Arc::<Counted>::clone(&turns));
    let writes = || store.meters().units.count((store::Kind::Write,));
    let before = writes();
    store.write_in_turn(1, |tx| Box::pin(add(tx, 1, "ann"))).await.unwrap();
    assert_eq!((turns.0.load(Ordering::Relaxed), writes()), (1, before + 1));
}
