//! What the vendor's page "Configure access credentials" tells its reader to do, from the policy to the pull.

use serde_json::json;

use crate::cloud::{Cloud, SEED_ACTIONS};
use crate::command_line::CommandLine;
use crate::sdk::Kind;
use crate::support::docker::Docker;
use crate::support::house::text;
use crate::support::http::{Ask, basic};
use crate::support::peer;
use crate::support::program::Program;

/// `jq -r '.AuthorizationToken'`, as the page pipes.
fn jq(cloud: &Cloud, input: &str) -> String {
    let jq = Program::new(peer("jq"), &cloud.house.folder.path().join("jq"));
    jq.piped(&["-r", ".AuthorizationToken"], input).ok().out.trim_end().to_owned()
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn the_pages_own_commands_end_in_a_push_and_a_pull() {
    let cloud = Cloud::start();
    let instance = cloud.instance();
    let key = cloud.user("ram-user", &SEED_ACTIONS);
    let command = CommandLine::new(&cloud.house.address, &key);
    let printed = command.run("2018-12-01", "GetAuthorizationToken", &[("InstanceId", &instance)]).expect(200);
    let password = jq(&cloud, &printed.text());
    assert_eq!(printed.json()["TempUsername"], "cr_temp_user");
    let docker = Docker::start(cloud.house.folder.path());
    let image = format!("{}/demo/app:1", cloud.house.address);
    docker.login("cr_temp_user", &password, &cloud.house.address).ok();
    docker.push(&image).ok();
    docker.pull(&image).ok();
    // The page for the CLI prints the other spelling.
    docker.login("temp_user_cr", &password, &cloud.house.address).ok();
    docker.pull(&image).ok();
    docker.login("cr_temp_user", &format!("{password}x"), &cloud.house.address).refused(&[]);
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn a_permanent_password_that_its_user_has_set_opens_the_registry() {
    let cloud = Cloud::start();
    let instance = cloud.instance();
    let key = cloud.user("ram-user", &SEED_ACTIONS);
    let mut sdk = cloud.sdk(Kind::TeaV3, &key);
    let password = "Correct horse*7~+&%";
    let set = sdk.ok("cr", "ResetLoginPassword", &json!({ "InstanceId": instance, "Password": password }));
    assert_eq!((&set["IsSuccess"], &set["Code"]), (&json!(true), &json!("success")));
    let docker = Docker::start(cloud.house.folder.path());
    let image = format!("{}/demo/app:1", cloud.house.address);
    for user in ["ram-user".to_owned(), format!("ram-user@{}", cloud.account())] {
        docker.login(&user, password, &cloud.house.address).ok();
        docker.push(&image).ok();
        docker.pull(&image).ok();
    }
    docker.login("root", password, &cloud.house.address).refused(&[]);
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn each_of_the_three_actions_is_needed() {
    let cloud = Cloud::start();
    let instance = cloud.instance();
    let status = |user: &str, password: &str, method: &str, target: &str| {
        cloud.house.send(&Ask::new(method, target).with(&basic(user, password))).status
    };
    let token = |name: &str, actions: &[&str]| {
        let key = cloud.user(name, actions);
        let mut sdk = cloud.sdk(Kind::Core, &key);
        text(&sdk.ok("cr", "GetAuthorizationToken", &json!({ "InstanceId": instance }))["AuthorizationToken"])
    };
    let (pull, push) = ("/v2/demo/app/tags/list", "/v2/demo/app/blobs/uploads/");
    let all = token("all", &SEED_ACTIONS);
    assert_eq!(status("cr_temp_user", &all, "POST", push), 202);
    let puller = token("puller", &["cr:GetAuthorizationToken", "cr:PullRepository"]);
    assert_eq!(status("cr_temp_user", &puller, "POST", push), 403);
    let nobody = token("nobody", &["cr:GetAuthorizationToken"]);
    assert_eq!((status("cr_temp_user", &nobody, "POST", push), status("cr_temp_user", &nobody, "GET", pull)), (403, 403));
    let key = cloud.user("tokenless", &["cr:PullRepository", "cr:PushRepository"]);
    for kind in Kind::ALL {
        let error = cloud.sdk(kind, &key).fails("cr", "GetAuthorizationToken", &json!({ "InstanceId": instance }));
        assert!(["NoPrivilege", "NoPermission", "Forbidden.RAM"].iter().any(|code| error["code"] == *code), "{kind:?}: {error}");
    }
}
