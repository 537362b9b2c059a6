//! What ram, sts and ims say.

use identity::{Held, IdentityError};
use model::PrincipalKind;

use super::{Fault, Problem, store, unbelieved};

/// A use case of identity that was not done.
pub(super) fn identity(error: IdentityError) -> Problem {
    let message = format!("{error}.");
    match error {
        IdentityError::NotFound(noun) => Problem::new(404, format!("EntityNotExist.{}", entity(noun)), not_exist(noun)),
        IdentityError::Taken { what, .. } => Problem::new(409, format!("EntityAlreadyExists.{}", entity(what)), message),
        IdentityError::Limit { what, .. } => Problem::new(409, format!("LimitExceeded.{}", entity(what)), message),
        IdentityError::NeedsForce(problem) => Problem::new(409, "DeleteConflict", format!("{problem}.")),
        IdentityError::Holds(held) => Problem::new(409, format!("DeleteConflict.{}", conflict(held)), message),
        IdentityError::RecentlyUsed { .. } => Problem::new(409, "DeleteConflict", message),
        IdentityError::InUse(_) => Problem::new(409, "OperationConflict", message),
        IdentityError::Invalid { field: "document" | "trust_policy", problem } => {
            Problem::new(400, "MalformedPolicyDocument", format!("The policy document is malformed: {problem}."))
        }
        IdentityError::Invalid { field, problem } => Problem::invalid(parameter(field), Fault::Format, problem),
        IdentityError::Refused(refusal) => super::refused(&refusal),
        IdentityError::Disabled => Problem::new(403, "Inactive", message),
        IdentityError::Unbelieved(error) => unbelieved(&error),
        IdentityError::Busy => Problem::unavailable(),
        IdentityError::Store(error) => store(&error),
        IdentityError::Sealing => Problem::internal(&error),
    }
}

/// What has to go first, as RAM names it.
const fn conflict(held: Held) -> &'static str {
    match held {
        Held::AccessKey => "User.AccessKey",
        Held::Policy(PrincipalKind::Group) => "Group.Policy",
        Held::Policy(PrincipalKind::Role) => "Role.Policy",
        Held::Policy(_) => "User.Policy",
        Held::Group => "User.Group",
        Held::Member => "Group.User",
        Held::LoginProfile => "User.LoginProfile",
        Held::Version => "Policy.Version",
        Held::InForce => "Policy.Version.Default",
        Held::Holder(PrincipalKind::Group) => "Policy.Group",
        Held::Holder(PrincipalKind::Role) => "Policy.Role",
        Held::Holder(_) => "Policy.User",
        Held::Account => "Policy.Account",
    }
}

/// What RAM calls a noun of the use cases, singular or plural.
fn entity(noun: &str) -> &'static str {
    match noun {
        "user" | "users an account" | "user, service account or instance" => "User",
        "group" | "groups an account" => "Group",
        "groups a user" => "User.Group",
        "role" | "roles an account" => "Role",
        "policy" | "built-in policy" | "policies an account" => "Policy",
        "policy version" | "versions a policy" => "Policy.Version",
        "sign-in password" | "sign-in password of a user" => "User.LoginProfile",
        "attached policy" => "User.Policy",
        "access key" | "access keys a user" => "User.AccessKey",
        "OIDC provider" | "OIDC providers an account" => "OIDCProvider",
        "account alias" => "AccountAlias",
        _ => "Entity",
    }
}

fn not_exist(noun: &str) -> String {
    match noun {
        "access key" => "The user access key does not exist.".to_owned(),
        "sign-in password" => "The login profile does not exist.".to_owned(),
        noun => format!("The {noun} does not exist."),
    }
}

/// The parameter that holds a use case's field.
fn parameter(field: &'static str) -> &'static str {
    match field {
        "name" => "Name",
        "description" => "Description",
        "max_session" => "MaxSessionDuration",
        "duration" => "DurationSeconds",
        "session_name" => "RoleSessionName",
        "source_identity" => "SourceIdentity",
        "role" => "RoleArn",
        "issuer" => "IssuerUrl",
        "client_ids" => "ClientIds",
        "password" => "Password",
        "alias" => "AccountAlias",
        "encoded_diagnostic_message" => "EncodedDiagnosticMessage",
        other => other,
    }
}
