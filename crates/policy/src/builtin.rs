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

    "AliyunRAMFullAccess" "Everything of identities: users, groups, roles, keys, policies."
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"ram:*","Resource":"*"}]}"#;

    "AliyunRAMReadOnlyAccess" "See identities and what they may do."
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["ram:Get*","ram:List*","ram:SimulatePolicy"],"Resource":"*"}]}"#;

    "AliyunSTSAssumeRoleAccess" "Assume the roles that trust one."
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}"#;

    "QcloudTCRFullAccess" "Everything of the registry."
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"cr:*","Resource":"*"}]}"#;

    // As at the cloud, whoever has this alone cannot make a login token.
    "QcloudTCRReadOnlyAccess" "See and pull everything of the registry; no login tokens."
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["cr:GetInstance","cr:GetInstanceEndpoint","cr:GetNamespace","cr:GetRepository","cr:List*","cr:PullRepository"],"Resource":"*"}]}"#;

    // At the cloud, whoever has a role there can log in: so these hold GetAuthorizationToken.
    "AcrPull" "Pull everything; log in."
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["cr:GetAuthorizationToken","cr:PullRepository","cr:GetRepository","cr:ListRepositoryTag"],"Resource":"*"}]}"#;

    "AcrPush" "Pull and push everything; log in."
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["cr:GetAuthorizationToken","cr:PullRepository","cr:PushRepository","cr:GetRepository","cr:ListRepositoryTag"],"Resource":"*"}]}"#;

    "AcrDelete" "Delete images and repositories; log in."
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["cr:GetAuthorizationToken","cr:DeleteRepositoryTag","cr:DeleteRepository"],"Resource":"*"}]}"#;

    // Access management there is identities and the policies of resources here.
    "Owner" "Everything, access included."
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

    "Contributor" "Everything of the registry but saying who may do what, and other people's credentials."
    r#"{"Version":"1","Statement":[{"Effect":"Allow","NotAction":["ram:*","sts:*","cr:SetNamespacePolicy","cr:DeleteNamespacePolicy","cr:SetRepositoryPolicy","cr:DeleteRepositoryPolicy","cr:*AccessCredential","cr:*ServiceAccount*","cr:*ClientSecret*","cr:*FederatedCredential*","cr:ResetLoginPassword","cr:IdentifySecret","cr:ExportAuditEvent","cr:SetAuditRetention","cr:RotateAuditKey","cr:RotateSigningKey"],"Resource":"*"}]}"#;

    "Reader" "See everything, and pull; log in."
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["cr:Get*","cr:List*","cr:PullRepository","ram:Get*","ram:List*"],"Resource":"*"}]}"#;

    "ContainerRegistryRepositoryReader" "Pull, and see tags; log in."
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["cr:GetAuthorizationToken","cr:PullRepository","cr:GetRepository","cr:ListRepositoryTag"],"Resource":"*"}]}"#;

    "ContainerRegistryRepositoryWriter" "Pull, push, see and set tags; log in."
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["cr:GetAuthorizationToken","cr:PullRepository","cr:PushRepository","cr:GetRepository","cr:CreateRepository","cr:UpdateRepository","cr:ListRepositoryTag","cr:CreateRepositoryTag","cr:UpdateRepositoryTag"],"Resource":"*"}]}"#;

    "ContainerRegistryRepositoryContributor" "Pull, push and delete, see and set tags; log in."
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["cr:GetAuthorizationToken","cr:PullRepository","cr:PushRepository","cr:GetRepository","cr:CreateRepository","cr:UpdateRepository","cr:DeleteRepository","cr:*RepositoryTag"],"Resource":"*"}]}"#;

    "ContainerRegistryRepositoryCatalogLister" "List namespaces and repositories; log in."
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["cr:GetAuthorizationToken","cr:ListRepository","cr:ListNamespace"],"Resource":"*"}]}"#;
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
        for all in ["AdministratorAccess", "Owner"] {
            assert!(Action::ALL.iter().all(|action| allows(all, *action)));
        }
        assert!(!allows("AliyunContainerRegistryFullAccess", Action::CreateUser));
        assert!(allows("AliyunContainerRegistryReadOnlyAccess", Action::GetAuthorizationToken));
        assert!(!allows("QcloudTCRReadOnlyAccess", Action::GetAuthorizationToken));
        for read_only in
            ["AliyunContainerRegistryReadOnlyAccess", "QcloudTCRReadOnlyAccess", "AcrPull", "Reader", "ContainerRegistryRepositoryReader"]
        {
            assert!(allows(read_only, Action::PullRepository));
            assert!(!allows(read_only, Action::PushRepository));
            assert!(!allows(read_only, Action::DeleteRepositoryTag));
        }
        for writer in ["AcrPush", "ContainerRegistryRepositoryWriter"] {
            assert!(allows(writer, Action::PushRepository));
            assert!(!allows(writer, Action::DeleteRepositoryTag));
        }
        assert!(allows("AcrDelete", Action::DeleteRepositoryTag));
        assert!(!allows("AcrDelete", Action::PullRepository));
    }

    #[test]
    fn a_contributor_grants_nothing() {
        let contributor = builtin("Contributor").unwrap().document().statements[0].actions();
        let grants = |action: &Action| {
            let name = action.as_str();
            !name.starts_with("cr:") || ["Credential", "Secret", "ServiceAccount", "Password"].iter().any(|word| name.contains(word))
        };
        assert_eq!(contributor.iter().filter(grants).collect::<Vec<_>>(), []);
        assert!(contributor.contains(Action::PushRepository) && contributor.contains(Action::CreateInstance));
    }
}
