//! The TLS port: silence, crumbs, noise and other protocols, while others are served.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::load::unimpressed;
use crate::support::content;
use crate::support::node::{Node, Settings, free_address};

/// A node that speaks TLS, and a client's configuration that trusts it.
fn node(folder: &Path) -> (Node, Arc<ClientConfig>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&cert).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let probe = free_address();
    let settings = Settings::in_folder(folder, "data").set("TIDEGATE_ADMIN_LISTEN", &probe);
    let settings = settings.set("TIDEGATE_TLS_CERT", cert.to_str().unwrap()).set("TIDEGATE_TLS_KEY", key.to_str().unwrap());
    (Node::start(Settings { probe: Some(probe), ..settings }), Arc::new(config))
}

/// A guest who does everything right.
fn healthz(node: &Node, config: &Arc<ClientConfig>) -> String {
    let session = ClientConnection::new(Arc::clone(config), ServerName::try_from("localhost").unwrap()).unwrap();
    let socket = TcpStream::connect(node.address()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    let mut stream = StreamOwned::new(session, socket);
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

/// The first record of a real handshake.
fn client_hello(config: &Arc<ClientConfig>) -> Vec<u8> {
    let mut session = ClientConnection::new(Arc::clone(config), ServerName::try_from("localhost").unwrap()).unwrap();
    let mut hello = Vec::new();
    session.write_tls(&mut hello).unwrap();
    hello
}

/// All that comes back before the server closes.
fn told(node: &Node, bytes: &[u8]) -> Vec<u8> {
    let mut socket = TcpStream::connect(node.address()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
    // It may close before it has read everything.
    let _ = socket.write_all(bytes);
    let mut answer = Vec::new();
    let end = socket.read_to_end(&mut answer);
    let still_open = end.is_err_and(|error| matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut));
    assert!(!still_open, "the server does not close");
    answer
}

#[test]
fn noise_on_the_tls_port_is_closed_and_learns_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (node, config) = node(folder.path());
    let hello = client_hello(&config);
    let mut broken = hello.clone();
    broken[20..60].reverse();
    for (what, bytes) in [
        ("plain HTTP/1.1", b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n".to_vec()),
        ("plain HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec()),
        ("SSH", b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
        ("noise", content(5, 100_000)),
        ("SSL 2", b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10".repeat(10)),
        ("a record too large", [b"\x16\x03\x01\xff\xff".to_vec(), content(6, 70_000)].concat()),
        ("an alert", b"\x15\x03\x01\x00\x02\x02\x28".to_vec()),
        ("data before a handshake", [b"\x17\x03\x03\x00\x20".to_vec(), content(7, 32)].concat()),
        ("a hello twice", [hello.clone(), hello.clone()].concat()),
        ("a hello of another shape", [broken, vec![0; 4_000]].concat()),
        ("records of nothing", b"\x16\x03\x01\x00\x00".repeat(20_000)),
    ] {
        let answer = told(&node, &bytes);
        assert!(!answer.windows(4).any(|window| window == b"HTTP"), "{what}: {}", String::from_utf8_lossy(&answer));
        unimpressed(&node, what);
    }
    assert!(healthz(&node, &config).starts_with("HTTP/1.1 200"));
}

#[test]
fn slow_and_half_open_handshakes_keep_nobody_waiting_and_are_cut() {
    let folder = tempfile::tempdir().unwrap();
    let (node, config) = node(folder.path());
    let hello = client_hello(&config);
    let mut held = Vec::new();
    for n in 0..600 {
        let mut socket = TcpStream::connect(node.address()).unwrap();
        // Nothing, a crumb, all but the end, all of it without what comes next, or half closed.
        let sent = match n % 5 {
            0 => 0,
            1 => 3,
            2 => hello.len() - 1,
            _ => hello.len(),
        };
        socket.write_all(&hello[..sent]).unwrap();
        if n % 5 == 4 {
            socket.shutdown(Shutdown::Write).unwrap();
        }
        held.push(socket);
    }
    unimpressed(&node, "600 handshakes that do not go on");
    assert!(healthz(&node, &config).starts_with("HTTP/1.1 200"));
    // A crumb a second does not keep one open.
    let mut crumbs = TcpStream::connect(node.address()).unwrap();
    crumbs.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    let cut = hello.iter().take(14).any(|byte| {
        std::thread::sleep(Duration::from_secs(1));
        crumbs.write_all(&[*byte]).is_err() || matches!(crumbs.read(&mut [0; 8]), Ok(0))
    });
    assert!(cut, "a handshake may take as long as its client likes");
    for socket in &mut held {
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let end = std::io::copy(socket, &mut std::io::sink());
        let open = end.is_err_and(|error| matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut));
        assert!(!open, "a handshake that did not go on is still open");
    }
    unimpressed(&node, "600 cut handshakes");
}

/// Handshakes that end before their first request, one after the other: nothing stays behind.
#[test]
fn handshakes_that_are_broken_off_leave_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (node, config) = node(folder.path());
    let hello = client_hello(&config);
    for _ in 0..1_000 {
        let mut socket = TcpStream::connect(node.address()).unwrap();
        socket.write_all(&hello).unwrap();
    }
    unimpressed(&node, "1,000 handshakes broken off");
    assert!(healthz(&node, &config).starts_with("HTTP/1.1 200"));
}
