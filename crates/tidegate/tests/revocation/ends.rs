//! Everything that ends a right, and how long the other node goes on honouring what it ended.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::house::Pair;
use crate::support::api::{Api, Key, document, push, root, token};
use crate::support::http::{Answer, Ask, basic};
use crate::support::node::{Node, Settings};

/// The promise.
pub(crate) const PROMISE: Duration = Duration::from_secs(1);
/// How long a probe waits at most to be refused.
const WATCHED: Duration = Duration::from_secs(2);
/// What is refused for so long stays refused.
const SETTLED: Duration = Duration::from_millis(200);
/// Rounds for each kind of end; on one node, where there is nothing to wait for, a few.
const ROUNDS: u8 = 6;
const ROUNDS_ALONE: u8 = 2;

/// A way to end a right. Each is done by the root user at the first node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    DisableCredential,
    DeleteCredential,
    DisableKey,
    DeleteKey,
    DisableUser,
    DeleteUser,
    DetachPolicy,
    ChangePolicy,
    SetPassword,
}

const ENDS: [End; 9] = [
    End::DisableCredential,
    End::DeleteCredential,
    End::DisableKey,
    End::DeleteKey,
    End::DisableUser,
    End::DeleteUser,
    End::DetachPolicy,
    End::ChangePolicy,
    End::SetPassword,
];

/// Somebody with a credential, a permanent password and an access key, whose only rights come from one policy.
struct Somebody {
    name: String,
    address: String,
    policy: String,
    credential: String,
    basic: String,
    password: String,
    key: Key,
}

/// Something that is presented again and again, and where.
pub(crate) struct Probe {
    pub(crate) what: &'static str,
    pub(crate) ask: Ask,
}

impl Somebody {
    fn new(api: &Api<'_>, name: &str, address: String) -> Self {
        let policy = format!("p-{name}");
        api.create_user(name);
        api.create_policy(&policy, &["cr:PullRepository", "cr:GetAuthorizationToken"]);
        api.attach(name, &policy);
        let (credential, basic_header) = api.create_credential(name);
        let password = "first-Password-1";
        set_password(api, name, password);
        let key = api.create_access_key(name);
        Self { name: name.to_owned(), address, policy, credential, basic: basic_header, password: basic(name, password), key }
    }

    /// What this end must reach, on that node.
    fn probes(&self, end: End, there: &Node) -> Vec<Probe> {
        // Each from a network of its own, so that one's wrong passwords are not another's lockout.
        let pull = Ask::get("/v2/demo/app/manifests/v1").header("x-forwarded-for", &self.address);
        let registry = |what, authorization: &str| Probe { what, ask: pull.clone().with(authorization) };
        let granted = |authorization: &str| token(there, authorization, "repository:demo/app:pull");
        let by_credential = || vec![registry("Basic, credential", &self.basic), registry("bearer, credential", &granted(&self.basic))];
        let by_password = || vec![registry("Basic, password", &self.password), registry("bearer, password", &granted(&self.password))];
        let by_key = || {
            let api = Api::with_key(there, &self.key);
            let login = api.create_login_token();
            let mut probes = vec![registry("Basic, login token", &login), registry("bearer, login token", &granted(&login))];
            probes.push(Probe { what: "management token", ask: Ask::get("/api/v1/whoami").with(&api.token()) });
            probes
        };
        match end {
            End::DisableCredential | End::DeleteCredential => by_credential(),
            End::DisableKey | End::DeleteKey => by_key(),
            End::SetPassword => by_password(),
            End::DisableUser | End::DeleteUser => [by_credential(), by_password(), by_key()].into_iter().flatten().collect(),
            // A management token still says who somebody is; only its rights are gone.
            End::DetachPolicy | End::ChangePolicy => {
                let all = [by_credential(), by_password(), by_key()].into_iter().flatten();
                all.filter(|probe| probe.what != "management token").collect()
            }
        }
    }

    fn end(&self, end: End, api: &Api<'_>) {
        let (name, policy, credential, key) = (&self.name, &self.policy, &self.credential, &self.key.id);
        let off = json!({ "enabled": false });
        match end {
            End::DisableCredential => api.call("PATCH", &format!("/credentials/{credential}"), &off),
            End::DeleteCredential => api.call("DELETE", &format!("/credentials/{credential}"), &Value::Null),
            End::DisableKey => api.call("PATCH", &format!("/access-keys/{key}"), &off),
            End::DeleteKey => api.call("DELETE", &format!("/access-keys/{key}"), &Value::Null),
            End::DisableUser => api.call("PATCH", &format!("/users/{name}"), &off),
            End::DeleteUser => api.call("DELETE", &format!("/users/{name}"), &Value::Null),
            End::DetachPolicy => api.call("DELETE", &format!("/users/{name}/policies/{policy}"), &Value::Null),
            End::ChangePolicy => {
                let document = document("Deny", &["cr:PullRepository"]);
                api.call("POST", &format!("/policies/{policy}/versions"), &json!({ "document": document }))
            }
            End::SetPassword => {
                set_password(api, name, "second-Password-2");
                Value::Null
            }
        };
    }
}

