//! Which resources a statement speaks of, in RAM's spelling: `acs:SERVICE:REGION:ACCOUNT:RELATIVE-ID`.
//!
//! Readers of other languages translate into this one.

use std::fmt;

use crate::Pattern;
use crate::pattern::Subject;

/// A pattern of resources.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ResourcePattern {
    /// `*`: everything.
    Any,
    /// Part by part; a `*` never reaches from one part into the next. Within the relative id it does cross `/`.
    ///
    /// An empty region or account restricts nothing, like `*` (RAM writes `acs:ram::ACCOUNT:user/NAME`).
    Parts {
        /// `cr` or `ram`.
        service: Pattern,
        /// Where.
        region: Pattern,
        /// Whose.
        account: Pattern,
        /// What: `repository/INSTANCE/NAMESPACE/REPOSITORY`, `user/NAME` …
        relative: Pattern,
    },
}

const WANTED: &str = "a resource is * or acs:SERVICE:REGION:ACCOUNT:RELATIVE-ID, as acs:cr:*:*:repository/local/demo/*, of at most 512 characters without spaces";

impl ResourcePattern {
    /// The longest pattern, in characters.
    pub const MAX: usize = 512;

    /// Reads a pattern; the error says what is wanted.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text == "*" {
            return Ok(Self::Any);
        }
        let odd = |c: char| c.is_whitespace() || c.is_control();
        if text.contains(odd) || text.chars().count() > Self::MAX {
            return Err(WANTED);
        }
        let mut parts = text.splitn(5, ':');
        match [(); 5].map(|()| parts.next()) {
            [Some("acs"), Some(service), Some(region), Some(account), Some(relative)] if !service.is_empty() && !relative.is_empty() => {
                let [service, region, account, relative] = [service, region, account, relative].map(Pattern::new);
                Ok(Self::Parts { service, region, account, relative })
            }
            _ => Err(WANTED),
        }
    }

    /// Does it stand for this resource, by one of its spellings?
    pub fn matches(&self, spelling: &Spelling) -> bool {
        match self {
            Self::Any => true,
            Self::Parts { relative, .. } => spelling.relative.iter().any(|id| relative.matches_subject(id)) && self.reaches(spelling),
        }
    }

    /// Do all parts but the relative id match?
    pub(crate) fn reaches(&self, spelling: &Spelling) -> bool {
        match self {
            Self::Any => true,
            Self::Parts { service, region, account, .. } => {
                service.matches(spelling.service)
                    && spelling.region.as_deref().is_none_or(|name| unrestricted_or_matches(region, name))
                    && unrestricted_or_matches(account, &spelling.account)
            }
        }
    }

    /// The pattern of the relative id.
    pub(crate) fn relative(&self) -> Pattern {
        match self {
            Self::Any => Pattern::new("*"),
            Self::Parts { relative, .. } => relative.clone(),
        }
    }
}

fn unrestricted_or_matches(pattern: &Pattern, part: &str) -> bool {
    (pattern.is_exact() && pattern.literal().is_empty()) || pattern.matches(part)
}

impl fmt::Display for ResourcePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Parts { service, region, account, relative } => write!(f, "acs:{service}:{region}:{account}:{relative}"),
        }
    }
}

/// A resource as documents spell it. It can have several relative ids (an instance's id or its name); a statement speaks of the
/// resource when any of them matches, be it to allow or to deny.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spelling {
    pub(crate) service: &'static str,
    /// None: the resource is in no region, and a pattern of regions does not restrict it.
    pub(crate) region: Option<Box<str>>,
    pub(crate) account: Box<str>,
    pub(crate) relative: Vec<Subject>,
}

impl Spelling {
    /// All its full spellings; a resource that is in no region has `*` there.
    pub fn iter(&self) -> impl Iterator<Item = String> {
        let region = self.region.as_deref().unwrap_or("*");
        self.relative.iter().map(move |id| format!("acs:{}:{region}:{}:{id}", self.service, self.account, id = id.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints() {
        for text in ["*", "acs:cr:*:*:*", "acs:ram::1:user/a:b", "acs:*:l?:1*:repository/*"] {
            assert_eq!(ResourcePattern::parse(text).unwrap().to_string(), text);
        }
        for bad in [
            "",
            "acs",
            "acs:cr:*",
            "acs:cr:*:*",
            "acs:cr:*:*:",
            "acs::*:*:*",
            "arn:cr:*:*:*",
            "a*",
            "acs:cr:*:*: x",
            &"acs:cr:*:*:".repeat(60),
        ] {
            assert!(ResourcePattern::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn stars_stay_in_their_part_and_missing_regions_do_not_restrict() {
        let spelling = |region: Option<&str>| Spelling {
            service: "cr",
            region: region.map(Into::into),
            account: "7".into(),
            relative: ["repository/cri-1/demo/app", "repository/local/demo/app"].map(|id| id.to_owned().into()).into(),
        };
        let matches = |text: &str, region| ResourcePattern::parse(text).unwrap().matches(&spelling(region));
        assert!(matches("acs:cr:local:7:repository/local/*", Some("local")));
        assert!(matches("acs:cr:*:*:repository/cri-1/demo/app", Some("local")));
        assert!(matches("acs:cr:::repository/*", Some("local")));
        assert!(!matches("acs:cr:other:7:repository/*", Some("local")));
        assert!(matches("acs:cr:other:7:repository/*", None));
        assert!(!matches("acs:c:*:7:repository/*", Some("local")));
        assert!(!matches("acs:cr:*:8:repository/*", Some("local")));
    }
}
