//! What makes a request nobody's, or nothing at all.

use http::{Method, StatusCode};
use model::Seconds;
use testkit::{HOST, Product, Reply};

use crate::walk::lived_in;

#[track_caller]
fn refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!((reply.status.as_u16(), reply.text("Code").as_str()), (status, code), "{:?}", reply.json());
    for text in ["RequestId", "HostId", "Message", "Recommend"] {
        assert!(reply.json()[text].is_string(), "{text}: {:?}", reply.json());
    }
}

const IDENTITY: (Product, &str, &[(&str, &str)]) = (Product::Sts, "GetCallerIdentity", &[]);

#[tokio::test]
async fn every_way_to_sign_is_believed() {
    let (house, key) = lived_in().await;
    let (product, action, none) = IDENTITY;
    let odd = [("X", "a b*~/%&=+é"), ("Empty", "")];
    for client in [house.alibaba(&key), house.alibaba(&key).v1(), house.alibaba(&key).by_get(), house.alibaba(&key).v1().by_get()] {
        client.call(product, action, none).await.expect(200);
        client.call(product, action, &odd).await.expect(200);
    }
    // All of V1 in a form body, as pop-core's POST has it.
    let mut signed = house.alibaba(&key).v1().signed(product, action, none);
    signed.body = signed.target.trim_start_matches("/?").to_owned();
    signed.target = "/".to_owned();
    signed.headers.push(("content-type".into(), "application/x-www-form-urlencoded".into()));
    house.alibaba(&key).send(&signed).await.expect(200);
}

#[tokio::test]
async fn what_was_changed_after_signing_is_refused() {
    let (house, key) = lived_in().await;
    let client = house.alibaba(&key);
    let instance = house.bootstrap.instance.id.to_string();
    let signed = || client.signed(Product::Cr, "GetInstance", &[("InstanceId", &instance)]);
    let changed = |at: &str, value: &str| {
        let mut signed = signed();
        signed.headers.iter_mut().find(|(name, _)| name == at).unwrap().1 = value.to_owned();
        signed
    };
    client.send(&signed()).await.expect(200);
    let mut tampered = signed();
    tampered.target += "&Lang=en";
    refused(&client.send(&tampered).await, 400, "SignatureDoesNotMatch");
    let mut tampered = signed();
    tampered.body = "x".into();
    refused(&client.send(&tampered).await, 400, "SignatureDoesNotMatch");
    refused(&client.send(&changed("x-acs-action", "ListInstance")).await, 400, "SignatureDoesNotMatch");
    refused(&client.send(&changed("host", "other.example:5000")).await, 400, "SignatureDoesNotMatch");
    let reply = client.send(&changed("x-acs-version", "2015-05-01")).await;
    refused(&reply, 404, "InvalidAction.NotFound");
    // Clients split the message at its colon.
    let v1 = house.alibaba(&key).v1();
    let mut tampered = v1.signed(Product::Cr, "GetInstance", &[("InstanceId", &instance)]);
    tampered.target += "&Lang=en";
    let reply = v1.send(&tampered).await;
    refused(&reply, 400, "SignatureDoesNotMatch");
    let said = reply.text("Message");
    assert!(said.split(':').nth(1).unwrap().starts_with("POST&%2F&"), "{said}");
}

#[tokio::test]
async fn a_request_is_sent_once_and_in_time() {
    let (house, key) = lived_in().await;
    let (product, action, none) = IDENTITY;
    for client in [house.alibaba(&key), house.alibaba(&key).v1()] {
        let signed = client.signed(product, action, none);
        client.send(&signed).await.expect(200);
        refused(&client.send(&signed).await, 400, "SignatureNonceUsed");
        for minutes in [-16, 16] {
            let at = house.now().plus(Seconds::minutes(minutes));
            refused(&client.send(&client.signed_at(at, product, action, none)).await, 400, "InvalidTimeStamp.Expired");
            let at = house.now().plus(Seconds::minutes(minutes - minutes.signum() * 2));
            client.send(&client.signed_at(at, product, action, none)).await.expect(200);
        }
    }
    // A nonce of another key is another nonce.
    let first = house.alibaba(&key).signed(product, action, none);
    house.alibaba(&key).send(&first).await.expect(200);
    // A stranger cannot use one up: the signature is asked first.
    let mut forged = house.alibaba(&key).signed(product, action, none);
    let real = forged.clone();
    forged.target += "&X=1";
    refused(&house.alibaba(&key).send(&forged).await, 400, "SignatureDoesNotMatch");
    house.alibaba(&key).send(&real).await.expect(200);
}

#[tokio::test]
async fn a_nonce_is_forgotten_when_its_request_is_too_old() {
    let (house, key) = lived_in().await;
    let (product, action, none) = IDENTITY;
    let signed = house.alibaba(&key).signed(product, action, none);
    house.alibaba(&key).send(&signed).await.expect(200);
    house.advance(Seconds::minutes(14)).await;
    assert_eq!(house.identity.prune_nonces(house.now()).await.unwrap(), 0);
    refused(&house.alibaba(&key).send(&signed).await, 400, "SignatureNonceUsed");
    house.advance(Seconds::minutes(7)).await;
    assert_eq!(house.identity.prune_nonces(house.now()).await.unwrap(), 1);
    refused(&house.alibaba(&key).send(&signed).await, 400, "InvalidTimeStamp.Expired");
}

