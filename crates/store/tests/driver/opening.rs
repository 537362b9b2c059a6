//! Opening a database: its schema, its lock.

use std::time::{Duration, Instant};

use store::{Database, DirectoryLock, MIGRATIONS, Migration, PostgresSettings, Store, StoreError, params};

use crate::database::{SCHEMA, on_postgres_settings, run};
use crate::units::people;

const LATER: Migration = Migration { number: 2, name: "later", sql: "CREATE TABLE later (id BIGINT PRIMARY KEY, note TEXT)" };

async fn each_version_opens_its_own_and_older_databases(database: Database) {
    drop(Store::open_with(&database, SCHEMA).await.unwrap());
    drop(Store::open_with(&database, SCHEMA).await.unwrap());
    let both = [SCHEMA[0], LATER];
    drop(Store::open_with(&database, &both).await.unwrap());
    let refused = Store::open_with(&database, SCHEMA).await.unwrap_err();
    assert!(matches!(refused, StoreError::Newer { found: 2, known: 1, .. }), "{refused:?}");
    let edited = [SCHEMA[0], Migration { sql: "CREATE TABLE other (id BIGINT)", ..LATER }];
    let refused = Store::open_with(&database, &edited).await.unwrap_err();
    assert!(matches!(refused, StoreError::Corrupt(_)), "{refused:?}");
    let broken = [SCHEMA[0], LATER, Migration { number: 3, name: "broken", sql: "CREATE TABLE half (id BIGINT); SELEKT" }];
    let refused = Store::open_with(&database, &broken).await.unwrap_err();
    assert!(matches!(refused, StoreError::Migration { number: 3, .. }), "{refused:?}");
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

#[test]
fn a_failed_migration_leaves_those_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::Directory(folder.path().to_owned());
    run(async {
        drop(Store::open_with(&database, SCHEMA).await.unwrap());
        let broken = [SCHEMA[0], LATER, Migration { number: 3, name: "broken", sql: "CREATE TABLE half (id BIGINT); SELEKT" }];
        let refused = Store::open_with(&database, &broken).await.unwrap_err();
        assert!(matches!(refused, StoreError::Migration { number: 3, name: "broken", .. }), "{refused:?}");
        drop(Store::open_with(&database, &[SCHEMA[0], LATER]).await.unwrap());
        let connection = rusqlite::Connection::open(folder.path().join("tidegate.db")).unwrap();
        assert!(connection.prepare("SELECT note FROM later").is_ok() && connection.prepare("SELECT id FROM half").is_err());
    });
}

/// The rest of these speak of the program's own schema.
fn before(number: i64) -> Vec<Migration> {
    MIGRATIONS.iter().take_while(|migration| migration.number < number).copied().collect()
}

async fn an_older_schema_is_surveyed_and_left_alone(database: Database) {
    let (last, known) = (MIGRATIONS.last().unwrap(), i64::try_from(MIGRATIONS.len()).unwrap());
    drop(Store::open_with(&database, &before(last.number)).await.unwrap());
    for _ in 0..2 {
        let schema = Store::survey(&database).await.unwrap();
        assert_eq!((schema.applied, schema.known, schema.pending.len()), (known - 1, known, 1));
        assert_eq!((schema.version.as_deref(), schema.pending[0].name), (Some(env!("CARGO_PKG_VERSION")), last.name));
        for refused in [Store::open_as_it_is(&database).await, Store::peek(&database).await] {
            let refused = refused.unwrap_err();
            assert!(matches!(refused, StoreError::Behind { .. }), "{refused:?}");
            assert!(refused.to_string().contains("tidegate migrate"), "{refused}");
        }
    }
    drop(Store::open(&database).await.unwrap());
    assert!(Store::survey(&database).await.unwrap().pending.is_empty());
    drop(Store::peek(&database).await.unwrap());
    drop(Store::open_as_it_is(&database).await.unwrap());
}

#[test]
fn an_older_schema_is_surveyed_and_left_alone_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    run(async {
        let nothing = Store::survey(&Database::Directory(data.clone())).await.unwrap();
        assert_eq!((nothing.applied, nothing.pending.len()), (0, MIGRATIONS.len()));
        assert!(!data.exists(), "a look makes nothing");
        an_older_schema_is_surveyed_and_left_alone(Database::Directory(data)).await;
    });
}

