//! One HTTP/1.1 connection, plain or TLS, with bounds on time and size.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::profile::{problem, read};
use crate::{ClientError, Endpoint};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);
/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// A connection to one server, made when first needed and kept while it lasts.
pub(crate) struct Transport {
    endpoint: Endpoint,
    tls: Option<Arc<ClientConfig>>,
    open: Mutex<Option<SendRequest<Full<Bytes>>>>,
}

impl Transport {
    pub(crate) fn new(endpoint: Endpoint, ca_file: Option<&Path>) -> Result<Self, ClientError> {
        let tls = if endpoint.tls() { Some(Arc::new(tls_config(&endpoint, ca_file)?)) } else { None };
        Ok(Self { endpoint, tls, open: Mutex::new(None) })
    }

    pub(crate) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Sends a request and reads its whole answer. It is sent once: whoever wants to try again knows whether that is safe.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, ClientError> {
        let mut open = self.open.lock().await;
        let mut connection = match open.take() {
            Some(connection) if connection.is_ready() => connection,
            _ => self.connect().await?,
        };
        let answer = timeout(ANSWER_TIMEOUT, exchange(&mut connection, request)).await;
        let answer = answer.unwrap_or_else(|_| Err("no answer within a minute".to_owned())).map_err(|problem| self.unreachable(problem))?;
        *open = Some(connection);
        Ok(answer)
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, ClientError> {
        let opened = timeout(CONNECT_TIMEOUT, TcpStream::connect((self.endpoint.host(), self.endpoint.port()))).await;
        let socket = opened.map_err(|_| self.unreachable("no connection within ten seconds".to_owned()))?;
        let socket = socket.map_err(|e| self.unreachable(describe(&e)))?;
        match &self.tls {
            None => self.speak(socket).await,
            Some(config) => {
                let name = ServerName::try_from(self.endpoint.host().to_owned()).map_err(|e| self.untrusted(e.to_string()))?;
                let shaken = timeout(CONNECT_TIMEOUT, TlsConnector::from(Arc::clone(config)).connect(name, socket)).await;
                let shaken = shaken.map_err(|_| self.unreachable("no TLS handshake within ten seconds".to_owned()))?;
                self.speak(shaken.map_err(|e| self.untrusted(e.to_string()))?).await
            }
        }
    }

    async fn speak(&self, io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<SendRequest<Full<Bytes>>, ClientError> {
        let (sender, connection) = handshake(TokioIo::new(io)).await.map_err(|e| self.unreachable(e.to_string()))?;
        // It ends when the sender is dropped; what went wrong, the sender tells.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    fn unreachable(&self, problem: String) -> ClientError {
        ClientError::Unreachable { endpoint: self.endpoint.to_string(), problem }
    }

    fn untrusted(&self, problem: String) -> ClientError {
        ClientError::Untrusted { endpoint: self.endpoint.to_string(), problem }
    }
}

async fn exchange(connection: &mut SendRequest<Full<Bytes>>, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, String> {
    connection.ready().await.map_err(|e| e.to_string())?;
    let (head, body) = connection.send_request(request).await.map_err(|e| e.to_string())?.into_parts();
    let whole = Limited::new(body, MAX_ANSWER_BYTES).collect().await.map_err(|e| e.to_string())?;
    Ok(Response::from_parts(head, whole.to_bytes()))
}

fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::TimedOut => "no connection in time".to_owned(),
        _ => error.to_string(),
    }
}

fn tls_config(endpoint: &Endpoint, ca_file: Option<&Path>) -> Result<ClientConfig, ClientError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = ca_file {
        trust(&mut roots, path)?;
    }
    let untrusted = |e: rustls::Error| ClientError::Untrusted { endpoint: endpoint.to_string(), problem: e.to_string() };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(untrusted)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn trust(roots: &mut RootCertStore, path: &Path) -> Result<(), ClientError> {
    let text = read(path)?;
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
        let certificate = certificate.map_err(|e| problem(path, e.to_string()))?;
        roots.add(certificate).map_err(|e| problem(path, e.to_string()))?;
    }
    if roots.len() == before {
        return Err(problem(path, "there is no certificate in it".into()));
    }
    Ok(())
}
