//! One call of an operation: what a handler parses from and asks for permits with.

use access::{Filter, Permit, Refusal};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use identity::Identity;
use kit::Host;
use model::{Action, ActionKind, Caller, Known, OnAccount, OnInstance, OnPrincipal, Op, PrincipalKind};
use registry::Registry;
use serde::de::DeserializeOwned;
use store::instance::Instance;
use trail::Trail;

use crate::Manage;
use crate::errors::Problem;
use crate::operations::Operation;

/// In place of an instance: the one that the host name chooses. No instance can be named so.
const HERE: &str = "-";

/// One call, after its caller was authenticated.
pub(crate) struct Call {
    pub(crate) door: Manage,
    pub(crate) op: Op,
    pub(crate) host: Host,
    pub(crate) head: Parts,
    pub(crate) body: Bytes,
    pub(crate) operation: &'static Operation,
    pub(crate) captures: Vec<String>,
    pub(crate) caller: Caller,
}

impl Call {
    pub(crate) fn identity(&self) -> &Identity {
        &self.door.identity
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.door.registry
    }

    pub(crate) fn trail(&self) -> &Trail {
        &self.door.trail
    }

    /// Who calls. (An operation that needs nobody does not ask.)
    pub(crate) fn known(&self) -> Result<&Known, Problem> {
        self.caller.known().ok_or_else(|| Refusal::Unauthenticated.into())
    }

    pub(crate) fn account(&self) -> Result<OnAccount, Problem> {
        Ok(OnAccount(self.known()?.account))
    }

    /// What the path's placeholder number `index` stands for.
    pub(crate) fn path(&self, index: usize) -> &str {
        self.captures.get(index).map_or("", String::as_str)
    }

    /// The path below `/api/v1`.
    pub(crate) fn own_path(&self) -> &str {
        let path = self.head.uri.path();
        path.strip_prefix(api::BASE).unwrap_or(path)
    }

    pub(crate) fn raw_query(&self) -> &str {
        self.head.uri.query().unwrap_or_default()
    }

    /// The query string as a shape: unknown and repeated parameters are refused.
    pub(crate) fn query<Q: DeserializeOwned>(&self) -> Result<Q, Problem> {
        serde_urlencoded::from_str(self.raw_query()).map_err(|e| shape_problem(&e.to_string(), "the query string"))
    }

    /// The body as a shape: it must be JSON and say so; unknown and repeated fields are refused.
    pub(crate) fn json<B: DeserializeOwned>(&self) -> Result<B, Problem> {
        if !self.is_typed("application/json") {
            return Err(Problem::new(
                http::StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "send JSON, with Content-Type: application/json",
            ));
        }
        serde_json::from_slice(&self.body).map_err(|e| match e.classify() {
            serde_json::error::Category::Data => shape_problem(&e.to_string(), "the body"),
            _ => Problem::malformed(format!("the body is not JSON: line {}, column {}", e.line(), e.column())),
        })
    }

