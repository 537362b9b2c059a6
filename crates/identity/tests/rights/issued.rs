//! Issued ⊆ asked ∩ allowed: what a bearer token carries, and then what its bearer really can do, from wherever, under whatever policies
//! are in force by then. (Harbor #19298 and #20232: tokens for what was not asked, or not allowed.)
//!
//! The doors' own path on one side; on the other a model of a page that knows neither documents nor patterns.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use testkit::{Client, House, house};

const PULL: &str = "pull";
const PUSH: &str = "push";
const DELETE: &str = "delete";
const ACTIONS: [&str; 3] = [PULL, PUSH, DELETE];
/// Names that begin, end or continue like each other.
const NAMES: [&str; 5] = ["demo/app", "demo/apple", "demo2/app", "prod/app", "prod"];
const SPELLINGS: [&str; 8] = ["*", "demo/*", "demo/app", "demo*", "*/app", "prod/*", "_/prod", "demo/app?*"];
const HERE: &str = "192.0.2.1";
const THERE: &str = "198.51.100.7";

/// One statement.
#[derive(Clone, Debug)]
struct Says {
    allow: bool,
    actions: BTreeSet<&'static str>,
    spelling: &'static str,
    /// Only from there.
    only_there: bool,
}

/// Everything that has a say for alice.
#[derive(Clone, Debug)]
struct Rules {
    own: Vec<Says>,
    group: Vec<Says>,
    /// The policy of the namespace `demo`, with whom each statement names; spellings do not matter.
    place: Vec<(Says, &'static str)>,
    guard: Option<Vec<Says>>,
    public: bool,
}

fn matches(spelling: &str, name: &str) -> bool {
    match spelling {
        "*" => true,
        "demo/*" => name.starts_with("demo/"),
        "demo/app" => name == "demo/app",
        "demo*" => name.starts_with("demo"),
        "*/app" => name.ends_with("/app"),
        "prod/*" => name.starts_with("prod/"),
        "_/prod" => name == "prod",
        "demo/app?*" => name == "demo/apple",
        other => panic!("{other}"),
    }
}

impl Says {
    fn speaks(&self, action: &str, name: &str, from: &str) -> bool {
        self.actions.contains(action) && matches(self.spelling, name) && (!self.only_there || from == THERE)
    }

    fn statement(&self) -> Value {
        let spelled = |action: &&str| match *action {
            PULL => "cr:PullRepository",
            PUSH => "cr:PushRepository",
            _ => "cr:DeleteRepositoryTag",
        };
        let mut statement = json!({
            "Effect": if self.allow { "Allow" } else { "Deny" },
            "Action": self.actions.iter().map(spelled).collect::<Vec<_>>(),
            "Resource": format!("acs:cr:*:*:repository/local/{}", self.spelling),
        });
        if self.only_there {
            statement["Condition"] = json!({"IpAddress": {"acs:SourceIp": "198.51.100.0/24"}});
        }
        statement
    }
}

/// A denial, an allowance, or nothing.
fn said(all: &[&Says], action: &str, name: &str, from: &str) -> Option<bool> {
    let says = |allow: bool, action: &str| all.iter().any(|s| s.allow == allow && s.speaks(action, name, from));
    match () {
        () if says(false, action) => Some(false),
        () if says(true, action) => Some(true),
        // Pushing clients pull.
        () if action == PULL && says(true, PUSH) && !says(false, PUSH) => Some(true),
        () => None,
    }
}

impl Rules {
    fn allow(&self, action: &str, name: &str, from: &str) -> bool {
        let named = self.place.iter().filter(|(_, who)| *who != "user/bob").map(|(says, _)| says);
        let place: Vec<Says> = named.map(|says| Says { spelling: "demo/*", ..says.clone() }).collect();
        let held: Vec<&Says> = self.own.iter().chain(&self.group).chain(&place).collect();
        let bound = self.guard.as_ref().map(|guard| said(&guard.iter().collect::<Vec<_>>(), action, name, from));
        match (said(&held, action, name, from), bound) {
            (Some(false), _) | (_, Some(Some(false))) => false,
            (Some(true), None | Some(Some(true))) => true,
            // Nobody denies it, and anybody may.
            _ => self.public && action == PULL && name.starts_with("demo/"),
        }
    }
}

fn says() -> impl Strategy<Value = Says> {
    let actions = btree_set(select(&ACTIONS[..]), 1..=3);
    let allow = prop_oneof![3 => Just(true), 1 => Just(false)];
    let only_there = prop_oneof![3 => Just(false), 1 => Just(true)];
    (allow, actions, select(&SPELLINGS[..]), only_there).prop_map(|(allow, actions, spelling, only_there)| Says {
        allow,
        actions,
        spelling,
        only_there,
    })
}

fn rules() -> impl Strategy<Value = Rules> {
    let place = vec((says(), select(&["user/alice", "group/ops", "user/bob", "root"][..])), 0..3);
    let guard = prop_oneof![4 => Just(None), 1 => vec(says(), 1..4).prop_map(Some)];
    let public = prop_oneof![4 => Just(false), 1 => Just(true)];
    (vec(says(), 0..4), vec(says(), 0..3), place, guard, public).prop_map(|(own, group, place, guard, public)| Rules {
        own,
        group,
        place,
        guard,
        public,
    })
}

/// What is asked for, and how that is written.
#[derive(Clone, Debug)]
struct Asked {
    name: &'static str,
    actions: Vec<&'static str>,
}

impl Asked {
    fn text(&self) -> String {
        format!("repository:{}:{}", self.name, self.actions.join(","))
    }

