use policy::{MAX_CHARS, MAX_STATEMENTS, PolicyError, ram};

fn refused(text: &str) -> String {
    ram::parse(text).map(|d| ram::print(&d)).expect_err(text).to_string()
}

fn with_statement(members: &str) -> String {
    format!(r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"}},{{{members}}}]}}"#)
}

fn with_condition(condition: &str) -> String {
    with_statement(&format!(r#""Effect":"Deny","Action":"*","Resource":"*","Condition":{condition}"#))
}

#[track_caller]
fn points(text: &str, start: &str) {
    let message = refused(text);
    assert!(message.starts_with(start), "{message}\nshould start with {start}\n{text}");
}

#[test]
fn broken_json_is_pointed_at_by_line_and_column() {
    assert_eq!(
        ram::parse("{\n  \"Version\": \"1\",\n  oops\n}"),
        Err(PolicyError::Syntax { line: 3, column: 3, problem: "this is no JSON: key must be a string".into() })
    );
    for bad in ["", "{", "[1,]", "{} {}", "nul", "\u{feff}{}", &"[".repeat(5000)] {
        assert!(matches!(ram::parse(bad), Err(PolicyError::Syntax { .. })), "{bad}");
    }
}

#[test]
fn the_frame() {
    points("[]", "document: an object");
    points("{}", "document: \"Version\": \"1\" is missing");
    points(r#"{"Version":"2","Statement":[]}"#, "Version: the version must be \"1\"");
    points(r#"{"Version":1,"Statement":[]}"#, "Version: a string");
    points(r#"{"Version":"1"}"#, "document: \"Statement\"");
    points(r#"{"Version":"1","Statement":[]}"#, "Statement: this list is empty");
    points(r#"{"Version":"1","Statement":{}}"#, "Statement: a list");
    points(r#"{"Version":"1","Statement":[1]}"#, "Statement[0]: an object");
    points(r#"{"Version":"1","Version":"1","Statement":[]}"#, "Version: this stands here twice");
    points(r#"{"Version":"1","Id":"x","Statement":[]}"#, "Id: this element is not known; known here are Version, Statement");
}

#[test]
fn statements() {
    points(&with_statement(""), "Statement[1]: \"Effect\"");
    points(&with_statement(r#""Effect":"allow","Action":"*","Resource":"*""#), "Statement[1].Effect: the effect must be");
    points(&with_statement(r#""Effect":"Allow","Resource":"*""#), "Statement[1]: \"Action\" or \"NotAction\"");
    points(&with_statement(r#""Effect":"Allow","Action":"*""#), "Statement[1]: \"Resource\"");
    points(
        &with_statement(r#""Effect":"Allow","Action":"*","NotAction":"*","Resource":"*""#),
        "Statement[1].NotAction: Action and NotAction exclude",
    );
    points(&with_statement(r#""Effect":"Allow","Action":[],"Resource":"*""#), "Statement[1].Action: this list is empty");
    points(&with_statement(r#""Effect":"Allow","Action":["cr:*","cr"],"Resource":"*""#), "Statement[1].Action[1]: an action is");
    points(&with_statement(r#""Effect":"Allow","Action":"*","Resource":["*",5]"#), "Statement[1].Resource[1]: a string");
    points(&with_statement(r#""Effect":"Allow","Action":"*","Resource":"acs:cr:*:*""#), "Statement[1].Resource: a resource is");
    points(&with_statement(r#""Effect":"Allow","Action":"*","Resource":"*","Principal":{}"#), "Statement[1].Principal: Principal belongs");
    points(&with_statement(r#""Effect":"Allow","Action":"*","NotResource":"*""#), "Statement[1].NotResource: NotResource is not known");
    points(
        &with_statement(r#""Effect":"Allow","Effect":"Deny","Action":"*","Resource":"*""#),
        "Statement[1].Effect: this stands here twice",
    );
}

#[test]
fn conditions() {
    points(&with_condition("[]"), "Statement[1].Condition: an object");
    points(&with_condition(r#"{"IpEquals":{}}"#), "Statement[1].Condition.IpEquals: unknown operator; known are StringEquals");
    points(&with_condition(r#"{"IpAddress":{}}"#), "Statement[1].Condition.IpAddress: a condition key");
    points(
        &with_condition(r#"{"IpAddress":{"acs:SourceIP":"::1"}}"#),
        "Statement[1].Condition.IpAddress.acs:SourceIP: unknown condition key; case matters",
    );
    points(&with_condition(r#"{"IpAddress":{"acs:SourceIp":[]}}"#), "Statement[1].Condition.IpAddress.acs:SourceIp: this list is empty");
    points(
        &with_condition(r#"{"IpAddress":{"acs:SourceIp":["10.0.0.0/33"]}}"#),
        "Statement[1].Condition.IpAddress.acs:SourceIp[0]: wanted is an IP address",
    );
    points(
        &with_condition(r#"{"IpAddress":{"acs:CurrentTime":"10.0.0.0/8"}}"#),
        "Statement[1].Condition.IpAddress.acs:CurrentTime: IpAddress cannot be asked of",
    );
    points(
        &with_condition(r#"{"Bool":{"acs:SecureTransport":"yes"}}"#),
        "Statement[1].Condition.Bool.acs:SecureTransport: wanted is true or false",
    );
    points(
        &with_condition(r#"{"Bool":{"acs:SecureTransport":null}}"#),
        "Statement[1].Condition.Bool.acs:SecureTransport: a string, a number",
    );
    for bad in ["2026-01-01", "yesterday", "2026-02-30T00:00:00Z", "2026-01-01T00:00:00"] {
        points(
            &with_condition(&format!(r#"{{"DateEquals":{{"acs:CurrentTime":"{bad}"}}}}"#)),
            "Statement[1].Condition.DateEquals.acs:CurrentTime: wanted is a time",
        );
    }
    for bad in [r#""five""#, r#""inf""#, r#""NaN""#, r#""""#, "true"] {
        points(
            &with_condition(&format!(r#"{{"NumericEquals":{{"oidc:n":{bad}}}}}"#)),
            "Statement[1].Condition.NumericEquals.oidc:n: wanted is a finite",
        );
    }
    points(
        &with_condition(&format!(r#"{{"StringEquals":{{"oidc:n":"{}"}}}}"#, "a".repeat(513))),
        "Statement[1].Condition.StringEquals.oidc:n: wanted is a string",
    );
}

#[test]
fn limits() {
    let statement = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let of = |count: usize| format!(r#"{{"Version":"1","Statement":[{}]}}"#, vec![statement; count].join(","));
    assert_eq!(ram::parse(&of(MAX_STATEMENTS)).unwrap().statements.len(), MAX_STATEMENTS);
    points(&of(MAX_STATEMENTS + 1), "Statement: at most 100 statements");
    let padded = |chars: usize| of(1) + &" ".repeat(chars - of(1).len());
    assert!(ram::parse(&padded(MAX_CHARS)).is_ok());
    assert_eq!(ram::parse(&padded(MAX_CHARS + 1)), Err(PolicyError::TooLong { chars: MAX_CHARS + 1, max: MAX_CHARS }));
}

#[test]
fn the_documents_own_examples_are_read() {
    for text in [
        r#"{"Statement":[{"Action":["cr:GetAuthorizationToken","cr:PullRepository","cr:PushRepository"],"Effect":"Allow","Resource":["*"]}],"Version":"1"}"#,
        r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["cr:ListInstance*","cr:GetInstance*","cr:ListSignature*"],"Resource":"*"},
            {"Effect":"Allow","Action":["cr:*"],"Resource":["acs:cr:*:*:repository/cri-1/ns","acs:cr:*:*:repository/cri-1/ns/*"]},
            {"Effect":"Allow","Action":["cr:List*"],"Resource":["acs:cr:*:*:repository/cri-1/*","acs:cr:*:*:repository/cri-1/*/*"]}]}"#,
        r#"{"Version":"1","Statement":[{"Effect":"Deny","NotAction":"ram:GetUser","Resource":"*","Condition":{"NotIpAddress":{"acs:SourceIp":["203.0.113.7","10.0.0.0/8"]},"Bool":{"acs:MFAPresent":false}}}]}"#,
    ] {
        let document = ram::parse(text).unwrap();
        assert_eq!(ram::parse(&ram::print(&document)), Ok(document));
    }
}

#[test]
fn prints_one_canonical_form() {
    let text = r#" {"Statement":[{"Resource":["*"],"Condition":{"Bool":{"acs:SecureTransport":[true]},"StringLike":{"oidc:sub":["a\"","b"]}},"NotAction":["cr:*"],"Effect":"Deny"}],"Version":"1"} "#;
    assert_eq!(
        ram::print(&ram::parse(text).unwrap()),
        r#"{"Version":"1","Statement":[{"Effect":"Deny","NotAction":"cr:*","Resource":"*","Condition":{"Bool":{"acs:SecureTransport":"true"},"StringLike":{"oidc:sub":["a\"","b"]}}}]}"#
    );
}
