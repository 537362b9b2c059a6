//! The client of Tidegate's management API: sending, reading, paging. The operations stand in one module a noun.

mod admin_users;
mod audit;
mod endpoints;
mod federation;
mod identities;
mod integrations;
mod labels;
mod policies;
mod principals;
mod registry;

use api::{Account, ErrorAnswer, Node, Page, Secret, SetAccountAlias, TokenAnswer, TokenError, TokenRequest, Whoami};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, LINK, USER_AGENT};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use zeroize::Zeroizing;

pub use admin_users::AdminUsers;
pub use audit::{Audit, Records};
pub use endpoints::Endpoints;
pub use federation::{Federated, Providers};
pub use identities::{AccessKeys, Credentials, SigningKeys, Users};
pub use integrations::Integrations;
pub use labels::{LabelOwner, Labels};
pub use policies::{Holder, Place, Policies, ResourcePolicies};
pub use principals::{Groups, Roles, ServiceAccounts};
pub use registry::{Images, Instances, Namespaces, Repositories, Tags};

use crate::ClientError;
use crate::target::{AccessKey, Target};
use crate::transport::Transport;

/// RFC 3986's unreserved characters stand for themselves.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Within a repository's name the slashes stand too.
const PLAIN_PATH: &AsciiSet = &PLAIN.remove(b'/');
const AGENT: &str = concat!("tidegate/", env!("CARGO_PKG_VERSION"));
/// Items in a page, when all are wanted.
const PAGE: u32 = 500;

/// A client of one server with one access key. Its bearer token is fetched when first needed and held in memory alone.
pub struct Tidegate {
    transport: Transport,
    key: AccessKey,
    token: Mutex<Option<Secret>>,
}

impl std::fmt::Debug for Tidegate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tidegate").field("endpoint", self.transport.endpoint()).field("key", &self.key).finish_non_exhaustive()
    }
}

impl Tidegate {
    /// A client for `target`. Nothing is sent yet.
    pub fn new(target: Target) -> Result<Self, ClientError> {
        let transport = Transport::new(target.endpoint, target.ca_file.as_deref())?;
        Ok(Self { transport, key: target.access_key, token: Mutex::new(None) })
    }

    /// The account that the access key belongs to.
    pub async fn account(&self) -> Result<Account, ClientError> {
        self.get("/account").await
    }

    /// Gives that account an alias, or takes it away.
    pub async fn set_account_alias(&self, alias: Option<String>) -> Result<Account, ClientError> {
        if let Some(alias) = alias {
            return self.send(Method::PUT, "/account/alias", &SetAccountAlias { alias }).await;
        }
        self.delete::<()>("/account/alias").await?;
        self.account().await
    }

    /// Who the access key is.
    pub async fn whoami(&self) -> Result<Whoami, ClientError> {
        self.get("/whoami").await
    }

