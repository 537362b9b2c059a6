//! Requests as the vendor's clients sent them to a listener on loopback, with a made-up key.

use model::{Seconds, Timestamp};
use signing::alibaba::{Claim, Scheme};

use super::{Text, secret};

const SECRET: &str = "ExampleAccessKeySecret0123456789";

/// Client and call, the request, its scheme, action and version.
macro_rules! captured {
    ($($name:literal, $scheme:ident, $action:expr, $version:literal;)+) => {
        &[$(($name, include_str!(concat!("captured/", $name, ".http")), Scheme::$scheme, $action, $version)),+]
    };
}

const CAPTURED: &[(&str, &str, Scheme, Option<&str>, &str)] = captured![
    "tea-v3-get-authorization-token", V3, Some("GetAuthorizationToken"), "2018-12-01";
    "tea-v3-sts", V3, Some("GetAuthorizationToken"), "2018-12-01";
    "tea-v3-create-namespace", V3, Some("CreateNamespace"), "2018-12-01";
    "tea-v3-tags", V3, Some("TagResources"), "2018-12-01";
    "tea-v3-get", V3, Some("GetRepoTag"), "2018-12-01";
    "tea-v3-endpoint-with-scheme", V3, Some("GetInstanceCount"), "2018-12-01";
    "tea-v2-get-authorization-token", V1, Some("GetAuthorizationToken"), "2018-12-01";
    "tea-v2-sts", V1, Some("GetAuthorizationToken"), "2018-12-01";
    "tea-anonymous-oidc", Anonymous, Some("AssumeRoleWithOIDC"), "2015-04-01";
    "core-v1-get-authorization-token", V1, Some("GetAuthorizationToken"), "2018-12-01";
    "core-v1-create-namespace", V1, Some("CreateNamespace"), "2018-12-01";
    "core-roa-tokens", Roa, None, "2016-06-07";
    "pop-v1-get", V1, Some("GetAuthorizationToken"), "2018-12-01";
    "pop-v1-post", V1, Some("GetAuthorizationToken"), "2018-12-01";
    "ts-v3", V3, Some("GetAuthorizationToken"), "2018-12-01";
    "ts-v2", V1, Some("GetAuthorizationToken"), "2018-12-01";
    "go-v3", V3, Some("ListInstance"), "2018-12-01";
    "go-v2", V1, Some("ListInstance"), "2018-12-01";
];

/// Those that were made with a temporary key.
const TOKENS: &[(&str, &str)] = &[
    ("tea-v3-sts", "CAIS+token/with=odd chars"),
    ("tea-v2-sts", "CAIS+token/with=odd chars"),
    ("pop-v1-post", "CAIS+token/with=odd chars"),
    ("ts-v3", "CAIStoken"),
    ("go-v3", "CAIStoken"),
];

#[test]
fn every_captured_request_is_what_its_client_signed() {
    for (name, text, scheme, action, version) in CAPTURED {
        let text = Text::parse(text);
        let request = text.read().unwrap();
        assert_eq!(Scheme::of(&request).unwrap(), *scheme, "{name}");
        let call = request.call(*scheme).unwrap();
        assert_eq!((call.action, call.version), (*action, *version), "{name}");
        let Some(claim) = Claim::of(&request).unwrap() else {
            assert_eq!(*scheme, Scheme::Anonymous, "{name}");
            continue;
        };
        assert_eq!((claim.scheme(), claim.access_key_id()), (*scheme, "LTAI5tExampleAccessKeyId"), "{name}");
        claim.verify(&request, &secret(SECRET)).unwrap_or_else(|mismatch| panic!("{name}: {}", mismatch.signed_by_server()));
        assert!(claim.verify(&request, &secret("ExampleAccessKeySecret012345678")).is_err(), "{name}");
    }
}

#[test]
fn tokens_and_times_are_read() {
    for (name, text, scheme, ..) in CAPTURED.iter().filter(|(_, _, scheme, ..)| *scheme != Scheme::Anonymous) {
        let text = Text::parse(text);
        let request = text.read().unwrap();
        let claim = Claim::of(&request).unwrap().unwrap();
        let token = TOKENS.iter().find(|(known, _)| known == name).map(|(_, token)| *token);
        assert_eq!(claim.security_token(), token, "{name}");
        assert_eq!(claim.nonce().is_some(), *scheme != Scheme::Roa, "{name}: the vendor's ROA client sends none");
        let sent = claim.signed_at();
        let day = Timestamp::parse("2026-11-26T21:24:44Z").unwrap();
        assert!((0..1000).contains(&(sent.seconds() - day.seconds())), "{name}: {sent}");
        for (off, good) in [(-901, false), (-900, true), (0, true), (900, true), (901, false)] {
            assert_eq!(claim.in_time(sent.plus(Seconds(off))).is_ok(), good, "{name} {off}");
        }
    }
}

#[test]
fn what_the_server_signed_is_what_the_client_signed() {
    let text = Text::parse(include_str!("captured/core-v1-get-authorization-token.http"));
    let request = text.read().unwrap();
    let mismatch = Claim::of(&request).unwrap().unwrap().verify(&request, &secret("wrong")).unwrap_err();
    assert_eq!(
        mismatch.signed_by_server(),
        "POST&%2F&AccessKeyId%3DLTAI5tExampleAccessKeyId%26Action%3DGetAuthorizationToken%26Format%3DJSON%26InstanceId%3Dcri-0123456789abcdef\
         %26RegionId%3Dlocal%26SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3D3ce1f771039f2fd60ebffc9975dcc0bb%26SignatureType%3D\
         %26SignatureVersion%3D1.0%26Timestamp%3D2026-11-26T21%253A24%253A44Z%26Version%3D2018-12-01"
    );
}
