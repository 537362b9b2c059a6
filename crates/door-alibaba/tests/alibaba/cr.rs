//! What the tests need to know of cr, and its stories, one file a group of actions.

mod endpoints;
mod instances;
mod lifecycle;
mod namespaces;
mod repositories;
mod tags;
mod types;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use model::{InstanceId, NamespaceId, NamespaceName, RepositoryName, RetentionRuleId, Timestamp};
use serde_json::{Value, json};
use testkit::{Alibaba, Client, House, Product};

/// What of the product is in the house: an image, a namespace with nothing in it, an instance besides the first one, an access list
/// that lets everybody in, and a private endpoint.
pub(crate) async fn furnish(house: &House, root: &Client<'_>) {
    house.root().push_image("demo/app", "v1").await;
    root.post("/api/v1/instances/local/namespaces", &json!({"name": "empty"})).await.expect(201);
    root.post("/api/v1/instances", &json!({"name": "prod", "region": "cn-shanghai", "hosts": ["prod.example"]})).await.expect(201);
    root.post("/api/v1/instances/local/endpoints", &json!({"network": "lab"})).await.expect(201);
    for block in ["0.0.0.0/0", "10.9.0.0/16"] {
        let entry = json!({"cidr": block, "comment": "tests", "force": true});
        root.post("/api/v1/instances/local/endpoints/public/entries", &entry).await.expect(201);
    }
    let rules = json!({"rules": [{"keep_newest": 30, "keep_tags": "release-*", "repositories": "app", "schedule": "weekly"}]});
    root.put("/api/v1/instances/local/namespaces/demo/retention", &rules).await.expect(200);
}

/// Open to whoever has signed, or to oneself; named on purpose.
pub(crate) const WITHOUT_RIGHT: &[&str] = &["ResetLoginPassword"];

/// The id of a repository in the first instance. (SQLite is read in place: nothing is waited for.)
pub(crate) fn repository_id(house: &House, name: &str) -> String {
    let name = RepositoryName::parse(name).unwrap();
    let read = pin!(house.store.read(|tx| Box::pin(store::repository::by_name(tx, house.bootstrap.instance.id, &name))));
    match read.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(found) => {
            found.unwrap().map_or_else(|| "crr-0123456789abcdef".to_owned(), |found: store::repository::Repository| found.id.to_string())
        }
        Poll::Pending => panic!("SQLite is read in place"),
    }
}

/// The id of the one rule of retention in the first instance.
pub(crate) fn rule_id(house: &House) -> String {
    let instance = house.bootstrap.instance.id;
    let read = pin!(house.store.read(|tx| Box::pin(store::retention::list(tx, instance, "", 1))));
    let Poll::Ready(found) = read.poll(&mut Context::from_waker(Waker::noop())) else { panic!("SQLite is read in place") };
    let found: Vec<(NamespaceId, NamespaceName, String, Timestamp)> = found.unwrap();
    let Some((namespace, _, text, _)) = found.first() else { return "cralr-0123456789abcdef00000001".to_owned() };
    let rules: Value = serde_json::from_str(text).unwrap();
    let number = rules[0]["number"].as_u64().and_then(|number| u32::try_from(number).ok()).unwrap();
    RetentionRuleId { namespace: *namespace, number }.to_string()
}

