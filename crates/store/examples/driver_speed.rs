//! What the driver does in a second: `cargo run --release -p store --example driver_speed [DIRECTORY | postgres://…]`.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a measurement prints, and looks at the clock")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use store::{Database, Migration, PostgresSettings, Store, StoreError, params};

const SCHEMA: &[Migration] = &[Migration {
    number: 1,
    name: "speed",
    sql: "CREATE TABLE speed (id BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE, body BYTEA NOT NULL)",
}];
const LENGTH: Duration = Duration::from_secs(3);
const ROWS: i64 = 10_000;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let target = std::env::args().nth(1).unwrap_or_else(|| "speed-data".to_owned());
    let database =
        if target.starts_with("postgres") { Database::Postgres(PostgresSettings::new(target)) } else { Database::Directory(target.into()) };
    let store = Arc::new(Store::open_with(&database, SCHEMA).await?);
    fill(&store).await?;
    for tasks in [1, 16, 64] {
        let (reads, commits) = (rate(&store, tasks, read).await?, rate(&store, tasks, commit).await?);
        println!("{}: {tasks:2} tasks: {reads:7} point reads/s, {commits:6} durable commits/s", store.backend_name());
    }
    Ok(())
}

async fn fill(store: &Store) -> Result<(), StoreError> {
    let body = &vec![7_u8; 200];
    store
        .write(|tx| {
            Box::pin(async move {
                tx.execute("DELETE FROM speed", params![]).await?;
                for id in 0..ROWS {
                    tx.execute("INSERT INTO speed (id, name, body) VALUES ($1, $2, $3)", params![id, format!("row {id}"), body]).await?;
                }
                Ok(())
            })
        })
        .await
}

async fn read(store: Arc<Store>, id: i64) -> Result<(), StoreError> {
    let name = &format!("row {}", id * 7919 % ROWS);
    let row = store.read(|tx| Box::pin(async move { tx.row("SELECT id, body FROM speed WHERE name = $1", params![name]).await })).await?;
    row.map_or(Ok(0), |row| row.get::<i64>(0)).map(drop)
}

async fn commit(store: Arc<Store>, _: i64) -> Result<(), StoreError> {
    static NEXT: AtomicI64 = AtomicI64::new(ROWS);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let (name, body) = (&format!("row {id}"), &vec![7_u8; 200]);
    let sql = "INSERT INTO speed (id, name, body) VALUES ($1, $2, $3)";
    store.write(|tx| Box::pin(async move { tx.execute(sql, params![id, name, body]).await })).await.map(drop)
}

/// How many units `tasks` tasks finish in a second.
async fn rate<F>(store: &Arc<Store>, tasks: i64, unit: fn(Arc<Store>, i64) -> F) -> anyhow::Result<u128>
where
    F: Future<Output = Result<(), StoreError>> + Send + 'static,
{
    let start = Instant::now();
    let tasks: Vec<_> = (0..tasks)
        .map(|task| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                let mut done = 0_i64;
                while start.elapsed() < LENGTH {
                    unit(Arc::clone(&store), done + task * 31).await?;
                    done += 1;
                }
                Ok::<_, StoreError>(done)
            })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += u128::try_from(task.await??)?;
    }
    Ok(done * 1000 / start.elapsed().as_millis())
}
