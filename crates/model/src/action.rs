//! Every action of the product, declared once: its identity, its RAM spelling, what it is done to.
//!
//! To add an action: one line in `actions!`. The other clouds' spellings stand beside it in `policy`.

use crate::resource::{
    OnAccount, OnInstance, OnIntegration, OnNamespace, OnPolicy, OnPrincipal, OnProvider, OnRepository, ResourceKind, Target,
};

/// An action as a type, so that a permit for one thing cannot be used for another.
pub trait ActionKind: Send + Sync + 'static {
    /// The action.
    const ACTION: Action;
    /// What it is done to.
    type On: Target;
}

/// Further RAM spellings of an action: names of the vendor's operations that other documents write.
const ALIASES: &[(&str, Action)] = &[
    ("cr:GetRepositoryTag", Action::ListRepositoryTag),
    ("cr:ListRepoTag", Action::ListRepositoryTag),
    ("cr:GetRepoTag", Action::ListRepositoryTag),
    ("cr:CreateRepoTag", Action::CreateRepositoryTag),
    ("cr:DeleteRepoTag", Action::DeleteRepositoryTag),
    ("cr:GetInstanceVpcEndpoint", Action::GetInstanceEndpoint),
];

macro_rules! actions {
    ($($name:ident $spelling:literal on $target:ty as $kind:ident, $doc:literal;)*) => {
        /// What somebody may be allowed to do.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Action {
            $(#[doc = $doc] $name,)*
        }

        impl Action {
            /// All of them, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The RAM spelling, `cr:Verb`, `ram:Verb` or `sts:Verb`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $spelling),* }
            }

            /// What it is done to.
            pub const fn resource_kind(self) -> ResourceKind {
                match self { $(Self::$name => ResourceKind::$kind),* }
            }

            /// One sentence for people.
            pub const fn describe(self) -> &'static str {
                match self { $(Self::$name => $doc),* }
            }

            /// Reads a RAM spelling; case does not matter.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|a| a.spellings().any(|s| s.eq_ignore_ascii_case(text)))
            }

            /// Its RAM spelling, and others that the vendor's documents have for it.
            pub fn spellings(self) -> impl Iterator<Item = &'static str> {
                let others = ALIASES.iter().filter(move |(_, action)| *action == self).map(|(spelling, _)| *spelling);
                std::iter::once(self.as_str()).chain(others)
            }
        }

        /// The actions as types.
        pub mod act {
            use super::*;
            $(
                #[doc = $doc]
                #[derive(Debug)]
                pub enum $name {}

                impl ActionKind for $name {
                    const ACTION: Action = Action::$name;
                    type On = $target;
                }
            )*
        }
    };
}

