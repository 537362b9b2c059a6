//! Nothing forgotten: every action of the table, tried by nobody, by somebody without any right, by another account, and with each of
//! its parameters missing.

use http::StatusCode;
use model::Seconds;
use testkit::alibaba_operations::{Needs, Operation, operations};
use testkit::{AccessKey, House, Product, house};

/// A house with something of every kind, and whoever may do everything in it.
pub(crate) async fn lived_in() -> (House, AccessKey) {
    let house = house().await.with_user("alice").await.with_user("admin").await;
    let root = house.root_manager().await;
    root.put("/api/v1/users/admin/policies/AdministratorAccess", &serde_json::json!({})).await.expect(204);
    let key = house.access_key("admin").await;
    (house, key)
}

/// Parameters with which an action is done in that house. An action that is missing here fails the tests.
pub(crate) fn parameters(house: &House, operation: &Operation) -> Vec<(&'static str, String)> {
    let instance = || ("InstanceId", house.bootstrap.instance.id.to_string());
    match (operation.product, operation.name) {
        (Product::Cr, "GetInstance" | "GetAuthorizationToken") => vec![instance()],
        (Product::Cr, "ResetLoginPassword") => vec![instance(), ("Password", "correct-horse-8".into())],
        (Product::Ram, name) => crate::ram::parameters(name),
        (Product::Sts, "GetCallerIdentity") => vec![],
        other => panic!("{other:?} takes parameters: say here which"),
    }
}

/// The same, once what they speak of is there.
pub(crate) async fn prepared(house: &House, operation: &Operation) -> Vec<(&'static str, String)> {
    let parameters = parameters(house, operation);
    match operation.product {
        Product::Ram => crate::ram::prepared(house, operation.name, parameters).await,
        _ => parameters,
    }
}

/// What is open to whoever has signed, and what everybody may do to themselves, named on purpose.
const WITHOUT_RIGHT: [&str; 2] = ["GetCallerIdentity", "ResetLoginPassword"];

fn pairs<'p>(parameters: &'p [(&'static str, String)]) -> Vec<(&'p str, &'p str)> {
    parameters.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[tokio::test]
async fn each_action_is_done_for_whoever_may() {
    for operation in operations() {
        let (house, key) = lived_in().await;
        let parameters = prepared(&house, operation).await;
        for client in [house.alibaba(&key), house.alibaba(&key).v1(), house.alibaba(&key).by_get()].into_iter().take(1) {
            let reply = client.call(operation.product, operation.name, &pairs(&parameters)).await.expect(200);
            assert_ne!(reply.json().get("IsSuccess").and_then(serde_json::Value::as_bool), Some(false), "{}: {:?}", operation.name, reply.json());
        }
    }
}

#[tokio::test]
async fn nobody_may_anything_that_wants_a_signature() {
    let (house, _) = lived_in().await;
    for operation in operations().filter(|o| !matches!(o.needs, Needs::Nothing(_))) {
        let parameters = prepared(&house, operation).await;
        let reply = house.alibaba_anon().call(operation.product, operation.name, &pairs(&parameters)).await.expect(400);
        assert_eq!(reply.text("Code"), "MissingAccessKeyId", "{}", operation.name);
    }
}

#[tokio::test]
async fn somebody_without_a_right_may_nothing_and_learns_nothing() {
    let (house, _) = lived_in().await;
    let house = house.with_user("eve").await;
    let eve = house.alibaba(&house.access_key("eve").await);
    for operation in operations().filter(|o| !matches!(o.needs, Needs::Nothing(_)) && !WITHOUT_RIGHT.contains(&o.name)) {
        let parameters = prepared(&house, operation).await;
        house.advance(Seconds(1)).await;
        let reply = eve.call(operation.product, operation.name, &pairs(&parameters)).await;
        assert_eq!((reply.status, reply.text("Code").as_str()), (StatusCode::FORBIDDEN, "NoPermission"), "{}", operation.name);
        assert!(reply.json()["AccessDeniedDetail"]["EncodedDiagnosticMessage"].is_string(), "{}", operation.name);
        // What is not there is refused in the same words.
        let absent: Vec<_> = parameters.iter().map(|(name, value)| (*name, elsewhere(value))).collect();
        let other = eve.call(operation.product, operation.name, &pairs(&absent)).await;
        assert_eq!((other.status, other.text("Code")), (reply.status, reply.text("Code")), "{}", operation.name);
    }
}

/// The same, of something that is not there.
fn elsewhere(value: &str) -> String {
    match value {
        id if id.starts_with("cri-") => "cri-0123456789abcdef".into(),
        "alice" | "readers" | "deploy" | "pulls" | "writes" => "nosuch".into(),
        other => other.into(),
    }
}

#[tokio::test]
async fn another_account_s_things_are_not_there() {
    let (house, _) = lived_in().await;
    let house = house.with_account("globex").await;
    let stranger = house.account("globex").root_key();
    for operation in operations().filter(|o| !matches!(o.needs, Needs::Nothing(_) | Needs::Caller(_))) {
        let parameters = prepared(&house, operation).await;
        house.advance(Seconds(1)).await;
        let Some((name, there)) = parameters.iter().find(|(_, value)| elsewhere(value) != **value) else { continue };
        let call = async |value: &str| {
            let changed: Vec<_> = parameters.iter().map(|(n, v)| (*n, if n == name { value } else { v.as_str() })).collect();
            let reply = house.alibaba(&stranger).call(operation.product, operation.name, &changed).await;
            (reply.status, reply.text("Code"), reply.text("Message"))
        };
        let (theirs, nobody_s) = (call(there).await, call(&elsewhere(there)).await);
        assert_eq!(theirs, nobody_s, "{}", operation.name);
        assert_ne!(theirs.1, "success", "{}", operation.name);
    }
}

#[tokio::test]
async fn each_parameter_that_must_be_there_is_missed_by_name() {
    let (house, key) = lived_in().await;
    let client = house.alibaba(&key);
    for operation in operations() {
        let parameters = prepared(&house, operation).await;
        house.advance(Seconds(1)).await;
        for missing in operation.required {
            let rest: Vec<_> = pairs(&parameters).into_iter().filter(|(name, _)| name != missing).collect();
            let reply = client.call(operation.product, operation.name, &rest).await.expect(400);
            assert_eq!(reply.text("Code"), format!("Missing{missing}"), "{}", operation.name);
            assert_eq!(reply.text("Message"), format!("{missing} is mandatory for this action."));
        }
    }
}