/// Parameters with which an action is done in the house of `walk`. An action that is missing here fails the tests.
pub(crate) fn parameters(house: &House, action: &str) -> Vec<(&'static str, String)> {
    let instance = ("InstanceId", house.bootstrap.instance.id.to_string());
    let repository = ("RepoId", repository_id(house, "demo/app"));
    let rest: &[(&str, &str)] = match action {
        "GetInstanceCount" | "ListInstanceRegion" => return Vec::new(),
        "ListInstance" => return vec![("PageSize", "100".into())],
        "GetInstance"
        | "GetInstanceUsage"
        | "GetAuthorizationToken"
        | "ListInstanceEndpoint"
        | "GetInstanceVpcEndpoint"
        | "ListNamespace"
        | "ListRepository"
        | "ListArtifactLifecycleRule" => &[],
        "ResetLoginPassword" => &[("Password", "correct-horse-8")],
        "GetInstanceEndpoint" => &[("EndpointType", "internet")],
        "UpdateInstanceEndpointStatus" => &[("EndpointType", "internet"), ("Enable", "True")],
        "CreateInstanceEndpointAclPolicy" => &[("EndpointType", "internet"), ("Entry", "192.168.1.1/32"), ("Comment", "office")],
        "DeleteInstanceEndpointAclPolicy" => &[("EndpointType", "internet"), ("Entry", "10.9.0.0/16")],
        "CreateInstanceVpcEndpointLinkedVpc" => &[("VpcId", "office"), ("VswitchId", "vsw-1")],
        "DeleteInstanceVpcEndpointLinkedVpc" => &[("VpcId", "lab"), ("VswitchId", "vsw-1")],
        "CreateNamespace" => &[("NamespaceName", "new"), ("AutoCreateRepo", "True"), ("DefaultRepoType", "PUBLIC")],
        "UpdateNamespace" => &[("NamespaceName", "demo"), ("AutoCreateRepo", "False"), ("DefaultRepoType", "PRIVATE")],
        "GetNamespace" => &[("NamespaceName", "demo")],
        "DeleteNamespace" => &[("NamespaceName", "empty")],
        "CreateRepository" => &[("RepoNamespaceName", "empty"), ("RepoName", "new"), ("RepoType", "PRIVATE"), ("Summary", "new")],
        "CreateRepoTag" => &[("NamespaceName", "demo"), ("RepoName", "app"), ("FromTag", "v1"), ("ToTag", "v2")],
        "UpdateRepository" => {
            return with([instance, repository], &[("RepoType", "PUBLIC"), ("Summary", "changed"), ("Detail", "at length")]);
        }
        "GetRepository" | "DeleteRepository" | "ListRepoTag" => return with([instance, repository], &[]),
        "GetRepoTag" | "DeleteRepoTag" | "GetRepoTagManifest" | "GetRepoTagLayers" => {
            return with([instance, repository], &[("Tag", "v1")]);
        }
        "CreateArtifactLifecycleRule" => &LIFECYCLE,
        "UpdateArtifactLifecycleRule" => return with([instance, ("RuleId", rule_id(house))], &LIFECYCLE),
        "GetArtifactLifecycleRule" | "DeleteArtifactLifecycleRule" => return with([instance, ("RuleId", rule_id(house))], &[]),
        other => panic!("{other} takes parameters: say here which"),
    };
    with([instance], rest)
}

fn with<const N: usize>(first: [(&'static str, String); N], rest: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    first.into_iter().chain(rest.iter().map(|(name, value)| (*name, (*value).to_owned()))).collect()
}

/// What is said of a rule.
const LIFECYCLE: [(&str, &str); 9] = [
    ("NamespaceName", "demo"),
    ("RepoName", "app"),
    ("Scope", "REPO"),
    ("Auto", "True"),
    ("ScheduleTime", "WEEK"),
    ("EnableDeleteTag", "True"),
    ("EnableDeleteUntaggedManifest", "False"),
    ("RetentionTagCount", "10"),
    ("TagRegexp", "v1\\..*"),
];

/// What a parameter names that is not there.
pub(crate) fn elsewhere(name: &str) -> Option<&'static str> {
    match name {
        "InstanceId" => Some("cri-0123456789abcdef"),
        "RepoId" => Some("crr-0123456789abcdef"),
        "RuleId" => Some("cralr-0123456789abcdef00000001"),
        "NamespaceName" | "RepoNamespaceName" => Some("nosuch"),
        _ => None,
    }
}

/// What an action of cr says, called of the first instance.
async fn asked(client: &Alibaba<'_>, house: &House, action: &str, parameters: &[(&str, &str)]) -> Value {
    asked_of(client, house.bootstrap.instance.id, action, parameters).await
}

async fn asked_of(client: &Alibaba<'_>, instance: InstanceId, action: &str, parameters: &[(&str, &str)]) -> Value {
    let id = instance.to_string();
    let all: Vec<_> = [("InstanceId", id.as_str())].into_iter().chain(parameters.iter().copied()).collect();
    client.call(Product::Cr, action, &all).await.json()
}

/// The code that an answer carries.
fn code(answer: &Value) -> &str {
    answer["Code"].as_str().unwrap()
}

/// One field of each member of a list, in one line.
fn column(answer: &Value, list: &str, field: &str) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    answer[list].as_array().unwrap().iter().map(|one| text(&one[field])).collect::<Vec<_>>().join(" ")
}
