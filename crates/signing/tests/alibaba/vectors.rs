//! The vendor's published examples.

use signing::Params;
use signing::alibaba::{Claim, Scheme, v1, v3};

use super::{Text, secret};

const V1: [(&str, &str); 9] = [
    ("Action", "AssumeRole"),
    ("Format", "JSON"),
    ("RoleArn", "acs:ram::1234567890123:role/firstrole"),
    ("RoleSessionName", "client"),
    ("SignatureMethod", "HMAC-SHA1"),
    ("SignatureNonce", "571f8fb8-506e-11e5-8e12-b8e8563dc8d2"),
    ("SignatureVersion", "1.0"),
    ("Timestamp", "2015-09-01T05:57:34Z"),
    ("Version", "2015-04-01"),
];

#[test]
fn v1_signs_as_published() {
    let params = Params::of(V1.into_iter().chain([("AccessKeyId", "testid")])).unwrap();
    assert_eq!(
        v1::string_to_sign("GET", &params),
        "GET&%2F&AccessKeyId%3Dtestid%26Action%3DAssumeRole%26Format%3DJSON%26RoleArn%3Dacs%253Aram%253A%253A1234567890123%253Arole%252Ffirstrole\
         %26RoleSessionName%3Dclient%26SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3D571f8fb8-506e-11e5-8e12-b8e8563dc8d2\
         %26SignatureVersion%3D1.0%26Timestamp%3D2015-09-01T05%253A57%253A34Z%26Version%3D2015-04-01"
    );
    assert_eq!(v1::sign(&secret("testsecret"), "GET", &params), "gNI7b0AyKZHxDgjBGPDgJ1Ce3L4=");
}

#[test]
fn v1_is_verified_as_published() {
    let query: Vec<String> = V1.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let query = format!("{}&AccessKeyId=testid&Signature=gNI7b0AyKZHxDgjBGPDgJ1Ce3L4%3D", query.join("&"));
    let text = Text::new("GET", "/", &query);
    let request = text.read().unwrap();
    let claim = Claim::of(&request).unwrap().unwrap();
    assert_eq!((claim.scheme(), claim.access_key_id()), (Scheme::V1, "testid"));
    claim.verify(&request, &secret("testsecret")).unwrap();
    assert!(claim.verify(&request, &secret("testsecrets")).is_err());
}

/// The published V3 request, save its `Authorization`.
fn v3_request() -> Text {
    Text::new("POST", "/", "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai")
        .with("host", "ecs.cn-shanghai.aliyuncs.com")
        .with("x-acs-action", "RunInstances")
        .with("x-acs-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        .with("x-acs-date", "2023-10-26T10:22:32Z")
        .with("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d")
        .with("x-acs-version", "2014-05-26")
}

const V3_SIGNED: &str = "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version";
const V3_SIGNATURE: &str = "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0";

#[test]
fn v3_signs_as_published() {
    let text = v3_request();
    let request = text.read().unwrap();
    let canonical = v3::canonical_request(&request, V3_SIGNED).unwrap();
    assert_eq!(v3::string_to_sign(&canonical), "ACS3-HMAC-SHA256\n7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259");
    assert_eq!(
        v3::sign(&secret("YourAccessKeySecret"), "YourAccessKeyId", &request).unwrap(),
        format!("ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders={V3_SIGNED},Signature={V3_SIGNATURE}")
    );
}

#[test]
fn v3_is_verified_as_published_with_and_without_spaces() {
    for separator in [",", ", ", " , "] {
        let fields = ["Credential=YourAccessKeyId".to_owned(), format!("SignedHeaders={V3_SIGNED}"), format!("Signature={V3_SIGNATURE}")];
        let text = v3_request().with("Authorization", &format!("ACS3-HMAC-SHA256 {}", fields.join(separator)));
        let request = text.read().unwrap();
        let claim = Claim::of(&request).unwrap().unwrap();
        claim.verify(&request, &secret("YourAccessKeySecret")).unwrap();
        let mismatch = claim.verify(&request, &secret("another")).unwrap_err();
        assert!(mismatch.signed_by_server().ends_with("7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259"));
    }
}
