//! What the servers of a suite stand on, and how many there are.
//!
//! By default one server over SQLite and a folder. `TIDEGATE_TEST_HOUSE` says otherwise for every server that a suite starts:
//! `single` is the default; `postgres-s3` is one server over a database of its own in the PostgreSQL of
//! `TIDEGATE_TEST_POSTGRES_URL` and a prefix of its own in the bucket of `TIDEGATE_TEST_S3_URL`; `three-nodes` is three of them
//! over one such database and prefix, behind a proxy that gives each request to the next ([`super::proxy`]). A suite of
//! [`super::node::Node`]s, which it kills and stops itself, has one node in either case.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a house is built on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Backing {
    Single,
    PostgresS3,
    ThreeNodes,
}

impl Backing {
    /// As the environment says.
    pub(crate) fn asked() -> Self {
        match std::env::var("TIDEGATE_TEST_HOUSE").as_deref() {
            Err(_) | Ok("" | "single") => Self::Single,
            Ok("postgres-s3") => Self::PostgresS3,
            Ok("three-nodes") => Self::ThreeNodes,
            Ok(other) => panic!("TIDEGATE_TEST_HOUSE is `{other}`: single, postgres-s3 or three-nodes"),
        }
    }

    /// How many servers a house has.
    pub(crate) const fn nodes(self) -> usize {
        if matches!(self, Self::ThreeNodes) { 3 } else { 1 }
    }

    /// Where the servers of one house keep what they keep: a database and a place for blobs that nobody else has.
    pub(crate) fn settings(self) -> Vec<(String, String)> {
        let mut settings = super::s3::named();
        if self != Self::Single {
            assert!(!settings.is_empty(), "TIDEGATE_TEST_HOUSE needs TIDEGATE_TEST_S3_URL");
            settings.push(("TIDEGATE_DATABASE".to_owned(), create_database("house")));
        }
        settings
    }
}

/// A new database in the PostgreSQL that the stage names; its URL.
pub(crate) fn create_database(name: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let url = std::env::var("TIDEGATE_TEST_POSTGRES_URL")
        .expect("TIDEGATE_TEST_POSTGRES_URL names no PostgreSQL: run `cargo xtask test --only STAGE`");
    let name = format!("{name}_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    });
    format!("{}/{name}", url.rsplit_once('/').unwrap().0)
}
