//! Who is meant by documents that belong to a resource or a role, in RAM's spelling.

use std::fmt;

use model::AccountId;

/// A principal as a document names it. Names, not ids: so that a name does not change hands while a document speaks of it
/// (`identity/src/named.rs`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PrincipalPattern {
    /// `acs:ram::ACCOUNT:root`, or `*`: everybody of the account; never anonymous.
    Account(AccountId),
    /// `acs:ram::ACCOUNT:user/NAME`, `…:group/NAME`, `…:role/NAME`, `…:service-account/NAME`.
    Named(AccountId, Box<str>),
    /// `acs:ram::ACCOUNT:oidc-provider/NAME`: whom that provider vouches for. Conditions say whom of them.
    Federated(AccountId, Box<str>),
    /// A service of the cloud; there is none here, so nobody.
    Service(Box<str>),
}

/// Kinds of principals that are named.
const KINDS: [&str; 4] = ["user/", "group/", "role/", "service-account/"];
const PROVIDER: &str = "oidc-provider/";
/// The longest name of a principal, in characters.
const MAX: usize = 128;

impl PrincipalPattern {
    /// Reads an entry of `"RAM"`: somebody of this account. The error says what is wanted.
    pub(crate) fn parse(account: AccountId, text: &str) -> Result<Self, String> {
        let wanted = || {
            format!(
                "a principal of this account is *, acs:ram::{account}:root (everybody), or acs:ram::{account}: with user/NAME, group/NAME, role/NAME or service-account/NAME"
            )
        };
        if text == "*" {
            return Ok(Self::Account(account));
        }
        match of_account(account, text) {
            Some("root") => Ok(Self::Account(account)),
            Some(relative) if KINDS.iter().any(|kind| is_name(relative, kind)) => Ok(Self::Named(account, relative.into())),
            _ => Err(wanted()),
        }
    }

    /// Reads an entry of `"Federated"`: an OIDC provider of this account.
    pub(crate) fn parse_federated(account: AccountId, text: &str) -> Result<Self, String> {
        let provider = of_account(account, text).filter(|relative| is_name(relative, PROVIDER));
        provider
            .map(|relative| Self::Federated(account, relative.into()))
            .ok_or_else(|| format!("a provider of this account is wanted here, as acs:ram::{account}:oidc-provider/NAME"))
    }

    /// Reads an entry of `"Service"`.
    pub(crate) fn parse_service(text: &str) -> Result<Self, String> {
        let fits = (1..=MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
        if fits { Ok(Self::Service(text.into())) } else { Err("a service's name is wanted here, as ecs.aliyuncs.com".into()) }
    }

    /// The element of a document's `Principal` that it stands under.
    pub(crate) const fn element(&self) -> &'static str {
        match self {
            Self::Account(_) | Self::Named(..) => "RAM",
            Self::Federated(..) => "Federated",
            Self::Service(_) => "Service",
        }
    }

    /// Is this one meant?
    pub fn is(&self, who: &Who) -> bool {
        match self {
            Self::Account(account) => who.provider.is_none() && who.account == *account,
            Self::Named(account, name) => who.account == *account && who.names.contains(name),
            Self::Federated(account, provider) => who.account == *account && who.provider.as_ref() == Some(provider),
            Self::Service(_) => false,
        }
    }
}

/// What stands behind `acs:ram::ACCOUNT:`.
fn of_account(account: AccountId, text: &str) -> Option<&str> {
    let (owner, relative) = text.strip_prefix("acs:ram::")?.split_once(':')?;
    (owner == account.to_string()).then_some(relative)
}

fn is_name(relative: &str, kind: &str) -> bool {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "*?/".contains(c);
    relative.strip_prefix(kind).is_some_and(|name| !name.is_empty() && name.chars().count() <= MAX && !name.contains(odd))
}

impl fmt::Display for PrincipalPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => write!(f, "acs:ram::{account}:root"),
            Self::Named(account, name) | Self::Federated(account, name) => write!(f, "acs:ram::{account}:{name}"),
            Self::Service(name) => f.write_str(name),
        }
    }
}

/// Who asks, as documents can name them: by their own name and those of their groups, or by the provider that vouches for them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Who {
    account: AccountId,
    names: Vec<Box<str>>,
    provider: Option<Box<str>>,
}

impl Who {
    /// Somebody of the account: `user/alice`, `role/ci`, `service-account/build`.
    pub fn named(account: AccountId, relative: &str) -> Self {
        Self { account, names: vec![relative.into()], provider: None }
    }

    /// Somebody from outside, for whom an OIDC provider of the account vouches, by the provider's name.
    pub fn federated(account: AccountId, provider: &str) -> Self {
        Self { account, names: Vec::new(), provider: Some(format!("{PROVIDER}{provider}").into()) }
    }

    /// The same as a member of a group, by the group's name.
    #[must_use]
    pub fn in_group(mut self, group: &str) -> Self {
        self.names.push(format!("group/{group}").into());
        self
    }
}
