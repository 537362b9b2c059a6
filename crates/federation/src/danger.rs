//! Conditions that nobody can mean: a public issuer signs tokens for everybody who asks it.

use policy::Pattern;

use crate::Conditions;

/// An issuer whose users are the whole world, and what tells its customers apart.
struct Shared {
    /// Which issuers.
    is: fn(&str) -> bool,
    /// The subject's text before the owner, and what ends the owner.
    subject: (&'static str, &'static [char]),
    /// Claims that name an owner by all of their value.
    whole: &'static [&'static str],
    /// Claims that name an owner before a `/`.
    path: &'static [&'static str],
    /// What to do.
    advice: &'static str,
}

const SHARED: &[Shared] = &[
    Shared {
        is: |issuer| {
            issuer.starts_with("https://token.actions.githubusercontent.com") || issuer.trim_end_matches('/').ends_with("/_services/token")
        },
        subject: ("repo:", &['/']),
        whole: &["repository_owner", "repository_owner_id", "repository_id"],
        path: &["repository"],
        advice: "every workflow of every GitHub repository gets such tokens: name the owner, in the subject (repo:OWNER/…) or in the claim \
                 repository, repository_id, repository_owner or repository_owner_id",
    },
    Shared {
        is: |issuer| issuer == "https://gitlab.com",
        subject: ("project_path:", &['/']),
        whole: &["namespace_id", "namespace_path", "project_id"],
        path: &["project_path", "namespace_path"],
        advice: "every pipeline of every project at gitlab.com gets such tokens: name the group, in the subject (project_path:GROUP/…) or in \
                 the claim project_path, project_id, namespace_path or namespace_id",
    },
    Shared {
        is: |issuer| {
            issuer == "https://accounts.google.com" || issuer == "https://app.terraform.io" || issuer == "https://agent.buildkite.com"
        },
        subject: ("", &[]),
        whole: &["sub", "email", "terraform_organization_id", "organization_id"],
        path: &[],
        advice: "everybody in the world gets tokens of this issuer: give the whole subject, or a claim that names your organisation",
    },
    Shared {
        is: |issuer| issuer.starts_with("https://login.microsoftonline.com/") || issuer.starts_with("https://sts.windows.net/"),
        subject: ("", &[]),
        whole: &["oid", "appid", "azp"],
        path: &[],
        advice: "every application of the tenant gets such tokens: give the whole subject, or the claim oid, appid or azp",
    },
];

/// Why these conditions, of a token of this issuer, must not be kept: they would let strangers in. None: nothing is wrong.
pub fn danger(issuer: &str, conditions: &Conditions) -> Option<&'static str> {
    if ["/common/", "/organizations/", "/consumers/", "{tenantid}"].iter().any(|any| issuer.contains(any)) {
        return Some("this names every tenant: use the issuer with your tenant's id in it");
    }
    match SHARED.iter().find(|shared| (shared.is)(issuer)) {
        Some(shared) if shared.names_somebody(conditions) => None,
        Some(shared) => Some(shared.advice),
        None if says_something(conditions) => None,
        None => Some("this trusts everybody whom the issuer knows: give a subject, or a claim that not everybody has"),
    }
}

impl Shared {
    fn names_somebody(&self, conditions: &Conditions) -> bool {
        let (prefix, ends) = self.subject;
        let by_subject = match ends {
            [] => Pattern::new(&conditions.subject).is_exact(),
            ends => names_owner(&conditions.subject, prefix, ends),
        };
        // Every one of the alternatives has to name somebody.
        let all =
            |name: &&str, names: &dyn Fn(&str) -> bool| conditions.claims.get(*name).is_some_and(|values| values.iter().all(|v| names(v)));
        let whole = |value: &str| Pattern::new(value).is_exact();
        let path = |value: &str| names_owner(value, "", &['/']);
        by_subject || self.whole.iter().any(|name| all(name, &whole)) || self.path.iter().any(|name| all(name, &path))
    }
}

