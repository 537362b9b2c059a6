//! cr 2018-12-01.

mod credentials;
mod endpoints;
mod instances;
mod lifecycle;
mod named;
mod namespaces;
mod pages;
mod repositories;
mod tags;
mod wildcards;

use model::Action as A;

use super::Needs::{Action as Act, Either, Own};
use super::{Operation, operation};

#[rustfmt::skip]
pub(super) const OPERATIONS: &[Operation] = &[
    operation!(instances::get_instance, Cr "GetInstance", Act(A::GetInstance)).requires(&["InstanceId"]),
    operation!(instances::list_instance, Cr "ListInstance", Act(A::ListInstance)),
    operation!(instances::get_instance_count, Cr "GetInstanceCount", Act(A::ListInstance)),
    operation!(instances::list_instance_region, Cr "ListInstanceRegion", Act(A::ListInstance)),
    operation!(instances::get_instance_usage, Cr "GetInstanceUsage", Act(A::GetInstanceUsage)).requires(&["InstanceId"]),

    operation!(endpoints::get_instance_endpoint, Cr "GetInstanceEndpoint", Act(A::GetInstanceEndpoint)).requires(&["InstanceId", "EndpointType"]),
    operation!(endpoints::list_instance_endpoint, Cr "ListInstanceEndpoint", Act(A::ListInstanceEndpoint)).requires(&["InstanceId"]),
    operation!(endpoints::update_instance_endpoint_status, Cr "UpdateInstanceEndpointStatus", Act(A::UpdateInstanceEndpointStatus))
        .requires(&["InstanceId", "EndpointType", "Enable"]),
    operation!(endpoints::create_instance_endpoint_acl_policy, Cr "CreateInstanceEndpointAclPolicy", Act(A::CreateInstanceEndpointAclPolicy))
        .requires(&["InstanceId", "EndpointType"]),
    operation!(endpoints::delete_instance_endpoint_acl_policy, Cr "DeleteInstanceEndpointAclPolicy", Act(A::DeleteInstanceEndpointAclPolicy))
        .requires(&["InstanceId", "EndpointType"]),
    operation!(endpoints::get_instance_vpc_endpoint, Cr "GetInstanceVpcEndpoint", Act(A::GetInstanceEndpoint)).requires(&["InstanceId"]),
    operation!(endpoints::create_instance_vpc_endpoint_linked_vpc, Cr "CreateInstanceVpcEndpointLinkedVpc", Act(A::CreateInstanceVpcEndpointLinkedVpc))
        .requires(&["InstanceId", "VpcId", "VswitchId"]),
    operation!(endpoints::delete_instance_vpc_endpoint_linked_vpc, Cr "DeleteInstanceVpcEndpointLinkedVpc", Act(A::DeleteInstanceVpcEndpointLinkedVpc))
        .requires(&["InstanceId", "VpcId", "VswitchId"]),

    operation!(credentials::get_authorization_token, Cr "GetAuthorizationToken", Act(A::GetAuthorizationToken)).requires(&["InstanceId"]),
    operation!(credentials::reset_login_password, Cr "ResetLoginPassword", Own(A::ResetLoginPassword)).requires(&["InstanceId", "Password"]),

    operation!(namespaces::create_namespace, Cr "CreateNamespace", Act(A::CreateNamespace)).requires(&["InstanceId", "NamespaceName"]),
    operation!(namespaces::get_namespace, Cr "GetNamespace", Act(A::GetNamespace)).requires(&["InstanceId"]),
    operation!(namespaces::list_namespace, Cr "ListNamespace", Act(A::ListNamespace)).requires(&["InstanceId"]),
    operation!(namespaces::update_namespace, Cr "UpdateNamespace", Act(A::UpdateNamespace)).requires(&["InstanceId", "NamespaceName"]),
    operation!(namespaces::delete_namespace, Cr "DeleteNamespace", Act(A::DeleteNamespace)).requires(&["InstanceId", "NamespaceName"]),

    operation!(repositories::create_repository, Cr "CreateRepository", Act(A::CreateRepository))
        .requires(&["InstanceId", "RepoNamespaceName", "RepoName", "RepoType", "Summary"]),
    operation!(repositories::get_repository, Cr "GetRepository", Act(A::GetRepository)).requires(&["InstanceId"]),
    operation!(repositories::list_repository, Cr "ListRepository", Either(A::ListRepository, A::GetRepository)).requires(&["InstanceId"]),
    operation!(repositories::update_repository, Cr "UpdateRepository", Act(A::UpdateRepository)).requires(&["InstanceId", "RepoType", "Summary"]),
    operation!(repositories::delete_repository, Cr "DeleteRepository", Act(A::DeleteRepository)).requires(&["InstanceId"]),

    operation!(tags::list_repo_tag, Cr "ListRepoTag", Act(A::ListRepositoryTag)).requires(&["InstanceId", "RepoId"]),
    operation!(tags::get_repo_tag, Cr "GetRepoTag", Act(A::ListRepositoryTag)).requires(&["InstanceId", "RepoId", "Tag"]),
    operation!(tags::create_repo_tag, Cr "CreateRepoTag", Act(A::CreateRepositoryTag))
        .requires(&["InstanceId", "NamespaceName", "RepoName", "FromTag", "ToTag"]),
    operation!(tags::delete_repo_tag, Cr "DeleteRepoTag", Act(A::DeleteRepositoryTag)).requires(&["InstanceId", "RepoId", "Tag"]),
    operation!(tags::get_repo_tag_manifest, Cr "GetRepoTagManifest", Act(A::PullRepository)).requires(&["InstanceId", "RepoId", "Tag"]),
    operation!(tags::get_repo_tag_layers, Cr "GetRepoTagLayers", Act(A::PullRepository)).requires(&["InstanceId", "RepoId", "Tag"]),

    operation!(lifecycle::create_artifact_lifecycle_rule, Cr "CreateArtifactLifecycleRule", Act(A::SetRetention)).requires(&["InstanceId"]),
    operation!(lifecycle::get_artifact_lifecycle_rule, Cr "GetArtifactLifecycleRule", Act(A::GetRetention)).requires(&["InstanceId", "RuleId"]),
    operation!(lifecycle::list_artifact_lifecycle_rule, Cr "ListArtifactLifecycleRule", Act(A::ListRetention)).requires(&["InstanceId"]),
    operation!(lifecycle::update_artifact_lifecycle_rule, Cr "UpdateArtifactLifecycleRule", Act(A::SetRetention)).requires(&["InstanceId", "RuleId"]),
    operation!(lifecycle::delete_artifact_lifecycle_rule, Cr "DeleteArtifactLifecycleRule", Act(A::SetRetention)).requires(&["InstanceId", "RuleId"]),
];
