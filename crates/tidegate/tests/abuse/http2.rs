//! HTTP/2, frame by frame: floods that cost a client nothing, and the server nothing either.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::load::unimpressed;
use crate::support::http::Ask;
use crate::support::node::{Node, Settings};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `SETTINGS_INITIAL_WINDOW_SIZE`.
const INITIAL_WINDOW: u16 = 4;

/// A connection that does exactly what it is told, and reads nothing unless asked to.
struct Client(TcpStream);

impl Client {
    fn open(node: &Node) -> Self {
        Self::with_window(node, 65_535)
    }

    fn with_window(node: &Node, window: u32) -> Self {
        let socket = TcpStream::connect(node.address()).unwrap();
        socket.set_nodelay(true).unwrap();
        socket.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(1500))).unwrap();
        let mut client = Self(socket);
        client.0.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
        let setting = [&INITIAL_WINDOW.to_be_bytes()[..], &window.to_be_bytes()].concat();
        client.send(&frame(SETTINGS, 0, 0, &setting)).unwrap();
        client
    }

    fn send(&mut self, frames: &[u8]) -> io::Result<()> {
        self.0.write_all(frames)
    }

    /// Sends it so many times, as long as the server listens: how often it did.
    fn flood(&mut self, times: u32, mut frames: impl FnMut(u32) -> Vec<u8>) -> u32 {
        for sent in 0..times {
            if self.send(&frames(sent)).is_err() {
                return sent;
            }
        }
        times
    }

    /// Frames until the server closes or says nothing for long: type, flags, stream and payload.
    fn frames(&mut self) -> Vec<(u8, u8, u32, Vec<u8>)> {
        let mut all = Vec::new();
        let mut head = [0; 9];
        while self.0.read_exact(&mut head).is_ok() {
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            if self.0.read_exact(&mut payload).is_err() {
                break;
            }
            all.push((head[3], head[4], stream, payload));
            if head[3] == GOAWAY {
                break;
            }
        }
        all
    }

    /// It was told to leave, or cut.
    fn is_sent_away(&mut self) -> bool {
        let frames = self.frames();
        if frames.iter().any(|(kind, ..)| *kind == GOAWAY) {
            return true;
        }
        // Closed without a word (unread input makes the kernel reset it): further writes fail.
        (0..50).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            self.send(&frame(PING, 0, 0, &[0; 8])).is_err()
        })
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A header that stands whole in the block, and in no table.
fn literal(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| {
        let mut bytes = vec![];
        // An integer with a prefix of seven bits.
        let mut length = text.len();
        if length < 127 {
            bytes.push(u8::try_from(length).unwrap());
        } else {
            bytes.push(127);
            length -= 127;
            while length >= 128 {
                bytes.push(u8::try_from(length % 128).unwrap() | 0x80);
                length /= 128;
            }
            bytes.push(u8::try_from(length).unwrap());
        }
        bytes.extend_from_slice(text.as_bytes());
        bytes
    };
    [vec![0], text(name), text(value)].concat()
}

fn request(method: &str, path: &str) -> Vec<u8> {
    [literal(":method", method), literal(":scheme", "http"), literal(":path", path), literal(":authority", "a")].concat()
}

/// The number of the n-th stream that a client opens.
const fn stream(n: u32) -> u32 {
    2 * n + 1
}

fn node(folder: &tempfile::TempDir) -> Node {
    Node::start(Settings::in_folder(folder.path(), "data").set("TIDEGATE_LOG_REQUESTS", "off"))
}

fn get(n: u32, path: &str) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, stream(n), &request("GET", path))
}

#[test]
fn a_client_of_frames_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(&folder);
    let mut client = Client::open(&node);
    client.send(&get(0, "/healthz")).unwrap();
    let frames = client.frames();
    let answered = frames.iter().any(|(kind, _, on, payload)| (*kind, *on) == (HEADERS, 1) && payload[0] == 0x88);
    assert!(answered, "`:status: 200` is 0x88: {frames:?}");
}

