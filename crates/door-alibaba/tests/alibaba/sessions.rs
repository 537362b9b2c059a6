//! Sessions of roles at the APIs, and temporary passwords that end with them.

use model::Seconds;
use testkit::{AccessKey, House, Product, Reply};

use crate::walk::lived_in;

async fn assumed(house: &House, key: &AccessKey, parameters: &[(&str, &str)]) -> Reply {
    let role = format!("acs:ram::{}:role/ship", house.bootstrap.account);
    let all: Vec<_> = [("RoleArn", role.as_str()), ("RoleSessionName", "build-7")].into_iter().chain(parameters.iter().copied()).collect();
    house.alibaba(key).call(Product::Sts, "AssumeRole", &all).await
}

fn key_of(reply: &Reply) -> AccessKey {
    let made = &reply.json()["Credentials"];
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    AccessKey { id: text("AccessKeyId"), secret: text("AccessKeySecret"), token: Some(text("SecurityToken")) }
}

#[tokio::test]
async fn a_session_s_key_is_its_role_for_a_while() {
    let (house, key) = lived_in().await;
    let reply = assumed(&house, &key, &[("DurationSeconds", "900")]).await.expect(200);
    let session = key_of(&reply);
    assert!(session.id.starts_with("STS."));
    assert_eq!(reply.json()["Credentials"]["Expiration"], "2026-01-02T03:19:05Z");
    for client in [house.alibaba(&session), house.alibaba(&session).v1()] {
        let who = client.call(Product::Sts, "GetCallerIdentity", &[]).await.expect(200).json();
        assert_eq!(who["IdentityType"], "AssumedRoleUser");
        assert_eq!(who["Arn"], format!("acs:ram::{}:assumed-role/ship/build-7", house.bootstrap.account));
        assert_eq!(who["PrincipalId"], reply.json()["AssumedRoleUser"]["AssumedRoleId"]);
        assert!(who.get("UserId").is_none());
    }
    let code = async |key: &AccessKey| {
        let reply = house.alibaba(key).call(Product::Sts, "GetCallerIdentity", &[]).await;
        (reply.status.as_u16(), reply.text("Code"))
    };
    let without = AccessKey { token: None, ..session.clone() };
    assert_eq!(code(&without).await, (400, "MissingSecurityToken".to_owned()));
    let malformed = AccessKey { token: Some("tgt_0".into()), ..session.clone() };
    assert_eq!(code(&malformed).await, (400, "InvalidSecurityToken.Malformed".to_owned()));
    let other = key_of(&assumed(&house, &key, &[]).await.expect(200));
    let mismatched = AccessKey { token: other.token.clone(), ..session.clone() };
    assert_eq!(code(&mismatched).await, (400, "InvalidSecurityToken.MismatchWithAccessKey".to_owned()));
    house.advance(Seconds::minutes(16)).await;
    assert_eq!(code(&session).await, (400, "InvalidSecurityToken.Expired".to_owned()));
    // What was assumed with a key ends with it.
    let disabled = serde_json::json!({ "enabled": false });
    house.root_manager().await.patch(&format!("/api/v1/access-keys/{}", key.id), &disabled).await.expect(200);
    assert_eq!(code(&other).await, (400, "InvalidAccessKeyId.Inactive".to_owned()));
}

