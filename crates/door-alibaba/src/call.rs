//! One call of an action: what a handler parses from and asks for permits with.

use std::sync::Arc;

use access::{Permit, Refusal};
use identity::{Identity, IdentityError};
use kit::Host;
use model::{Action, ActionKind, Caller, InstanceId, InstanceName, Known, OnAccount, OnInstance, OnPrincipal, Op, PrincipalKind, Region};
use registry::Registry;
use store::instance::Instance;

use crate::Alibaba;
use crate::errors::{Failure, Problem};
use crate::operations::Operation;
use crate::parameters::Parameters;

/// One call, after its caller was authenticated.
pub(crate) struct Call {
    pub(crate) door: Alibaba,
    pub(crate) op: Op,
    /// The host that the client called, and the instance whose network rules let it in.
    pub(crate) host: Host,
    pub(crate) entered: InstanceId,
    pub(crate) parameters: Parameters,
    pub(crate) operation: &'static Operation,
    pub(crate) caller: Caller,
}

/// An instance that a request names, there or not. Rights are asked of its name first, so that whoever has none gets the same answer
/// either way.
pub(crate) struct Named {
    pub(crate) on: Arc<OnInstance>,
    found: Option<Instance>,
}

impl Named {
    /// The instance, once it is settled that the caller may know of it.
    pub(crate) fn there(self) -> Result<Instance, Failure> {
        self.found.ok_or(Failure::Identity(IdentityError::NotFound("instance")))
    }
}

impl Call {
    pub(crate) fn identity(&self) -> &Identity {
        &self.door.identity
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.door.registry
    }

    /// Who calls. (An action that needs nobody does not ask.)
    pub(crate) fn known(&self) -> Result<&Known, Failure> {
        self.caller.known().ok_or(Failure::Refused(Refusal::Unauthenticated))
    }

    pub(crate) fn account(&self) -> Result<OnAccount, Failure> {
        Ok(OnAccount(self.known()?.account))
    }

    /// A parameter that must be there.
    pub(crate) fn required(&self, name: &'static str) -> Result<&str, Problem> {
        self.parameters.required(name)
    }

    /// A parameter that is not empty.
    pub(crate) fn optional(&self, name: &'static str) -> Option<&str> {
        self.parameters.optional(name)
    }

    /// A permit for the action of the operation's line.
    pub(crate) async fn admit<A: ActionKind>(&self, on: A::On) -> Result<Permit<A>, Failure> {
        self.declared(A::ACTION)?;
        Ok(self.identity().access().admit(&self.op, &self.caller, on).await?)
    }

    /// The same, for what everybody may do to themselves.
    pub(crate) async fn admit_own<A: ActionKind<On = OnPrincipal>>(&self, on: OnPrincipal) -> Result<Permit<A>, Failure> {
        self.declared(A::ACTION)?;
        Ok(self.identity().access().admit_own(&self.op, &self.caller, on).await?)
    }

    /// An operation acts under the actions that its line names, and under no other.
    fn declared(&self, action: Action) -> Result<(), Problem> {
        if self.operation.needs.names(action) {
            return Ok(());
        }
        tracing::error!(
            operation = self.operation.name,
            action = action.as_str(),
            "a handler asks for a permit that its line does not name"
        );
        Err(Problem::new(500, "InternalError", "The request processing has failed due to some unknown error."))
    }

    /// The instance of the parameter `InstanceId`: an id (`cri-…`), or its name.
    pub(crate) async fn instance(&self) -> Result<Named, Failure> {
        let text = self.required("InstanceId")?;
        match self.identity().instance(&self.caller, text).await {
            Ok(found) => Ok(Named { on: Arc::clone(&found.on), found: Some(found) }),
            Err(IdentityError::NotFound(_)) => Ok(Named { on: Arc::new(self.absent(text)?), found: None }),
            Err(error) => Err(error.into()),
        }
    }

    /// What an instance that is not there is asked rights of: in the caller's own account, whoever's id it may be.
    fn absent(&self, text: &str) -> Result<OnInstance, Failure> {
        let name = InstanceName::parse(text).or_else(|_| InstanceName::parse("not-there")).map_err(|_| Refusal::NotFound)?;
        let region = Region::parse("local").map_err(|_| Refusal::NotFound)?;
        let id = text.parse().unwrap_or(InstanceId::from_i64(0));
        Ok(OnInstance { account: self.known()?.account, id, name, region })
    }

    /// A principal of this kind by name, there or not.
    pub(crate) async fn principal(&self, kind: PrincipalKind, name: &str) -> Result<OnPrincipal, Failure> {
        Ok(self.identity().principal(&self.caller, kind, name).await?)
    }

    /// The user that a parameter names; without it, the caller.
    pub(crate) async fn user(&self, parameter: &'static str) -> Result<OnPrincipal, Failure> {
        match self.optional(parameter) {
            Some(name) => self.principal(PrincipalKind::User, name).await,
            None => Ok(Identity::oneself(&self.caller)?),
        }
    }
}