    /// Users and their passwords.
    pub const fn users(&self) -> Users<'_> {
        Users(self)
    }

    /// Credentials and login tokens.
    pub const fn credentials(&self) -> Credentials<'_> {
        Credentials(self)
    }

    /// Access keys.
    pub const fn access_keys(&self) -> AccessKeys<'_> {
        AccessKeys(self)
    }

    /// Integrations: what credentials are made for.
    pub const fn integrations(&self) -> Integrations<'_> {
        Integrations(self)
    }

    /// Groups and who is in them.
    pub const fn groups(&self) -> Groups<'_> {
        Groups(self)
    }

    /// Service accounts and their secrets.
    pub const fn service_accounts(&self) -> ServiceAccounts<'_> {
        ServiceAccounts(self)
    }

    /// Roles and their sessions.
    pub const fn roles(&self) -> Roles<'_> {
        Roles(self)
    }

    /// OIDC providers.
    pub const fn providers(&self) -> Providers<'_> {
        Providers(self)
    }

    /// Federated credentials of a service account.
    pub const fn federated<'a>(&'a self, service_account: &'a str) -> Federated<'a> {
        Federated(self, service_account)
    }

    /// The server.
    pub const fn endpoint(&self) -> &crate::Endpoint {
        self.transport.endpoint()
    }

    /// Policies.
    pub const fn policies(&self) -> Policies<'_> {
        Policies(self)
    }

    /// Policies of an instance's namespaces and repositories.
    pub const fn resource_policies<'a>(&'a self, instance: &'a str) -> ResourcePolicies<'a> {
        ResourcePolicies(self, instance)
    }

    /// Labels.
    pub const fn labels(&self) -> Labels<'_> {
        Labels(self)
    }

    /// Instances.
    pub const fn instances(&self) -> Instances<'_> {
        Instances(self)
    }

    /// The admin user of an instance.
    pub const fn admin_users<'a>(&'a self, instance: &'a str) -> AdminUsers<'a> {
        AdminUsers(self, instance)
    }

    /// Endpoints of an instance: its network rules.
    pub const fn endpoints<'a>(&'a self, instance: &'a str) -> Endpoints<'a> {
        Endpoints(self, instance)
    }

    /// Namespaces of an instance.
    pub const fn namespaces<'a>(&'a self, instance: &'a str) -> Namespaces<'a> {
        Namespaces(self, instance)
    }

    /// Repositories of an instance.
    pub const fn repositories<'a>(&'a self, instance: &'a str) -> Repositories<'a> {
        Repositories(self, instance)
    }

    /// Tags and manifests of an instance's repositories.
    pub const fn images<'a>(&'a self, instance: &'a str) -> Images<'a> {
        Images(self, instance)
    }

    /// Tags of an instance's repositories.
    pub const fn tags<'a>(&'a self, instance: &'a str) -> Tags<'a> {
        Tags(self, instance)
    }

    /// The audit trail.
    pub const fn audit(&self) -> Audit<'_> {
        Audit(self)
    }

    /// The nodes of the server.
    pub async fn nodes(&self) -> Result<Vec<Node>, ClientError> {
        self.get("/nodes").await
    }

    /// Token signing keys.
    pub const fn signing_keys(&self) -> SigningKeys<'_> {
        SigningKeys(self)
    }

    async fn get<A: DeserializeOwned>(&self, path: &str) -> Result<A, ClientError> {
        self.call(Method::GET, path, Bytes::new()).await
    }

    async fn delete<A: DeserializeOwned>(&self, path: &str) -> Result<A, ClientError> {
        self.call(Method::DELETE, path, Bytes::new()).await
    }

    async fn send<A: DeserializeOwned>(&self, method: Method, path: &str, body: &impl Serialize) -> Result<A, ClientError> {
        let body = serde_json::to_vec(body).map_err(|e| self.unexpected(&HeaderMap::new(), e.to_string()))?;
        self.call(method, path, body.into()).await
    }

    /// All items of a list, or the first `most`: follows the `Link` headers.
    async fn list<A: DeserializeOwned>(&self, path: &str, query: &impl Serialize, most: Option<usize>) -> Result<Vec<A>, ClientError> {
        let mut next = with_query(path, &pairs(query));
        let mut items: Vec<A> = Vec::new();
        loop {
            let answer = self.authorized(Method::GET, &next, Bytes::new()).await?;
            items.extend(self.read::<Vec<A>>(&answer)?);
            let follow = next_page(answer.headers()).map(str::to_owned);
            match (follow, most) {
                (_, Some(most)) if items.len() >= most => {
                    items.truncate(most);
                    return Ok(items);
                }
                (Some(follow), _) => next = follow,
                (None, _) => return Ok(items),
            }
        }
    }

    /// One page of a list, and the path of the next one.
    async fn page<A: DeserializeOwned>(&self, path: &str) -> Result<(Vec<A>, Option<String>), ClientError> {
        let answer = self.authorized(Method::GET, path, Bytes::new()).await?;
        Ok((self.read(&answer)?, next_page(answer.headers()).map(str::to_owned)))
    }

    async fn call<A: DeserializeOwned>(&self, method: Method, path: &str, body: Bytes) -> Result<A, ClientError> {
        let answer = self.authorized(method, path, body).await?;
        self.read(&answer)
    }

    /// Sends with the bearer token; once more with a fresh one when the server does not take it any longer.
    async fn authorized(&self, method: Method, path: &str, body: Bytes) -> Result<Response<Bytes>, ClientError> {
        let (token, fresh) = self.bearer().await?;
        let answer = self.transport.send(self.request(method.clone(), path, body.clone(), &token)?).await?;
        if answer.status() == StatusCode::UNAUTHORIZED && !fresh {
            self.token.lock().await.take();
            let (token, _) = self.bearer().await?;
            let again = self.transport.send(self.request(method, path, body, &token)?).await?;
            return self.checked(path, again);
        }
        self.checked(path, answer)
    }

    fn request(&self, method: Method, path: &str, body: Bytes, token: &Secret) -> Result<Request<Full<Bytes>>, ClientError> {
        let bearer = Zeroizing::new(format!("Bearer {}", token.reveal()));
        let mut authorization = HeaderValue::from_str(&bearer).map_err(|e| self.unexpected(&HeaderMap::new(), e.to_string()))?;
        authorization.set_sensitive(true);
        let mut request = self.bare(method, path, body)?;
        request.headers_mut().insert(AUTHORIZATION, authorization);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(request)
    }

    fn bare(&self, method: Method, path: &str, body: Bytes) -> Result<Request<Full<Bytes>>, ClientError> {
        Request::builder()
            .method(method)
            .uri(format!("{}{path}", api::BASE))
            .header(HOST, self.transport.endpoint().authority())
            .header(USER_AGENT, AGENT)
            .header(ACCEPT, "application/json")
            .body(Full::new(body))
            .map_err(|e| self.unexpected(&HeaderMap::new(), e.to_string()))
    }

    /// The token in memory, or a new one (true).
    async fn bearer(&self) -> Result<(Secret, bool), ClientError> {
        let mut held = self.token.lock().await;
        if let Some(token) = &*held {
            return Ok((token.clone(), false));
        }
        let token = self.sign_in().await?;
        *held = Some(token.clone());
        Ok((token, true))
    }

    /// RFC 6749 section 4.4, the client's id and secret in a Basic header (section 2.3.1).
    async fn sign_in(&self) -> Result<Secret, ClientError> {
        let form = TokenRequest {
            grant_type: "client_credentials".to_owned(),
            security_token: self.key.security_token.clone(),
            ..TokenRequest::default()
        };
        let mut request = self.bare(Method::POST, "/oauth2/token", pairs(&form).join("&").into())?;
        let encoded = |text: &str| utf8_percent_encode(text, PLAIN).to_string();
        let pair = Zeroizing::new(format!("{}:{}", encoded(&self.key.id), encoded(self.key.secret.reveal())));
        let basic = Zeroizing::new(format!("Basic {}", STANDARD.encode(&*pair)));
        let mut basic = HeaderValue::from_str(&basic).map_err(|e| self.unexpected(&HeaderMap::new(), e.to_string()))?;
        basic.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, basic);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let answer = self.transport.send(request).await?;
        if answer.status().is_success() {
            return self.read::<TokenAnswer>(&answer).map(|token| token.access_token);
        }
        match serde_json::from_slice::<TokenError>(answer.body()) {
            Ok(error) => {
                let request_id = request_id(answer.headers());
                Err(ClientError::SignIn { code: error.error, message: error.error_description, request_id })
            }
            Err(_) => Err(self.refused(&answer)),
        }
    }

    /// The answer, if it is a success. The server says of nothing whether it is there; which thing was asked for, we know.
    fn checked(&self, path: &str, answer: Response<Bytes>) -> Result<Response<Bytes>, ClientError> {
        if answer.status().is_success() {
            return Ok(answer);
        }
        let mut error = self.refused(&answer);
        if let ClientError::Refused { status: 404, message, .. } = &mut error {
            let thing = path.split('?').next().unwrap_or(path);
            message.push_str(": ");
            message.push_str(&percent_decode_str(thing.trim_start_matches('/')).decode_utf8_lossy());
        }
        Err(error)
    }

    fn refused(&self, answer: &Response<Bytes>) -> ClientError {
        match serde_json::from_slice::<ErrorAnswer>(answer.body()) {
            Ok(ErrorAnswer { error }) => ClientError::Refused {
                status: answer.status().as_u16(),
                code: error.code,
                message: error.message,
                request_id: Some(error.request_id),
                field: error.field,
            },
            Err(_) => self.unexpected(answer.headers(), format!("status {}", answer.status().as_u16())),
        }
    }

    fn read<A: DeserializeOwned>(&self, answer: &Response<Bytes>) -> Result<A, ClientError> {
        let body: &[u8] = if answer.body().is_empty() { b"null" } else { answer.body() };
        serde_json::from_slice(body).map_err(|_| self.unexpected(answer.headers(), "its answer has another shape".to_owned()))
    }

    fn unexpected(&self, headers: &HeaderMap, problem: String) -> ClientError {
        let endpoint = self.transport.endpoint().to_string();
        ClientError::Unexpected { endpoint, problem, request_id: request_id(headers) }
    }
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    headers.get("x-request-id")?.to_str().ok().map(str::to_owned)
}

