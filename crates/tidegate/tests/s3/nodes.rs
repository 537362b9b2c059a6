//! Two nodes over one database and one bucket; and what is left in the bucket.

use store::{Database, Store, StoreError, params};

use crate::house::{House, begin, end, patch, path, place, put};
use crate::support::api::root;
use crate::support::backing::create_database;
use crate::support::http::Ask;
use crate::support::node::{Node, Settings};
use crate::support::s3::S3;
use crate::support::{MASTER_KEY, content, wait_until};

#[test]
#[ignore = "cargo xtask test --only s3"]
fn an_upload_goes_from_node_to_node() {
    let folder = tempfile::tempdir().unwrap();
    let s3 = S3::start(folder.path());
    let (url, bucket) = (create_database("s3_nodes"), s3.settings());
    let nodes: Vec<Node> = (0..3)
        .map(|n| {
            let mut settings = Settings::in_folder(folder.path(), &format!("n{n}")).set("TIDEGATE_DATABASE", &url);
            settings.environment.extend(bucket.clone());
            Node::start(settings.set("TIDEGATE_MASTER_KEY", MASTER_KEY))
        })
        .collect();
    let by = root(&nodes[0]);
    for (seed, size, chunk) in [(1, 700, 300), (2, 300_000, 90_000), (3, 30 << 20, 7 << 20)] {
        let blob = content(seed, size);
        let mut upload = begin(&nodes[0], &by);
        for (n, piece) in blob.chunks(chunk).enumerate() {
            upload = place(&patch(&nodes[(n + 1) % 3], &by, &upload, n * chunk, piece).expect(202));
        }
        end(&nodes[2], &by, &upload, &blob).expect(201);
        for node in &nodes {
            assert!(node.send(&Ask::get(&path(&blob)).with(&by)).expect(200).body == blob, "{size}");
        }
    }

    // Two nodes end one upload, each with content of its own: one of them does, and what it says is true.
    let [one, two] = [content(10, 500_000), content(11, 500_000)];
    for _ in 0..10 {
        let upload = begin(&nodes[0], &by);
        let finish = |node: &Node, blob: &[u8]| {
            let mark = if upload.contains('?') { '&' } else { '?' };
            let ask = Ask::new("PUT", &format!("{upload}{mark}digest={}", crate::support::digest(blob))).with(&by).body(blob);
            node.send(&ask).status
        };
        let statuses = std::thread::scope(|scope| {
            let first = scope.spawn(|| finish(&nodes[0], &one));
            let second = scope.spawn(|| finish(&nodes[1], &two));
            [first.join().unwrap(), second.join().unwrap()]
        });
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        for (blob, status) in [(&one, statuses[0]), (&two, statuses[1])] {
            if status == 201 {
                assert!(nodes[2].send(&Ask::get(&path(blob)).with(&by)).expect(200).body == *blob);
            }
        }
    }
}

#[test]
#[ignore = "cargo xtask test --only s3"]
fn nothing_stays_in_the_bucket_of_what_ended() {
    let house = House::start();
    let blobs = || house.s3.files().into_iter().filter(|path| !path.ends_with("probe")).count();
    for (seed, size) in [(1, 10), (2, 100_000), (3, 20 << 20)] {
        let blob = content(seed, size);
        // Ended, cancelled, and with another digest than was said.
        put(&house.node, &house.by, &blob).expect(201);
        let upload = begin(&house.node, &house.by);
        let upload = place(&patch(&house.node, &house.by, &upload, 0, &blob).expect(202));
        house.node.send(&Ask::new("DELETE", &upload).with(&house.by)).expect(204);
        let upload = begin(&house.node, &house.by);
        let upload = place(&patch(&house.node, &house.by, &upload, 0, &blob).expect(202));
        end(&house.node, &house.by, &upload, b"something else").expect(400);
        let upload = begin(&house.node, &house.by);
        let upload = place(&patch(&house.node, &house.by, &upload, 0, &blob).expect(202));
        end(&house.node, &house.by, &upload, &blob).expect(201);
    }
    wait_until("three blobs and nothing else are left", std::time::Duration::from_secs(10), || blobs() == 3);
    house.check_log();
}

/// The parts of uploads that nobody goes on with, as the storage itself has them: of one that a row names, and of one that none does.
#[test]
#[ignore = "cargo xtask test --only s3"]
fn the_parts_of_abandoned_uploads_go_from_the_storage() {
    let House { s3, node, by, _folder } = House::start();
    let parts = |s3: &S3| s3.files().iter().filter(|path| path.to_string_lossy().contains("/multipart/")).count();
    for seed in [1, 2, 3] {
        let blob = content(seed, 20 << 20);
        let upload = begin(&node, &by);
        patch(&node, &by, &upload, 0, &blob).expect(202);
    }
    assert!(parts(&s3) >= 6, "two parts each: {:?}", s3.files());
    let settings = node.stop();
    // Two days pass, for the database and for the storage; the row of one upload is lost.
    run(&settings.data, "UPDATE upload SET touched_ms = touched_ms - 172800000");
    run(&settings.data, "DELETE FROM upload WHERE id = (SELECT min(id) FROM upload)");
    let ago = std::time::SystemTime::now() - std::time::Duration::from_hours(48);
    for file in s3.files() {
        std::fs::File::options().write(true).open(file).unwrap().set_modified(ago).unwrap();
    }
    let _node = Node::start(settings);
    wait_until("the parts are gone", std::time::Duration::from_secs(20), || parts(&s3) == 0);
    wait_until("so is what was staged", std::time::Duration::from_secs(20), || s3.files().iter().all(|path| path.ends_with("probe")));
}

/// One statement in the database of a server that is stopped.
fn run(data: &std::path::Path, sql: &'static str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let done: Result<(), StoreError> = runtime.block_on(async {
        let store = Store::peek(&Database::Directory(data.to_owned())).await?;
        store.write(|tx| Box::pin(async move { tx.execute(sql, params![]).await.map(drop) })).await
    });
    done.unwrap();
}
