//! `tidegate role serve`: a role's keys for the programs of this machine that fetch them from a URL (`ALIBABA_CLOUD_CREDENTIALS_URI`).
//!
//! One path that cannot be guessed, on the loopback address unless told; what is handed out ends by itself. Whoever can read the path
//! can be the role: it is printed once, and stands in the environment of those who may.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use api::{AssumeRole, Session};
use bytes::Bytes;
use client::Tidegate;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use model::{Clock as _, Seconds, Timestamp};
use secrets::{Dice, KeyedHash, Pepper, Plain};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::CommandError;
use crate::printer;
use crate::system::{SystemClock, SystemRandom};

/// Programs that are answered side by side, and how long one may take to ask.
const MOST: usize = 16;
const PATIENCE: Duration = Duration::from_secs(10);
/// After a failure to accept nothing is gained by trying at once.
const BREATH: Duration = Duration::from_millis(100);
/// A session with less left is no longer handed out: clients give up on theirs a quarter of an hour before its end.
const FRESH: Seconds = Seconds::minutes(20);

/// What answers.
struct Desk<'c> {
    client: &'c Tidegate,
    role: String,
    wanted: AssumeRole,
    pepper: Pepper,
    path: KeyedHash,
    kept: Mutex<Option<Kept>>,
}

/// A session that was handed out, and may be again.
struct Kept {
    ends: Timestamp,
    answer: Zeroizing<String>,
}

/// Serves until the program is ended.
pub(super) async fn serve(client: &Tidegate, role: String, wanted: AssumeRole, listen: SocketAddr) -> Result<Infallible, CommandError> {
    let dice = Dice::new(Box::new(SystemRandom::open()));
    let path = format!("/{:032x}{:032x}", dice.bits128(), dice.bits128());
    let pepper = dice.with(|random| Pepper::generate(random));
    let hash = hashed(&pepper, &path).ok_or_else(|| CommandError::Usage("the path cannot be made".into()))?;
    let desk = Desk { client, role, wanted, pepper, path: hash, kept: Mutex::new(None) };
    // Whatever is wrong with the role is said now, and not to the first program that asks.
    desk.session().await?;
    let listener = TcpListener::bind(listen).await.map_err(CommandError::System)?;
    let address = listener.local_addr().map_err(CommandError::System)?;
    if !address.ip().is_loopback() {
        printer::note("Whoever reaches this address over the network and sees the URL can be the role: there is no TLS here.");
    }
    let uri = format!("http://{address}{path}");
    printer::print(&format!("{}\n", json!({ "uri": uri }))).map_err(CommandError::System)?;
    printer::note("Give it to programs as ALIBABA_CLOUD_CREDENTIALS_URI; end this one with Ctrl-C.");
    Ok(accept(&listener, &desk).await)
}

async fn accept(listener: &TcpListener, desk: &Desk<'_>) -> Infallible {
    let mut under_way = FuturesUnordered::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if under_way.len() < MOST => match accepted {
                Ok((socket, _)) => under_way.push(tokio::time::timeout(2 * PATIENCE, connection(socket, desk))),
                Err(_) => tokio::time::sleep(BREATH).await,
            },
            // A program that asks badly, or goes away, has no answer: there is nobody else to tell.
            Some(_ended) = under_way.next() => {}
        }
    }
}

async fn connection(socket: TcpStream, desk: &Desk<'_>) -> hyper::Result<()> {
    let service = service_fn(async |request| Ok::<_, Infallible>(desk.answer(&request).await));
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(PATIENCE).keep_alive(false).max_buf_size(16 * 1024);
    server.serve_connection(TokioIo::new(socket), service).await
}

fn hashed(pepper: &Pepper, path: &str) -> Option<KeyedHash> {
    Plain::new(path.to_owned()).ok().map(|path| pepper.hash(&path))
}

impl Desk<'_> {
    async fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let right = hashed(&self.pepper, request.uri().path()).is_some_and(|path| path.matches(&self.path));
        if *request.method() != Method::GET || !right {
            return answer(StatusCode::NOT_FOUND, &json!({"Code": "NotFound", "Message": "There is nothing at this path."}).to_string());
        }
        match self.session().await {
            Ok(session) => answer(StatusCode::OK, &session),
            Err(error) => {
                printer::note(&format!("The role cannot be assumed: {error}"));
                answer(StatusCode::BAD_GATEWAY, &json!({"Code": "AssumeRoleFailed", "Message": error.to_string()}).to_string())
            }
        }
    }

    /// A session with enough left, as clients read it.
    async fn session(&self) -> Result<Zeroizing<String>, CommandError> {
        let mut kept = self.kept.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| kept.ends > SystemClock.now().plus(FRESH)) {
            return Ok(kept.answer.clone());
        }
        let session = self.client.roles().assume(&self.role, &self.wanted).await?;
        let answer = Zeroizing::new(shape(&session));
        *kept = Some(Kept { ends: session.expires_at, answer: answer.clone() });
        Ok(answer)
    }
}

fn shape(session: &Session) -> String {
    json!({
        "Code": "Success",
        "AccessKeyId": session.access_key_id,
        "AccessKeySecret": session.access_key_secret.reveal(),
        "SecurityToken": session.security_token.reveal(),
        // Without fractions: clients read nothing else.
        "Expiration": Timestamp::from_seconds(session.expires_at.seconds()).to_string(),
    })
    .to_string()
}

fn answer(status: StatusCode, body: &str) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::copy_from_slice(body.as_bytes())));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
