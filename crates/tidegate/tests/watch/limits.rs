//! Limits of requests: by caller, by address; who is told how; who is not in the way.

use std::time::Duration;

use crate::support::api::{Api, root};
use crate::support::http::{Answer, Ask, Connection, basic};
use crate::support::node::{Node, Settings, free_address};
use crate::support::wait_until;

fn start(name: &str, a_second: &str) -> (Node, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(Settings::in_folder(folder.path(), "data").set(name, a_second));
    (node, folder)
}

const BY_ADDRESS: &str = "TIDEGATE_LIMITS_REQUESTS_PER_SECOND_PER_ADDRESS";
const BY_CALLER: &str = "TIDEGATE_LIMITS_REQUESTS_PER_SECOND_PER_CALLER";

/// Asks until it is too often; after how many times that was. A body is gone once it was sent: such requests do not wait for their turn.
fn until_refused(node: &Node, ask: &Ask) -> (usize, Answer) {
    let (mut connection, ask) = (node.connection(), ask.clone().body("x"));
    for n in 0..200 {
        let answer = connection.send(&ask).unwrap();
        if answer.status == 429 || answer.text().contains("Throttling") {
            return (n, answer);
        }
    }
    panic!("never refused");
}

fn retry_after(answer: &Answer) -> u64 {
    answer.header("retry-after").unwrap_or_else(|| panic!("{}", answer.text())).parse().unwrap()
}

#[test]
fn an_address_makes_so_many_requests_at_every_door_and_others_are_not_in_its_way() {
    let (node, _folder) = start(BY_ADDRESS, "2");
    let from = |address: &str, target: &str| Ask::get(target).header("x-forwarded-for", address);
    for (n, (target, wanted)) in [
        ("/v2/", "TOOMANYREQUESTS"),
        ("/v2/a/b/manifests/c", "TOOMANYREQUESTS"),
        ("/token", "TOOMANYREQUESTS"),
        ("/.well-known/jwks.json", "TOOMANYREQUESTS"),
        ("/api/v1/users", "too_many_requests"),
        ("/?Action=GetInstance&Version=2018-12-01", "Throttling.User"),
        ("/tokens", "Throttling.User"),
        ("/metrics", "TOOMANYREQUESTS"),
        ("/nowhere", "TOOMANYREQUESTS"),
    ]
    .into_iter()
    .enumerate()
    {
        let address = format!("198.51.100.{n}");
        let (before, refused) = until_refused(&node, &from(&address, target));
        assert!((20..30).contains(&before), "{target}: {before}, ten seconds' worth at once");
        assert!(refused.text().contains(wanted), "{target}: {}", refused.text());
        if refused.status == 429 {
            assert_eq!(retry_after(&refused), 1, "{target}");
        } else {
            assert!(refused.header("x-acs-retry-after").is_some(), "{target}");
        }
        assert!(refused.header("x-request-id").is_some());
        // Whether the server lives is told however often it is asked.
        assert_eq!(node.send(&from(&address, "/healthz")).status, 200);
        assert_eq!(node.send(&from(&address, "/readyz")).status, 200);
    }
    assert_eq!(node.send(&from("203.0.113.9", "/v2/")).status, 401, "another address");
    assert_eq!(node.send(&from("198.51.100.200, 203.0.113.9", "/v2/")).status, 401, "what the client told the proxy does not count");
}

#[test]
fn what_a_stranger_says_of_its_address_buys_nothing() {
    let (node, _folder) = start(BY_ADDRESS, "1");
    // The last hop is what the trusted proxy saw.
    let mut refused = 0;
    for n in 0..60 {
        let ask = Ask::get("/v2/").header("x-forwarded-for", &format!("10.9.9.{n}, 198.51.100.1")).body("x");
        refused += usize::from(node.send(&ask).status == 429);
    }
    assert!(refused > 20, "{refused}");
}