#[test]
fn an_older_schema_is_surveyed_and_left_alone_on_postgres() {
    on_postgres_settings("an_older_schema_is_surveyed_and_left_alone_on_postgres", async |settings| {
        let database = Database::Postgres(settings);
        assert_eq!(Store::survey(&database).await.unwrap().applied, 0);
        assert_eq!(Store::survey(&database).await.unwrap().applied, 0, "a look makes nothing");
        an_older_schema_is_surveyed_and_left_alone(database).await;
    });
}

/// Written by a program that did not yet write down its version, then by one that is not there yet.
#[test]
fn a_newer_schema_is_refused_by_every_way_in_and_says_whose_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::Directory(folder.path().to_owned());
    run(async {
        drop(Store::open(&database).await.unwrap());
        let change = |sql: &str| rusqlite::Connection::open(folder.path().join("tidegate.db")).unwrap().execute_batch(sql).unwrap();
        change("ALTER TABLE migration DROP COLUMN version");
        assert_eq!(Store::survey(&database).await.unwrap().version, None);
        drop(Store::open(&database).await.unwrap());
        change("INSERT INTO migration (number, name, checksum) VALUES (999, 'later', 'x')");
        let unnamed = Store::open(&database).await.unwrap_err().to_string();
        assert!(unnamed.contains("a newer version (its schema is 999"), "{unnamed}");
        change("ALTER TABLE migration ADD COLUMN version TEXT; UPDATE migration SET version = '9.8.7' WHERE number = 999");
        let all = [Store::open(&database).await, Store::open_as_it_is(&database).await, Store::peek(&database).await];
        for refused in all.into_iter().map(|opened| opened.map(drop)).chain([Store::survey(&database).await.map(drop)]) {
            let refused = refused.unwrap_err().to_string();
            assert!(refused.contains("written by Tidegate 9.8.7 (its schema is 999") && refused.contains("run that version"), "{refused}");
        }
    });
}

/// A role that may read and write rows, and make no tables: what a node needs where somebody else migrates.
#[test]
fn a_role_without_the_right_to_change_the_schema_is_enough_on_postgres() {
    on_postgres_settings("a_role_without_the_right_to_change_the_schema_is_enough_on_postgres", async |settings| {
        let (owner, connection) = tokio_postgres::connect(&settings.url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let schema: String = owner.query_one("SELECT current_schema()::text", &[]).await.unwrap().get(0);
        let role = format!("node_of_{schema}");
        owner.batch_execute(&format!("CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA {schema} TO {role}")).await.unwrap();
        let narrow =
            Database::Postgres(PostgresSettings { url: settings.url.replacen("postgres@", &format!("{role}@"), 1), ..settings.clone() });
        let wide = Database::Postgres(settings);
        let refused = Store::open(&narrow).await.unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
        drop(Store::open(&wide).await.unwrap());
        let grant = format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}");
        owner.batch_execute(&grant).await.unwrap();
        for store in [Store::open(&narrow).await, Store::open_as_it_is(&narrow).await] {
            let row = "INSERT INTO lease (name, holder, until_ms) VALUES ('a', 'b', 1) ON CONFLICT (name) DO NOTHING";
            let written: Result<u64, StoreError> =
                store.unwrap().write(|tx| Box::pin(async move { tx.execute(row, params![]).await })).await;
            written.unwrap();
        }
        owner.batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await.unwrap();
    });
}

/// A dump or a report holds a table. The migration waits, but nobody waits behind it for longer than its lock timeout.
#[test]
fn a_migration_that_waits_for_a_table_lets_others_pass_on_postgres() {
    on_postgres_settings("a_migration_that_waits_for_a_table_lets_others_pass_on_postgres", async |settings| {
        let url = settings.url.clone();
        let database = Database::Postgres(settings);
        let node = Store::open_with(&database, SCHEMA).await.unwrap();
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute("BEGIN; SELECT * FROM person").await.unwrap();
        let both = [SCHEMA[0], Migration { sql: "ALTER TABLE person ADD COLUMN note TEXT", ..LATER }];
        let migrating = Store::open_with(&database, &both);
        let others = async {
            let mut longest = Duration::ZERO;
            for _ in 0..50 {
                let begun = now();
                people(&node).await;
                longest = longest.max(now() - begun);
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            client.batch_execute("COMMIT").await.unwrap();
            longest
        };
        let (migrated, longest) = tokio::join!(migrating, others);
        migrated.unwrap();
        assert!((Duration::from_secs(1)..Duration::from_millis(2700)).contains(&longest), "others waited {longest:?}");
    });
}

#[expect(clippy::disallowed_methods, reason = "a test measures time")]
fn now() -> Instant {
    Instant::now()
}
