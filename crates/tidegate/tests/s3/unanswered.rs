//! Object storage that is out of connections or too busy, and one whose answers are lost or late: "later", never a lie, and what was
//! acknowledged is there.

use std::time::{Duration, Instant};

use crate::house::{House, begin, end, later, patch, path, place};
use crate::relay::{Fate, Relay, Which};
use crate::support::backing::create_database;
use crate::support::http::{Answer, Ask, basic};
use crate::support::s3::S3;
use crate::support::wire::{Commits, Wire};
use crate::support::{content, digest, wait_until};

/// No answer takes longer, whatever the storage does: the end of an upload of many parts is waited for longest.
const PATIENCE: Duration = Duration::from_secs(30);

struct Behind {
    house: House,
    relay: Relay,
}

impl Behind {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let s3 = S3::start(folder.path());
        let relay = Relay::before(&s3.address);
        let house = House::over(s3, folder, &[("TIDEGATE_OBJECT_STORAGE_ENDPOINT", &relay.endpoint())]);
        Self { house, relay }
    }

    fn send(&self, ask: Ask) -> Answer {
        let begun = Instant::now();
        let answer = self.house.node.send(&ask.with(&self.house.by));
        assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
        answer
    }

    /// Sends it while the next such request, or each, has this fate: it must be told "later", unless the node got it done all the same.
    fn during(&self, many: usize, which: Which, fate: Fate, ask: &Ask) -> bool {
        self.relay.some(many, which, fate);
        let answer = self.send(ask.clone());
        assert!(self.relay.mend() > 0, "{which:?} {fate:?}: hit nobody");
        if answer.status != 201 {
            later(&format!("{which:?} {fate:?}"), &answer);
        }
        answer.status == 201
    }

    /// There whole, or not there.
    fn is_true_of(&self, blob: &[u8], acknowledged: bool) {
        let answer = self.house.get(blob);
        match answer.status {
            200 => assert!(answer.body == blob),
            404 => assert!(!acknowledged),
            other => panic!("{other}: {}", answer.text()),
        }
    }

    /// An upload of which so much has been acknowledged.
    fn begun_with(&self, first: &[u8]) -> String {
        let upload = begin(&self.house.node, &self.house.by);
        if first.is_empty() { upload } else { place(&patch(&self.house.node, &self.house.by, &upload, 0, first).expect(202)) }
    }

    /// The same end once more. Where it brings content, and the parts are joined already, the client is told to begin again, and does.
    fn ended_again(&self, end: &Ask, blob: &[u8], brings: bool) {
        let again = self.send(end.clone());
        if again.status == 201 {
            return;
        }
        assert!(brings && again.status == 404 && again.code() == "BLOB_UPLOAD_UNKNOWN", "{}: {}", again.status, again.text());
        self.is_true_of(blob, false);
        let upload = self.begun_with(&[]);
        self.send(ending(&upload, blob, 0)).expect(201);
    }

    /// How much of an upload is there, as the server says.
    fn stands(&self, upload: &str) -> usize {
        let answer = self.send(Ask::get(upload)).expect(204);
        let last = answer.header("range").and_then(|range| range.split_once('-')?.1.parse::<usize>().ok());
        last.filter(|last| *last > 0).map_or(0, |last| last + 1)
    }
}

/// Each fate in a house of its own, side by side: most of it is waiting.
fn each<const N: usize>(fates: [Fate; N], what: impl Fn(&Behind, Fate) + Sync) {
    std::thread::scope(|scope| {
        for fate in fates {
            let what = &what;
            scope.spawn(move || {
                let behind = Behind::start();
                what(&behind, fate);
                behind.house.check_log();
            });
        }
    });
}

/// The end of an upload, with what comes last.
fn ending(upload: &str, blob: &[u8], from: usize) -> Ask {
    let mark = if upload.contains('?') { '&' } else { '?' };
    let ask = Ask::new("PUT", &format!("{upload}{mark}digest={}", digest(blob)));
    if from < blob.len() { ask.body(&blob[from..]) } else { ask }
}

