//! What a token says.

use model::{CredentialId, CredentialKind, InstanceId, PrincipalId, Scope, Scopes, Timestamp};
use serde::{Deserialize, Serialize};

use crate::TokenError;

/// A node's clock may be this far ahead of another's, in seconds.
const SKEW: i64 = 30;
/// The last second that a time in milliseconds holds.
const LAST: i64 = i64::MAX / 1000;

/// The kinds of token. A token of one kind opens nothing that another kind opens.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// Carried by registry requests; `typ` is `JWT` because other registries verify it too.
    Bearer,
    /// A temporary password.
    Login,
    /// Exchanged for bearer tokens by interactive clients.
    Refresh,
    /// Carried by requests to the management API.
    Manage,
}

impl Kind {
    /// The header's `typ`.
    pub const fn typ(self) -> &'static str {
        match self {
            Self::Bearer => "JWT",
            Self::Login => "tidegate-login+jwt",
            Self::Refresh => "tidegate-refresh+jwt",
            Self::Manage => "tidegate-manage+jwt",
        }
    }

    /// As messages and answers name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "bearer_token",
            Self::Login => "login_token",
            Self::Refresh => "refresh_token",
            Self::Manage => "management_token",
        }
    }

    /// Reads a header's `typ`.
    pub fn parse(typ: &str) -> Option<Self> {
        [Self::Bearer, Self::Login, Self::Refresh, Self::Manage].into_iter().find(|k| k.typ() == typ)
    }
}

/// What a token says, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Who; none: anybody (an anonymous bearer).
    pub principal: Option<PrincipalId>,
    /// For which service (the host as the client names it), or the kind's own word.
    pub audience: String,
    /// The stored credential it was made from: when that ends, so does this.
    pub credential: Option<CredentialId>,
    /// What was presented for it.
    pub credential_kind: Option<CredentialKind>,
    /// The one instance it holds at.
    pub instance: Option<InstanceId>,
    /// A bearer's scopes.
    pub scopes: Scopes,
    /// Valid from.
    pub from: Timestamp,
    /// Valid until, exclusively.
    pub until: Timestamp,
}

/// The payload as it travels (RFC 7519 section 4.1; `access` as the Docker token specification has it).
#[derive(Serialize, Deserialize)]
pub(crate) struct Payload {
    iss: String,
    #[serde(default)]
    sub: String,
    aud: String,
    exp: i64,
    nbf: i64,
    iat: i64,
    jti: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cred: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    with: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inst: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    access: Option<Vec<Entry>>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    actions: Vec<String>,
}

impl Payload {
    /// As it travels.
    pub(crate) fn new(kind: Kind, issuer: &str, claims: &Claims, jti: u128) -> Self {
        Self {
            iss: issuer.into(),
            sub: claims.principal.map(|p| p.to_string()).unwrap_or_default(),
            aud: claims.audience.clone(),
            exp: claims.until.seconds(),
            nbf: claims.from.seconds(),
            iat: claims.from.seconds(),
            jti: format!("{jti:032x}"),
            cred: claims.credential.map(|c| c.to_string()),
            with: claims.credential_kind.map(|k| k.as_str().into()),
            inst: claims.instance.map(|i| i.to_string()),
            access: (kind == Kind::Bearer).then(|| claims.scopes.iter().map(Entry::new).collect()),
        }
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.iss
    }

    pub(crate) const fn until(&self) -> Timestamp {
        Timestamp::from_seconds(self.exp)
    }

    /// What it says; every claim is there, of its type, and no claim is from the future.
    pub(crate) fn claims(&self, now: Timestamp) -> Result<Claims, TokenError> {
        let times = 0 <= self.nbf
            && self.nbf <= now.seconds() + SKEW
            && self.iat <= now.seconds() + SKEW
            && self.nbf < self.exp
            && self.exp <= LAST;
        if !times {
            return Err(TokenError::Invalid);
        }
        let scopes = self.access.iter().flatten().map(Entry::text).collect::<Vec<_>>();
        Ok(Claims {
            principal: optional((!self.sub.is_empty()).then_some(&self.sub))?,
            audience: self.aud.clone(),
            credential: optional(self.cred.as_ref())?,
            credential_kind: match &self.with {
                Some(kind) => Some(CredentialKind::parse(kind).ok_or(TokenError::Invalid)?),
                None => None,
            },
            instance: optional(self.inst.as_ref())?,
            scopes: Scopes::parse(scopes.iter().map(|s| &**s)).map_err(|_| TokenError::Invalid)?,
            from: Timestamp::from_seconds(self.nbf),
            until: Timestamp::from_seconds(self.exp),
        })
    }
}

