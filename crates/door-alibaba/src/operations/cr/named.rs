//! What requests name: by name, there or not, or by an id that leads to a name.

use std::sync::Arc;

use access::{Permit, Refusal};
use http::StatusCode;
use model::{ActionKind, NamespaceId, NamespaceName, OnInstance, OnNamespace, OnRepository, RepositoryId, RepositoryName};
use registry::RegistryError;
use store::instance::Instance;

use crate::call::Call;
use crate::errors::{Failure, Fault, Problem};

/// What is there, is.
pub(super) const NORMAL: &str = "NORMAL";
/// Whose rights are asked for where an id leads nowhere.
pub(super) const NOT_THERE: &str = "not-there";

/// A namespace or a repository of a request.
pub(super) enum Target<On> {
    /// Rights are asked of a name whether it is there or not.
    Name(On),
    /// An id leads to what is `found`, or nowhere; both answer alike to whoever may not, and tell no name.
    Id { found: Option<On>, absent: On },
}

impl<On> Target<On> {
    /// A permit. `there`: the instance, once it is settled that the caller may know of it; `unknown`: the code for an id that
    /// leads nowhere.
    pub(super) async fn admit<A: ActionKind<On = On>>(
        self,
        call: &Call,
        there: Result<Instance, Failure>,
        unknown: &'static str,
    ) -> Result<Permit<A>, Failure> {
        let absent = match self {
            Self::Name(on) => {
                let permit = call.admit::<A>(on).await?;
                there?;
                return Ok(permit);
            }
            Self::Id { found: None, absent } => absent,
            Self::Id { found: Some(on), absent } => match call.admit::<A>(on).await {
                Err(Failure::Refused(Refusal::Denied { .. })) => absent,
                answer => return answer,
            },
        };
        call.admit::<A>(absent).await?;
        there?;
        Err(Problem::business(unknown, "There is nothing of this id.").into())
    }
}

/// The repository of a request: by `RepoId`, or by the names of its namespace and itself. `there`: is the instance?
pub(super) async fn repository(call: &Call, instance: &Arc<OnInstance>, there: bool) -> Result<Target<OnRepository>, Failure> {
    match call.optional("RepoId") {
        Some(text) => by_id(call, instance, text, there).await,
        None => match (call.optional("RepoNamespaceName"), call.optional("RepoName")) {
            (Some(namespace), Some(name)) => Ok(Target::Name(on(instance, namespace, name)?)),
            (Some(_), None) => Err(Problem::missing("RepoName").into()),
            (None, Some(_)) => Err(Problem::missing("RepoNamespaceName").into()),
            (None, None) => Err(Problem::missing("RepoId").into()),
        },
    }
}

async fn by_id(call: &Call, instance: &Arc<OnInstance>, text: &str, there: bool) -> Result<Target<OnRepository>, Failure> {
    let absent = on(instance, NOT_THERE, NOT_THERE)?;
    // What another account's instance holds is not looked at.
    let Some(id) = text.parse::<RepositoryId>().ok().filter(|_| there) else { return Ok(Target::Id { found: None, absent }) };
    match call.registry().repository_of(instance, id).await {
        Ok(found) => Ok(Target::Id { found: Some(found), absent }),
        Err(RegistryError::NameUnknown) => Ok(Target::Id { found: None, absent }),
        Err(error) => Err(error.into()),
    }
}

/// The namespace that an id leads to; none: it is no id. `there`: is the instance?
pub(super) async fn namespace_by_id(
    call: &Call,
    instance: &Arc<OnInstance>,
    id: Option<NamespaceId>,
    there: bool,
) -> Result<Target<OnNamespace>, Failure> {
    let absent = OnNamespace { instance: Arc::clone(instance), name: namespace_name("NamespaceName", NOT_THERE)? };
    // What another account's instance holds is not looked at.
    let Some(id) = id.filter(|_| there) else { return Ok(Target::Id { found: None, absent }) };
    match call.registry().namespace_of(instance, id).await {
        Ok(found) => Ok(Target::Id { found: Some(found), absent }),
        Err(RegistryError::NameUnknown) => Ok(Target::Id { found: None, absent }),
        Err(error) => Err(error.into()),
    }
}

/// A repository by the names of its namespace and itself.
pub(super) fn on(instance: &Arc<OnInstance>, namespace: &str, name: &str) -> Result<OnRepository, Problem> {
    Ok(OnRepository { instance: Arc::clone(instance), name: whole(&namespace_name("RepoNamespaceName", namespace)?, name)? })
}

/// A namespace's name.
pub(super) fn namespace_name(parameter: &'static str, text: &str) -> Result<NamespaceName, Problem> {
    NamespaceName::parse(text).map_err(|error| Problem::invalid(parameter, Fault::Format, error.rule))
}

/// The whole name of a repository. One in the root namespace (`_`) has one segment.
pub(super) fn whole(namespace: &NamespaceName, name: &str) -> Result<RepositoryName, Problem> {
    let whole = if namespace.is_root() { name.to_owned() } else { format!("{namespace}/{name}") };
    let parsed = RepositoryName::parse(&whole).map_err(|error| Problem::invalid("RepoName", Fault::Format, error.rule))?;
    if parsed.namespace() == *namespace {
        Ok(parsed)
    } else {
        Err(Problem::invalid("RepoName", Fault::Format, "one segment in namespace _"))
    }
}

/// What the product has and this server does not do.
pub(super) fn not_supported(what: &str) -> Problem {
    let problem = Problem::business("NOT_SUPPORTED", format!("{what} is not supported by this server."));
    Problem { status: StatusCode::BAD_REQUEST, ..problem }
}