#[test]
fn a_caller_makes_so_many_requests_from_wherever_and_with_whatever() {
    let (folder, admin) = (tempfile::tempdir().unwrap(), free_address());
    let settings = Settings::in_folder(folder.path(), "data").set(BY_CALLER, "1").set("TIDEGATE_ADMIN_LISTEN", &admin);
    let node = Node::start(settings);
    let api = Api::root(&node);
    api.create_user("alice");
    let ((_, first), (_, second)) = (api.create_credential("alice"), api.create_credential("alice"));
    let (before, refused) = until_refused(&node, &Ask::get("/v2/").with(&first));
    assert!((10..20).contains(&before), "{before}");
    assert_eq!((refused.status, retry_after(&refused), refused.code()), (429, 1, "TOOMANYREQUESTS".to_owned()));
    let again =
        |authorization: &str, from: &str, target: &str| node.send(&Ask::get(target).with(authorization).header("x-forwarded-for", from));
    for target in ["/v2/", "/token", "/metrics"] {
        let (before, refused) = until_refused(&node, &Ask::get(target).with(&second).header("x-forwarded-for", "203.0.113.9"));
        assert!(before < 5 && refused.status == 429, "her other credential, from elsewhere, at {target}: {before}");
    }
    assert_eq!(node.send(&Ask::get("/v2/").with(&root(&node))).status, 200, "others are others");
    assert_eq!(node.send(&Ask::get("/v2/").with(&basic("alice", "wrong-Password-1"))).status, 401, "nobody spends what is hers");
    assert_eq!(node.send(&Ask::get("/v2/")).status, 401);
    let shown = Connection::once(&admin, &Ask::get("/metrics")).unwrap().text();
    assert!(shown.contains(r#"tidegate_requests_limited_total{limit="caller"}"#), "{shown}");
    assert!(!shown.contains(r#"tidegate_requests_limited_total{limit="caller"} 0"#), "{shown}");
    wait_until("the bucket fills", Duration::from_secs(5), || again(&first, "203.0.113.9", "/v2/").status == 200);
}

/// Those who have spent what there is wait for their turn, as long as it comes within seconds.
#[test]
fn what_can_be_asked_again_waits_for_its_turn() {
    let (node, _folder) = start(BY_CALLER, "4");
    let api = Api::root(&node);
    api.create_user("alice");
    let (_, alice) = api.create_credential("alice");
    let ask = Ask::get("/v2/").with(&alice);
    let begun = meter::Stopwatch::start();
    let (before, _) = until_refused(&node, &ask);
    for _ in 0..8 {
        assert_eq!(node.send(&ask).status, 200);
    }
    let (served, took) = (u32::try_from(before + 8).unwrap(), begun.elapsed());
    assert!(f64::from(served) <= 41.0 + 4.0 * took.as_secs_f64(), "{served} in {took:?}: forty at once, and four a second");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..60).map(|_| scope.spawn(|| node.send(&ask).status)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let served = statuses.iter().filter(|status| **status == 200).count();
    assert!(statuses.iter().all(|status| matches!(status, 200 | 429)), "{statuses:?}");
    assert!(served >= 4, "what comes within seconds: {served}");
}

/// How often a caller was told that it was one too many, or waited.
fn told(admin: &str) -> f64 {
    let shown = Connection::once(admin, &Ask::get("/metrics")).unwrap().text();
    let line = shown.lines().find_map(|line| line.strip_prefix("tidegate_requests_limited_total{limit=\"caller\"} ")).unwrap();
    line.split(' ').next().unwrap().parse().unwrap()
}

/// Many wait, for six seconds in all, while what they were sent with ends: none whose turn comes after that is served.
#[test]
fn who_waits_for_a_turn_is_authenticated_when_it_comes() {
    let (folder, admin) = (tempfile::tempdir().unwrap(), free_address());
    let settings = Settings::in_folder(folder.path(), "data").set(BY_CALLER, "4").set("TIDEGATE_ADMIN_LISTEN", &admin);
    let node = Node::start(settings);
    let api = Api::root(&node);
    api.create_user("alice");
    let (id, alice) = api.create_credential("alice");
    let ask = Ask::get("/v2/").with(&alice);
    let begun = meter::Stopwatch::start();
    let (before, _) = until_refused(&node, &ask);
    let (statuses, ended) = std::thread::scope(|scope| {
        let all: Vec<_> = (0..24).map(|_| scope.spawn(|| node.send(&ask).status)).collect();
        wait_until("many wait", Duration::from_secs(30), || told(&admin) > 12.0);
        assert_eq!(api.send("PATCH", &format!("/credentials/{id}"), &serde_json::json!({ "enabled": false })).status, 200);
        let ended = begun.elapsed();
        let statuses: Vec<u16> = all.into_iter().map(|one| one.join().unwrap()).collect();
        (statuses, ended)
    });
    assert!(statuses.iter().all(|status| matches!(status, 200 | 401 | 429)), "{statuses:?}");
    // Forty at once and four a second until it had ended, and then nothing.
    let served = u32::try_from(before + statuses.iter().filter(|status| **status == 200).count()).unwrap();
    assert!(f64::from(served) <= 41.0 + 4.0 * ended.as_secs_f64(), "{served} in {ended:?}: {statuses:?}");
    assert!(statuses.contains(&401), "{statuses:?}");
    assert_eq!(node.send(&ask).status, 401);
}

/// How many addresses the server remembers (`server/limit.rs`).
const REMEMBERED: u32 = 65_536;

/// More strangers than it remembers: each is answered, and the server holds no more for those beyond.
#[test]
fn a_flood_of_addresses_does_not_grow_the_server() {
    let (node, _folder) = start(BY_ADDRESS, "50");
    let ask = |from: u32, until: u32| {
        let mut connection = node.connection();
        for n in from..until {
            let [_, b, c, d] = n.to_be_bytes();
            let answer = connection.send(&Ask::get("/v2/").header("x-forwarded-for", &format!("11.{b}.{c}.{d}"))).unwrap();
            assert_eq!(answer.status, 401);
        }
    };
    let flood = |from: u32, until: u32| {
        let quarter = (until - from) / 4;
        std::thread::scope(|scope| {
            for part in 0..4 {
                let ask = &ask;
                scope.spawn(move || ask(from + part * quarter, from + (part + 1) * quarter));
            }
        });
    };
    let memory = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", node.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap().trim();
        line.trim_end_matches(" kB").parse::<u64>().unwrap()
    };
    flood(0, 1000);
    let before = memory();
    flood(1000, REMEMBERED + 1000);
    let full = memory();
    assert!(full.saturating_sub(before) < 24 << 10, "{before} KiB, then {full} KiB");
    flood(REMEMBERED + 1000, REMEMBERED + 17_000);
    let grown = memory().saturating_sub(full);
    assert!(grown < 3 << 10, "{grown} KiB");
}

#[test]
fn without_a_limit_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(Settings::in_folder(folder.path(), "data"));
    let mut connection = node.connection();
    let root = root(&node);
    for _ in 0..2000 {
        assert_eq!(connection.send(&Ask::get("/v2/").with(&root)).unwrap().status, 200);
    }
}
