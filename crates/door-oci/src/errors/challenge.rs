//! The challenge of a 401 (Docker token specification, "How to authenticate"; RFC 6750 section 3).

use std::fmt::Write as _;

use http::HeaderValue;
use model::{Action, RepositoryName};

use super::Asked;
use crate::operations::Right;
use crate::shapes::Query;

impl Asked<'_> {
    /// Where a token is had, for whom, for what. `error` is RFC 6750's, for a token that was presented in vain.
    pub(super) fn challenge(&self, error: Option<&str>) -> Option<HeaderValue> {
        let mut text = String::with_capacity(160);
        text.push_str("Bearer realm=\"");
        match self.external_url {
            Some(url) => text.push_str(url),
            None => {
                let _ = write!(text, "{}://{}", if self.op.secure { "https" } else { "http" }, self.host);
            }
        }
        let _ = write!(text, "/token\",service=\"{}\"", self.host);
        if let Some(scope) = self.scope() {
            let _ = write!(text, ",scope=\"{scope}\"");
        }
        if let Some(error) = error {
            let _ = write!(text, ",error=\"{error}\"");
        }
        HeaderValue::try_from(text).ok()
    }

    fn scope(&self) -> Option<String> {
        match self.right {
            Right::Login => None,
            Right::Listed(_) => Some("registry:catalog:*".to_owned()),
            Right::On(action) => {
                RepositoryName::parse(self.name).ok()?;
                let mut scope = format!("repository:{}:{}", self.name, scope_actions(action));
                if let Some(source) = self.mount_source() {
                    let _ = write!(scope, " repository:{source}:pull");
                }
                Some(scope)
            }
        }
    }

    /// The repository that a blob shall be mounted from: a token for both is asked for at once.
    fn mount_source(&self) -> Option<RepositoryName> {
        let query = Query::new(self.query);
        query.one("mount").ok().flatten()?;
        let source = query.one("from").ok().flatten()?;
        RepositoryName::parse(&source).ok().filter(|name| name.as_str() != self.name)
    }
}

const fn scope_actions(action: Action) -> &'static str {
    match action {
        Action::PushRepository => "pull,push",
        Action::DeleteRepositoryTag => "delete",
        _ => "pull",
    }
}

#[cfg(test)]
mod tests {
    use kit::Host;
    use model::{Network, Op, RequestId, Timestamp};

    use super::*;
    use crate::errors::Scheme;

    fn challenge(right: Right, name: &str, query: &str, external_url: Option<&str>, error: Option<&str>) -> String {
        let now = Timestamp::from_millis(0);
        let op = Op {
            request_id: RequestId::from_random(1),
            now,
            source_ip: [127, 0, 0, 1].into(),
            network: Network::Public,
            secure: false,
            user_agent: None,
        };
        let host = Host::parse("reg.example:5000").unwrap();
        let asked = Asked { op: &op, host: &host, external_url, path: "/v2/", query, name, right, scheme: Scheme::Nothing };
        asked.challenge(error).unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn a_challenge_says_where_for_whom_and_for_what() {
        let here = r#"Bearer realm="http://reg.example:5000/token",service="reg.example:5000""#;
        let pull = Right::On(Action::PullRepository);
        let push = Right::On(Action::PushRepository);
        assert_eq!(challenge(Right::Login, "", "", None, None), here);
        assert_eq!(challenge(pull, "demo/app", "", None, None), format!(r#"{here},scope="repository:demo/app:pull""#));
        let short = challenge(push, "demo/app", "", None, Some("insufficient_scope"));
        assert_eq!(short, format!(r#"{here},scope="repository:demo/app:pull,push",error="insufficient_scope""#));
        let catalog = challenge(Right::Listed(Action::PullRepository), "", "", None, None);
        assert_eq!(catalog, format!(r#"{here},scope="registry:catalog:*""#));
        let delete = challenge(Right::On(Action::DeleteRepositoryTag), "a", "", Some("https://public.example"), None);
        assert_eq!(delete, r#"Bearer realm="https://public.example/token",service="reg.example:5000",scope="repository:a:delete""#);
    }

    #[test]
    fn a_mount_asks_for_its_source_too() {
        let push = Right::On(Action::PushRepository);
        let both = challenge(push, "a", "mount=sha256:0&from=b%2Fc", None, None);
        assert!(both.ends_with(r#",scope="repository:a:pull,push repository:b/c:pull""#), "{both}");
        for query in ["from=b", "mount=x&from=b&from=c", "mount=x&from=%22", "mount=x&from=a"] {
            let one = challenge(push, "a", query, None, None);
            assert!(one.ends_with(r#",scope="repository:a:pull,push""#), "{one}");
        }
    }

    #[test]
    fn what_is_no_name_is_not_repeated() {
        let bad = challenge(Right::On(Action::PullRepository), "a\",realm=\"x", "", None, None);
        assert!(!bad.contains("scope"), "{bad}");
    }
}
