//! Every operation, declared once: its route, its method, the action that it needs, what it takes and gives.

mod access_keys;
mod accounts;
mod admin_users;
mod audit;
mod credentials;
mod endpoints;
mod federation;
mod groups;
mod guards;
mod instances;
mod integrations;
mod labels;
mod namespaces;
mod nodes;
mod policies;
mod protection;
mod quotas;
mod repositories;
mod resource_policies;
mod retention;
mod roles;
mod secret_lookups;
mod service_accounts;
mod signing_keys;
mod simulation;
mod tags;
mod token;
mod users;
mod whoami;

use std::future::Future;
use std::pin::Pin;
use std::sync::LazyLock;

use http::{Method, StatusCode};
use kit::{Answer, Needs};
use model::Action;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{IntoParams, ToSchema};

use crate::call::Call;
use crate::errors::Problem;

/// A running handler.
pub(crate) type Running = Pin<Box<dyn Future<Output = Result<Answer, Problem>> + Send>>;

/// A shape in the OpenAPI document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ShapeDoc {
    pub(crate) name: fn() -> String,
    pub(crate) collect: fn(&mut Vec<(String, RefOr<Schema>)>),
}

impl ShapeDoc {
    const fn of<T: ToSchema>() -> Self {
        Self {
            name: || T::name().into_owned(),
            collect: |all| {
                all.push((T::name().into_owned(), T::schema()));
                T::schemas(all);
            },
        }
    }
}

/// What a successful answer carries.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Gives {
    /// Nothing.
    Nothing,
    /// One thing.
    One(ShapeDoc),
    /// A list.
    Many(ShapeDoc),
    /// The OpenAPI document.
    Document,
}

/// How a body comes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Takes {
    /// There is none.
    Nothing,
    /// JSON.
    Json(ShapeDoc),
    /// Form fields.
    Form(ShapeDoc),
}

/// An operation.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) id: &'static str,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) needs: Needs,
    pub(crate) summary: &'static str,
    pub(crate) handle: fn(Call) -> Running,
    pub(crate) query: fn() -> Vec<Parameter>,
    pub(crate) takes: Takes,
    pub(crate) status: StatusCode,
    pub(crate) gives: Gives,
}

impl Operation {
    fn query<Q: IntoParams>(self) -> Self {
        Self { query: || Q::into_params(|| Some(ParameterIn::Query)), ..self }
    }

    fn takes<B: ToSchema>(self) -> Self {
        Self { takes: Takes::Json(ShapeDoc::of::<B>()), ..self }
    }

    fn takes_form<B: ToSchema>(self) -> Self {
        Self { takes: Takes::Form(ShapeDoc::of::<B>()), ..self }
    }

    fn gives<A: ToSchema>(self) -> Self {
        Self { status: StatusCode::OK, gives: Gives::One(ShapeDoc::of::<A>()), ..self }
    }

    fn creates<A: ToSchema>(self) -> Self {
        Self { status: StatusCode::CREATED, gives: Gives::One(ShapeDoc::of::<A>()), ..self }
    }

    fn lists<A: ToSchema>(self) -> Self {
        Self { status: StatusCode::OK, gives: Gives::Many(ShapeDoc::of::<A>()), ..self }
    }

    fn gives_document(self) -> Self {
        Self { status: StatusCode::OK, gives: Gives::Document, ..self }
    }
}

/// `operation!(id METHOD "path", needs, handler, "summary")`: without a body, answered 204, until told otherwise.
macro_rules! operation {
    ($module:ident::$id:ident $method:ident $path:literal, $needs:expr, $summary:literal) => {
        Operation {
            id: stringify!($id),
            method: Method::$method,
            path: $path,
            needs: $needs,
            summary: $summary,
            handle: |call| Box::pin($module::$id(call)),
            query: Vec::new,
            takes: Takes::Nothing,
            status: StatusCode::NO_CONTENT,
            gives: Gives::Nothing,
        }
    };
}

use Action as A;
use Needs::{Action as Act, Own};