    pub(crate) fn is_typed(&self, wanted: &str) -> bool {
        let said = self.head.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        said.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case(wanted))
    }

    /// A permit for the operation's action. Only for what lists or creates: what is there already may have to be hidden.
    pub(crate) async fn admit<A: ActionKind>(&self, on: A::On) -> Result<Permit<A>, Problem> {
        self.declared(A::ACTION)?;
        Ok(self.identity().access().admit(&self.op, &self.caller, on).await?)
    }

    /// A permit for the operation's action on something that whoever may not `see` it must not learn of.
    pub(crate) async fn admit_or_hide<A: ActionKind>(&self, on: A::On, see: Action) -> Result<Permit<A>, Problem> {
        self.declared(A::ACTION)?;
        Ok(self.identity().access().admit_or_hide(&self.op, &self.caller, on, see).await?)
    }

    /// The same, for what everybody may do to themselves.
    pub(crate) async fn admit_own_or_hide<A: ActionKind<On = OnPrincipal>>(
        &self,
        on: OnPrincipal,
        see: Action,
    ) -> Result<Permit<A>, Problem> {
        self.declared(A::ACTION)?;
        let own = self.caller.known().is_some_and(|k| Some(k.principal) == on.id);
        let access = self.identity().access();
        let permit = if own {
            access.admit_own(&self.op, &self.caller, on).await
        } else {
            access.admit_or_hide(&self.op, &self.caller, on, see).await
        };
        Ok(permit?)
    }

    /// Which repositories of an instance the caller may do the operation's action to.
    pub(crate) async fn visible(&self, action: Action, on: &std::sync::Arc<OnInstance>) -> Result<Filter, Problem> {
        self.declared(action)?;
        Ok(self.identity().access().visible(&self.op, &self.caller, action, on).await?)
    }

    /// An operation acts under the action that its line in the table names, and under no other.
    fn declared(&self, action: Action) -> Result<(), Problem> {
        if self.operation.needs.names(action) { Ok(()) } else { Err(Problem::internal(&Undeclared(action))) }
    }

    /// The instance of the path's first placeholder.
    pub(crate) async fn instance(&self) -> Result<Instance, Problem> {
        self.instance_named(Some(self.path(0))).await
    }

    /// The same, as what actions are done to.
    pub(crate) async fn on_instance(&self) -> Result<std::sync::Arc<OnInstance>, Problem> {
        Ok(self.instance().await?.on)
    }

    /// An instance by name or id; without either, the one that the host name chooses, or else the account's own first.
    pub(crate) async fn instance_named(&self, text: Option<&str>) -> Result<Instance, Problem> {
        match text {
            Some(text) if text != HERE => Ok(self.identity().instance(&self.caller, text).await?),
            _ => Ok(self.identity().instance_here(&self.caller, &self.host.name()).await?),
        }
    }

    /// A principal of this kind, by name or numeric id.
    pub(crate) async fn principal(&self, kind: PrincipalKind, text: &str) -> Result<OnPrincipal, Problem> {
        Ok(self.identity().principal(&self.caller, kind, text).await?)
    }

    /// A user by name or numeric id; without either, the caller.
    pub(crate) async fn user(&self, text: Option<&str>) -> Result<OnPrincipal, Problem> {
        Ok(match text {
            Some(text) => self.principal(PrincipalKind::User, text).await?,
            None => Identity::oneself(&self.caller)?,
        })
    }
}

/// A handler asked for a permit that its operation does not declare: a defect.
#[derive(Debug)]
struct Undeclared(Action);

impl std::fmt::Display for Undeclared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is not declared for this operation", self.0.as_str())
    }
}

impl std::error::Error for Undeclared {}

/// Says which field is wrong. Of the parser's own words only the field's name goes out: the rest could repeat a secret.
fn shape_problem(message: &str, place: &str) -> Problem {
    let said = ["unknown field", "missing field", "duplicate field", "unknown variant"].into_iter().find(|s| message.starts_with(s));
    let field: Option<String> = message.split('`').nth(1).map(|f| f.chars().filter(|c| !c.is_control()).take(64).collect());
    match (said, field) {
        (Some("unknown variant") | None, _) | (_, None) => {
            Problem::malformed(format!("{place} has a value of the wrong type or out of range"))
        }
        (Some(said), Some(field)) => Problem::invalid(&field, said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> (Option<String>, String) {
        let problem = shape_problem(&serde_json::from_str::<T>(text).unwrap_err().to_string(), "the body");
        (problem.field, problem.message)
    }

    #[test]
    fn a_field_that_is_not_offered_is_named_and_refused() {
        // CVE-2019-16097: whoever creates a user must not be able to set what is not offered.
        let (field, message) = problem::<api::CreateUser>(r#"{"name":"a","is_root":true}"#);
        assert_eq!((field.as_deref(), &*message), (Some("is_root"), "is_root: unknown field"));
    }

    #[test]
    fn a_value_is_never_repeated() {
        for text in [r#"{"kind":"permanent","password":12345678}"#, r#"{"kind":"12345678","password":"x"}"#] {
            let (_, message) = problem::<api::SetPassword>(text);
            assert!(!message.contains("12345678"), "{message}");
        }
    }
}
