//! Policies that are there from the start, under the clouds' names and with what the clouds let them do.

use std::sync::LazyLock;

use crate::{Document, ram};

/// A built-in policy.
#[derive(Debug)]
pub struct BuiltIn {
    /// Its name at the cloud it comes from.
    pub name: &'static str,
    /// One sentence for people.
    pub description: &'static str,
    /// Its document.
    pub text: &'static str,
    document: LazyLock<Document>,
}

impl BuiltIn {
    /// Its document, read. (One that could not be read would be empty and allow nothing; a test reads them all.)
    pub fn document(&self) -> &Document {
        &self.document
    }
}

macro_rules! built_ins {
    ($($name:literal $description:literal $text:literal;)*) => {
        static BUILT_INS: [BuiltIn; [$($name),*].len()] = [$(BuiltIn {
            name: $name,
            description: $description,
            text: $text,
            document: LazyLock::new(|| ram::parse($text).unwrap_or_default()),
        }),*];
    };
}

built_ins! {
    "AdministratorAccess" "Everything."
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

    "AliyunContainerRegistryFullAccess" "Everything of the registry."
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"cr:*","Resource":"*"}]}"#;

    "AliyunContainerRegistryReadOnlyAccess" "See and pull everything of the registry; make login tokens for oneself."
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["cr:Get*","cr:List*","cr:Pull*"],"Resource":"*"}]}"#;

    "QcloudTCRFullAccess" "Everything of the registry."
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"cr:*","Resource":"*"}]}"#;

    // As at the cloud, whoever has this alone cannot make a login token.
    "QcloudTCRReadOnlyAccess" "See and pull everything of the registry; no login tokens."
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["cr:GetInstance","cr:GetNamespace","cr:GetRepository","cr:List*","cr:PullRepository"],"Resource":"*"}]}"#;

    // At the cloud, whoever has a role there can log in: so these two hold GetAuthorizationToken.
    "AcrPull" "Pull everything; log in."
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["cr:GetAuthorizationToken","cr:PullRepository","cr:GetRepository","cr:ListRepositoryTag"],"Resource":"*"}]}"#;

    "AcrPush" "Pull and push everything; log in."
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["cr:GetAuthorizationToken","cr:PullRepository","cr:PushRepository","cr:GetRepository","cr:ListRepositoryTag"],"Resource":"*"}]}"#;
}

/// All built-in policies.
pub fn builtins() -> &'static [BuiltIn] {
    &BUILT_INS
}

/// The built-in policy of this name, case-sensitive.
pub fn builtin(name: &str) -> Option<&'static BuiltIn> {
    BUILT_INS.iter().find(|policy| policy.name == name)
}

#[cfg(test)]
mod tests {
    use model::Action;

    use super::*;

    #[test]
    fn all_can_be_read_and_are_named_once() {
        for policy in builtins() {
            assert_eq!(ram::parse(policy.text).as_ref(), Ok(policy.document()), "{}", policy.name);
            assert!(std::ptr::eq(builtin(policy.name).unwrap(), policy));
        }
    }

    #[test]
    fn they_allow_what_they_say() {
        let allows = |name: &str, action| builtin(name).unwrap().document().statements[0].actions().contains(action);
        assert!(Action::ALL.iter().all(|action| allows("AdministratorAccess", *action)));
        assert!(!allows("AliyunContainerRegistryFullAccess", Action::CreateUser));
        assert!(allows("AliyunContainerRegistryReadOnlyAccess", Action::GetAuthorizationToken));
        assert!(!allows("QcloudTCRReadOnlyAccess", Action::GetAuthorizationToken));
        for read_only in ["AliyunContainerRegistryReadOnlyAccess", "QcloudTCRReadOnlyAccess", "AcrPull"] {
            assert!(allows(read_only, Action::PullRepository));
            assert!(!allows(read_only, Action::PushRepository));
            assert!(!allows(read_only, Action::DeleteRepositoryTag));
        }
        assert!(allows("AcrPush", Action::PushRepository));
        assert!(!allows("AcrPush", Action::DeleteRepositoryTag));
    }
}
