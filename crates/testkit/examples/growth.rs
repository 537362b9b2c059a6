//! How requests take longer as there is more of everything: `cargo xtask measure growth`.
//!
//! One house grows from 10^3 to 10^6 of everything (principals and credentials to 10^5). At each size the doors are asked as a client
//! asks them, each time for something else: parse, authenticate, admit, act, render; without sockets but for the last question. A
//! line a question, in the load kit's form. With `names` instead: repositories and the catalog alone. With `pulls`: what so many pulls
//! leave in the database.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a measurement for the one who runs it"
)]

use std::sync::Arc;
use std::time::Instant;

use http::Method;
use model::Seconds;
use serde_json::{Value, json};
use store::{Database, PostgresSettings, Store, StoreError, params};
use testkit::{Client, HOST, House, Population};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const PRINCIPALS: u32 = 100_000;
/// Links that the collection takes away at each size.
const IDLE: u32 = 6_400;
/// Who asks the catalog, and for what they may see.
const SEERS: [(&str, &str); 3] = [("root", "*"), ("of-a-team", "team-500/*"), ("of-an-ending", "*-k7")];

#[tokio::main(worker_threads = 2)]
async fn main() {
    let said: Vec<String> = std::env::args().skip(1).collect();
    let [what, most, database] = said.as_slice() else {
        return println!("growth curves|names|pulls NUMBER DIRECTORY|postgres://…");
    };
    let most = most.parse().unwrap();
    let at = match database.strip_prefix("postgres://") {
        Some(_) => Database::Postgres(PostgresSettings::new(database)),
        None => Database::Directory(database.into()),
    };
    let measured = Measured::open(Store::open(&at).await.unwrap()).await;
    match &**what {
        "pulls" => measured.pulls(most).await,
        "names" => measured.names(most).await,
        _ => measured.curves(most).await,
    }
}

/// A house that grows.
struct Measured {
    house: Arc<House>,
    /// A policy, a group and an integration.
    ids: [i64; 3],
}

/// A number far from the last one, below `size`.
fn somewhere(n: u32, size: u32) -> u32 {
    u32::try_from(u64::from(n) * 7_919 % u64::from(size)).unwrap()
}

fn allow(names: &str) -> String {
    let resource = format!("acs:cr:*:*:repository/local/{names}");
    let actions = ["cr:GetRepository", "cr:PullRepository"];
    json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resource}]}).to_string()
}

impl Measured {
    async fn open(store: Store) -> Self {
        let mut house = House::over(store).await.with_user("somebody").await.with_policy("somebody", "big", &allow("big/*")).await;
        for (seer, names) in SEERS.into_iter().skip(1) {
            house = house.with_user(seer).await.with_policy(seer, seer, &allow(names)).await;
        }
        for repository in ["big/app", "links/app", "idle/app"] {
            house.root().push_image(repository, "first").await;
        }
        let root = house.root_manager().await;
        let made = async |path: &str, body: Value| root.post(&format!("/api/v1/{path}"), &body).await.expect(201);
        let policy = made("policies", json!({"name": "puller", "document": allow("big/*")})).await.text("policy_id");
        let group = made("groups", json!({"name": "everyone"})).await.text("group_id");
        let cluster = made("integrations", json!({"name": "cluster", "kind": "other"})).await.text("integration_id");
        let policy: model::PolicyId = policy.parse().unwrap();
        let integration: model::IntegrationId = cluster.parse().unwrap();
        let ids = [policy.as_i64(), group.parse().unwrap(), integration.as_i64()];
        Self { house: Arc::new(house), ids }
    }

    async fn curves(&self, most: u32) {
        let (mut before, mut size) = (0, 1000);
        while size <= most {
            let begin = Instant::now();
            self.grow(before, size).await;
            print("filled_in", size, "s", &[begin.elapsed().as_secs_f64()]);
            self.ask(size).await;
            (before, size) = (size, size * 10);
        }
    }

    async fn names(&self, most: u32) {
        let (mut before, mut size) = (0, 1000);
        while size <= most {
            self.house.population().repositories(before..size).await;
            self.keep_house().await;
            self.ask_for_names(size).await;
            (before, size) = (size, size * 10);
        }
    }

    async fn grow(&self, from: u32, to: u32) {
        let many = self.house.population();
        many.tags("big/app", from..to).await;
        many.links("links/app", from..to).await;
        many.repositories(from..to).await;
        let (first, last) = (from.min(PRINCIPALS), to.min(PRINCIPALS));
        many.users((self.ids[0], self.ids[1]), first..last).await;
        many.credentials(self.ids[2], first..last).await;
        self.keep_house().await;
    }