    fn means(&self, action: &str) -> bool {
        self.actions.iter().any(|asked| *asked == action || *asked == "*")
    }
}

fn asked() -> impl Strategy<Value = Vec<Asked>> {
    let actions = vec(select(&["pull", "push", "delete", "*", "admin", "PULL"][..]), 1..4);
    vec((select(&NAMES[..]), actions).prop_map(|(name, actions)| Asked { name, actions }), 0..4)
}

type Carried = BTreeMap<String, BTreeSet<String>>;

/// What the token says that it carries: repositories alone.
fn carried(token: &Client<'_>) -> Carried {
    let token = token.authorization().unwrap().strip_prefix("Bearer ").unwrap().to_owned();
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    let mut carried = Carried::new();
    for entry in payload["access"].as_array().unwrap().iter().filter(|entry| entry["type"] == "repository") {
        let actions = entry["actions"].as_array().unwrap().iter().map(|action| action.as_str().unwrap().to_owned());
        carried.entry(entry["name"].as_str().unwrap().to_owned()).or_default().extend(actions);
    }
    carried
}

async fn can(token: &Client<'_>, action: &str, name: &str) -> bool {
    let reply = match action {
        PULL => token.get(&format!("/v2/{name}/manifests/v1")).await,
        PUSH => token.send(Method::POST, &format!("/v2/{name}/blobs/uploads/"), &[], "").await,
        _ => token.delete(&format!("/v2/{name}/manifests/nothing")).await,
    };
    match reply.status.as_u16() {
        200 | 202 => true,
        // What may be deleted is looked for.
        404 if action == DELETE => true,
        401 => false,
        other => panic!("{action} {name}: {other}"),
    }
}

fn document(statements: &[Says]) -> String {
    let mut all: Vec<Value> = statements.iter().map(Says::statement).collect();
    if all.is_empty() {
        all.push(json!({"Effect": "Allow", "Action": "ram:GetPolicy", "Resource": "acs:ram:*:*:policy/nothing"}));
    }
    json!({"Version": "1", "Statement": all}).to_string()
}

const PLACE: &str = "/api/v1/instances/local/namespace-policies/demo";

/// Puts the rules in force.
async fn enact(house: &House, root: &Client<'_>, rules: &Rules) {
    for (name, statements) in [("own", &rules.own), ("group", &rules.group)] {
        let versions = root.get(&format!("/api/v1/policies/{name}/versions")).await.expect(200).json();
        for version in versions.as_array().unwrap().iter().filter(|version| version["is_default"] == json!(false)) {
            root.delete(&format!("/api/v1/policies/{name}/versions/{}", version["version"])).await.expect(204);
        }
        root.post(&format!("/api/v1/policies/{name}/versions"), &json!({"document": document(statements)})).await.expect(201);
    }
    let account = &house.bootstrap.account;
    let placed = rules.place.iter().map(|(says, who)| {
        let mut statement = says.statement();
        statement.as_object_mut().unwrap().remove("Resource");
        statement["Principal"] = json!({"RAM": format!("acs:ram::{account}:{who}")});
        statement
    });
    let placed: Vec<Value> = placed.collect();
    if placed.is_empty() {
        root.delete(PLACE).await;
    } else {
        let text = json!({"Version": "1", "Statement": placed}).to_string();
        root.put(PLACE, &json!({"document": text})).await.expect(200);
    }
    root.delete("/api/v1/guard-policies/guard").await;
    root.delete("/api/v1/policies/guard").await;
    if let Some(guard) = &rules.guard {
        root.post("/api/v1/policies", &json!({"name": "guard", "document": document(guard)})).await.expect(201);
        root.put("/api/v1/guard-policies/guard", &json!({})).await.expect(204);
    }
    root.patch("/api/v1/instances/local/namespaces/demo", &json!({"public": rules.public})).await.expect(200);
}

/// The token carries exactly what was asked and is allowed; its bearer can do what it carries and is allowed now, and nothing else.
async fn case(house: &House, root: &Client<'_>, before: &Rules, after: &Rules, asked: &[Asked], from: [&str; 2]) {
    enact(house, root, before).await;
    let scopes: Vec<_> = asked.iter().map(Asked::text).chain(["other:demo/app:pull".to_owned()]).collect();
    let token = house.user("alice").from(from[0]).token(&scopes.join(" ")).await;
    let carried = carried(&token);
    for name in NAMES {
        for action in ACTIONS {
            let wanted = asked.iter().any(|asked| asked.name == name && asked.means(action)) && before.allow(action, name, from[0]);
            let has = carried.get(name).is_some_and(|actions| actions.contains(action));
            assert_eq!(has, wanted, "{action} of {name} in {carried:?}");
        }
    }
    assert!(carried.keys().all(|name| NAMES.contains(&name.as_str())), "{carried:?}");
    enact(house, root, after).await;
    let token = token.from(from[1]);
    for name in NAMES {
        for action in ACTIONS {
            let has = |action: &str| carried.get(name).is_some_and(|actions| actions.contains(action));
            let in_scope = has(action) || (action == PULL && has(PUSH));
            assert_eq!(
                can(&token, action, name).await,
                in_scope && after.allow(action, name, from[1]),
                "{action} of {name} by {carried:?}"
            );
        }
    }
    // What no scope can name, no bearer of scopes does.
    for target in ["/v2/_catalog", "/api/v1/whoami"] {
        token.get(target).await.expect(401);
    }
}

async fn furnished() -> House {
    let house = house().await.with_user("alice").await.with_user("bob").await;
    let root = house.root_manager().await;
    for name in NAMES {
        house.root().push_image(name, "v1").await;
    }
    root.post("/api/v1/groups", &json!({"name": "ops"})).await.expect(201);
    root.put("/api/v1/groups/ops/users/alice", &json!({})).await.expect(204);
    for (name, holder) in [("own", "users/alice"), ("group", "groups/ops")] {
        root.post("/api/v1/policies", &json!({"name": name, "document": document(&[])})).await.expect(201);
        root.put(&format!("/api/v1/{holder}/policies/{name}"), &json!({})).await.expect(204);
    }
    drop(root);
    house
}

#[test]
fn issued_is_within_asked_and_allowed() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let house = runtime.block_on(furnished());
    let root = runtime.block_on(house.root_manager());
    let from = || select(&[HERE, THERE][..]);
    let mut runner = TestRunner::new(Config { cases: 32, max_shrink_iters: 60, failure_persistence: None, ..Config::default() });
    let run = runner.run(&(rules(), rules(), asked(), from(), from()), |(before, after, asked, one, two)| {
        runtime.block_on(case(&house, &root, &before, &after, &asked, [one, two]));
        Ok(())
    });
    run.unwrap();
}

/// The property says little when next to nothing is ever allowed.
#[test]
fn much_is_asked_that_is_allowed_and_much_that_is_not() {
    let mut runner = TestRunner::deterministic();
    let (mut yes, mut no) = (0, 0);
    for _ in 0..200 {
        let (rules, asked) = (rules(), asked()).new_tree(&mut runner).unwrap().current();
        for asked in &asked {
            for action in ACTIONS.iter().filter(|action| asked.means(action)) {
                let allowed = rules.allow(action, asked.name, HERE);
                (yes, no) = (yes + usize::from(allowed), no + usize::from(!allowed));
            }
        }
    }
    assert!(yes > 100 && no > 100, "{yes} allowed, {no} not");
}
