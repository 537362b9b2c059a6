//! The token endpoint (RFC 6749): an access key, a client secret, a sign-in password or a token of another issuer for a short
//! bearer token.

use api::{Secret, TokenAnswer, TokenError, TokenRequest};
use http::header::{PRAGMA, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use identity::AuthError;
use kit::{Answer, Authorization, authorization, json};
use model::Caller;
use percent_encoding::percent_decode_str;
use secrets::Plain;

use crate::call::Call;
use crate::errors::{Problem, finish};

const CLIENT_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const TOKEN_TYPES: [&str; 2] = ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"];

/// Why there is no token (section 5.2).
enum No {
    Request(&'static str),
    Client,
    Grant,
    /// A token that nobody here trusts, as a grant or as a client's own.
    Assertion(StatusCode, &'static str),
    GrantType,
    /// The right secret, but its time is over or it is disabled: said to whoever holds it.
    Ended(&'static str, String),
    Later(StatusCode, i64, String),
}

/// Errors here are RFC 6749's, in its own shape.
pub(super) async fn create_token(call: Call) -> Result<Answer, Problem> {
    Ok(match grant(&call).await {
        Ok(caller) => issue(&call, &caller).await?,
        Err(no) => no.answer(),
    })
}

async fn issue(call: &Call, caller: &Caller) -> Result<Answer, Problem> {
    let bearer = call.identity().tokens().issue_manage(&call.op, caller).await?;
    let token =
        TokenAnswer { access_token: Secret::new(bearer.token.reveal()), token_type: "Bearer".to_owned(), expires_in: bearer.lives.0 };
    let mut answer = json(StatusCode::OK, &token);
    answer.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    Ok(answer)
}

async fn grant(call: &Call) -> Result<Caller, No> {
    if !call.is_typed("application/x-www-form-urlencoded") {
        return Err(No::Request("send form fields, with Content-Type: application/x-www-form-urlencoded"));
    }
    let no_form = |_| No::Request("send grant_type and what it needs as form fields, each once");
    let request: TokenRequest = serde_urlencoded::from_bytes(&call.body).map_err(no_form)?;
    match request.grant_type.as_str() {
        "client_credentials" if request.client_assertion.is_some() => client_assertion(call, request).await,
        "client_credentials" => client_credentials(call, request).await,
        JWT_BEARER => jwt_bearer(call, request).await,
        TOKEN_EXCHANGE => token_exchange(call, request).await,
        "password" => password(call, request).await,
        _ => Err(No::GrantType),
    }
}

/// Section 4.4, with an access key, a session's key and its token, or a service account's client id and secret: in a Basic header
/// or in the form, never in both (section 2.3).
async fn client_credentials(call: &Call, request: TokenRequest) -> Result<Caller, No> {
    let (id, secret) = client(call, request.client_id, request.client_secret)?;
    let token = request.security_token.map(|token| Plain::new(token.reveal().to_owned())).transpose().map_err(|_| No::Client)?;
    let caller = call.identity().authenticate_access_key(&call.op, &id, &secret, token.as_ref()).await;
    caller.map_err(|error| No::from_auth(&error, No::Client, "invalid_client"))
}

fn client(call: &Call, id: Option<String>, secret: Option<Secret>) -> Result<(String, Plain), No> {
    let plain = |text: String| Plain::new(text).map_err(|_| No::Client);
    let header = authorization(&call.head.headers).map_err(|_| No::Client)?;
    match (header, id, secret) {
        (Authorization::Basic { username, password }, None, None) => Ok((decoded(&username)?, plain(decoded(&password)?)?)),
        (Authorization::None, Some(id), Some(secret)) => Ok((id, plain(secret.reveal().to_owned())?)),
        (Authorization::None, ..) => Err(No::Client),
        _ => Err(No::Request("present the access key once: in a Basic header, or as client_id and client_secret")),
    }
}

/// RFC 7523 section 2.2: the client shows who it is with a token of an issuer that it is trusted by.
async fn client_assertion(call: &Call, request: TokenRequest) -> Result<Caller, No> {
    if request.client_assertion_type.as_deref() != Some(CLIENT_ASSERTION) || request.client_secret.is_some() {
        return Err(No::Request(
            "send client_assertion with client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer, and no client_secret",
        ));
    }
    let untrusted = (StatusCode::UNAUTHORIZED, "invalid_client");
    workload(call, request.client_id.as_deref(), request.client_assertion.as_ref(), untrusted).await
}

/// RFC 7523 section 2.1.
async fn jwt_bearer(call: &Call, request: TokenRequest) -> Result<Caller, No> {
    workload(call, request.client_id.as_deref(), request.assertion.as_ref(), (StatusCode::BAD_REQUEST, "invalid_grant")).await
}

/// RFC 8693 section 2.1, as far as a token of an issuer is exchanged for one of ours.
async fn token_exchange(call: &Call, request: TokenRequest) -> Result<Caller, No> {
    if !request.subject_token_type.as_deref().is_some_and(|kind| TOKEN_TYPES.contains(&kind)) {
        return Err(No::Request("subject_token_type is urn:ietf:params:oauth:token-type:jwt or urn:ietf:params:oauth:token-type:id_token"));
    }
    workload(call, request.client_id.as_deref(), request.subject_token.as_ref(), (StatusCode::BAD_REQUEST, "invalid_grant")).await
}

/// Without a client id that says it, the account is the one whose instance the host name chooses.
async fn workload(
    call: &Call,
    client_id: Option<&str>,
    token: Option<&Secret>,
    untrusted: (StatusCode, &'static str),
) -> Result<Caller, No> {
    let token = token.ok_or(No::Request("this grant needs the issuer's token: assertion, client_assertion or subject_token"))?;
    let not_trusted = || No::Assertion(untrusted.0, untrusted.1);
    let token = Plain::new(token.reveal().to_owned()).map_err(|_| not_trusted())?;
    let unavailable = |_| No::Later(StatusCode::SERVICE_UNAVAILABLE, 1, AuthError::Unavailable.to_string());
    let here = call.identity().instance_at(&call.host.name()).await.map_err(unavailable)?.ok_or_else(not_trusted)?;
    let caller = call.identity().authenticate_workload(&call.op, here.on.account, client_id, &token).await;
    caller.map_err(|error| No::from_auth(&error, not_trusted(), untrusted.1))
}

/// Section 2.3.1: in a Basic header both are form-encoded once more.
fn decoded(text: &str) -> Result<String, No> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| No::Client)
}

/// Section 4.3, with a sign-in password: the account is the one that the user name says, or else whose instance the host name
/// chooses.
async fn password(call: &Call, request: TokenRequest) -> Result<Caller, No> {
    let (Some(username), Some(password)) = (request.username, request.password) else {
        return Err(No::Request("this grant needs username and password"));
    };
    let unavailable = |_| No::Later(StatusCode::SERVICE_UNAVAILABLE, 1, AuthError::Unavailable.to_string());
    let instance = call.identity().instance_at(&call.host.name()).await.map_err(unavailable)?.ok_or(No::Grant)?;
    let password = Plain::new(password.reveal().to_owned()).map_err(|_| No::Grant)?;
    let caller = call.identity().authenticate_sign_in(&call.op, instance.on.account, &username, password).await;
    caller.map_err(|error| No::from_auth(&error, No::Grant, "invalid_grant"))
}

impl No {
    fn from_auth(error: &AuthError, wrong: Self, code: &'static str) -> Self {
        match error {
            AuthError::Invalid => wrong,
            AuthError::Expired | AuthError::Disabled | AuthError::Untrusted(_) => Self::Ended(code, error.to_string()),
            AuthError::LockedOut { retry_after } => Self::Later(StatusCode::TOO_MANY_REQUESTS, *retry_after, error.to_string()),
            AuthError::Throttled { retry_after_ms } => {
                Self::Later(StatusCode::TOO_MANY_REQUESTS, identity::retry_after(*retry_after_ms), error.to_string())
            }
            AuthError::Busy | AuthError::Unavailable => Self::Later(StatusCode::SERVICE_UNAVAILABLE, 1, error.to_string()),
        }
    }

    fn answer(self) -> Answer {
        let (status, code, description) = match self {
            Self::Request(problem) => (StatusCode::BAD_REQUEST, "invalid_request", problem.to_owned()),
            Self::Client => (StatusCode::UNAUTHORIZED, "invalid_client", "the access key is not right".to_owned()),
            Self::Grant => (StatusCode::BAD_REQUEST, "invalid_grant", "the user name or password is not right".to_owned()),
            Self::Assertion(status, code) => (status, code, "the token is not one that is trusted here".to_owned()),
            Self::GrantType => {
                let known = format!("grant_type is client_credentials, password, {JWT_BEARER} or {TOKEN_EXCHANGE}");
                (StatusCode::BAD_REQUEST, "unsupported_grant_type", known)
            }
            Self::Ended("invalid_client", why) => (StatusCode::UNAUTHORIZED, "invalid_client", why),
            Self::Ended(code, why) => (StatusCode::BAD_REQUEST, code, why),
            Self::Later(status, retry_after, why) => {
                let mut answer = render(status, "temporarily_unavailable", why);
                finish(&mut answer, Some(retry_after));
                return answer;
            }
        };
        render(status, code, description)
    }
}

fn render(status: StatusCode, code: &str, description: String) -> Answer {
    let mut answer = json(status, &TokenError { error: code.to_owned(), error_description: description });
    if status == StatusCode::UNAUTHORIZED {
        answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"tidegate\""));
    }
    answer
}