/// One segment of a path.
fn segment(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// A repository's name as the end of a path.
fn name_path(text: &str) -> String {
    utf8_percent_encode(text, PLAIN_PATH).to_string()
}

/// The first page of a list that is wanted whole.
fn whole() -> Page {
    Page { limit: Some(PAGE), after: None }
}

/// The fields of a flat shape as `key=value`, percent-encoded; what is absent is left out.
fn pairs(shape: &impl Serialize) -> Vec<String> {
    let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(shape) else { return Vec::new() };
    fields
        .into_iter()
        .filter_map(|(key, value)| match value {
            serde_json::Value::Null => None,
            serde_json::Value::String(text) => Some(format!("{key}={}", segment(&text))),
            other => Some(format!("{key}={}", segment(&other.to_string()))),
        })
        .collect()
}

fn with_query(path: &str, pairs: &[String]) -> String {
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// The `rel="next"` of a `Link` header (RFC 8288), if it stays within this API.
fn next_page(headers: &HeaderMap) -> Option<&str> {
    let (target, parameters) = headers.get(LINK)?.to_str().ok()?.split_once(';')?;
    let target = target.trim().strip_prefix('<')?.strip_suffix('>')?;
    parameters.contains("rel=\"next\"").then(|| target.strip_prefix(api::BASE)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_followed_only_within_the_api() {
        let next = |link: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(LINK, link.parse().unwrap());
            next_page(&headers).map(str::to_owned)
        };
        assert_eq!(next("</api/v1/users?limit=2&after=b>; rel=\"next\""), Some("/users?limit=2&after=b".to_owned()));
        assert_eq!(next("<https://elsewhere/api/v1/users>; rel=\"next\""), None);
        assert_eq!(next("</api/v1/users>; rel=\"prev\""), None);
    }

    #[test]
    fn queries_are_encoded_and_leave_out_what_is_absent() {
        let query = api::AuditQuery { user: Some("a&b=c".to_owned()), limit: Some(5), ..Default::default() };
        assert_eq!(with_query("/audit-events", &pairs(&query)), "/audit-events?limit=5&user=a%26b%3Dc");
        assert_eq!(with_query("/x", &[]), "/x");
    }

    #[test]
    fn names_keep_their_slashes_and_nothing_else() {
        assert_eq!(name_path("demo/app?x#y"), "demo/app%3Fx%23y");
        assert_eq!(segment("a/b"), "a%2Fb");
    }
}
