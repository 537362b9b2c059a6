//! The folder of the blobs turns read-only, or its disk goes, under a running server: "later", nothing that was acknowledged is lost or
//! forgotten, and it comes back by itself.

use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::support::api::{push, root};
use crate::support::disk::Disk;
use crate::support::http::{Answer, Ask, basic};
use crate::support::node::{Node, Settings};
use crate::support::{content, digest, wait_until};

/// A server with its blobs on a disk of their own, and what was acknowledged before anything happens to that.
struct House {
    node: Node,
    by: String,
    kept: Vec<u8>,
    /// An upload, and its content, of which the first half was acknowledged.
    upload: String,
    halved: Vec<u8>,
    _folder: tempfile::TempDir,
}

const HALF: usize = 1 << 20;

impl House {
    fn over(blobs: &std::path::Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let node = Node::start(Settings::in_folder(folder.path(), "data").set("TIDEGATE_BLOBS", blobs.to_str().unwrap()));
        let by = root(&node);
        push(&node, &by, "demo/app", "kept", 1);
        let mut house =
            Self { node, by, kept: content(50, 3 << 20), upload: String::new(), halved: content(51, 2 * HALF), _folder: folder };
        house.put(&house.kept).expect(201);
        let begun = path_of(&house.node.send(&Ask::new("POST", "/v2/demo/app/blobs/uploads/").with(&house.by)).expect(202));
        house.upload = path_of(&house.patch(&begun, 0).expect(202));
        house
    }

    fn put(&self, blob: &[u8]) -> Answer {
        let ask = Ask::new("POST", &format!("/v2/demo/app/blobs/uploads/?digest={}", digest(blob)));
        self.node.send(&ask.with(&self.by).body(blob))
    }

    fn get(&self, blob: &[u8]) -> Answer {
        self.node.send(&Ask::get(&format!("/v2/demo/app/blobs/{}", digest(blob))).with(&self.by))
    }

    fn patch(&self, upload: &str, from: usize) -> Answer {
        let range = format!("{from}-{}", from + HALF - 1);
        let ask = Ask::new("PATCH", upload).with(&self.by).header("content-range", &range);
        self.node.send(&ask.body(&self.halved[from..from + HALF]))
    }

    fn end(&self, upload: &str) -> Answer {
        let mark = if upload.contains('?') { '&' } else { '?' };
        self.node.send(&Ask::new("PUT", &format!("{upload}{mark}digest={}", digest(&self.halved))).with(&self.by))
    }

    /// Nothing can be written: the rest goes on.
    fn takes_nothing(&self) {
        for _ in 0..3 {
            later("a small blob", &self.put(&content(60, 1_000)));
            later("a large blob", &self.put(&content(61, 3 << 20)));
            later("a chunk", &self.patch(&self.upload, HALF));
            later("the end", &self.end(&self.upload));
        }
        let unready = self.node.send(&Ask::get("/readyz")).expect(503);
        // On a slow machine perhaps not alone.
        assert!(unready.json()["failing"].as_array().unwrap().contains(&json!("blobs")), "{}", unready.text());
        let head = Ask::new("HEAD", &format!("/v2/demo/app/blobs/{}", digest(&self.kept)));
        self.node.send(&head.with(&self.by)).expect(200);
        self.node.send(&Ask::get("/v2/demo/app/manifests/kept").with(&self.by)).expect(200);
        self.node.send(&Ask::get("/v2/").with(&basic("root", "wrong"))).expect(401);
    }

    /// By itself, and with all that was acknowledged.
    fn recovers(&self) {
        wait_until("it is ready again", Duration::from_secs(20), || self.node.send(&Ask::get("/readyz")).status == 200);
        assert!(self.get(&self.kept).expect(200).body == self.kept);
        let stands = self.node.send(&Ask::get(&self.upload).with(&self.by)).expect(204);
        assert_eq!(stands.header("range"), Some(format!("0-{}", HALF - 1).as_str()), "what was acknowledged");
        let upload = path_of(&self.patch(&self.upload, HALF).expect(202));
        self.end(&upload).expect(201);
        assert!(self.get(&self.halved).expect(200).body == self.halved);
        push(&self.node, &self.by, "demo/app", "after", 900);
        assert!(!self.node.log().contains("panicked"), "{}", self.node.log());
    }
}

/// "Later", and when.
#[track_caller]
fn later(what: &str, answer: &Answer) {
    assert_eq!(answer.status, 503, "{what}: {}", answer.text());
    assert!(answer.header("retry-after").is_some(), "{what}: no Retry-After: {}", answer.text());
}

fn path_of(answer: &Answer) -> String {
    let location = answer.header("location").unwrap();
    location.split_once("://").map_or(location, |(_, rest)| &rest[rest.find('/').unwrap()..]).to_owned()
}

fn run(command: &str, arguments: &[&str]) {
    let done = Command::new(command).args(arguments).output().unwrap();
    assert!(done.status.success(), "{command} {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

#[test]
#[ignore = "cargo xtask test --only crash"]
fn a_folder_that_turns_read_only_takes_nothing_and_gives_what_it_has() {
    let disk = Disk::of(64 * 1024);
    let house = House::over(&disk.at.join("blobs"));
    let at = disk.at.to_str().unwrap();
    // Not while somebody has a file there open to write.
    let remount = || Command::new("mount").args(["-o", "remount,ro", at]).status().unwrap().success();
    wait_until("the disk is read-only", Duration::from_secs(10), remount);
    house.takes_nothing();
    assert!(house.get(&house.kept).expect(200).body == house.kept);
    run("mount", &["-o", "remount,rw", at]);
    house.recovers();
}

/// The folder is a mount, which is gone without a word, open files and all: beneath it lies an empty folder.
#[test]
#[ignore = "cargo xtask test --only crash"]
fn a_folder_whose_disk_goes_gives_and_takes_nothing_and_loses_nothing() {
    let (disk, place) = (Disk::of(64 * 1024), tempfile::tempdir().unwrap());
    let (at, place) = (disk.at.to_str().unwrap(), Mounted(place));
    place.bind(at);
    let house = House::over(place.0.path());
    place.leave();
    house.takes_nothing();
    later("a pull", &house.get(&house.kept));
    assert_eq!(std::fs::read_dir(place.0.path()).unwrap().count(), 0, "nothing is written where the disk belongs");
    place.bind(at);
    house.recovers();
}

/// A folder that a disk is mounted on.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn bind(&self, disk: &str) {
        run("mount", &["--bind", disk, self.0.path().to_str().unwrap()]);
    }

    fn leave(&self) {
        run("umount", &["-l", self.0.path().to_str().unwrap()]);
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // It may not be mounted.
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}
