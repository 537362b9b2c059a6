//! The command's end of the control socket.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// The socket's name in the data folder.
pub(crate) const SOCKET: &str = "control.sock";
const PATIENCE: Duration = Duration::from_secs(30);
const MAX_ANSWER: usize = 8 * 1024 * 1024;

/// Why the operator's commands do not do what they should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    /// There is no server of ours on this machine, as far as the settings say.
    #[error(
        "no Tidegate server is set up here: {} holds neither a control socket nor a database. Run this on the server's own machine, as the \
         user that runs it, with the same --config, --data-dir or TIDEGATE_… as `tidegate serve`", .0.display()
    )]
    Nowhere(PathBuf),
    /// A server runs, and does not let this command in.
    #[error("the server's control socket {} cannot be used: {cause}; run this as the user that runs the server, or as root", path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// A server holds the data folder, and has no control socket.
    #[error(
        "a server uses {} and does not answer at its control socket: look into its log, or stop it and run this again", .0.display()
    )]
    Silent(PathBuf),
    /// The database has no account yet.
    #[error("this server has never been started: its first start makes the first account (`tidegate serve`)")]
    NeverStarted,
    /// What was asked is refused.
    #[error("{message}")]
    Refused {
        /// A code of the management API.
        code: String,
        /// For people.
        message: String,
    },
    /// The database or the settings do not allow it.
    #[error("{0}")]
    Refusal(#[from] crate::refusal::Refusal),
    /// The settings.
    #[error("{0}")]
    Config(#[from] crate::config::ConfigError),
    /// The file for the secrets.
    #[error("{} cannot be written: {cause}; choose another file with --output-file", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
}

impl ControlError {
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Nowhere(_) | Self::NeverStarted => "no_server",
            Self::Socket { .. } | Self::Silent(_) => "unreachable",
            Self::Refused { code, .. } => code,
            Self::Refusal(_) => "failed",
            Self::Config(_) => "invalid_configuration",
            Self::File { .. } => "invalid_file",
        }
    }
}

/// A connection to a running server's control socket.
pub(crate) struct Socket {
    path: PathBuf,
    open: Mutex<SendRequest<Full<Bytes>>>,
}

impl Socket {
    /// Connects; none: nobody listens there.
    pub(super) async fn connect(path: &Path) -> Result<Option<Self>, ControlError> {
        let failed = |cause: String| ControlError::Socket { path: path.to_owned(), cause };
        let stream = match UnixStream::connect(path).await {
            Ok(stream) => stream,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => return Ok(None),
            Err(error) => return Err(failed(error.to_string())),
        };
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|e| failed(e.to_string()))?;
        // It ends when the sender is dropped; what went wrong, the sender tells.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Some(Self { path: path.to_owned(), open: Mutex::new(sender) }))
    }

    /// Sends one request and reads its answer.
    pub(super) async fn call<A: DeserializeOwned>(&self, method: Method, target: &str, body: &impl Serialize) -> Result<A, ControlError> {
        let body = serde_json::to_vec(body).map_err(|e| self.failed(e.to_string()))?;
        let request = Request::builder().method(method).uri(target).header(HOST, "localhost").body(Full::new(Bytes::from(body)));
        let request = request.map_err(|e| self.failed(e.to_string()))?;
        let answered = timeout(PATIENCE, self.exchange(request)).await.unwrap_or_else(|_| Err("no answer in time".to_owned()));
        let (success, answer) = answered.map_err(|cause| self.failed(cause))?;
        if success {
            return serde_json::from_slice(&answer).map_err(|_| self.failed("its answer has another shape".to_owned()));
        }
        let said: serde_json::Value = serde_json::from_slice(&answer).unwrap_or_default();
        let text = |key: &str| said.get("error").and_then(|e| e.get(key)?.as_str()).map(str::to_owned);
        match (text("code"), text("message")) {
            (Some(code), Some(message)) => Err(ControlError::Refused { code, message }),
            _ => Err(self.failed("its answer has another shape".to_owned())),
        }
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<(bool, Bytes), String> {
        let mut open = self.open.lock().await;
        open.ready().await.map_err(|_| "it closed the connection".to_owned())?;
        let (head, body) = open.send_request(request).await.map_err(|e| e.to_string())?.into_parts();
        let whole = Limited::new(body, MAX_ANSWER).collect().await.map_err(|e| e.to_string())?;
        Ok((head.status.is_success(), whole.to_bytes()))
    }

    fn failed(&self, cause: String) -> ControlError {
        ControlError::Socket { path: self.path.clone(), cause }
    }
}
