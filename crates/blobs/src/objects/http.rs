//! HTTP to the object storage: hyper with its connection pool, rustls, and an end to every wait.
//!
//! Not `object_store`'s own client: that one brings a second HTTP stack, takes proxies from the environment and trust from the
//! machine (`docs/decisions/object-storage.md`).

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Limited;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector as Sockets;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use meter::Stopwatch;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse, HttpResponseBody, HttpService,
};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::time::{Sleep, sleep, timeout};

use crate::Meters;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(3);
/// How long an answer may take to begin, besides the time that the request's body needs at [`SLOWEST`].
const ANSWER: Duration = Duration::from_secs(6);
/// Bytes a second below which sending counts as failed.
const SLOWEST: u64 = 256 << 10;
/// How long the end of a multipart upload may take besides, and a millisecond for each byte that names its parts.
const COPYING: Duration = Duration::from_secs(10);
/// How long an answer's body may stand still.
const STILL: Duration = Duration::from_secs(8);
/// How long a connection is kept for the next request, and how many to one host.
const IDLE: Duration = Duration::from_secs(20);
const IDLE_CONNECTIONS: usize = 64;
/// The largest answer that is no content: errors and such.
const REFUSAL_BYTES: usize = 64 << 10;
/// The most certificates of an own authority.
const MAX_AUTHORITIES: usize = 64;

/// Makes clients for `object_store` that all stand on one pool of connections.
#[derive(Clone)]
pub(super) struct Connector {
    client: Client<HttpsConnector<Sockets>, HttpRequestBody>,
    meters: Meters,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl Connector {
    /// Trusts the authorities in this PEM text, or else the public ones.
    pub(super) fn new(authorities: Option<&str>, meters: &Meters) -> Result<Self, String> {
        let mut sockets = Sockets::new();
        sockets.enforce_http(false);
        sockets.set_nodelay(true);
        sockets.set_connect_timeout(Some(CONNECT));
        let tls = HttpsConnectorBuilder::new().with_tls_config(trust(authorities)?);
        let connector = tls.https_or_http().enable_http1().wrap_connector(sockets);
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).pool_max_idle_per_host(IDLE_CONNECTIONS);
        Ok(Self { client: builder.build(connector), meters: meters.clone() })
    }
}

fn trust(authorities: Option<&str>) -> Result<ClientConfig, String> {
    let roots = match authorities {
        None => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
        Some(pem) => own(pem)?,
    };
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(|e| e.to_string())?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn own(pem: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|e| format!("the authorities are no PEM certificates: {e}"))?;
        roots.add(certificate).map_err(|e| format!("an authority's certificate cannot be used: {e}"))?;
    }
    if roots.is_empty() || roots.len() > MAX_AUTHORITIES {
        return Err(format!("1 to {MAX_AUTHORITIES} certificates of authorities in PEM are wanted, {} are there", roots.len()));
    }
    Ok(roots)
}

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Connector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (method, watch) = (request.method().clone(), Stopwatch::start());
        let answer = timeout(patience(&request), self.client.request(request)).await;
        let status = answer.as_ref().ok().and_then(|answer| answer.as_ref().ok()).map(http::Response::status);
        self.meters.answered(&method, status, watch);
        let answer = match answer {
            Ok(answer) => answer.map_err(|e| failed(&e))?,
            Err(_) => return Err(HttpError::new(HttpErrorKind::Timeout, Late)),
        };
        let (head, body) = answer.into_parts();
        let body = Timed { body, still: None };
        let body = if head.status.is_success() {
            HttpResponseBody::new(body)
        } else {
            let bounded = Limited::new(body, REFUSAL_BYTES);
            HttpResponseBody::new(http_body_util::BodyExt::map_err(bounded, |e| HttpError::new_boxed(HttpErrorKind::Decode, e)))
        };
        Ok(HttpResponse::from_parts(head, body))
    }
}

/// How long an answer to this request may take to begin.
fn patience(request: &HttpRequest) -> Duration {
    let bytes = request.body().content_length() as u64;
    if request.method() == Method::POST && request.uri().query().is_some_and(|query| query.contains("uploadId=")) {
        // The end of a multipart upload, where some servers copy every part: about a hundred bytes name one of 8 MiB.
        return ANSWER + COPYING + Duration::from_millis(bytes);
    }
    ANSWER + Duration::from_secs(bytes / SLOWEST)
}

/// The storage did not go on in time.
#[derive(Debug)]
struct Late;

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no answer in time")
    }
}

impl Error for Late {}

/// What may be tried again after it: a request that was not sent, or, if it may be sent twice, one that broke.
fn failed(error: &hyper_util::client::legacy::Error) -> HttpError {
    let kind = if error.is_connect() { HttpErrorKind::Connect } else { HttpErrorKind::Interrupted };
    HttpError::new(kind, Broken(innermost(error)))
}

/// The innermost cause alone: what is around it repeats where to.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

#[derive(Debug)]
struct Broken(String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Broken {}

/// An answer's body that may not stand still while somebody waits for it.
struct Timed {
    body: Incoming,
    still: Option<Pin<Box<Sleep>>>,
}

impl Body for Timed {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.still = None;
            return Poll::Ready(frame.map(|f| f.map_err(|e| HttpError::new(HttpErrorKind::Interrupted, Broken(innermost(&e))))));
        }
        let still = self.still.get_or_insert_with(|| Box::pin(sleep(STILL)));
        ready!(still.as_mut().poll(cx));
        Poll::Ready(Some(Err(HttpError::new(HttpErrorKind::Timeout, Late))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_that_are_none_are_refused() {
        for (pem, want) in [("", "0 are there"), ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be used")] {
            let error = Connector::new(Some(pem), &Meters::default()).unwrap_err();
            assert!(error.contains(want), "{error}");
        }
        Connector::new(None, &Meters::default()).unwrap();
    }
}
