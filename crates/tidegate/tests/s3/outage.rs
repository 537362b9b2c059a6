//! Object storage that is gone, hangs or takes nothing: "later" until it is back, and nothing that was acknowledged is lost.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::house::{House, begin, end, later, patch, path, place};
use crate::support::http::Ask;
use crate::support::{content, digest, wait_until};

/// No answer takes longer, whatever the storage does.
const PATIENCE: Duration = Duration::from_secs(20);

fn ready(house: &House) -> bool {
    house.node.send(&Ask::get("/readyz")).status == 200
}

#[test]
#[ignore = "cargo xtask test --only s3"]
fn a_storage_that_is_gone_means_later_and_comes_back() {
    let mut house = House::start();
    let (kept, small, large) = (content(1, 3 << 20), content(2, 1_000), content(3, 20 << 20));
    house.put(&kept).expect(201);
    let upload = begin(&house.node, &house.by);
    let upload = place(&patch(&house.node, &house.by, &upload, 0, &large[..12 << 20]).expect(202));
    house.s3.kill();

    let begun = Instant::now();
    later("a pull", &house.get(&kept));
    later("a push", &house.put(&small));
    later("a chunk", &patch(&house.node, &house.by, &upload, 12 << 20, &large[12 << 20..]));
    later("the end", &end(&house.node, &house.by, &upload, &large));
    assert!(begun.elapsed() < 4 * PATIENCE);
    let unready = house.node.send(&Ask::get("/readyz")).expect(503);
    assert_eq!(unready.json()["failing"], serde_json::json!(["blobs"]));
    // What needs no content goes on, logins too; and a wrong password is still that.
    house.node.send(&Ask::new("HEAD", &path(&kept)).with(&house.by)).expect(200);
    house.node.send(&Ask::get("/v2/").with(&crate::support::http::basic("root", "wrong"))).expect(401);

    house.s3.again(&[]);
    wait_until("the node is ready again", PATIENCE, || ready(&house));
    assert!(house.get(&kept).expect(200).body == kept);
    house.put(&small).expect(201);
    let stands = house.node.send(&Ask::get(&upload).with(&house.by)).expect(204);
    assert_eq!(stands.header("range"), Some(format!("0-{}", (12 << 20) - 1).as_str()), "what was acknowledged");
    let upload = place(&patch(&house.node, &house.by, &upload, 12 << 20, &large[12 << 20..]).expect(202));
    end(&house.node, &house.by, &upload, &large).expect(201);
    assert!(house.get(&large).expect(200).body == large);
    house.check_log();
}

#[test]
#[ignore = "cargo xtask test --only s3"]
fn a_storage_that_hangs_means_later_within_seconds() {
    let house = House::start();
    let kept = content(1, 3 << 20);
    house.put(&kept).expect(201);
    house.s3.signal(Signal::STOP);
    for (what, ask) in [
        ("a pull", Ask::get(&path(&kept)).with(&house.by)),
        ("a push", Ask::new("POST", &format!("/v2/demo/app/blobs/uploads/?digest={}", digest(b"x"))).with(&house.by).body("x")),
    ] {
        let begun = Instant::now();
        later(what, &house.node.send(&ask));
        assert!(begun.elapsed() < PATIENCE, "{what}: {:?}", begun.elapsed());
    }
    house.s3.signal(Signal::CONT);
    wait_until("the node is ready again", PATIENCE, || ready(&house));
    assert!(house.get(&kept).expect(200).body == kept);
    house.put(b"x").expect(201);
    house.check_log();
}

#[test]
#[ignore = "cargo xtask test --only s3"]
fn a_storage_that_is_slow_is_waited_for() {
    let house = House::start();
    let (kept, new) = (content(1, 3 << 20), content(2, 18 << 20));
    house.put(&kept).expect(201);
    house.s3.signal(Signal::STOP);
    std::thread::scope(|scope| {
        let pull = scope.spawn(|| house.get(&kept));
        let push = scope.spawn(|| house.put(&new));
        std::thread::sleep(Duration::from_secs(3));
        house.s3.signal(Signal::CONT);
        assert!(pull.join().unwrap().expect(200).body == kept);
        push.join().unwrap().expect(201);
    });
    assert!(house.get(&new).expect(200).body == new);
    house.check_log();
}

#[test]
#[ignore = "cargo xtask test --only s3"]
fn a_storage_that_goes_in_the_middle_of_a_push_means_later_and_the_upload_goes_on() {
    let mut house = House::start();
    let blob = content(1, 60 << 20);
    let upload = begin(&house.node, &house.by);
    let upload = place(&patch(&house.node, &house.by, &upload, 0, &blob[..9 << 20]).expect(202));
    let mut stream = TcpStream::connect(house.node.address()).unwrap();
    stream.set_read_timeout(Some(2 * PATIENCE)).unwrap();
    let (length, by) = (blob.len() - (9 << 20), &house.by);
    let head = format!("PATCH {upload} HTTP/1.1\r\nhost: x\r\nauthorization: {by}\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&blob[9 << 20..30 << 20]).unwrap();
    house.s3.kill();
    // It may have been answered, and the rest refused.
    let _ = stream.write_all(&blob[30 << 20..]);
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 503");

    house.s3.again(&[]);
    let stands = house.node.send(&Ask::get(&upload).with(&house.by)).expect(204);
    assert_eq!(stands.header("range"), Some(format!("0-{}", (9 << 20) - 1).as_str()), "what was acknowledged");
    let upload = place(&patch(&house.node, &house.by, &upload, 9 << 20, &blob[9 << 20..]).expect(202));
    end(&house.node, &house.by, &upload, &blob).expect(201);
    assert!(house.get(&blob).expect(200).body == blob);
    house.check_log();
}

#[test]
#[ignore = "cargo xtask test --only s3"]
fn a_storage_that_takes_nothing_still_gives() {
    let mut house = House::start();
    let kept = content(1, 3 << 20);
    house.put(&kept).expect(201);
    let upload = begin(&house.node, &house.by);
    house.s3.kill();
    house.s3.again(&["--readonly"]);
    assert!(house.get(&kept).expect(200).body == kept);
    later("a push", &house.put(&content(2, 1_000)));
    later("a large push", &house.put(&content(3, 20 << 20)));
    later("a chunk", &patch(&house.node, &house.by, &upload, 0, &content(4, 100_000)));
    house.s3.kill();
    house.s3.again(&[]);
    house.put(&content(3, 20 << 20)).expect(201);
    patch(&house.node, &house.by, &upload, 0, &content(4, 100_000)).expect(202);
    house.check_log();
}

/// A pull that breaks in the middle is not whole, and looks like that.
#[test]
#[ignore = "cargo xtask test --only s3"]
fn a_storage_that_goes_in_the_middle_of_a_pull_cuts_it_short() {
    let mut house = House::start();
    let large = content(1, 200 << 20);
    house.put(&large).expect(201);
    let mut stream = TcpStream::connect(house.node.address()).unwrap();
    let ask = format!("GET {} HTTP/1.1\r\nhost: x\r\nauthorization: {}\r\n\r\n", path(&large), house.by);
    stream.write_all(ask.as_bytes()).unwrap();
    let mut first = vec![0; 1 << 20];
    stream.read_exact(&mut first).unwrap();
    assert!(first.starts_with(b"HTTP/1.1 200"));
    house.s3.kill();
    let mut rest = Vec::new();
    // An error, or an end before the content's.
    let _ = stream.read_to_end(&mut rest);
    assert!(first.len() + rest.len() < large.len());
    house.s3.again(&[]);
    assert!(house.get(&large).expect(200).body == large);
    house.check_log();
}