#[tokio::test]
async fn what_a_session_is_asked_for_has_to_fit() {
    let (house, key) = lived_in().await;
    let long = format!(r#"{{"Version":"1","Statement":[],"x":"{}"}}"#, "a".repeat(2100));
    for (parameters, status, code) in [
        (&[("DurationSeconds", "899")][..], 400, "InvalidParameter.DurationSeconds"),
        (&[("DurationSeconds", "7201")], 400, "InvalidParameter.DurationSeconds"),
        (&[("DurationSeconds", "soon")], 400, "InvalidParameter.DurationSeconds"),
        (&[("Policy", "{}")], 400, "InvalidParameter.PolicyGrammar"),
        (&[("Policy", long.as_str())], 400, "InvalidParameter.PolicySize"),
        (&[("ExternalId", "é!")], 400, "InvalidParameter.ExternalId"),
    ] {
        let reply = assumed(&house, &key, parameters).await;
        assert_eq!((reply.status.as_u16(), reply.text("Code").as_str()), (status, code), "{parameters:?}");
    }
    let call = async |key: &AccessKey, role: &str, name: &str| {
        let reply = house.alibaba(key).call(Product::Sts, "AssumeRole", &[("RoleArn", role), ("RoleSessionName", name)]).await;
        (reply.status.as_u16(), reply.text("Code"), reply.text("Message"))
    };
    let account = house.bootstrap.account;
    let deploy = format!("acs:ram::{account}:role/ship");
    assert_eq!(call(&key, "ship", "build-7").await.1, "InvalidParameter.RoleArn");
    assert_eq!(call(&key, &deploy, "b").await.1, "InvalidParameter.RoleSessionName");
    let (status, code, message) = call(&house.root_key(), &deploy, "build-7").await;
    assert_eq!((status, code.as_str(), message.as_str()), (403, "NoPermission", "Roles may not be assumed by root accounts."));
    // Whoever is not trusted learns of no role, here or in another account.
    let absent = call(&key, &format!("acs:ram::{account}:role/nosuch"), "build-7").await;
    let elsewhere = call(&key, "acs:ram::1000000000000000:role/ship", "build-7").await;
    assert_eq!((absent.0, absent.1.as_str()), (403, "NoPermission"));
    assert_eq!(absent, elsewhere);
}

#[tokio::test]
async fn a_temporary_password_ends_with_the_session_that_asked() {
    let (house, key) = lived_in().await;
    let root = house.root_manager().await;
    root.put("/api/v1/roles/ship/policies/AliyunContainerRegistryFullAccess", &serde_json::json!({})).await.expect(204);
    house.root().push_image("demo/app", "v1").await;
    let instance = house.bootstrap.instance.id.to_string();
    let asked = async |key: &AccessKey, more: &[(&str, &str)]| {
        let all: Vec<_> = [("InstanceId", instance.as_str())].into_iter().chain(more.iter().copied()).collect();
        house.alibaba(key).call(Product::Cr, "GetAuthorizationToken", &all).await
    };
    let ends = |reply: &Reply| (reply.json()["ExpireTime"].as_i64().unwrap() - house.now().millis()) / 1000;
    let reply = asked(&key, &[]).await.expect(200);
    assert_eq!((ends(&reply), reply.text("TempUsername").as_str()), (3600, "cr_temp_user"));
    assert_eq!(ends(&asked(&key, &[("ExpiresInHours", "24")]).await.expect(200)), 24 * 3600);
    assert_eq!(asked(&key, &[("ExpiresInHours", "25")]).await.expect(400).text("Code"), "InvalidExpiresInHours");

    let session = key_of(&assumed(&house, &key, &[("DurationSeconds", "7200")]).await.expect(200));
    assert_eq!(ends(&asked(&session, &[]).await.expect(200)), 7200);
    assert_eq!(ends(&asked(&session, &[("ExpiresInHours", "24")]).await.expect(200)), 7200);
    assert_eq!(ends(&asked(&session, &[("ExpiresInHours", "1")]).await.expect(200)), 3600);
    house.advance(Seconds::minutes(110)).await;
    let last = asked(&session, &[]).await.expect(200);
    assert_eq!(ends(&last), 600);
    let password = last.text("AuthorizationToken");
    let pulls = async |password: &str| {
        let login = house.login("cr_temp_user", password);
        login.get("/v2/demo/app/manifests/v1").await.status.as_u16()
    };
    assert_eq!(pulls(&password).await, 200);
    house.advance(Seconds::minutes(11)).await;
    assert_eq!(pulls(&password).await, 401);
}

#[tokio::test]
async fn a_permanent_password_is_one_s_own_and_never_a_role_s() {
    let (house, key) = lived_in().await;
    let instance = house.bootstrap.instance.id.to_string();
    let reset = async |key: &AccessKey, password: &str| {
        let all = [("InstanceId", instance.as_str()), ("Password", password)];
        house.alibaba(key).call(Product::Cr, "ResetLoginPassword", &all).await
    };
    let alice = house.access_key("alice").await;
    reset(&alice, "correct-horse-8").await.expect(200);
    house.login("alice", "correct-horse-8").get("/v2/").await.expect(200);
    for weak in ["short", "alllowercase", &"a1".repeat(17)] {
        assert_eq!(reset(&alice, weak).await.expect(400).text("Code"), "InvalidPassword", "{weak}");
    }
    let root = house.root_manager().await;
    root.put("/api/v1/roles/ship/policies/AdministratorAccess", &serde_json::json!({})).await.expect(204);
    let session = key_of(&assumed(&house, &key, &[]).await.expect(200));
    assert_eq!(reset(&session, "correct-horse-8").await.expect(403).text("Code"), "NoPermission");
}

#[tokio::test]
async fn old_scripts_ask_for_a_token_in_the_old_style() {
    let (house, key) = lived_in().await;
    let signed = house.alibaba(&key).tokens_signed();
    let reply = house.alibaba(&key).send(&signed).await.expect(200);
    let data = &reply.json()["data"];
    assert_eq!(data["tempUserName"], "cr_temp_user");
    assert_eq!(data["expireDate"], house.now().millis() + 3_600_000);
    house.login("cr_temp_user", data["authorizationToken"].as_str().unwrap()).get("/v2/").await.expect(200);
    let mut tampered = house.alibaba(&key).tokens_signed();
    tampered.target += "&X=1";
    let reply = house.alibaba(&key).send(&tampered).await.expect(400);
    assert_eq!(reply.text("code"), "SignatureDoesNotMatch");
    assert!(reply.json()["requestId"].is_string() && reply.json()["message"].is_string());
    assert_eq!(house.anon().get("/tokens").await.expect(400).text("code"), "MissingVersion");
}
