//! The handlers: parse, authenticate, admit, act, render.

use std::sync::Arc;

use access::{Entered, Frequent, Outcome, Record};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use identity::{At, AuthError, Presented};
use kit::{Answer, Authorization, Request, Seen, authorization, json, read_body};
use model::{Caller, Op, Resource, Scopes};
use secrets::Plain;
use serde_json::json;
use store::instance::Instance;
use tokens::Bearer;

use crate::DoorToken;
use crate::errors::TokenDoorError;
use crate::shapes::{Granted, GrantedOauth, Parameters};

/// The largest body of a token request.
const MAX_BODY: usize = 64 * 1024;
/// What a node answers about its keys holds for a while; a new key is announced longer than this before it signs.
const KEYS_LIVE: HeaderValue = HeaderValue::from_static("public, max-age=60");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// What is asked for, whichever form it came in.
struct Asked<'a> {
    service: &'a str,
    scopes: Scopes,
    offline: bool,
}

/// What was granted.
struct Grant {
    bearer: Bearer,
    scopes: Scopes,
    refresh: Option<Plain>,
}

impl DoorToken {
    /// `GET /token`: Docker token specification, with Basic or as nobody.
    pub(crate) async fn get_token(&self, request: Request) -> Result<Answer, TokenDoorError> {
        let instance = self.enter(&request).await?;
        let parameters = Parameters::parse(request.query())?;
        let asked = Asked {
            service: self.service(&request, &parameters)?,
            scopes: parameters.scopes()?,
            offline: parameters.one("offline_token")?.is_some_and(|v| v.eq_ignore_ascii_case("true")),
        };
        let presented = presented(authorization(request.headers())?)?;
        self.serves(&request, &instance, asked.service).await?;
        let caller = self.identity.authenticate(&request.op, presented, at(&request, &instance)).await?;
        let grant = self.grant(&request.op, &caller, &instance, &asked).await?;
        let token = grant.bearer.token.reveal();
        let body = Granted {
            token,
            access_token: token,
            expires_in: grant.bearer.lives.0,
            issued_at: grant.bearer.issued,
            refresh_token: grant.refresh.as_ref().map(Plain::reveal),
        };
        Ok(secret_answer(json(StatusCode::OK, &body), &caller))
    }

    /// `POST /token`: its OAuth 2 form (RFC 6749 sections 4.3 and 6).
    pub(crate) async fn post_token(&self, mut request: Request) -> Result<Answer, TokenDoorError> {
        let instance = self.enter(&request).await?;
        check_form(&request)?;
        let body = read_body(std::mem::replace(&mut request.body, kit::RequestBody::empty()), MAX_BODY).await?;
        let text = std::str::from_utf8(&body).map_err(|_| TokenDoorError::Bad("the body is not UTF-8"))?;
        let parameters = Parameters::parse(text)?;
        let asked = Asked {
            service: self.service(&request, &parameters)?,
            scopes: parameters.scopes()?,
            offline: parameters.one("access_type")? == Some("offline"),
        };
        self.serves(&request, &instance, asked.service).await?;
        let caller = self.oauth_caller(&request, &parameters, &instance, asked.service).await?;
        let grant = self.grant(&request.op, &caller, &instance, &asked).await?;
        let scope: Vec<String> = grant.scopes.iter().map(ToString::to_string).collect();
        let body = GrantedOauth {
            access_token: grant.bearer.token.reveal(),
            token_type: "Bearer",
            scope: scope.join(" "),
            expires_in: grant.bearer.lives.0,
            issued_at: grant.bearer.issued,
            refresh_token: grant.refresh.as_ref().map(Plain::reveal),
        };
        Ok(secret_answer(json(StatusCode::OK, &body), &caller))
    }

    /// `GET /.well-known/jwks.json` (RFC 7517 section 5).
    pub(crate) async fn keys(&self, request: Request) -> Result<Answer, TokenDoorError> {
        let keys = self.identity.tokens().public_keys(request.op.now).await?;
        let keys: Vec<_> = keys.into_iter().map(|key| key.jwk).collect();
        let mut answer = json(StatusCode::OK, &json!({ "keys": keys }));
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
        answer.headers_mut().insert(CACHE_CONTROL, KEYS_LIVE);
        Ok(answer)
    }