/// The table.
#[rustfmt::skip]
pub(crate) static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| vec![
    operation!(token::create_token POST "/oauth2/token", Needs::Nothing("this is how one signs in"), "Sign in with an access key, a client secret, a sign-in password or a token of a trusted issuer (RFC 6749, 7523, 8693).")
        .takes_form::<api::TokenRequest>().gives::<api::TokenAnswer>(),
    operation!(whoami::show_openapi GET "/openapi.json", Needs::Nothing("it says nothing about anybody"), "This document.").gives_document(),
    operation!(whoami::whoami GET "/whoami", Needs::Caller("everybody may know who they are"), "Who is calling, and with what.").gives::<api::Whoami>(),

    operation!(accounts::show_account GET "/account", Act(A::GetAccountAlias), "Show the account that one belongs to.").gives::<api::Account>(),
    operation!(accounts::set_account_alias PUT "/account/alias", Act(A::SetAccountAlias), "Give the account an alias, which is as good as its id in `NAME@ACCOUNT`.")
        .takes::<api::SetAccountAlias>().gives::<api::Account>(),
    operation!(accounts::clear_account_alias DELETE "/account/alias", Act(A::ClearAccountAlias), "Take the account's alias away."),

    operation!(users::create_user POST "/users", Act(A::CreateUser), "Create a user.").takes::<api::CreateUser>().creates::<api::User>(),
    operation!(users::list_users GET "/users", Act(A::ListUsers), "List users by name.").query::<api::Page>().lists::<api::User>(),
    operation!(users::show_user GET "/users/{user}", Act(A::GetUser), "Show a user.").gives::<api::User>(),
    operation!(users::update_user PATCH "/users/{user}", Act(A::UpdateUser), "Change a user: name, what is said of them, enabled or disabled.").takes::<api::UpdateUser>().gives::<api::User>(),
    operation!(users::delete_user DELETE "/users/{user}", Act(A::DeleteUser), "Delete a user with all credentials."),
    operation!(users::set_password PUT "/users/{user}/password", Needs::Either(A::ResetLoginPassword, A::UpdateLoginProfile), "Set a user's permanent or sign-in password; one's own without any grant.")
        .takes::<api::SetPassword>(),
    operation!(users::show_sign_in_password GET "/users/{user}/sign-in-password", Own(A::GetLoginProfile), "Show whether a user has a sign-in password; one's own without any grant.").gives::<api::SignInPassword>(),
    operation!(users::delete_sign_in_password DELETE "/users/{user}/sign-in-password", Act(A::DeleteLoginProfile), "Delete a user's sign-in password."),

    operation!(credentials::create_credential POST "/credentials", Needs::Also(A::CreateAccessCredential, A::GetIntegration, "to make it for an integration"), "Create an access credential; its secret is shown this once.")
        .takes::<api::CreateCredential>().creates::<api::CreatedCredential>(),
    operation!(credentials::list_credentials GET "/credentials", Needs::Also(A::ListAccessCredential, A::GetIntegration, "to list those of an integration; one's own without any grant"), "List the credentials of every kind that a user, a service account or a role holds, or those in the account that end soon, that nobody uses, or of an integration.")
        .query::<api::CredentialQuery>().lists::<api::Credential>(),
    operation!(credentials::show_credential GET "/credentials/{credential}", Own(A::ListAccessCredential), "Show a credential of any kind, without its secret; one's own without any grant.")
        .gives::<api::Credential>(),
    operation!(credentials::update_credential PATCH "/credentials/{credential}", Own(A::UpdateAccessCredential), "Enable or disable a credential; disable one's own without any grant.")
        .takes::<api::UpdateEnabled>().gives::<api::Credential>(),
    operation!(credentials::delete_credential DELETE "/credentials/{credential}", Own(A::DeleteAccessCredential), "Delete a credential; one's own without any grant.").query::<api::DeleteCredential>(),
    operation!(credentials::rotate_credential POST "/credentials/{credential}/rotations", Needs::Also(A::CreateAccessCredential, A::UpdateAccessCredential, "to end another user's"), "Give an access credential a successor; the old one lives on for the overlap. The new secret is shown this once.")
        .takes::<api::Rotate>().creates::<api::RotatedCredential>(),
    operation!(secret_lookups::look_up_secrets POST "/secret-lookups", Act(A::IdentifySecret), "Ask whose secrets these are that were found somewhere.")
        .takes::<api::LookUpSecrets>().lists::<api::SecretOwner>(),
    operation!(credentials::create_login_token POST "/login-tokens", Act(A::GetAuthorizationToken), "Make a temporary password for oneself; it is shown this once.")
        .takes::<api::CreateLoginToken>().creates::<api::CreatedLoginToken>(),

    operation!(access_keys::create_access_key POST "/access-keys", Act(A::CreateAccessKey), "Create an access key; its secret is shown this once.")
        .takes::<api::CreateAccessKey>().creates::<api::CreatedAccessKey>(),
    operation!(access_keys::list_access_keys GET "/access-keys", Own(A::ListAccessKeys), "List a user's access keys; one's own without any grant.")
        .query::<api::OwnerQuery>().lists::<api::AccessKey>(),
    operation!(access_keys::update_access_key PATCH "/access-keys/{access_key}", Own(A::UpdateAccessKey), "Enable or disable an access key; disable one's own without any grant.")
        .takes::<api::UpdateEnabled>().gives::<api::AccessKey>(),
    operation!(access_keys::delete_access_key DELETE "/access-keys/{access_key}", Own(A::DeleteAccessKey), "Delete an access key; one's own without any grant."),
    operation!(access_keys::rotate_access_key POST "/access-keys/{access_key}/rotations", Needs::Also(A::CreateAccessKey, A::UpdateAccessKey, "to end another user's"), "Give an access key a successor; the old one lives on for the overlap. The new secret is shown this once.")
        .takes::<api::Rotate>().creates::<api::RotatedAccessKey>(),

    operation!(integrations::create_integration POST "/integrations", Act(A::CreateIntegration), "Create an integration: what credentials are made for.")
        .takes::<api::CreateIntegration>().creates::<api::Integration>(),
    operation!(integrations::list_integrations GET "/integrations", Act(A::ListIntegrations), "List integrations by name.").query::<api::IntegrationQuery>().lists::<api::Integration>(),
    operation!(integrations::show_integration GET "/integrations/{integration}", Act(A::GetIntegration), "Show an integration.").gives::<api::Integration>(),
    operation!(integrations::update_integration PATCH "/integrations/{integration}", Act(A::UpdateIntegration), "Change an integration, or say that it is gone.")
        .takes::<api::UpdateIntegration>().gives::<api::Integration>(),
    operation!(integrations::delete_integration DELETE "/integrations/{integration}", Act(A::DeleteIntegration), "Delete an integration for which no credential is left."),

    operation!(policies::create_policy POST "/policies", Act(A::CreatePolicy), "Create a policy.").takes::<api::CreatePolicy>().creates::<api::Policy>(),
    operation!(policies::list_policies GET "/policies", Act(A::ListPolicies), "List policies by name; the built-in ones come first.").query::<api::Page>().lists::<api::Policy>(),
    operation!(policies::show_policy GET "/policies/{policy}", Act(A::GetPolicy), "Show a policy with its document in force.").gives::<api::PolicyDocument>(),
    operation!(policies::update_policy PATCH "/policies/{policy}", Act(A::UpdatePolicyDescription), "Say what a policy is for.").takes::<api::UpdatePolicy>().gives::<api::Policy>(),
    operation!(policies::list_policy_holders GET "/policies/{policy}/holders", Act(A::ListEntitiesForPolicy), "List whom a policy is attached to.").query::<api::Page>().lists::<api::PolicyHolder>(),
    operation!(policies::delete_policy DELETE "/policies/{policy}", Act(A::DeletePolicy), "Delete a policy that is attached to nobody."),
    operation!(policies::create_policy_version POST "/policies/{policy}/versions", Act(A::CreatePolicyVersion), "Give a policy a new document.")
        .takes::<api::CreatePolicyVersion>().creates::<api::PolicyVersion>(),
    operation!(policies::list_policy_versions GET "/policies/{policy}/versions", Act(A::ListPolicyVersions), "List a policy's versions.").lists::<api::PolicyVersion>(),
    operation!(policies::show_policy_version GET "/policies/{policy}/versions/{version}", Act(A::GetPolicyVersion), "Show one version of a policy.").gives::<api::PolicyVersion>(),
    operation!(policies::delete_policy_version DELETE "/policies/{policy}/versions/{version}", Act(A::DeletePolicyVersion), "Delete a version that is not in force."),
    operation!(policies::set_default_policy_version PUT "/policies/{policy}/default-version", Act(A::SetDefaultPolicyVersion), "Choose the version that is in force.")
        .takes::<api::SetDefaultVersion>(),
    operation!(policies::attach_policy PUT "/users/{user}/policies/{policy}", Act(A::AttachPolicyToUser), "Attach a policy to a user."),
    operation!(policies::detach_policy DELETE "/users/{user}/policies/{policy}", Act(A::DetachPolicyFromUser), "Detach a policy from a user."),
    operation!(policies::list_attached_policies GET "/users/{user}/policies", Act(A::ListPoliciesForUser), "List the policies of a user.").lists::<api::AttachedPolicy>(),
    operation!(simulation::explain_policy POST "/policy-explanations", Act(A::SimulatePolicy), "Explain whether somebody may do something, and which statement says so.")
        .takes::<api::ExplainPolicy>().gives::<api::Explanation>(),
    operation!(simulation::simulate_policies POST "/policy-simulations", Act(A::SimulatePolicy), "Explain up to 1000 requests, as things stand or with a document that is not stored.")
        .takes::<api::SimulatePolicies>().lists::<api::Explanation>(),
    operation!(simulation::list_permitted_principals GET "/permitted-principals", Act(A::ListPermittedPrincipals), "List who may do something, and which statement says so; a page looks at so many principals.")
        .query::<api::PermittedQuery>().lists::<api::PermittedPrincipal>(),
    operation!(guards::list_guard_policies GET "/guard-policies", Act(A::ListGuardPolicies), "List the policies that bound everybody in the account but its root user.").lists::<api::AttachedPolicy>(),
    operation!(guards::attach_guard_policy PUT "/guard-policies/{policy}", Act(A::AttachGuardPolicy), "Bound everybody in the account by a policy."),
    operation!(guards::detach_guard_policy DELETE "/guard-policies/{policy}", Act(A::DetachGuardPolicy), "Take such a bound away."),
    operation!(resource_policies::show_namespace_policy GET "/instances/{instance}/namespace-policies/{namespace}", Act(A::GetNamespacePolicy), "Show who else may use a namespace.").gives::<api::ResourcePolicy>(),
    operation!(resource_policies::set_namespace_policy PUT "/instances/{instance}/namespace-policies/{namespace}", Act(A::SetNamespacePolicy), "Say who else may use a namespace.")
        .takes::<api::SetResourcePolicy>().gives::<api::ResourcePolicy>(),
    operation!(resource_policies::delete_namespace_policy DELETE "/instances/{instance}/namespace-policies/{namespace}", Act(A::DeleteNamespacePolicy), "Delete a namespace's own policy."),
    operation!(resource_policies::show_repository_policy GET "/instances/{instance}/repository-policies/{*repository}", Act(A::GetRepositoryPolicy), "Show who else may use a repository.").gives::<api::ResourcePolicy>(),
    operation!(resource_policies::set_repository_policy PUT "/instances/{instance}/repository-policies/{*repository}", Act(A::SetRepositoryPolicy), "Say who else may use a repository.")
        .takes::<api::SetResourcePolicy>().gives::<api::ResourcePolicy>(),
    operation!(resource_policies::delete_repository_policy DELETE "/instances/{instance}/repository-policies/{*repository}", Act(A::DeleteRepositoryPolicy), "Delete a repository's own policy."),

    operation!(groups::create_group POST "/groups", Act(A::CreateGroup), "Create a group.").takes::<api::CreateGroup>().creates::<api::Group>(),
    operation!(groups::list_groups GET "/groups", Act(A::ListGroups), "List groups by name.").query::<api::Page>().lists::<api::Group>(),
    operation!(groups::show_group GET "/groups/{group}", Act(A::GetGroup), "Show a group.").gives::<api::Group>(),
    operation!(groups::update_group PATCH "/groups/{group}", Act(A::UpdateGroup), "Rename a group, or say what it is for.").takes::<api::UpdateGroup>().gives::<api::Group>(),
    operation!(groups::delete_group DELETE "/groups/{group}", Act(A::DeleteGroup), "Delete a group; its users stay, without what they had through it."),
    operation!(groups::list_group_users GET "/groups/{group}/users", Act(A::ListUsersForGroup), "List a group's users by name.").query::<api::Page>().lists::<api::User>(),
    operation!(groups::add_user_to_group PUT "/groups/{group}/users/{user}", Act(A::AddUserToGroup), "Take a user into a group."),
    operation!(groups::remove_user_from_group DELETE "/groups/{group}/users/{user}", Act(A::RemoveUserFromGroup), "Take a user out of a group."),
    operation!(groups::list_user_groups GET "/users/{user}/groups", Own(A::ListGroupsForUser), "List the groups of a user; one's own without any grant.").lists::<api::Group>(),
    operation!(policies::attach_policy_to_group PUT "/groups/{group}/policies/{policy}", Act(A::AttachPolicyToGroup), "Attach a policy to a group."),
    operation!(policies::detach_policy_from_group DELETE "/groups/{group}/policies/{policy}", Act(A::DetachPolicyFromGroup), "Detach a policy from a group."),
    operation!(policies::list_group_policies GET "/groups/{group}/policies", Act(A::ListPoliciesForGroup), "List the policies of a group.").lists::<api::AttachedPolicy>(),

    operation!(service_accounts::create_service_account POST "/service-accounts", Needs::Also(A::CreateServiceAccount, A::AttachPolicyToServiceAccount, "to give it policies"), "Create a service account with its first secret, which is shown this once.")
        .takes::<api::CreateServiceAccount>().creates::<api::CreatedServiceAccount>(),
    operation!(service_accounts::list_service_accounts GET "/service-accounts", Act(A::ListServiceAccounts), "List service accounts by name.").query::<api::Page>().lists::<api::ServiceAccount>(),
    operation!(service_accounts::show_service_account GET "/service-accounts/{service_account}", Act(A::GetServiceAccount), "Show a service account, by name or client id.").gives::<api::ServiceAccount>(),
    operation!(service_accounts::update_service_account PATCH "/service-accounts/{service_account}", Act(A::UpdateServiceAccount), "Describe, enable or disable a service account, say when it ends.")
        .takes::<api::UpdateServiceAccount>().gives::<api::ServiceAccount>(),
    operation!(service_accounts::delete_service_account DELETE "/service-accounts/{service_account}", Act(A::DeleteServiceAccount), "Delete a service account with all its secrets."),
    operation!(service_accounts::create_client_secret POST "/service-accounts/{service_account}/secrets", Needs::Also(A::CreateClientSecret, A::GetIntegration, "to make it for an integration"), "Create a further secret, which is shown this once; at most five live side by side.")
        .takes::<api::CreateClientSecret>().creates::<api::CreatedCredential>(),
    operation!(service_accounts::list_client_secrets GET "/service-accounts/{service_account}/secrets", Own(A::ListClientSecrets), "List a service account's secrets; one's own without any grant.").lists::<api::Credential>(),
    operation!(service_accounts::update_client_secret PATCH "/service-accounts/{service_account}/secrets/{credential}", Own(A::UpdateClientSecret), "Enable or disable a secret; disable one's own without any grant.")
        .takes::<api::UpdateEnabled>().gives::<api::Credential>(),
    operation!(service_accounts::delete_client_secret DELETE "/service-accounts/{service_account}/secrets/{credential}", Own(A::DeleteClientSecret), "Delete a secret; one's own without any grant.").query::<api::DeleteCredential>(),
    operation!(service_accounts::rotate_client_secret POST "/service-accounts/{service_account}/secrets/{credential}/rotations", Needs::Also(A::CreateClientSecret, A::UpdateClientSecret, "to end another's"), "Give a service account's secret a successor; the old one lives on for the overlap. The new secret is shown this once.")
        .takes::<api::Rotate>().creates::<api::RotatedCredential>(),
    operation!(policies::attach_policy_to_service_account PUT "/service-accounts/{service_account}/policies/{policy}", Act(A::AttachPolicyToServiceAccount), "Attach a policy to a service account."),
    operation!(policies::detach_policy_from_service_account DELETE "/service-accounts/{service_account}/policies/{policy}", Act(A::DetachPolicyFromServiceAccount), "Detach a policy from a service account."),
    operation!(policies::list_service_account_policies GET "/service-accounts/{service_account}/policies", Act(A::ListPoliciesForServiceAccount), "List the policies of a service account.").lists::<api::AttachedPolicy>(),

    operation!(roles::create_role POST "/roles", Act(A::CreateRole), "Create a role; it holds nothing until a policy is attached.").takes::<api::CreateRole>().creates::<api::Role>(),
    operation!(roles::list_roles GET "/roles", Act(A::ListRoles), "List roles by name.").query::<api::Page>().lists::<api::Role>(),
    operation!(roles::show_role GET "/roles/{role}", Act(A::GetRole), "Show a role and who may assume it.").gives::<api::Role>(),
    operation!(roles::update_role PATCH "/roles/{role}", Act(A::UpdateRole), "Say who may assume a role and for how long; enable or disable it.").takes::<api::UpdateRole>().gives::<api::Role>(),
    operation!(roles::delete_role DELETE "/roles/{role}", Act(A::DeleteRole), "Delete a role; its sessions end."),
    operation!(roles::end_sessions DELETE "/roles/{role}/sessions", Act(A::UpdateRole), "End all sessions of a role.").gives::<api::EndedSessions>(),
    operation!(roles::assume_role POST "/roles/{role}/sessions", Act(A::AssumeRole), "Assume a role, if it trusts one; the session's key is shown this once.")
        .takes::<api::AssumeRole>().creates::<api::Session>(),
    operation!(policies::attach_policy_to_role PUT "/roles/{role}/policies/{policy}", Act(A::AttachPolicyToRole), "Attach a policy to a role."),
    operation!(policies::detach_policy_from_role DELETE "/roles/{role}/policies/{policy}", Act(A::DetachPolicyFromRole), "Detach a policy from a role."),
    operation!(policies::list_role_policies GET "/roles/{role}/policies", Act(A::ListPoliciesForRole), "List the policies of a role.").lists::<api::AttachedPolicy>(),

    operation!(federation::create_oidc_provider POST "/oidc-providers", Act(A::CreateOIDCProvider), "Name an issuer that roles and service accounts may trust.")
        .takes::<api::CreateProvider>().creates::<api::Provider>(),
    operation!(federation::list_oidc_providers GET "/oidc-providers", Act(A::ListOIDCProviders), "List OIDC providers by name.").query::<api::Page>().lists::<api::Provider>(),
    operation!(federation::show_oidc_provider GET "/oidc-providers/{provider}", Act(A::GetOIDCProvider), "Show an OIDC provider.").gives::<api::Provider>(),
    operation!(federation::check_oidc_provider POST "/oidc-providers/{provider}/checks", Act(A::GetOIDCProvider), "Ask an issuer for its keys now, and say how that went.").gives::<api::ProviderCheck>(),
    operation!(federation::update_oidc_provider PATCH "/oidc-providers/{provider}", Act(A::UpdateOIDCProvider), "Change, enable or disable an OIDC provider.")
        .takes::<api::UpdateProvider>().gives::<api::Provider>(),
    operation!(federation::delete_oidc_provider DELETE "/oidc-providers/{provider}", Act(A::DeleteOIDCProvider), "Delete an OIDC provider with the federated credentials of its issuer."),
    operation!(federation::create_federated_credential POST "/service-accounts/{service_account}/federated-credentials", Needs::Also(A::CreateFederatedCredential, A::CreateOIDCProvider, "for an issuer that no provider stands for yet"), "Let workloads of an issuer be a service account, without any secret.")
        .takes::<api::CreateFederatedCredential>().creates::<api::FederatedCredential>(),
    operation!(federation::list_federated_credentials GET "/service-accounts/{service_account}/federated-credentials", Own(A::ListFederatedCredentials), "List whom a service account trusts; one's own without any grant.").lists::<api::FederatedCredential>(),
    operation!(federation::show_federated_credential GET "/service-accounts/{service_account}/federated-credentials/{federated_credential}", Own(A::ListFederatedCredentials), "Show a federated credential; one's own without any grant.")
        .gives::<api::FederatedCredential>(),
    operation!(federation::update_federated_credential PATCH "/service-accounts/{service_account}/federated-credentials/{federated_credential}", Act(A::UpdateFederatedCredential), "Change, enable or disable a federated credential.")
        .takes::<api::UpdateFederatedCredential>().gives::<api::FederatedCredential>(),
    operation!(federation::delete_federated_credential DELETE "/service-accounts/{service_account}/federated-credentials/{federated_credential}", Act(A::DeleteFederatedCredential), "Delete a federated credential; every token made from it ends."),
    operation!(federation::assume_role_with_oidc POST "/oidc-sessions", Needs::Nothing("the issuer's token shows who asks"), "Assume a role with a token of an issuer that it trusts; the session's key is shown this once.")
        .takes::<api::AssumeRoleWithOidc>().creates::<api::Session>(),

    operation!(labels::list_labels GET "/labels", Act(A::ListTagResources), "List labels and what carries them.").query::<api::LabelQuery>().lists::<api::Labelled>(),
    operation!(labels::label_user PATCH "/users/{user}/labels", Act(A::UpdateUser), "Set labels of a user, and take labels away.").takes::<api::UpdateLabels>(),
    operation!(labels::label_group PATCH "/groups/{group}/labels", Act(A::UpdateGroup), "Set labels of a group, and take labels away.").takes::<api::UpdateLabels>(),
    operation!(labels::label_service_account PATCH "/service-accounts/{service_account}/labels", Act(A::UpdateServiceAccount), "Set labels of a service account, and take labels away.").takes::<api::UpdateLabels>(),
    operation!(labels::label_role PATCH "/roles/{role}/labels", Act(A::UpdateRole), "Set labels of a role, and take labels away.").takes::<api::UpdateLabels>(),
    operation!(labels::label_policy PATCH "/policies/{policy}/labels", Act(A::CreatePolicyVersion), "Set labels of a policy, and take labels away.").takes::<api::UpdateLabels>(),
    operation!(labels::label_oidc_provider PATCH "/oidc-providers/{provider}/labels", Act(A::UpdateOIDCProvider), "Set labels of an OIDC provider, and take labels away.").takes::<api::UpdateLabels>(),
    operation!(labels::label_instance PATCH "/instances/{instance}/labels", Act(A::UpdateInstance), "Set labels of an instance, and take labels away.").takes::<api::UpdateLabels>(),
    operation!(labels::label_namespace PATCH "/instances/{instance}/namespaces/{namespace}/labels", Act(A::UpdateNamespace), "Set labels of a namespace, and take labels away.").takes::<api::UpdateLabels>(),

    operation!(instances::create_instance POST "/instances", Act(A::CreateInstance), "Create an instance.").takes::<api::CreateInstance>().creates::<api::Instance>(),
    operation!(instances::list_instances GET "/instances", Act(A::ListInstance), "List instances by name.").lists::<api::Instance>(),
    operation!(instances::show_instance GET "/instances/{instance}", Act(A::GetInstance), "Show an instance.").gives::<api::Instance>(),
    operation!(instances::show_instance_usage GET "/instances/{instance}/usage", Act(A::GetInstanceUsage), "Show how many namespaces, repositories and private endpoints an instance has and may have.").gives::<api::InstanceUsage>(),
    operation!(instances::update_instance PATCH "/instances/{instance}", Needs::Also(A::UpdateInstance, A::CreateInstance, "to add a host name"), "Change an instance's settings.")
        .takes::<api::UpdateInstance>().gives::<api::Instance>(),
    operation!(instances::delete_instance DELETE "/instances/{instance}", Act(A::DeleteInstance), "Delete an empty instance."),

    operation!(endpoints::list_endpoints GET "/instances/{instance}/endpoints", Act(A::ListInstanceEndpoint), "List an instance's endpoints, the public one first.").lists::<api::Endpoint>(),
    operation!(endpoints::create_endpoint POST "/instances/{instance}/endpoints", Act(A::CreateInstanceVpcEndpointLinkedVpc), "Give a named network of the server's configuration a private endpoint.")
        .takes::<api::CreateEndpoint>().creates::<api::Endpoint>(),
    operation!(endpoints::create_endpoint_entry POST "/instances/{instance}/endpoints/public/entries", Act(A::CreateInstanceEndpointAclPolicy), "Let addresses in at the public endpoint; from then on its entries alone.")
        .takes::<api::CreateEndpointEntry>().creates::<api::EndpointEntry>(),
    operation!(endpoints::delete_endpoint_entry DELETE "/instances/{instance}/endpoints/public/entries/{*cidr}", Act(A::DeleteInstanceEndpointAclPolicy), "Let addresses in no longer; with the last entry gone, everybody gets in.")
        .query::<api::ForceQuery>(),
    operation!(endpoints::update_public_endpoint PATCH "/instances/{instance}/endpoints/public", Act(A::UpdateInstanceEndpointStatus), "Turn the public endpoint on or off, or open it to everybody.")
        .takes::<api::UpdateEndpoint>().gives::<api::Endpoint>(),
    operation!(endpoints::show_endpoint GET "/instances/{instance}/endpoints/{endpoint}", Act(A::GetInstanceEndpoint), "Show an endpoint: `public`, or a named network's.").gives::<api::Endpoint>(),
    operation!(endpoints::delete_endpoint DELETE "/instances/{instance}/endpoints/{endpoint}", Act(A::DeleteInstanceVpcEndpointLinkedVpc), "Take a named network's private endpoint away.").query::<api::ForceQuery>(),

    operation!(admin_users::show_admin_user GET "/instances/{instance}/admin-user", Act(A::GetAdminUser), "Show an instance's admin user.").gives::<api::AdminUser>(),
    operation!(admin_users::update_admin_user PATCH "/instances/{instance}/admin-user", Act(A::UpdateAdminUser), "Enable or disable an instance's admin user.")
        .takes::<api::UpdateEnabled>().gives::<api::AdminUser>(),
    operation!(admin_users::renew_admin_password PUT "/instances/{instance}/admin-user/passwords/{number}", Act(A::UpdateAdminUser), "Put a new password in the place of one of the two; it is shown this once.")
        .gives::<api::RenewedAdminPassword>(),

    operation!(namespaces::create_namespace POST "/instances/{instance}/namespaces", Act(A::CreateNamespace), "Create a namespace.")
        .takes::<api::CreateNamespace>().creates::<api::Namespace>(),
    operation!(namespaces::list_namespaces GET "/instances/{instance}/namespaces", Act(A::ListNamespace), "List namespaces by name.").query::<api::Page>().lists::<api::Namespace>(),
    operation!(namespaces::show_namespace GET "/instances/{instance}/namespaces/{namespace}", Act(A::GetNamespace), "Show a namespace.").gives::<api::Namespace>(),
    operation!(namespaces::update_namespace PATCH "/instances/{instance}/namespaces/{namespace}", Act(A::UpdateNamespace), "Change a namespace's settings.")
        .takes::<api::UpdateNamespace>().gives::<api::Namespace>(),
    operation!(namespaces::delete_namespace DELETE "/instances/{instance}/namespaces/{namespace}", Act(A::DeleteNamespace), "Delete an empty namespace."),

    operation!(quotas::show_namespace_quota GET "/instances/{instance}/namespaces/{namespace}/quota", Act(A::GetNamespaceQuota), "Show how many bytes and repositories a namespace holds and may hold.").gives::<api::NamespaceQuota>(),
    operation!(quotas::set_namespace_quota PUT "/instances/{instance}/namespaces/{namespace}/quota", Act(A::SetNamespaceQuota), "Say how many bytes and repositories a namespace may hold; what is left out has no bound.")
        .takes::<api::SetNamespaceQuota>().gives::<api::NamespaceQuota>(),
    operation!(quotas::list_namespace_quotas GET "/instances/{instance}/quotas", Act(A::ListNamespaceQuotas), "List how many bytes and repositories an instance's namespaces hold and may hold, by name.").query::<api::Page>().lists::<api::NamespaceQuota>(),

    operation!(retention::show_retention GET "/instances/{instance}/namespaces/{namespace}/retention", Act(A::GetRetention), "Show which images a namespace keeps.").gives::<api::Retention>(),
    operation!(retention::set_retention PUT "/instances/{instance}/namespaces/{namespace}/retention", Act(A::SetRetention), "Say which images a namespace keeps; the others go by themselves.")
        .takes::<api::SetRetention>().gives::<api::Retention>(),
    operation!(retention::run_retention POST "/instances/{instance}/namespaces/{namespace}/retention-runs", Act(A::RunRetention), "Delete now what a namespace's rules do not keep, or say what that would be.")
        .takes::<api::RunRetention>().gives::<api::RetentionRun>(),

    operation!(repositories::create_repository POST "/instances/{instance}/repositories", Act(A::CreateRepository), "Create a repository.")
        .takes::<api::CreateRepository>().creates::<api::Repository>(),
    operation!(repositories::list_repositories GET "/instances/{instance}/repositories", Act(A::ListRepository), "List a namespace's repositories by name.")
        .query::<api::RepositoryQuery>().lists::<api::Repository>(),
    operation!(repositories::show_repository GET "/instances/{instance}/repositories/{*repository}", Act(A::GetRepository), "Show a repository.").gives::<api::Repository>(),
    operation!(repositories::update_repository PATCH "/instances/{instance}/repositories/{*repository}", Act(A::UpdateRepository), "Change a repository's settings.")
        .takes::<api::UpdateRepository>().gives::<api::Repository>(),
    operation!(repositories::delete_repository DELETE "/instances/{instance}/repositories/{*repository}", Act(A::DeleteRepository), "Delete a repository with everything in it."),

    operation!(tags::create_tag POST "/instances/{instance}/tags", Act(A::CreateRepositoryTag), "Point a new tag at a manifest that is there, or at what another tag points at.").takes::<api::CreateTag>().creates::<api::Tag>(),
    operation!(tags::list_tags GET "/instances/{instance}/tags", Act(A::ListRepositoryTag), "List a repository's tags by name.").query::<api::TagQuery>().lists::<api::Tag>(),
    operation!(tags::show_tag GET "/instances/{instance}/tags/{*tag}", Act(A::ListRepositoryTag), "Show a tag: the repository's name, a slash and the tag.").gives::<api::Tag>(),
    operation!(tags::update_tag PATCH "/instances/{instance}/tags/{*tag}", Act(A::UpdateRepositoryTag), "Point a tag at another manifest that is there.").takes::<api::UpdateTag>().gives::<api::Tag>(),
    operation!(tags::delete_tag DELETE "/instances/{instance}/tags/{*tag}", Act(A::DeleteRepositoryTag), "Delete a tag; what it points at stays."),

    operation!(protection::create_immutable_tag_rule POST "/instances/{instance}/namespaces/{namespace}/immutable-tag-rules", Act(A::CreateImmutableTagRule), "Say which tags of which of a namespace's repositories are immutable.")
        .takes::<api::CreateImmutableTagRule>().creates::<api::ImmutableTagRule>(),
    operation!(protection::list_immutable_tag_rules GET "/instances/{instance}/namespaces/{namespace}/immutable-tag-rules", Act(A::ListImmutableTagRules), "List a namespace's rules of immutable tags, oldest first.").lists::<api::ImmutableTagRule>(),
    operation!(protection::update_immutable_tag_rule PATCH "/instances/{instance}/namespaces/{namespace}/immutable-tag-rules/{rule}", Act(A::UpdateImmutableTagRule), "Change, enable or disable a rule of immutable tags.")
        .takes::<api::UpdateImmutableTagRule>().gives::<api::ImmutableTagRule>(),
    operation!(protection::delete_immutable_tag_rule DELETE "/instances/{instance}/namespaces/{namespace}/immutable-tag-rules/{rule}", Act(A::DeleteImmutableTagRule), "Delete a rule of immutable tags."),
    operation!(protection::lock_repository PATCH "/instances/{instance}/repository-locks/{*repository}", Act(A::LockRepository), "Lock a repository against reading, writing, listing or deleting, or unlock it.")
        .takes::<api::UpdateLocks>().gives::<api::Repository>(),
    operation!(protection::lock_image PATCH "/instances/{instance}/image-protections/{*image}", Act(A::LockRepository), "Lock a tag or a manifest, or unlock it: the repository's name, a slash and the tag or digest.")
        .takes::<api::UpdateLocks>().gives::<api::ImageProtection>(),
    operation!(protection::show_image_protection GET "/instances/{instance}/image-protections/{*image}", Act(A::ListRepositoryTag), "Show what a tag or a manifest is locked against, and why it cannot be deleted.").gives::<api::ImageProtection>(),
    operation!(protection::list_image_references GET "/instances/{instance}/image-references/{*image}", Act(A::ListRepositoryTag), "List what refers to a tag's manifest, a manifest or a blob in its repository: tags, manifests that are made of it, manifests whose subject it is.")
        .query::<api::Page>().lists::<api::ImageReference>(),
    operation!(protection::list_digest_holders GET "/instances/{instance}/digest-holders", Act(A::PullRepository), "List which repositories have a digest, of those that one may pull from.")
        .query::<api::DigestQuery>().lists::<api::DigestHolder>(),

    operation!(audit::list_audit_events GET "/audit-events", Act(A::ListAuditEvent), "List what happened, newest first.").query::<api::AuditQuery>().lists::<api::AuditEvent>(),
    operation!(audit::list_audit_records GET "/audit-records", Act(A::ExportAuditEvent), "Read sealed records in the order of the chain, to export or verify them.")
        .query::<api::AuditRecordQuery>().lists::<api::AuditRecord>(),
    operation!(audit::show_audit_trail GET "/audit-trail", Act(A::ListAuditEvent), "Show where the trail begins and ends, signed, and the keys that sign it.").gives::<api::AuditTrail>(),
    operation!(audit::rotate_audit_key POST "/audit-keys", Act(A::RotateAuditKey), "Begin a new key that signs the audit trail; answers all.").lists::<api::AuditKey>(),
    operation!(audit::show_audit_retention GET "/audit-retention", Act(A::GetAuditRetention), "Show how long the audit trail is kept.").gives::<api::AuditRetention>(),
    operation!(audit::set_audit_retention PUT "/audit-retention", Act(A::SetAuditRetention), "Say how many days the audit trail is kept, within the server's bounds.")
        .takes::<api::SetAuditRetention>().gives::<api::AuditRetention>(),
    operation!(audit::clear_audit_retention DELETE "/audit-retention", Act(A::SetAuditRetention), "Keep the audit trail as long as the server's setting says."),
    operation!(signing_keys::list_signing_keys GET "/signing-keys", Needs::Caller("the public halves are public: see /.well-known"), "List the keys whose signatures hold.").lists::<api::SigningKey>(),
    operation!(signing_keys::rotate_signing_key POST "/signing-keys", Act(A::RotateSigningKey), "Begin a new signing key; answers all.").lists::<api::SigningKey>(),
    operation!(nodes::list_nodes GET "/nodes", Act(A::ListNodes), "List the nodes that serve, and how they are; for the server's first account.").lists::<api::Node>(),
]);

