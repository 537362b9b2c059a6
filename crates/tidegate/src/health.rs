//! Is the process alive, and can it serve?

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_util::future::join_all;
use http::{Method, StatusCode};
use kit::{Answer, empty, json, problem, text};
use tokio::time::timeout;

/// How long a check may take before it counts as failed.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

type CheckFuture = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// One thing without which the server cannot serve.
struct Check {
    name: &'static str,
    run: Box<dyn Fn() -> CheckFuture + Send + Sync>,
}

/// The list of checks behind `/readyz`.
#[derive(Default)]
pub(crate) struct Health(Vec<Check>);

impl Health {
    /// Adds a check. Its error goes to the log; the answer only names the check.
    pub(crate) fn add<F>(&mut self, name: &'static str, check: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.0.push(Check { name, run: Box::new(move || Box::pin(check())) });
    }

    /// `/healthz`.
    pub(crate) fn alive(method: &Method) -> Answer {
        if is_read(method) { text(StatusCode::OK, "ok\n") } else { empty(StatusCode::METHOD_NOT_ALLOWED) }
    }

    /// The names of what is not as it should be.
    pub(crate) async fn failing(&self) -> Vec<&'static str> {
        join_all(self.0.iter().map(failure)).await.into_iter().flatten().collect()
    }

    /// `/readyz`: 200, or 503 that names what is not.
    pub(crate) async fn ready(&self, method: &Method) -> Answer {
        if !is_read(method) {
            return empty(StatusCode::METHOD_NOT_ALLOWED);
        }
        let failing = self.failing().await;
        let status = if failing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        json(status, &serde_json::json!({"ready": failing.is_empty(), "failing": failing}))
    }
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// The check's name if it fails.
async fn failure(check: &Check) -> Option<&'static str> {
    let reason = match timeout(CHECK_TIMEOUT, (check.run)()).await {
        Ok(Ok(())) => return None,
        Ok(Err(reason)) => reason,
        Err(_) => "no answer in time".to_owned(),
    };
    tracing::warn!(check = check.name, reason, "not ready");
    Some(check.name)
}

/// No such path, at any door.
pub(crate) fn not_found() -> Answer {
    problem(StatusCode::NOT_FOUND, "NOT_FOUND", "There is nothing at this path.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    async fn body(answer: Answer) -> String {
        String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn readiness_names_what_is_not() {
        let mut health = Health::default();
        assert_eq!(body(health.ready(&Method::GET).await).await, r#"{"failing":[],"ready":true}"#);
        health.add("blobs", || async { Ok(()) });
        health.add("database", || async { Err("postgres://secret".to_owned()) });
        health.add("feed", std::future::pending);
        let answer = health.ready(&Method::GET).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(body(answer).await, r#"{"failing":["database","feed"],"ready":false}"#);
    }
}
