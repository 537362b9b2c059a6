use model::{Action, OnPolicy, Resource};
use policy::{Effective, ram};

use crate::{ACCOUNT, account, decide, document, instance, namespace, noon, repository, statement, user};

fn allows(pattern: &str, action: Action, resource: &Resource) -> bool {
    let allow = document(&[statement("Allow", "*", pattern)]);
    let deny = document(&[statement("Deny", "*", pattern)]);
    let allowed = decide(&[allow], action, resource, &noon()) == Effective::Allowed;
    assert_eq!(decide(&[deny], action, resource, &noon()) == Effective::Denied, allowed, "the same spellings deny: {pattern}");
    allowed
}

#[test]
fn an_instance_is_spelled_by_id_and_by_name() {
    let app = repository("demo/app");
    for pattern in [
        "acs:cr:*:*:repository/local/demo/app",
        "acs:cr:*:*:repository/cri-0000000000000abc/demo/app",
        "acs:cr:here:1234567890123456:repository/local/demo/*",
        "acs:cr:*:*:repository/local/*",
        "acs:cr:*:*:*",
        "*",
    ] {
        assert!(allows(pattern, Action::PullRepository, &app), "{pattern}");
    }
    for pattern in [
        "acs:cr:*:*:repository/other/demo/app",
        "acs:cr:*:*:repository/local/demo",
        "acs:cr:*:*:repository/local/Demo/*",
        "acs:cr:cn-hangzhou:*:repository/*",
        "acs:cr:*:6543210987654321:*",
        "acs:ram:*:*:*",
        "acs:cr:*:*:instance/local",
    ] {
        assert!(!allows(pattern, Action::PullRepository, &app), "{pattern}");
    }
}

#[test]
fn the_root_namespace_is_an_underscore() {
    assert!(allows("acs:cr:*:*:repository/local/_/busybox", Action::PullRepository, &repository("busybox")));
    assert!(!allows("acs:cr:*:*:repository/local/busybox", Action::PullRepository, &repository("busybox")));
    assert!(!allows("acs:cr:*:*:repository/local/_/*", Action::PullRepository, &repository("demo/app")));
}

#[test]
fn listing_is_allowed_by_what_stands_below_as_well() {
    assert!(allows("acs:cr:*:*:repository/local/demo/*", Action::ListRepository, &namespace("demo")));
    assert!(allows("acs:cr:*:*:repository/local/demo", Action::ListRepository, &namespace("demo")));
    assert!(!allows("acs:cr:*:*:repository/local/demo/app", Action::ListRepository, &namespace("demo")));
    assert!(!allows("acs:cr:*:*:repository/local/demo/*", Action::GetNamespace, &namespace("demo")));
    assert!(allows("acs:cr:*:*:repository/local/*", Action::ListNamespace, &Resource::Instance(instance())));
    assert!(allows("acs:cr:*:*:instance/local", Action::GetInstance, &Resource::Instance(instance())));
}

#[test]
fn what_has_no_region_is_restricted_by_none() {
    for region in ["", "*", "cn-hangzhou"] {
        assert!(allows(&format!("acs:ram:{region}:{ACCOUNT}:user/alice"), Action::GetUser, &user("alice")));
        assert!(allows(&format!("acs:cr:{region}:*:*"), Action::GetAuthorizationToken, &account()));
    }
    assert!(!allows("acs:ram:*:*:user/bob", Action::GetUser, &user("alice")));
    assert!(!allows("acs:cr:*:*:repository/*", Action::GetAuthorizationToken, &account()));
    assert!(allows("acs:ram:*:*:user/*", Action::ListUsers, &account()));
    assert!(!allows("acs:ram:*:*:user/alice", Action::ListUsers, &account()));
    assert!(allows("acs:ram:*:*:policy/*", Action::ListPolicies, &account()));
    assert!(allows("acs:cr:*:*:instance/*", Action::ListInstance, &account()));
}

#[test]
fn spellings_can_be_shown() {
    let shown = |action, resource: &Resource| ram::spell(action, resource).iter().collect::<Vec<_>>();
    let policy = Resource::Policy(OnPolicy { account: instance().account, id: None, name: "p".into() });
    assert_eq!(shown(Action::GetPolicy, &policy), ["acs:ram:*:1234567890123456:policy/p"]);
    assert_eq!(
        shown(Action::PullRepository, &repository("a/b/c")),
        ["acs:cr:here:1234567890123456:repository/cri-0000000000000abc/a/b/c", "acs:cr:here:1234567890123456:repository/local/a/b/c"]
    );
}

#[test]
fn push_includes_pull_unless_it_is_denied() {
    let push = statement("Allow", "cr:PushRepository", "acs:cr:*:*:repository/local/demo/*");
    let pull = |statements: &[String]| decide(&[document(statements)], Action::PullRepository, &repository("demo/app"), &noon());
    assert_eq!(pull(std::slice::from_ref(&push)), Effective::Allowed);
    assert_eq!(pull(&[push.clone(), statement("Deny", "cr:PullRepository", "*")]), Effective::Denied);
    assert_eq!(pull(&[push.clone(), statement("Deny", "cr:PushRepository", "*")]), Effective::NotSaid);
    let other = decide(&[document(&[push])], Action::PullRepository, &repository("other/app"), &noon());
    assert_eq!(other, Effective::NotSaid);
    let reverse = decide(&[document(&[statement("Allow", "cr:PullRepository", "*")])], Action::PushRepository, &repository("a"), &noon());
    assert_eq!(reverse, Effective::NotSaid);
}
