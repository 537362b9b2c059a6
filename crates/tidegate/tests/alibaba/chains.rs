//! The vendor's credential chains: who asks STS first, and calls with what it was given.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cloud::{Cloud, SEED_ACTIONS, policy};
use crate::provider::Provider;
use crate::sdk::Kind;
use crate::support::api::Key;
use crate::support::house::text;
use crate::support::wait_until;

/// A role with the rights of the vendor's page, trusting whom the statement says.
fn role(cloud: &Cloud, name: &str, statement: &Value) -> String {
    let mut sdk = cloud.sdk(Kind::TeaV3, &cloud.root_key());
    let trust = json!({ "Version": "1", "Statement": [statement] });
    let made = sdk.ok("ram", "CreateRole", &json!({ "RoleName": name, "AssumeRolePolicyDocument": trust.to_string() }));
    let document = policy(&SEED_ACTIONS).to_string();
    sdk.ok("ram", "CreatePolicy", &json!({ "PolicyName": "registry", "PolicyDocument": document }));
    sdk.ok("ram", "AttachPolicyToRole", &json!({ "PolicyType": "Custom", "PolicyName": "registry", "RoleName": name }));
    let arn = text(&made["Role"]["Arn"]);
    assert_eq!(arn, format!("acs:ram::{}:role/{name}", cloud.account()));
    arn
}

/// The role `ci`, which everybody of the account may assume who is allowed to.
fn role_of_the_account(cloud: &Cloud) -> String {
    let whole = format!("acs:ram::{}:root", cloud.account());
    role(cloud, "ci", &json!({ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "RAM": [whole] } }))
}

