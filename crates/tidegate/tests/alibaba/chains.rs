//! The vendor's credential chains: who asks STS first, and calls with what it was given.

use serde_json::json;

use crate::cloud::{Cloud, SEED_ACTIONS, policy};
use crate::sdk::Kind;
use crate::support::api::Key;
use crate::support::house::text;

/// The role `ci`, which `caller` of the same account may assume, with the rights of the vendor's page.
fn role(cloud: &Cloud, root: &Key) -> String {
    let mut sdk = cloud.sdk(Kind::TeaV3, root);
    let trust = json!({
        "Version": "1",
        "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "RAM": [format!("acs:ram::{}:root", cloud.account())] } }],
    });
    let made = sdk.ok("ram", "CreateRole", &json!({ "RoleName": "ci", "AssumeRolePolicyDocument": trust.to_string() }));
    let document = policy(&SEED_ACTIONS).to_string();
    sdk.ok("ram", "CreatePolicy", &json!({ "PolicyName": "registry", "PolicyDocument": document }));
    sdk.ok("ram", "AttachPolicyToRole", &json!({ "PolicyType": "Custom", "PolicyName": "registry", "RoleName": "ci" }));
    text(&made["Role"]["Arn"])
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn an_assumed_role_calls_through_every_sdk() {
    let cloud = Cloud::start();
    let instance = cloud.instance();
    let arn = role(&cloud, &cloud.root_key());
    let caller = cloud.user("caller", &["sts:AssumeRole"]);
    let who = format!("acs:ram::{}:assumed-role/ci/session", cloud.account());
    for kind in Kind::ALL {
        let made = cloud.sdk(kind, &caller).ok("sts", "AssumeRole", &json!({ "RoleArn": arn, "RoleSessionName": "session" }));
        assert_eq!(made["AssumedRoleUser"]["Arn"], who, "{kind:?}");
        assert!(text(&made["Credentials"]["AccessKeyId"]).starts_with("STS."));
        let mut session = cloud.sdk_of_session(kind, &made["Credentials"]);
        assert_eq!(session.ok("sts", "GetCallerIdentity", &json!({}))["Arn"], who, "{kind:?}");
        let token = session.ok("cr", "GetAuthorizationToken", &json!({ "InstanceId": instance }));
        cloud.house.bearer("cr_temp_user", &text(&token["AuthorizationToken"]), "repository:demo/app:pull");
    }
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn the_chain_of_a_role_asks_sts_over_tls() {
    let cloud = Cloud::start_with_tls();
    let instance = cloud.instance();
    let arn = role(&cloud, &cloud.root_key());
    let caller = cloud.user("caller", &["sts:AssumeRole"]);
    let credential = json!({
        "type": "ram_role_arn", "access_key_id": caller.id, "access_key_secret": caller.secret, "role_arn": arn,
        "role_session_name": "chain", "sts_endpoint": cloud.house.address,
    });
    for kind in [Kind::TeaV3, Kind::TeaV2] {
        let mut sdk = cloud.sdk_with(kind, json!({ "credential": credential }));
        let who = sdk.ok("sts", "GetCallerIdentity", &json!({}));
        assert_eq!(who["Arn"], format!("acs:ram::{}:assumed-role/ci/chain", cloud.account()));
        assert_eq!(sdk.ok("cr", "GetAuthorizationToken", &json!({ "InstanceId": instance }))["TempUsername"], "cr_temp_user");
    }
}