    async fn oauth_caller(
        &self,
        request: &Request,
        parameters: &Parameters,
        instance: &Entered,
        service: &str,
    ) -> Result<Caller, TokenDoorError> {
        match parameters.one("grant_type")?.ok_or(TokenDoorError::Missing("grant_type"))? {
            "password" => {
                let username = parameters.one("username")?.ok_or(TokenDoorError::Missing("username"))?.to_owned();
                let password = parameters.secret("password")?.ok_or(TokenDoorError::Missing("password"))?;
                let presented = Presented::Basic { username, password };
                Ok(self.identity.authenticate(&request.op, presented, at(request, instance)).await?)
            }
            "refresh_token" => {
                let token = parameters.secret("refresh_token")?.ok_or(TokenDoorError::Missing("refresh_token"))?;
                Ok(self.identity.authenticate_refresh(&request.op, &token, instance, service).await?)
            }
            _ => Err(TokenDoorError::GrantType),
        }
    }

    async fn grant(&self, op: &Op, caller: &Caller, instance: &Instance, asked: &Asked<'_>) -> Result<Grant, TokenDoorError> {
        let (access, tokens) = (self.identity.access(), self.identity.tokens());
        let granted = access.narrow(op, caller, &instance.on, &asked.scopes).await?;
        let bearer = tokens.issue_bearer(op, &granted, asked.service, instance.on.id).await?;
        let offline = asked.offline && instance.identity_tokens && !caller.is_anonymous();
        let refresh = if offline { Some(tokens.issue_refresh(op, caller, asked.service, instance.on.id).await?) } else { None };
        if !caller.is_anonymous() {
            let on = Resource::Instance(Arc::clone(&instance.on));
            let record = || Record::new(op, caller, "login", &on, Outcome::Success);
            access.audit().note_frequent(op, caller, Frequent::Login, record).await;
        }
        Ok(Grant { bearer, scopes: granted.scopes().clone(), refresh })
    }

    /// The audience: this host as the client names it, or a listed registry.
    fn service<'a>(&'a self, request: &'a Request, parameters: &Parameters) -> Result<&'a str, TokenDoorError> {
        let host = request.host.as_str();
        match parameters.one("service")? {
            None => Ok(host),
            Some(asked) if asked == host => Ok(host),
            Some(asked) => self.services.iter().find(|s| *s == asked).map(|s| &**s).ok_or(TokenDoorError::Service),
        }
    }

    /// The instance that the host name chooses, before anything is asked of who comes.
    async fn enter(&self, request: &Request) -> Result<Entered, TokenDoorError> {
        self.identity.access().enter(&request.op, &request.host.name()).await?.ok_or(TokenDoorError::Unavailable)
    }

    /// A listed registry is the first account's: it knows names and no accounts, so that whoever is root of another would be
    /// root there.
    async fn serves(&self, request: &Request, instance: &Instance, service: &str) -> Result<(), TokenDoorError> {
        if service == request.host.as_str() {
            return Ok(());
        }
        let first = self.identity.access().directory().first_account().await.map_err(AuthError::from)?;
        if first == Some(instance.on.account) { Ok(()) } else { Err(TokenDoorError::Service) }
    }
}

fn at<'a>(request: &'a Request, instance: &'a Entered) -> At<'a> {
    At::Registry { instance, service: request.host.as_str() }
}

/// A bearer token buys no other bearer token.
fn presented(authorization: Authorization) -> Result<Presented, TokenDoorError> {
    match authorization {
        Authorization::None => Ok(Presented::Nothing),
        Authorization::Bearer(_) => Err(TokenDoorError::Auth(AuthError::Invalid)),
        Authorization::Basic { username, mut password } => {
            let password = Plain::new(std::mem::take(&mut *password)).map_err(|_| TokenDoorError::Auth(AuthError::Invalid))?;
            Ok(Presented::Basic { username, password })
        }
    }
}

fn check_form(request: &Request) -> Result<(), TokenDoorError> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Ok(());
    }
    Err(TokenDoorError::Bad("the body must be application/x-www-form-urlencoded"))
}

fn secret_answer(mut answer: Answer, caller: &Caller) -> Answer {
    answer.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    answer.extensions_mut().insert(Seen { operation: None, principal: caller.known().map(|known| known.principal) });
    answer
}
