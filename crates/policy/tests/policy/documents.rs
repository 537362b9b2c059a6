//! Random documents and requests, drawn from few words so that they meet each other often.

use model::{Action, Resource, Timestamp};
use policy::{Context, Key};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use crate::oracle::Facts;
use crate::{account, instance, namespace, repository, user};

const ACTIONS: [&str; 14] = [
    "*",
    "*:*",
    "cr:*",
    "CR:pull*",
    "cr:PullRepository",
    "cr:PushRepository",
    "cr:P?llRepository",
    "cr:Get*",
    "cr:List*",
    "ram:*",
    "ram:List*",
    "cr:ListRepository",
    "ecs:*",
    "cr:*Repository*",
];

const SERVICES: [&str; 4] = ["cr", "ram", "*", "c?"];
const REGIONS: [&str; 5] = ["*", "", "here", "h*e", "elsewhere"];
const ACCOUNTS: [&str; 5] = ["*", "", "1234567890123456", "1*6", "2"];
const RELATIVE: [&str; 30] = [
    "*",
    "repository/*",
    "repository/local/*",
    "repository/cri-0000000000000abc/*",
    "repository/local/demo/*",
    "repository/local/demo/app",
    "repository/*/demo/*",
    "repository/*/app",
    "repository/local/_/*",
    "repository/local/_/busybox",
    "repository/local/d*",
    "repository/local/de??/a*",
    "repository/local/demo",
    "repository/local/*/*",
    "repository/*/*/*",
    "instance/*",
    "instance/local",
    "user/*",
    "user/alice",
    "user/a*",
    "*/app",
    "*o*a*",
    "repository/local/??mo/app*",
    "repository/local/busybox",
    "repository/?????/*",
    "repository/local/demo*",
    "repository/local/_*",
    "repository/local/secret/*",
    "*b*",
    "repository/local/a/b/*",
];

pub(crate) const NAMES: [&str; 16] = [
    "demo/app",
    "demo/apple",
    "demo/a/b",
    "demo",
    "demos",
    "busybox",
    "secret/a",
    "secret/b/c",
    "a/b/c",
    "a",
    "app",
    "local/app",
    "x/app",
    "bb",
    "d/a",
    "zz/z",
];

const TIMES: [&str; 5] =
    ["2026-06-01T12:00:00Z", "2026-06-01T20:00:00+08:00", "2026-06-01T11:59:59.999Z", "2027-01-01T00:00:00Z", "2020-02-29T00:00:00-05:00"];
const ADDRESSES: [&str; 9] = [
    "10.1.2.3",
    "10.0.0.0/8",
    "0.0.0.0/0",
    "::/0",
    "2001:db8::/32",
    "2001:db8::7",
    "::ffff:10.1.2.3",
    "::ffff:10.0.0.0/104",
    "192.168.0.0/16",
];
const NUMBERS: [&str; 5] = ["5", "5.0", "-1", "1e3", "0.5"];
const TEXTS: [&str; 8] = ["ops", "Ops", "o*", "?ps", "5", "", "2026-*", "é*"];
const BOOLS: [&str; 4] = ["true", "false", "True", "FALSE"];

const TEXT_KEYS: [&str; 5] = ["acs:ResourceTag/team", "acs:RequestTag/n", "acs:SourceVpc", "oidc:aud", "acs:PrincipalARN"];

const ALL_KEYS: [&str; 8] = [
    "acs:ResourceTag/team",
    "acs:RequestTag/n",
    "acs:SourceVpc",
    "oidc:aud",
    "acs:PrincipalARN",
    "acs:SourceIp",
    "acs:CurrentTime",
    "acs:SecureTransport",
];

fn one_or_more(entries: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = Value> {
    prop_oneof![entries.clone().prop_map(Value::from), vec(entries, 1..4).prop_map(Value::from)]
}

fn word(words: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    select(words).prop_map(str::to_owned)
}

fn resource_pattern() -> impl Strategy<Value = String> + Clone {
    let parts = (select(&SERVICES[..]), select(&REGIONS[..]), select(&ACCOUNTS[..]), select(&RELATIVE[..]));
    // Mostly ones that can match, or nothing ever would.
    let likely = select(&RELATIVE[..]).prop_map(|id| format!("acs:*:*:*:{id}"));
    prop_oneof![1 => Just("*".to_owned()), 2 => parts.prop_map(|(s, r, a, id)| format!("acs:{s}:{r}:{a}:{id}")), 5 => likely]
}

fn block(keys: &'static [&'static str], words: &'static [&'static str]) -> impl Strategy<Value = Value> {
    vec((select(keys), one_or_more(word(words))), 1..3)
        .prop_map(|members| Value::Object(members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()))
}

