//! What cr says: business outcomes in UPPER_SNAKE with HTTP 200, everything else as the gateway spells it.

use identity::IdentityError;
use registry::{Protection, RegistryError};

use super::{Fault, Problem, store, unbelieved};

/// A use case of identity that was not done.
pub(super) fn identity(error: IdentityError) -> Problem {
    let message = format!("{error}.");
    match error {
        IdentityError::NotFound("instance") => Problem::business("INSTANCE_NOT_EXIST", "The instance does not exist."),
        IdentityError::NotFound("entry" | "private endpoint") => Problem::business("INSTANCE_ACCESS_NOT_EXIST", message),
        IdentityError::NotFound(_) => Problem::business("RESOURCE_NOT_EXIST", message),
        IdentityError::Taken { .. } => Problem::business("RESOURCE_ALREADY_EXIST", message),
        IdentityError::Limit { .. } => Problem::business("QUOTA_EXCEEDED", message),
        IdentityError::NeedsForce(problem) => Problem::business("OPERATION_DENIED", format!("{problem}.")),
        IdentityError::InUse(_) | IdentityError::Holds(_) | IdentityError::RecentlyUsed { .. } => {
            Problem::business("RESOURCE_IN_USE", message)
        }
        IdentityError::Invalid { field, problem } => Problem::invalid(parameter(field), Fault::Format, problem),
        IdentityError::Refused(refusal) => super::refused(&refusal),
        IdentityError::Disabled => Problem::no_permission(message),
        IdentityError::Unbelieved(error) => unbelieved(&error),
        IdentityError::Busy => Problem::unavailable(),
        IdentityError::Store(error) => store(&error),
        IdentityError::Sealing => Problem::internal(&error),
    }
}

/// The parameter that holds a use case's field.
fn parameter(field: &'static str) -> &'static str {
    match field {
        "password" => "Password",
        "cidr" => "Entry",
        "name" => "Name",
        "network" => "VpcId",
        "region" => "RegionId",
        other => other,
    }
}

/// A use case of the registry that was not done. Handlers that know what was looked for say it themselves.
pub(super) fn registry(error: &RegistryError) -> Problem {
    let message = format!("{error}.");
    match error {
        RegistryError::NamespaceUnknown(_) => Problem::business("NAMESPACE_NOT_EXIST", message),
        RegistryError::NameUnknown | RegistryError::RepositoryUnknown(_) => Problem::business("REPO_NOT_EXIST", message),
        RegistryError::ManifestUnknown => Problem::business("TAG_NOT_EXIST", message),
        RegistryError::BlobUnknown | RegistryError::UploadUnknown => Problem::business("RESOURCE_NOT_EXIST", message),
        RegistryError::Exists => Problem::business("RESOURCE_ALREADY_EXIST", message),
        RegistryError::Limit { .. } | RegistryError::Quota { .. } | RegistryError::RepositoryQuota { .. } => {
            Problem::business("QUOTA_EXCEEDED", message)
        }
        RegistryError::Protected(Protection::Immutable { .. }) => Problem::business("TAG_IMMUTABLE", message),
        RegistryError::Protected(_) => Problem::business("OPERATION_DENIED", message),
        RegistryError::NotEmpty => Problem::business("NAMESPACE_NOT_EMPTY", message),
        RegistryError::Conflict => Problem::new(409, "OperationConflict", message),
        RegistryError::TooLarge { .. }
        | RegistryError::DigestInvalid { .. }
        | RegistryError::RangeInvalid { .. }
        | RegistryError::RangeUnsatisfiable { .. }
        | RegistryError::ManifestInvalid { .. }
        | RegistryError::RuleInvalid { .. }
        | RegistryError::ManifestBlobUnknown { .. }
        | RegistryError::Interrupted(_) => Problem::malformed(&error.to_string()),
        RegistryError::Full(_) | RegistryError::Unavailable(_) => Problem::unavailable(),
        RegistryError::Broken(_) => Problem::internal(error),
    }
}
