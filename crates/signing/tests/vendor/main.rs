//! What the vendor's own SDKs sign is verified here: one Python process, in the environment that `cargo xtask test` makes, signs what
//! proptest thinks up.
#![expect(clippy::unwrap_used, reason = "the helpers of a test may fail it")]
#![expect(clippy::disallowed_methods, reason = "the stage says by the environment where the SDKs are")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use secrets::Plain;
use serde_json::{Map, Value, json};
use signing::Headers;
use signing::alibaba::{Claim, Request, Scheme};

/// The vendor's code, asked a case at a time.
struct Vendor {
    process: Child,
    ask: ChildStdin,
    answer: BufReader<ChildStdout>,
}

impl Vendor {
    fn start() -> Self {
        let peers = PathBuf::from(std::env::var("TIDEGATE_TEST_PEERS").unwrap());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vendor/sign.py");
        let mut call = Command::new(peers.join("alibaba-python"));
        let mut process = call.arg("-W").arg("ignore").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (ask, answer) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        Self { process, ask, answer }
    }

    fn sign(&mut self, case: &Value) -> Value {
        writeln!(self.ask, "{case}").unwrap();
        let mut line = String::new();
        self.answer.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "the vendor's code failed on {case}");
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Texts of every kind, some of them long.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => ".{0,30}",
        2 => "[ +*~%&=/?#:;,'\"!()@$\\[\\]\\\\\n\t-]{0,20}",
        2 => "[a-zé字🙂\u{0}-\u{1f}\u{7f}-\u{a0}]{0,12}",
        1 => Just(String::new()),
        1 => "[a-z +]{2000,6000}",
    ]
}

/// A parameter's value: a text, a list, or a list of objects, as `ResourceId` and `Tag` of TagResources are.
fn value() -> impl Strategy<Value = Value> {
    let object = (text(), text()).prop_map(|(key, value)| json!({ "Key": key, "Value": value }));
    prop_oneof![
        6 => text().prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => proptest::collection::vec(text().prop_map(Value::from), 1..4).prop_map(Value::from),
        1 => proptest::collection::vec(object, 1..4).prop_map(Value::from),
    ]
}

fn params(names: &'static str) -> impl Strategy<Value = Map<String, Value>> {
    proptest::collection::btree_map(names, value(), 0..6).prop_map(|map| map.into_iter().collect())
}

/// What one client is asked to send, save the client's name.
fn case(names: &'static str) -> impl Strategy<Value = Value> {
    let token = proptest::option::of("[A-Za-z0-9+/=]{20,200}");
    let all = (prop_oneof![Just("GET"), Just("POST")], "[A-Z][A-Za-z]{1,20}", params(names), params(names), "[A-Za-z0-9]{30}", token);
    all.prop_map(|(method, action, query, mut form, secret, token)| {
        form.retain(|name, _| !query.contains_key(name));
        if method == "GET" {
            form.clear();
        }
        json!({
            "method": method, "action": action, "version": "2018-12-01", "id": "LTAI5tExample", "secret": secret, "token": token,
            "query": query, "form": form,
        })
    })
}

/// Sends many cases through one client, and verifies each request that comes of them.
fn hold(client: &str, scheme: Scheme, cases: &impl Strategy<Value = Value>) {
    let vendor = std::cell::RefCell::new(Vendor::start());
    let mut runner = TestRunner::new(Config { cases: 300, failure_persistence: None, ..Config::default() });
    let held = runner.run(cases, |mut case| {
        case.as_object_mut().unwrap().insert("client".to_owned(), client.into());
        let request = vendor.borrow_mut().sign(&case);
        verify(&case, &request, scheme).map_err(TestCaseError::fail)
    });
    held.unwrap();
}

fn verify(case: &Value, sent: &Value, scheme: Scheme) -> Result<(), String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (method, target, body) = (text(&sent["method"]), text(&sent["target"]), text(&sent["body"]));
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let headers: Vec<(String, String)> = serde_json::from_value(sent["headers"].clone()).unwrap();
    let headers = Headers::new(headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
    let request = Request::read(&method, path, query, headers, body.as_bytes()).map_err(|problem| format!("{problem:?}: {sent}"))?;
    let claim = Claim::of(&request).map_err(|problem| format!("{problem:?}: {sent}"))?.ok_or("anonymous")?;
    let secret = text(&case["secret"]);
    let right = claim.verify(&request, &Plain::new(secret.clone()).unwrap());
    right.map_err(|mismatch| format!("{}\n{sent}", mismatch.signed_by_server()))?;
    let wrong = claim.verify(&request, &Plain::new(secret + "x").unwrap());
    let call = request.call(scheme).map_err(|problem| format!("{problem:?}: {sent}"))?;
    let said = call.action.is_none_or(|action| action == case["action"]) && call.version == case["version"];
    let token = claim.security_token() == case["token"].as_str();
    let holds = wrong.is_err() && said && token && claim.scheme() == scheme && claim.access_key_id() == case["id"];
    if holds { given(case, &request) } else { Err(format!("another claim: {sent}")) }
}

/// Every parameter that was a plain text arrives as that text.
fn given(case: &Value, request: &Request<'_>) -> Result<(), String> {
    for place in ["query", "form"] {
        for (name, value) in case[place].as_object().unwrap() {
            if value.as_str().is_some_and(|value| request.params().get(name) != Some(value)) {
                return Err(format!("{name} is {:?}, not {value}", request.params().get(name)));
            }
        }
    }
    Ok(())
}

/// Parameter names as no product has them.
const ODD: &str = "[A-Za-z0-9 ._~é*+%&=/-]{1,12}x";

/// Names as products have them. The Python SDK does not encode names under V3, other SDKs and the documents do.
const PLAIN: &str = "[A-Za-z][A-Za-z0-9._~-]{0,11}";

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn sdk_core_v1() {
    hold("core-v1", Scheme::V1, &case(ODD));
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn tea_v1() {
    hold("tea-v2", Scheme::V1, &case(ODD));
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn tea_v3() {
    hold("tea-v3", Scheme::V3, &case(PLAIN));
    hold("tea-v3-roa", Scheme::V3, &case(PLAIN));
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn roa() {
    let cases = (case(PLAIN), proptest::collection::btree_map(PLAIN, "[A-Za-z0-9 ._~é*+%=/?-]{1,30}", 0..4));
    let cases = cases.prop_map(|(mut case, query)| {
        case["method"] = "GET".into();
        case["query"] = json!(query);
        case["form"] = json!({});
        case
    });
    hold("core-roa", Scheme::Roa, &cases);
    hold("tea-v2-roa", Scheme::Roa, &cases);
}
