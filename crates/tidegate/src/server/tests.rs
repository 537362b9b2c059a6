//! The frame over a real loopback listener: what every connection and request gets, whatever the doors are.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{StatusCode, Version};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use kit::{Metrics, problem, read_body, text};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::accept::{Slots, accept};
use super::stop::{Leaving, Stopper, stop};
use super::tls::Tls;
use super::*;
use crate::config::TlsFiles;
use crate::system::{SystemClock, SystemRandom};

/// An app with one path for each thing to see.
struct Sample(Arc<Notify>);

/// How often `/turn` was asked for: it has room each second time.
static ASKED: AtomicUsize = AtomicUsize::new(0);
/// How often `/never` was.
static NEVER: AtomicUsize = AtomicUsize::new(0);

impl App for Sample {
    fn door(&self, _head: &http::request::Parts) -> &'static str {
        "sample"
    }

    async fn answer(&self, request: Request) -> Answer {
        match request.path() {
            "/slow" => {
                self.0.notify_one();
                tokio::time::sleep(Duration::from_millis(300)).await;
                text(StatusCode::OK, "done")
            }
            "/stuck" => std::future::pending().await,
            "/panic" => panic!("a defect"),
            "/later" => problem(StatusCode::TOO_MANY_REQUESTS, "LATER", "Later."),
            "/turn" if ASKED.fetch_add(1, Ordering::SeqCst) % 2 == 1 => text(StatusCode::OK, "now"),
            "/turn" => in_a_moment(),
            "/never" => {
                NEVER.fetch_add(1, Ordering::SeqCst);
                in_a_moment()
            }
            "/body" => match read_body(request.body, 4).await {
                Ok(bytes) => text(StatusCode::OK, bytes),
                Err(error) => problem(error.status(), "BODY", &error.to_string()),
            },
            _ => text(StatusCode::OK, format!("{} {} {}", request.host, request.op.secure, request.op.source_ip)),
        }
    }
}

/// One too many; there is room in 100 ms.
fn in_a_moment() -> Answer {
    let mut answer = problem(StatusCode::TOO_MANY_REQUESTS, "LATER", "Later.");
    answer.extensions_mut().insert(kit::ComeAgain(100));
    answer
}

struct Running {
    address: SocketAddr,
    stopper: Stopper,
    leaving: Leaving,
    slots: Slots,
    reached: Arc<Notify>,
    metrics: Arc<HttpMetrics>,
    accepting: JoinHandle<()>,
}

fn impatient() -> Patience {
    Patience {
        handshake: Duration::from_millis(300),
        head: Duration::from_millis(300),
        stall: Duration::from_millis(900),
        hold_back: Duration::from_millis(200),
        turn: Duration::from_millis(300),
    }
}

fn serve(patience: Patience, tls: Option<Arc<Tls>>) -> Running {
    let listener = listen::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let reached = Arc::new(Notify::new());
    let metrics = Arc::new(HttpMetrics::register(&mut Metrics::default(), [("sample", "none")]));
    let edge = Edge::new(Arc::new(SystemClock), Arc::new(SystemRandom::open()));
    let app = Sample(Arc::clone(&reached));
    let (metrics_of, held_back) = (Arc::clone(&metrics), Semaphore::new(1));
    let turns = Semaphore::new(1);
    let leaving = Leaving::default();
    let (log, leaves) = (LogRequests::Off, leaving.clone());
    let frame =
        Arc::new(Frame { app, edge, log, metrics: metrics_of, patience, limit: None, limits: true, held_back, turns, leaving: leaves });
    let ((stopper, stop), slots) = (stop(), Slots::new(8));
    let accepting = tokio::spawn(accept(listener, tls, frame, slots.clone(), stop));
    Running { address, stopper, leaving, slots, reached, metrics, accepting }
}

/// Sends raw bytes and reads until the server closes in good order.
async fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let (answer, end) = exchange(address, bytes).await;
    end.expect("without a reset");
    answer
}

/// Sends raw bytes and reads until the server closes, somehow.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> (String, std::io::Result<usize>) {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let end = timeout(Duration::from_secs(5), socket.read_to_end(&mut answer)).await.expect("the server closes");
    (String::from_utf8_lossy(&answer).into_owned(), end)
}

