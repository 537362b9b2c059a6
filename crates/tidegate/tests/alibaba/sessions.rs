//! What ends with a session: a house on a real listener, whose clock the test moves.

use std::path::Path;
use std::sync::Arc;

use model::{Seconds, Timestamp};
use serde_json::{Value, json};
use testkit::{AccessKey, House, NOW};
use tokio::runtime::Runtime;

use crate::cloud::{SEED_ACTIONS, policy};
use crate::sdk::{Kind, Sdk};
use crate::support::house::text;
use crate::support::peer;
use crate::support::program::Program;

fn sdk(address: &str, home: &Path, key: &Value) -> Sdk {
    let mut settings = json!({ "endpoint": address, "protocol": "http", "ca": null });
    settings.as_object_mut().unwrap().extend(key.as_object().unwrap().clone());
    Sdk::start(Kind::TeaV3, home, &settings, None)
}

fn settings(key: &AccessKey) -> Value {
    json!({ "id": key.id, "secret": key.secret, "token": key.token })
}

/// The house, its clock at the present, since clients sign by theirs.
fn house(runtime: &Runtime) -> (Arc<House>, String) {
    let now = Timestamp::from_seconds(i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap());
    runtime.block_on(async {
        let house = Arc::new(testkit::house().await);
        house.advance(Seconds(now.seconds() - NOW.seconds())).await;
        let address = house.listen().await.to_string();
        (house, address)
    })
}

/// A user who may assume the role `ci`, and the session of it that she gets for a quarter of an hour.
fn session(address: &str, home: &Path, root: &AccessKey) -> Value {
    let mut root = sdk(address, home, &settings(root));
    root.ok("ram", "CreateUser", &json!({ "UserName": "caller" }));
    let key = root.ok("ram", "CreateAccessKey", &json!({ "UserName": "caller" }))["AccessKey"].clone();
    let account = text(&root.ok("sts", "GetCallerIdentity", &json!({}))["AccountId"]);
    for (name, actions) in [("may-assume", ["sts:AssumeRole"].as_slice()), ("registry", SEED_ACTIONS.as_slice())] {
        root.ok("ram", "CreatePolicy", &json!({ "PolicyName": name, "PolicyDocument": policy(actions).to_string() }));
    }
    let trust = json!({
        "Version": "1",
        "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "RAM": [format!("acs:ram::{account}:user/caller")] } }],
    });
    let role = root.ok("ram", "CreateRole", &json!({ "RoleName": "ci", "AssumeRolePolicyDocument": trust.to_string() }));
    root.ok("ram", "AttachPolicyToUser", &json!({ "PolicyType": "Custom", "PolicyName": "may-assume", "UserName": "caller" }));
    root.ok("ram", "AttachPolicyToRole", &json!({ "PolicyType": "Custom", "PolicyName": "registry", "RoleName": "ci" }));
    let caller = json!({ "id": key["AccessKeyId"], "secret": key["AccessKeySecret"], "token": null });
    let wanted = json!({ "RoleArn": role["Role"]["Arn"], "RoleSessionName": "s1", "DurationSeconds": 900 });
    sdk(address, home, &caller).ok("sts", "AssumeRole", &wanted)["Credentials"].clone()
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn a_login_ends_with_the_session_that_asked_for_it() {
    let runtime = Runtime::new().unwrap();
    let (house, address) = house(&runtime);
    let home = tempfile::tempdir().unwrap();
    let given = session(&address, home.path(), &house.root_key());
    let key = json!({ "id": given["AccessKeyId"], "secret": given["AccessKeySecret"], "token": given["SecurityToken"] });
    let mut role = sdk(&address, home.path(), &key);
    let instance = house.bootstrap.instance.id.to_string();
    let token = role.ok("cr", "GetAuthorizationToken", &json!({ "InstanceId": instance }));
    let end = Timestamp::parse(given["Expiration"].as_str().unwrap()).unwrap();
    let life = end.millis() - token["ExpireTime"].as_i64().unwrap();
    assert!((0..1000).contains(&life), "the token ends when the session does, {life} ms apart");

    let config = home.path().join("docker");
    let crane = Program::new(peer("crane"), home.path()).with("DOCKER_CONFIG", config.to_str().unwrap());
    let password = text(&token["AuthorizationToken"]);
    crane.piped(&["auth", "login", &address, "--username", "cr_temp_user", "--password-stdin"], &password).ok();
    std::fs::write(home.path().join("file"), "hello").unwrap();
    let image = format!("{address}/demo/app:1");
    crane.run(&["append", "--new_layer", home.path().join("file").to_str().unwrap(), "--new_tag", &image]).ok();
    runtime.block_on(house.advance(Seconds(840)));
    crane.run(&["manifest", &image]).ok();
    runtime.block_on(house.advance(Seconds(61)));
    crane.run(&["manifest", &image]).refused(&["UNAUTHORIZED"]);
    // The programs have taken some seconds by now, so that the clocks are less than a quarter of an hour apart.
    role.refused("cr", "GetAuthorizationToken", &json!({ "InstanceId": instance }), "InvalidSecurityToken.Expired");
    runtime.block_on(house.advance(Seconds(60)));
    role.refused("cr", "GetAuthorizationToken", &json!({ "InstanceId": instance }), "InvalidTimeStamp.Expired");
}
