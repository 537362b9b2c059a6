//! How RAM documents spell what an action is done to.
//!
//! | Resource | `acs:` … |
//! |---|---|
//! | repository | `cr:REGION:ACCOUNT:repository/INSTANCE/NAMESPACE/REPOSITORY`; the root namespace is `_` |
//! | namespace | `cr:REGION:ACCOUNT:repository/INSTANCE/NAMESPACE`; to list what is in it also `…/NAMESPACE/*` |
//! | instance | `cr:REGION:ACCOUNT:instance/INSTANCE`; to list its namespaces also `repository/INSTANCE/*` |
//! | user, policy | `ram::ACCOUNT:user/NAME`, `ram::ACCOUNT:policy/NAME` |
//! | account | `cr::ACCOUNT:*`; for all instances, users, policies `cr::ACCOUNT:instance/*`, `ram::ACCOUNT:user/*`, `ram::ACCOUNT:policy/*` |
//!
//! INSTANCE is its id (`cri-…`) or its name: both spellings count, to allow and to deny. The `*` in these spellings is a
//! character like any other, which only a wildcard matches: `repository/I/demo/app` does not allow to list `repository/I/demo/*`.
//! Where no region stands, patterns of regions restrict nothing.

use model::{AccountId, Action, OnInstance, Resource};

use crate::Spelling;

/// Spells a resource as documents do for this action.
pub fn spell(action: Action, resource: &Resource) -> Spelling {
    match resource {
        Resource::Account(on) => account_wide(action, on.0),
        Resource::Instance(on) if action == Action::ListNamespace => {
            in_instance(on, |i| vec![format!("instance/{i}"), format!("repository/{i}/*")])
        }
        Resource::Instance(on) => in_instance(on, |i| vec![format!("instance/{i}")]),
        Resource::Namespace(on) if action == Action::ListRepository => {
            in_instance(&on.instance, |i| vec![format!("repository/{i}/{}", on.name), format!("repository/{i}/{}/*", on.name)])
        }
        Resource::Namespace(on) => in_instance(&on.instance, |i| vec![format!("repository/{i}/{}", on.name)]),
        Resource::Repository(on) => {
            let (namespace, rest) = (on.name.namespace(), on.name.within_namespace());
            in_instance(&on.instance, |i| vec![format!("repository/{i}/{namespace}/{rest}")])
        }
        Resource::User(on) => anywhere("ram", on.account, format!("user/{}", on.name)),
        Resource::Policy(on) => anywhere("ram", on.account, format!("policy/{}", on.name)),
    }
}

/// How a repository's spelling begins in this instance, by id and by name.
pub(crate) fn repositories_of(instance: &OnInstance) -> Spelling {
    in_instance(instance, |i| vec![format!("repository/{i}/")])
}

fn account_wide(action: Action, account: AccountId) -> Spelling {
    match action {
        Action::ListInstance | Action::CreateInstance => anywhere("cr", account, "instance/*".into()),
        Action::ListUsers => anywhere("ram", account, "user/*".into()),
        Action::ListPolicies => anywhere("ram", account, "policy/*".into()),
        other if other.as_str().starts_with("ram:") => anywhere("ram", account, "*".into()),
        _ => anywhere("cr", account, "*".into()),
    }
}

fn anywhere(service: &'static str, account: AccountId, relative: String) -> Spelling {
    Spelling { service, region: None, account: account.to_string().into(), relative: vec![relative.into()] }
}

fn in_instance(on: &OnInstance, relative: impl Fn(&str) -> Vec<String>) -> Spelling {
    let mut ids = relative(&on.id.to_string());
    ids.extend(relative(on.name.as_str()));
    Spelling {
        service: "cr",
        region: Some(on.region.as_str().into()),
        account: on.account.to_string().into(),
        relative: ids.into_iter().map(Into::into).collect(),
    }
}
