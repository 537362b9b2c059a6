//! A PostgreSQL that fails as a whole.

use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::house::{House, ready};
use crate::support::api::push;
use crate::support::disk::Disk;
use crate::support::http::Ask;
use crate::support::postgres::Postgres;
use crate::support::wait_until;
use crate::support::wire::Wire;

#[test]
#[ignore = "cargo xtask test --only database"]
fn one_that_is_stopped_means_later_at_every_door_and_comes_back() {
    let mut house = House::start();
    for how in [Signal::INT, Signal::QUIT] {
        house.postgres.stop(how);
        house.nothing_goes();
        house.postgres.again();
        house.recovers();
    }
}

#[test]
#[ignore = "cargo xtask test --only database"]
fn one_that_hangs_means_later_within_seconds_at_every_door() {
    let house = House::start();
    house.postgres.freeze(Signal::STOP);
    house.nothing_goes();
    house.postgres.freeze(Signal::CONT);
    house.recovers();
}

#[test]
#[ignore = "cargo xtask test --only database"]
fn one_that_hangs_for_a_moment_is_waited_for() {
    let house = House::start();
    house.postgres.freeze(Signal::STOP);
    std::thread::scope(|scope| {
        let pull = scope.spawn(|| house.node.send(&Ask::get("/v2/demo/app/manifests/kept").with(&house.known.bearer)));
        std::thread::sleep(Duration::from_millis(500));
        house.postgres.freeze(Signal::CONT);
        pull.join().unwrap().expect(200);
    });
    house.recovers();
}

#[test]
#[ignore = "cargo xtask test --only database"]
fn one_that_takes_nothing_still_lets_in_and_gives() {
    let house = House::start();
    // As on a standby that a failover has left the nodes with.
    house.postgres.run("ALTER SYSTEM SET default_transaction_read_only = on");
    house.postgres.run("SELECT pg_reload_conf()");
    std::thread::sleep(Duration::from_millis(300));
    for _ in 0..3 {
        house.each(|asked, status| status == if asked.writes { 503 } else { 200 });
    }
    house.node.send(&Ask::get("/v2/").with(&crate::support::http::basic("alice", "wrong-Password-1"))).expect(401);
    house.postgres.run("ALTER SYSTEM RESET default_transaction_read_only");
    house.postgres.run("SELECT pg_reload_conf()");
    std::thread::sleep(Duration::from_millis(300));
    house.recovers();
}

/// Data on a full disk: PostgreSQL says so, and goes on.
#[test]
#[ignore = "cargo xtask test --only database"]
fn one_whose_tables_have_no_room_takes_nothing_and_gives() {
    let (folder, disk) = (tempfile::tempdir().unwrap(), Disk::of(24 * 1024));
    let postgres = Postgres::start(folder.path(), &[]);
    for above in [disk.at.parent().unwrap(), &disk.at] {
        assert!(Command::new("chmod").arg("711").arg(above).status().unwrap().success());
    }
    let space = disk.at.join("space");
    std::fs::create_dir(&space).unwrap();
    if rustix::process::geteuid().is_root() {
        assert!(Command::new("chown").arg("postgres").arg(&space).status().unwrap().success());
    }
    postgres.run(&format!("CREATE TABLESPACE small LOCATION '{}'", space.display()));
    postgres.run("ALTER DATABASE tidegate SET TABLESPACE small");
    let url = postgres.url();
    let mut house = House::over(postgres, folder, &url);
    disk.fill();
    // What is written in a page that is there already is still taken.
    let full = || house.postgres.log().contains("No space left on device");
    wait_until("the tables are full", Duration::from_mins(1), || {
        house.each(|_, status| matches!(status, 200..300 | 503));
        full()
    });
    for _ in 0..3 {
        house.each(|asked, status| matches!(status, 200..300) || asked.writes && status == 503);
    }
    disk.free();
    house.postgres.again();
    house.recovers();
}

/// The log of transactions on a full disk: PostgreSQL ends by itself, and cannot start again until there is room.
#[test]
#[ignore = "cargo xtask test --only database"]
fn one_that_ends_of_a_full_disk_means_later_until_there_is_room() {
    let disk = Disk::of(96 * 1024);
    let postgres = Postgres::start(&disk.at, &[]);
    let url = postgres.url();
    let mut house = House::over(postgres, tempfile::tempdir().unwrap(), &url);
    let mut pushed = vec![("kept".to_owned(), house.known.kept.clone())];
    disk.fill();
    wait_until("the server ends of it", Duration::from_mins(1), || {
        house.each(|_, status| matches!(status, 200..300 | 503));
        !ready(&house.node)
    });
    disk.free();
    house.postgres.again();
    house.recovers();
    pushed.push(("after".to_owned(), push(&house.node, &house.known.root, "demo/app", "after", 900)));
    for (tag, wanted) in &pushed {
        house.is_kept(tag, wanted);
    }
}

#[test]
#[ignore = "cargo xtask test --only database"]
fn one_without_a_free_connection_means_later_and_recovers() {
    // Room for all that the node may hold, also while a connection that it has given up is still ending.
    let house = House::start_with(&["max_connections=20", "superuser_reserved_connections=3"]);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let url = house.postgres.url();
    // Others take what the node loses, until it has none.
    let mut others = Vec::new();
    wait_until("others have every connection", Duration::from_secs(30), || {
        house.postgres.disconnect();
        others.retain(|client: &tokio_postgres::Client| !client.is_closed());
        runtime.block_on(async {
            while let Ok((client, connection)) =
                tokio_postgres::connect(&url.replace("tidegate@", "postgres@"), tokio_postgres::NoTls).await
            {
                tokio::spawn(connection);
                others.push(client);
            }
            // One that is left would do for the feed, while readiness happens to ask for another. It is ended by one of the others, since
            // there is no room for somebody else who would.
            let left = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'tidegate'";
            let Some(other) = others.last() else { return false };
            other.query(left, &[]).await.is_ok_and(|left| left.is_empty())
        })
    });
    house.nothing_goes();
    others.clear();
    house.recovers();
}

/// A failover, or an administrator, ends connections in the middle of whatever they do.
#[test]
#[ignore = "cargo xtask test --only database"]
fn connections_that_are_ended_cost_a_retry() {
    let house = House::start();
    for _ in 0..10 {
        std::thread::scope(|scope| {
            let all = scope.spawn(|| house.each(|_, status| matches!(status, 200..300 | 503)));
            for _ in 0..5 {
                house.postgres.disconnect();
                std::thread::sleep(Duration::from_millis(10));
            }
            all.join().unwrap();
        });
    }
    house.recovers();
}

/// The network between goes, without and with a word.
#[test]
#[ignore = "cargo xtask test --only database"]
fn a_network_that_goes_means_later_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let postgres = Postgres::start(folder.path(), &[]);
    let (wire, url) = Wire::before(&postgres.url());
    let house = House::over(postgres, folder, &url);
    for fail in [Wire::cut as fn(&Wire), Wire::silence] {
        fail(&wire);
        house.nothing_goes();
        wire.mend();
        house.recovers();
    }
}
