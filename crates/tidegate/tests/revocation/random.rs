//! Two clients that create, rotate, disable, enable, delete and log in at random: no login succeeds with a key that was dead at
//! its start, none fails with one that lived throughout.
//!
//! `TIDEGATE_TEST_SECONDS` says how long; `TIDEGATE_TEST_SEED` repeats the choices of a run.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::house::Pair;
use crate::support::api::Api;
use crate::support::http::{Answer, Ask, basic, bearer};
use crate::support::node::{Node, Settings};

/// How long unless told otherwise.
const SECONDS: u64 = 15;
/// Keys that the clients play with at a time.
const KEYS: usize = 12;
/// A moment as milliseconds on the wire is a little less than itself.
const SLACK: Duration = Duration::from_millis(10);
/// A node answers a change of its own once it is in force there; elsewhere it is so within the promise.
const HERE: Duration = Duration::ZERO;
const THERE: Duration = Duration::from_secs(1);

/// Something that was asked for and then acknowledged. It took effect in between.
#[derive(Clone, Copy, Debug)]
struct Change {
    sent: Instant,
    /// None: not yet.
    done: Option<Instant>,
}

/// All that was done to a key.
struct Life {
    id: String,
    basic: String,
    born: Instant,
    /// Enabled (true) and disabled.
    switches: Vec<(Change, bool)>,
    /// Deletions, and ends of overlaps.
    ends: Vec<Change>,
    /// A bearer token made with it, a node.
    bearers: [Option<String>; 2],
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Alive,
    Dead,
    Unknown,
}

impl Life {
    fn new(id: &str, secret: &str, born: Instant) -> Self {
        Self { id: id.to_owned(), basic: basic("alice", secret), born, switches: Vec::new(), ends: Vec::new(), bearers: [None, None] }
    }

    /// What it was from `start` to `end` at a node that follows within `lag`.
    fn state(&self, start: Instant, end: Instant, lag: Duration) -> State {
        let before = |change: &Change| change.done.is_some_and(|done| done + lag <= start);
        if self.ends.iter().any(before) {
            return State::Dead;
        }
        match self.switched(start, end, lag) {
            Some(false) => State::Dead,
            Some(true) if self.ends.iter().all(|change| change.sent > end) => State::Alive,
            _ => State::Unknown,
        }
    }

    /// Enabled or not, if that is certain: something has said so, and whatever says otherwise was over before that, or came later.
    fn switched(&self, start: Instant, end: Instant, lag: Duration) -> Option<bool> {
        let birth = (Change { sent: self.born, done: Some(self.born) }, true);
        let all: Vec<_> = self.switches.iter().copied().chain([birth]).collect();
        let certain = |(change, on): &(Change, bool)| {
            change.done.is_some_and(|done| done + lag <= start)
                && all
                    .iter()
                    .all(|(other, otherwise)| otherwise == on || other.sent > end || other.done.is_some_and(|done| done <= change.sent))
        };
        all.iter().find(|said| certain(said)).map(|(_, on)| *on)
    }
}

/// Numbers that look random and are the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % limit
    }
}

/// What the logins came to.
#[derive(Default, Debug)]
struct Count {
    alive: u64,
    dead: u64,
    unknown: u64,
    changes: u64,
}

struct World<'n> {
    nodes: [&'n Node; 2],
    lags: [Duration; 2],
    lives: Mutex<Vec<Life>>,
    count: Mutex<Count>,
}

#[expect(clippy::disallowed_methods, reason = "a test measures time")]
fn now() -> Instant {
    Instant::now()
}