/// CVE-2023-44487: requests that are taken back at once.
#[test]
fn cve_2023_44487_a_rapid_reset_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(&folder);
    let mut client = Client::open(&node);
    let sent = client.flood(50_000, |n| [get(n, "/v2/"), frame(RST_STREAM, 0, stream(n), &8_u32.to_be_bytes())].concat());
    unimpressed(&node, &format!("{sent} requests taken back"));
    // Reset in one packet each hundred, so that none of them is looked at before its end.
    let mut client = Client::open(&node);
    let pair = |n| [get(n, "/v2/"), frame(RST_STREAM, 0, stream(n), &8_u32.to_be_bytes())].concat();
    let sent = client.flood(500, |n| (0..100).flat_map(|more| pair(n * 100 + more)).collect());
    unimpressed(&node, &format!("{sent} hundreds of requests taken back"));
    assert!(sent < 500 || client.is_sent_away(), "all of it was taken");
}

/// CVE-2025-8671: streams that the server itself has to reset, for errors of the client.
#[test]
fn cve_2025_8671_made_you_reset_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(&folder);
    let mut client = Client::open(&node);
    // A window that grows too large is an error of its stream alone.
    let sent = client.flood(20_000, |n| [get(n, "/v2/"), frame(WINDOW_UPDATE, 0, stream(n), &0x7fff_ffff_u32.to_be_bytes())].concat());
    unimpressed(&node, &format!("{sent} streams reset"));
    assert!(sent < 20_000 || client.is_sent_away(), "all of it was taken");
}

/// CVE-2024-27316 and others: a header block without an end.
#[test]
fn cve_2024_27316_a_continuation_flood_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(&folder);
    for filler in [literal("x", &"a".repeat(16_000)), literal("x", ""), Vec::new()] {
        let mut client = Client::open(&node);
        client.send(&frame(HEADERS, END_STREAM, 1, &request("GET", "/v2/"))).unwrap();
        let sent = client.flood(100_000, |_| frame(CONTINUATION, 0, 1, &filler));
        unimpressed(&node, &format!("{sent} continuations of {} bytes", filler.len()));
        assert!(sent < 100_000 || client.is_sent_away(), "all of it was taken");
    }
}

/// A kilobyte that stands for megabytes: one long header in the table, named thousands of times.
#[test]
fn cve_2016_6581_a_bomb_of_headers_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(&folder);
    let mut client = Client::open(&node);
    // With indexing (0x40), so that it is entry 62 of the table from now on.
    let mut long = literal("x", &"a".repeat(3_900));
    long[0] = 0x40;
    client.send(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &[request("GET", "/healthz"), long].concat())).unwrap();
    let bomb = [request("GET", "/healthz"), vec![0x80 | 0x3e; 12_000]].concat();
    client.flood(50, |n| frame(HEADERS, END_STREAM | END_HEADERS, stream(n + 1), &bomb));
    unimpressed(&node, "50 bombs of 47 MB");
    let answered = client.frames().iter().filter(|(kind, _, on, payload)| *kind == HEADERS && *on > 1 && payload[0] == 0x88).count();
    assert_eq!(answered, 0, "a bomb was taken for a request");
}

#[test]
fn a_list_of_headers_too_large_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(&folder);
    let mut client = Client::open(&node);
    let long = literal("x", &"a".repeat(12_000));
    let mut frames = frame(HEADERS, END_STREAM, 1, &[request("GET", "/healthz"), long.clone()].concat());
    frames.extend((0..4).flat_map(|n| frame(CONTINUATION, if n == 3 { END_HEADERS } else { 0 }, 1, &long)));
    client.send(&frames).unwrap();
    let healthy = client.frames().iter().any(|(kind, _, _, payload)| *kind == HEADERS && payload[0] == 0x88);
    assert!(!healthy, "60,000 bytes of headers were taken");
    unimpressed(&node, "a long list of headers");
}

