//! A load balancer as simple as they come: each request goes to the next node that is ready.
//!
//! Only a node that refuses the connection is passed over for the next one; once a request has been sent, what happens to it is
//! what the client sees (502 where no answer came), so that nothing here hides a fault of the nodes. It asks each node's `/readyz`.
//! Where the nodes speak TLS it gives each connection to the next node, and looks into none.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{Either, Empty, Full};
use hyper::body::{Body, Incoming};
use hyper::header::HeaderValue;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, client, server};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// How often a node is asked whether it is ready, and how long it may think about it.
const ASK_EVERY: Duration = Duration::from_millis(250);
const ASK_PATIENCE: Duration = Duration::from_secs(1);

/// A node behind the proxy.
struct Backend {
    address: String,
    ready: AtomicBool,
    /// Requests (connections, with TLS) that it was given.
    given: AtomicU64,
}

struct Shared {
    backends: Vec<Backend>,
    next: AtomicUsize,
}

/// Running until it is dropped.
pub(crate) struct Proxy {
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    listener: Option<std::net::TcpListener>,
    shared: Option<Arc<Shared>>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxy").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Proxy {
    /// Has an address, which its nodes are told before they start.
    pub(crate) fn listen() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        Self { address, listener: Some(listener), shared: None, runtime: None }
    }

    /// Passes on to these from now on.
    pub(crate) fn serve(&mut self, nodes: &[String], tls: bool) {
        let backend = |address: &String| Backend { address: address.clone(), ready: AtomicBool::new(true), given: AtomicU64::new(0) };
        let shared = Arc::new(Shared { backends: nodes.iter().map(backend).collect(), next: AtomicUsize::new(0) });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = self.listener.take().unwrap();
        runtime.spawn(accept(listener, Arc::clone(&shared), tls));
        if !tls {
            for place in 0..shared.backends.len() {
                runtime.spawn(watch(Arc::clone(&shared), place));
            }
        }
        (self.shared, self.runtime) = (Some(shared), Some(runtime));
    }

    /// How many requests each node was given.
    pub(crate) fn given(&self) -> Vec<u64> {
        self.shared.as_ref().unwrap().backends.iter().map(|backend| backend.given.load(Ordering::Relaxed)).collect()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Shared {
    /// The nodes in the order in which they are tried: from the next on those that are ready, then the others.
    fn turn(&self) -> Vec<&Backend> {
        let (first, count) = (self.next.fetch_add(1, Ordering::Relaxed), self.backends.len());
        let mut order: Vec<&Backend> = (0..count).map(|n| &self.backends[(first + n) % count]).collect();
        order.sort_by_key(|backend| !backend.ready.load(Ordering::Relaxed));
        order
    }

    async fn connect(&self) -> Option<TcpStream> {
        for backend in self.turn() {
            if let Ok(stream) = TcpStream::connect(&backend.address).await {
                stream.set_nodelay(true).ok()?;
                backend.given.fetch_add(1, Ordering::Relaxed);
                return Some(stream);
            }
        }
        None
    }
}

async fn accept(listener: std::net::TcpListener, shared: Arc<Shared>, tls: bool) {
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        let Ok((stream, peer)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        if tls {
            tokio::spawn(tunnel(stream, shared))
        } else {
            tokio::spawn(serve(stream, peer, shared))
        };
    }
}

async fn tunnel(mut near: TcpStream, shared: Arc<Shared>) {
    if let Some(mut far) = shared.connect().await {
        // Either side may end it as it likes.
        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
    }
}

async fn serve(stream: TcpStream, peer: SocketAddr, shared: Arc<Shared>) {
    let pass = service_fn(|request| pass_on(&shared, peer, request));
    // What a node broke off is broken off here.
    let _ = server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), pass).await;
}

type Passed = Response<Either<Incoming, Full<Bytes>>>;

async fn pass_on(shared: &Shared, peer: SocketAddr, mut request: Request<Incoming>) -> Result<Passed, Infallible> {
    request.headers_mut().insert("x-forwarded-for", HeaderValue::from_str(&peer.ip().to_string()).unwrap());
    let Some(stream) = shared.connect().await else { return Ok(own(StatusCode::SERVICE_UNAVAILABLE)) };
    Ok(send(stream, request).await.map_or_else(|_| own(StatusCode::BAD_GATEWAY), |answer| answer.map(Either::Left)))
}

async fn send<B>(stream: TcpStream, request: Request<B>) -> hyper::Result<Response<Incoming>>
where
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let (mut sender, connection) = client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    sender.send_request(request).await
}

fn own(status: StatusCode) -> Passed {
    let mut answer = Response::new(Either::Right(Full::new(Bytes::from_static(b"the proxy has no answer of a node\n"))));
    *answer.status_mut() = status;
    answer
}

/// Keeps asking one node.
async fn watch(shared: Arc<Shared>, place: usize) {
    let backend = &shared.backends[place];
    loop {
        let ready = timeout(ASK_PATIENCE, is_ready(&backend.address)).await.unwrap_or(false);
        backend.ready.store(ready, Ordering::Relaxed);
        tokio::time::sleep(ASK_EVERY).await;
    }
}

async fn is_ready(address: &str) -> bool {
    let Ok(stream) = TcpStream::connect(address).await else { return false };
    let ask = Request::get("/readyz").header("host", address).body(Empty::<Bytes>::new()).unwrap();
    send(stream, ask).await.is_ok_and(|answer| answer.status() == StatusCode::OK)
}
