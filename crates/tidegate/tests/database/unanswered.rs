//! A transaction whose end nobody hears of: the caller is told "later", finds one state or the other, and may try again.

use serde_json::json;

use crate::house::{House, Known, image_text, later, ready};
use crate::support::api::Api;
use crate::support::http::{Answer, Ask};
use crate::support::postgres::Postgres;
use crate::support::wire::{Commits, Wire};
use crate::support::{OCI_MANIFEST, content, digest, wait_until};

struct Cut {
    house: House,
    wire: Wire,
}

impl Cut {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let postgres = Postgres::start(folder.path(), &[]);
        let (wire, url) = Wire::before(&postgres.url());
        Self { house: House::over(postgres, folder, &url), wire }
    }

    /// Sends it while commits have this fate; it must be told "later". Then all is as before.
    fn during(&self, fate: Commits, what: &str, ask: &Ask) {
        self.during_those_of("", fate, what, ask);
    }

    /// The same while those commits alone have it whose transactions say this.
    fn during_those_of(&self, said: &str, fate: Commits, what: &str, ask: &Ask) {
        self.wire.commits_of(said, fate);
        let answer = self.house.node.send(ask);
        self.wire.commits(Commits::Pass);
        later(&format!("{what}, {fate:?}"), &answer);
        wait_until("the node is ready", std::time::Duration::from_secs(30), || ready(&self.house.node));
    }

    fn send(&self, ask: &Ask) -> Answer {
        self.house.node.send(ask)
    }

    fn known(&self) -> &Known {
        &self.house.known
    }

    /// What a client finds after a commit with this fate: done (`200..300`), or not (404).
    #[track_caller]
    fn found(&self, fate: Commits, what: &str, ask: &Ask) -> Option<Answer> {
        // A slow machine may still be at what came late.
        let mut answer = self.send(ask);
        wait_until(what, std::time::Duration::from_secs(30), || {
            if answer.status == 503 {
                answer = self.send(ask);
            }
            answer.status != 503
        });
        let done = match answer.status {
            200..300 => true,
            404 => false,
            other => panic!("{what}, {fate:?}: {other} {}", answer.text()),
        };
        assert_eq!(done, fate != Commits::Lost, "{what}, {fate:?}");
        done.then_some(answer)
    }

    fn manage(&self, method: &str, path: &str, body: &serde_json::Value) -> Ask {
        let ask = Ask::new(method, &format!("/api/v1{path}")).with(&self.known().manager);
        if body.is_null() { ask } else { ask.header("content-type", "application/json").body(body.to_string()) }
    }

    /// How often the trail says that this was done to that.
    fn recorded(&self, action: &str, resource: &str) -> usize {
        let events = Api::root(&self.house.node).audit(&format!("action={action}&outcome=success"));
        events.iter().filter(|event| event["resource"].as_str().is_some_and(|text| text.ends_with(resource))).count()
    }
}

const FATES: [Commits; 3] = [Commits::Lost, Commits::Unanswered, Commits::Late];

#[test]
#[ignore = "cargo xtask test --only database"]
fn a_push_whose_commit_is_not_answered_is_tried_again() {
    let cut = Cut::start();
    let by = cut.known().alice.clone();
    for (number, fate) in (0_u64..).zip(FATES) {
        let tag = format!("/v2/demo/app/manifests/cut{number}");
        let put = Ask::new("PUT", &tag).with(&by).header("content-type", OCI_MANIFEST).body(image_text());
        cut.during(fate, "a manifest", &put);
        cut.found(fate, "a manifest", &Ask::get(&tag).with(&by).header("accept", OCI_MANIFEST));
        cut.send(&put).expect(201);
        assert_eq!(cut.send(&Ask::get(&tag).with(&by)).expect(200).body, image_text().as_bytes());

        let delete = Ask::new("DELETE", &tag).with(&by);
        cut.during(fate, "a tag's deletion", &delete);
        let gone = cut.send(&Ask::get(&tag).with(&by)).status == 404;
        assert_eq!(gone, fate != Commits::Lost, "{fate:?}");
        assert_eq!(cut.send(&delete).status, if gone { 404 } else { 202 });
    }
}

