//! A node over a PostgreSQL of its own, and what is asked of it at every door.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use model::Timestamp;
use secrets::Plain;
use serde_json::{Value, json};
use signing::Params;
use signing::alibaba::v1;

use crate::support::api::{Api, Key, bootstrap, push, root, token};
use crate::support::http::{Answer, Ask, basic};
use crate::support::node::{Node, Settings};
use crate::support::postgres::Postgres;
use crate::support::{MASTER_KEY, OCI_MANIFEST, content, digest, manifest, wait_until};

/// No answer takes longer, with the limits that the node is given here.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct House {
    pub(crate) postgres: Postgres,
    pub(crate) node: Node,
    pub(crate) known: Known,
    _folder: tempfile::TempDir,
}

/// What there is before anything fails.
pub(crate) struct Known {
    /// Root, by Basic.
    pub(crate) root: String,
    /// Alice by Basic, who may pull and push, and the credential's id.
    pub(crate) alice: String,
    pub(crate) credential: String,
    /// Alice by a bearer token.
    pub(crate) bearer: String,
    /// Root's token for the management API.
    pub(crate) manager: String,
    /// Root's access key.
    pub(crate) key: Key,
    /// The digest of `demo/app:kept`.
    pub(crate) kept: String,
}

/// A request by name, and whether it changes anything.
pub(crate) struct Asked {
    pub(crate) what: &'static str,
    pub(crate) ask: Ask,
    pub(crate) writes: bool,
}

impl House {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// With settings of the PostgreSQL.
    pub(crate) fn start_with(settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let postgres = Postgres::start(folder.path(), settings);
        let url = postgres.url();
        Self::over(postgres, folder, &url)
    }

    /// The node reaches its database by this URL.
    pub(crate) fn over(postgres: Postgres, folder: tempfile::TempDir, url: &str) -> Self {
        let settings = Settings::in_folder(folder.path(), "data").set("TIDEGATE_DATABASE", url);
        let settings = settings.set("TIDEGATE_MASTER_KEY", MASTER_KEY).set("TIDEGATE_POSTGRES_STATEMENT_SECONDS", "2");
        let node = Node::start(settings.set("TIDEGATE_POSTGRES_ACQUIRE_SECONDS", "2").set("TIDEGATE_POSTGRES_CONNECTIONS", "8"));
        let known = Known::new(&node);
        Self { postgres, node, known, _folder: folder }
    }

    /// Ready again by itself, and all that was there before is there.
    pub(crate) fn recovers(&self) {
        let took = wait_until("the node is ready again", Duration::from_secs(20), || ready(&self.node));
        println!("ready again after {:.0} ms", took.as_secs_f64() * 1e3);
        for (by, want) in [(&self.known.alice, 200), (&self.known.root, 200), (&basic("alice", "wrong"), 401)] {
            self.node.send(&Ask::get("/v2/").with(by)).expect(want);
        }
        self.is_kept("kept", &self.known.kept);
        for Asked { what, ask, .. } in self.everywhere() {
            let answer = self.node.send(&ask);
            assert!((200..300).contains(&answer.status), "{what}, once it is back: {} {}", answer.status, answer.text());
        }
        assert!(!self.node.log().contains("panicked"), "{}", self.node.log());
    }

    #[track_caller]
    pub(crate) fn is_kept(&self, tag: &str, wanted: &str) {
        let ask = Ask::get(&format!("/v2/demo/app/manifests/{tag}")).with(&self.known.alice).header("accept", OCI_MANIFEST);
        assert_eq!(digest(&self.node.send(&ask).expect(200).body), wanted, "{tag}");
    }

    /// One or more requests at each door, by every kind of credential.
    pub(crate) fn everywhere(&self) -> Vec<Asked> {
        let Known { alice, bearer, .. } = &self.known;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let scope = format!("/token?service={}&scope=repository:demo/app:pull", self.node.address());
        let text = image_text();
        let json = |method: &str, path: &str, body: Value| {
            let ask = Ask::new(method, &format!("/api/v1{path}")).with(&self.known.manager);
            ask.header("content-type", "application/json").body(body.to_string())
        };
        let read = |what, ask| Asked { what, ask, writes: false };
        let write = |what, ask| Asked { what, ask, writes: true };
        vec![
            read("a pull by Basic", Ask::get("/v2/demo/app/manifests/kept").with(alice)),
            read("a pull by a bearer", Ask::get("/v2/demo/app/manifests/kept").with(bearer)),
            read("a blob", Ask::new("HEAD", &format!("/v2/demo/app/blobs/{}", digest(&content(1, 200)))).with(alice)),
            read("the tags", Ask::get("/v2/demo/app/tags/list").with(alice)),
            read("a token", Ask::get(&scope).with(alice)),
            read("who am I", Ask::get("/api/v1/whoami").with(&self.known.manager)),
            read("users", Ask::get("/api/v1/users").with(&self.known.manager)),
            // Its nonce is written down.
            write("an Alibaba Cloud list", self.alibaba("2018-12-01", "ListInstance", &[])),
            write("an upload", Ask::new("POST", "/v2/demo/app/blobs/uploads/").with(alice)),
            write("a blob at once", {
                let blob = content(number + 1000, 3_000);
                Ask::new("POST", &format!("/v2/demo/app/blobs/uploads/?digest={}", digest(&blob))).with(alice).body(blob)
            }),
            write(
                "a manifest",
                Ask::new("PUT", &format!("/v2/demo/app/manifests/t{number}")).with(bearer).header("content-type", OCI_MANIFEST).body(text),
            ),
            write("a user", json("POST", "/users", json!({ "name": format!("user{number}") }))),
            write("a group", json("POST", "/groups", json!({ "name": format!("group{number}") }))),
            write("a credential's end", json("PATCH", &format!("/credentials/{}", self.known.credential), json!({ "enabled": true }))),
            write("an Alibaba Cloud user", self.alibaba("2015-05-01", "CreateUser", &[("UserName", &format!("cloud{number}"))])),
        ]
    }

