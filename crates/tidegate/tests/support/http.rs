//! HTTP/1.1, byte by byte: nothing is corrected, added or followed that the caller has not asked for.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine as _;
use serde_json::Value;

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request. `Host`, `Content-Length` and nothing else are added.
#[derive(Clone)]
pub(crate) struct Ask {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Ask {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self { method: method.to_owned(), target: target.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// An `Authorization` header.
    pub(crate) fn with(self, authorization: &str) -> Self {
        self.header("authorization", authorization)
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn form(self, fields: &[(&str, &str)]) -> Self {
        let encode = |text: &str| {
            text.bytes()
                .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
                .collect::<String>()
        };
        let text: Vec<_> = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        self.header("content-type", "application/x-www-form-urlencoded").body(text.join("&"))
    }

    fn bytes(&self, host: &str) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        let own = |name: &str| self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        if !own("host") {
            let _ = write!(text, "host: {host}\r\n");
        }
        if !own("content-length") && (!self.body.is_empty() || matches!(self.method.as_str(), "POST" | "PUT" | "PATCH")) {
            let _ = write!(text, "content-length: {}\r\n", self.body.len());
        }
        for (name, value) in &self.headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// What came back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// All values of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// It has this status; the answer again.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?}: {}", self.headers, self.text());
        self
    }

    /// The registry's error code.
    pub(crate) fn code(&self) -> String {
        self.json()["errors"][0]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Everything but what differs from request to request: the id and the date.
    pub(crate) fn alike(&self) -> (u16, Vec<(String, String)>, String) {
        let mut headers = self.headers.clone();
        let id = self.header("x-request-id").unwrap_or("none").to_owned();
        headers.retain(|(name, _)| name != "x-request-id" && name != "date");
        (self.status, headers, self.text().replace(&id, "ID"))
    }
}

/// A connection that is used again until one side closes it.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    host: String,
}

impl Connection {
    pub(crate) fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream: BufReader::new(stream), host: address.to_owned() })
    }

    /// One request on a connection of its own.
    pub(crate) fn once(address: &str, ask: &Ask) -> io::Result<Answer> {
        Self::open(address)?.send(ask)
    }

    pub(crate) fn send(&mut self, ask: &Ask) -> io::Result<Answer> {
        self.stream.get_mut().write_all(&ask.bytes(&self.host))?;
        self.answer(ask.method == "HEAD")
    }

    fn answer(&mut self, head_only: bool) -> io::Result<Answer> {
        let mut answer = self.head()?;
        while answer.status == 100 {
            answer = self.head()?;
        }
        let bodiless = head_only || answer.status == 204 || answer.status == 304;
        if bodiless {
            return Ok(answer);
        }
        if answer.header("transfer-encoding") == Some("chunked") {
            answer.body = self.chunks()?;
        } else if let Some(length) = answer.header("content-length") {
            answer.body = vec![0; length.parse().map_err(io::Error::other)?];
            self.stream.read_exact(&mut answer.body)?;
        } else {
            self.stream.read_to_end(&mut answer.body)?;
        }
        Ok(answer)
    }

    fn head(&mut self) -> io::Result<Answer> {
        let first = self.line()?;
        let status =
            first.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or_else(|| io::Error::other(format!("no answer: {first:?}")))?;
        let mut answer = Answer { status, ..Answer::default() };
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { return Ok(answer) };
            answer.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let size = usize::from_str_radix(&self.line()?, 16).map_err(io::Error::other)?;
            let mut chunk = vec![0; size];
            self.stream.read_exact(&mut chunk)?;
            self.line()?;
            if size == 0 {
                return Ok(body);
            }
            body.append(&mut chunk);
        }
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }
}

/// Sends these bytes as they are, closes the sending half, and reads all that comes back.
pub(crate) fn raw(address: &str, bytes: &[u8]) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    // The server may have answered and closed before it has read everything.
    let _ = socket.write_all(bytes);
    let _ = socket.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = socket.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

pub(crate) fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}")))
}

pub(crate) fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}
