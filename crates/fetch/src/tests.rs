//! Real sockets, a real TLS server, a resolver that lies.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderValue, StatusCode};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use crate::{Call, FetchError, Fetcher, Reach, Redirects, Terms, Trust, Url};

/// A server that gives its answers one after the other, a connection each, and passes on what it was asked.
struct Server {
    address: SocketAddr,
    asked: mpsc::UnboundedReceiver<String>,
}

impl Server {
    async fn answering(answers: Vec<Vec<u8>>) -> Self {
        Self::start(answers, None).await
    }

    async fn start(answers: Vec<Vec<u8>>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, asked) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            for answer in answers {
                let (socket, _) = listener.accept().await.unwrap();
                match &tls {
                    None => serve(socket, &answer, &tell).await,
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(socket).await {
                            serve(stream, &answer, &tell).await;
                        }
                    }
                }
            }
        });
        Self { address, asked }
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &[u8], tell: &mpsc::UnboundedSender<String>) {
    let mut head = Vec::new();
    let mut chunk = [0; 4096];
    while !head.windows(4).any(|w| w == b"\r\n\r\n") {
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return,
            Ok(n) => head.extend_from_slice(&chunk[..n]),
        }
    }
    // A test that does not look is no failure.
    let _ = tell.send(String::from_utf8(head).unwrap());
    let _ = stream.write_all(answer).await;
    let _ = stream.shutdown().await;
}

fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn moved(location: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

fn inside() -> Terms {
    Terms { reach: Reach::Internal, time: Duration::from_secs(5), ..Terms::default() }
}

/// A resolver that gives each of these answers once, then the last for ever.
fn resolving(answers: &[&[&str]]) -> Fetcher {
    let answers: Vec<Vec<IpAddr>> = answers.iter().map(|a| a.iter().map(|ip| ip.parse().unwrap()).collect()).collect();
    let turn = Arc::new(AtomicUsize::new(0));
    let lookup = move |_host| -> crate::Looked {
        let answer = answers.get(turn.fetch_add(1, Ordering::SeqCst)).or_else(|| answers.last()).cloned().unwrap_or_default();
        Box::pin(async move { Ok(answer) })
    };
    Fetcher::with_lookup(lookup).unwrap()
}

#[tokio::test]
async fn get_and_post_say_what_was_asked() {
    let mut server = Server::answering(vec![ok("one"), ok("two")]).await;
    let fetcher = Fetcher::new().unwrap();
    let get = Call::get(server.url("/a?b=c")).with_header(AUTHORIZATION, HeaderValue::from_static("Bearer x"));
    let answer = fetcher.send(get, &inside()).await.unwrap();
    assert_eq!((answer.status(), &answer.body()[..]), (StatusCode::OK, &b"one"[..]));
    let asked = server.asked.recv().await.unwrap();
    assert!(asked.starts_with("GET /a?b=c HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains(&format!("host: {}\r\n", server.address)) && asked.contains("authorization: Bearer x\r\n"), "{asked}");

    let answer = fetcher.send(Call::post(server.url("/"), "application/json", "{}"), &inside()).await.unwrap();
    assert_eq!(&answer.body()[..], b"two");
    let asked = server.asked.recv().await.unwrap();
    assert!(asked.starts_with("POST / HTTP/1.1\r\n") && asked.contains("content-length: 2\r\n"), "{asked}");
    assert!(asked.contains("content-type: application/json\r\n"), "{asked}");
}

#[tokio::test]
async fn cve_2020_13788_internal_addresses_are_refused_unless_allowed() {
    let mut server = Server::answering(vec![ok("")]).await;
    let fetcher = Fetcher::new().unwrap();
    let refused = fetcher.send(Call::get(server.url("/")), &Terms::default()).await.unwrap_err();
    assert_eq!(refused, FetchError::Plain { host: "127.0.0.1".to_owned() });
    let port = server.address.port();
    // However loopback is spelled: as a name, as a number, mapped, in octal, in hex.
    for host in ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0177.0.0.1", "0x7f.1", "127.1"] {
        let url = Url::parse(&format!("https://{host}:{port}/")).unwrap();
        match fetcher.send(Call::get(url), &Terms::default()).await {
            Err(FetchError::Internal { address, .. }) => assert!(address.to_canonical().is_loopback(), "{host}: {address}"),
            // A resolver that does not know such spellings is as good.
            Err(FetchError::Unresolved { .. }) => assert!(host.starts_with(|c: char| c.is_ascii_digit()), "{host}"),
            other => panic!("{host}: {other:?}"),
        }
    }
    assert!(server.asked.try_recv().is_err(), "nothing was asked");
}

#[tokio::test]
async fn metadata_services_are_out_of_reach_for_everybody() {
    let fetcher = Fetcher::new().unwrap();
    for host in ["169.254.169.254", "100.100.100.200", "[fd00:ec2::254]", "0.0.0.0", "[::]", "[::ffff:169.254.169.254]"] {
        let url = Url::parse(&format!("http://{host}/latest/meta-data/")).unwrap();
        let refused = fetcher.send(Call::get(url), &inside()).await.unwrap_err();
        assert!(matches!(refused, FetchError::Internal { .. }), "{host}: {refused:?}");
    }
}

#[tokio::test]
async fn one_internal_address_among_public_ones_spoils_the_name() {
    let fetcher = resolving(&[&["8.8.8.8", "10.0.0.1"]]);
    let refused = fetcher.send(Call::get(Url::parse("https://issuer.example/").unwrap()), &Terms::default()).await.unwrap_err();
    assert_eq!(refused, FetchError::Internal { host: "issuer.example".to_owned(), address: "10.0.0.1".parse().unwrap() });
}

/// DNS rebinding: the name is resolved once, and the connection goes where that answer said.
#[tokio::test]
async fn the_judged_address_is_the_one_connected_to() {
    let mut server = Server::answering(vec![ok("here")]).await;
    let fetcher = resolving(&[&["127.0.0.1"], &["192.0.2.1"]]);
    let url = Url::parse(&format!("http://issuer.example:{}/", server.address.port())).unwrap();
    let answer = fetcher.send(Call::get(url), &inside()).await.unwrap();
    assert_eq!(&answer.body()[..], b"here");
    assert!(server.asked.recv().await.unwrap().contains("host: issuer.example:"));

    let fetcher = resolving(&[&["198.51.100.7"], &["127.0.0.1"]]);
    let url = Url::parse(&format!("https://issuer.example:{}/", server.address.port())).unwrap();
    let refused = fetcher.send(Call::get(url), &Terms::default()).await.unwrap_err();
    assert!(matches!(refused, FetchError::Internal { .. }), "the first answer decides: {refused:?}");
}

#[tokio::test]
async fn names_without_an_address_and_ports_without_a_server() {
    let nobody = Fetcher::with_lookup(|_| Box::pin(async { Err(io::Error::other("no such name")) })).unwrap();
    let url = Url::parse("https://issuer.example/").unwrap();
    let refused = nobody.send(Call::get(url.clone()), &Terms::default()).await.unwrap_err();
    assert_eq!(refused, FetchError::Unresolved { host: "issuer.example".to_owned() });
    assert!(matches!(resolving(&[&[]]).send(Call::get(url), &Terms::default()).await, Err(FetchError::Unresolved { .. })));
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = Url::parse(&format!("http://{closed}/")).unwrap();
    assert!(matches!(Fetcher::new().unwrap().send(Call::get(url), &inside()).await, Err(FetchError::Unreachable { .. })));
}

#[tokio::test]
async fn answers_are_bounded_in_bytes_however_their_length_is_said() {
    let chunked =
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n".iter().chain(&[b'x'; 64]).chain(b"\r\n0\r\n\r\n").copied().collect();
    let unsaid = b"HTTP/1.1 200 OK\r\n\r\n".iter().chain(&[b'x'; 64]).copied().collect();
    let server = Server::answering(vec![ok(&"x".repeat(64)), ok(&"x".repeat(64)), chunked, unsaid]).await;
    let fetcher = Fetcher::new().unwrap();
    let bounded = |bytes| Terms { bytes, ..inside() };
    assert_eq!(fetcher.send(Call::get(server.url("/")), &bounded(64)).await.unwrap().body().len(), 64);
    for how in ["by length", "in chunks", "until the end"] {
        let refused = fetcher.send(Call::get(server.url("/")), &bounded(63)).await.unwrap_err();
        assert_eq!(refused, FetchError::TooLarge { host: "127.0.0.1".to_owned(), limit: 63 }, "{how}");
    }
}

#[tokio::test]
async fn heads_are_bounded_and_what_is_not_http_is_said() {
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(64 * 1024)).into_bytes();
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(100)).into_bytes();
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort".to_vec();
    let server = Server::answering(vec![long, many, b"SSH-2.0-OpenSSH\r\n".to_vec(), cut]).await;
    let fetcher = Fetcher::new().unwrap();
    for what in ["a long head", "many headers", "another protocol", "a body cut short"] {
        let refused = fetcher.send(Call::get(server.url("/")), &inside()).await.unwrap_err();
        assert!(matches!(refused, FetchError::Broken { .. }), "{what}: {refused:?}");
    }
}