async fn get(address: SocketAddr, path: &str, headers: &str) -> String {
    raw(address, format!("GET {path} HTTP/1.1\r\nhost: reg.example\r\nconnection: close\r\n{headers}\r\n").as_bytes()).await
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

fn request_id(answer: &str) -> Option<&str> {
    answer.lines().find_map(|line| line.strip_prefix("x-request-id: "))
}

#[tokio::test]
async fn every_answer_carries_a_request_id_of_ours() {
    let server = serve(Patience::default(), None);
    let answers = [
        get(server.address, "/", "x-request-id: mine\r\n").await,
        get(server.address, "/panic", "").await,
        get(server.address, "/", "host: other\r\n").await,
        get(server.address, "/", &format!("x-long: {}\r\n", "a".repeat(40_000))).await,
        get(server.address, "/", &"x-many: 1\r\n".repeat(80)).await,
        get(server.address, &format!("/{}", "a".repeat(20_000)), "").await,
        raw(server.address, b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n").await,
        raw(server.address, b"GET / HTTP/1.0\r\n\r\n").await,
    ];
    let statuses: Vec<_> = answers.iter().map(|a| status(a)).collect();
    assert_eq!(statuses, ["200", "500", "400", "431", "431", "414", "400", "200"]);
    let ids: std::collections::HashSet<_> = answers.iter().map(|a| request_id(a).expect("an id")).collect();
    assert_eq!(ids.len(), answers.len());
    assert!(!ids.contains("mine"));
    assert!(answers[0].ends_with("reg.example false 127.0.0.1"), "{}", answers[0]);
}

#[tokio::test]
async fn what_is_far_too_large_is_not_even_parsed() {
    let server = serve(Patience::default(), None);
    assert_eq!(status(&get(server.address, "/", &format!("x-long: {}\r\n", "a".repeat(100_000))).await), "431");
    assert_eq!(status(&get(server.address, "/", &"x-many: 1\r\n".repeat(300)).await), "431");
}

#[tokio::test]
async fn a_body_is_bounded_declared_or_not() {
    let server = serve(Patience::default(), None);
    let post = |rest: &str| format!("POST /body HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{rest}");
    assert!(raw(server.address, post("content-length: 4\r\n\r\nabcd").as_bytes()).await.ends_with("abcd"));
    assert_eq!(status(&raw(server.address, post("content-length: 5\r\n\r\nabcde").as_bytes()).await), "413");
    let chunked = "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n";
    assert_eq!(status(&raw(server.address, post(chunked).as_bytes()).await), "413");
    assert_eq!(status(&raw(server.address, post("transfer-encoding: chunked\r\n\r\nxyz\r\n").as_bytes()).await), "400");
}

#[tokio::test]
async fn a_client_that_goes_on_sending_still_reads_its_refusal() {
    let server = serve(Patience::default(), None);
    let head = "POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 3000000\r\n\r\n";
    let upload = [head.as_bytes(), &vec![b'x'; 3_000_000]].concat();
    assert_eq!(status(&raw(server.address, &upload).await), "413");
}

#[tokio::test]
async fn a_contradicting_length_is_refused() {
    let server = serve(Patience::default(), None);
    for smuggled in
        ["content-length: 4\r\ncontent-length: 5\r\n", "content-length: 4\r\ntransfer-encoding: gzip\r\n", "content-length: +4\r\n"]
    {
        assert_eq!(status(&get(server.address, "/", smuggled).await), "400", "{smuggled}");
    }
}

#[tokio::test]
async fn slow_heads_are_cut() {
    let server = serve(impatient(), None);
    for dribble in ["", "G", "PR", "GET / HTTP/1.1\r\nhost: a\r\n", "PRI * HTTP/2.0\r\n\r\n"] {
        // The helper fails when the server has not closed within five seconds.
        let (answer, _) = exchange(server.address, dribble.as_bytes()).await;
        assert!(!answer.contains("200 OK"), "{dribble}: {answer}");
    }
}

#[tokio::test]
async fn a_connection_that_moves_nothing_is_cut() {
    let server = serve(impatient(), None);
    assert_eq!(get(server.address, "/stuck", "").await, "");
    assert_eq!(server.metrics.in_flight.get(), 0);
}

#[tokio::test]
async fn a_request_under_way_finishes_when_the_server_stops() {
    let server = serve(Patience::default(), None);
    let idle = TcpStream::connect(server.address).await.unwrap();
    let running = tokio::spawn(async move { raw(server.address, b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await });
    server.reached.notified().await;
    server.stopper.stop();
    assert_eq!(server.slots.drained(Duration::from_secs(5)).await, 0);
    assert!(running.await.unwrap().ends_with("done"));
    server.accepting.await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody accepts any more");
    drop(idle);
}

#[tokio::test]
async fn a_server_that_is_about_to_stop_answers_and_keeps_no_connection() {
    let server = serve(Patience::default(), None);
    let kept = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
    let mut socket = TcpStream::connect(server.address).await.unwrap();
    socket.write_all(kept).await.unwrap();
    let mut first = [0; 12];
    socket.read_exact(&mut first).await.unwrap();
    server.leaving.begin();
    socket.write_all(kept).await.unwrap();
    let mut rest = String::new();
    socket.read_to_string(&mut rest).await.unwrap();
    assert!(rest.contains("HTTP/1.1 200") && rest.contains("connection: close"), "{rest}");
    assert_eq!(status(&raw(server.address, kept).await), "200");
}

#[tokio::test]
async fn the_stop_is_bounded() {
    let server = serve(Patience::default(), None);
    let mut stuck = TcpStream::connect(server.address).await.unwrap();
    stuck.write_all(b"GET /stuck HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    while server.metrics.in_flight.get() == 0 {
        tokio::task::yield_now().await;
    }
    server.stopper.stop();
    assert_eq!(server.slots.drained(Duration::from_millis(50)).await, 1);
}

#[tokio::test]
async fn at_the_cap_a_connection_waits() {
    let server = serve(impatient(), None);
    let held: Vec<_> = futures_util::future::join_all((0..8).map(|_| TcpStream::connect(server.address))).await;
    // The eight say nothing and are cut; then the ninth is served.
    assert_eq!(status(&get(server.address, "/", "").await), "200");
    drop(held);
}

#[tokio::test]
async fn http2_without_tls_works_by_prior_knowledge() {
    let server = serve(Patience::default(), None);
    let socket = TcpStream::connect(server.address).await.unwrap();
    let (mut client, connection) =
        hyper::client::conn::http2::handshake::<_, _, Empty<Bytes>>(TokioExecutor::new(), TokioIo::new(socket)).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::get("http://reg.example/").body(Empty::new()).unwrap();
    let answer = client.send_request(request).await.unwrap();
    assert_eq!((answer.status(), answer.version()), (StatusCode::OK, Version::HTTP_2));
    assert!(answer.headers().contains_key("x-request-id"));
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "reg.example false 127.0.0.1");
    let contradiction = http::Request::get("http://reg.example/").header("host", "other").body(Empty::new()).unwrap();
    assert_eq!(client.send_request(contradiction).await.unwrap().status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_resting_http2_connection_is_closed() {
    let server = serve(impatient(), None);
    let socket = TcpStream::connect(server.address).await.unwrap();
    let (mut client, connection) =
        hyper::client::conn::http2::handshake::<_, _, Empty<Bytes>>(TokioExecutor::new(), TokioIo::new(socket)).await.unwrap();
    let connection = tokio::spawn(connection);
    client.send_request(http::Request::get("http://a/").body(Empty::new()).unwrap()).await.unwrap();
    timeout(Duration::from_secs(5), connection).await.expect("the server closes").unwrap().unwrap();
}

/// Who opens no window takes no place from others, and is cut though its connection moves: by further requests, by signs of life.
#[tokio::test]
async fn answers_that_their_http2_client_does_not_take_hold_nothing() {
    let server = serve(impatient(), None);
    let socket = TcpStream::connect(server.address).await.unwrap();
    let mut builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
    builder.initial_stream_window_size(0);
    let (mut client, connection) = builder.handshake::<_, Empty<Bytes>>(TokioIo::new(socket)).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut kept = Vec::new();
    let asking = async {
        loop {
            let Ok(answer) = client.send_request(http::Request::get("http://a/").body(Empty::new()).unwrap()).await else { return };
            assert_eq!(server.metrics.in_flight.get(), 0, "an answer from memory is nobody's place");
            kept.push(answer);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_secs(5), asking).await.expect("the server cuts the connection");
    assert!(kept.len() > 3, "it was not cut at once: {}", kept.len());
    let _ = connection.await;
}

/// A folder with a new certificate for localhost.
fn certificate(folder: &tempfile::TempDir) -> TlsFiles {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = TlsFiles { cert: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
    std::fs::write(&files.cert, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    files
}

type TlsClient = tokio_rustls::client::TlsStream<TcpStream>;

async fn connect_tls(address: SocketAddr, trusted: CertificateDer<'static>, offered: &[&[u8]]) -> std::io::Result<TlsClient> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted).unwrap();
    let mut config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = offered.iter().map(|protocol| protocol.to_vec()).collect();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    connector.connect(ServerName::try_from("localhost").unwrap(), TcpStream::connect(address).await?).await
}

async fn over_tls(address: SocketAddr, trusted: CertificateDer<'static>) -> std::io::Result<String> {
    let mut stream = connect_tls(address, trusted, &[]).await?;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn tls_from_files_that_can_change() {
    install_crypto_provider();
    let folder = tempfile::tempdir().unwrap();
    let files = certificate(&folder);
    let old = CertificateDer::from_pem_file(&files.cert).unwrap();
    let tls = Arc::new(Tls::read(files).unwrap());
    let server = serve(Patience::default(), Some(Arc::clone(&tls)));
    assert!(over_tls(server.address, old.clone()).await.unwrap().ends_with("localhost true 127.0.0.1"));

    let files = certificate(&folder);
    let (new, key) = (CertificateDer::from_pem_file(&files.cert).unwrap(), std::fs::read(&files.key).unwrap());
    std::fs::write(&files.key, "nonsense").unwrap();
    assert!(tls.reload().is_err());
    assert!(over_tls(server.address, old.clone()).await.is_ok(), "the certificate in force stays");

    std::fs::write(&files.key, key).unwrap();
    tls.reload().unwrap();
    assert!(over_tls(server.address, new).await.is_ok());
    assert!(over_tls(server.address, old).await.is_err());
}

#[tokio::test]
async fn who_is_told_to_come_back_later_is_told_so_late_as_far_as_there_is_room() {
    let server = serve(Patience { hold_back: Duration::from_millis(700), ..Patience::default() }, None);
    let begin = tokio::time::Instant::now();
    let ask = || async {
        let answer = get(server.address, "/later", "").await;
        (answer, begin.elapsed())
    };
    // There is room for one of them, whichever comes first.
    let ((one, one_after), (other, other_after)) = tokio::join!(ask(), ask());
    assert_eq!((status(&one), status(&other)), ("429", "429"));
    let (soon, late) = (one_after.min(other_after), one_after.max(other_after));
    assert!(late >= Duration::from_millis(700), "held back: {late:?}");
    assert!(soon + Duration::from_millis(350) < late, "no room to wait: {soon:?}, {late:?}");
}

#[tokio::test]
async fn what_is_one_too_many_waits_for_its_turn_and_is_asked_again_once_there_is_room() {
    let server = serve(impatient(), None);
    let begin = tokio::time::Instant::now();
    let answer = get(server.address, "/turn", "").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("now"), "{answer}");
    assert!(begin.elapsed() >= Duration::from_millis(100), "{:?}", begin.elapsed());
    assert_eq!(ASKED.load(Ordering::SeqCst), 2);
    // Its body is gone.
    let answer = raw(server.address, b"POST /turn HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 1\r\n\r\nx").await;
    assert_eq!((status(&answer), ASKED.load(Ordering::SeqCst)), ("429", 3));
    // It never comes: not for ever. There is room for one, whichever comes first: it has three turns, and the other has none.
    let begin = tokio::time::Instant::now();
    let (one, other) = tokio::join!(get(server.address, "/never", ""), get(server.address, "/never", ""));
    assert_eq!((status(&one), status(&other)), ("429", "429"));
    assert_eq!(NEVER.load(Ordering::SeqCst), 4 + 1);
    assert!(begin.elapsed() >= Duration::from_millis(300), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn over_tls_the_better_of_what_is_offered_is_spoken() {
    install_crypto_provider();
    let folder = tempfile::tempdir().unwrap();
    let files = certificate(&folder);
    let trusted = CertificateDer::from_pem_file(&files.cert).unwrap();
    let server = serve(Patience::default(), Some(Arc::new(Tls::read(files).unwrap())));
    let both = [&b"h2"[..], b"http/1.1"];
    for (offered, spoken) in [(&both[..], Some("http/1.1")), (&both[..1], Some("h2")), (&[], None)] {
        let stream = connect_tls(server.address, trusted.clone(), offered).await.unwrap();
        let session = stream.get_ref().1;
        assert_eq!(session.alpn_protocol(), spoken.map(str::as_bytes));
        assert_eq!(session.negotiated_cipher_suite().unwrap().suite(), rustls::CipherSuite::TLS13_AES_128_GCM_SHA256);
    }
}

#[tokio::test]
async fn bad_tls_files_are_named() {
    install_crypto_provider();
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (files, stranger) = (certificate(&folder), certificate(&other));
    let message = |cert: &std::path::Path, key: &std::path::Path| {
        Tls::read(TlsFiles { cert: cert.to_owned(), key: key.to_owned() }).unwrap_err().to_string()
    };
    assert!(message(&files.cert, &stranger.key).contains("does not go with the certificate"));
    assert!(message(&files.key, &files.key).contains("there is no certificate in it"));
    assert!(message(&folder.path().join("none"), &files.key).contains("/none cannot be read"));
}

#[tokio::test]
async fn a_silent_tls_client_is_cut() {
    install_crypto_provider();
    let folder = tempfile::tempdir().unwrap();
    let server = serve(impatient(), Some(Arc::new(Tls::read(certificate(&folder)).unwrap())));
    assert_eq!(raw(server.address, b"").await, "");
}

#[tokio::test]
async fn a_taken_port_is_named_with_what_to_do() {
    let server = serve(Patience::default(), None);
    let refused = listen::listen(server.address).unwrap_err().to_string();
    let want =
        format!("{} is already in use by another program; stop that program, or choose another address with --listen", server.address);
    assert_eq!(refused, want);
}
