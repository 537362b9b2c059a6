//! `kill -9` in the middle of uploads of many parts: what was acknowledged is there, and an upload goes on where it stood.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::house::{House, path, place};
use crate::support::http::{Answer, Ask, Connection};
use crate::support::node::Node;
use crate::support::{content, digest};

const PUSHERS: u64 = 4;
const KILLS: u64 = 6;
const CHUNK: usize = 5 << 20;

struct Pusher<'h> {
    number: u64,
    address: String,
    by: String,
    /// What was acknowledged: the seed of each blob.
    done: &'h Mutex<Vec<u64>>,
    /// Whoever pushes longer is stuck.
    until: Instant,
}

/// What a client does after an answer.
enum Next {
    On(Answer),
    /// Ask where it stands, and go on.
    Again,
    /// The upload went with the server.
    Anew,
}

impl Pusher<'_> {
    fn run(&self, stop: &AtomicBool) -> u64 {
        let (mut blobs, mut resumed) = (0, 0);
        while !stop.load(Ordering::SeqCst) {
            let seed = self.number * 1_000 + blobs;
            let blob = blob(seed);
            while !self.push(&blob, &mut resumed) {}
            self.done.lock().unwrap().push(seed);
            blobs += 1;
        }
        resumed
    }

    /// True: acknowledged.
    fn push(&self, blob: &[u8], resumed: &mut u64) -> bool {
        let begun = Ask::new("POST", "/v2/demo/app/blobs/uploads/");
        let mut upload = loop {
            match self.ask(&begun, 202) {
                Next::On(answer) => break place(&answer),
                Next::Again | Next::Anew => {}
            }
        };
        let mut from = 0;
        while from < blob.len() {
            let chunk = &blob[from..blob.len().min(from + CHUNK)];
            let range = format!("{from}-{}", from + chunk.len() - 1);
            match self.ask(&Ask::new("PATCH", &upload).header("content-range", &range).body(chunk), 202) {
                Next::On(answer) => {
                    upload = place(&answer);
                    from += chunk.len();
                }
                Next::Anew => return false,
                Next::Again => match self.ask(&Ask::get(&upload), 204) {
                    Next::On(answer) => {
                        let last = answer.header("range").and_then(|range| range.split_once('-')?.1.parse::<usize>().ok());
                        let stands = last.filter(|last| *last > 0).map_or(0, |last| last + 1);
                        assert!(stands >= from, "an acknowledged chunk is lost: {stands} of {from}");
                        from = stands;
                        *resumed += 1;
                    }
                    Next::Anew => return false,
                    Next::Again => {}
                },
            }
        }
        let mark = if upload.contains('?') { '&' } else { '?' };
        matches!(self.ask(&Ask::new("PUT", &format!("{upload}{mark}digest={}", digest(blob))), 201), Next::On(_))
    }

    fn ask(&self, ask: &Ask, wanted: u16) -> Next {
        assert!(Instant::now() < self.until, "a push does not come to an end");
        let sent = || -> io::Result<Answer> { Connection::once(&self.address, &ask.clone().with(&self.by)) };
        match sent() {
            Ok(answer) if answer.status == wanted => Next::On(answer),
            Ok(answer) if answer.status == 404 && answer.code() == "BLOB_UPLOAD_UNKNOWN" => Next::Anew,
            Ok(answer) if matches!(answer.status, 503 | 416) => Next::Again,
            Ok(answer) => panic!("{}: {}", answer.status, answer.text()),
            Err(_) => {
                std::thread::sleep(Duration::from_millis(20));
                Next::Again
            }
        }
    }
}

fn blob(seed: u64) -> Vec<u8> {
    content(seed, (11 << 20) + usize::try_from(seed % 7).unwrap() * 3_000_017)
}

#[test]
#[ignore = "cargo xtask test --only s3"]
fn killed_in_the_middle_of_uploads_of_many_parts_it_keeps_what_it_acknowledged() {
    let House { s3, node, by, _folder } = House::start();
    let (done, stop) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let address = node.address().to_owned();
    let node = std::thread::scope(|scope| {
        let mut node = node;
        let until = Instant::now() + Duration::from_mins(2);
        let pushers: Vec<_> = (0..PUSHERS)
            .map(|number| {
                let (pusher, stop) = (Pusher { number, address: address.clone(), by: by.clone(), done: &done, until }, &stop);
                scope.spawn(move || pusher.run(stop))
            })
            .collect();
        for kill in 0..KILLS {
            std::thread::sleep(Duration::from_millis(700 + kill * 211 % 500));
            node = Node::start(node.kill());
        }
        stop.store(true, Ordering::SeqCst);
        let resumed: u64 = pushers.into_iter().map(|pusher| pusher.join().unwrap()).sum();
        assert!(resumed > 0, "the kills hit nobody");
        println!("{} blobs acknowledged, {resumed} times gone on with", done.lock().unwrap().len());
        node
    });
    let acknowledged = done.into_inner().unwrap();
    assert!(acknowledged.len() as u64 >= PUSHERS);
    for seed in acknowledged {
        let blob = blob(seed);
        assert!(node.send(&Ask::get(&path(&blob)).with(&by)).expect(200).body == blob, "{seed}");
    }
    drop(s3);
}
