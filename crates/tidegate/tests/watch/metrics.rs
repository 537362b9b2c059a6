//! A server that has done a bit of everything, scraped, and held against the documentation.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use crate::exposition::{Family, read};
use crate::support::api::{Api, push, root, token};
use crate::support::backing::Backing;
use crate::support::http::{Ask, Connection, basic};
use crate::support::node::{Node, Settings, free_address};
use crate::support::wait_until;

/// Those that have no value over this database and this storage: over the other they have one (stage `back-ends`).
fn elsewhere() -> &'static [&'static str] {
    match Backing::asked() {
        Backing::Single => {
            &["tidegate_database_connections", "tidegate_database_connections_wanted", "tidegate_object_storage_request_seconds"]
        }
        Backing::PostgresS3 | Backing::ThreeNodes => &["tidegate_database_commit_members", "tidegate_database_commit_seconds"],
    }
}

/// A sink that refuses every connection.
const NO_SINK: [(&str, &str); 2] = [("TIDEGATE_AUDIT_SINK_URL", "http://127.0.0.1:1/"), ("TIDEGATE_AUDIT_SINK_INTERNAL", "true")];

/// A server, and where it shows its metrics.
struct Watched {
    node: Node,
    admin: String,
    _folder: tempfile::TempDir,
}

impl Watched {
    fn start() -> Self {
        Self::start_with(&[])
    }

    fn start_with(more: &[(&str, &str)]) -> Self {
        let (folder, admin) = (tempfile::tempdir().unwrap(), free_address());
        let settings = Settings::in_folder(folder.path(), "data").set("TIDEGATE_ADMIN_LISTEN", &admin);
        let node = Node::start(more.iter().fold(settings, |settings, (name, value)| settings.set(name, value)));
        Self { node, admin, _folder: folder }
    }

    fn scrape(&self) -> BTreeMap<String, Family> {
        let answer = Connection::once(&self.admin, &Ask::get("/metrics")).unwrap();
        assert_eq!(answer.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
        read(&answer.text())
    }

    fn sum(&self, family: &str, suffix: &str, labels: &[(&str, &str)]) -> f64 {
        self.scrape()[family].sum(suffix, labels)
    }
}

/// The table of `docs/metrics.md`: families by name and kind.
fn documented() -> BTreeMap<String, String> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let row = |row: &str| {
        let (name, rest) = row.split_once("` | ").unwrap();
        let kind = rest.split(' ').next().unwrap();
        (name.strip_suffix("_total").unwrap_or(name).to_owned(), kind.to_owned())
    };
    rows.map(row).collect()
}

/// Push, pull, logins that work and that do not, something that is not there, a change of rights.
fn a_bit_of_everything(watched: &Watched) {
    let node = &watched.node;
    let root = root(node);
    push(node, &root, "demo/app", "v1", 1);
    let pulled = token(node, &root, "repository:demo/app:pull");
    for reference in ["v1", "v1", "none"] {
        node.send(&Ask::get(&format!("/v2/demo/app/manifests/{reference}")).with(&pulled));
    }
    node.send(&Ask::get("/v2/demo/app/manifests/v1").with(&basic("root", "wrong-Password-1")));
    node.send(&Ask::get("/v2/other/app/manifests/v1"));
    node.send(&Ask::get("/.well-known/jwks.json"));
    let api = Api::root(node);
    api.create_user("alice");
    let (credential, alice) = api.create_credential("alice");
    node.send(&Ask::get("/v2/demo/app/manifests/v1").with(&alice)).expect(403);
    api.call("PATCH", &format!("/credentials/{credential}"), &json!({ "enabled": false }));
    node.send(&Ask::get("/v2/demo/app/manifests/v1").with(&alice)).expect(401);
}

