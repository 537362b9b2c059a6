//! Documents that belong to a role, a namespace or a repository.

use model::{AccountId, Action, Resource};
use policy::{Context, Effective, Key, Request, Who, evaluate, filter, ram};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::documents::{circumstances, documents, question};
use crate::oracle;
use crate::{ACCOUNT, instance, namespace, noon, repository};

fn account() -> AccountId {
    AccountId::from_i64(ACCOUNT)
}

fn arn(relative: &str) -> String {
    format!("acs:ram::{ACCOUNT}:{relative}")
}

fn by(relative: &str) -> Context {
    noon().by(Who::named(account(), relative))
}

fn one(statement: &Value) -> String {
    json!({"Version": "1", "Statement": [statement]}).to_string()
}

fn granting(of: &Resource, statement: &Value, asked: Action, resource: &Resource, context: &Context) -> Effective {
    let document = ram::parse_resource_policy(&one(statement), of).unwrap();
    evaluate(&[("p", &document)], &Request { action: asked, resource, context }).effective()
}

#[test]
fn a_namespace_says_who_else_may() {
    let pull = json!({"Effect": "Allow", "Action": "cr:PullRepository", "Principal": {"RAM": [arn("user/alice"), arn("group/ops")]}});
    let (demo, app) = (namespace("demo"), repository("demo/app"));
    let says = |context: &Context| granting(&demo, &pull, Action::PullRepository, &app, context);
    assert_eq!(says(&by("user/alice")), Effective::Allowed);
    assert_eq!(says(&noon().by(Who::named(account(), "user/bob").in_group("ops"))), Effective::Allowed);
    assert_eq!(says(&by("user/bob")), Effective::NotSaid);
    assert_eq!(says(&by("role/alice")), Effective::NotSaid);
    assert_eq!(says(&noon()), Effective::NotSaid, "nobody in particular is nobody");
    assert_eq!(says(&noon().by(Who::named(AccountId::from_i64(7), "user/alice"))), Effective::NotSaid);
    assert_eq!(granting(&demo, &pull, Action::PullRepository, &repository("other/app"), &by("user/alice")), Effective::NotSaid);
    assert_eq!(granting(&demo, &pull, Action::PushRepository, &app, &by("user/alice")), Effective::NotSaid);
}

#[test]
fn everybody_is_everybody_of_the_account() {
    for everybody in ["*", &arn("root")] {
        let deny = json!({"Effect": "Deny", "Action": "cr:*", "Principal": {"RAM": everybody}});
        let says = |context: &Context| granting(&repository("demo/app"), &deny, Action::PullRepository, &repository("demo/app"), context);
        assert_eq!(says(&by("service-account/ci")), Effective::Denied);
        assert_eq!(says(&noon().by(Who::federated(account(), "github"))), Effective::NotSaid);
        assert_eq!(says(&noon().by(Who::named(AccountId::from_i64(7), "user/alice"))), Effective::NotSaid);
    }
}

/// Whom a trust policy lets in, whatever the circumstances, it opens to; and to nobody whom it never lets in.
#[test]
fn a_role_opens_to_whom_it_can_let_in() {
    let assume = |effect: &str, who: &str| json!({"Effect": effect, "Action": "sts:AssumeRole", "Principal": {"RAM": arn(who)}});
    let when = |mut statement: Value| {
        statement["Condition"] = json!({"StringEquals": {"sts:ExternalId": "x"}});
        statement
    };
    let opens = |statements: &[Value], who: &Who, others: Option<&Who>| {
        let text = json!({"Version": "1", "Statement": statements}).to_string();
        ram::parse_trust(account(), &text).unwrap().opens_to(who, others)
    };
    let named = |who: &str| Who::named(account(), who);
    let (alice, bob) = (named("user/alice"), named("user/bob"));
    assert!(opens(&[assume("Allow", "user/alice")], &alice, None) && !opens(&[assume("Allow", "user/alice")], &bob, None));
    assert!(opens(&[when(assume("Allow", "user/alice"))], &alice, Some(&bob)), "conditions are taken as given");
    assert!(opens(&[assume("Allow", "root"), when(assume("Deny", "user/alice"))], &alice, None), "and as not given where they deny");
    assert!(!opens(&[assume("Allow", "root"), assume("Deny", "user/alice")], &alice, None));
    assert!(!opens(&[assume("Allow", "root")], &alice, Some(&bob)), "the other one is let in as well");
    assert!(opens(&[assume("Allow", "root"), when(assume("Deny", "user/bob"))], &alice, Some(&bob)), "not always");
    assert!(opens(&[assume("Allow", "root"), assume("Allow", "user/alice")], &alice, Some(&bob)), "by a statement of their own");
    assert!(opens(&[assume("Allow", "group/ops")], &named("user/bob").in_group("ops"), Some(&alice)));
    let other = json!({"Effect": "Allow", "Action": "sts:TagSession", "Principal": {"RAM": "*"}});
    assert!(!opens(&[other], &alice, None));
}

