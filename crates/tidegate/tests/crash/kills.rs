//! Fifty clients push side by side while the server is killed twenty times over.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::support::api::Api;
use crate::support::backing::Backing;
use crate::support::http::{Answer, Ask, Connection};
use crate::support::node::{Node, Settings};
use crate::support::{OCI_MANIFEST, content, digest, manifest};

const PUSHERS: u64 = 50;
const KILLS: u64 = 20;
/// Over object storage beside SQLite, which is but another place for content: its own suite kills in the middle of large uploads.
const KILLS_OVER_S3: u64 = 5;
/// Between a client's images, so that what all of them pushed can be looked at in the stage's time.
const PAUSE: Duration = Duration::from_millis(100);
/// What is looked at of the acknowledged after each kill; all of it is at the end.
const SAMPLE: usize = 150;

/// What the server has said of a blob or a manifest, by its path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Said {
    /// Sent, and no answer yet.
    Nothing,
    Acknowledged,
}

/// Everything that was ever sent: path, what was said of it, its digest.
#[derive(Default)]
struct Ledger(Mutex<BTreeMap<String, (Said, String)>>);

impl Ledger {
    fn note(&self, path: &str, said: Said, digest: &str) {
        let mut all = self.0.lock().unwrap();
        let entry = all.entry(path.to_owned()).or_insert((said, digest.to_owned()));
        if said == Said::Acknowledged {
            entry.0 = said;
        }
    }

    fn all(&self) -> Vec<(String, Said, String)> {
        self.0.lock().unwrap().iter().map(|(path, (said, digest))| (path.clone(), *said, digest.clone())).collect()
    }
}

/// One client: it pushes image after image, and tries each again until it is acknowledged.
struct Pusher<'l> {
    number: u64,
    address: String,
    authorization: String,
    ledger: &'l Ledger,
}

impl Pusher<'_> {
    /// Ends with the first image that is done after `stop`; how many were pushed, and how often one was begun anew.
    fn run(&self, stop: &AtomicBool) -> (u64, u64) {
        let (mut images, mut retries) = (0, 0);
        while !stop.load(Ordering::SeqCst) {
            while self.push(images).is_err() {
                retries += 1;
                std::thread::sleep(Duration::from_millis(20));
            }
            images += 1;
            std::thread::sleep(PAUSE);
        }
        (images, retries)
    }

    fn push(&self, image: u64) -> io::Result<()> {
        let mut connection = Connection::open(&self.address)?;
        let seed = self.number * 1_000_000 + image * 10;
        let repository = format!("team{}/app", self.number % 5);
        let config = content(seed, 120);
        let medium = if image.is_multiple_of(4) { 700_000 } else { 30_000 };
        let layers = vec![content(seed + 1, 4_000), content(seed + 2, medium)];
        self.whole(&mut connection, &repository, &config)?;
        self.whole(&mut connection, &repository, &layers[0])?;
        self.in_chunks(&mut connection, &repository, &layers[1])?;
        let text = manifest(&config, &layers);
        let path = format!("/v2/{repository}/manifests/p{}-{image}", self.number);
        self.ledger.note(&path, Said::Nothing, &digest(text.as_bytes()));
        let ask = Ask::new("PUT", &path).with(&self.authorization).header("content-type", OCI_MANIFEST).body(text.clone());
        created(&connection.send(&ask)?)?;
        self.ledger.note(&path, Said::Acknowledged, &digest(text.as_bytes()));
        Ok(())
    }

    /// In one request.
    fn whole(&self, connection: &mut Connection, repository: &str, blob: &[u8]) -> io::Result<()> {
        let path = self.begun(repository, blob);
        let ask = Ask::new("POST", &format!("/v2/{repository}/blobs/uploads/?digest={}", digest(blob)));
        created(&connection.send(&ask.with(&self.authorization).body(blob))?)?;
        self.ledger.note(&path, Said::Acknowledged, &digest(blob));
        Ok(())
    }

    /// In two chunks and an end.
    fn in_chunks(&self, connection: &mut Connection, repository: &str, blob: &[u8]) -> io::Result<()> {
        let path = self.begun(repository, blob);
        let ask = Ask::new("POST", &format!("/v2/{repository}/blobs/uploads/")).with(&self.authorization);
        let mut place = location(&connection.send(&ask)?)?;
        let (first, second) = blob.split_at(blob.len() / 2);
        for (from, chunk) in [(0, first), (first.len(), second)] {
            let range = format!("{from}-{}", from + chunk.len() - 1);
            let ask = Ask::new("PATCH", &place).with(&self.authorization).header("content-range", &range);
            place = location(&connection.send(&ask.body(chunk))?)?;
        }
        let mark = if place.contains('?') { '&' } else { '?' };
        let ask = Ask::new("PUT", &format!("{place}{mark}digest={}", digest(blob))).with(&self.authorization);
        created(&connection.send(&ask)?)?;
        self.ledger.note(&path, Said::Acknowledged, &digest(blob));
        Ok(())
    }

    fn begun(&self, repository: &str, blob: &[u8]) -> String {
        let path = format!("/v2/{repository}/blobs/{}", digest(blob));
        self.ledger.note(&path, Said::Nothing, &digest(blob));
        path
    }
}

