//! How RAM documents spell what an action is done to.
//!
//! | Resource | `acs:` … |
//! |---|---|
//! | repository | `cr:REGION:ACCOUNT:repository/INSTANCE/NAMESPACE/REPOSITORY`; the root namespace is `_` |
//! | namespace | `cr:REGION:ACCOUNT:repository/INSTANCE/NAMESPACE`; to list what is in it also `…/NAMESPACE/*` |
//! | instance | `cr:REGION:ACCOUNT:instance/INSTANCE`; to list its namespaces also `repository/INSTANCE/*` |
//! | user, group, role, service account, OIDC provider, policy | `ram::ACCOUNT:user/NAME`, `…:group/NAME`, `…:role/NAME`, `…:service-account/NAME`, `…:oidc-provider/NAME`, `…:policy/NAME` |
//! | integration | `cr::ACCOUNT:integration/NAME` |
//! | account | `cr::ACCOUNT:*`; to list all of a kind `cr::ACCOUNT:instance/*`, `ram::ACCOUNT:user/*` and so on |
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
        Resource::Principal(on) => anywhere("ram", on.account, format!("{}/{}", on.kind.noun(), on.name)),
        Resource::Provider(on) => anywhere("ram", on.account, format!("oidc-provider/{}", on.name)),
        Resource::Integration(on) => anywhere("cr", on.account, format!("integration/{}", on.name)),
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
        Action::ListGroups => anywhere("ram", account, "group/*".into()),
        Action::ListRoles => anywhere("ram", account, "role/*".into()),
        Action::ListServiceAccounts => anywhere("ram", account, "service-account/*".into()),
        Action::ListOIDCProviders => anywhere("ram", account, "oidc-provider/*".into()),
        Action::ListIntegrations => anywhere("cr", account, "integration/*".into()),
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
