//! Bytes that are hardly HTTP, or HTTP that two readers could read in two ways.

use crate::support::http::{Ask, raw};
use crate::support::node::{Node, Settings};

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

#[test]
fn no_bytes_make_it_fail_or_read_one_request_as_two() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(Settings::in_folder(folder.path(), "data"));
    let post = "POST /v2/a/blobs/uploads/ HTTP/1.1\r\nhost: a\r\n";
    let smuggled = "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n";
    let many = "x: 1\r\n".repeat(200);
    for (what, bytes) in [
        ("nothing", String::new()),
        ("no HTTP", "hello\r\n\r\n".to_owned()),
        ("TLS", "\u{16}\u{3}\u{1}\u{2}\u{0}".to_owned()),
        ("half of HTTP/2", "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n".to_owned()),
        ("HTTP/0.9", "GET /\r\n".to_owned()),
        ("another version", "GET / HTTP/3.7\r\nhost: a\r\n\r\n".to_owned()),
        ("no host", "GET /v2/ HTTP/1.1\r\n\r\n".to_owned()),
        ("two hosts", "GET /v2/ HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n".to_owned()),
        ("another host in the target", "GET http://b/v2/ HTTP/1.1\r\nhost: a\r\n\r\n".to_owned()),
        ("a host with a quote", "GET /v2/ HTTP/1.1\r\nhost: a\"b\r\n\r\n".to_owned()),
        ("two lengths", format!("{post}content-length: 5\r\ncontent-length: 6\r\n\r\nabcdef")),
        ("a length and chunks", format!("{post}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}")),
        ("chunks twice", format!("{post}transfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n")),
        ("chunks not last", format!("{post}transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n{smuggled}")),
        ("a space before the colon", format!("{post}transfer-encoding : chunked\r\n\r\n0\r\n\r\n{smuggled}")),
        ("a signed length", format!("{post}content-length: +5\r\n\r\nabcde{smuggled}")),
        ("a negative length", format!("{post}content-length: -1\r\n\r\n{smuggled}")),
        ("a huge length", format!("{post}content-length: 99999999999999999999999\r\n\r\n")),
        ("a length that does not come", format!("{post}content-length: 500\r\n\r\nabc")),
        ("a chunk of a wrong size", format!("{post}transfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n")),
        ("a huge chunk", format!("{post}transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc")),
        ("a folded header", "GET /v2/ HTTP/1.1\r\nhost: a\r\nx: a\r\n b\r\n\r\n".to_owned()),
        ("a bare carriage return", format!("GET /v2/ HTTP/1.1\r\nhost: a\r\nx: a\rtransfer-encoding: chunked\r\n\r\n{smuggled}")),
        ("a zero byte", "GET /v2/\0 HTTP/1.1\r\nhost: a\r\n\r\n".to_owned()),
        ("a long header", format!("GET /v2/ HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "a".repeat(200_000))),
        ("a long target", format!("GET /v2/{} HTTP/1.1\r\nhost: a\r\n\r\n", "a".repeat(200_000))),
        ("many headers", format!("GET /v2/ HTTP/1.1\r\nhost: a\r\n{many}\r\n")),
        ("a target of stars", "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n".to_owned()),
        ("a tunnel", "CONNECT 127.0.0.1:22 HTTP/1.1\r\nhost: a\r\n\r\n".to_owned()),
        ("a trace", "TRACE /v2/ HTTP/1.1\r\nhost: a\r\nauthorization: Basic c2VjcmV0\r\n\r\n".to_owned()),
        ("a made-up method", "PROPFIND /v2/ HTTP/1.1\r\nhost: a\r\n\r\n".to_owned()),
        ("an upgrade", "GET /v2/ HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n".to_owned()),
    ] {
        let answer = raw(node.address(), bytes.as_bytes());
        let status = status(&answer);
        assert!(status == 0 || (400..500).contains(&status), "{what}: {answer}");
        assert!(!answer.contains("HTTP/1.1 200"), "{what}: what stood in a body was answered: {answer}");
        assert!(!answer.contains("c2VjcmV0"), "{what}: sent back");
        assert_eq!(node.send(&Ask::get("/healthz")).status, 200, "{what}: it does not answer any more");
    }
    assert!(!node.log().contains("panicked"), "{}", node.log());
}