    /// What the database's own housekeeping would do soon.
    async fn keep_house(&self) {
        if self.house.store.backend_name() == "postgres" {
            self.house.store.write(|tx| Box::pin(tx.execute("ANALYZE", params![]))).await.unwrap();
        }
    }

    async fn ask(&self, size: u32) {
        let root = self.house.root().token("repository:big/app:pull,push repository:links/app:pull registry:catalog:*").await;
        self.ask_for_tags(&root, size).await;
        self.ask_for_names(size).await;
        get(&root, "manifest_get", size, 500, |n| format!("/v2/big/app/manifests/{}", Population::tag(somewhere(n, size)))).await;
        let blob = |n: u32| format!("/v2/links/app/blobs/{}", model::Digest::sha256(&somewhere(n, size).to_be_bytes()));
        timed("blob_head", size, 500, async |n| root.head(&blob(n)).await.expect(200)).await;
        timed("manifest_put", size, 300, async |n| push(&root, size, n).await.expect(201)).await;
        self.ask_for_tokens(size.min(PRINCIPALS), size).await;
        self.ask_by_http(&root, size).await;
        self.collect(size).await;
    }

    /// A run of the collection over everything, with some links that nothing needs.
    async fn collect(&self, size: u32) {
        let now = self.house.now();
        let idle = 100_000_000 + size;
        Population { now: now.plus(Seconds::days(-2)), ..self.house.population() }.links("idle/app", idle..idle + IDLE).await;
        let registry = &self.house.registry;
        let mut run = registry.collection_due(Some(Seconds(0)), now).await.unwrap().unwrap();
        let (mut looking, mut taking, mut ended) = (Vec::new(), Vec::new(), false);
        while !ended {
            let (before, begin) = (run.run().tally, Instant::now());
            ended = registry.collect_step(&mut run, now).await.unwrap() == registry::Step::Ended;
            let took = if run.run().tally == before { &mut looking } else { &mut taking };
            took.push(begin.elapsed().as_secs_f64() * 1e3);
        }
        assert_eq!(run.run().tally.links, i64::from(IDLE));
        for (name, mut took) in [("collection_look", looking), ("collection_take", taking)] {
            took.sort_by(f64::total_cmp);
            print(name, size, "ms", &took);
        }
    }

    async fn ask_for_tags(&self, root: &Client<'_>, size: u32) {
        let page = |behind: u32| format!("/v2/big/app/tags/list?n=100&last={}", Population::tag(behind));
        get(root, "tags_first", size, 500, |_| "/v2/big/app/tags/list?n=100".to_owned()).await;
        get(root, "tags_middle", size, 500, |n| page(size / 2 + n % 100)).await;
        get(root, "tags_last", size, 500, |n| page(size - 101 - n % 100)).await;
    }

    /// Pages of the catalog, by people who may see all, one repository in a thousand together, or one in a thousand all over.
    async fn ask_for_names(&self, size: u32) {
        let house = &self.house;
        let catalog = |n: u32| format!("/v2/_catalog?n=100&last={}", Population::repository(somewhere(n, size)));
        let first = |_| "/v2/_catalog?n=100".to_owned();
        for (seer, _) in SEERS {
            let client = if seer == "root" { house.root() } else { house.user(seer) };
            get(&client, &format!("catalog_{seer}"), size, 60, first).await;
        }
        get(&house.root(), "catalog_root_behind", size, 300, catalog).await;
        let client = house.user("of-an-ending");
        get(&client, "catalog_of-an-ending_behind", size, 60, catalog).await;
        timed("catalog_of-an-ending_whole", size, 1, async |_| whole(&client).await).await;
    }

    /// Each with the secret of another of the many users: for the first time, and once more.
    async fn ask_for_tokens(&self, users: u32, size: u32) {
        let manager = self.house.root_manager().await;
        let mut clients = Vec::new();
        for n in 0..300 {
            let user = Population::user(somewhere(n, users));
            let made = manager.post("/api/v1/credentials", &json!({"user": user, "description": "measured with"})).await.expect(201);
            clients.push(self.house.login(&user, &made.text("secret")));
        }
        let target = format!("/token?service={HOST}&scope=repository:big/app:pull");
        for name in ["token_first", "token_again"] {
            timed(name, size, 300, async |n| clients.get(n as usize).unwrap().get(&target).await.expect(200)).await;
        }
    }