#[test]
#[ignore = "cargo xtask test --only database"]
fn a_blob_whose_commit_is_not_answered_is_whole_or_not_there() {
    let cut = Cut::start();
    let by = cut.known().alice.clone();
    let place = |answer: &Answer| {
        let location = answer.header("location").unwrap();
        location.split_once(cut.house.node.address()).map_or(location, |(_, path)| path).to_owned()
    };
    // An upload of which the first 50,000 bytes are acknowledged, and its end.
    let begun = |blob: &[u8]| {
        let begun = place(&cut.send(&Ask::new("POST", "/v2/demo/app/blobs/uploads/").with(&by)).expect(202));
        let first = Ask::new("PATCH", &begun).with(&by).header("content-range", "0-49999").body(&blob[..50_000]);
        let upload = place(&cut.send(&first).expect(202));
        let mark = if upload.contains('?') { '&' } else { '?' };
        let put = Ask::new("PUT", &format!("{upload}{mark}digest={}", digest(blob))).with(&by);
        put.header("content-range", "50000-89999").body(&blob[50_000..])
    };
    for (number, fate) in (0_u64..).zip(FATES) {
        let whole = content(7_000 + number, 50_000);
        let path = format!("/v2/demo/app/blobs/{}", digest(&whole));
        let post = Ask::new("POST", &format!("/v2/demo/app/blobs/uploads/?digest={}", digest(&whole))).with(&by).body(whole.clone());
        cut.during(fate, "a blob at once", &post);
        if let Some(found) = cut.found(fate, "a blob at once", &Ask::get(&path).with(&by)) {
            assert!(found.body == whole);
        }
        cut.send(&post).expect(201);
        assert!(cut.send(&Ask::get(&path).with(&by)).expect(200).body == whole);

        let blob = content(8_000 + number, 90_000);
        let path = format!("/v2/demo/app/blobs/{}", digest(&blob));
        let put = begun(&blob);
        cut.during(fate, "an upload's end", &put);
        // The claim's commit is the first that is not answered, so nothing of the end has happened.
        cut.send(&Ask::get(&path).with(&by)).expect(404);
        cut.send(&put).expect(201);
        assert!(cut.send(&Ask::get(&path).with(&by)).expect(200).body == blob);

        let blob = content(9_000 + number, 90_000);
        let (path, put) = (format!("/v2/demo/app/blobs/{}", digest(&blob)), begun(&blob));
        // The commit that links it: its record of the trail names the digest.
        cut.during_those_of(&digest(&blob), fate, "an upload's link", &put);
        if let Some(found) = cut.found(fate, "an upload's link", &Ask::get(&path).with(&by)) {
            assert!(found.body == blob);
            assert_eq!(cut.send(&put).expect(404).code(), "BLOB_UPLOAD_UNKNOWN", "{fate:?}: it has ended");
        } else {
            cut.send(&put).expect(201);
        }
        assert!(cut.send(&Ask::get(&path).with(&by)).expect(200).body == blob);
    }
}

#[test]
#[ignore = "cargo xtask test --only database"]
fn a_change_whose_commit_is_not_answered_is_done_once_with_its_record_or_not_at_all() {
    let cut = Cut::start();
    for (number, fate) in (0_u64..).zip(FATES) {
        let name = format!("cut{number}");
        let create = cut.manage("POST", "/users", &json!({ "name": name }));
        let show = cut.manage("GET", &format!("/users/{name}"), &serde_json::Value::Null);
        cut.during(fate, "a user", &create);
        let there = cut.found(fate, "a user", &show).is_some();
        assert_eq!(cut.send(&create).status, if there { 409 } else { 201 });
        cut.send(&show).expect(200);
        assert_eq!(cut.recorded("ram:CreateUser", &name), 1, "{fate:?}: the record is of the change's own transaction");

        let cloud = format!("cloud{number}");
        let create = || cut.house.alibaba("2015-05-01", "CreateUser", &[("UserName", &cloud)]);
        // The commit of its nonce is the first that is not answered.
        cut.during(fate, "an Alibaba Cloud user", &create());
        cut.send(&cut.house.alibaba("2015-05-01", "GetUser", &[("UserName", &cloud)])).expect(404);
        cut.send(&create()).expect(200);
    }
}

/// What was taken away may be taken away although nobody was told; it is never the other way round.
#[test]
#[ignore = "cargo xtask test --only database"]
fn a_revocation_whose_commit_is_not_answered_holds_or_is_tried_again() {
    let cut = Cut::start();
    let api = Api::root(&cut.house.node);
    for fate in FATES {
        let (id, by) = api.create_credential("alice");
        let use_it = Ask::get("/v2/").with(&by);
        cut.send(&use_it).expect(200);
        let disable = cut.manage("PATCH", &format!("/credentials/{id}"), &json!({ "enabled": false }));
        cut.during(fate, "a revocation", &disable);
        if fate != Commits::Lost {
            wait_until("it is in force", std::time::Duration::from_secs(2), || cut.send(&use_it).status == 401);
        }
        cut.send(&disable).expect(200);
        cut.send(&use_it).expect(401);
    }
}
