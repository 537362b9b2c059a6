//! What a verified token says (RFC 7519 section 4.1), and when it holds.

use model::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

/// An issuer's clock may be this far ahead of ours, in seconds: for `nbf` and `iat`. Nothing is added to `exp`, because what is
/// made from a token ends with it.
const SKEW: i64 = 60;
/// The longest subject, in characters, and the most audiences.
const MAX_SUBJECT: usize = 1024;
const MAX_AUDIENCES: usize = 64;

/// What a verified token says.
#[derive(Clone, Debug, PartialEq)]
pub struct Claims {
    issuer: String,
    subject: String,
    audiences: Vec<String>,
    expires: Timestamp,
    not_before: Option<Timestamp>,
    issued: Option<Timestamp>,
    all: Map<String, Value>,
}

#[derive(Deserialize)]
pub(crate) struct Registered {
    iss: String,
    sub: String,
    aud: Audiences,
    exp: Seconds,
    #[serde(default)]
    nbf: Option<Seconds>,
    #[serde(default)]
    iat: Option<Seconds>,
}

/// `aud` is one text or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audiences {
    One(String),
    Several(Vec<String>),
}

/// A NumericDate: whole seconds, or a fraction, whose fraction is dropped.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged)]
enum Seconds {
    Whole(i64),
    Fraction(f64),
}

impl Seconds {
    /// A moment between 1970 and 2200.
    fn timestamp(self) -> Option<Timestamp> {
        const LAST: i64 = 7_258_118_400;
        #[expect(clippy::cast_possible_truncation, reason = "checked to be in range first")]
        let seconds = match self {
            Self::Whole(seconds) => seconds,
            Self::Fraction(seconds) if (0.0..7_258_118_400.0).contains(&seconds) => seconds as i64,
            Self::Fraction(_) => return None,
        };
        (0..=LAST).contains(&seconds).then(|| Timestamp::from_seconds(seconds))
    }
}

/// Why a token does not hold now. Said to whoever presents a well-signed token of a trusted issuer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TimeProblem {
    /// Its time is over.
    #[error("the token expired at {0}")]
    Expired(Timestamp),
    /// Its time has not come.
    #[error("the token does not hold before {0}")]
    Early(Timestamp),
    /// It was made in the future.
    #[error("the token says it was issued at {0}, which is in the future here")]
    Future(Timestamp),
}

impl Claims {
    pub(crate) fn new(registered: Registered, all: Map<String, Value>) -> Option<Self> {
        let audiences = match registered.aud {
            Audiences::One(one) => vec![one],
            Audiences::Several(several) => several,
        };
        if registered.sub.is_empty() || registered.sub.chars().count() > MAX_SUBJECT || audiences.len() > MAX_AUDIENCES {
            return None;
        }
        let optional = |at: Option<Seconds>| at.map_or(Some(None), |at| at.timestamp().map(Some));
        Some(Self {
            issuer: registered.iss,
            subject: registered.sub,
            audiences,
            expires: registered.exp.timestamp()?,
            not_before: optional(registered.nbf)?,
            issued: optional(registered.iat)?,
            all,
        })
    }

    /// Who made the token.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whom it is about.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Whom it is for.
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// When it ends: nothing that is made from it may live longer.
    pub const fn expires(&self) -> Timestamp {
        self.expires
    }

    /// When it was made, if it says so.
    pub const fn issued(&self) -> Option<Timestamp> {
        self.issued
    }

    /// Does it hold now?
    pub fn hold_at(&self, now: Timestamp) -> Result<(), TimeProblem> {
        let ahead = |at: &Timestamp| at.seconds() > now.seconds() + SKEW;
        match (self.not_before.filter(ahead), self.issued.filter(ahead)) {
            _ if self.expires <= now => Err(TimeProblem::Expired(self.expires)),
            (Some(from), _) => Err(TimeProblem::Early(from)),
            (None, Some(issued)) => Err(TimeProblem::Future(issued)),
            (None, None) => Ok(()),
        }
    }