/// The names of all operations, as log and metrics have them.
pub fn operation_names() -> impl Iterator<Item = &'static str> {
    OPERATIONS.iter().map(|operation| operation.id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Operations that need no action, each named here on purpose: whoever adds one has to come by.
    const WITHOUT_ACTION: [&str; 5] = ["create_token", "show_openapi", "whoami", "assume_role_with_oidc", "list_signing_keys"];

    /// Actions that other doors need.
    const ELSEWHERE: [Action; 6] = [
        Action::PullRepository,
        Action::PushRepository,
        Action::ReadMetrics,
        Action::CreateLoginProfile,
        Action::GetAccessKeyLastUsed,
        Action::DecodeDiagnosticMessage,
    ];

    #[test]
    fn an_operation_without_an_action_fails_unless_it_is_named() {
        let without = OPERATIONS.iter().filter(|o| matches!(o.needs, Needs::Nothing(_) | Needs::Caller(_)));
        let without: Vec<&str> = without.map(|o| o.id).collect();
        assert_eq!(without, WITHOUT_ACTION);
    }

    #[test]
    fn every_action_has_an_operation() {
        let needed: BTreeSet<Action> = OPERATIONS
            .iter()
            .flat_map(|o| match o.needs {
                Needs::Nothing(_) | Needs::Caller(_) => vec![],
                Needs::Action(one) | Needs::Own(one) => vec![one],
                Needs::Either(one, other) | Needs::Also(one, other, _) => vec![one, other],
            })
            .chain(ELSEWHERE)
            .collect();
        let missing: Vec<_> = Action::ALL.iter().filter(|a| !needed.contains(a)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn no_two_operations_share_a_name_or_a_route() {
        let names: BTreeSet<_> = OPERATIONS.iter().map(|o| o.id).collect();
        let routes: BTreeSet<_> = OPERATIONS.iter().map(|o| (o.method.as_str(), o.path)).collect();
        assert_eq!((names.len(), routes.len()), (OPERATIONS.len(), OPERATIONS.len()));
    }
}
