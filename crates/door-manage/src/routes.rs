//! From a request to its operation and back: the one place that authenticates, reads bodies and renders errors.

use access::Entered;
use http::header::ALLOW;
use http::{HeaderValue, Method, StatusCode};
use identity::{At, Presented};
use kit::{Answer, Authorization, Needs, Request, Seen, authorization, read_body};
use model::{Caller, Op};
use secrets::Plain;

use crate::Manage;
use crate::call::Call;
use crate::errors::{Problem, finish};
use crate::operations::{OPERATIONS, Operation};
use crate::path::{Captures, matches};

/// The largest body: a policy document with room to spare.
const MAX_BODY: usize = 256 * 1024;

/// What a path and a method lead to.
enum Route {
    To(&'static Operation, Captures),
    OtherMethods(Vec<&'static Method>),
    Nowhere,
}

impl Manage {
    /// Answers a request whose path begins with `/api/v1/`.
    pub async fn answer(&self, request: Request) -> Answer {
        let op = request.op.clone();
        match route(request.method(), request.path()) {
            Route::To(operation, captures) => self.run(operation, captures, request).await,
            Route::OtherMethods(methods) => other_methods(&methods, &op),
            Route::Nowhere => Problem::not_found().answer(&op),
        }
    }

    async fn run(&self, operation: &'static Operation, captures: Captures, request: Request) -> Answer {
        let op = request.op.clone();
        let mut seen = Seen { operation: Some(operation.id), principal: None };
        let answered = self.authenticated(operation, captures, request, &mut seen).await;
        let mut answer = answered.unwrap_or_else(|problem| problem.answer(&op));
        finish(&mut answer, None);
        answer.extensions_mut().insert(seen);
        answer
    }

    async fn authenticated(
        &self,
        operation: &'static Operation,
        captures: Captures,
        request: Request,
        seen: &mut Seen,
    ) -> Result<Answer, Problem> {
        let entered = self.identity.access().enter(&request.op, &request.host.name()).await?.ok_or_else(Problem::not_found)?;
        let caller = self.caller(operation, &request, &entered).await?;
        seen.principal = caller.known().map(|k| k.principal);
        let Request { op, host, head, body } = request;
        let body = read_body(body, MAX_BODY).await?;
        let call = Call { door: self.clone(), op, host, head, body, operation, captures, caller };
        (operation.handle)(call).await
    }

    async fn caller(&self, operation: &Operation, request: &Request, instance: &Entered) -> Result<Caller, Problem> {
        if matches!(operation.needs, Needs::Nothing(_)) {
            return Ok(Caller::anonymous());
        }
        let presented = presented(request)?;
        let caller = self.identity.authenticate(&request.op, presented, At::Management { instance }).await?;
        if caller.is_anonymous() {
            return Err(Problem::unauthenticated("sign in first: fetch a token at /api/v1/oauth2/token"));
        }
        Ok(caller)
    }
}

fn presented(request: &Request) -> Result<Presented, Problem> {
    let malformed = || Problem::unauthenticated("the Authorization header is malformed: send `Bearer TOKEN`");
    match authorization(request.headers()).map_err(|_| malformed())? {
        Authorization::None => Ok(Presented::Nothing),
        Authorization::Bearer(token) => Ok(Presented::Bearer(Plain::new((*token).clone()).map_err(|_| malformed())?)),
        Authorization::Basic { username, password } => {
            Ok(Presented::Basic { username, password: Plain::new((*password).clone()).map_err(|_| malformed())? })
        }
    }
}

fn route(method: &Method, path: &str) -> Route {
    let Some(path) = path.strip_prefix(api::BASE) else { return Route::Nowhere };
    let mut others = Vec::new();
    for operation in OPERATIONS.iter() {
        if let Some(captures) = matches(operation.path, path) {
            if operation.method == *method {
                return Route::To(operation, captures);
            }
            others.push(&operation.method);
        }
    }
    if others.is_empty() { Route::Nowhere } else { Route::OtherMethods(others) }
}

fn other_methods(methods: &[&'static Method], op: &Op) -> Answer {
    let allowed: Vec<&str> = methods.iter().map(|m| m.as_str()).collect();
    let allowed = allowed.join(", ");
    let message = format!("this path answers to {allowed}");
    let mut answer = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message).answer(op);
    if let Ok(allowed) = HeaderValue::from_str(&allowed) {
        answer.headers_mut().insert(ALLOW, allowed);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn led_to(method: &Method, path: &str) -> Option<&'static str> {
        match route(method, path) {
            Route::To(operation, _) => Some(operation.id),
            Route::OtherMethods(_) => Some("other methods"),
            Route::Nowhere => None,
        }
    }

    #[test]
    fn paths_lead_to_their_operations() {
        for (method, path, want) in [
            (Method::GET, "/api/v1/users", Some("list_users")),
            (Method::PUT, "/api/v1/users/alice/password", Some("set_password")),
            (Method::GET, "/api/v1/instances/-/repositories/demo/app", Some("show_repository")),
            (Method::GET, "/api/v1/instances/local/tags/demo/app/v1", Some("show_tag")),
            (Method::PUT, "/api/v1/users", Some("other methods")),
            (Method::GET, "/api/v1/", None),
            (Method::GET, "/api/v1//users", None),
            (Method::GET, "/api/v1/USERS", None),
            (Method::GET, "/api/v1/users/", None),
            (Method::GET, "/api/v1x/users", None),
        ] {
            assert_eq!(led_to(&method, path), want, "{path}");
        }
    }
}
