//! Nothing forgotten: every action of the table, tried by nobody, by somebody without any right, by another account, and with each of
//! its parameters missing.

use http::StatusCode;
use model::Seconds;
use testkit::alibaba_operations::{Needs, Operation, operations};
use testkit::{AccessKey, House, Product, house};

use crate::{cr, ims, ram, sts};

/// A house with something of every kind, and whoever may do everything in it.
pub(crate) async fn lived_in() -> (House, AccessKey) {
    let house = house().await;
    let root = house.root_manager().await;
    for name in ["alice", "admin"] {
        root.post("/api/v1/users", &serde_json::json!({ "name": name })).await.expect(201);
    }
    root.put("/api/v1/users/admin/policies/AdministratorAccess", &serde_json::json!({})).await.expect(204);
    cr::furnish(&house, &root).await;
    ram::furnish(&house, &root).await;
    ims::furnish(&house, &root).await;
    sts::furnish(&house, &root).await;
    let key = house.access_key("admin").await;
    (house, key)
}

/// Parameters with which an action is done in that house.
pub(crate) fn parameters(house: &House, operation: &Operation) -> Vec<(&'static str, String)> {
    match operation.product {
        Product::Cr => cr::parameters(house, operation.name),
        Product::Ram => ram::parameters(house, operation.name),
        Product::Sts => sts::parameters(house, operation.name),
        Product::Ims => ims::parameters(house, operation.name),
    }
}

/// Does it change nothing?
pub(crate) fn reads(operation: &Operation) -> bool {
    ["Get", "List", "Decode"].iter().any(|verb| operation.name.starts_with(verb))
}

/// A parameter's value in place of which another names something that is not there.
fn elsewhere(operation: &Operation, name: &str, value: &str) -> String {
    let absent = match operation.product {
        Product::Cr => cr::elsewhere(name),
        Product::Ram => ram::elsewhere(name),
        Product::Sts => sts::elsewhere(name),
        Product::Ims => ims::elsewhere(name),
    };
    absent.unwrap_or(value).to_owned()
}

/// Is it open to whoever has signed, or is it what everybody may do to themselves?
fn is_open(operation: &Operation) -> bool {
    [cr::WITHOUT_RIGHT, ram::WITHOUT_RIGHT, sts::WITHOUT_RIGHT, ims::WITHOUT_RIGHT].iter().any(|all| all.contains(&operation.name))
}

fn pairs<'p>(parameters: &'p [(&'static str, String)]) -> Vec<(&'p str, &'p str)> {
    parameters.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[tokio::test]
async fn each_action_is_done_for_whoever_may() {
    // A token of an issuer is not made up: `oidc` has it.
    let shared = lived_in().await;
    for operation in operations().filter(|o| o.name != "AssumeRoleWithOIDC") {
        let own = if reads(operation) { None } else { Some(lived_in().await) };
        let (house, key) = own.as_ref().unwrap_or(&shared);
        let parameters = parameters(house, operation);
        let reply = house.alibaba(key).v1().by_get().call(operation.product, operation.name, &pairs(&parameters)).await.expect(200);
        assert_ne!(reply.json().get("IsSuccess"), Some(&serde_json::json!(false)), "{}: {:?}", operation.name, reply.json());
    }
}

#[tokio::test]
async fn nobody_may_anything_that_wants_a_signature() {
    let (house, _) = lived_in().await;
    for operation in operations().filter(|o| !matches!(o.needs, Needs::Nothing(_))) {
        let parameters = parameters(&house, operation);
        let reply = house.alibaba_anon().call(operation.product, operation.name, &pairs(&parameters)).await.expect(400);
        assert_eq!(reply.text("Code"), "MissingAccessKeyId", "{}", operation.name);
    }
}

#[tokio::test]
async fn somebody_without_a_right_may_nothing_and_learns_nothing() {
    let (house, _) = lived_in().await;
    let house = house.with_user("eve").await;
    let eve = house.alibaba(&house.access_key("eve").await);
    for operation in operations().filter(|o| !matches!(o.needs, Needs::Nothing(_)) && !is_open(o)) {
        let parameters = parameters(&house, operation);
        house.advance(Seconds(1)).await;
        let reply = eve.call(operation.product, operation.name, &pairs(&parameters)).await;
        assert_eq!((reply.status, reply.text("Code").as_str()), (StatusCode::FORBIDDEN, "NoPermission"), "{}", operation.name);
        assert!(reply.json()["AccessDeniedDetail"]["EncodedDiagnosticMessage"].is_string(), "{}", operation.name);
        // What is not there is refused in the same words.
        let absent: Vec<_> = parameters.iter().map(|(name, value)| (*name, elsewhere(operation, name, value))).collect();
        let other = eve.call(operation.product, operation.name, &pairs(&absent)).await;
        assert_eq!((other.status, other.text("Code")), (reply.status, reply.text("Code")), "{}", operation.name);
    }
}

#[tokio::test]
async fn another_account_s_things_are_not_there() {
    let (house, _) = lived_in().await;
    let house = house.with_account("globex").await;
    let stranger = house.account("globex").root_key();
    // What somebody makes in their own account, they make there.
    let makes_one = |o: &Operation| o.product != Product::Cr && o.name.starts_with("Create");
    for operation in operations().filter(|o| !matches!(o.needs, Needs::Nothing(_) | Needs::Caller(_)) && !makes_one(o)) {
        let parameters = parameters(&house, operation);
        house.advance(Seconds(1)).await;
        let named = parameters.iter().find(|(name, value)| elsewhere(operation, name, value) != **value);
        let Some((name, there)) = named else { continue };
        let call = async |value: &str| {
            let changed: Vec<_> = parameters.iter().map(|(n, v)| (*n, if n == name { value } else { v.as_str() })).collect();
            let reply = house.alibaba(&stranger).call(operation.product, operation.name, &changed).await;
            (reply.status, reply.text("Code"), reply.text("Message"))
        };
        let (theirs, nobody_s) = (call(there).await, call(&elsewhere(operation, name, there)).await);
        assert_eq!(theirs, nobody_s, "{}", operation.name);
        assert_ne!(theirs.1, "success", "{}", operation.name);
    }
}

#[tokio::test]
async fn each_parameter_that_must_be_there_is_missed_by_name() {
    let (house, key) = lived_in().await;
    let client = house.alibaba(&key);
    for operation in operations() {
        let parameters = parameters(&house, operation);
        house.advance(Seconds(1)).await;
        for missing in operation.required {
            let rest: Vec<_> = pairs(&parameters).into_iter().filter(|(name, _)| name != missing).collect();
            let reply = client.call(operation.product, operation.name, &rest).await.expect(400);
            assert_eq!(reply.text("Code"), format!("Missing{missing}"), "{}", operation.name);
            assert_eq!(reply.text("Message"), format!("{missing} is mandatory for this action."));
        }
    }
}