/// What a client may meet when a server dies and comes back: another try. Anything else is a defect.
fn created(answer: &Answer) -> io::Result<()> {
    match answer.status {
        201 => Ok(()),
        503 | 429 => Err(io::Error::other("later")),
        404 if answer.code() == "BLOB_UPLOAD_UNKNOWN" => Err(io::Error::other("the upload went with the server")),
        other => panic!("{other}: {}", answer.text()),
    }
}

pub(crate) fn location(answer: &Answer) -> io::Result<String> {
    if answer.status != 202 {
        created(answer)?;
    }
    let location = answer.header("location").unwrap();
    Ok(location
        .split_once("://")
        .and_then(|(_, rest)| rest.find('/').map(|at| rest[at..].to_owned()))
        .unwrap_or_else(|| location.to_owned()))
}

/// What is acknowledged is there; what is not is not there, or whole.
fn check(node: &Node, authorization: &str, entries: &[(String, Said, String)]) {
    let mut connection = node.connection();
    for (path, said, wanted) in entries {
        let answer = connection.send(&Ask::get(path).with(authorization).header("accept", OCI_MANIFEST)).unwrap();
        match (said, answer.status) {
            (_, 200) => assert_eq!(digest(&answer.body), *wanted, "{path}"),
            (Said::Nothing, 404) => {}
            (said, status) => panic!("{path}: {status} ({said:?}) {}", answer.text()),
        }
    }
}

/// All tags, page after page.
fn every_tag(team: u32, send: &mut impl FnMut(&str, &str) -> Answer) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    loop {
        let last = tags.last().map(|tag| format!("&last={tag}")).unwrap_or_default();
        let page = send("GET", &format!("/v2/team{team}/app/tags/list?n=500{last}")).json();
        let page: Vec<_> = page["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap().to_owned()).collect();
        if page.is_empty() {
            return tags;
        }
        tags.extend(page);
    }
}

/// Every tag that is listed leads to a manifest whose blobs are all there.
fn check_tags(node: &Node, authorization: &str) -> usize {
    let mut count = 0;
    let mut connection = node.connection();
    let mut send =
        |method: &str, path: &str| connection.send(&Ask::new(method, path).with(authorization).header("accept", OCI_MANIFEST)).unwrap();
    for team in 0..5 {
        let tags = every_tag(team, &mut send);
        for tag in tags {
            let found = send("GET", &format!("/v2/team{team}/app/manifests/{tag}")).json();
            let layers = found["layers"].as_array().unwrap().iter().chain([&found["config"]]);
            for layer in layers.map(|layer| layer["digest"].as_str().unwrap().to_owned()) {
                let status = send("HEAD", &format!("/v2/team{team}/app/blobs/{layer}")).status;
                assert_eq!(status, 200, "{tag}: {layer}");
            }
            count += 1;
        }
    }
    count
}

