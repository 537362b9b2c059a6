//! Migrations are safe beside nodes of the version before: they expand the schema, and contract it a version later.
//!
//! [`RELEASED`] is the schema of the last release, and `statements-N.txt` every statement that its program makes. There is no
//! release yet: the schema before the collector stands for it. With a release tag, the stage `upgrade` runs that tag's program besides.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use store::{Database, MIGRATIONS, Migration, Store, StoreError, params};

use crate::database::{on_postgres_settings, run};

/// The last migration of the release before this version.
const RELEASED: i64 = 13;
/// What the program of that release says to its database, one statement a line.
const STATEMENTS: &str = include_str!("statements-13.txt");
/// A migration that takes something away begins with this and the version which no longer needs it: nothing older may run beside it.
const CONTRACT: &str = "-- contract: ";

fn released() -> Vec<Migration> {
    MIGRATIONS.iter().take_while(|migration| migration.number <= RELEASED).copied().collect()
}

/// The statements of a migration, without comments, in capitals.
fn statements(sql: &str) -> Vec<String> {
    let bare: Vec<&str> = sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    let words = |statement: &str| statement.to_uppercase().split_whitespace().collect::<Vec<_>>().join(" ");
    bare.join("\n").split(';').map(words).filter(|statement| !statement.is_empty()).collect()
}

/// The names after one of these words.
fn named<'s>(statement: &'s str, before: &str) -> Option<&'s str> {
    let rest = statement.split_once(before)?.1.trim_start();
    rest.split([' ', '(']).next()
}

/// Why a program that knows nothing of a statement would fail beside it, if it would.
fn breaks(statement: &str, old: &BTreeSet<String>) -> Option<&'static str> {
    let is_old = |name: Option<&str>| name.is_some_and(|name| old.contains(name));
    // Without a plain index the version before is slower at most; a unique one it may name in `ON CONFLICT`.
    if statement.starts_with("DROP INDEX") {
        let unique = statement.rsplit(' ').next().map(|name| format!("UNIQUE {name}"));
        return is_old(unique.as_deref()).then_some("it drops what the version before writes by");
    }
    if statement.starts_with("DROP ") {
        return is_old(statement.rsplit(' ').next()).then_some("it drops what the version before knows");
    }
    if statement.starts_with("CREATE UNIQUE INDEX") {
        return is_old(named(statement, " ON ")).then_some("it refuses rows that the version before may write");
    }
    if !(statement.starts_with("ALTER TABLE") && is_old(named(statement, "ALTER TABLE "))) {
        return None;
    }
    let says = |words: &str| statement.contains(words);
    match () {
        () if says(" DROP ") => Some("it drops what the version before knows"),
        () if says(" RENAME ") => Some("it renames what the version before knows"),
        () if says(" ALTER COLUMN ") => Some("it changes a column of the version before"),
        () if says(" ADD CONSTRAINT ") || says(" UNIQUE") => Some("it refuses rows that the version before may write"),
        () if says(" NOT NULL") && !says(" DEFAULT ") => Some("the version before writes no such column"),
        () => None,
    }
}

/// Tables and indexes of the release; a unique index as `UNIQUE name`.
fn made(migrations: &[Migration]) -> BTreeSet<String> {
    let all = migrations.iter().flat_map(|migration| statements(migration.sql));
    let name = |statement: String| {
        let after = |kind: &str| statement.strip_prefix(kind)?.split([' ', '(']).next().map(str::to_owned);
        let unique = || after("CREATE UNIQUE INDEX ").map(|name| format!("UNIQUE {name}"));
        after("CREATE TABLE ").or_else(unique).or_else(|| after("CREATE INDEX "))
    };
    all.filter_map(name).collect()
}

#[test]
fn migrations_expand_or_say_that_they_contract() {
    let old = made(&released());
    assert!(old.contains("REPOSITORY") && old.contains("TAG"), "{old:?}");
    for migration in MIGRATIONS.iter().filter(|migration| migration.number > RELEASED && !migration.sql.starts_with(CONTRACT)) {
        for statement in statements(migration.sql) {
            let why = breaks(&statement, &old);
            assert!(why.is_none(), "migration {} ({}): {}:\n{statement}", migration.number, migration.name, why.unwrap());
        }
    }
}

#[test]
fn what_would_break_the_version_before_is_seen() {
    let old = made(&[Migration {
        number: 1,
        name: "old",
        sql: "CREATE TABLE pet (id BIGINT PRIMARY KEY);\nCREATE UNIQUE INDEX pet_by_id ON pet (id);",
    }]);
    for sql in [
        "DROP TABLE pet",
        "drop index pet_by_id",
        "ALTER TABLE pet\n  DROP COLUMN id",
        "ALTER TABLE pet RENAME TO animal",
        "ALTER TABLE pet RENAME COLUMN id TO number",
        "ALTER TABLE pet ADD COLUMN name TEXT NOT NULL",
        "ALTER TABLE pet ADD CONSTRAINT c CHECK (id > 0)",
        "CREATE UNIQUE INDEX other ON pet (id)",
    ] {
        assert!(statements(sql).iter().any(|statement| breaks(statement, &old).is_some()), "{sql}");
    }
    for sql in [
        "ALTER TABLE pet ADD COLUMN name TEXT; -- DROP nothing",
        "ALTER TABLE pet ADD COLUMN legs BIGINT NOT NULL DEFAULT 4",
        "CREATE TABLE toy (id BIGINT NOT NULL)",
        "ALTER TABLE toy DROP COLUMN id",
        "CREATE INDEX other ON pet (id)",
        "CREATE UNIQUE INDEX third ON toy (id)",
        "DROP INDEX IF EXISTS plain",
    ] {
        assert!(statements(sql).iter().all(|statement| breaks(statement, &old).is_none()), "{sql}");
    }
}