#[test]
fn what_is_shown_is_documented_and_what_is_documented_is_shown() {
    let watched = Watched::start_with(&NO_SINK);
    a_bit_of_everything(&watched);
    let steps = || watched.sum("tidegate_collection_step_seconds", "_count", &[]);
    wait_until("the first run of the collection", Duration::from_secs(20), || steps() >= 4.0);
    let refused = || watched.sum("tidegate_audit_sink_refused", "", &[]) == 1.0;
    wait_until("what the sink does is told", Duration::from_mins(1), refused);
    wait_until("the run is told", Duration::from_mins(1), || watched.sum("tidegate_collection_run_steps", "", &[]) >= 1.0);
    let shown = watched.scrape();
    let kinds: BTreeMap<String, String> = shown.iter().map(|(name, family)| (name.clone(), family.kind.clone())).collect();
    let mut wanted = documented();
    wanted.retain(|name, _| kinds.contains_key(name) || !elsewhere().contains(&&**name));
    assert_eq!(kinds, wanted, "`cargo xtask generate` writes docs/metrics.md");
    for (name, family) in &shown {
        assert!(
            !family.samples.is_empty() || elsewhere().contains(&&**name),
            "{name} has no value: it is never counted, or not by this test"
        );
        assert!(name.starts_with("tidegate_") || name.starts_with("process_"), "{name}");
    }
}

#[test]
fn what_happens_is_counted_where_it_belongs() {
    let watched = Watched::start();
    a_bit_of_everything(&watched);
    let requests = |operation: &str, status: &str| {
        watched.sum("tidegate_http_requests", "_total", &[("door", "oci"), ("operation", operation), ("status", status)])
    };
    assert_eq!((requests("get_manifest", "200"), requests("get_manifest", "404")), (2.0, 1.0));
    assert_eq!((requests("get_manifest", "403"), requests("put_manifest", "201")), (1.0, 1.0));
    assert!(requests("get_manifest", "401") >= 3.0);
    let logins = |by: &str, outcome: &str| watched.sum("tidegate_logins", "_total", &[("by", by), ("outcome", outcome)]);
    assert_eq!((logins("bearer", "accepted"), logins("basic", "disabled"), logins("key", "accepted")), (3.0, 1.0, 1.0));
    assert!(logins("basic", "invalid") == 1.0 && logins("basic", "accepted") > 2.0);
    assert_eq!(watched.sum("tidegate_tokens_issued", "_total", &[("kind", "management")]), 1.0);
    assert!(watched.sum("tidegate_token_scopes", "_total", &[("outcome", "granted")]) >= 1.0);
    assert_eq!(watched.sum("tidegate_decisions", "_total", &[("decision", "denied")]), 1.0);
    assert!(watched.sum("tidegate_change_applied_seconds", "_count", &[]) >= 3.0);
    assert!(watched.sum("tidegate_hash_seconds", "_count", &[]) >= 2.0);
    assert!(watched.sum("tidegate_storage_written_bytes", "_total", &[]) > 1000.0);
    assert!(watched.sum("tidegate_cache_requests", "_total", &[("cache", "references"), ("outcome", "hit")]) >= 1.0);
    assert!(watched.sum("tidegate_database_unit_seconds", "_count", &[("kind", "write")]) > 5.0);
    let members = watched.scrape();
    let members = &members["tidegate_database_commit_members"];
    assert!(members.sum("_sum", &[]) >= members.sum("_count", &[]) && members.sum("_count", &[]) > 5.0);
    wait_until("a node looks at the feed", Duration::from_secs(5), || watched.sum("tidegate_change_feed_age_seconds", "", &[]) < 0.5);
}

/// Whatever strangers send makes no series.
#[test]
fn no_name_that_a_client_sends_is_a_label() {
    let watched = Watched::start();
    let node = &watched.node;
    a_bit_of_everything(&watched);
    let before: usize = watched.scrape().values().map(|family| family.samples.len()).sum();
    for stranger in 0..50 {
        node.send(&Ask::new(&format!("BREW{stranger}"), &format!("/v2/tea{stranger}/pot/manifests/x")));
        node.send(
            &Ask::get(&format!("/v2/tea{stranger}/pot/manifests/v{stranger}")).with(&basic(&format!("tea{stranger}"), "wrong-Password-1")),
        );
        node.send(&Ask::get(&format!("/api/v1/tea{stranger}")));
        node.send(&Ask::get(&format!("/?Action=Tea{stranger}&Version=2018-12-01&AccessKeyId=tea{stranger}")));
        node.send(&Ask::get(&format!("/tea{stranger}")));
    }
    let text = Connection::once(&watched.admin, &Ask::get("/metrics")).unwrap().text();
    assert!(!text.to_ascii_lowercase().contains("tea"), "{text}");
    let after: usize = read(&text).values().map(|family| family.samples.len()).sum();
    assert!(after < before + 150, "{before} samples became {after}");
}