    /// A signed request of the cloud's API.
    pub(crate) fn alibaba(&self, version: &str, action: &str, params: &[(&str, &str)]) -> Ask {
        let nonce = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let now = timestamp();
        let mut all = vec![
            ("AccessKeyId", self.known.key.id.as_str()),
            ("Action", action),
            ("Format", "JSON"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", &nonce),
            ("SignatureVersion", "1.0"),
            ("Timestamp", &now),
            ("Version", version),
        ];
        all.extend_from_slice(params);
        let signature = v1::sign(&Plain::new(self.known.key.secret.clone()).unwrap(), "POST", &Params::of(all.iter().copied()).unwrap());
        all.push(("Signature", &signature));
        Ask::new("POST", "/").form(&all)
    }

    /// Each request is answered in time: what `may` allows for it, and always "later" where it is not done.
    #[track_caller]
    pub(crate) fn each(&self, may: impl Fn(&Asked, u16) -> bool + Sync) {
        let asks = self.everywhere();
        std::thread::scope(|scope| {
            let send = |asked: &Asked| {
                let begun = Instant::now();
                let answer = self.node.send(&asked.ask);
                (answer, begun.elapsed())
            };
            let all: Vec<_> = asks.iter().map(|asked| (asked, scope.spawn(move || send(asked)))).collect();
            for (asked, (answer, took)) in all.into_iter().map(|(asked, one)| (asked, one.join().unwrap())) {
                assert!(took < PATIENCE, "{}: {took:?}", asked.what);
                if answer.status == 503 {
                    later(asked.what, &answer);
                }
                assert!(may(asked, answer.status), "{}: {} {}", asked.what, answer.status, answer.text());
            }
        });
    }

    /// Nothing can be done: 503 everywhere, also for who has not the right secret.
    pub(crate) fn nothing_goes(&self) {
        wait_until("the node notices", PATIENCE, || !ready(&self.node));
        // For a second it decides by what it knows.
        std::thread::sleep(Duration::from_millis(1100));
        self.each(|_, status| status == 503);
        for by in [basic("alice", "wrong-Password-1"), basic("nobody", "wrong-Password-1")] {
            later("a wrong password", &self.node.send(&Ask::get("/v2/").with(&by)));
        }
        self.node.send(&Ask::get("/healthz")).expect(200);
        let failing = self.node.send(&Ask::get("/readyz")).expect(503).json()["failing"].to_string();
        assert!(failing.contains("database"), "{failing}");
    }
}

static NEXT: AtomicU64 = AtomicU64::new(1);

impl Known {
    fn new(node: &Node) -> Self {
        let (root, api) = (root(node), Api::root(node));
        api.create_user("alice");
        api.create_policy("work", &["cr:PullRepository", "cr:PushRepository", "cr:DeleteRepositoryTag"]);
        api.attach("alice", "work");
        let (credential, alice) = api.create_credential("alice");
        let kept = push(node, &root, "demo/app", "kept", 1);
        let bearer = token(node, &alice, "repository:demo/app:pull,push");
        let secrets = bootstrap(node);
        let text = |key: &str| secrets[key].as_str().unwrap().to_owned();
        let key = Key { id: text("access_key_id"), secret: text("access_key_secret") };
        Self { root, alice, credential, bearer, manager: api.token(), key, kept }
    }
}

/// The image that `push` makes, to be tagged once more.
pub(crate) fn image_text() -> String {
    manifest(&content(1, 200), &[content(2, 5000)])
}

pub(crate) fn ready(node: &Node) -> bool {
    node.send(&Ask::get("/readyz")).status == 200
}

fn timestamp() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Timestamp::from_millis(i64::try_from(now).unwrap() * 1000).to_string()
}

/// "Later", and when: never that the caller may not.
#[track_caller]
pub(crate) fn later(what: &str, answer: &Answer) {
    assert_eq!(answer.status, 503, "{what}: {}", answer.text());
    let after = answer.header("retry-after").and_then(|after| after.parse::<u32>().ok());
    assert!(after.is_some_and(|seconds| seconds > 0), "{what}: no Retry-After: {}", answer.text());
}