/// One operator with the keys and values that suit it.
fn operator() -> impl Strategy<Value = (String, Value)> {
    let named = |names: &'static [&'static str], block: BoxedStrategy<Value>| (word(names), block).boxed();
    prop_oneof![
        named(
            &["StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike"],
            block(&ALL_KEYS, &TEXTS).boxed()
        ),
        named(
            &[
                "NumericEquals",
                "NumericNotEquals",
                "NumericLessThan",
                "NumericLessThanEquals",
                "NumericGreaterThan",
                "NumericGreaterThanEquals"
            ],
            block(&TEXT_KEYS, &NUMBERS).boxed()
        ),
        named(
            &["DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"],
            block(&["acs:CurrentTime", "acs:ResourceTag/team"], &TIMES).boxed()
        ),
        named(&["Bool"], block(&["acs:SecureTransport", "acs:MFAPresent"], &BOOLS).boxed()),
        named(&["IpAddress", "NotIpAddress"], block(&["acs:SourceIp", "acs:VpcSourceIp"], &ADDRESSES).boxed()),
    ]
}

fn statement(effect: impl Strategy<Value = &'static str>) -> impl Strategy<Value = Value> {
    let element = prop_oneof![5 => Just("Action"), 1 => Just("NotAction")];
    let condition = prop_oneof![3 => Just(None), 2 => vec(operator(), 1..3).prop_map(|ops| Some(ops.into_iter().collect::<Map<_, _>>()))];
    (effect, element, one_or_more(word(&ACTIONS)), one_or_more(resource_pattern()), condition).prop_map(
        |(effect, element, actions, resources, condition)| {
            let mut statement = json!({ "Effect": effect, element: actions, "Resource": resources });
            if let Some(condition) = condition {
                statement["Condition"] = Value::Object(condition);
            }
            statement
        },
    )
}

fn of(statement: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    vec(statement, 1..5).prop_map(|statements| json!({ "Version": "1", "Statement": statements }))
}

pub(crate) fn document() -> impl Strategy<Value = Value> {
    of(statement(prop_oneof![3 => Just("Allow"), 2 => Just("Deny")]))
}

pub(crate) fn denying() -> impl Strategy<Value = Value> {
    of(statement(Just("Deny")))
}

pub(crate) fn documents() -> impl Strategy<Value = Vec<Value>> {
    vec(document(), 0..4)
}

/// An action and something that it is done to.
pub(crate) fn question() -> impl Strategy<Value = (Action, Resource)> {
    let on_names = (
        select(&[Action::PullRepository, Action::PushRepository, Action::GetRepository, Action::DeleteRepository][..]),
        select(&NAMES[..]),
    );
    prop_oneof![
        6 => on_names.prop_map(|(action, name)| (action, repository(name))),
        1 => (select(&[Action::ListRepository, Action::GetNamespace][..]), select(&["demo", "_", "secret"][..])).prop_map(|(a, n)| (a, namespace(n))),
        1 => select(&[Action::GetInstance, Action::ListNamespace][..]).prop_map(|a| (a, Resource::Instance(instance()))),
        1 => select(&[Action::ListInstance, Action::GetAuthorizationToken, Action::ListUsers, Action::ListPolicies][..]).prop_map(|a| (a, account())),
        1 => select(&[Action::GetUser, Action::CreateAccessCredential][..]).prop_map(|a| (a, user("alice"))),
    ]
}

/// The same circumstances for the crate and for the oracle.
pub(crate) fn circumstances() -> impl Strategy<Value = (Context, Facts)> {
    let own = (
        select(&TIMES[..]),
        select(&["10.1.2.3", "::ffff:10.1.2.3", "192.168.1.1", "2001:db8::7", "2001:db9::1", "::1"][..]),
        any::<bool>(),
    );
    let provided = subsequence(TEXT_KEYS.to_vec(), 0..=TEXT_KEYS.len());
    let values = vec(select(&["ops", "Ops", "5", "-1", "2026-06-01T12:00:00Z", "", "été"][..]), TEXT_KEYS.len());
    (own, provided, values, proptest::option::of(select(&["true", "false"][..])), proptest::option::of(select(&["10.9.9.9", "::2"][..])))
        .prop_map(|((now, ip, secure), keys, values, mfa, vpc_ip)| {
            let now = Timestamp::parse(now).unwrap();
            let ip: std::net::IpAddr = ip.parse().unwrap();
            let mut context = Context::new(now, ip, secure);
            let mut facts = Facts::from([
                ("acs:CurrentTime".into(), now.to_string()),
                ("acs:SourceIp".into(), ip.to_canonical().to_string()),
                ("acs:SecureTransport".into(), secure.to_string()),
            ]);
            let more =
                keys.into_iter().zip(values).chain(mfa.map(|m| ("acs:MFAPresent", m))).chain(vpc_ip.map(|ip| ("acs:VpcSourceIp", ip)));
            for (key, value) in more {
                context = context.with(Key::parse(key).unwrap(), value);
                facts.insert(key.into(), value.into());
            }
            (context, facts)
        })
}
