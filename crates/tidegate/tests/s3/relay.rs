//! A relay before an S3 server: one that is out of connections, or too busy, and one whose answers come late or not at all.
//!
//! It passes each request on over a connection of its own, byte for byte but for a `Connection: close`, which no signature covers.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What becomes of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// It comes through, and so does its answer.
    Pass,
    /// No connection is to be had: it ends as it begins.
    Refused,
    /// The server is too busy, in S3's own words.
    SlowDown,
    /// The same in HTTP's.
    TooMany,
    /// The connection ends before it arrives.
    Lost,
    /// It arrives; the connection ends before its answer does.
    Unanswered,
    /// It arrives; its answer comes so late that nobody waits for it.
    Late,
}

/// Which requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Which {
    All,
    /// A whole object is put.
    Object,
    /// A multipart upload is begun.
    Begin,
    /// A part of it is put.
    Part,
    /// Its end: `CompleteMultipartUpload`.
    End,
}

/// How late is late: later than the node waits for anything (`blobs::objects::http`).
const LATE: Duration = Duration::from_secs(25);

struct Plan {
    which: Which,
    fate: Fate,
    /// How many of them more.
    left: usize,
}

/// The relay. It listens for as long as the test runs.
pub(crate) struct Relay {
    address: SocketAddr,
    plan: Arc<Mutex<Plan>>,
    met: Arc<AtomicUsize>,
}

impl Relay {
    pub(crate) fn before(server: &str) -> Self {
        let (server, listener) = (server.parse().unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let plan = Arc::new(Mutex::new(Plan { which: Which::All, fate: Fate::Pass, left: 0 }));
        let relay = Self { address: listener.local_addr().unwrap(), plan, met: Arc::default() };
        let (plan, met) = (Arc::clone(&relay.plan), Arc::clone(&relay.met));
        std::thread::spawn(move || {
            for near in listener.incoming() {
                let (near, line) = (near.unwrap(), Line { server, plan: Arc::clone(&plan), met: Arc::clone(&met) });
                // A connection that broke is what this is about.
                std::thread::spawn(move || line.run(&near));
            }
        });
        relay
    }

    /// The endpoint through it.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on, these have this fate.
    pub(crate) fn all(&self, which: Which, fate: Fate) {
        self.some(usize::MAX, which, fate);
    }

    /// The next so many of these have this fate.
    pub(crate) fn some(&self, many: usize, which: Which, fate: Fate) {
        *self.plan.lock().unwrap() = Plan { which, fate, left: many };
        self.met.store(0, Ordering::SeqCst);
    }

    pub(crate) fn mend(&self) -> usize {
        *self.plan.lock().unwrap() = Plan { which: Which::All, fate: Fate::Pass, left: 0 };
        self.met.swap(0, Ordering::SeqCst)
    }
}

/// One connection.
struct Line {
    server: SocketAddr,
    plan: Arc<Mutex<Plan>>,
    met: Arc<AtomicUsize>,
}

struct Asked {
    /// The request line, and the other lines with their ends.
    first: String,
    rest: String,
    length: u64,
}

impl Line {
    fn run(&self, near: &TcpStream) -> io::Result<()> {
        near.set_nodelay(true)?;
        let mut from = BufReader::new(near.try_clone()?);
        let asked = Asked::read(&mut from)?;
        let done = self.answer(self.fate_of(&asked.first), &asked, &mut from, near);
        near.shutdown(Shutdown::Both)?;
        done
    }

    fn fate_of(&self, first: &str) -> Fate {
        let mut plan = self.plan.lock().unwrap();
        if plan.left == 0 || !plan.which.is(first) {
            return Fate::Pass;
        }
        plan.left -= 1;
        self.met.fetch_add(1, Ordering::SeqCst);
        plan.fate
    }

    fn answer(&self, fate: Fate, asked: &Asked, from: &mut BufReader<TcpStream>, mut near: &TcpStream) -> io::Result<()> {
        match fate {
            Fate::Refused | Fate::Lost => return Ok(()),
            Fate::SlowDown => return busy("503 Slow Down", "SlowDown", asked, from, near),
            Fate::TooMany => return busy("429 Too Many Requests", "TooManyRequests", asked, from, near),
            Fate::Pass | Fate::Unanswered | Fate::Late => {}
        }
        let mut far = TcpStream::connect(self.server)?;
        write!(far, "{}Connection: close\r\n{}", asked.first, asked.rest)?;
        let mut body = from.take(asked.length);
        // The server may answer before it has read all of it: then it is told, and the rest goes nowhere.
        let sent = io::copy(&mut body, &mut far);
        if fate == Fate::Pass {
            io::copy(&mut far, &mut near)?;
            return if sent.is_err() { io::copy(&mut body, &mut io::sink()).map(drop) } else { Ok(()) };
        }
        let mut answer = Vec::new();
        far.read_to_end(&mut answer)?;
        if fate == Fate::Late {
            std::thread::sleep(LATE);
            near.write_all(&answer)?;
        }
        Ok(())
    }
}

/// The storage's own "later", once it has taken the body in: one that is cut off by an answer would look broken.
fn busy(status: &str, code: &str, asked: &Asked, from: &mut BufReader<TcpStream>, mut near: &TcpStream) -> io::Result<()> {
    io::copy(&mut from.take(asked.length), &mut io::sink())?;
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>Please reduce your request rate.</Message></Error>");
    let body = if asked.first.starts_with("HEAD ") { String::new() } else { body };
    write!(near, "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

impl Which {
    fn is(self, first: &str) -> bool {
        let (method, target) = first.split_once(' ').unwrap();
        match self {
            Self::All => true,
            // The probe is the health check's.
            Self::Object => method == "PUT" && !target.contains('?') && !target.contains("/probe "),
            Self::Begin => method == "POST" && target.contains("?uploads"),
            Self::Part => method == "PUT" && target.contains("partNumber="),
            Self::End => method == "POST" && target.contains("uploadId="),
        }
    }
}

impl Asked {
    fn read(from: &mut BufReader<TcpStream>) -> io::Result<Self> {
        let (mut first, mut rest) = (String::new(), String::new());
        from.read_line(&mut first)?;
        if first.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        while !rest.ends_with("\r\n\r\n") && rest != "\r\n" {
            if from.read_line(&mut rest)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let length = rest.lines().filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let length = length.map_or(0, |(_, value)| value.trim().parse().unwrap());
        Ok(Self { first, rest, length })
    }
}
