//! Every action of the product, declared once: its identity, its RAM spelling, what it is done to.
//!
//! To add an action: one line in `actions!`. The other clouds' spellings stand beside it in `policy`.

use crate::resource::{OnAccount, OnInstance, OnNamespace, OnPolicy, OnRepository, OnUser, ResourceKind, Target};

/// An action as a type, so that a permit for one thing cannot be used for another.
pub trait ActionKind: Send + Sync + 'static {
    /// The action.
    const ACTION: Action;
    /// What it is done to.
    type On: Target;
}

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
                Self::ALL.iter().copied().find(|a| a.as_str().eq_ignore_ascii_case(text))
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
    ListRepositoryTag "cr:ListRepositoryTag" on OnRepository as Repository, "List and see tags in the management API.";
    CreateRepositoryTag "cr:CreateRepositoryTag" on OnRepository as Repository, "Point a new tag at a manifest that is there.";
    UpdateRepositoryTag "cr:UpdateRepositoryTag" on OnRepository as Repository, "Point a tag at another manifest that is there.";
    DeleteRepositoryTag "cr:DeleteRepositoryTag" on OnRepository as Repository, "Delete tags, manifests and blobs.";
    CreateNamespace "cr:CreateNamespace" on OnNamespace as Namespace, "Create a namespace.";
    GetNamespace "cr:GetNamespace" on OnNamespace as Namespace, "See a namespace's settings.";
    ListNamespace "cr:ListNamespace" on OnInstance as Instance, "List namespaces.";
    UpdateNamespace "cr:UpdateNamespace" on OnNamespace as Namespace, "Change a namespace's settings, public reading included.";
    DeleteNamespace "cr:DeleteNamespace" on OnNamespace as Namespace, "Delete an empty namespace.";
    CreateInstance "cr:CreateInstance" on OnAccount as Account, "Create an instance.";
    GetInstance "cr:GetInstance" on OnInstance as Instance, "See an instance.";
    ListInstance "cr:ListInstance" on OnAccount as Account, "List instances.";
    UpdateInstance "cr:UpdateInstance" on OnInstance as Instance, "Change an instance's settings.";
    DeleteInstance "cr:DeleteInstance" on OnInstance as Instance, "Delete an empty instance.";
    GetAuthorizationToken "cr:GetAuthorizationToken" on OnAccount as Account, "Make a login token for oneself.";
    ResetLoginPassword "cr:ResetLoginPassword" on OnUser as User, "Set another user's permanent password.";
    CreateAccessCredential "cr:CreateAccessCredential" on OnUser as User, "Create an access credential.";
    ListAccessCredential "cr:ListAccessCredential" on OnUser as User, "List another user's credentials.";
    UpdateAccessCredential "cr:UpdateAccessCredential" on OnUser as User, "Enable a credential, or disable another user's.";
    DeleteAccessCredential "cr:DeleteAccessCredential" on OnUser as User, "Delete another user's credential.";
    ReadMetrics "cr:ReadMetrics" on OnInstance as Instance, "Read the server's metrics.";
    ExportAuditEvent "cr:ExportAuditEvent" on OnAccount as Account, "Export the audit trail with its seals.";
    ListAuditEvent "cr:ListAuditEvent" on OnAccount as Account, "Read the audit trail.";
    RotateSigningKey "cr:RotateSigningKey" on OnAccount as Account, "Begin a new token signing key.";
    GetAccountAlias "ram:GetAccountAlias" on OnAccount as Account, "See the account: its ids and alias.";
    CreateUser "ram:CreateUser" on OnUser as User, "Create a user.";
    GetUser "ram:GetUser" on OnUser as User, "See a user.";
    ListUsers "ram:ListUsers" on OnAccount as Account, "List users.";
    UpdateUser "ram:UpdateUser" on OnUser as User, "Enable or disable a user.";
    DeleteUser "ram:DeleteUser" on OnUser as User, "Delete a user with all credentials.";
    UpdateLoginProfile "ram:UpdateLoginProfile" on OnUser as User, "Set another user's sign-in password.";
    CreateAccessKey "ram:CreateAccessKey" on OnUser as User, "Create an access key.";
    ListAccessKeys "ram:ListAccessKeys" on OnUser as User, "List another user's access keys.";
    UpdateAccessKey "ram:UpdateAccessKey" on OnUser as User, "Enable an access key, or disable another user's.";
    DeleteAccessKey "ram:DeleteAccessKey" on OnUser as User, "Delete another user's access key.";
    CreatePolicy "ram:CreatePolicy" on OnPolicy as Policy, "Create a policy.";
    GetPolicy "ram:GetPolicy" on OnPolicy as Policy, "See a policy and its document.";
    ListPolicies "ram:ListPolicies" on OnAccount as Account, "List policies.";
    CreatePolicyVersion "ram:CreatePolicyVersion" on OnPolicy as Policy, "Give a policy a new document.";
    ListPolicyVersions "ram:ListPolicyVersions" on OnPolicy as Policy, "List a policy's versions.";
    SetDefaultPolicyVersion "ram:SetDefaultPolicyVersion" on OnPolicy as Policy, "Choose the version that is in force.";
    DeletePolicyVersion "ram:DeletePolicyVersion" on OnPolicy as Policy, "Delete a version that is not in force.";
    DeletePolicy "ram:DeletePolicy" on OnPolicy as Policy, "Delete a policy that is attached to nobody.";
    AttachPolicyToUser "ram:AttachPolicyToUser" on OnUser as User, "Attach a policy to a user.";
    DetachPolicyFromUser "ram:DetachPolicyFromUser" on OnUser as User, "Detach a policy from a user.";
    ListPoliciesForUser "ram:ListPoliciesForUser" on OnUser as User, "List the policies of a user.";
    SimulatePolicy "ram:SimulatePolicy" on OnUser as User, "Explain what a user may do.";
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
    }
}
