//! How the databases mean to answer a statement, and what they must not mean to do.

use std::collections::{BTreeSet, HashSet};

use store::{PostgresSettings, Store, StoreError, Value};
use tokio_postgres::SimpleQueryMessage;

/// What has a row for each of the many. (PostgreSQL reads a table of a few rows whole, and is right.)
const MANY: [&str; 13] = [
    "tag",
    "manifest",
    "manifest_child",
    "blob",
    "blob_link",
    "repository",
    "principal",
    "login_name",
    "attachment",
    "membership",
    "label",
    "credential",
    "audit_event",
];
/// Rows that PostgreSQL may sort.
const SORTED: u64 = 300;

/// What may be read whole or sorted, because there are never many of it: words of the statement, and why.
const FEW: [(&str, &str); 16] = [
    ("FROM hold", "one a backup under way"),
    ("LIMIT $4) l ORDER BY", "the page of links that the statement has cut"),
    ("INSERT INTO condemned", "the row of the statement itself"),
    ("LIMIT $3) b ORDER BY", "the page of blobs that the statement has cut"),
    ("INSERT INTO manifest_child", "the rows of the statement itself"),
    ("FROM audit_key", "one a rotation"),
    ("FROM signing_key", "one a rotation"),
    ("FROM membership WHERE member_id = $1", "50 groups a user"),
    ("FROM instance_host", "an instance's host names"),
    ("AND (name = $2 OR id = $3)", "two rows at most"),
    ("FROM lease", "one a job"),
    ("count(*)", "counts, whose bounds are the costs' story"),
    ("FROM server_key", "one a purpose"),
    ("FROM node ORDER BY", "a row a node, gone a day after it"),
    ("FROM account ORDER BY created_ms, id LIMIT 1", "the first row of an index"),
    ("SELECT CAST((julianday('now')", "the database's clock, no table"),
];

/// What is wrong with a plan.
pub(crate) fn wrong(sql: &str, plan: &[String]) -> Option<String> {
    let few = FEW.iter().any(|(words, _)| sql.contains(words));
    let wrong = plan.iter().any(|step| reads_all(step) || sorts(step));
    (wrong && !few).then(|| format!("{sql}\n    {}", plan.join("\n    ")))
}

/// Does a step read a table, or an index, from one end to the other?
fn reads_all(step: &str) -> bool {
    let table = step.split_once("Seq Scan on ").and_then(|(_, rest)| rest.split(' ').next());
    step.contains("SCAN ") || step.contains("AUTOMATIC") || table.is_some_and(|table| MANY.contains(&table))
}

fn sorts(step: &str) -> bool {
    let rows = step.split_once("rows=").map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    let many = rows.and_then(|rows| rows.parse().ok()).is_none_or(|rows: u64| rows > SORTED);
    // An incremental sort sorts what is equal in the index's own order.
    let sort = step.trim_start_matches([' ', '-', '>']).starts_with("Sort  (");
    step.contains("USE TEMP B-TREE") || (many && (sort || step.contains("Bitmap Heap Scan")))
}

/// SQLite's plan: a line a step. (It plans by the text alone: values are nothing to it.)
pub(crate) async fn of_sqlite(store: &Store, sql: &str) -> Vec<String> {
    let explain: &'static str = Box::leak(format!("EXPLAIN QUERY PLAN {sql}").into_boxed_str());
    let values = &vec![Value::Null; parameters(sql)];
    let read = store.read(|tx| {
        Box::pin(async move {
            let rows = tx.rows(explain, values).await?;
            Ok::<_, StoreError>(rows.iter().map(|row| row.get(3).unwrap()).collect())
        })
    });
    read.await.unwrap()
}

fn parameters(sql: &str) -> usize {
    let digits = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>();
    sql.split('$').skip(1).map(digits).collect::<HashSet<_>>().len()
}

/// PostgreSQL's plans for any values, with statistics of what is there.
pub(crate) async fn of_postgres<'s>(url: &str, texts: BTreeSet<&'s str>) -> Vec<(&'s str, Vec<String>)> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("ANALYZE; SET plan_cache_mode = force_generic_plan").await.unwrap();
    for setting in PostgresSettings::PLANNER {
        client.batch_execute(&format!("SET {setting}")).await.unwrap();
    }
    let mut plans = Vec::new();
    for (number, sql) in texts.into_iter().enumerate() {
        if sql.contains("pg_") || sql.starts_with("EXPLAIN") {
            continue;
        }
        let nulls = vec!["NULL"; parameters(sql)].join(", ");
        let call = if nulls.is_empty() { format!("p{number}") } else { format!("p{number}({nulls})") };
        client.batch_execute(&format!("PREPARE p{number} AS {sql}")).await.unwrap();
        let rows = client.simple_query(&format!("EXPLAIN EXECUTE {call}")).await.unwrap();
        let line = |message: SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        };
        plans.push((sql, rows.into_iter().filter_map(line).collect()));
    }
    plans
}