/// Does the text before the first wildcard hold `prefix`, an owner, and what ends the owner? Or is there no wildcard at all?
fn names_owner(pattern: &str, prefix: &str, ends: &[char]) -> bool {
    let compiled = Pattern::new(pattern);
    let owner = compiled.literal().strip_prefix(prefix);
    owner.is_some_and(|rest| compiled.is_exact() || rest.find(ends).is_some_and(|at| at > 0))
}

/// Is there a condition that not every token meets?
fn says_something(conditions: &Conditions) -> bool {
    let says = |pattern: &String| pattern.chars().filter(|c| !matches!(c, '*' | '?')).count() >= 3;
    says(&conditions.subject) || conditions.claims.values().any(|values| values.iter().all(says))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dangerous(issuer: &str, subject: &str, claims: &[(&str, &[&str])]) -> bool {
        let claims = claims.iter().map(|(n, all)| ((*n).to_owned(), all.iter().map(|s| (*s).to_owned()).collect())).collect();
        danger(issuer, &Conditions { audience: "a".to_owned(), subject: subject.to_owned(), claims }).is_some()
    }

    /// A subject and further claims.
    type Case<'c> = (&'c str, &'c [(&'c str, &'c [&'c str])]);

    const NOBODY: &[Case<'_>] = &[
        ("*", &[]),
        ("repo:*", &[]),
        ("repo:*/app:ref:refs/heads/main", &[]),
        ("repo:ac*/app:*", &[]),
        ("repo:?cme/app:*", &[]),
        ("repo:/*", &[]),
        ("*:ref:refs/heads/main", &[]),
        ("repo:*", &[("repository", &["*/app"])]),
        ("repo:*", &[("repository", &["acme/app", "*"])]),
        ("repo:*", &[("repository_owner", &["acme*"])]),
        ("repo:*", &[("job_workflow_ref", &["acme/ci/.github/workflows/x.yml@refs/heads/main"])]),
        ("repo:*", &[("environment", &["production"])]),
    ];
    const SOMEBODY: &[Case<'_>] = &[
        ("repo:acme/app:ref:refs/heads/main", &[]),
        ("repo:acme/*", &[]),
        ("repo:*", &[("repository", &["acme/app", "acme/*"])]),
        ("*", &[("repository_owner_id", &["1234"])]),
    ];

    #[test]
    fn a_github_credential_names_an_owner() {
        let public = "https://token.actions.githubusercontent.com";
        for issuer in [public, "https://token.actions.githubusercontent.com/acme", "https://ghes.acme.example/_services/token"] {
            for (subject, claims) in NOBODY {
                assert!(dangerous(issuer, subject, claims), "{subject} {claims:?}");
            }
            for (subject, claims) in SOMEBODY {
                assert!(!dangerous(issuer, subject, claims), "{subject} {claims:?}");
            }
        }
    }

    #[test]
    fn so_do_those_of_other_public_issuers() {
        assert!(dangerous("https://gitlab.com", "project_path:*", &[("ref", &["main"])]));
        assert!(!dangerous("https://gitlab.com", "project_path:acme/app:ref_type:branch:ref:main", &[]));
        assert!(!dangerous("https://gitlab.com", "project_path:*", &[("project_path", &["acme/*"])]));
        assert!(dangerous("https://accounts.google.com", "1*", &[]));
        assert!(!dangerous("https://accounts.google.com", "112233", &[]));
        assert!(dangerous("https://login.microsoftonline.com/common/v2.0", "abc", &[]));
        assert!(dangerous("https://sts.windows.net/8f3c/", "*", &[("tid", &["8f3c"])]));
        assert!(!dangerous("https://sts.windows.net/8f3c/", "*", &[("oid", &["c0ffee"])]));
    }

    #[test]
    fn whoever_trusts_everybody_is_asked_to_say_whom() {
        let own = "https://kubernetes.default.svc.cluster.local";
        for subject in ["*", "**", "?*", "*a*"] {
            assert!(dangerous(own, subject, &[]), "{subject}");
        }
        assert!(!dangerous(own, "system:serviceaccount:prod:*", &[]));
        assert!(!dangerous(own, "*", &[("/kubernetes.io/namespace", &["prod"])]));
        assert!(dangerous(own, "*", &[("/kubernetes.io/namespace", &["*"])]));
    }
}