#[test]
fn a_lister_is_told_as_well() {
    let pull = json!({"Effect": "Allow", "Action": "cr:PullRepository", "Principal": {"RAM": arn("user/alice")}});
    let document = ram::parse_resource_policy(&one(&pull), &namespace("demo")).unwrap();
    let shown = |who: &str| !filter(&[("p", &document)], Action::PullRepository, &by(who), &instance()).is_empty();
    assert!(shown("user/alice"));
    assert!(!shown("user/bob"));
}

#[test]
fn a_policy_stays_inside() {
    let wants = |of: &Resource, resource: &str| {
        let text = one(&json!({"Effect": "Allow", "Action": "cr:*", "Principal": {"RAM": "*"}, "Resource": resource}));
        ram::parse_resource_policy(&text, of).map_err(|e| e.to_string())
    };
    let demo = namespace("demo");
    for inside in
        ["repository/local/demo/*", "repository/local/demo", "repository/cri-0000000000000abc/demo/a*", "repository/local/demo/app"]
    {
        assert!(wants(&demo, &format!("acs:cr:*:*:{inside}")).is_ok(), "{inside}");
    }
    for outside in
        ["*", "acs:cr:*:*:*", "acs:cr:*:*:repository/local/*", "acs:cr:*:*:repository/*/demo/*", "acs:cr:*:*:repository/local/demo*"]
    {
        assert_eq!(
            wants(&demo, outside).unwrap_err(),
            "Statement[0].Resource: this is not inside namespace/local/demo; leave Resource out to mean all of it"
        );
    }
    assert!(wants(&repository("a/b"), "acs:cr:*:*:repository/local/a/b").is_ok());
    assert!(wants(&repository("a/b"), "acs:cr:*:*:repository/local/a/b/c").is_err());
    assert!(wants(&repository("busybox"), "acs:cr:*:*:repository/local/_/busybox").is_ok());
}

#[test]
fn principals_are_of_the_account_and_named() {
    let refused = |principal: Value| {
        let text = one(&json!({"Effect": "Allow", "Action": "cr:*", "Principal": principal}));
        ram::parse_resource_policy(&text, &namespace("demo")).unwrap_err().to_string()
    };
    let wanted = format!(
        "Statement[0].Principal.RAM: a principal of this account is *, acs:ram::{ACCOUNT}:root (everybody), or acs:ram::{ACCOUNT}: with user/NAME, group/NAME, role/NAME or service-account/NAME"
    );
    for bad in ["acs:ram::7:root", "acs:ram::7:user/a", &arn("user/*"), &arn("user/"), &arn("oidc-provider/x"), "alice", ""] {
        assert_eq!(refused(json!({"RAM": bad})), wanted, "{bad}");
    }
    assert_eq!(refused(json!({"Federated": arn("oidc-provider/x")})), "Statement[0]: principals here stand under \"RAM\"");
    assert_eq!(refused(json!({})), "Statement[0]: \"Principal\" is missing: {\"RAM\": [\"*\"]} is everybody of the account");
    let text = one(&json!({"Effect": "Allow", "Action": "cr:*", "Resource": "*", "Principal": {"RAM": "*"}}));
    assert!(ram::parse(&text).is_err(), "what is attached to somebody names nobody");
}

#[test]
fn a_role_trusts_whom_it_names() {
    let text = json!({"Version": "1", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"RAM": arn("user/alice")}},
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Federated": [arn("oidc-provider/github")]},
         "Condition": {"StringEquals": {"oidc:aud": "tidegate"}, "StringLike": {"oidc:sub": "repo:o/r:*"}}},
        {"Effect": "Deny", "Action": "sts:*", "Principal": {"RAM": arn("group/leavers"), "Service": "ecs.aliyuncs.com"}},
    ]});
    let trust = ram::parse_trust(account(), &text.to_string()).unwrap();
    let says = |context: &Context| trust.evaluate(context);
    assert_eq!((says(&by("user/alice")).effective, says(&by("user/alice")).statement), (Effective::Allowed, Some(1)));
    assert_eq!(says(&by("user/bob")).effective, Effective::NotSaid);
    assert_eq!(says(&noon().by(Who::named(account(), "user/alice").in_group("leavers"))).effective, Effective::Denied);
    let workflow = |sub: &str| {
        let claims = [("aud", "tidegate"), ("sub", sub)];
        let who = noon().by(Who::federated(account(), "github"));
        claims.into_iter().fold(who, |context, (name, value)| context.with(Key::Oidc(name.into()), value))
    };
    assert_eq!(says(&workflow("repo:o/r:ref:refs/heads/main")).effective, Effective::Allowed);
    let other = says(&workflow("repo:o/other:x"));
    assert_eq!((other.effective, other.statement), (Effective::NotSaid, Some(2)));
    assert_eq!(other.unmet.as_deref(), Some("condition StringLike on oidc:sub does not hold: the request has repo:o/other:x"));
    assert_eq!(trust, ram::parse_trust(account(), &printed(&trust)).unwrap());
}

