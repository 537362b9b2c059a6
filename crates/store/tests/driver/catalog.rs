//! What the migration `catalog` makes of a database that has images.

use store::{Database, MIGRATIONS, Migration, Store, StoreError, params};

use crate::database::{on_postgres_settings, run};

async fn fill(store: &Store) {
    let rows: Result<(), StoreError> = store
        .write(|tx| {
            Box::pin(async move {
                for sql in [
                    "INSERT INTO account (id, uuid, created_ms, enabled) VALUES (1, 'a', 7, 1)",
                    "INSERT INTO instance VALUES (2, 1, 'local', 'local', 1, 1, 0, 7)",
                    "INSERT INTO instance VALUES (3, 1, 'empty', 'local', 0, 1, 0, 8)",
                    "INSERT INTO namespace VALUES (4, 2, 'demo', 0, 1, 0, 7)",
                    "INSERT INTO repository VALUES (5, 1, 2, 4, 'demo/app', 0, '', 7, 7)",
                    "INSERT INTO repository VALUES (6, 1, 2, 4, 'demo/web', 0, '', 7, 7)",
                ] {
                    tx.execute(sql, params![]).await?;
                }
                for (digest, size) in [(&b"config"[..], 10i64), (b"layer", 100)] {
                    let sql = "INSERT INTO blob (account_id, digest, storage_key, size, created_ms) VALUES (1, $1, 9, $2, 7)";
                    tx.execute(sql, params![digest, size]).await?;
                }
                for (digest, size) in [(&b"image"[..], 3i64), (b"index", 5), (b"bare", 2)] {
                    let sql = "INSERT INTO manifest (repository_id, digest, media_type, size, pushed_ms, content) VALUES (5, $1, 'a/b', $2, 7, $1)";
                    tx.execute(sql, params![digest, size]).await?;
                }
                for (parent, child, kind) in
                    [(&b"image"[..], &b"config"[..], "blob"), (b"image", b"layer", "blob"), (b"index", b"image", "manifest")]
                {
                    let sql = "INSERT INTO manifest_child (repository_id, parent, child, kind) VALUES (5, $1, $2, $3)";
                    tx.execute(sql, params![parent, child, kind]).await?;
                }
                Ok(())
            })
        })
        .await;
    rows.unwrap();
}

async fn images_have_their_sizes_and_instances_their_counts(database: Database) {
    let before: Vec<Migration> = MIGRATIONS.iter().take_while(|m| m.name != "catalog").copied().collect();
    let store = Store::open_with(&database, &before).await.unwrap();
    fill(&store).await;
    drop(store);
    let store = Store::open_with(&database, MIGRATIONS).await.unwrap();
    let numbers = async |sql: &'static str| {
        let rows: Result<Vec<i64>, StoreError> =
            store.read(|tx| Box::pin(async move { tx.rows(sql, params![]).await?.iter().map(|row| row.get(0)).collect() })).await;
        rows.unwrap()
    };
    assert_eq!(numbers("SELECT image_size FROM manifest ORDER BY size").await, [2, 113, 118]);
    assert_eq!(numbers("SELECT updated_ms FROM instance ORDER BY id").await, [7, 8]);
    assert_eq!(numbers("SELECT repositories FROM instance_usage ORDER BY instance_id").await, [2, 0]);
    assert_eq!(numbers("SELECT namespaces FROM instance_usage ORDER BY instance_id").await, [1, 0]);
}

#[test]
fn images_have_their_sizes_and_instances_their_counts_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    run(images_have_their_sizes_and_instances_their_counts(Database::Directory(folder.path().to_owned())));
}

#[test]
fn images_have_their_sizes_and_instances_their_counts_on_postgres() {
    on_postgres_settings("images_have_their_sizes_and_instances_their_counts_on_postgres", async |settings| {
        images_have_their_sizes_and_instances_their_counts(Database::Postgres(settings)).await;
    });
}
