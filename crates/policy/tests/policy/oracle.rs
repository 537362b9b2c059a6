//! The same semantics a second time, as plainly as can be: straight from the JSON, recursive, nothing compiled.

use std::collections::BTreeMap;
use std::net::IpAddr;

use model::{Action, Resource, Timestamp};
use serde_json::Value;

/// What conditions can ask, key by key, as text.
pub(crate) type Facts = BTreeMap<String, String>;

pub(crate) fn decide(documents: &[Value], action: Action, resource: &Resource, facts: &Facts) -> &'static str {
    let hit = |effect: &str, action: &str| {
        let all = documents.iter().flat_map(|d| d["Statement"].as_array().unwrap());
        all.filter(|s| s["Effect"] == effect).any(|s| speaks_of(s, action) && names(s, resource, action) && holds(s, facts))
    };
    let action = action.as_str();
    match () {
        () if hit("Deny", action) => "deny",
        () if hit("Allow", action) => "allow",
        () if action == "cr:PullRepository" && hit("Allow", "cr:PushRepository") && !hit("Deny", "cr:PushRepository") => "allow",
        () => "default deny",
    }
}

/// Further spellings of the vendor's for some actions.
const OTHERS: [(&str, &str); 6] = [
    ("cr:GetRepositoryTag", "cr:ListRepositoryTag"),
    ("cr:ListRepoTag", "cr:ListRepositoryTag"),
    ("cr:GetRepoTag", "cr:ListRepositoryTag"),
    ("cr:CreateRepoTag", "cr:CreateRepositoryTag"),
    ("cr:DeleteRepoTag", "cr:DeleteRepositoryTag"),
    ("cr:GetInstanceVpcEndpoint", "cr:GetInstanceEndpoint"),
];

fn entries(value: &Value) -> Vec<String> {
    let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), ToString::to_string);
    value.as_array().map_or_else(|| vec![text(value)], |list| list.iter().map(text).collect())
}

fn speaks_of(statement: &Value, action: &str) -> bool {
    let spellings = || OTHERS.iter().filter(|(_, same)| *same == action).map(|(other, _)| *other).chain([action]);
    let any = |list: &Value| entries(list).iter().any(|p| spellings().any(|s| glob(&p.to_lowercase(), &s.to_lowercase())));
    match statement.get("NotAction") {
        Some(list) => !any(list),
        None => any(&statement["Action"]),
    }
}

fn glob(pattern: &str, text: &str) -> bool {
    let Some(want) = pattern.chars().next() else { return text.is_empty() };
    let behind = &pattern[want.len_utf8()..];
    let got = text.chars().next();
    let shorter = got.map(|c| &text[c.len_utf8()..]);
    match want {
        '*' => glob(behind, text) || shorter.is_some_and(|t| glob(pattern, t)),
        '?' => shorter.is_some_and(|t| glob(behind, t)),
        c => got == Some(c) && shorter.is_some_and(|t| glob(behind, t)),
    }
}

/// `[service, region, account, relative id]`; an empty region is none.
fn spellings(resource: &Resource, action: &str) -> Vec<[String; 4]> {
    let account = resource.account().to_string();
    let ram = |id: String| vec![["ram".into(), String::new(), account.clone(), id]];
    let cr = |id: String| vec![["cr".into(), String::new(), account.clone(), id]];
    let Some(instance) = resource.instance() else {
        return match (resource, action) {
            (Resource::Policy(_) | Resource::Principal(_) | Resource::Provider(_), _) => ram(resource.to_string()),
            (Resource::Integration(_), _) => cr(resource.to_string()),
            (_, "ram:ListUsers") => ram("user/*".into()),
            (_, "ram:ListPolicies") => ram("policy/*".into()),
            (_, "ram:ListGroups") => ram("group/*".into()),
            (_, "ram:ListRoles") => ram("role/*".into()),
            (_, "cr:ListServiceAccounts") => ram("service-account/*".into()),
            (_, "ram:ListOIDCProviders") => ram("oidc-provider/*".into()),
            (_, "cr:ListIntegrations") => cr("integration/*".into()),
            (_, "cr:ListInstance" | "cr:CreateInstance") => cr("instance/*".into()),
            (_, other) if other.starts_with("ram:") => ram("*".into()),
            _ => cr("*".into()),
        };
    };
    let mut all = Vec::new();
    for i in [instance.id.to_string(), instance.name.to_string()] {
        let ids = match resource {
            Resource::Repository(on) if on.name.as_str().contains('/') => vec![format!("repository/{i}/{}", on.name)],
            Resource::Repository(on) => vec![format!("repository/{i}/_/{}", on.name)],
            Resource::Namespace(on) if action == "cr:ListRepository" => {
                vec![format!("repository/{i}/{}", on.name), format!("repository/{i}/{}/*", on.name)]
            }
            Resource::Namespace(on) => vec![format!("repository/{i}/{}", on.name)],
            _ if action == "cr:ListNamespace" => vec![format!("instance/{i}"), format!("repository/{i}/*")],
            _ => vec![format!("instance/{i}")],
        };
        all.extend(ids.into_iter().map(|id| ["cr".into(), instance.region.to_string(), account.clone(), id]));
    }
    all
}

