use model::Action;
use policy::{Context, Effective, Key, Operator};

use crate::{context, decide, noon, read, repository};

/// Does a statement under this condition apply?
fn holds(operator: &str, key: &str, values: &str, context: &Context) -> bool {
    let text = format!(
        r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{"{operator}":{{"{key}":{values}}}}}}}]}}"#
    );
    decide(&[read(&text)], Action::PullRepository, &repository("demo/app"), context) == Effective::Allowed
}

fn tagged(value: &str) -> Context {
    noon().with(Key::parse("acs:ResourceTag/t").unwrap(), value)
}

fn check(rows: &[(&str, &str, bool)], key: &str, context: &Context) {
    for (operator, values, want) in rows {
        assert_eq!(holds(operator, key, values, context), *want, "{operator} {key} {values}");
    }
}

#[test]
fn strings() {
    let rows = [
        ("StringEquals", r#""Ops""#, true),
        ("StringEquals", r#""ops""#, false),
        ("StringEquals", r#"["x","Ops"]"#, true),
        ("StringEquals", r#""O*""#, false),
        ("StringNotEquals", r#""Ops""#, false),
        ("StringNotEquals", r#""ops""#, true),
        ("StringNotEquals", r#"["x","Ops"]"#, false),
        ("StringEqualsIgnoreCase", r#""oPS""#, true),
        ("StringEqualsIgnoreCase", r#""op""#, false),
        ("StringNotEqualsIgnoreCase", r#""oPS""#, false),
        ("StringNotEqualsIgnoreCase", r#""op""#, true),
        ("StringLike", r#""O?s""#, true),
        ("StringLike", r#""o*""#, false),
        ("StringNotLike", r#""O*""#, false),
        ("StringNotLike", r#""o*""#, true),
    ];
    check(&rows, "acs:ResourceTag/t", &tagged("Ops"));
}

#[test]
fn numbers() {
    let rows = [
        ("NumericEquals", "5", true),
        ("NumericEquals", r#""5.0""#, true),
        ("NumericEquals", "[4,5]", true),
        ("NumericEquals", "4", false),
        ("NumericNotEquals", "5", false),
        ("NumericNotEquals", "[4,5]", false),
        ("NumericNotEquals", "4", true),
        ("NumericLessThan", "5", false),
        ("NumericLessThan", "5.1", true),
        ("NumericLessThanEquals", "5", true),
        ("NumericLessThanEquals", "4.9", false),
        ("NumericGreaterThan", "5", false),
        ("NumericGreaterThan", "-6", true),
        ("NumericGreaterThanEquals", "5", true),
        ("NumericGreaterThanEquals", "1e1", false),
    ];
    check(&rows, "acs:ResourceTag/t", &tagged("5"));
}

#[test]
fn a_fact_that_is_no_number_is_as_good_as_none() {
    let rows = [("NumericEquals", "5", false), ("NumericLessThan", "5", false), ("NumericNotEquals", "5", true)];
    check(&rows, "acs:ResourceTag/t", &tagged("five"));
    check(&rows, "acs:ResourceTag/t", &tagged("NaN"));
}

#[test]
fn dates() {
    let rows = [
        ("DateEquals", r#""2026-06-01T12:00:00Z""#, true),
        ("DateEquals", r#""2026-06-01T20:00:00+08:00""#, true),
        ("DateEquals", r#""2026-06-01T12:00:01Z""#, false),
        ("DateNotEquals", r#""2026-06-01T20:00:00+08:00""#, false),
        ("DateNotEquals", r#""2026-06-01T12:00:01Z""#, true),
        ("DateLessThan", r#""2026-06-01T12:00:00Z""#, false),
        ("DateLessThan", r#""2026-06-01T12:00:00.001Z""#, true),
        ("DateLessThanEquals", r#""2026-06-01T12:00:00Z""#, true),
        ("DateLessThanEquals", r#""2026-06-01T11:59:59Z""#, false),
        ("DateGreaterThan", r#""2026-06-01T12:00:00Z""#, false),
        ("DateGreaterThan", r#""2026-06-01T07:59:59-04:00""#, true),
        ("DateGreaterThanEquals", r#""2026-06-01T12:00:00Z""#, true),
        ("DateGreaterThanEquals", r#""2026-06-01T12:00:01Z""#, false),
    ];
    check(&rows, "acs:CurrentTime", &noon());
}

#[test]
fn booleans() {
    let rows = [("Bool", "true", true), ("Bool", r#""True""#, true), ("Bool", r#""false""#, false), ("Bool", "[false,true]", true)];
    check(&rows, "acs:SecureTransport", &noon());
    check(&[("Bool", "false", true), ("Bool", "true", false)], "acs:SecureTransport", &context("2026-06-01T12:00:00Z", "::1", false));
    check(&[("Bool", "true", true)], "acs:MFAPresent", &noon().with(Key::MfaPresent, "true"));
}

#[test]
fn addresses() {
    let rows = [
        ("IpAddress", r#""10.1.2.3""#, true),
        ("IpAddress", r#""10.1.2.3/32""#, true),
        ("IpAddress", r#""10.1.2.4""#, false),
        ("IpAddress", r#"["192.168.0.0/16","10.0.0.0/8"]"#, true),
        ("IpAddress", r#""0.0.0.0/0""#, true),
        ("IpAddress", r#""::/0""#, false),
        ("IpAddress", r#""::ffff:10.0.0.0/104""#, true),
        ("IpAddress", r#""::ffff:10.1.2.3""#, true),
        ("NotIpAddress", r#""10.0.0.0/8""#, false),
        ("NotIpAddress", r#"["192.168.0.0/16","10.0.0.0/8"]"#, false),
        ("NotIpAddress", r#"["192.168.0.0/16","172.16.0.0/12"]"#, true),
    ];
    check(&rows, "acs:SourceIp", &noon());
    check(&rows, "acs:SourceIp", &context("2026-06-01T12:00:00Z", "::ffff:10.1.2.3", true));
    let rows = [
        ("IpAddress", r#""2001:db8::/32""#, true),
        ("IpAddress", r#""2001:db8::1""#, true),
        ("IpAddress", r#""2001:db9::/32""#, false),
        ("IpAddress", r#""0.0.0.0/0""#, false),
        ("IpAddress", r#""::/0""#, true),
        ("NotIpAddress", r#""2001:db8::/32""#, false),
    ];
    check(&rows, "acs:SourceIp", &context("2026-06-01T12:00:00Z", "2001:db8::1", true));
}

#[test]
fn facts_as_text() {
    check(&[("StringLike", r#""2026-06-*""#, true)], "acs:CurrentTime", &noon());
    check(&[("StringEquals", r#""10.1.2.3""#, true)], "acs:SourceIp", &noon());
    check(&[("StringEquals", r#""true""#, true)], "acs:SecureTransport", &noon());
}

#[test]
fn without_a_fact_positive_operators_fail_and_negated_ones_hold() {
    for operator in Operator::ALL.map(Operator::name) {
        let (key, value) = match operator {
            "Bool" => ("acs:MFAPresent", "true"),
            "IpAddress" | "NotIpAddress" => ("acs:VpcSourceIp", r#""10.0.0.0/8""#),
            _ if operator.starts_with("Date") => ("acs:RequestTag/t", r#""2026-06-01T12:00:00Z""#),
            _ => ("acs:RequestTag/t", "5"),
        };
        assert_eq!(holds(operator, key, value, &noon()), operator.contains("Not"), "{operator}");
    }
}

#[test]
fn all_operators_and_keys_have_to_hold() {
    let condition = |ip: &str, until: &str| {
        format!(
            r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*","Condition":{{
                "IpAddress":{{"acs:SourceIp":"{ip}"}},"DateLessThan":{{"acs:CurrentTime":"{until}"}},"Bool":{{"acs:SecureTransport":true}}}}}}]}}"#
        )
    };
    let allows = |text: &str| decide(&[read(text)], Action::PullRepository, &repository("a"), &noon()) == Effective::Allowed;
    assert!(allows(&condition("10.0.0.0/8", "2027-01-01T00:00:00Z")));
    assert!(!allows(&condition("11.0.0.0/8", "2027-01-01T00:00:00Z")));
    assert!(!allows(&condition("10.0.0.0/8", "2025-01-01T00:00:00Z")));
}
