//! Roles that are assumed with a token of an issuer.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use testkit::{AccessKey, House, Product, Reply};

use crate::walk::lived_in;

const ISSUER: &str = "https://forge.example";

struct Issuer(EcdsaKeyPair);

impl Issuer {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    fn jwks(&self) -> String {
        let point = self.0.public_key().as_ref();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
        json!({"keys": [{"kty": "EC", "kid": "k", "crv": "P-256", "x": x, "y": y}]}).to_string()
    }

    fn token(&self, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&json!({"alg": "ES256", "kid": "k", "typ": "JWT"})), part(claims));
        let signature = self.0.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// A house in which the role `build` trusts `ci` of the issuer.
async fn trusting(issuer: &Issuer) -> House {
    let (house, _) = lived_in().await;
    let (root, account) = (house.root_manager().await, house.bootstrap.account);
    let provider = json!({"name": "forge", "issuer": ISSUER, "client_ids": ["sts.aliyuncs.com"], "jwks": issuer.jwks()});
    root.post("/api/v1/oidc-providers", &provider).await.expect(201);
    let trust = json!({"Version": "1", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Federated": [format!("acs:ram::{account}:oidc-provider/forge")]},
        "Condition": {"StringEquals": {"oidc:aud": "sts.aliyuncs.com", "oidc:iss": ISSUER, "oidc:sub": "ci"}},
    }]});
    root.post("/api/v1/roles", &json!({"name": "build", "trust_policy": trust.to_string()})).await.expect(201);
    house
}

async fn assume(house: &House, token: &str, changes: &[(&str, &str)]) -> Reply {
    let account = house.bootstrap.account;
    let (role, provider) = (format!("acs:ram::{account}:role/build"), format!("acs:ram::{account}:oidc-provider/forge"));
    let mut all = vec![("RoleArn", role.as_str()), ("OIDCProviderArn", &provider), ("OIDCToken", token), ("RoleSessionName", "run-7")];
    for (name, value) in changes {
        all.retain(|(other, _)| other != name);
        all.push((name, value));
    }
    house.alibaba_anon().call(Product::Sts, "AssumeRoleWithOIDC", &all).await
}

#[tokio::test]
async fn a_token_that_is_trusted_begins_a_session() {
    let issuer = Issuer::new();
    let house = trusting(&issuer).await;
    let now = house.now().seconds();
    let token = issuer.token(&json!({"iss": ISSUER, "sub": "ci", "aud": "sts.aliyuncs.com", "exp": now + 300, "iat": now}));
    let reply = assume(&house, &token, &[]).await.expect(200).json();
    assert_eq!(
        reply["OIDCTokenInfo"],
        json!({"Subject": "ci", "Issuer": ISSUER, "ClientIds": "sts.aliyuncs.com", "ExpirationTime": "2026-01-02T03:09:05Z",
            "IssuanceTime": "2026-01-02T03:04:05Z", "VerificationInfo": "Success"})
    );
    let text = |name: &str| reply["Credentials"][name].as_str().unwrap().to_owned();
    let key = AccessKey { id: text("AccessKeyId"), secret: text("AccessKeySecret"), token: Some(text("SecurityToken")) };
    let who = house.alibaba(&key).call(Product::Sts, "GetCallerIdentity", &[]).await.expect(200);
    assert!(who.text("Arn").ends_with(":assumed-role/build/run-7"));
}

#[tokio::test]
async fn a_token_that_is_not_trusted_says_which_part_of_it_and_a_stranger_s_says_nothing() {
    let issuer = Issuer::new();
    let house = trusting(&issuer).await;
    let (now, account) = (house.now().seconds(), house.bootstrap.account);
    let claims = |sub: &str, aud: &str, exp: i64| json!({"iss": ISSUER, "sub": sub, "aud": aud, "exp": exp, "iat": now - 600});
    let good = issuer.token(&claims("ci", "sts.aliyuncs.com", now + 300));
    let code = async |token: &str, changes: &[(&str, &str)]| {
        let reply = assume(&house, token, changes).await;
        (reply.status.as_u16(), reply.text("Code").replace("AuthenticationFail.", ""))
    };
    let is = |status, code: &str| (status, code.to_owned());
    assert_eq!(code(&issuer.token(&claims("ci", "sts.aliyuncs.com", now - 1)), &[]).await, is(400, "OIDCToken.Expired"));
    assert_eq!(code(&issuer.token(&claims("ci", "other", now + 300)), &[]).await, is(400, "OIDCToken.AudienceNotMatch"));
    assert_eq!(code(&issuer.token(&claims("eve", "sts.aliyuncs.com", now + 300)), &[]).await, is(403, "NoPermission"));
    let absent = format!("acs:ram::{account}:role/nosuch");
    assert_eq!(code(&good, &[("RoleArn", &absent)]).await, is(403, "NoPermission"), "a role that is not there trusts nobody");
    // Strangers: another's signature, another's provider, another account, no token at all.
    let forged = Issuer::new().token(&claims("ci", "sts.aliyuncs.com", now + 300));
    let elsewhere = "acs:ram::1000000000000000:role/build";
    for (token, changes) in [
        (forged.as_str(), &[][..]),
        ("nonsense", &[]),
        (&good, &[("RoleArn", elsewhere)]),
        (&good, &[("RoleArn", elsewhere), ("OIDCProviderArn", "acs:ram::1000000000000000:oidc-provider/forge")]),
    ] {
        assert_eq!(code(token, changes).await, is(400, "OIDCToken.Invalid"), "{changes:?}");
    }
    assert_eq!(code(&good, &[("OIDCProviderArn", "forge")]).await, is(400, "InvalidParameter.OIDCProviderArn"));
    assert_eq!(code(&good, &[("DurationSeconds", "4000")]).await, is(400, "InvalidParameter.DurationSeconds"));
}