/// Whoever the credential makes one has this name, and gets a token.
fn is(cloud: &Cloud, kind: Kind, instance: &str, credential: &Value, arn: &str) {
    let mut sdk = cloud.sdk_with(kind, credential.clone());
    assert_eq!(
        sdk.ok("sts", "GetCallerIdentity", &json!({}))["Arn"],
        format!("acs:ram::{}:{arn}", cloud.account()),
        "{kind:?} {credential}"
    );
    assert_eq!(sdk.ok("cr", "GetAuthorizationToken", &json!({ "InstanceId": instance }))["TempUsername"], "cr_temp_user");
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn an_assumed_role_calls_through_every_sdk() {
    let cloud = Cloud::start();
    let instance = cloud.instance();
    let arn = role_of_the_account(&cloud);
    let caller = cloud.user("caller", &["sts:AssumeRole"]);
    let who = format!("acs:ram::{}:assumed-role/ci/session", cloud.account());
    for kind in Kind::ALL {
        let made = cloud.sdk(kind, &caller).ok("sts", "AssumeRole", &json!({ "RoleArn": arn, "RoleSessionName": "session" }));
        assert_eq!(made["AssumedRoleUser"]["Arn"], format!("{arn}/session"), "{kind:?}");
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
    let arn = role_of_the_account(&cloud);
    let caller = cloud.user("caller", &["sts:AssumeRole"]);
    let credential = json!({
        "type": "ram_role_arn", "access_key_id": caller.id, "access_key_secret": caller.secret, "role_arn": arn,
        "role_session_name": "chain", "sts_endpoint": cloud.house.address,
    });
    for kind in [Kind::TeaV3, Kind::TeaV2] {
        is(&cloud, kind, &instance, &json!({ "credential": credential }), "assumed-role/ci/chain");
    }
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn the_chain_of_an_id_token_asks_sts_over_tls() {
    let cloud = Cloud::start_with_tls();
    let instance = cloud.instance();
    let provider = Provider::start();
    let account = cloud.account();
    cloud.root.json(&["oidc-provider", "create", "zitadel", "--issuer", &provider.issuer, "--allow-internal"]);
    let client = json!({ "OIDCProviderName": "zitadel", "ClientId": "web" });
    cloud.sdk(Kind::TeaV3, &cloud.root_key()).ok("ims", "AddClientIdToOIDCProvider", &client);
    let statement = json!({
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Federated": [format!("acs:ram::{account}:oidc-provider/zitadel")] },
        "Condition": { "StringEquals": { "oidc:iss": provider.issuer, "oidc:aud": "web", "oidc:sub": "id1" } },
    });
    let arn = role(&cloud, "workload", &statement);
    let token = provider.id_token("web", "secret", "test-user@localhost");
    let file = cloud.house.folder.path().join("token");
    std::fs::write(&file, &token).unwrap();
    let provider_arn = format!("acs:ram::{account}:oidc-provider/zitadel");
    let credential = json!({
        "type": "oidc_role_arn", "role_arn": arn, "oidc_provider_arn": provider_arn, "oidc_token_file_path": file, "role_session_name": "pod",
        "sts_endpoint": cloud.house.address,
    });
    is(&cloud, Kind::TeaV3, &instance, &json!({ "credential": credential }), "assumed-role/workload/pod");
    let call = |token: &str| json!({ "OIDCProviderArn": provider_arn, "RoleArn": arn, "OIDCToken": token, "RoleSessionName": "pod" });
    let nobody = Key { id: "LTAI5tNobodyHasThisOne".to_owned(), secret: "none".to_owned() };
    for kind in [Kind::TeaV3, Kind::TeaV2, Kind::TypeScriptV3] {
        // The call is not signed: its caller needs no key.
        let made = cloud.sdk(kind, &nobody).ok("sts", "AssumeRoleWithOIDC", &call(&token));
        let info = &made["OIDCTokenInfo"];
        assert_eq!(
            (&info["Subject"], &info["Issuer"], &info["VerificationInfo"]),
            (&json!("id1"), &json!(provider.issuer), &json!("Success"))
        );
        let other = provider.id_token("web", "secret", "test-user2");
        cloud.sdk(kind, &nobody).refused("sts", "AssumeRoleWithOIDC", &call(&other), "AuthenticationFail.NoPermission");
    }
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn keys_come_from_the_environment_a_session_and_a_command() {
    let cloud = Cloud::start();
    let instance = cloud.instance();
    let arn = role_of_the_account(&cloud);
    let key = cloud.user("caller", &["sts:AssumeRole", "cr:GetAuthorizationToken"]);
    let environment = json!({ "ALIBABA_CLOUD_ACCESS_KEY_ID": key.id, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": key.secret });
    is(&cloud, Kind::TeaV3, &instance, &json!({ "credential": "default", "environment": environment }), "user/caller");
    let made = cloud.sdk(Kind::TeaV3, &key).ok("sts", "AssumeRole", &json!({ "RoleArn": arn, "RoleSessionName": "s1" }));
    let session = &made["Credentials"];
    let sts = json!({
        "type": "sts", "access_key_id": session["AccessKeyId"], "access_key_secret": session["AccessKeySecret"],
        "security_token": session["SecurityToken"],
    });
    is(&cloud, Kind::TeaV3, &instance, &json!({ "credential": sts }), "assumed-role/ci/s1");
    external(&cloud, session);
    is(&cloud, Kind::TeaV3, &instance, &json!({ "credential": "default" }), "assumed-role/ci/s1");
}

/// The vendor's profile file, whose profile gets its key from a command.
fn external(cloud: &Cloud, session: &Value) {
    let home = cloud.house.folder.path();
    let command = home.join("give-key");
    let printed = json!({
        "mode": "StsToken", "access_key_id": session["AccessKeyId"], "access_key_secret": session["AccessKeySecret"],
        "sts_token": session["SecurityToken"], "expiration": session["Expiration"],
    });
    std::fs::write(&command, format!("#!/bin/sh\ncat <<'END'\n{printed}\nEND\n")).unwrap();
    std::fs::set_permissions(&command, std::fs::Permissions::from_mode(0o700)).unwrap();
    let profile = json!({ "current": "p", "profiles": [{ "name": "p", "mode": "External", "process_command": command }] });
    std::fs::create_dir_all(home.join(".aliyun")).unwrap();
    std::fs::write(home.join(".aliyun/config.json"), profile.to_string()).unwrap();
}

/// `tidegate role serve` is what `ALIBABA_CLOUD_CREDENTIALS_URI` names: the one way to a session's keys over plain HTTP.
#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn keys_come_from_a_url() {
    let cloud = Cloud::start();
    let instance = cloud.instance();
    role_of_the_account(&cloud);
    let fetcher = cloud.root.new_user("fetcher");
    cloud.root.grant("fetcher", "may-fetch", &policy(&["sts:AssumeRole"]));
    let log = cloud.house.folder.path().join("desk.log");
    let desk = fetcher.start(&["role", "serve", "ci", "--session-name", "desk"], &log);
    let mut url = None;
    wait_until("the desk says where it is", Duration::from_secs(10), || {
        let said = desk.log();
        url = said.split_once(r#""uri":""#).and_then(|(_, rest)| rest.split_once('"')).map(|(url, _)| url.to_owned());
        url.is_some()
    });
    let url = url.unwrap();
    let credential = json!({ "type": "credentials_uri", "credentials_uri": url });
    is(&cloud, Kind::TeaV3, &instance, &json!({ "credential": credential }), "assumed-role/ci/desk");
    let environment = json!({ "ALIBABA_CLOUD_CREDENTIALS_URI": url });
    is(&cloud, Kind::TeaV3, &instance, &json!({ "credential": "default", "environment": environment }), "assumed-role/ci/desk");
}
