//! The names of all actions that the products have, done here or not: an unknown one is answered differently from one that this
//! server does not do.

use crate::product::Product;

/// All actions of a product.
pub const fn known(product: Product) -> &'static [&'static str] {
    match product {
        Product::Cr => CR,
        Product::Sts => STS,
        Product::Ram => RAM,
        Product::Ims => IMS,
    }
}

/// The 119 of the vendor's SDK, as its directory groups them, and the three that only the older SDK has.
#[rustfmt::skip]
const CR: &[&str] = &[
    "GetInstance", "ListInstance", "GetInstanceCount", "GetInstanceUsage", "ListInstanceRegion",
    "GetInstanceEndpoint", "ListInstanceEndpoint", "UpdateInstanceEndpointStatus", "CreateInstanceEndpointAclPolicy",
    "DeleteInstanceEndpointAclPolicy", "GetInstanceVpcEndpoint", "CreateInstanceVpcEndpointLinkedVpc", "DeleteInstanceVpcEndpointLinkedVpc",
    "CreateInstanceCustomizedDomain", "GetInstanceCustomizedDomain", "UpdateInstanceCustomizedDomain", "DeleteInstanceCustomizedDomain",
    "GetAuthorizationToken", "ResetLoginPassword",
    "CreateNamespace", "GetNamespace", "ListNamespace", "UpdateNamespace", "DeleteNamespace",
    "CreateRepository", "GetRepository", "ListRepository", "UpdateRepository", "DeleteRepository",
    "ListRepoTag", "GetRepoTag", "CreateRepoTag", "DeleteRepoTag",
    "CreateChartNamespace", "GetChartNamespace", "ListChartNamespace", "UpdateChartNamespace", "DeleteChartNamespace",
    "CreateChartRepository", "GetChartRepository", "ListChartRepository", "UpdateChartRepository", "DeleteChartRepository",
    "ListChartRelease", "DeleteChartRelease",
    "CreateRepoBuildRule", "ListRepoBuildRule", "UpdateRepoBuildRule", "DeleteRepoBuildRule",
    "CreateBuildRecordByRule", "CreateBuildRecordByRecord", "CancelRepoBuildRecord", "GetRepoBuildRecord", "GetRepoBuildRecordStatus",
    "ListRepoBuildRecord", "ListRepoBuildRecordLog", "CreateRepoSourceCodeRepo", "GetRepoSourceCodeRepo", "UpdateRepoSourceCodeRepo",
    "CreateArtifactBuildRule", "GetArtifactBuildRule", "GetArtifactBuildTask", "ListArtifactBuildTaskLog", "CancelArtifactBuildTask",
    "CreateRepoSyncRule", "ListRepoSyncRule", "DeleteRepoSyncRule", "CreateRepoSyncTask", "CreateRepoSyncTaskByRule", "GetRepoSyncTask",
    "ListRepoSyncTask", "CancelRepoSyncTask",
    "CreateRepoTrigger", "ListRepoTrigger", "UpdateRepoTrigger", "DeleteRepoTrigger",
    "CreateRepoTagScanTask", "GetRepoTagScanStatus", "GetRepoTagScanSummary", "ListRepoTagScanResult", "ListScanBaselineByTask",
    "ListScanMaliciousFileByTask", "CreateScanRule", "GetScanRule", "ListScanRule", "UpdateScanRule", "DeleteScanRule",
    "CreateArtifactLifecycleRule", "GetArtifactLifecycleRule", "ListArtifactLifecycleRule", "UpdateArtifactLifecycleRule",
    "DeleteArtifactLifecycleRule",
    "CreateArtifactSubscriptionRule", "GetArtifactSubscriptionRule", "ListArtifactSubscriptionRule", "UpdateArtifactSubscriptionRule",
    "DeleteArtifactSubscriptionRule", "CreateArtifactSubscriptionTask", "GetArtifactSubscriptionTask", "GetArtifactSubscriptionTaskResult",
    "ListArtifactSubscriptionTask",
    "CreateChain", "GetChain", "ListChain", "UpdateChain", "DeleteChain", "ListChainInstance",
    "CreateStorageDomainRoutingRule", "GetStorageDomainRoutingRule", "UpdateStorageDomainRoutingRule", "DeleteStorageDomainRoutingRule",
    "UpdateEventCenterRule", "DeleteEventCenterRule", "ListEventCenterRuleName", "ListEventCenterRecord",
    "TagResources", "UntagResources", "ListTagResources", "ChangeResourceGroup",
    "GetRepoTagLayers", "GetRepoTagManifest", "ListRepoTriggerRecord",
];

#[rustfmt::skip]
const STS: &[&str] = &["AssumeRole", "AssumeRoleWithOIDC", "AssumeRoleWithSAML", "GetCallerIdentity"];

/// The 69 of the vendor's SDK.
#[rustfmt::skip]
const RAM: &[&str] = &[
    "CreateUser", "GetUser", "ListUsers", "UpdateUser", "DeleteUser",
    "CreateAccessKey", "ListAccessKeys", "UpdateAccessKey", "DeleteAccessKey", "GetAccessKeyLastUsed",
    "CreateLoginProfile", "GetLoginProfile", "UpdateLoginProfile", "DeleteLoginProfile", "ChangePassword", "SetPasswordPolicy",
    "GetPasswordPolicy", "CreateVirtualMFADevice", "ListVirtualMFADevices", "DeleteVirtualMFADevice", "BindMFADevice", "UnbindMFADevice",
    "GetUserMFAInfo",
    "SetAccountAlias", "GetAccountAlias", "ClearAccountAlias", "GetSecurityPreference", "SetSecurityPreference",
    "CreateGroup", "GetGroup", "ListGroups", "UpdateGroup", "DeleteGroup",
    "AddUserToGroup", "RemoveUserFromGroup", "ListGroupsForUser", "ListUsersForGroup",
    "CreatePolicy", "GetPolicy", "ListPolicies", "DeletePolicy", "UpdatePolicyDescription",
    "CreatePolicyVersion", "GetPolicyVersion", "ListPolicyVersions", "DeletePolicyVersion", "SetDefaultPolicyVersion",
    "AttachPolicyToUser", "DetachPolicyFromUser", "AttachPolicyToGroup", "DetachPolicyFromGroup", "AttachPolicyToRole",
    "DetachPolicyFromRole", "ListPoliciesForUser", "ListPoliciesForGroup", "ListPoliciesForRole", "ListEntitiesForPolicy",
    "CreateRole", "GetRole", "ListRoles", "UpdateRole", "DeleteRole",
    "CreateServiceLinkedRole", "DeleteServiceLinkedRole", "GetServiceLinkedRoleTemplate",
    "TagResources", "UntagResources", "ListTagResources", "DecodeDiagnosticMessage",
];

/// Of ims, what OIDC providers need.
#[rustfmt::skip]
const IMS: &[&str] = &[
    "CreateOIDCProvider", "GetOIDCProvider", "ListOIDCProviders", "UpdateOIDCProvider", "DeleteOIDCProvider",
    "AddClientIdToOIDCProvider", "RemoveClientIdFromOIDCProvider", "AddFingerprintToOIDCProvider", "RemoveFingerprintFromOIDCProvider",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_name_is_there_twice_and_none_is_forgotten() {
        let count = |all: &[&str]| all.iter().collect::<BTreeSet<_>>().len();
        assert_eq!((count(CR), CR.len()), (122, 122));
        assert_eq!((count(RAM), RAM.len()), (69, 69));
    }
}
