//! Names of things as RAM writes them: `acs:ram::ACCOUNT:KIND/NAME`.

use model::AccountId;

/// A thing of an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Arn<'a> {
    pub(crate) account: AccountId,
    pub(crate) name: &'a str,
}

impl<'a> Arn<'a> {
    /// Reads the name of a thing of this kind.
    pub(crate) fn parse(text: &'a str, kind: &str) -> Option<Self> {
        let (account, rest) = text.strip_prefix("acs:ram::")?.split_once(':')?;
        let name = rest.strip_prefix(kind)?.strip_prefix('/')?;
        let fits = (1..=128).contains(&name.len()) && !name.contains('/');
        account.parse().ok().filter(|_| fits).map(|account| Self { account, name })
    }
}

/// Writes one.
pub(crate) fn arn(account: AccountId, kind: &str, name: &str) -> String {
    format!("acs:ram::{account}:{kind}/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_nothing_else() {
        let account = AccountId::from_i64(1_234_567_890_123_456);
        let text = arn(account, "role", "deploy");
        assert_eq!(Arn::parse(&text, "role"), Some(Arn { account, name: "deploy" }));
        for bad in [
            "",
            "deploy",
            "acs:ram::1:role/x",
            "acs:ram::1234567890123456:user/x",
            "acs:ram::1234567890123456:role/",
            "acs:ram::1234567890123456:role/a/b",
        ] {
            assert_eq!(Arn::parse(bad, "role"), None, "{bad}");
        }
    }
}
