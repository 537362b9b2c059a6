//! What a federated credential asks of a token: audience, subject, further claims.

use std::collections::BTreeMap;

use policy::Pattern;

use crate::{Claims, shown};

/// Why conditions cannot be kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct ConditionsError {
    /// `audience`, `subject` or `claims`.
    pub field: &'static str,
    /// What it has to look like.
    pub problem: &'static str,
}

/// What a token must say to be trusted. All of it must hold. `*` stands for any run of characters, `?` for one; case matters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conditions {
    /// One of the token's audiences, exactly.
    pub audience: String,
    /// The token's subject, exactly or as a pattern.
    pub subject: String,
    /// Further claims by name or JSON pointer, each with the patterns of which one must match one of its values.
    pub claims: BTreeMap<String, Vec<String>>,
}

/// Which condition a well-signed token of the right issuer does not meet, with what was presented, and never with what was wanted:
/// everybody can get a token of a public issuer.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, thiserror::Error)]
pub enum Mismatch {
    /// No audience of the token is trusted.
    #[error("its audience {presented} is not trusted here")]
    Audience {
        /// The token's audiences.
        presented: String,
    },
    /// The subject is not trusted.
    #[error("its subject {presented} is not trusted here")]
    Subject {
        /// The token's subject.
        presented: String,
    },
    /// A further claim does not match.
    #[error("its claim {name} ({presented}) is not trusted here")]
    Claim {
        /// The claim.
        name: String,
        /// The token's values.
        presented: String,
    },
}

impl Conditions {
    /// The longest audience, subject or value (Entra's bound).
    pub const MAX_CHARS: usize = 600;
    /// The most further claims, and the most patterns of one.
    pub const MAX_CLAIMS: usize = 16;
    /// The most stars of a pattern: each makes matching walk the value again.
    const MAX_STARS: usize = 8;

    /// Conditions that can be kept. Whether they are too weak to be meant: [`crate::danger()`].
    pub fn check(&self) -> Result<(), ConditionsError> {
        let plain =
            |text: &str| (1..=Self::MAX_CHARS).contains(&text.chars().count()) && !text.contains(char::is_control) && text.trim() == text;
        if !plain(&self.audience) || self.audience.contains(['*', '?']) {
            return Err(ConditionsError { field: "audience", problem: "1 to 600 characters, no wildcards, no space around" });
        }
        let pattern = |text: &str| plain(text) && text.matches('*').count() <= Self::MAX_STARS;
        if !pattern(&self.subject) {
            return Err(ConditionsError {
                field: "subject",
                problem: "1 to 600 characters, ? and at most eight * as wildcards, no space around",
            });
        }
        let name = |name: &str| plain(name) && name.len() <= 128 && !matches!(name, "iss" | "aud" | "sub" | "exp" | "nbf" | "iat");
        let patterns = |all: &[String]| (1..=Self::MAX_CLAIMS).contains(&all.len()) && all.iter().all(|one| pattern(one));
        if self.claims.len() > Self::MAX_CLAIMS || !self.claims.iter().all(|(n, all)| name(n) && patterns(all)) {
            let problem = "at most 16 claims, each with 1 to 16 values of 1 to 600 characters; issuer, audience, subject and times have their own places";
            return Err(ConditionsError { field: "claims", problem });
        }
        Ok(())
    }

    /// Does the token say all of it?
    pub fn met_by(&self, claims: &Claims) -> Result<(), Mismatch> {
        if !claims.audiences().contains(&self.audience) {
            return Err(Mismatch::Audience { presented: quoted(claims.audiences()) });
        }
        if !Pattern::new(&self.subject).matches(claims.subject()) {
            return Err(Mismatch::Subject { presented: quoted(&[claims.subject().to_owned()]) });
        }
        for (name, patterns) in &self.claims {
            let values = claims.values(name);
            let patterns: Vec<Pattern> = patterns.iter().map(|text| Pattern::new(text)).collect();
            if !values.iter().any(|value| patterns.iter().any(|pattern| pattern.matches(value))) {
                return Err(Mismatch::Claim { name: name.clone(), presented: quoted(&values) });
            }
        }
        Ok(())
    }
}

/// As a message shows them.
fn quoted(values: &[String]) -> String {
    match values {
        [] => "missing".to_owned(),
        values => shown(&values.iter().map(|value| format!("'{value}'")).collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims() -> Claims {
        let all = json!({
            "iss": "https://i", "sub": "repo:acme/app:ref:refs/heads/main", "aud": ["x", "registry"], "exp": 1_800_000_300,
            "repository": "acme/app", "teams": ["a", "b"],
        });
        Claims::new(serde_json::from_value(all.clone()).unwrap(), serde_json::from_value(all).unwrap()).unwrap()
    }

    fn conditions(subject: &str, claims: &[(&str, &[&str])]) -> Conditions {
        let claims = claims.iter().map(|(n, all)| ((*n).to_owned(), all.iter().map(|s| (*s).to_owned()).collect())).collect();
        Conditions { audience: "registry".to_owned(), subject: subject.to_owned(), claims }
    }

    #[test]
    fn all_of_it_must_hold() {
        for (subject, more) in [
            ("repo:acme/app:ref:refs/heads/main", &[][..]),
            ("repo:acme/*", &[("repository", &["acme/app"][..])]),
            ("repo:acme/a?p:*", &[("repository", &["other", "acme/*"]), ("teams", &["b"])]),
        ] {
            assert_eq!(conditions(subject, more).met_by(&claims()), Ok(()), "{subject}");
        }
    }

    #[test]
    fn what_fails_is_said_with_what_was_presented_and_not_with_what_was_wanted() {
        let refused = |c: &Conditions| c.met_by(&claims()).unwrap_err().to_string();
        let elsewhere = Conditions { audience: "secret-audience".to_owned(), ..conditions("*", &[]) };
        assert_eq!(refused(&elsewhere), "its audience 'x', 'registry' is not trusted here");
        assert_eq!(refused(&conditions("repo:acme/other:*", &[])), "its subject 'repo:acme/app:ref:refs/heads/main' is not trusted here");
        assert_eq!(refused(&conditions("Repo:*", &[])), "its subject 'repo:acme/app:ref:refs/heads/main' is not trusted here");
        assert_eq!(refused(&conditions("*", &[("repository", &["acme/b"])])), "its claim repository ('acme/app') is not trusted here");
        assert_eq!(refused(&conditions("*", &[("environment", &["*"])])), "its claim environment (missing) is not trusted here");
    }

    #[test]
    fn conditions_are_bounded() {
        assert_eq!(conditions("a", &[("/kubernetes.io/namespace", &["prod"])]).check(), Ok(()));
        let field = |c: &Conditions| c.check().unwrap_err().field;
        for bad in ["", " a", "a\n", &"a".repeat(601)] {
            assert_eq!(field(&conditions(bad, &[])), "subject", "{bad}");
            assert_eq!(field(&Conditions { audience: bad.to_owned(), ..conditions("a", &[]) }), "audience", "{bad}");
            assert_eq!(field(&conditions("a", &[("c", &[bad])])), "claims", "{bad}");
            assert_eq!(field(&conditions("a", &[(bad, &["v"])])), "claims", "{bad}");
        }
        assert_eq!(field(&Conditions { audience: "*".to_owned(), ..conditions("a", &[]) }), "audience");
        for bad in [("c", &[][..]), ("sub", &["a"]), ("c", &["v"; 17])] {
            assert_eq!(field(&conditions("a", &[bad])), "claims");
        }
    }
}
