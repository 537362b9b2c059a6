//! What was there before namespaces were counted is counted by the migration.

use model::NamespaceId;
use store::quota::{self, Held};
use store::{Database, MIGRATIONS, Store, StoreError, Tx, params};

use crate::database;

/// Two repositories that share a blob, in one namespace; a third one in another.
const THERE: [&str; 7] = [
    "INSERT INTO account (id, uuid, created_ms) VALUES (1, 'a', 0)",
    "INSERT INTO instance (id, account_id, name, region, is_default, auto_create_namespace, identity_tokens, created_ms) \
     VALUES (2, 1, 'local', 'local', 1, 1, 0, 0)",
    "INSERT INTO namespace (id, instance_id, name, is_public, auto_create_repository, sparse_indexes, created_ms) \
     VALUES (3, 2, 'demo', 0, 1, 0, 0), (4, 2, 'other', 0, 1, 0, 0), (5, 2, 'empty', 0, 1, 0, 0)",
    "INSERT INTO repository (id, account_id, instance_id, namespace_id, name, is_public, description, created_ms, updated_ms) \
     VALUES (6, 1, 2, 3, 'demo/a', 0, '', 0, 0), (7, 1, 2, 3, 'demo/b', 0, '', 0, 0), (8, 1, 2, 4, 'other/a', 0, '', 0, 0)",
    "INSERT INTO blob (account_id, digest, storage_key, size, created_ms) VALUES (1, $1, 9, 100, 0), (1, $2, 10, 1000, 0)",
    "INSERT INTO blob_link (repository_id, digest, touched_ms) VALUES (6, $1, 0), (7, $1, 0), (7, $2, 0), (8, $1, 0)",
    "INSERT INTO manifest (repository_id, digest, media_type, size, pushed_ms, content) VALUES (6, $1, 'a/b', 7, 0, $2), (7, $1, 'a/b', 7, 0, $2)",
];

async fn the_migration_counts(database: &Database) {
    let before = MIGRATIONS.iter().position(|migration| migration.name == "quota").unwrap();
    let store = Store::open_with(database, &MIGRATIONS[..before]).await.unwrap();
    let filled = store.write(|tx: &mut Tx<'_>| {
        Box::pin(async move {
            for (n, sql) in THERE.into_iter().enumerate() {
                let digests = params![&[1_u8; 32][..], &[2_u8; 32][..]];
                tx.execute(sql, if n < 4 { &[] } else { digests }).await?;
            }
            Ok::<_, StoreError>(())
        })
    });
    filled.await.unwrap();
    drop(store);
    let store = Store::open(database).await.unwrap();
    for (id, bytes, repositories) in [(3, 1114, 2), (4, 100, 1), (5, 0, 0)] {
        let namespace = NamespaceId::from_i64(id);
        let (held, counted) = store
            .read(|tx| {
                Box::pin(
                    async move { Ok::<_, StoreError>((quota::held(tx, namespace).await?, quota::counted_again(tx, namespace).await?)) },
                )
            })
            .await
            .unwrap();
        assert_eq!((held, counted), (Held { bytes, repositories }, held), "{id}");
    }
    // Wrong counts are mended.
    let mended = store.write(|tx: &mut Tx<'_>| {
        Box::pin(async move {
            tx.execute("UPDATE namespace_usage SET bytes = 1 WHERE namespace_id = 3", params![]).await?;
            tx.execute("DELETE FROM namespace_blob", params![]).await?;
            quota::recount(tx, NamespaceId::from_i64(3)).await
        })
    });
    assert_eq!(mended.await.unwrap(), Held { bytes: 1114, repositories: 2 });
    let links = store.read(|tx: &mut Tx<'_>| {
        Box::pin(async move {
            tx.one("SELECT CAST(SUM(links) AS BIGINT) FROM namespace_blob WHERE namespace_id = 3", params![]).await?.get::<i64>(0)
        })
    });
    assert_eq!(links.await.unwrap(), 3);
}

#[test]
fn what_is_there_is_counted_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    database::run(the_migration_counts(&Database::Directory(folder.path().join("data"))));
}

#[test]
fn what_is_there_is_counted_on_postgres() {
    database::on_postgres_settings("counting::what_is_there_is_counted_on_postgres", async |settings| {
        the_migration_counts(&Database::Postgres(settings)).await;
    });
}
