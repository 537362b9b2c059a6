//! A house with many of everything, and the requests that have to stay cheap in it.

use http::Method;
use serde_json::{Value, json};
use store::Store;
use testkit::{Client, House, PASSWORD, Population};

/// Somebody who may see one repository in a thousand: those of one team, those that end alike all over the teams, a few by name.
pub(crate) const SEERS: [&str; 3] = ["of-a-team", "of-an-ending", "of-names"];

/// Links that nothing has needed for two days.
pub(crate) const IDLE: u32 = 200;

/// A house in which there are so many of everything.
pub(crate) struct Town {
    pub(crate) house: House,
    pub(crate) size: u32,
    credential: String,
    access_key: String,
}

/// A request, and who sends it.
pub(crate) struct Asked<'t> {
    pub(crate) name: String,
    pub(crate) client: Client<'t>,
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) body: String,
    pub(crate) kind: &'static str,
    /// Answers other than that all is well.
    pub(crate) also: &'static [u16],
}

fn allow(actions: &[&str], resources: &[String]) -> String {
    json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resources}]}).to_string()
}

fn of(names: &str) -> String {
    format!("acs:cr:*:*:repository/local/{names}")
}

async fn make(root: &Client<'_>, path: &str, body: Value) -> Value {
    root.post(&format!("/api/v1{path}"), &body).await.expect(201).json()
}

fn number<T: std::str::FromStr<Err: std::fmt::Debug>>(made: &Value, key: &str, id: impl Fn(T) -> i64) -> i64 {
    id(made[key].as_str().unwrap().parse().unwrap())
}

pub(crate) async fn town(store: Store, size: u32) -> Town {
    let mut house = House::over(store).await;
    for seer in SEERS.into_iter().chain(["somebody"]) {
        house = house.with_user(seer).await;
    }
    let names: Vec<String> = (0..50).map(|n| of(&Population::repository(n * 19))).collect();
    for (seer, seen) in SEERS.into_iter().zip([vec![of("team-500/*")], vec![of("*-k7")], names]) {
        house = house.with_policy(seer, &format!("sees-{seer}"), &allow(&["cr:GetRepository", "cr:PullRepository"], &seen)).await;
    }
    let root = house.root_manager().await;
    for repository in ["big/app", "links/app", "idle/app"] {
        house.root().push_image(repository, "first").await;
    }
    let policy = make(&root, "/policies", json!({"name": "puller", "document": allow(&["cr:PullRepository"], &[of("big/*")])})).await;
    let group = make(&root, "/groups", json!({"name": "everyone"})).await;
    let integration = make(&root, "/integrations", json!({"name": "cluster", "kind": "other"})).await;
    let (credential, access_key) = few(&root).await;
    let many = house.population();
    let policy = number(&policy, "policy_id", model::PolicyId::as_i64);
    let group = number(&group, "group_id", model::PrincipalId::as_i64);
    let integration = number(&integration, "integration_id", model::IntegrationId::as_i64);
    many.tags("big/app", 0..size).await;
    many.links("links/app", 0..size).await;
    let long_ago = many.now.plus(model::Seconds::days(-2));
    Population { now: long_ago, ..many }.links("idle/app", size..size + IDLE).await;
    many.repositories(0..size).await;
    many.users((policy, group), 0..size).await;
    many.credentials(integration, 0..size).await;
    many.events(0..size).await;
    Town { house, size, credential, access_key }
}

/// What there is one of.
async fn few(root: &Client<'_>) -> (String, String) {
    let credential = make(root, "/credentials", json!({"user": "somebody", "description": "one"})).await;
    let key = make(root, "/access-keys", json!({"user": "somebody"})).await;
    let password = json!({"kind": "sign_in", "password": PASSWORD});
    root.put("/api/v1/users/somebody/password", &password).await.expect(204);
    make(root, "/service-accounts", json!({"name": "robot"})).await;
    let trust = json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"RAM": ["*"]}}]});
    let trust = trust.to_string();
    make(root, "/roles", json!({"name": "role", "trust_policy": trust})).await;
    let issuer = "https://idp.example";
    let keys = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]});
    make(root, "/oidc-providers", json!({"name": "idp", "issuer": issuer, "jwks": keys.to_string()})).await;
    let trusted = json!({"name": "fed", "audience": "here", "issuer": issuer, "subject": "repo:acme/app"});
    make(root, "/service-accounts/robot/federated-credentials", trusted).await;
    let owned = json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": "cr:PullRepository", "Principal": {"RAM": ["*"]}}]});
    for place in ["namespace-policies/links", "repository-policies/links/app"] {
        let body = json!({"document": owned.to_string()});
        root.put(&format!("/api/v1/instances/local/{place}"), &body).await.expect(200);
    }
    let text = |made: &Value, key: &str| made[key].as_str().unwrap().to_owned();
    (text(&credential, "credential_id"), text(&key, "access_key_id"))
}

