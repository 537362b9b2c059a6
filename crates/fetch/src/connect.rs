//! One connection to an address that was judged, for one exchange.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONNECTION, HOST, USER_AGENT};
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio_rustls::TlsConnector;

use crate::{Call, FetchError, Url};

/// Bounds of an answer's head.
const MAX_HEAD_BYTES: usize = 32 * 1024;
const MAX_HEADERS: usize = 64;

/// A connection; it ends with this.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: AbortHandle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    /// Opens one to the first of `addresses` that answers; all of them have been judged.
    pub(crate) async fn open(url: &Url, addresses: &[SocketAddr], tls: &Arc<ClientConfig>) -> Result<Self, FetchError> {
        let socket = reach(url, addresses).await?;
        // A failure only costs speed.
        let _ = socket.set_nodelay(true);
        if !url.is_https() {
            return speak(url, socket).await;
        }
        let untrusted = |problem: String| FetchError::Untrusted { host: url.host().to_owned(), problem };
        let name = ServerName::try_from(url.host().to_owned()).map_err(|e| untrusted(e.to_string()))?;
        let shaken = TlsConnector::from(Arc::clone(tls)).connect(name, socket).await;
        speak(url, shaken.map_err(|e| untrusted(e.to_string()))?).await
    }

    /// Sends the call and reads its whole answer, at most `limit` bytes of body.
    pub(crate) async fn exchange(&mut self, call: &Call, limit: usize) -> Result<Response<Bytes>, FetchError> {
        let host = || call.url.host().to_owned();
        let request = request(call).map_err(|_| FetchError::Url("not an http or https address"))?;
        let answer = self.sender.send_request(request).await;
        let (head, body) = answer.map_err(|e| FetchError::Broken { host: host(), problem: e.to_string() })?.into_parts();
        let whole = Limited::new(body, limit).collect().await.map_err(|e| {
            if e.is::<LengthLimitError>() {
                FetchError::TooLarge { host: host(), limit }
            } else {
                FetchError::Broken { host: host(), problem: e.to_string() }
            }
        })?;
        Ok(Response::from_parts(head, whole.to_bytes()))
    }
}

async fn reach(url: &Url, addresses: &[SocketAddr]) -> Result<TcpStream, FetchError> {
    let mut problem = "it has no address".to_owned();
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(socket) => return Ok(socket),
            Err(error) => problem = error.to_string(),
        }
    }
    Err(FetchError::Unreachable { host: url.host().to_owned(), problem })
}

async fn speak(url: &Url, io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<Connection, FetchError> {
    let mut http = Builder::new();
    http.max_buf_size(MAX_HEAD_BYTES).max_headers(MAX_HEADERS);
    let opened = http.handshake(TokioIo::new(io)).await;
    let (sender, connection) = opened.map_err(|e| FetchError::Broken { host: url.host().to_owned(), problem: e.to_string() })?;
    // What goes wrong in it, the sender tells.
    let driver = tokio::spawn(async move { drop(connection.await) }).abort_handle();
    Ok(Connection { sender, driver })
}

fn request(call: &Call) -> Result<Request<Full<Bytes>>, http::Error> {
    let mut request = Request::builder().method(call.method.clone()).uri(call.url.path_and_query()).body(Full::new(call.body.clone()))?;
    *request.headers_mut() = call.headers.clone();
    let own = request.headers_mut();
    own.insert(HOST, HeaderValue::from_str(call.url.authority())?);
    own.insert(CONNECTION, HeaderValue::from_static("close"));
    own.insert(USER_AGENT, HeaderValue::from_static(concat!("tidegate/", env!("CARGO_PKG_VERSION"))));
    Ok(request)
}