impl World<'_> {
    /// Plays until `end`. Changes are made at the first node.
    fn play(&self, api: &Api<'_>, mut random: Random, end: Instant) {
        while now() < end {
            let roll = random.below(100);
            match self.choose(&mut random) {
                None => self.create(api),
                Some(id) if roll < 64 => self.log_in(&id, &mut random),
                Some(id) if roll < 76 => self.rotate(api, &id, random.below(3) as u64),
                Some(id) if roll < 86 => self.switch(api, &id, false),
                Some(id) if roll < 97 => self.switch(api, &id, true),
                Some(id) => self.delete(api, &id),
            }
        }
    }

    /// One of the keys; none: there should be more.
    fn choose(&self, random: &mut Random) -> Option<String> {
        let lives = self.lives.lock().unwrap();
        let open: Vec<_> = lives.iter().filter(|life| life.ends.is_empty()).collect();
        if open.len() < KEYS / 2 {
            return None;
        }
        // The latest are of more interest than those that died long ago.
        let recent = lives.len().saturating_sub(2 * KEYS);
        Some(lives[recent + random.below(lives.len() - recent)].id.clone())
    }

    fn create(&self, api: &Api<'_>) {
        let made = api.call("POST", "/credentials", &json!({ "user": "alice", "description": "random" }));
        let life = Life::new(made["credential_id"].as_str().unwrap(), made["secret"].as_str().unwrap(), now());
        self.lives.lock().unwrap().push(life);
    }

    fn with<T>(&self, id: &str, act: impl FnOnce(&mut Life) -> T) -> T {
        act(self.lives.lock().unwrap().iter_mut().find(|life| life.id == id).unwrap())
    }

    /// Notes a change before it is sent, and what came of it: acknowledged, or as if it had never been.
    fn change(&self, id: &str, after: Duration, switch: Option<bool>, ask: impl FnOnce() -> Answer) -> Answer {
        let sent = now() + after.saturating_sub(SLACK);
        self.with(id, |life| match switch {
            Some(on) => life.switches.push((Change { sent, done: None }, on)),
            None => life.ends.push(Change { sent, done: None }),
        });
        let answer = ask();
        let done = (200..300).contains(&answer.status).then(|| now() + after + SLACK);
        assert!(done.is_some() || matches!(answer.status, 400 | 404 | 409), "{} {}", answer.status, answer.text());
        self.with(id, |life| {
            let mine = |change: &Change| change.sent == sent && change.done.is_none();
            let switches = life.switches.iter_mut().map(|(change, _)| change);
            let place = switches.chain(&mut life.ends).find(|change| mine(change)).unwrap();
            place.done = done;
            if done.is_none() {
                life.switches.retain(|(change, _)| !mine(change));
                life.ends.retain(|change| !mine(change));
            }
        });
        self.count.lock().unwrap().changes += 1;
        answer
    }

    fn rotate(&self, api: &Api<'_>, id: &str, overlap: u64) {
        let send = || api.send("POST", &format!("/credentials/{id}/rotations"), &json!({ "overlap": overlap }));
        let answer = self.change(id, Duration::from_secs(overlap), None, send);
        if answer.status == 201 {
            let made = answer.json();
            let life = Life::new(made["credential_id"].as_str().unwrap(), made["secret"].as_str().unwrap(), now());
            self.lives.lock().unwrap().push(life);
        }
    }

    fn switch(&self, api: &Api<'_>, id: &str, on: bool) {
        let send = || api.send("PATCH", &format!("/credentials/{id}"), &json!({ "enabled": on }));
        self.change(id, Duration::ZERO, Some(on), send);
    }

    fn delete(&self, api: &Api<'_>, id: &str) {
        self.change(id, Duration::ZERO, None, || api.send("DELETE", &format!("/credentials/{id}"), &serde_json::Value::Null));
    }

    fn log_in(&self, id: &str, random: &mut Random) {
        let at = random.below(2);
        let (node, lag) = (self.nodes[at], self.lags[at]);
        let (basic, held) = self.with(id, |life| (life.basic.clone(), life.bearers[at].clone()));
        let by_bearer = random.below(3) == 0;
        let authorization = if let (true, Some(held)) = (by_bearer, held) { held } else { basic };
        let asks_token = random.below(4) == 0 && authorization.starts_with("Basic");
        let path = if asks_token { format!("/token?service={}", node.address()) } else { "/v2/".to_owned() };
        let start = now();
        let answer = node.send(&Ask::get(&path).with(&authorization));
        let end = now();
        let state = self.with(id, |life| {
            if asks_token && answer.status == 200 {
                life.bearers[at] = Some(bearer(answer.json()["token"].as_str().unwrap()));
            }
            match life.state(start, end, lag) {
                // A token of a key that ends says so in whole seconds, and ends up to one sooner than its key.
                State::Alive if authorization.starts_with("Bearer") && !life.ends.is_empty() => State::Unknown,
                state => state,
            }
        });
        let history = || self.with(id, |life| format!("{:?} {:?} from {start:?} to {end:?}", life.switches, life.ends));
        match (state, answer.status) {
            (State::Alive, 200) => self.count.lock().unwrap().alive += 1,
            (State::Dead, 401) => self.count.lock().unwrap().dead += 1,
            (State::Unknown, 200 | 401) => self.count.lock().unwrap().unknown += 1,
            (State::Dead, 200) => panic!("a dead key opened {path} of node {at}: {}", history()),
            (state, status) => {
                let with = authorization.split(' ').next().unwrap();
                panic!("{state:?}, but {status} at {path} of node {at} by {with}: {id} {} {}", answer.text(), history())
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a run may be made longer from outside")]
fn asked(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn play(name: &str, here: &Node, there: &Node, lag: Duration) {
    let (first, second) = (Api::root(here), Api::root(here));
    first.create_user("alice");
    first.create_policy("pulls", &["cr:PullRepository"]);
    first.attach("alice", "pulls");
    let world = World { nodes: [here, there], lags: [HERE, lag], lives: Mutex::default(), count: Mutex::default() };
    let (seed, end) = (asked("TIDEGATE_TEST_SEED", 7), now() + Duration::from_secs(asked("TIDEGATE_TEST_SECONDS", SECONDS)));
    std::thread::scope(|scope| {
        for (api, number) in [(&first, 1), (&second, 2)] {
            let world = &world;
            scope.spawn(move || world.play(api, Random((seed << 8) | number), end));
        }
    });
    let count = world.count.into_inner().unwrap();
    println!("{name}, seed {seed}: {count:?}");
    assert!(count.alive > 50 && count.dead > 50 && count.changes > 50, "too little was seen to say anything: {count:?}");
}

#[test]
#[ignore = "cargo xtask test --only revocation"]
fn at_random_no_dead_key_opens_and_no_living_one_fails() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(Settings::in_folder(folder.path(), "data"));
    play("one node on SQLite", &node, &node, HERE);
}

#[test]
#[ignore = "cargo xtask test --only revocation"]
fn at_random_no_dead_key_opens_on_another_node_after_a_second() {
    let pair = Pair::start("random");
    play("two nodes on PostgreSQL", &pair.first, &pair.second, THERE);
}
