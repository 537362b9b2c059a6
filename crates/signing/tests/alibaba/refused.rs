//! What must not be taken for a signature, and what is never echoed.

use signing::Mismatch;
use signing::alibaba::{Call, Claim, Problem, Request, Scheme};

use super::{Text, secret};

const V3: &str = include_str!("captured/tea-v3-sts.http");
const V1: &str = include_str!("captured/tea-v2-get-authorization-token.http");
const ROA: &str = include_str!("captured/core-roa-tokens.http");
const SECRET: &str = "ExampleAccessKeySecret0123456789";

fn problem(text: &Text) -> Problem {
    let request = match text.read() {
        Ok(request) => request,
        Err(problem) => return problem,
    };
    Claim::of(&request).unwrap_err()
}

fn v1(change: impl Fn(&str) -> String) -> Text {
    let text = Text::parse(V1);
    Text { query: change(&text.query), ..text }
}

fn without(name: &str) -> Text {
    v1(|query| query.split('&').filter(|pair| !pair.starts_with(&format!("{name}="))).collect::<Vec<_>>().join("&"))
}

#[test]
fn v1_needs_its_parameters() {
    for name in ["AccessKeyId", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Timestamp", "Signature"] {
        assert_eq!(problem(&without(name)), Problem::Missing(name));
        assert!(matches!(problem(&v1(|query| query.replace(&format!("&{name}="), &format!("&{name}=&Was{name}=")))), Problem::Missing(_)));
    }
    for name in ["Action", "Version"] {
        let text = without(name);
        let request = text.read();
        let called =
            request.as_ref().map_err(|problem| *problem).and_then(|request| request.call(Scheme::V1).map(|call| call.version.to_owned()));
        // The header says it too, but V1 does not sign headers.
        assert_eq!(called, Err(Problem::Missing(name)));
    }
}

#[test]
fn v1_methods_versions_and_times() {
    assert!(matches!(problem(&v1(|query| query.replace("HMAC-SHA1", "HMAC-SHA256"))), Problem::Method(_)));
    assert_eq!(problem(&v1(|query| query.replace("SignatureVersion=1.0", "SignatureVersion=2.0"))), Problem::SignatureVersion);
    assert_eq!(problem(&v1(|query| format!("{query}&SignatureType=BEARERTOKEN"))), Problem::Method("BEARERTOKEN"));
    for time in [
        "2026-11-26T21:24:44",
        "2026-11-26T21:24:44.000Z",
        "2026-11-26T21:24:44%2B00:00",
        "2026-13-26T21:24:44Z",
        "now",
        "2026-11-26 21:24:44Z",
    ] {
        assert_eq!(problem(&v1(|query| query.replace("2026-11-26T21%3A24%3A44Z", time))), Problem::TimeFormat, "{time}");
    }
    assert_eq!(problem(&v1(|query| query.replace("SignatureNonce=", "SignatureNonce=%C3%A9"))), Problem::Invalid("SignatureNonce"));
    let long = "n".repeat(300);
    assert_eq!(
        problem(&v1(|query| query.replace("SignatureNonce=", &format!("SignatureNonce={long}")))),
        Problem::Invalid("SignatureNonce")
    );
}

