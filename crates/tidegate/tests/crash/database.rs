//! A PostgreSQL that dies in the middle of pushes, again and again, below a node that goes on.

use std::time::Duration;

use rustix::process::Signal;

use crate::kills::pushed_through;
use crate::support::http::Ask;
use crate::support::node::{Node, Settings};
use crate::support::postgres::Postgres;
use crate::support::{MASTER_KEY, wait_until};

/// Fewer than of the node itself: each takes seconds until the database is back.
const DEATHS: u64 = 6;

fn ready(node: &Node) -> bool {
    node.send(&Ask::get("/readyz")).status == 200
}

/// Crashed and frozen in turn, with connections ended by an administrator in between.
#[test]
#[ignore = "cargo xtask test --only crash"]
fn a_database_that_dies_in_the_middle_of_fifty_pushes_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut postgres = Postgres::start(folder.path(), &[]);
    let settings = Settings::in_folder(folder.path(), "data").set("TIDEGATE_DATABASE", &postgres.url());
    let settings = settings.set("TIDEGATE_MASTER_KEY", MASTER_KEY).set("TIDEGATE_POSTGRES_STATEMENT_SECONDS", "2");
    let node = Node::start(settings.set("TIDEGATE_LOG_REQUESTS", "off"));
    let mut death = 0;
    pushed_through(node, DEATHS, |node| {
        postgres.disconnect();
        if death % 2 == 0 {
            postgres.stop(Signal::QUIT);
            std::thread::sleep(Duration::from_millis(300));
            postgres.again();
        } else {
            postgres.freeze(Signal::STOP);
            std::thread::sleep(Duration::from_secs(4));
            postgres.freeze(Signal::CONT);
        }
        death += 1;
        wait_until("the node is ready again", Duration::from_secs(20), || ready(&node));
        node
    });
}