/// Uploads that begin and never go on, more than a connection may have.
#[test]
fn more_streams_than_a_connection_may_have_are_refused_and_hold_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(&folder);
    let mut clients: Vec<Client> = (0..20).map(|_| Client::open(&node)).collect();
    for client in &mut clients {
        let post = request("POST", "/api/v1/oauth2/token");
        client.flood(1_000, |n| [frame(HEADERS, END_HEADERS, stream(n), &post), frame(DATA, 0, stream(n), b"a")].concat());
    }
    unimpressed(&node, "20,000 bodies that do not come");
    let frames = clients[0].frames();
    let refused = frames.iter().filter(|(kind, _, _, payload)| *kind == RST_STREAM && payload[..] == 7_u32.to_be_bytes()).count();
    let sent_away = frames.iter().any(|(kind, ..)| *kind == GOAWAY);
    assert!(refused > 500 || sent_away, "{refused} refused");
}

/// Answers that nobody takes: with a window of nothing they stay, and must take nobody's place (the server answers a bounded number of
/// requests at a time).
#[test]
fn answers_that_nobody_takes_keep_no_other_from_being_answered() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(&folder);
    let mut clients: Vec<Client> = (0..70).map(|_| Client::with_window(&node, 0)).collect();
    for client in &mut clients {
        client.flood(120, |n| get(n, "/v2/nobody/knows/manifests/1"));
    }
    std::thread::sleep(Duration::from_millis(500));
    unimpressed(&node, "8,400 answers that nobody takes");
    assert_eq!(node.send(&Ask::get("/v2/")).status, 401);
}

/// Frames that need an answer each, from somebody who reads none.
#[test]
fn frames_that_are_only_to_be_answered_pile_up_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(&folder);
    let setting = [0, 3, 0, 0, 0, 100];
    for (what, one) in [
        ("pings", frame(PING, 0, 0, &[7; 8])),
        ("settings", frame(SETTINGS, 0, 0, &setting)),
        ("empty settings", frame(SETTINGS, 0, 0, &[])),
        ("priorities", frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 16])),
        ("frames of no known type", frame(0xfe, 0, 0, &[0; 64])),
    ] {
        let mut client = Client::open(&node);
        let batch = one.repeat(1_000);
        // A server that does not listen while it cannot answer makes the client wait, then give up.
        client.0.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
        let sent = client.flood(1_000, |_| batch.clone());
        unimpressed(&node, &format!("{sent} thousand {what}"));
    }
    let mut client = Client::open(&node);
    client.send(&frame(HEADERS, END_HEADERS, 1, &request("POST", "/api/v1/oauth2/token"))).unwrap();
    let batch = frame(DATA, 0, 1, &[]).repeat(1_000);
    let sent = client.flood(1_000, |_| batch.clone());
    unimpressed(&node, &format!("{sent} thousand pieces of nothing"));
}

/// What breaks the protocol's rules ends the connection, never the process.
#[test]
fn broken_frames_end_their_connection_alone() {
    let folder = tempfile::tempdir().unwrap();
    let node = node(&folder);
    for (what, bytes) in [
        ("data on no stream", frame(DATA, 0, 0, b"x")),
        ("data on an idle stream", frame(DATA, 0, 5, b"x")),
        ("headers on no stream", frame(HEADERS, END_HEADERS, 0, &request("GET", "/"))),
        ("headers on an even stream", frame(HEADERS, END_HEADERS | END_STREAM, 2, &request("GET", "/"))),
        ("headers that cannot be read", frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0xff; 40])),
        ("a continuation of nothing", frame(CONTINUATION, END_HEADERS, 1, &[])),
        ("a ping of a wrong size", frame(PING, 0, 0, b"x")),
        ("settings of a wrong size", frame(SETTINGS, 0, 0, b"x")),
        ("a window too large", [frame(WINDOW_UPDATE, 0, 0, &0x7fff_ffff_u32.to_be_bytes())].concat().repeat(2)),
        ("a reset of an idle stream", frame(RST_STREAM, 0, 9, &[0; 4])),
        ("a frame larger than allowed", frame(DATA, 0, 1, &vec![0; 1 << 20])),
        ("a push by a client", frame(5, END_HEADERS, 1, &[0, 0, 0, 2])),
    ] {
        let mut client = Client::open(&node);
        let _ = client.send(&bytes);
        assert!(client.is_sent_away(), "{what}: it may stay");
        unimpressed(&node, what);
    }
}
