//! The least that a durable push can cost: receive, write, fsync file and directory, SHA-256 in a second thread.
//!
//! It speaks just enough HTTP/1.1 for the load kit's pushes: `POST …/blobs/uploads/` gives a place, `PUT` sends the content there.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::{Context, Result, bail};
use clap::Args;
use sha2::{Digest, Sha256};

const MIB: usize = 1 << 20;

/// Blocks that may wait for the hash.
const QUEUE: usize = 8;

/// The longest request line or header, and the most headers.
const LINE: u64 = 8192;
const HEADERS: usize = 100;

#[derive(Args)]
pub(crate) struct Options {
    /// The loopback address to listen on.
    #[arg(long, default_value = "127.0.0.1:5099")]
    listen: std::net::SocketAddr,
    /// Where the content goes; a temporary folder if not given.
    #[arg(long)]
    folder: Option<PathBuf>,
}

/// Serves until it is ended.
pub(super) fn run(options: &Options) -> Result<()> {
    if !options.listen.ip().is_loopback() {
        bail!("the sink takes anything from anyone, so it listens on loopback addresses alone");
    }
    let temporary = tempfile::tempdir()?;
    let folder = options.folder.as_deref().unwrap_or(temporary.path());
    let listener = TcpListener::bind(options.listen)?;
    println!("sink on http://{}", listener.local_addr()?);
    serve(&listener, folder)
}

fn serve(listener: &TcpListener, folder: &Path) -> Result<()> {
    let files = AtomicU64::new(0);
    thread::scope(|scope| {
        for connection in listener.incoming() {
            let (connection, files) = (connection?, &files);
            scope.spawn(move || {
                if let Err(error) = converse(connection, folder, files) {
                    eprintln!("sink: {error:#}");
                }
            });
        }
        Ok(())
    })
}

/// What counts of a request.
struct Request {
    method: String,
    path: String,
    length: usize,
}

/// Answers one connection's requests until it closes.
fn converse(connection: TcpStream, folder: &Path, files: &AtomicU64) -> Result<()> {
    connection.set_nodelay(true)?;
    let mut answers = connection.try_clone()?;
    let mut input = BufReader::with_capacity(MIB, connection);
    while let Some(request) = read_request(&mut input)? {
        let answer = match request.method.as_str() {
            "PUT" => put(&mut input, &request, folder, files)?,
            "POST" => "202 Accepted\r\nLocation: /v2/sink/blobs/uploads/here\r\n".to_owned(),
            "GET" => "200 OK\r\n".to_owned(),
            _ => "404 Not Found\r\n".to_owned(),
        };
        write!(answers, "HTTP/1.1 {answer}Content-Length: 0\r\n\r\n")?;
    }
    Ok(())
}

fn read_request(input: &mut impl BufRead) -> Result<Option<Request>> {
    let Some(first) = read_line(input)? else { return Ok(None) };
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let mut length = 0;
    for _ in 0..HEADERS {
        let header = read_line(input)?.context("the connection ended inside the headers")?;
        match header.split_once(':') {
            None => return Ok(Some(Request { method, path, length })),
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.trim().parse()?,
            Some(_) => {}
        }
    }
    bail!("more than {HEADERS} headers")
}

fn read_line(input: &mut impl BufRead) -> Result<Option<String>> {
    let mut line = String::new();
    match input.take(LINE).read_line(&mut line) {
        Ok(0) => Ok(None),
        Ok(_) if line.ends_with('\n') => Ok(Some(line.trim_end().to_owned())),
        Ok(_) => bail!("a header longer than {LINE} bytes"),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Writes the body while another thread hashes it; durable before it is acknowledged.
fn put(input: &mut impl Read, request: &Request, folder: &Path, files: &AtomicU64) -> Result<String> {
    let path = folder.join(files.fetch_add(1, Ordering::Relaxed).to_string());
    let digest = thread::scope(|scope| {
        let (blocks, hashed) = sync_channel(QUEUE);
        let hash = scope.spawn(|| hash(hashed));
        store(input, request.length, &path, blocks)?;
        hash.join().map_err(|_| anyhow::anyhow!("the hashing thread ended"))
    })?;
    fs::remove_file(&path)?;
    let asked = request.path.split(['?', '&']).find_map(|part| part.strip_prefix("digest="));
    if asked.is_some_and(|asked| asked != digest) {
        return Ok("400 Bad Request\r\n".to_owned());
    }
    Ok(format!("201 Created\r\nDocker-Content-Digest: {digest}\r\n"))
}

fn store(input: &mut impl Read, length: usize, path: &Path, blocks: SyncSender<Vec<u8>>) -> Result<()> {
    let mut file = File::create(path)?;
    let mut left = length;
    while left > 0 {
        let mut block = vec![0; left.min(MIB)];
        input.read_exact(&mut block).context("the body ended early")?;
        file.write_all(&block)?;
        left -= block.len();
        blocks.send(block).context("the hashing thread ended")?;
    }
    drop(blocks);
    file.sync_all()?;
    File::open(path.parent().unwrap_or(path))?.sync_all()?;
    Ok(())
}

fn hash(blocks: Receiver<Vec<u8>>) -> String {
    let mut state = Sha256::new();
    for block in blocks {
        state.update(&block);
    }
    format!("sha256:{}", hex::encode(state.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> Result<Option<Request>> {
        read_request(&mut text.as_bytes())
    }

    #[test]
    fn a_request_is_its_method_path_and_length() {
        let got = request("PUT /v2/x?digest=y HTTP/1.1\r\nHost: a\r\ncontent-length: 12\r\n\r\n").unwrap().unwrap();
        assert_eq!((got.method.as_str(), got.path.as_str(), got.length), ("PUT", "/v2/x?digest=y", 12));
        assert!(request("").unwrap().is_none());
    }

    #[test]
    fn requests_are_bounded() {
        assert!(request(&format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(9000))).is_err());
        assert!(request(&format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200))).is_err());
        assert!(request("GET / HTTP/1.1\r\nHost: a\r\n").is_err());
    }

    #[test]
    fn content_is_acknowledged_under_its_digest_alone() {
        let folder = tempfile::tempdir().unwrap();
        let answer = |digest: &str| {
            let request = Request { method: "PUT".to_owned(), path: format!("/here?digest={digest}"), length: 5 };
            put(&mut &b"hello and more"[..], &request, folder.path(), &AtomicU64::new(0)).unwrap()
        };
        let right = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        assert!(answer(right).starts_with("201 "));
        assert!(answer("sha256:00").starts_with("400 "));
    }

    #[test]
    fn a_body_that_ends_early_is_no_success() {
        let folder = tempfile::tempdir().unwrap();
        let request = Request { method: "PUT".to_owned(), path: "/here".to_owned(), length: 50 };
        assert!(put(&mut &b"hello"[..], &request, folder.path(), &AtomicU64::new(0)).is_err());
    }
}
