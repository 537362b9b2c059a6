//! Documents as the vendor's pages write them.

use model::{Action, Resource};
use policy::{Effective, builtin};

use crate::{account, decide, document, instance, namespace, noon, read, repository, statement};

/// Actions that the vendor's pages name for the registry; one of them is nothing here.
const NAMED: [(&str, Option<Action>); 23] = [
    ("cr:GetAuthorizationToken", Some(Action::GetAuthorizationToken)),
    ("cr:PullRepository", Some(Action::PullRepository)),
    ("cr:PushRepository", Some(Action::PushRepository)),
    ("cr:CreateNamespace", Some(Action::CreateNamespace)),
    ("cr:GetNamespace", Some(Action::GetNamespace)),
    ("cr:ListNamespace", Some(Action::ListNamespace)),
    ("cr:CreateRepository", Some(Action::CreateRepository)),
    ("cr:GetRepository", Some(Action::GetRepository)),
    ("cr:ListRepository", Some(Action::ListRepository)),
    ("cr:DeleteRepository", Some(Action::DeleteRepository)),
    ("cr:ListRepositoryTag", Some(Action::ListRepositoryTag)),
    ("cr:ListRepoTag", Some(Action::ListRepositoryTag)),
    ("cr:GetRepoTag", Some(Action::ListRepositoryTag)),
    ("cr:DeleteRepositoryTag", Some(Action::DeleteRepositoryTag)),
    ("cr:DeleteRepoTag", Some(Action::DeleteRepositoryTag)),
    ("cr:ListInstance", Some(Action::ListInstance)),
    ("cr:GetInstance", Some(Action::GetInstance)),
    ("cr:ListInstanceEndpoint", Some(Action::ListInstanceEndpoint)),
    ("cr:GetInstanceEndpoint", Some(Action::GetInstanceEndpoint)),
    ("cr:UpdateInstanceEndpointStatus", Some(Action::UpdateInstanceEndpointStatus)),
    ("cr:CreateInstanceEndpointAclPolicy", Some(Action::CreateInstanceEndpointAclPolicy)),
    ("cr:GetInstanceVpcEndpoint", Some(Action::GetInstanceEndpoint)),
    ("cr:ListSignature", None),
];

#[test]
fn every_action_of_the_vendor_s_pages_is_read() {
    for (spelling, meant) in NAMED {
        assert_eq!(Action::parse(spelling), meant, "{spelling}");
        let allowed = document(&[statement("Allow", spelling, "*")]).statements[0].actions();
        assert_eq!(allowed.iter().next(), meant, "{spelling}");
    }
}

#[test]
fn a_further_spelling_allows_and_denies_like_the_other() {
    let app = repository("demo/app");
    for effect in ["Allow", "Deny"] {
        let wanted = if effect == "Allow" { Effective::Allowed } else { Effective::Denied };
        for pattern in ["cr:GetRepoTag", "cr:*RepoTag", "CR:listrepotag", "cr:Get*"] {
            let said = decide(&[document(&[statement(effect, pattern, "*")])], Action::ListRepositoryTag, &app, &noon());
            assert_eq!(said, wanted, "{pattern}");
        }
    }
    let all_but = read(r#"{"Version":"1","Statement":[{"Effect":"Allow","NotAction":"cr:DeleteRepoTag","Resource":"*"}]}"#);
    assert_eq!(decide(std::slice::from_ref(&all_but), Action::DeleteRepositoryTag, &app, &noon()), Effective::NotSaid);
    assert_eq!(decide(&[all_but], Action::PullRepository, &app, &noon()), Effective::Allowed);
}

/// "Grant a user one namespace", as the vendor's page has it; the chart resources beside it are read and speak of nothing.
const NAMESPACE: &str = r#"{"Version":"1","Statement":[
    {"Effect":"Allow","Action":["cr:ListInstance*","cr:GetInstance*","cr:ListSignature*"],"Resource":"*"},
    {"Effect":"Allow","Action":["cr:*"],"Resource":["acs:cr:*:*:repository/local/demo","acs:cr:*:*:repository/local/demo/*",
        "acs:cr:*:*:chart/local/demo","acs:cr:*:*:chart/local/demo/*"]},
    {"Effect":"Allow","Action":["cr:List*"],"Resource":["acs:cr:*:*:repository/local/*","acs:cr:*:*:repository/local/*/*"]}]}"#;

#[test]
fn the_pattern_of_one_namespace_reaches_that_namespace() {
    let allows = |action, on: &Resource| decide(&[read(NAMESPACE)], action, on, &noon()) == Effective::Allowed;
    assert!(allows(Action::PushRepository, &repository("demo/app")));
    assert!(allows(Action::GetNamespace, &namespace("demo")) && allows(Action::ListRepository, &namespace("demo")));
    assert!(allows(Action::GetInstance, &Resource::Instance(instance())) && allows(Action::ListInstance, &account()));
    assert!(!allows(Action::PullRepository, &repository("other/app")));
    assert!(!allows(Action::UpdateInstance, &Resource::Instance(instance())));
}

#[test]
fn conditions_of_the_vendor_s_pages_are_read() {
    let text =
        r#"{"Version":"1","Statement":{"Effect":"Allow","Action":"cr:PullRepository","Resource":"acs:cr:cn-hangzhou:123456789012****:*"}}"#;
    assert!(policy::ram::parse(text).is_err(), "a statement is in a list");
    for condition in [
        r#"{"IpAddress":{"acs:SourceIp":"10.1.2.3"}}"#,
        r#"{"IpAddress":{"acs:SourceIp":["10.1.2.0/24","2001:db8::/32"]}}"#,
        r#"{"Bool":{"acs:SecureTransport":"true"}}"#,
        r#"{"Bool":{"acs:MFAPresent":true}}"#,
        r#"{"DateLessThan":{"acs:CurrentTime":"2030-01-01T00:00:00+08:00"}}"#,
        r#"{"StringEquals":{"acs:SourceVpc":["vpc-bp1","vpc-bp2"]}}"#,
    ] {
        read(&format!(r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"cr:*","Resource":"*","Condition":{condition}}}]}}"#));
    }
}

#[test]
fn the_system_policies_of_the_pages_are_built_in() {
    for name in
        ["AliyunContainerRegistryFullAccess", "AliyunContainerRegistryReadOnlyAccess", "AliyunSTSAssumeRoleAccess", "AdministratorAccess"]
    {
        assert!(builtin(name).is_some(), "{name}");
    }
}
