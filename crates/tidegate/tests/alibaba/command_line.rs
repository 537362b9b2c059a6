//! The `aliyun` command line cannot be installed from a registry: its requests, byte for byte, and what it reads of the answers.

use std::sync::atomic::{AtomicU32, Ordering};

use secrets::Plain;
use serde_json::Value;
use signing::Params;
use signing::alibaba::v1;

use crate::cloud::{Cloud, SEED_ACTIONS};
use crate::support::api::Key;
use crate::support::http::{Answer, Ask, Connection};

/// `aliyun --endpoint … --access-key-id … --access-key-secret …`.
pub(crate) struct CommandLine {
    endpoint: String,
    key: Key,
    calls: AtomicU32,
}

impl CommandLine {
    pub(crate) fn new(endpoint: &str, key: &Key) -> Self {
        Self { endpoint: endpoint.to_owned(), key: key.clone(), calls: AtomicU32::new(0) }
    }

    pub(crate) fn run(&self, version: &str, action: &str, params: &[(&str, &str)]) -> Answer {
        Connection::once(&self.endpoint, &self.ask(version, action, params).0).unwrap()
    }

    /// The request, and the string that the command line has signed.
    fn ask(&self, version: &str, action: &str, params: &[(&str, &str)]) -> (Ask, String) {
        let nonce = format!("{:032x}", std::process::id() + self.calls.fetch_add(1, Ordering::Relaxed));
        let now = now();
        let mut all = vec![
            ("AccessKeyId", self.key.id.as_str()),
            ("Action", action),
            ("Format", "JSON"),
            ("RegionId", "local"),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", &nonce),
            ("SignatureType", ""),
            ("SignatureVersion", "1.0"),
            ("Timestamp", &now),
            ("Version", version),
        ];
        all.extend_from_slice(params);
        let params = Params::of(all.iter().copied()).unwrap();
        let signature = v1::sign(&Plain::new(self.key.secret.clone()).unwrap(), "POST", &params);
        let pairs = all.iter().copied().chain([("Signature", signature.as_str())]);
        let query: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let ask = Ask::new("POST", &format!("/?{}", query.join("&")))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("user-agent", "AlibabaCloud (linux; amd64) Golang/1.23 Core/0.0.1 Aliyun-CLI/3.4.0")
            .header("x-acs-action", action)
            .header("x-acs-version", version)
            .header("x-acs-credentials-provider", "static_ak")
            .header("x-sdk-client", "golang/1.0.0")
            .header("x-sdk-core-version", "0.01")
            .header("x-sdk-invoke-type", "common")
            .header("accept-encoding", "gzip");
        (ask, v1::string_to_sign("POST", &params))
    }
}

/// As Go's `url.Values` writes it: `+` for a space.
fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string().replace("%20", "+")
}

fn now() -> String {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    model::Timestamp::from_seconds(i64::try_from(since).unwrap()).to_string()
}

/// What the command line's SDK takes out of a failure; another type than a string makes it panic.
fn told(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    for name in ["RequestId", "HostId", "Code", "Message", "Recommend"] {
        assert!(body[name].is_string(), "{name}: {body}");
    }
    assert!(body.get("AccessDeniedDetail").is_none_or(Value::is_object), "{body}");
    (answer.status, body["Code"].as_str().unwrap().to_owned())
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn its_answers_are_read() {
    let cloud = Cloud::start();
    let instance = cloud.instance();
    let key = cloud.user("cli", &SEED_ACTIONS);
    let command = CommandLine::new(&cloud.house.address, &key);
    let answer = command.run("2018-12-01", "GetAuthorizationToken", &[("InstanceId", &instance)]).expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json;charset=utf-8"));
    let body = answer.json();
    assert_eq!(
        (body["IsSuccess"].as_bool(), body["Code"].as_str(), body["TempUsername"].as_str()),
        (Some(true), Some("success"), Some("cr_temp_user"))
    );
    assert!(body["ExpireTime"].as_i64().unwrap() > 1_700_000_000_000, "{body}");
    // `--force --ExpiresInHours`, which its metadata does not know.
    let longer = command.run("2018-12-01", "GetAuthorizationToken", &[("InstanceId", &instance), ("ExpiresInHours", "24")]).expect(200);
    let hours = (longer.json()["ExpireTime"].as_i64().unwrap() - body["ExpireTime"].as_i64().unwrap()) / 3_600_000;
    assert!((22..=23).contains(&hours), "{hours}");
    let who = command.run("2015-04-01", "GetCallerIdentity", &[]).expect(200);
    assert_eq!(who.json()["Arn"], format!("acs:ram::{}:user/cli", cloud.account()));
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn its_failures_are_told() {
    let cloud = Cloud::start();
    let instance = cloud.instance();
    let key = cloud.user("cli", &[]);
    let command = CommandLine::new(&cloud.house.address, &key);
    let answer = command.run("2018-12-01", "GetAuthorizationToken", &[]);
    assert_eq!(told(&answer), (400, "MissingInstanceId".to_owned()));
    let answer = command.run("2018-12-01", "GetAuthorizationToken", &[("InstanceId", &instance)]);
    assert_eq!(told(&answer).0, 403, "{}", answer.text());
    let answer = command.run("2018-12-01", "NoSuchAction", &[]);
    assert_eq!(told(&answer), (404, "InvalidAction.NotFound".to_owned()));
    let answer = command.run("2017-01-01", "GetAuthorizationToken", &[]);
    assert_eq!(told(&answer), (400, "InvalidVersion".to_owned()));
    let nobody = Key { id: "LTAI5tNobodyHasThisOne".to_owned(), ..key.clone() };
    let answer = CommandLine::new(&cloud.house.address, &nobody).run("2018-12-01", "ListInstance", &[]);
    assert_eq!(told(&answer), (404, "InvalidAccessKeyId.NotFound".to_owned()));
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn a_wrong_secret_is_told_from_a_wrong_form_by_the_string_that_was_signed() {
    let cloud = Cloud::start();
    let wrong = Key { secret: "wrong".to_owned(), ..cloud.root_key() };
    let (ask, signed) = CommandLine::new(&cloud.house.address, &wrong).ask("2018-12-01", "ListInstance", &[("InstanceName", "a b*~")]);
    let answer = cloud.house.send(&ask);
    assert_eq!(told(&answer), (400, "SignatureDoesNotMatch".to_owned()));
    let message = format!("Specified signature is not matched with our calculation. server string to sign is:{signed}");
    assert_eq!(answer.json()["Message"], message);
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn a_request_is_taken_once() {
    let cloud = Cloud::start();
    let (ask, _) = CommandLine::new(&cloud.house.address, &cloud.root_key()).ask("2018-12-01", "ListInstance", &[]);
    cloud.house.send(&ask).expect(200);
    assert_eq!(told(&cloud.house.send(&ask)), (400, "SignatureNonceUsed".to_owned()));
}
