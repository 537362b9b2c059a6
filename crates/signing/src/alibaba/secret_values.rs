//! Parameters and headers whose values are never echoed.

use crate::Mismatch;

/// Endings of parameter names whose values are secrets: `Password` and `NewPassword`, `OIDCToken`, `SecurityToken`, `SAMLAssertion`.
const ENDINGS: [&str; 5] = ["password", "secret", "oidctoken", "securitytoken", "samlassertion"];

/// Headers whose values are.
const HEADERS: [&str; 1] = ["x-acs-security-token"];

pub(super) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ENDINGS.iter().any(|ending| name.ends_with(ending)) || HEADERS.contains(&name.as_str())
}

/// Which of the two forms of a canonical text is made: the one that is signed, or the one that may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Signed,
    Shown,
}

impl Form {
    /// The value as this form has it.
    pub(super) fn value<'a>(self, name: &str, value: &'a str) -> &'a str {
        if self == Self::Shown && is_secret(name) { Mismatch::WITHHELD } else { value }
    }
}