#[test]
fn what_stands_twice_is_refused() {
    assert_eq!(problem(&v1(|query| format!("{query}&InstanceId=cri-other"))), Problem::Repeated);
    assert_eq!(problem(&v1(|query| format!("{query}&Instance%49d=cri-other"))), Problem::Repeated);
    let mut text = Text::parse(V1).with("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    text.body = "InstanceId=cri-other".to_owned();
    assert_eq!(problem(&text), Problem::Repeated, "in query and form");
    for name in ["x-acs-date", "Authorization", "host", "x-acs-security-token"] {
        let mut text = Text::parse(V3);
        text.headers.push((name.to_owned(), "another".to_owned()));
        assert_eq!(problem(&text), Problem::Repeated, "{name}");
    }
}

#[test]
fn broken_parameters_are_refused() {
    for broken in ["%", "a=%4", "a=%zz", "a=%ff", "=value"] {
        assert_eq!(problem(&v1(|query| format!("{query}&{broken}"))), Problem::Malformed, "{broken}");
    }
    let many: Vec<String> = (0..1001).map(|n| format!("p{n}=")).collect();
    assert_eq!(problem(&v1(|_| many.join("&"))), Problem::Malformed);
}

#[test]
fn a_body_that_is_not_signed_is_refused() {
    for text in [Text::parse(V1), Text::parse(ROA)] {
        let text = Text { body: "{}".to_owned(), ..text };
        assert_eq!(problem(&text), Problem::UnsignedBody);
    }
    assert_eq!(problem(&Text { body: "{}".to_owned(), ..Text::parse(V3) }), Problem::BodyHash);
}

#[test]
fn two_schemes_at_once_are_refused() {
    for text in [V3, ROA] {
        let text = Text::parse(text);
        let query = format!("{}&Signature=x", text.query);
        assert_eq!(problem(&Text { query, ..text }), Problem::Contradiction("Signature"));
    }
    assert_eq!(problem(&Text::parse(V1).with("Authorization", "acs a:b")), Problem::Contradiction("Signature"));
}

#[test]
fn other_methods_are_refused_by_name() {
    for method in ["ACS3-HMAC-SM3", "ACS3-RSA-SHA256"] {
        let text = Text::parse(V3);
        let authorization = text.header("Authorization").replace("ACS3-HMAC-SHA256", method);
        assert_eq!(problem(&text.with("Authorization", &authorization)), Problem::Method(method));
    }
    assert!(matches!(problem(&Text::parse(V3).with("Authorization", "Basic YTpi")), Problem::Method(_)));
    assert_eq!(problem(&Text::parse(V3).with("Authorization", "ACS3-HMAC-SHA256")), Problem::Authorization);
    assert_eq!(problem(&Text::parse(V3).with("x-acs-bearer-token", "x")), Problem::Method("BEARERTOKEN"));
}

#[test]
fn v3_signs_what_it_must() {
    let required = ["host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"];
    for name in required {
        assert!(matches!(problem(&Text::parse(V3).without(name)), Problem::Missing(_)), "{name}");
    }
    for name in required.into_iter().chain(["x-acs-security-token", "x-acs-accesskey-id"]) {
        let text = Text::parse(V3);
        let authorization = text.header("Authorization").replace(&format!(";{name};"), ";");
        let authorization = authorization.replace(";x-acs-version,", if name == "x-acs-version" { "," } else { ";x-acs-version," });
        assert_eq!(problem(&text.with("Authorization", &authorization)), Problem::Unsigned(name));
    }
    assert_eq!(problem(&Text::parse(V3).with("content-type", "text/plain")), Problem::Unsigned("content-type"));
    assert_eq!(problem(&Text::parse(V3).without("user-agent")), Problem::Unsigned("that SignedHeaders names"));
    assert_eq!(problem(&Text::parse(V3).with("x-acs-date", "yesterday")), Problem::TimeFormat);
}

#[test]
fn v3_authorization_has_one_form() {
    let good = Text::parse(V3).header("Authorization").to_owned();
    let broken = [
        good.replace("Credential=", "Credentials="),
        good.replace("accept;", "accept;accept;"),
        good.replace("accept;", "Accept;"),
        good.replace("accept;", ";"),
        good.replace(",Signature=", ",Signature=0,Signature="),
        good.replace(",SignedHeaders", ";SignedHeaders"),
        format!("{good},"),
        format!("{good},Region=local"),
        good.split(",Signature").next().unwrap().to_owned() + ",Signature=",
    ];
    for authorization in broken {
        assert_eq!(problem(&Text::parse(V3).with("Authorization", &authorization)), Problem::Authorization, "{authorization}");
    }
    assert_eq!(
        problem(&Text::parse(V3).with("Authorization", &good.replace("Credential=LTAI5tExampleAccessKeyId,", ""))),
        Problem::Missing("AccessKeyId")
    );
    assert_eq!(problem(&Text::parse(V3).with("x-acs-accesskey-id", "LTAIother")), Problem::Contradiction("AccessKeyId"));
}

#[test]
fn roa_is_refused_where_its_text_is_ambiguous() {
    for query in ["a=x%26b=y", "a%3Db=c", "a%26b=c", "a=x%0Ay"] {
        assert_eq!(problem(&Text { query: query.to_owned(), ..Text::parse(ROA) }), Problem::Malformed, "{query}");
    }
    assert_eq!(problem(&Text::parse(ROA).without("date")), Problem::Missing("Date"));
    for date in ["2026-11-26T21:24:44Z", "Thu, 26 Nov 2026 21:24:44 +0100", "Thu, 26 Nov 2026 21:24:61 GMT"] {
        assert_eq!(problem(&Text::parse(ROA).with("date", date)), Problem::TimeFormat, "{date}");
    }
    assert_eq!(problem(&Text::parse(ROA).with("Authorization", "acs nothing")), Problem::Authorization);
}

#[test]
fn action_and_version_come_from_what_is_signed() {
    fn call<'r>(request: &'r Request<'_>) -> Result<Call<'r>, Problem> {
        request.call(Scheme::of(request)?)
    }
    let other = Text::parse(V1).with("x-acs-action", "DeleteInstance");
    assert_eq!(call(&other.read().unwrap()), Err(Problem::Contradiction("Action")));
    let text = Text::parse(V3);
    let query = format!("{}&Version=2015-04-01", text.query);
    let other = Text { query, ..text };
    assert_eq!(call(&other.read().unwrap()), Err(Problem::Contradiction("Version")));
    let anonymous = Text::new("POST", "/", "").with("x-acs-action", "AssumeRoleWithOIDC").with("x-acs-version", "2015-04-01");
    assert_eq!(call(&anonymous.read().unwrap()), Ok(Call { action: Some("AssumeRoleWithOIDC"), version: "2015-04-01" }));
    let same = Text::parse(V1).without("x-acs-action").without("x-acs-version");
    assert_eq!(call(&same.read().unwrap()), Ok(Call { action: Some("GetAuthorizationToken"), version: "2018-12-01" }));
}

#[test]
fn secrets_are_never_echoed() {
    for name in ["Password", "SecurityToken", "OIDCToken", "SAMLAssertion", "NewPassword", "Was.Password"] {
        for value in ["hunter2-Hunter2", &"hunter2%26".repeat(20)] {
            let text = v1(|query| format!("{query}&{name}={value}"));
            let request = text.read().unwrap();
            let mismatch = Claim::of(&request).unwrap().unwrap().verify(&request, &secret(SECRET)).unwrap_err();
            let echo = mismatch.signed_by_server();
            assert!(echo.contains(Mismatch::WITHHELD) && !echo.contains("hunter2"), "{echo}");
        }
    }
    let text = Text::parse(V3);
    let query = format!("{}&Password=hunter2-Hunter2", text.query);
    let text = Text { query, ..text };
    let request = text.read().unwrap();
    let claim = Claim::of(&request).unwrap().unwrap();
    assert_eq!(claim.verify(&request, &secret(SECRET)).unwrap_err().signed_by_server(), Mismatch::WITHHELD);
    let text = Text::parse(ROA).with("x-acs-security-token", "CAIStoken");
    let request = text.read().unwrap();
    let claim = Claim::of(&request).unwrap().unwrap();
    let echo = claim.verify(&request, &secret(SECRET)).unwrap_err();
    assert!(echo.signed_by_server().contains("x-acs-security-token:WITHHELD\n"));
    assert!(!format!("{claim:?}").contains("CAIStoken"));
}

#[test]
fn a_long_form_is_echoed_as_its_hash() {
    let text = v1(|query| format!("{query}&Summary={}", "x".repeat(20_000)));
    let request = text.read().unwrap();
    let mismatch = Claim::of(&request).unwrap().unwrap().verify(&request, &secret(SECRET)).unwrap_err();
    assert!(mismatch.signed_by_server().starts_with("sha256:") && mismatch.signed_by_server().len() == 71);
}

#[test]
fn an_empty_signature_is_none() {
    for text in [without("Signature"), Text::parse(V1)] {
        let query = text.query.split("&Signature=").next().unwrap().to_owned() + "&Signature=";
        assert_eq!(problem(&Text { query, ..text }), Problem::Missing("Signature"));
    }
    let text = Text::parse(ROA).with("Authorization", "acs LTAI5tExampleAccessKeyId:");
    let request = text.read().unwrap();
    assert!(Claim::of(&request).unwrap().unwrap().verify(&request, &secret(SECRET)).is_err());
}
