//! The rights of the built-in policies, as a table for people: what changes in it, somebody has to have looked at.

use std::fmt::Write as _;
use std::sync::Arc;

use model::{
    AccountId, Action, InstanceId, InstanceName, NamespaceName, OnAccount, OnInstance, OnIntegration, OnNamespace, OnPolicy, OnPrincipal,
    OnProvider, OnRepository, PrincipalKind, Region, RepositoryName, Resource, ResourceKind, Timestamp,
};
use policy::{Context, Request, builtins, evaluate};

/// The whole table. Renew it by `cargo run -q -p policy --example rights > crates/policy/tests/policy/rights.txt`.
pub(crate) fn rights() -> String {
    let mut table = String::from("What the built-in policies allow on which resources: x is allowed, . is not.\n\n");
    for (index, policy) in builtins().iter().enumerate() {
        writeln!(table, "{:>2} {}: {}", index + 1, policy.name, policy.description).unwrap();
    }
    write!(table, "\n{:<35} {:<31}", "action", "resource").unwrap();
    for number in 1..=builtins().len() {
        write!(table, "{number:>3}").unwrap();
    }
    table.push('\n');
    for action in Action::ALL {
        for resource in samples(action.resource_kind()) {
            let cells: String =
                builtins().iter().map(|policy| if allows(policy.document(), *action, &resource) { "  x" } else { "  ." }).collect();
            writeln!(table, "{:<35} {:<31}{cells}", action.as_str(), resource.to_string()).unwrap();
        }
    }
    table
}

fn allows(document: &policy::Document, action: Action, resource: &Resource) -> bool {
    let context = Context::new(Timestamp::from_millis(1_800_000_000_000), "192.0.2.1".parse().unwrap(), true);
    evaluate(&[("p", document)], &Request { action, resource, context: &context }).is_allowed()
}

/// Things of this kind, in the root namespace and outside of it.
fn samples(kind: ResourceKind) -> Vec<Resource> {
    let account = AccountId::from_i64(1_234_567_890_123_456);
    let instance = || {
        let (name, region) = (InstanceName::parse("local").unwrap(), Region::parse("local").unwrap());
        Arc::new(OnInstance { account, id: InstanceId::from_i64(1), name, region })
    };
    let repository = |name| Resource::Repository(OnRepository { instance: instance(), name: RepositoryName::parse(name).unwrap() });
    let principal = |kind| Resource::Principal(OnPrincipal { account, id: None, kind, name: "x".into() });
    match kind {
        ResourceKind::Account => vec![Resource::Account(OnAccount(account))],
        ResourceKind::Instance => vec![Resource::Instance(instance())],
        ResourceKind::Namespace => {
            vec![Resource::Namespace(OnNamespace { instance: instance(), name: NamespaceName::parse("demo").unwrap() })]
        }
        ResourceKind::Repository => vec![repository("demo/app"), repository("busybox")],
        ResourceKind::User => vec![principal(PrincipalKind::User)],
        ResourceKind::ServiceAccount => vec![principal(PrincipalKind::ServiceAccount)],
        ResourceKind::Group => vec![principal(PrincipalKind::Group)],
        ResourceKind::Role => vec![principal(PrincipalKind::Role)],
        ResourceKind::Provider => vec![Resource::Provider(OnProvider { account, id: None, name: "x".into() })],
        ResourceKind::Integration => vec![Resource::Integration(OnIntegration { account, id: None, name: "x".into() })],
        ResourceKind::Policy => vec![Resource::Policy(OnPolicy { account, id: None, name: "x".into() })],
    }
}