#[tokio::test]
async fn whoever_is_slow_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let soon = Terms { time: Duration::from_millis(200), ..inside() };
    let silent = Fetcher::new().unwrap().send(Call::get(url), &soon).await.unwrap_err();
    assert_eq!(silent, FetchError::TimedOut { host: "127.0.0.1".to_owned() });

    let asleep = Fetcher::with_lookup(|_| Box::pin(std::future::pending())).unwrap();
    let url = Url::parse("https://issuer.example/").unwrap();
    let soon = Terms { time: Duration::from_millis(20), ..Terms::default() };
    assert!(matches!(asleep.send(Call::get(url), &soon).await, Err(FetchError::TimedOut { .. })), "resolving counts");
}

#[tokio::test]
async fn cve_2026_2376_redirects_are_followed_as_often_as_was_said_and_judged_again() {
    let fetcher = Fetcher::new().unwrap();
    let following = |n| Terms { redirects: Redirects::Follow(n), ..inside() };
    let mut other = Server::answering(vec![ok("there")]).await;
    let mut server = Server::answering(vec![moved("/next"), moved(&other.url("/x").to_string())]).await;
    let call = Call::get(server.url("/")).with_header(AUTHORIZATION, HeaderValue::from_static("Bearer secret"));
    let answer = fetcher.send(call, &following(2)).await.unwrap();
    assert_eq!(&answer.body()[..], b"there");
    server.asked.recv().await.unwrap();
    assert!(server.asked.recv().await.unwrap().contains("Bearer secret"), "the same origin");
    assert!(!other.asked.recv().await.unwrap().contains("secret"), "another origin");

    for (answer, terms) in [
        (moved("/"), inside()),
        (moved("/"), following(0)),
        (moved("ftp://a/"), following(3)),
        (moved("gopher"), following(3)),
        (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n".to_vec(), following(3)),
    ] {
        let server = Server::answering(vec![answer]).await;
        let refused = fetcher.send(Call::get(server.url("/")), &terms).await.unwrap_err();
        assert!(matches!(refused, FetchError::Redirected { .. }), "{refused:?}");
    }
    let server = Server::answering(vec![moved("http://169.254.169.254/latest/")]).await;
    let refused = fetcher.send(Call::get(server.url("/")), &following(3)).await.unwrap_err();
    assert!(matches!(refused, FetchError::Internal { .. }), "{refused:?}");
    let server = Server::answering(vec![moved("/")]).await;
    let refused = fetcher.send(Call::post(server.url("/"), "text/plain", ""), &following(3)).await.unwrap_err();
    assert!(matches!(refused, FetchError::Redirected { .. }), "a POST is not sent elsewhere: {refused:?}");
}

/// An authority, and a server of TLS with a certificate of it for these names.
async fn tls_server(names: &[&str], answers: Vec<Vec<u8>>) -> (String, Server) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
    (authority.pem(), Server::start(answers, Some(TlsAcceptor::from(Arc::new(config)))).await)
}

#[tokio::test]
async fn tls_with_an_authority_of_ones_own() {
    let (pem, server) = tls_server(&["issuer.example"], vec![ok("keys"); 3]).await;
    let fetcher = resolving(&[&["127.0.0.1"]]);
    let at = |host: &str| Call::get(Url::parse(&format!("https://{host}:{}/", server.address.port())).unwrap());
    let own = Terms { trust: Trust::own(&pem).unwrap(), ..inside() };
    let stranger = fetcher.send(at("issuer.example"), &inside()).await.unwrap_err();
    assert!(matches!(stranger, FetchError::Untrusted { .. }), "{stranger:?}");
    let misnamed = fetcher.send(at("other.example"), &own).await.unwrap_err();
    assert!(matches!(misnamed, FetchError::Untrusted { .. }), "{misnamed:?}");
    let answer = fetcher.send(at("issuer.example"), &own).await.unwrap();
    assert_eq!(&answer.body()[..], b"keys");
}

#[tokio::test]
async fn https_never_leads_to_http() {
    let (pem, server) = tls_server(&["issuer.example"], vec![moved("http://issuer.example/")]).await;
    let terms = Terms { trust: Trust::own(&pem).unwrap(), redirects: Redirects::Follow(3), ..inside() };
    let url = Url::parse(&format!("https://issuer.example:{}/", server.address.port())).unwrap();
    let refused = resolving(&[&["127.0.0.1"]]).send(Call::get(url), &terms).await.unwrap_err();
    assert_eq!(refused, FetchError::Redirected { host: "issuer.example".to_owned(), problem: "from https to http" });
}

#[test]
fn an_own_authority_is_certificates() {
    for bad in ["", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(matches!(Trust::own(bad), Err(FetchError::Certificates(_))), "{bad}");
    }
}