actions! {
    PullRepository "cr:PullRepository" on OnRepository as Repository, "Read manifests, blobs, tag lists and referrers.";
    PushRepository "cr:PushRepository" on OnRepository as Repository, "Write manifests, blobs and tags.";
    GetRepository "cr:GetRepository" on OnRepository as Repository, "See a repository's settings.";
    ListRepository "cr:ListRepository" on OnNamespace as Namespace, "List repositories.";
    CreateRepository "cr:CreateRepository" on OnRepository as Repository, "Create a repository.";
    UpdateRepository "cr:UpdateRepository" on OnRepository as Repository, "Change a repository's settings.";
    DeleteRepository "cr:DeleteRepository" on OnRepository as Repository, "Delete a repository with all its images.";
    LockRepository "cr:LockRepository" on OnRepository as Repository, "Lock a repository, its tags and manifests against reading, writing, listing or deleting, and unlock them.";
    ListRepositoryTag "cr:ListRepositoryTag" on OnRepository as Repository, "List and see tags in the management API.";
    CreateRepositoryTag "cr:CreateRepositoryTag" on OnRepository as Repository, "Point a new tag at a manifest that is there.";
    UpdateRepositoryTag "cr:UpdateRepositoryTag" on OnRepository as Repository, "Point a tag at another manifest that is there.";
    DeleteRepositoryTag "cr:DeleteRepositoryTag" on OnRepository as Repository, "Delete tags, manifests and blobs.";
    CreateNamespace "cr:CreateNamespace" on OnNamespace as Namespace, "Create a namespace.";
    GetNamespace "cr:GetNamespace" on OnNamespace as Namespace, "See a namespace's settings.";
    ListNamespace "cr:ListNamespace" on OnInstance as Instance, "List namespaces.";
    UpdateNamespace "cr:UpdateNamespace" on OnNamespace as Namespace, "Change a namespace's settings, public reading included.";
    DeleteNamespace "cr:DeleteNamespace" on OnNamespace as Namespace, "Delete an empty namespace.";
    GetNamespaceQuota "cr:GetNamespaceQuota" on OnNamespace as Namespace, "See how much a namespace holds and may hold.";
    SetNamespaceQuota "cr:SetNamespaceQuota" on OnNamespace as Namespace, "Say how many bytes and repositories a namespace may hold.";
    ListNamespaceQuotas "cr:ListNamespaceQuotas" on OnInstance as Instance, "List how much an instance's namespaces hold and may hold.";
    GetRetention "cr:GetRetention" on OnNamespace as Namespace, "See which images a namespace keeps.";
    SetRetention "cr:SetRetention" on OnNamespace as Namespace, "Say which images a namespace keeps, so that the others go by themselves.";
    RunRetention "cr:RunRetention" on OnNamespace as Namespace, "Delete now what a namespace's rules do not keep, or see what that would be.";
    CreateImmutableTagRule "cr:CreateImmutableTagRule" on OnNamespace as Namespace, "Say which tags of a namespace's repositories are immutable.";
    ListImmutableTagRules "cr:ListImmutableTagRules" on OnNamespace as Namespace, "See which tags of a namespace's repositories are immutable.";
    UpdateImmutableTagRule "cr:UpdateImmutableTagRule" on OnNamespace as Namespace, "Change, enable or disable a rule of immutable tags.";
    DeleteImmutableTagRule "cr:DeleteImmutableTagRule" on OnNamespace as Namespace, "Delete a rule of immutable tags.";
    CreateInstance "cr:CreateInstance" on OnAccount as Account, "Create an instance.";
    GetInstance "cr:GetInstance" on OnInstance as Instance, "See an instance.";
    GetInstanceUsage "cr:GetInstanceUsage" on OnInstance as Instance, "See how much an instance holds and may hold.";
    ListInstance "cr:ListInstance" on OnAccount as Account, "List instances.";
    UpdateInstance "cr:UpdateInstance" on OnInstance as Instance, "Change an instance's settings.";
    DeleteInstance "cr:DeleteInstance" on OnInstance as Instance, "Delete an empty instance.";
    GetAuthorizationToken "cr:GetAuthorizationToken" on OnAccount as Account, "Make a login token for oneself.";
    ResetLoginPassword "cr:ResetLoginPassword" on OnPrincipal as User, "Set another user's permanent password.";
    CreateAccessCredential "cr:CreateAccessCredential" on OnPrincipal as User, "Create an access credential.";
    ListAccessCredential "cr:ListAccessCredential" on OnPrincipal as User, "List another user's credentials.";
    UpdateAccessCredential "cr:UpdateAccessCredential" on OnPrincipal as User, "Enable a credential, or disable another user's.";
    DeleteAccessCredential "cr:DeleteAccessCredential" on OnPrincipal as User, "Delete another user's credential.";
    CreateServiceAccount "cr:CreateServiceAccount" on OnPrincipal as ServiceAccount, "Create a service account.";
    GetServiceAccount "cr:GetServiceAccount" on OnPrincipal as ServiceAccount, "See a service account.";
    ListServiceAccounts "cr:ListServiceAccounts" on OnAccount as Account, "List service accounts.";
    UpdateServiceAccount "cr:UpdateServiceAccount" on OnPrincipal as ServiceAccount, "Enable, disable or describe a service account, and say when it ends.";
    DeleteServiceAccount "cr:DeleteServiceAccount" on OnPrincipal as ServiceAccount, "Delete a service account with all its secrets.";
    CreateClientSecret "cr:CreateClientSecret" on OnPrincipal as ServiceAccount, "Create a service account's secret.";
    ListClientSecrets "cr:ListClientSecrets" on OnPrincipal as ServiceAccount, "List a service account's secrets.";
    UpdateClientSecret "cr:UpdateClientSecret" on OnPrincipal as ServiceAccount, "Enable or disable a service account's secret.";
    DeleteClientSecret "cr:DeleteClientSecret" on OnPrincipal as ServiceAccount, "Delete a service account's secret.";
    CreateFederatedCredential "cr:CreateFederatedCredential" on OnPrincipal as ServiceAccount, "Let a workload of an issuer be a service account.";
    ListFederatedCredentials "cr:ListFederatedCredentials" on OnPrincipal as ServiceAccount, "See whom of which issuer a service account trusts.";
    UpdateFederatedCredential "cr:UpdateFederatedCredential" on OnPrincipal as ServiceAccount, "Enable, disable or change a federated credential.";
    DeleteFederatedCredential "cr:DeleteFederatedCredential" on OnPrincipal as ServiceAccount, "Delete a federated credential.";
    GetAdminUser "cr:GetAdminUser" on OnInstance as Instance, "See an instance's admin user.";
    UpdateAdminUser "cr:UpdateAdminUser" on OnInstance as Instance, "Enable or disable an instance's admin user, renew its passwords.";
    CreateIntegration "cr:CreateIntegration" on OnIntegration as Integration, "Create an integration.";
    GetIntegration "cr:GetIntegration" on OnIntegration as Integration, "See an integration and the credentials made for it.";
    ListIntegrations "cr:ListIntegrations" on OnAccount as Account, "List integrations.";
    UpdateIntegration "cr:UpdateIntegration" on OnIntegration as Integration, "Change an integration, or say that it is gone.";
    DeleteIntegration "cr:DeleteIntegration" on OnIntegration as Integration, "Delete an integration.";
    GetInstanceEndpoint "cr:GetInstanceEndpoint" on OnInstance as Instance, "See one endpoint and whom it lets in.";
    ListInstanceEndpoint "cr:ListInstanceEndpoint" on OnInstance as Instance, "List an instance's endpoints and whom they let in.";
    UpdateInstanceEndpointStatus "cr:UpdateInstanceEndpointStatus" on OnInstance as Instance, "Turn the public endpoint on or off, and open it to everybody.";
    CreateInstanceEndpointAclPolicy "cr:CreateInstanceEndpointAclPolicy" on OnInstance as Instance, "Let addresses in at the public endpoint.";
    DeleteInstanceEndpointAclPolicy "cr:DeleteInstanceEndpointAclPolicy" on OnInstance as Instance, "Let addresses in no longer.";
    CreateInstanceVpcEndpointLinkedVpc "cr:CreateInstanceVpcEndpointLinkedVpc" on OnInstance as Instance, "Give a named network a private endpoint.";
    DeleteInstanceVpcEndpointLinkedVpc "cr:DeleteInstanceVpcEndpointLinkedVpc" on OnInstance as Instance, "Take a named network's private endpoint away.";
    GetNamespacePolicy "cr:GetNamespacePolicy" on OnNamespace as Namespace, "See who else may use a namespace.";
    SetNamespacePolicy "cr:SetNamespacePolicy" on OnNamespace as Namespace, "Say who else may use a namespace.";
    DeleteNamespacePolicy "cr:DeleteNamespacePolicy" on OnNamespace as Namespace, "Delete a namespace's own policy.";
    GetRepositoryPolicy "cr:GetRepositoryPolicy" on OnRepository as Repository, "See who else may use a repository.";
    SetRepositoryPolicy "cr:SetRepositoryPolicy" on OnRepository as Repository, "Say who else may use a repository.";
    DeleteRepositoryPolicy "cr:DeleteRepositoryPolicy" on OnRepository as Repository, "Delete a repository's own policy.";
    IdentifySecret "cr:IdentifySecret" on OnAccount as Account, "Ask whose a found secret is.";
    ExportAuditEvent "cr:ExportAuditEvent" on OnAccount as Account, "Export the audit trail with its seals.";
    ReadMetrics "cr:ReadMetrics" on OnInstance as Instance, "Read the server's metrics.";
    ListAuditEvent "cr:ListAuditEvent" on OnAccount as Account, "Read the audit trail.";
    GetAuditRetention "cr:GetAuditRetention" on OnAccount as Account, "See how long the audit trail is kept.";
    SetAuditRetention "cr:SetAuditRetention" on OnAccount as Account, "Say how long the audit trail is kept.";
    RotateAuditKey "cr:RotateAuditKey" on OnAccount as Account, "Begin a new key that signs the audit trail.";
    RotateSigningKey "cr:RotateSigningKey" on OnAccount as Account, "Begin a new token signing key.";
    ListNodes "cr:ListNodes" on OnAccount as Account, "See the nodes that serve, and how they are.";
    GetAccountAlias "ram:GetAccountAlias" on OnAccount as Account, "See the account: its ids and alias.";
    CreateUser "ram:CreateUser" on OnPrincipal as User, "Create a user.";
    GetUser "ram:GetUser" on OnPrincipal as User, "See a user.";
    ListUsers "ram:ListUsers" on OnAccount as Account, "List users.";
    UpdateUser "ram:UpdateUser" on OnPrincipal as User, "Change a user: name, what is said of it, enabled or disabled.";
    DeleteUser "ram:DeleteUser" on OnPrincipal as User, "Delete a user with all credentials.";
    CreateLoginProfile "ram:CreateLoginProfile" on OnPrincipal as User, "Set the first sign-in password of a user who has none.";
    GetLoginProfile "ram:GetLoginProfile" on OnPrincipal as User, "See whether a user has a sign-in password.";
    DeleteLoginProfile "ram:DeleteLoginProfile" on OnPrincipal as User, "Delete another user's sign-in password.";
    UpdateLoginProfile "ram:UpdateLoginProfile" on OnPrincipal as User, "Set another user's sign-in password.";
    CreateAccessKey "ram:CreateAccessKey" on OnPrincipal as User, "Create an access key.";
    ListAccessKeys "ram:ListAccessKeys" on OnPrincipal as User, "List another user's access keys.";
    GetAccessKeyLastUsed "ram:GetAccessKeyLastUsed" on OnPrincipal as User, "See when another user's access key was last used.";
    UpdateAccessKey "ram:UpdateAccessKey" on OnPrincipal as User, "Enable an access key, or disable another user's.";
    DeleteAccessKey "ram:DeleteAccessKey" on OnPrincipal as User, "Delete another user's access key.";
    CreatePolicy "ram:CreatePolicy" on OnPolicy as Policy, "Create a policy.";
    GetPolicy "ram:GetPolicy" on OnPolicy as Policy, "See a policy and its document.";
    ListPolicies "ram:ListPolicies" on OnAccount as Account, "List policies.";
    CreatePolicyVersion "ram:CreatePolicyVersion" on OnPolicy as Policy, "Give a policy a new document.";
    GetPolicyVersion "ram:GetPolicyVersion" on OnPolicy as Policy, "See one version of a policy.";
    ListPolicyVersions "ram:ListPolicyVersions" on OnPolicy as Policy, "List a policy's versions.";
    SetDefaultPolicyVersion "ram:SetDefaultPolicyVersion" on OnPolicy as Policy, "Choose the version that is in force.";
    DeletePolicyVersion "ram:DeletePolicyVersion" on OnPolicy as Policy, "Delete a version that is not in force.";
    UpdatePolicyDescription "ram:UpdatePolicyDescription" on OnPolicy as Policy, "Say what a policy is for.";
    ListEntitiesForPolicy "ram:ListEntitiesForPolicy" on OnPolicy as Policy, "List whom a policy is attached to.";
    DeletePolicy "ram:DeletePolicy" on OnPolicy as Policy, "Delete a policy that is attached to nobody.";
    AttachPolicyToUser "ram:AttachPolicyToUser" on OnPrincipal as User, "Attach a policy to a user.";
    DetachPolicyFromUser "ram:DetachPolicyFromUser" on OnPrincipal as User, "Detach a policy from a user.";
    ListPoliciesForUser "ram:ListPoliciesForUser" on OnPrincipal as User, "List the policies of a user.";
    SimulatePolicy "ram:SimulatePolicy" on OnPrincipal as User, "Explain what a user, service account, group or role may do.";
    ListPermittedPrincipals "ram:ListPermittedPrincipals" on OnAccount as Account, "Ask who may do something.";
    SetAccountAlias "ram:SetAccountAlias" on OnAccount as Account, "Give the account an alias.";
    ClearAccountAlias "ram:ClearAccountAlias" on OnAccount as Account, "Take the account's alias away.";
    CreateGroup "ram:CreateGroup" on OnPrincipal as Group, "Create a group.";
    GetGroup "ram:GetGroup" on OnPrincipal as Group, "See a group.";
    ListGroups "ram:ListGroups" on OnAccount as Account, "List groups.";
    UpdateGroup "ram:UpdateGroup" on OnPrincipal as Group, "Rename or describe a group.";
    DeleteGroup "ram:DeleteGroup" on OnPrincipal as Group, "Delete a group; its users stay.";
    AddUserToGroup "ram:AddUserToGroup" on OnPrincipal as Group, "Take a user into a group.";
    RemoveUserFromGroup "ram:RemoveUserFromGroup" on OnPrincipal as Group, "Take a user out of a group.";
    ListUsersForGroup "ram:ListUsersForGroup" on OnPrincipal as Group, "List a group's users.";
    ListGroupsForUser "ram:ListGroupsForUser" on OnPrincipal as User, "List the groups of a user.";
    AttachPolicyToGroup "ram:AttachPolicyToGroup" on OnPrincipal as Group, "Attach a policy to a group.";
    DetachPolicyFromGroup "ram:DetachPolicyFromGroup" on OnPrincipal as Group, "Detach a policy from a group.";
    ListPoliciesForGroup "ram:ListPoliciesForGroup" on OnPrincipal as Group, "List the policies of a group.";
    AttachPolicyToServiceAccount "ram:AttachPolicyToServiceAccount" on OnPrincipal as ServiceAccount, "Attach a policy to a service account.";
    DetachPolicyFromServiceAccount "ram:DetachPolicyFromServiceAccount" on OnPrincipal as ServiceAccount, "Detach a policy from a service account.";
    ListPoliciesForServiceAccount "ram:ListPoliciesForServiceAccount" on OnPrincipal as ServiceAccount, "List the policies of a service account.";
    CreateRole "ram:CreateRole" on OnPrincipal as Role, "Create a role.";
    GetRole "ram:GetRole" on OnPrincipal as Role, "See a role and who may assume it.";
    ListRoles "ram:ListRoles" on OnAccount as Account, "List roles.";
    UpdateRole "ram:UpdateRole" on OnPrincipal as Role, "Say who may assume a role, and for how long; enable or disable it.";
    DeleteRole "ram:DeleteRole" on OnPrincipal as Role, "Delete a role and end its sessions.";
    AttachPolicyToRole "ram:AttachPolicyToRole" on OnPrincipal as Role, "Attach a policy to a role.";
    DetachPolicyFromRole "ram:DetachPolicyFromRole" on OnPrincipal as Role, "Detach a policy from a role.";
    ListPoliciesForRole "ram:ListPoliciesForRole" on OnPrincipal as Role, "List the policies of a role.";
    AssumeRole "sts:AssumeRole" on OnPrincipal as Role, "Be a role for a while, if the role trusts one.";
    ListTagResources "ram:ListTagResources" on OnAccount as Account, "List which things carry which labels.";
    AttachGuardPolicy "ram:AttachGuardPolicy" on OnAccount as Account, "Bound what anybody in the account may do.";
    DetachGuardPolicy "ram:DetachGuardPolicy" on OnAccount as Account, "Take such a bound away.";
    ListGuardPolicies "ram:ListGuardPolicies" on OnAccount as Account, "List the bounds of the account.";
    CreateOIDCProvider "ram:CreateOIDCProvider" on OnProvider as Provider, "Name an issuer that roles may trust.";
    GetOIDCProvider "ram:GetOIDCProvider" on OnProvider as Provider, "See an OIDC provider.";
    ListOIDCProviders "ram:ListOIDCProviders" on OnAccount as Account, "List OIDC providers.";
    UpdateOIDCProvider "ram:UpdateOIDCProvider" on OnProvider as Provider, "Change an OIDC provider.";
    DeleteOIDCProvider "ram:DeleteOIDCProvider" on OnProvider as Provider, "Delete an OIDC provider.";
    DecodeDiagnosticMessage "ram:DecodeDiagnosticMessage" on OnAccount as Account, "Read why a request was denied, from what its refusal carried.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_its_own_and_reads_back() {
        for action in Action::ALL {
            assert_eq!(Action::parse(action.as_str()), Some(*action));
            assert_eq!(Action::parse(&action.as_str().to_uppercase()), Some(*action));
        }
        assert_eq!(Action::parse("cr:Fly"), None);
        for (other, action) in ALIASES {
            assert_eq!(Action::parse(other), Some(*action));
            assert!(Action::ALL.iter().all(|a| !a.as_str().eq_ignore_ascii_case(other)), "{other} is one action's own");
        }
    }
}
