//! Clients: requests as the listener would hand them to a door.

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine as _;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt as _;
use kit::{Host, Request, RequestBody};
use model::{Network, NetworkName, Op, RequestId};

use crate::House;

/// The host that clients name unless told otherwise: nobody claims it, so that it means the first account's instance.
pub const HOST: &str = "registry.example:5000";

/// Somebody who sends requests.
#[derive(Clone, Debug)]
pub struct Client<'h> {
    house: &'h House,
    authorization: Option<String>,
    from: IpAddr,
    listener: Option<NetworkName>,
    host: Arc<str>,
}

/// An answer, read whole.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl<'h> Client<'h> {
    pub(crate) fn new(house: &'h House, authorization: Option<String>) -> Self {
        Self { house, authorization, from: IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), listener: None, host: HOST.into() }
    }

    pub(crate) fn basic(house: &'h House, username: &str, password: &str) -> Self {
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}"));
        Self::new(house, Some(format!("Basic {pair}")))
    }

    /// The same from another address.
    #[must_use]
    pub fn from(mut self, address: &str) -> Self {
        self.from = address.parse().unwrap();
        self
    }

    /// The same by the listener of a named network.
    #[must_use]
    pub fn by(mut self, listener: &str) -> Self {
        self.listener = Some(NetworkName::parse(listener).unwrap());
        self
    }

    /// The same at another host name, which chooses the instance.
    #[must_use]
    pub fn at(mut self, host: &str) -> Self {
        self.host = host.into();
        self
    }

    /// The same with another `Authorization` header, or with none.
    #[must_use]
    pub fn with_authorization(mut self, authorization: Option<&str>) -> Self {
        self.authorization = authorization.map(str::to_owned);
        self
    }

    /// The host that it names.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its `Authorization` header.
    pub fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }

    /// Sends any request.
    pub async fn send(&self, method: Method, target: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Reply {
        let mut builder = http::Request::builder().method(method).uri(target);
        if let Some(authorization) = &self.authorization {
            builder = builder.header("authorization", authorization);
        }
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let (head, ()) = builder.body(()).unwrap().into_parts();
        let op = Op {
            request_id: RequestId::from_random(1),
            now: self.house.now(),
            source_ip: self.from,
            network: self.network(),
            secure: false,
            user_agent: Some(Arc::from("testkit")),
        };
        let request = Request { op, host: Host::parse(&self.host).unwrap(), head, body: RequestBody::from(body.into()) };
        let (head, body) = self.house.answer(request).await.into_parts();
        Reply { status: head.status, headers: head.headers, body: body.collect().await.unwrap().to_bytes() }
    }

    fn network(&self) -> Network {
        let networks = self.house.access.networks();
        self.listener.as_ref().map_or_else(|| networks.by_address(self.from), |name| networks.by_listener(name, self.from))
    }

    /// `GET`.
    pub async fn get(&self, target: &str) -> Reply {
        self.send(Method::GET, target, &[], "").await
    }

    /// `HEAD`.
    pub async fn head(&self, target: &str) -> Reply {
        self.send(Method::HEAD, target, &[], "").await
    }

    /// `DELETE`.
    pub async fn delete(&self, target: &str) -> Reply {
        self.send(Method::DELETE, target, &[], "").await
    }

    /// `POST` with JSON.
    pub async fn post(&self, target: &str, body: &serde_json::Value) -> Reply {
        self.send(Method::POST, target, &[("content-type", "application/json")], body.to_string()).await
    }

    /// `PUT` with JSON.
    pub async fn put(&self, target: &str, body: &serde_json::Value) -> Reply {
        self.send(Method::PUT, target, &[("content-type", "application/json")], body.to_string()).await
    }

    /// `PATCH` with JSON.
    pub async fn patch(&self, target: &str, body: &serde_json::Value) -> Reply {
        self.send(Method::PATCH, target, &[("content-type", "application/json")], body.to_string()).await
    }

    /// `POST` with a form.
    pub async fn form(&self, target: &str, body: &str) -> Reply {
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        self.send(Method::POST, target, &kind, body.to_owned()).await
    }

    /// A bearer token for these scopes, as a client with it.
    pub async fn token(&self, scopes: &str) -> Client<'h> {
        let reply = self.get(&format!("/token?service={}&scope={}", self.host, scopes.replace(' ', "+"))).await.expect(200);
        Self { authorization: Some(format!("Bearer {}", reply.text("token"))), ..self.clone() }
    }

    /// Pushes a blob in one request; its digest.
    pub async fn push_blob(&self, repository: &str, content: &[u8]) -> String {
        let digest = model::Digest::sha256(content).to_string();
        let target = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
        let kind = [("content-type", "application/octet-stream")];
        self.send(Method::POST, &target, &kind, content.to_vec()).await.expect(201);
        digest
    }

    /// Pushes a small image under a tag; its manifest's digest.
    pub async fn push_image(&self, repository: &str, tag: &str) -> String {
        let config = self.push_blob(repository, b"{}").await;
        let layer = self.push_blob(repository, tag.as_bytes()).await;
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": tag.len()}],
        });
        let kind = [("content-type", "application/vnd.oci.image.manifest.v1+json")];
        let target = format!("/v2/{repository}/manifests/{tag}");
        let reply = self.send(Method::PUT, &target, &kind, manifest.to_string()).await.expect(201);
        reply.header("docker-content-digest").to_owned()
    }
}

impl Reply {
    /// The same, if it has this status.
    #[expect(clippy::return_self_not_must_use, reason = "most tests are done once the status is right")]
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// A text in the body's JSON.
    pub fn text(&self, key: &str) -> String {
        self.json().get(key).and_then(|v| v.as_str().map(str::to_owned)).unwrap()
    }

    /// A header, which must be there once.
    pub fn header(&self, name: &str) -> &str {
        let mut all = self.headers.get_all(name).iter();
        let first = all.next().unwrap().to_str().unwrap();
        assert!(all.next().is_none(), "{name} stands there more than once");
        first
    }
}