/// Whatever was acknowledged is in the trail: the record is of the change's own transaction.
fn check_trail(node: &Node, entries: &[(String, Said, String)]) {
    let events = Api::root(node).audit("user=pusher&action=cr:PushRepository&outcome=success");
    let text = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
    let written: BTreeSet<(String, String)> = events
        .iter()
        .map(|event| (text(event, "resource"), text(event, "detail").split(' ').next().unwrap_or_default().to_owned()))
        .collect();
    for (path, _, digest) in entries {
        let repository: Vec<&str> = path.split('/').skip(2).take(2).collect();
        let change = (format!("repository/local/{}", repository.join("/")), digest.clone());
        assert!(written.contains(&change), "{path} was acknowledged, and the trail does not know of it");
    }
}

#[test]
#[ignore = "cargo xtask test --only crash"]
fn killed_twenty_times_in_the_middle_of_fifty_pushes_it_keeps_what_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(Settings::in_folder(folder.path(), "data").set("TIDEGATE_LOG_REQUESTS", "off"));
    let elsewhere = Backing::asked() == Backing::Single && !crate::support::s3::named().is_empty();
    let kills = if elsewhere { KILLS_OVER_S3 } else { KILLS };
    pushed_through(node, kills, |node| Node::start(node.kill()));
}

/// Fifty clients push while something fails so many times. `fail` gives back a node that works again.
pub(crate) fn pushed_through(mut node: Node, times: u64, mut fail: impl FnMut(Node) -> Node) {
    let api = Api::root(&node);
    api.create_user("pusher");
    api.create_policy("push", &["cr:PushRepository", "cr:PullRepository"]);
    api.attach("pusher", "push");
    let (_, authorization) = api.create_credential("pusher");
    let (ledger, stop) = (Ledger::default(), AtomicBool::new(false));
    let address = node.address().to_owned();
    node = std::thread::scope(|scope| {
        let pushers: Vec<_> = (0..PUSHERS)
            .map(|number| {
                let pusher = Pusher { number, address: address.clone(), authorization: authorization.clone(), ledger: &ledger };
                let stop = &stop;
                scope.spawn(move || pusher.run(stop))
            })
            .collect();
        for time in 0..times {
            std::thread::sleep(Duration::from_millis(500 + time * 137 % 600));
            let entries = ledger.all();
            node = fail(node);
            let (unsure, sure): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(_, said, _)| *said == Said::Nothing);
            check(&node, &authorization, &unsure);
            let every = sure.len() / SAMPLE + 1;
            let sample: Vec<_> = sure.into_iter().skip(usize::try_from(time).unwrap() % every).step_by(every).collect();
            check(&node, &authorization, &sample);
        }
        stop.store(true, Ordering::SeqCst);
        let done: Vec<(u64, u64)> = pushers.into_iter().map(|pusher| pusher.join().unwrap()).collect();
        let (images, retries) = done.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        println!("failed {times} times, {images} images pushed by {PUSHERS} clients, {retries} begun anew");
        assert!(retries >= times, "it hit nobody");
        node
    });
    all_is_there(&Node::start(node.stop()), &authorization, &ledger.all());
}

/// After the last failure, and a stop in order.
fn all_is_there(node: &Node, authorization: &str, entries: &[(String, Said, String)]) {
    assert!(entries.iter().all(|(_, said, _)| *said == Said::Acknowledged), "every client finished");
    std::thread::scope(|scope| {
        for part in entries.chunks(entries.len() / 4 + 1) {
            scope.spawn(|| check(node, authorization, part));
        }
    });
    check_trail(node, entries);
    let tags = check_tags(node, authorization);
    assert_eq!(tags, entries.iter().filter(|(path, ..)| path.contains("/manifests/")).count());
    println!("{} blobs and manifests acknowledged, all there", entries.len());
}
