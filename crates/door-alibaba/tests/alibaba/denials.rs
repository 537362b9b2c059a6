//! What somebody who may not is told, and what becomes of it.

use serde_json::json;
use testkit::Product;

use crate::walk::lived_in;

const SOME: &str = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"cr:Get*","Resource":"*"},
    {"Effect":"Deny","Action":"cr:GetAuthorizationToken","Resource":"*"}]}"#;

#[tokio::test]
async fn a_refusal_says_what_was_missing_and_carries_why_under_seal() {
    let (house, admin) = lived_in().await;
    let house = house.with_policy("alice", "some", SOME).await;
    let alice = house.alibaba(&house.access_key("alice").await);
    let instance = house.bootstrap.instance.id.to_string();
    alice.call(Product::Cr, "GetInstance", &[("InstanceId", &instance)]).await.expect(200);
    let reply = alice.call(Product::Cr, "GetAuthorizationToken", &[("InstanceId", &instance)]).await.expect(403).json();
    assert_eq!(reply["Code"], "NoPermission");
    assert!(reply["Message"].as_str().unwrap().contains("Action: cr:GetAuthorizationToken"));
    let detail = &reply["AccessDeniedDetail"];
    assert_eq!((&detail["AuthPrincipalType"], &detail["NoPermissionType"]), (&json!("SubUser"), &json!("ExplicitDeny")));
    assert_eq!(detail["AuthAction"], "cr:GetAuthorizationToken");
    let sealed = detail["EncodedDiagnosticMessage"].as_str().unwrap();
    // Opaque, and of use to those alone who may read it, in this account.
    assert!(!sealed.contains("some"));
    let read = async |key: &testkit::AccessKey, text: &str| {
        house.alibaba(key).call(Product::Ram, "DecodeDiagnosticMessage", &[("EncodedDiagnosticMessage", text)]).await
    };
    let told = read(&admin, sealed).await.expect(200);
    assert!(String::from_utf8_lossy(&told.body).contains("some"));
    assert_eq!(read(&house.access_key("alice").await, sealed).await.expect(403).text("Code"), "NoPermission");
    read(&admin, &sealed.replace('A', "B")).await.expect(400);
    let house = house.with_account("globex").await;
    let stranger = house.account("globex").root_key();
    let reply = house.alibaba(&stranger).call(Product::Ram, "DecodeDiagnosticMessage", &[("EncodedDiagnosticMessage", sealed)]).await;
    reply.expect(400);
}

#[tokio::test]
async fn who_signed_and_who_failed_to_is_in_the_trail() {
    let (house, key) = lived_in().await;
    house.alibaba(&key).call(Product::Sts, "GetCallerIdentity", &[]).await.expect(200);
    let guessed = testkit::AccessKey { secret: "wrong".into(), ..key.clone() };
    house.alibaba(&guessed).call(Product::Sts, "GetCallerIdentity", &[]).await.expect(400);
    house.seal().await;
    let root = house.root_manager().await;
    let events = root.get("/api/v1/audit-events?limit=50").await.expect(200).json();
    let has = |outcome: &str, who: &str| {
        events.as_array().unwrap().iter().any(|e| e["action"] == "login" && e["outcome"] == outcome && e["principal"] == who)
    };
    assert!(has("success", "admin"), "{events}");
    assert!(has("failed", &key.id), "{events}");
    let keys = root.get("/api/v1/access-keys?user=admin").await.expect(200).json();
    assert!(keys[0]["last_used_at"].is_string(), "{keys}");
}