/// Both: those that are understood at `migrations`. Some stand for one database alone, some are but the beginning of one.
fn understood_by_sqlite(migrations: &[Migration]) -> BTreeSet<&'static str> {
    let folder = tempfile::tempdir().unwrap();
    drop(run(Store::open_with(&Database::Directory(folder.path().to_owned()), migrations)).unwrap());
    let connection = rusqlite::Connection::open(folder.path().join("tidegate.db")).unwrap();
    STATEMENTS.lines().filter(|sql| connection.prepare(sql).is_ok()).collect()
}

/// Nearly all must be understood, or the file is not what it says.
fn compared(before: &BTreeSet<&str>, after: &BTreeSet<&str>) {
    let all = STATEMENTS.lines().count();
    assert!(before.len() * 10 > all * 9, "{} of {all}", before.len());
    let lost: Vec<_> = before.difference(after).collect();
    assert!(lost.is_empty(), "the program of the version before says what the new schema does not understand: {lost:#?}");
}

#[test]
fn each_statement_of_the_version_before_is_understood_on_sqlite() {
    compared(&understood_by_sqlite(&released()), &understood_by_sqlite(MIGRATIONS));
}

#[test]
fn each_statement_of_the_version_before_is_understood_on_postgres() {
    on_postgres_settings("each_statement_of_the_version_before_is_understood_on_postgres", async |settings| {
        let (client, connection) = tokio_postgres::connect(&settings.url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        let understood = async || {
            let mut found = BTreeSet::new();
            for sql in STATEMENTS.lines() {
                if client.prepare(sql).await.is_ok() {
                    found.insert(sql);
                }
            }
            found
        };
        let database = Database::Postgres(settings.clone());
        drop(Store::open_with(&database, &released()).await.unwrap());
        let before = understood().await;
        drop(Store::open(&database).await.unwrap());
        compared(&before, &understood().await);
    });
}

/// What a node of the release does all day, with its own statements: an image is pushed, listed, pulled.
async fn a_day_of(store: &Store, number: i64) -> Result<(), StoreError> {
    let tag = &format!("t{number}");
    store
        .write(|tx| {
            Box::pin(async move {
                let digest = tag.as_bytes();
                let sql =
                    "INSERT INTO manifest (repository_id, digest, media_type, size, pushed_ms, content) VALUES (5, $1, 'a/b', 7, 7, $1)";
                tx.execute(sql, params![digest]).await?;
                let sql = "INSERT INTO tag (repository_id, name, digest, created_ms, updated_ms) VALUES ($1, $2, $3, $4, $5) \
                           ON CONFLICT (repository_id, name) DO UPDATE SET digest = excluded.digest, updated_ms = excluded.updated_ms";
                tx.execute(sql, params![5i64, tag, digest, 7i64, 7i64]).await?;
                tx.execute("UPDATE repository SET updated_ms = $1 WHERE id = 5", params![number]).await?;
                Ok::<(), StoreError>(())
            })
        })
        .await?;
    let listed = "SELECT t.name, m.media_type, m.size, m.pushed_ms FROM tag t \
                  JOIN manifest m ON m.repository_id = t.repository_id AND m.digest = t.digest WHERE t.repository_id = 5";
    let tags = store.read(|tx| Box::pin(async move { tx.rows(listed, params![]).await })).await?;
    assert!(tags.len() > usize::try_from(number).unwrap());
    Ok(())
}

async fn furnish(store: &Store) {
    let made: Result<(), StoreError> = store
        .write(|tx| {
            Box::pin(async move {
                for sql in [
                    "INSERT INTO account (id, uuid, created_ms) VALUES (1, 'a', 7)",
                    "INSERT INTO instance (id, account_id, name, region, is_default, auto_create_namespace, identity_tokens, created_ms, \
                     updated_ms) VALUES (2, 1, 'local', 'local', 1, 1, 0, 7, 7)",
                    "INSERT INTO namespace (id, instance_id, name, is_public, auto_create_repository, sparse_indexes, created_ms, \
                     default_public) VALUES (4, 2, 'demo', 0, 1, 0, 7, 0)",
                    "INSERT INTO repository (id, account_id, instance_id, namespace_id, name, is_public, description, created_ms, updated_ms) \
                     VALUES (5, 1, 2, 4, 'demo/app', 0, '', 7, 7)",
                ] {
                    tx.execute(sql, params![]).await?;
                }
                Ok(())
            })
        })
        .await;
    made.unwrap();
}

#[test]
fn a_node_of_the_version_before_goes_on_while_another_migrates_on_postgres() {
    on_postgres_settings("a_node_of_the_version_before_goes_on_while_another_migrates_on_postgres", async |settings| {
        let database = Database::Postgres(settings);
        let old = Store::open_with(&database, &released()).await.unwrap();
        furnish(&old).await;
        let migrated = AtomicBool::new(false);
        let (days, new) = tokio::join!(
            async {
                let (mut day, mut after) = (0, 0);
                while after < 20 {
                    a_day_of(&old, day).await.unwrap();
                    day += 1;
                    after += i64::from(migrated.load(Ordering::SeqCst));
                }
                day
            },
            async {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                let new = Store::open(&database).await.unwrap();
                migrated.store(true, Ordering::SeqCst);
                new
            }
        );
        let count = new.read(|tx| Box::pin(async move { tx.one("SELECT COUNT(*) FROM tag", params![]).await?.get::<i64>(0) })).await;
        assert_eq!(count.map_err(|error: StoreError| error.to_string()), Ok(days));
    });
}