fn optional<T: std::str::FromStr>(text: Option<&String>) -> Result<Option<T>, TokenError> {
    text.map(|t| t.parse()).transpose().map_err(|_| TokenError::Invalid)
}

impl Entry {
    fn new(scope: &Scope) -> Self {
        match scope {
            Scope::Catalog => Self { kind: "registry".into(), name: "catalog".into(), actions: vec!["*".into()] },
            Scope::Repository(name, actions) => {
                Self { kind: "repository".into(), name: name.to_string(), actions: actions.iter().map(|a| a.as_str().into()).collect() }
            }
        }
    }

    fn text(&self) -> String {
        format!("{}:{}:{}", self.kind, self.name, self.actions.join(","))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn good() -> Value {
        json!({
            "iss": "tidegate", "sub": "1234567890123456", "aud": "reg.example", "jti": "0",
            "iat": 1_800_000_000, "nbf": 1_800_000_000, "exp": 1_800_000_300,
            "access": [{"type": "repository", "name": "demo/app", "actions": ["pull"]}],
        })
    }

    fn read(payload: Value) -> Option<Claims> {
        serde_json::from_value::<Payload>(payload).ok()?.claims(NOW).ok()
    }

    fn with(claim: &str, value: Value) -> Value {
        let mut payload = good();
        payload[claim] = value;
        payload
    }

    #[test]
    fn a_whole_payload_is_read() {
        let claims = read(good()).unwrap();
        assert_eq!((&*claims.audience, claims.until), ("reg.example", NOW.plus(model::Seconds(300))));
        assert!(claims.scopes.allow(&"demo/app".parse().unwrap(), model::RepositoryAction::Pull));
    }

    /// Harbor #23270: a token without `iat` ended the process.
    #[test]
    fn harbor_23270_each_claim_is_there_and_of_its_type() {
        for claim in ["iss", "aud", "exp", "nbf", "iat", "jti"] {
            let mut payload = good();
            payload.as_object_mut().unwrap().remove(claim);
            assert_eq!(read(payload), None, "without {claim}");
        }
        for claim in ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "cred", "with", "inst", "access"] {
            for wrong in [json!(true), json!({}), json!(1.5), json!([1]), json!(["reg.example"])] {
                assert_eq!(read(with(claim, wrong.clone())), None, "{claim}: {wrong}");
            }
        }
        for (claim, wrong) in [
            ("sub", json!("alice")),
            ("cred", json!("../1")),
            ("with", json!("everything")),
            ("inst", json!("")),
            ("exp", json!("1800000300")),
            ("exp", json!(1e300)),
            ("exp", json!(u64::MAX)),
            ("exp", json!(i64::MAX)),
            ("nbf", json!(-1)),
            ("access", json!([{"type": "repository", "name": "Demo", "actions": ["pull"]}])),
            ("access", json!([{"type": "repository", "name": "demo/app"}])),
            ("access", Value::from(vec![json!({"type": "repository", "name": "a", "actions": ["pull"]}); 65])),
        ] {
            assert_eq!(read(with(claim, wrong.clone())), None, "{claim}: {wrong}");
        }
    }

    #[test]
    fn no_claim_is_from_the_future_and_none_ends_before_it_begins() {
        for claim in ["nbf", "iat"] {
            assert!(read(with(claim, json!(NOW.seconds() + SKEW))).is_some(), "{claim}: within the skew");
            assert_eq!(read(with(claim, json!(NOW.seconds() + SKEW + 1))), None, "{claim}");
        }
        assert_eq!(read(with("exp", json!(1_800_000_000))), None);
        assert_eq!(read(with("exp", json!(i64::MIN))), None);
    }
}