impl Town {
    /// Numbers at the beginning, in the middle and near the end of what there is.
    fn places(&self) -> [(&'static str, u32); 3] {
        [("early", 1), ("halfway", self.size / 2), ("late", self.size - 200)]
    }

    /// Everything that has to stay cheap.
    pub(crate) async fn requests(&self) -> Vec<Asked<'_>> {
        let root = self.house.root_manager().await;
        let mut asked = self.of_the_registry();
        asked.extend(self.pages(&root));
        let document = root.get("/api/v1/openapi.json").await.expect(200).json();
        for (path, methods) in document["paths"].as_object().unwrap() {
            let Some(said) = methods["get"].as_object() else { continue };
            let said = Value::Object(said.clone());
            let question = get(&root, said["operationId"].as_str().unwrap(), self.target(path, &said));
            // Not everything is there.
            asked.push(Asked { also: &[404], ..question });
        }
        asked
    }

    /// Path and query of an operation as its document says them: a word that names a thing stands for one of those that are there.
    fn target(&self, path: &str, said: &Value) -> String {
        let mut target = path.to_owned();
        let mut query = String::new();
        for parameter in said["parameters"].as_array().into_iter().flatten() {
            let word = parameter["name"].as_str().unwrap();
            match (parameter["in"].as_str().unwrap(), self.thing(word)) {
                ("path", thing) => {
                    let thing = thing.unwrap_or_else(|| panic!("{path}: say in `Town::thing` what stands for `{word}`"));
                    target = target.replace(&format!("{{{word}}}"), &thing);
                }
                (_, Some(thing))
                    if parameter["required"] == true
                        || word == "user"
                        || (word == "resource" && path == "/api/v1/permitted-principals") =>
                {
                    query.extend(["&", word, "=", &thing]);
                }
                _ => {}
            }
        }
        if query.is_empty() { target } else { format!("{target}?{}", &query[1..]) }
    }

    fn thing(&self, word: &str) -> Option<String> {
        Some(match word {
            "user" => Population::user(3),
            "credential" => self.credential.clone(),
            "access_key" => self.access_key.clone(),
            "policy" => "puller".into(),
            "version" => "1".into(),
            "group" => "everyone".into(),
            "service_account" => "robot".into(),
            "role" => "role".into(),
            "provider" => "idp".into(),
            "federated_credential" => "fed".into(),
            "integration" => "cluster".into(),
            "instance" => "local".into(),
            "endpoint" => "public".into(),
            "namespace" => "links".into(),
            "repository" => "links/app".into(),
            "tag" => format!("big/app/{}", Population::tag(7)),
            "image" => format!("big/app:{}", Population::tag(7)),
            "digest" => model::Digest::sha256(b"first").to_string(),
            "action" => "cr:PullRepository".into(),
            "resource" => "big/app".into(),
            _ => return None,
        })
    }
}

fn get<'t>(client: &Client<'t>, name: &str, target: String) -> Asked<'t> {
    Asked { name: name.to_owned(), client: client.clone(), method: Method::GET, target, body: String::new(), kind: "", also: &[] }
}

/// Lists of the management API that are asked for further on as well: behind what, at the beginning, in the middle and near the end.
type Behind = fn(u32) -> String;
const PAGES: [(&str, &str, Behind); 6] = [
    ("list_users", "/api/v1/users?limit=100", Population::user),
    ("list_tags", "/api/v1/instances/local/tags?repository=big/app&limit=100", Population::tag),
    ("list_repositories", "/api/v1/instances/local/repositories?namespace=team-001&limit=100", Population::repository),
    ("list_namespaces", "/api/v1/instances/local/namespaces?limit=100", |n| format!("team-{:03}", n % testkit::TEAMS)),
    ("list_group_users", "/api/v1/groups/everyone/users?limit=100", Population::user),
    ("list_policy_holders", "/api/v1/policies/puller/holders?limit=100", |n| (4_000_000_000_000_000 + u64::from(n)).to_string()),
];