fn names(statement: &Value, resource: &Resource, action: &str) -> bool {
    let spellings = spellings(resource, action);
    entries(&statement["Resource"]).iter().any(|pattern| pattern == "*" || spellings.iter().any(|s| arn(pattern, s)))
}

fn arn(pattern: &str, [service, region, account, id]: &[String; 4]) -> bool {
    let parts: Vec<&str> = pattern.splitn(5, ':').collect();
    let free = |part: &str, text: &str| part.is_empty() || text.is_empty() || glob(part, text);
    glob(parts[1], service) && free(parts[2], region) && free(parts[3], account) && glob(parts[4], id)
}

fn holds(statement: &Value, facts: &Facts) -> bool {
    let none = serde_json::Map::new();
    let condition = statement["Condition"].as_object().unwrap_or(&none);
    condition.iter().all(|(operator, block)| {
        block.as_object().unwrap().iter().all(|(key, values)| match facts.get(key) {
            None => operator.contains("Not"),
            Some(fact) => {
                let positive = operator.replace("Not", "");
                entries(values).iter().any(|value| compare(&positive, fact, value)) != operator.contains("Not")
            }
        })
    })
}

fn compare(operator: &str, fact: &str, value: &str) -> bool {
    let order = match operator {
        "StringEquals" => return fact == value,
        "StringEqualsIgnoreCase" => return fact.to_lowercase() == value.to_lowercase(),
        "StringLike" => return glob(value, fact),
        "Bool" => return fact.eq_ignore_ascii_case(value) && ["true", "false"].contains(&fact.to_lowercase().as_str()),
        "IpAddress" => return inside(fact, value),
        date if date.starts_with("Date") => Timestamp::parse(fact).and_then(|f| f.partial_cmp(&Timestamp::parse(value)?)),
        _ => fact.parse::<f64>().ok().and_then(|f| f.partial_cmp(&value.parse().ok()?)),
    };
    order.is_some_and(|order| match operator.trim_start_matches("Date").trim_start_matches("Numeric") {
        "Equals" => order.is_eq(),
        "LessThan" => order.is_lt(),
        "LessThanEquals" => order.is_le(),
        "GreaterThan" => order.is_gt(),
        _ => order.is_ge(),
    })
}

fn inside(fact: &str, block: &str) -> bool {
    let bits = |text: &str| match text.parse::<IpAddr>().unwrap() {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    };
    let (base, length) = block.split_once('/').map_or((block, None), |(b, l)| (b, Some(l.parse::<u32>().unwrap())));
    let length = length.map_or(128, |l| if base.contains('.') && !base.contains(':') { l + 96 } else { l });
    // IPv4 lies in ::ffff:0:0/96; a wider IPv6 block does not reach into it.
    let is_v4 = |text: &str| bits(text) >> 32 == 0xffff;
    is_v4(fact) == (is_v4(base) && length >= 96) && (length == 0 || (bits(fact) ^ bits(base)) >> (128 - length) == 0)
}
