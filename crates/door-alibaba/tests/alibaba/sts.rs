//! What the tests need to know of sts.

use testkit::{Client, House};

/// Whom the role `ship` trusts: `admin`, and whoever the issuer `corp` says is `ci`.
fn trust(house: &House) -> String {
    let account = house.bootstrap.account;
    serde_json::json!({"Version": "1", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"RAM": [format!("acs:ram::{account}:user/admin")]}},
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Federated": [format!("acs:ram::{account}:oidc-provider/corp")]},
         "Condition": {"StringEquals": {"oidc:aud": "registry", "oidc:sub": "ci"}}},
    ]})
    .to_string()
}

/// What of the product is in the house.
pub(crate) async fn furnish(house: &House, root: &Client<'_>) {
    let role = serde_json::json!({ "name": "ship", "trust_policy": trust(house), "max_session": 7200 });
    root.post("/api/v1/roles", &role).await.expect(201);
}

/// Open to whoever has signed, or to oneself; named on purpose.
pub(crate) const WITHOUT_RIGHT: &[&str] = &["GetCallerIdentity"];

/// Parameters with which an action is done in the house of `walk`. An action that is missing here fails the tests.
pub(crate) fn parameters(house: &House, action: &str) -> Vec<(&'static str, String)> {
    let account = house.bootstrap.account;
    let role = || ("RoleArn", format!("acs:ram::{account}:role/ship"));
    match action {
        "AssumeRole" => vec![role(), ("RoleSessionName", "build-7".into())],
        "AssumeRoleWithOIDC" => vec![
            role(),
            ("OIDCProviderArn", format!("acs:ram::{account}:oidc-provider/corp")),
            ("OIDCToken", "x.y.z".into()),
            ("RoleSessionName", "build-7".into()),
        ],
        "GetCallerIdentity" => vec![],
        other => panic!("{other} takes parameters: say here which"),
    }
}

/// What a parameter names that is not there.
pub(crate) fn elsewhere(name: &str) -> Option<&'static str> {
    match name {
        "RoleArn" => Some("acs:ram::1000000000000000:role/nosuch"),
        _ => None,
    }
}