fn set_password(api: &Api<'_>, name: &str, password: &str) {
    api.call("PUT", &format!("/users/{name}/password"), &json!({ "kind": "permanent", "password": password }));
}

/// How long a probe was honoured after the end was acknowledged; nothing but 200 and then 401 or 403 may come.
fn honoured(there: &Node, probe: &Probe, acknowledged: &dyn Fn() -> Option<Instant>, ready: &dyn Fn()) -> Duration {
    let mut connection = there.connection();
    let mut last = None;
    let mut first = true;
    let mut refused = None;
    loop {
        let answer: Answer = connection.send(&probe.ask).unwrap();
        let end = acknowledged();
        match answer.status {
            200 => {
                assert!(refused.is_none(), "{}: honoured again after it was refused", probe.what);
                last = Some(now());
            }
            401 | 403 => refused = refused.or_else(|| Some(now())),
            // Wrong passwords are not checked for ever; what was right a moment ago is wrong now.
            429 if refused.is_some() => {}
            other => panic!("{}: {other} {}", probe.what, answer.text()),
        }
        if std::mem::take(&mut first) {
            assert_eq!(answer.status, 200, "{}: {}", probe.what, answer.text());
            ready();
        }
        if let Some(end) = end {
            if refused.is_some_and(|since| now() - since.max(end) > SETTLED) {
                return last.map_or(Duration::ZERO, |last| last.saturating_duration_since(end));
            }
            assert!(now() - end < WATCHED, "{}: still honoured after {WATCHED:?}", probe.what);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[expect(clippy::disallowed_methods, reason = "a test measures time")]
fn now() -> Instant {
    Instant::now()
}

/// Ends something while every probe runs at `there`.
pub(crate) fn round(there: &Node, probes: &[Probe], end: impl FnOnce()) -> Vec<(&'static str, Duration)> {
    let (acknowledged, ready) = (&std::sync::OnceLock::new(), &std::sync::Barrier::new(probes.len() + 1));
    std::thread::scope(|scope| {
        let watch = |probe: &Probe| {
            honoured(there, probe, &|| acknowledged.get().copied(), &|| {
                ready.wait();
            })
        };
        let runs: Vec<_> = probes.iter().map(|probe| (probe.what, scope.spawn(move || watch(probe)))).collect();
        ready.wait();
        end();
        acknowledged.set(now()).unwrap();
        runs.into_iter().map(|(what, run)| (what, run.join().unwrap())).collect()
    })
}

/// Rounds of every end; the latencies by kind, printed.
fn measure(name: &str, rounds: u8, here: &Node, there: &Node, promise: Duration) {
    let api = Api::root(here);
    push(here, &root(here), "demo/app", "v1", 1);
    let mut all: Vec<(End, &'static str, Duration)> = Vec::new();
    for count in 0..rounds {
        for (number, end) in ENDS.into_iter().enumerate() {
            let somebody =
                Somebody::new(&api, &format!("u{count}-{}", format!("{end:?}").to_lowercase()), format!("10.{count}.{number}.1"));
            all.extend(
                round(there, &somebody.probes(end, there), || somebody.end(end, &api)).into_iter().map(|(what, took)| (end, what, took)),
            );
        }
    }
    println!("{name}: from the acknowledgement to the last answer that honoured what had ended");
    for end in ENDS {
        report(&format!("{end:?}"), all.iter().filter(|(e, ..)| *e == end).map(|(.., took)| *took).collect());
    }
    report("all", all.iter().map(|(.., took)| *took).collect());
    in_time(&all.iter().map(|(_, what, took)| (*what, *took)).collect::<Vec<_>>(), promise);
}

/// None of them was honoured for longer than was promised.
#[track_caller]
pub(crate) fn in_time(all: &[(&'static str, Duration)], promise: Duration) {
    let late: Vec<_> = all.iter().filter(|(_, took)| *took >= promise).collect();
    assert!(late.is_empty(), "later than {promise:?}: {late:?}");
}

pub(crate) fn report(what: &str, mut took: Vec<Duration>) {
    took.sort();
    let (median, most) = (took[took.len() / 2], took[took.len() - 1]);
    println!(
        "  {what:<18} {:>4} tries, median {:>6.1} ms, maximum {:>6.1} ms",
        took.len(),
        median.as_secs_f64() * 1e3,
        most.as_secs_f64() * 1e3
    );
}

#[test]
#[ignore = "cargo xtask test --only revocation"]
fn what_ends_on_one_node_ends_on_the_other_within_a_second() {
    let pair = Pair::start("ends");
    measure("two nodes on PostgreSQL", ROUNDS, &pair.first, &pair.second, PROMISE);
}

/// A change is in force on the node that answers it before it answers. What was under way at that moment may still end well.
#[test]
#[ignore = "cargo xtask test --only revocation"]
fn what_ends_on_the_only_node_has_ended_when_it_is_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(Settings::in_folder(folder.path(), "data"));
    measure("one node on SQLite", ROUNDS_ALONE, &node, &node, Duration::from_millis(100));
}
