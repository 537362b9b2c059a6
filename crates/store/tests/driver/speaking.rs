//! Statements, values and what errors say.

use std::sync::Arc;

use store::{Store, StoreError, Value, params};

use crate::on_each;

on_each! { every_kind_of_value_comes_back a_column_of_another_type_is_corrupt conflicts_name_what_is_taken
a_wrong_statement_is_our_defect text_is_ordered_by_its_bytes the_database_answers }

async fn every_kind_of_value_comes_back(store: Arc<Store>) {
    let (text, bytes) = (&"h\u{e9}\u{4e16}".to_owned(), &vec![0_u8, 255, 7]);
    let insert = "INSERT INTO person (id, account, name, picture) VALUES ($1, $2, $3, $4)";
    let changed = store.write(|tx| Box::pin(tx.execute(insert, leak(params![i64::MAX, i64::MIN, text, bytes])))).await.unwrap();
    assert_eq!(changed, 1);
    store.write(|tx| Box::pin(tx.execute(insert, leak(params![2, true, "", None::<Vec<u8>>])))).await.unwrap();
    let rows = store.read(|tx| Box::pin(tx.rows("SELECT id, account, name, picture FROM person ORDER BY id", params![]))).await.unwrap();
    assert_eq!(rows[1].get::<i64>(0).unwrap(), i64::MAX);
    assert_eq!(rows[1].get::<i64>(1).unwrap(), i64::MIN);
    assert_eq!(&rows[1].get::<String>(2).unwrap(), text);
    assert_eq!(rows[1].get::<Option<Vec<u8>>>(3).unwrap().as_ref(), Some(bytes));
    assert!(rows[0].get::<bool>(1).unwrap());
    assert_eq!(rows[0].get::<String>(2).unwrap(), "");
    assert_eq!(rows[0].get::<Option<Vec<u8>>>(3).unwrap(), None);
}

/// Parameters that outlive the closure; production bodies are `async move` blocks and need no such thing.
fn leak(values: &[Value]) -> &'static [Value] {
    Vec::leak(values.to_vec())
}

async fn a_column_of_another_type_is_corrupt(store: Arc<Store>) {
    let row = store.read(|tx| Box::pin(tx.row("SELECT name, value FROM counter", params![]))).await.unwrap().unwrap();
    assert!(matches!(row.get::<i64>(0), Err(StoreError::Corrupt(_))));
    assert!(matches!(row.get::<String>(1), Err(StoreError::Corrupt(_))));
    assert!(matches!(row.get::<i64>(2), Err(StoreError::Corrupt(_))));
}

async fn insert(store: &Store, id: i64, account: i64, name: &str) -> Result<(), StoreError> {
    store
        .write(|tx| {
            Box::pin(async move {
                tx.execute("INSERT INTO person (id, account, name) VALUES ($1, $2, $3)", params![id, account, name]).await?;
                Ok(())
            })
        })
        .await
}

async fn conflicts_name_what_is_taken(store: Arc<Store>) {
    insert(&store, 1, 1, "ann").await.unwrap();
    assert!(insert(&store, 1, 2, "ann").await.unwrap_err().is_taken("person(id)"));
    assert!(insert(&store, 2, 1, "ann").await.unwrap_err().is_taken("person(account, name)"));
    insert(&store, 3, 9, "bob").await.unwrap();
    assert!(insert(&store, 4, 9, "eve").await.unwrap_err().is_taken("person_length"));
    let pet = "INSERT INTO pet (id, owner, name) VALUES (1, $1, 'rex')";
    let orphan = store.write(|tx| Box::pin(async move { tx.execute(pet, params![77]).await })).await.unwrap_err();
    assert!(matches!(orphan, StoreError::Conflict { with: store::Conflict::Reference, .. }), "{orphan:?}");
    assert_eq!(orphan.to_string(), "the change conflicts with what is stored");
}

async fn a_wrong_statement_is_our_defect(store: Arc<Store>) {
    for (sql, values) in [
        ("SELEKT 1", params![] as &[Value]),
        ("SELECT name FROM nowhere", params![]),
        ("SELECT name FROM counter WHERE value = $1", params![]),
        ("INSERT INTO counter (name, value) VALUES ('x', NULL)", params![]),
    ] {
        let error = store.write(|tx| Box::pin(async move { tx.rows(sql, values).await })).await.unwrap_err();
        assert!(matches!(error, StoreError::Statement(_)), "{sql}: {error:?}");
    }
    let two = "SELECT 1 UNION ALL SELECT 2";
    let error = store.read(|tx| Box::pin(async move { tx.row(two, params![]).await })).await.unwrap_err();
    assert!(matches!(error, StoreError::Statement(_)), "{error:?}");
}

async fn text_is_ordered_by_its_bytes(store: Arc<Store>) {
    for (id, name) in (1..).zip(["b", "B", "a-", "a", "a/b", "\u{e9}", "Z", "a.b"]) {
        insert(&store, id, 1, name).await.unwrap();
    }
    let rows = store.read(|tx| Box::pin(tx.rows("SELECT name FROM person ORDER BY name", params![]))).await.unwrap();
    let names: Vec<String> = rows.iter().map(|row| row.get(0).unwrap()).collect();
    assert_eq!(names, ["B", "Z", "a", "a-", "a.b", "a/b", "b", "\u{e9}"]);
}

async fn the_database_answers(store: Arc<Store>) {
    store.ping().await.unwrap();
    assert!(["sqlite", "postgres"].contains(&store.backend_name()));
}
