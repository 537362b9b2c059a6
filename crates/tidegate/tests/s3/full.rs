//! Object storage without room, and one that refuses to be written to: pushes are put off, pulls go on.

use std::time::Duration;

use crate::house::{House, begin, end, later, patch, place};
use crate::support::api::push;
use crate::support::disk::Disk;
use crate::support::http::Ask;
use crate::support::s3::S3;
use crate::support::{content, wait_until};

/// Wherever in a push the room ends: in a small blob, in a part of a large one, in its end.
#[test]
#[ignore = "cargo xtask test --only s3"]
fn a_storage_without_room_takes_nothing_and_gives_what_it_has() {
    let (disk, folder) = (Disk::of(96 * 1024), tempfile::tempdir().unwrap());
    let house = House::over(S3::start(&disk.at), folder, &[]);
    let kept = content(1, 3 << 20);
    house.put(&kept).expect(201);
    push(&house.node, &house.by, "demo/app", "kept", 10);
    let (large, upload) = (content(3, 20 << 20), begin(&house.node, &house.by));
    let upload = place(&patch(&house.node, &house.by, &upload, 0, &large[..12 << 20]).expect(202));

    disk.fill();
    later("a small blob", &house.put(&content(4, 9_000)));
    later("a large blob", &house.put(&content(5, 20 << 20)));
    later("a chunk", &patch(&house.node, &house.by, &upload, 12 << 20, &large[12 << 20..]));
    assert!(house.get(&kept).expect(200).body == kept);
    house.node.send(&Ask::get("/v2/demo/app/manifests/kept").with(&house.by)).expect(200);
    house.node.send(&Ask::get("/v2/").with(&crate::support::http::basic("root", "wrong"))).expect(401);
    assert_eq!(house.node.send(&Ask::get("/readyz")).expect(503).json()["failing"], serde_json::json!(["blobs"]));

    disk.free();
    let ready = || house.node.send(&Ask::get("/readyz")).status == 200;
    wait_until("the node is ready again", Duration::from_secs(20), ready);
    let stands = house.node.send(&Ask::get(&upload).with(&house.by)).expect(204);
    assert_eq!(stands.header("range"), Some(format!("0-{}", (12 << 20) - 1).as_str()), "what was acknowledged");
    let upload = place(&patch(&house.node, &house.by, &upload, 12 << 20, &large[12 << 20..]).expect(202));
    end(&house.node, &house.by, &upload, &large).expect(201);
    assert!(house.get(&large).expect(200).body == large);
    house.put(&content(4, 9_000)).expect(201);
    house.check_log();
}