fn whole(blob: &[u8]) -> Ask {
    Ask::new("POST", &format!("/v2/demo/app/blobs/uploads/?digest={}", digest(blob))).body(blob)
}

#[test]
#[ignore = "cargo xtask test --only s3"]
fn a_storage_that_takes_no_more_requests_means_later_and_comes_back() {
    each([Fate::Refused, Fate::SlowDown, Fate::TooMany], |behind, fate| {
        let (house, kept) = (&behind.house, content(1, 3 << 20));
        house.put(&kept).expect(201);
        let (small, large) = (content(10, 1_000), content(20, 20 << 20));
        let upload = behind.begun_with(&large[..12 << 20]);
        behind.relay.all(Which::All, fate);
        std::thread::scope(|scope| {
            let asks: [(&str, Ask); 4] = [
                ("a pull", Ask::get(&path(&kept))),
                ("a push", whole(&small)),
                ("a large push", whole(&content(30, 9 << 20))),
                ("the end", ending(&upload, &large[..12 << 20], 12 << 20)),
            ];
            for (what, ask) in asks {
                scope.spawn(move || later(&format!("{what}, {fate:?}"), &behind.send(ask)));
            }
        });
        later("a chunk", &patch(&house.node, &house.by, &upload, 12 << 20, &large[12 << 20..]));
        let unready = house.node.send(&Ask::get("/readyz")).expect(503);
        // On a slow machine perhaps not alone.
        assert!(unready.json()["failing"].as_array().unwrap().contains(&serde_json::json!("blobs")), "{}", unready.text());
        behind.send(Ask::new("HEAD", &path(&kept))).expect(200);
        house.node.send(&Ask::get("/v2/").with(&basic("root", "wrong"))).expect(401);
        assert!(behind.relay.mend() > 5);

        wait_until("the node is ready again", PATIENCE, || house.node.send(&Ask::get("/readyz")).status == 200);
        assert!(house.get(&kept).expect(200).body == kept);
        house.put(&small).expect(201);
        assert_eq!(behind.stands(&upload), 12 << 20, "{fate:?}: what was acknowledged");
        let upload = place(&patch(&house.node, &house.by, &upload, 12 << 20, &large[12 << 20..]).expect(202));
        end(&house.node, &house.by, &upload, &large).expect(201);
        assert!(house.get(&large).expect(200).body == large);
    });
}

#[test]
#[ignore = "cargo xtask test --only s3"]
fn a_storage_that_is_busy_for_a_moment_costs_nobody_a_second_try() {
    let behind = Behind::start();
    let kept = content(1, 3 << 20);
    behind.house.put(&kept).expect(201);
    for (number, fate) in (0..).zip([Fate::SlowDown, Fate::TooMany]) {
        for (which, size) in [(Which::Object, 1_000), (Which::Begin, 9 << 20), (Which::Part, 9 << 20), (Which::End, 9 << 20)] {
            let blob = content(100 + 10 * number, size);
            assert!(behind.during(2, which, fate, &whole(&blob)), "{which:?}, {fate:?}");
            behind.is_true_of(&blob, true);
        }
        behind.relay.some(2, Which::All, fate);
        assert!(behind.house.get(&kept).expect(200).body == kept);
        assert_eq!(behind.relay.mend(), 2);
    }
    behind.house.check_log();
}

const FATES: [Fate; 3] = [Fate::Lost, Fate::Unanswered, Fate::Late];

