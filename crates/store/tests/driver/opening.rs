//! Opening a database: its schema, its lock.

use store::{Database, DirectoryLock, Migration, Store, StoreError};

use crate::database::{SCHEMA, on_postgres_settings, run};

const LATER: Migration = Migration { number: 2, name: "later", sql: "CREATE TABLE later (id BIGINT PRIMARY KEY, note TEXT)" };

async fn each_version_opens_its_own_and_older_databases(database: Database) {
    drop(Store::open_with(&database, SCHEMA).await.unwrap());
    drop(Store::open_with(&database, SCHEMA).await.unwrap());
    let both = [SCHEMA[0], LATER];
    drop(Store::open_with(&database, &both).await.unwrap());
    let refused = Store::open_with(&database, SCHEMA).await.unwrap_err();
    assert!(matches!(refused, StoreError::Newer { found: 2, known: 1 }), "{refused:?}");
    let edited = [SCHEMA[0], Migration { sql: "CREATE TABLE other (id BIGINT)", ..LATER }];
    let refused = Store::open_with(&database, &edited).await.unwrap_err();
    assert!(matches!(refused, StoreError::Corrupt(_)), "{refused:?}");
    let broken = [SCHEMA[0], LATER, Migration { number: 3, name: "broken", sql: "CREATE TABLE half (id BIGINT); SELEKT" }];
    let refused = Store::open_with(&database, &broken).await.unwrap_err();
    assert!(matches!(refused, StoreError::Statement(_)), "{refused:?}");
    drop(Store::open_with(&database, &both).await.unwrap());
}

#[test]
fn each_version_opens_its_own_and_older_databases_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    run(each_version_opens_its_own_and_older_databases(Database::Directory(folder.path().to_owned())));
}

#[test]
fn each_version_opens_its_own_and_older_databases_on_postgres() {
    on_postgres_settings("each_version_opens_its_own_and_older_databases_on_postgres", async |settings| {
        each_version_opens_its_own_and_older_databases(Database::Postgres(settings)).await;
    });
}

#[test]
fn nodes_that_start_together_migrate_once_on_postgres() {
    on_postgres_settings("nodes_that_start_together_migrate_once_on_postgres", async |settings| {
        let database = Database::Postgres(settings);
        let open = || Store::open_with(&database, SCHEMA);
        let (one, two, three, four) = tokio::join!(open(), open(), open(), open());
        for store in [one, two, three, four] {
            store.unwrap().ping().await.unwrap();
        }
    });
}

#[test]
fn a_directory_has_one_server() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::Directory(folder.path().to_owned());
    run(async {
        let store = Store::open_with(&database, SCHEMA).await.unwrap();
        let refused = Store::open_with(&database, SCHEMA).await.unwrap_err();
        assert!(matches!(refused, StoreError::InUse(_)), "{refused:?}");
        drop(store);
        Store::open_with(&database, SCHEMA).await.unwrap();
    });
}

#[test]
fn a_directory_of_another_process_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join("lock");
    std::fs::write(&lock, "").unwrap();
    let mut command = std::process::Command::new("flock");
    command.arg(&lock).args(["sh", "-c", "echo held; read _"]);
    let mut other = command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut held = [0; 5];
    std::io::Read::read_exact(other.stdout.as_mut().unwrap(), &mut held).unwrap();
    assert!(matches!(DirectoryLock::acquire(folder.path()), Err(StoreError::InUse(_))));
    drop(other.stdin.take());
    other.wait().unwrap();
    DirectoryLock::acquire(folder.path()).unwrap();
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let inside = file.path().join("data");
    let refused = run(Store::open_with(&Database::Directory(inside.clone()), SCHEMA)).unwrap_err();
    assert!(matches!(&refused, StoreError::NotWritable { path, .. } if *path == inside), "{refused:?}");
}

#[test]
fn a_file_that_is_no_database_is_corrupt() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tidegate.db"), vec![7; 8192]).unwrap();
    let refused = run(Store::open_with(&Database::Directory(folder.path().to_owned()), SCHEMA)).unwrap_err();
    assert!(matches!(refused, StoreError::Corrupt(_)), "{refused:?}");
}