    /// The values of a claim as texts: one for a text, a number or a truth value, each for a list of them. A name that begins with
    /// `/` is a JSON pointer (RFC 6901) into nested claims: `/kubernetes.io/namespace`.
    pub fn values(&self, name: &str) -> Vec<String> {
        let mut parts =
            name.strip_prefix('/').map_or_else(|| vec![name.to_owned()], |path| path.split('/').map(unescape).collect()).into_iter();
        let first = parts.next().and_then(|first| self.all.get(&first));
        let found = parts.try_fold(first, |at, part| at.map(|value| value.get(&part))).flatten();
        match found {
            Some(Value::Array(several)) => several.iter().filter_map(scalar).collect(),
            Some(one) => scalar(one).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// The claims that are texts, numbers or truth values, for conditions of policies (`oidc:NAME`).
    pub fn texts(&self) -> impl Iterator<Item = (&str, String)> {
        self.all.iter().filter_map(|(name, value)| Some((name.as_str(), scalar(value)?)))
    }
}

fn unescape(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn read(claims: Value) -> Option<Claims> {
        let registered = serde_json::from_value(claims.clone()).ok()?;
        Claims::new(registered, serde_json::from_value(claims).ok()?)
    }

    fn with(more: &Value) -> Value {
        let mut all = json!({"iss": "https://i", "sub": "s", "aud": "a", "exp": 1_800_000_300});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    }

    #[test]
    fn registered_claims_are_there_and_of_their_type() {
        assert!(read(with(&json!({}))).is_some());
        for (claim, wrong) in [
            ("iss", json!(1)),
            ("sub", json!("")),
            ("sub", json!(null)),
            ("sub", json!("s".repeat(1025))),
            ("aud", json!(1)),
            ("aud", json!([1])),
            ("aud", json!(vec!["a"; 65])),
            ("exp", json!("1800000300")),
            ("exp", json!(-1)),
            ("exp", json!(1e300)),
            ("exp", json!(u64::MAX)),
            ("nbf", json!("x")),
            ("iat", json!(-1.5)),
        ] {
            assert_eq!(read(with(&json!({claim: wrong.clone()}))), None, "{claim}: {wrong}");
        }
        for missing in ["iss", "sub", "aud", "exp"] {
            let mut claims = with(&json!({}));
            claims.as_object_mut().unwrap().remove(missing);
            assert_eq!(read(claims), None, "{missing}");
        }
    }

    #[test]
    fn the_audience_is_one_or_several() {
        assert_eq!(read(with(&json!({"aud": "x"}))).unwrap().audiences(), ["x"]);
        assert_eq!(read(with(&json!({"aud": ["x", "y"]}))).unwrap().audiences(), ["x", "y"]);
        assert!(read(with(&json!({"aud": []}))).unwrap().audiences().is_empty());
    }

    #[test]
    fn time_is_read_with_a_little_patience_at_its_beginning_and_none_at_its_end() {
        let at = |more: &Value| read(with(more)).unwrap().hold_at(NOW);
        let seconds = |ahead: i64| NOW.seconds() + ahead;
        assert_eq!(at(&json!({"nbf": seconds(60), "iat": seconds(60)})), Ok(()));
        assert_eq!(at(&json!({"nbf": seconds(61)})), Err(TimeProblem::Early(Timestamp::from_seconds(seconds(61)))));
        assert_eq!(at(&json!({"iat": seconds(61)})), Err(TimeProblem::Future(Timestamp::from_seconds(seconds(61)))));
        assert_eq!(at(&json!({"exp": seconds(1)})), Ok(()));
        assert_eq!(at(&json!({"exp": 1_800_000_000.9})), Err(TimeProblem::Expired(NOW)));
        assert_eq!(at(&json!({"exp": 0})), Err(TimeProblem::Expired(Timestamp::from_seconds(0))));
    }

    #[test]
    fn claims_are_found_by_name_or_by_pointer() {
        let claims = read(with(&json!({
            "ref_protected": true, "run": 7, "groups": ["a", "b", {}], "a/b": "c",
            "kubernetes.io": {"namespace": "prod", "serviceaccount": {"name": "ci"}}, "none": null,
        })))
        .unwrap();
        for (name, values) in [
            ("ref_protected", &["true"][..]),
            ("run", &["7"]),
            ("groups", &["a", "b"]),
            ("a/b", &["c"]),
            ("/a~1b", &["c"]),
            ("/kubernetes.io/namespace", &["prod"]),
            ("/kubernetes.io/serviceaccount/name", &["ci"]),
            ("/kubernetes.io", &[]),
            ("kubernetes.io", &[]),
            ("/kubernetes.io/x/y", &[]),
            ("none", &[]),
            ("missing", &[]),
            ("/", &[]),
        ] {
            assert_eq!(claims.values(name), values, "{name}");
        }
        assert!(claims.texts().any(|(name, value)| (name, &*value) == ("run", "7")));
    }
}