/// A trust policy has no Resource; the printer writes the one that it is read with.
fn printed(trust: &policy::TrustDocument) -> String {
    ram::print(trust.document()).replace(r#""Resource":"*","#, "")
}

#[test]
fn what_is_no_trust_policy_is_refused() {
    let refused = |statement: Value| ram::parse_trust(account(), &one(&statement)).unwrap_err().to_string();
    let trusts = |principal: Value| json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal});
    assert!(
        refused(json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"RAM": "*"}, "Resource": "*"}))
            .starts_with("Statement[0].Resource: this element is not known")
    );
    assert!(refused(json!({"Effect": "Allow", "Action": "sts:AssumeRole"})).contains("\"Principal\" is missing"));
    assert!(refused(trusts(json!({"RAM": "acs:ram::7:root"}))).contains("a principal of this account"));
    assert!(refused(trusts(json!({"Federated": "acs:ram::7:oidc-provider/x"}))).contains("a provider of this account"));
    assert!(refused(trusts(json!({"Service": "a b"}))).contains("a service's name"));
    assert!(refused(trusts(json!({"AWS": "*"}))).contains("not known"));
    let long = format!("{}{}", one(&trusts(json!({"RAM": "*"}))), " ".repeat(2048));
    assert!(ram::parse_trust(account(), &long).unwrap_err().to_string().contains("at most 2048 are allowed"));
}

const WHOM: [&str; 5] = ["*", "root", "user/alice", "user/bob", "group/ops"];

/// Documents that belong to a place, each statement of some principals.
fn owned() -> impl Strategy<Value = Vec<Value>> {
    let named = proptest::collection::vec(proptest::collection::vec(select(&WHOM[..]), 1..3), 20);
    (documents(), named).prop_map(|(mut documents, named)| {
        let statements = documents.iter_mut().flat_map(|d| d["Statement"].as_array_mut().unwrap());
        for (statement, who) in statements.zip(named) {
            let who: Vec<_> = who.into_iter().map(|who| if who == "*" { who.to_owned() } else { arn(who) }).collect();
            statement["Principal"] = json!({"RAM": who});
        }
        documents
    })
}

/// Said a second time, as plainly as can be: the statements that name one of these.
fn naming(documents: &[Value], who: &[String]) -> Vec<Value> {
    let about = |s: &&Value| s["Principal"]["RAM"].as_array().unwrap().iter().any(|p| who.iter().any(|name| p == name));
    let kept = |d: &Value| json!({"Statement": d["Statement"].as_array().unwrap().iter().filter(about).cloned().collect::<Vec<_>>()});
    documents.iter().map(kept).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn places_and_principals_agree_with_the_oracle(
        own in documents(), owned in owned(), alice in any::<bool>(), ops in any::<bool>(),
        (action, resource) in question(), (context, facts) in circumstances(),
    ) {
        let name = if alice { "user/alice" } else { "user/eve" };
        let who = Who::named(account(), name);
        let context = context.by(if ops { who.in_group("ops") } else { who });
        let place = namespace("demo");
        let mut read: Vec<_> = own.iter().map(|json| ram::parse(&json.to_string()).unwrap()).collect();
        read.extend(owned.iter().map(|json| ram::reread_resource_policy(&json.to_string(), &place).unwrap()));
        let all: Vec<_> = read.iter().map(|document| ("p", document)).collect();
        let said = evaluate(&all, &Request { action, resource: &resource, context: &context }).effective();
        let names: Vec<_> = ["*".to_owned(), arn("root"), arn(name)].into_iter().chain(ops.then(|| arn("group/ops"))).collect();
        let wanted = oracle::decide(&[own, naming(&owned, &names)].concat(), action, &resource, &facts);
        let said = match said { Effective::Allowed => "allow", Effective::Denied => "deny", Effective::NotSaid => "default deny" };
        prop_assert_eq!(said, wanted);
        if action == Action::PullRepository && let Resource::Repository(on) = &resource {
            let shown = filter(&all, action, &context, &instance()).shows(&on.name);
            prop_assert_eq!(shown, wanted == "allow");
        }
    }
}