#[tokio::test]
async fn keys_that_open_nothing() {
    let (house, key) = lived_in().await;
    let root = house.root_manager().await;
    let (product, action, none) = IDENTITY;
    let call = async |key: &testkit::AccessKey| house.alibaba(key).call(product, action, none).await;
    let alice = house.access_key("alice").await;
    call(&alice).await.expect(200);

    let unknown = testkit::AccessKey { id: "LTAI0000000000000000".into(), ..alice.clone() };
    refused(&call(&unknown).await, 404, "InvalidAccessKeyId.NotFound");
    let wrong = testkit::AccessKey { secret: key.secret.clone(), ..alice.clone() };
    refused(&call(&wrong).await, 400, "SignatureDoesNotMatch");
    let with_token = testkit::AccessKey { token: Some("tgt_x".into()), ..alice.clone() };
    refused(&call(&with_token).await, 400, "InvalidSecurityToken.MismatchWithAccessKey");

    let disabled = serde_json::json!({ "enabled": false });
    root.patch(&format!("/api/v1/access-keys/{}", alice.id), &disabled).await.expect(200);
    refused(&call(&alice).await, 400, "InvalidAccessKeyId.Inactive");
    // That it is disabled is nobody's business who has not the secret.
    let guessed = testkit::AccessKey { secret: key.secret.clone(), ..alice.clone() };
    refused(&call(&guessed).await, 400, "SignatureDoesNotMatch");

    let other = house.access_key("alice").await;
    root.patch("/api/v1/users/alice", &disabled).await.expect(200);
    refused(&call(&other).await, 400, "InvalidAccessKeyId.Inactive");
    root.delete("/api/v1/users/alice").await.expect(204);
    refused(&call(&other).await, 404, "InvalidAccessKeyId.NotFound");
}

#[tokio::test]
async fn a_suspended_account_has_no_keys() {
    let (house, _) = lived_in().await;
    let house = house.with_account("globex").await;
    let (product, action, none) = IDENTITY;
    let account = house.account("globex");
    let key = account.root_key();
    house.alibaba(&key).call(product, action, none).await.expect(200);
    house.suspend(&account, true).await;
    refused(&house.alibaba(&key).call(product, action, none).await, 400, "InvalidAccessKeyId.Inactive");
}

#[tokio::test]
async fn requests_that_mean_nothing() {
    let (house, key) = lived_in().await;
    let client = house.alibaba(&key);
    refused(&client.call(Product::Cr, "GetPony", &[]).await, 404, "InvalidAction.NotFound");
    refused(&client.call(Product::Ram, "CreateVirtualMFADevice", &[]).await, 400, "NotSupported");
    let reply = client.call(Product::Cr, "CreateChain", &[]).await.expect(400);
    assert_eq!((reply.text("Code").as_str(), &reply.json()["IsSuccess"]), ("NOT_SUPPORTED", &serde_json::json!(false)));
    refused(&client.call(Product::Cr, "GetInstance", &[("Format", "YAML")]).await, 400, "InvalidParameter.Format");
    let mut signed = client.signed(Product::Sts, "GetCallerIdentity", &[]);
    signed.method = Method::PUT;
    refused(&client.send(&signed).await, 400, "UnsupportedHTTPMethod");
    let version = |version: &str| format!("/?Action=GetInstance&Version={version}&AccessKeyId=x&Signature=x");
    refused(&house.anon().get(&version("2017-01-01")).await, 400, "InvalidVersion");
    refused(&house.anon().get("/?Action=GetInstance&Action=GetInstance").await, 400, "InvalidParameter");
    refused(&house.anon().get("/?Action=GetInstance&Version=2018-12-01&X=%zz").await, 400, "InvalidParameter");
    refused(&house.anon().get("/?Action=GetInstance&Version=2018-12-01&SignatureType=BEARERTOKEN").await, 400, "InvalidSignatureMethod");
    let big = "X=".to_owned() + &"a".repeat(1024 * 1024);
    let reply = house.anon().form("/?Action=GetInstance&Version=2018-12-01", &big).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    // A form, or a page, that speaks none of these APIs.
    assert_eq!(house.anon().form("/", "a=b").await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.anon().get("/").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_host_may_carry_a_url_and_an_api_s_host_is_its_own() {
    let (house, key) = lived_in().await;
    let instance = house.bootstrap.instance.id.to_string();
    let client = house.alibaba(&key).at("cr.cn-shanghai.cloud.example");
    client.call(Product::Cr, "GetInstance", &[("InstanceId", &instance)]).await.expect(200);
    refused(&client.call(Product::Sts, "GetCallerIdentity", &[]).await, 400, "InvalidVersion");
    house.alibaba(&key).at("sts.cloud.example").call(Product::Sts, "GetCallerIdentity", &[]).await.expect(200);
    assert_eq!(
        house.alibaba(&key).call(Product::Sts, "GetCallerIdentity", &[]).await.expect(200).header("content-type"),
        "application/json;charset=utf-8"
    );
    assert_ne!(HOST, "sts.cloud.example");
}

#[tokio::test]
async fn one_key_makes_so_many_requests_a_second() {
    let (house, key) = lived_in().await;
    let (product, action, none) = IDENTITY;
    let client = house.alibaba(&key);
    for _ in 0..100 {
        client.call(product, action, none).await.expect(200);
    }
    let reply = client.call(product, action, none).await;
    refused(&reply, 400, "Throttling.User");
    assert_eq!(reply.header("x-acs-retry-after"), "11");
    house.alibaba(&house.root_key()).call(product, action, none).await.expect(200);
    house.advance(Seconds(1)).await;
    client.call(product, action, none).await.expect(200);
}