/// Further questions to the management API.
const QUESTIONS: [(&str, &str); 10] = [
    ("credentials that end soon", "/api/v1/credentials?expiring_within=864000"),
    ("credentials that nobody uses", "/api/v1/credentials?unused_for=0"),
    ("credentials of an integration", "/api/v1/credentials?integration=cluster"),
    ("labels of a key", "/api/v1/labels?key=team"),
    ("labels of a value", "/api/v1/labels?key=team&value=team-3"),
    ("audit of a user", "/api/v1/audit-events?user=user-0000003"),
    ("audit of an action", "/api/v1/audit-events?action=cr:PullRepository"),
    ("audit of an action that nobody does", "/api/v1/audit-events?action=cr:CreateInstance"),
    ("audit since", "/api/v1/audit-events?since=2026-01-01T00:00:00Z"),
    ("audit records since", "/api/v1/audit-records?since=2026-01-01T00:00:00Z"),
];

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

impl Town {
    /// What the registry is asked.
    fn of_the_registry(&self) -> Vec<Asked<'_>> {
        let root = self.house.root();
        let mut asked = Vec::new();
        for (at, place) in self.places() {
            let (tag, repository) = (Population::tag(place), Population::repository(place));
            asked.push(get(&root, &format!("tags, {at}"), format!("/v2/big/app/tags/list?n=100&last={tag}")));
            asked.push(get(&root, &format!("catalog, {at}"), format!("/v2/_catalog?n=100&last={repository}")));
            asked.push(get(&root, &format!("manifest, {at}"), format!("/v2/big/app/manifests/{tag}")));
            let none = get(&root, &format!("no manifest, {at}"), format!("/v2/big/app/manifests/{tag}-none"));
            asked.push(Asked { also: &[404], ..none });
            let digest = model::Digest::sha256(&place.to_be_bytes());
            asked.push(Asked { method: Method::HEAD, ..get(&root, &format!("blob, {at}"), format!("/v2/links/app/blobs/{digest}")) });
            asked.push(Self::push(&root, &format!("push over, {at}"), "big/app", &tag));
        }
        asked.push(Self::push(&root, "push of a new tag", "big/app", "new"));
        asked.push(Self::push(&root, "push among many links", "links/app", "new"));
        let digest = model::Digest::sha256(b"{}");
        asked.push(get(&root, "referrers", format!("/v2/big/app/referrers/{digest}")));
        for seer in SEERS {
            let client = self.house.user(seer);
            for (at, place) in self.places() {
                let last = Population::repository(place);
                asked.push(get(&client, &format!("catalog {seer}, {at}"), format!("/v2/_catalog?n=100&last={last}")));
            }
            asked.push(get(&client, &format!("catalog {seer}"), "/v2/_catalog?n=100".to_owned()));
        }
        let (host, scope) = (testkit::HOST, "repository:big/app:pull");
        asked.push(get(&self.house.user("somebody"), "token", format!("/token?service={host}&scope={scope}")));
        asked
    }

    fn push<'t>(client: &Client<'t>, name: &str, repository: &str, tag: &str) -> Asked<'t> {
        let (config, layer) = (model::Digest::sha256(b"{}"), model::Digest::sha256(b"first"));
        let kind =
            |digest: model::Digest, size| json!({"mediaType": "application/octet-stream", "digest": digest.to_string(), "size": size});
        let body = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": kind(config, 2), "layers": [kind(layer, 5)],
            "annotations": {"for": name}});
        let target = format!("/v2/{repository}/manifests/{tag}");
        Asked { method: Method::PUT, body: body.to_string(), kind: MANIFEST, ..get(client, name, target) }
    }

    /// Lists further on, and filtered.
    fn pages<'t>(&'t self, root: &Client<'t>) -> Vec<Asked<'t>> {
        let pages = PAGES.iter().flat_map(|(name, path, behind)| {
            self.places().map(|(at, place)| get(root, &format!("{name}, {at}"), format!("{path}&after={}", behind(place))))
        });
        let questions = QUESTIONS.iter().map(|(name, target)| get(root, name, (*target).to_owned()));
        pages.chain(questions).collect()
    }
}

impl Asked<'_> {
    /// Sends it; the status.
    pub(crate) async fn send(&self) -> u16 {
        let headers: &[(&str, &str)] = if self.kind.is_empty() { &[] } else { &[("content-type", self.kind)] };
        self.client.send(self.method.clone(), &self.target, headers, self.body.clone()).await.status.as_u16()
    }

    pub(crate) fn may_answer(&self, status: u16) -> bool {
        (200..300).contains(&status) || self.also.contains(&status)
    }
}