#[test]
#[ignore = "cargo xtask test --only s3"]
fn a_blob_whose_put_is_not_answered_is_pushed_again() {
    each(FATES, |behind, fate| {
        if fate != Fate::Late {
            let blob = content(1, 30_000);
            let done = behind.during(1, Which::Object, fate, &whole(&blob));
            behind.is_true_of(&blob, done);
            behind.send(whole(&blob)).expect(201);
            behind.is_true_of(&blob, true);
        }
        // An upload in two requests, whose second brings the rest or nothing.
        for (seed, first) in [(100, 50_000), (200, 90_000), (300, 0)] {
            if fate == Fate::Late && seed != 100 {
                continue;
            }
            let blob = content(seed, 90_000);
            let upload = behind.begun_with(&blob[..first]);
            let end = ending(&upload, &blob, first);
            let done = behind.during(1, Which::Object, fate, &end);
            behind.is_true_of(&blob, done);
            if !done {
                assert_eq!(behind.stands(&upload), first, "{fate:?}: what was acknowledged");
                behind.send(end).expect(201);
            }
            behind.is_true_of(&blob, true);
        }
    });
}

#[test]
#[ignore = "cargo xtask test --only s3"]
fn an_upload_of_many_parts_whose_end_is_not_answered_is_ended_again() {
    each(FATES, |behind, fate| {
        // One answer, which the node asks for again; or every answer.
        for (seed, many, first) in [(100, 1, 20 << 20), (200, usize::MAX, 20 << 20), (300, usize::MAX, 9 << 20)] {
            if fate == Fate::Late && seed != 300 {
                continue;
            }
            let blob = content(seed, 20 << 20);
            let upload = behind.begun_with(&blob[..first]);
            let end = ending(&upload, &blob, first);
            let done = behind.during(many, Which::End, fate, &end);
            assert!(done || many > 1, "{fate:?}: it is asked for once more");
            behind.is_true_of(&blob, done);
            if !done {
                assert_eq!(behind.stands(&upload), first, "{fate:?}: what was acknowledged");
                behind.ended_again(&end, &blob, first < blob.len());
            }
            behind.is_true_of(&blob, true);
        }
    });
}

/// The parts of a first request may still be joined when nobody waits any more: the upload is not gone on with, but begun anew.
#[test]
#[ignore = "cargo xtask test --only s3"]
fn a_large_blob_in_one_request_whose_end_is_not_answered_is_begun_again() {
    each([Fate::Lost, Fate::Unanswered], |behind, fate| {
        let blob = content(1, 20 << 20);
        let upload = behind.begun_with(&[]);
        let end = ending(&upload, &blob, 0);
        let done = behind.during(usize::MAX, Which::End, fate, &end);
        behind.is_true_of(&blob, done);
        if !done {
            behind.ended_again(&end, &blob, true);
        }
        behind.is_true_of(&blob, true);
    });
}

/// The storage has it, and the database says nothing: the blob is there, or the client begins again.
#[test]
#[ignore = "cargo xtask test --only s3"]
fn an_upload_whose_row_is_not_written_is_no_loss_and_no_lie() {
    let folder = tempfile::tempdir().unwrap();
    let s3 = S3::start(folder.path());
    let (wire, url) = Wire::before(&create_database("s3_unanswered"));
    let house = House::over(s3, folder, &[("TIDEGATE_DATABASE", &url)]);
    for (number, size) in (0..).zip([90_000, 20 << 20]) {
        for fate in [Commits::Lost, Commits::Unanswered] {
            let blob = content(number + 10 * u64::from(fate == Commits::Lost), size);
            let first = size - 40_000;
            let upload = place(&patch(&house.node, &house.by, &begin(&house.node, &house.by), 0, &blob[..first]).expect(202));
            let end = ending(&upload, &blob, first).with(&house.by);
            wire.commits_of(&digest(&blob), fate);
            later("the end", &house.node.send(&end));
            wire.commits(Commits::Pass);
            wait_until("the node is ready", PATIENCE, || house.node.send(&Ask::get("/readyz")).status == 200);
            if fate == Commits::Lost {
                house.get(&blob).expect(404);
                assert_eq!(house.node.send(&end).expect(404).code(), "BLOB_UPLOAD_UNKNOWN");
                house.put(&blob).expect(201);
            }
            assert!(house.get(&blob).expect(200).body == blob);
        }
    }
    house.check_log();
}