    /// The page in the middle once more, over a connection.
    async fn ask_by_http(&self, root: &Client<'_>, size: u32) {
        let address = self.house.listen().await;
        let connection = tokio::sync::Mutex::new(TcpStream::connect(address).await.unwrap());
        timed("tags_middle_http", size, 500, async |n| {
            let last = Population::tag(size / 2 + n % 100);
            let authorization = root.authorization().unwrap();
            let head =
                format!("GET /v2/big/app/tags/list?n=100&last={last} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: {authorization}\r\n\r\n");
            exchange(&mut *connection.lock().await, &head).await;
        })
        .await;
    }

    /// So many pulls from a thousand addresses, a thousand a second: each address pulls one of a hundred images.
    async fn pulls(&self, number: u32) {
        self.house.population().tags("big/app", 0..100).await;
        let (before, begin) = (self.bytes().await, Instant::now());
        let client = self.house.user("somebody");
        for n in 0..number {
            let from = client.clone().from(&format!("10.0.{}.{}", n / 250 % 4, n % 250));
            from.get(&format!("/v2/big/app/manifests/{}", Population::tag(somewhere(n, 100)))).await.expect(200);
            if n % 1000 == 999 {
                self.house.seal().await;
                self.house.advance(Seconds(1)).await;
            }
        }
        self.house.seal().await;
        let rows = self.number("SELECT count(*) FROM audit_event WHERE action = 'cr:PullRepository'").await;
        print("pulls_took", number, "s", &[begin.elapsed().as_secs_f64()]);
        print("pull_rows", number, "rows", &[rows]);
        print("pull_bytes", number, "bytes a row", &[(self.bytes().await - before) / rows]);
    }

    /// What the database takes on disk, without its log.
    async fn bytes(&self) -> f64 {
        match self.house.store.backend_name() {
            "postgres" => self.number("SELECT pg_database_size(current_database())").await,
            _ => self.number("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()").await,
        }
    }

    async fn number(&self, sql: &'static str) -> f64 {
        let read: Result<i64, StoreError> = self.house.store.read(|tx| Box::pin(async move { tx.one(sql, params![]).await?.get(0) })).await;
        read.unwrap() as f64
    }
}

/// Every page of the catalog, one behind the other.
async fn whole(client: &Client<'_>) {
    let mut next = Some("/v2/_catalog?n=100".to_owned());
    while let Some(target) = next {
        let page = client.get(&target).await.expect(200);
        next = page
            .headers
            .get("link")
            .and_then(|link| link.to_str().ok()?.strip_prefix('<')?.split_once('>').map(|(target, _)| target.to_owned()));
    }
}

async fn push(client: &Client<'_>, size: u32, n: u32) -> testkit::Reply {
    let descriptor =
        |content: &[u8]| json!({"mediaType": "a/b", "digest": model::Digest::sha256(content).to_string(), "size": content.len()});
    let body = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(b"{}"), "layers": [descriptor(b"first")],
        "annotations": {"n": format!("{size}-{n}")}});
    client.send(Method::PUT, &format!("/v2/big/app/manifests/new-{size}-{n}"), &[("content-type", MANIFEST)], body.to_string()).await
}

/// Sends a request and reads an answer of a length that it says.
async fn exchange(connection: &mut TcpStream, head: &str) {
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    loop {
        assert!(connection.read_buf(&mut answer).await.unwrap() > 0);
        let text = String::from_utf8_lossy(&answer).to_ascii_lowercase();
        assert!(text.starts_with("http/1.1 200"), "{text}");
        let length = text.split_once("content-length: ").and_then(|(_, rest)| rest.split_once("\r\n")?.0.parse::<usize>().ok());
        if let (Some((head, _)), Some(length)) = (text.split_once("\r\n\r\n"), length)
            && answer.len() >= head.len() + 4 + length
        {
            return;
        }
    }
}

async fn get(client: &Client<'_>, name: &str, size: u32, times: u32, target: impl Fn(u32) -> String) {
    timed(name, size, times, async |n| client.get(&target(n)).await.expect(200)).await;
}

/// Milliseconds of so many calls.
async fn timed<T>(name: &str, size: u32, times: u32, call: impl AsyncFn(u32) -> T) {
    let mut took = Vec::new();
    for n in 0..times {
        let begin = Instant::now();
        call(n).await;
        took.push(begin.elapsed().as_secs_f64() * 1e3);
    }
    took.sort_by(f64::total_cmp);
    print(name, size, "ms", &took);
}

fn print(name: &str, size: u32, unit: &str, sorted: &[f64]) {
    let at = |hundredths: usize| sorted.get(sorted.len() * hundredths / 100).map(|value| (value * 1e4).round() / 1e4);
    println!("{}", json!({"metric": name, "size": size, "unit": unit, "p50": at(50), "p99": at(99)}));
}
