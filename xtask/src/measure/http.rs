//! A small HTTP/1.1 client for what wrk cannot do: choose the address that a request comes from, and say another thing each time.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use socket2::{Domain, Protocol, Socket, Type};

/// The longest answer that is read.
const LONGEST: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_mins(1);

/// A connection that stays open.
pub(super) struct Connection {
    stream: TcpStream,
    input: Vec<u8>,
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl Connection {
    /// Connects from that address: on loopback every 127.x.y.z is one's own.
    pub(super) fn open(address: SocketAddr, from: Ipv4Addr) -> Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
        socket.bind(&SocketAddr::from((from, 0)).into())?;
        socket.connect(&address.into())?;
        socket.set_tcp_nodelay(true)?;
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, input: Vec::new() })
    }

    /// Sends one request and reads its answer.
    pub(super) fn call(&mut self, request: &[u8]) -> Result<Answer> {
        self.send(request)?;
        self.receive()
    }

    fn send(&mut self, request: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(request)?)
    }

    fn receive(&mut self) -> Result<Answer> {
        loop {
            if let Some((answer, used)) = parse(&self.input)? {
                self.input.drain(..used);
                return Ok(answer);
            }
            let mut piece = [0; 16 * 1024];
            let read = self.stream.read(&mut piece)?;
            if read == 0 || self.input.len() > LONGEST {
                bail!("the server closed the connection, or says too much");
            }
            self.input.extend_from_slice(piece.get(..read).unwrap_or_default());
        }
    }
}

/// The first answer in `input` and how long it is; none while it is not whole. Only bodies with a length are understood.
fn parse(input: &[u8]) -> Result<Option<(Answer, usize)>> {
    let Some(end) = input.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(input.get(..end).unwrap_or_default()).context("a head that is not UTF-8")?;
    let status = head.get(9..12).and_then(|code| code.parse().ok()).ok_or_else(|| anyhow!("not an HTTP answer: {head}"))?;
    let length = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok()).flatten()
    };
    let length = head.lines().find_map(length).unwrap_or(0);
    let body = input.get(end + 4..).unwrap_or_default();
    Ok(body.get(..length).map(|body| (Answer { status, body: body.to_owned() }, end + 4 + length)))
}

/// Clients that send as fast as they are answered: so many threads, on each so many connections that are written to in turn
/// and then read in turn.
#[derive(Clone, Copy)]
pub(super) struct Crowd {
    pub(super) address: SocketAddr,
    pub(super) from: Ipv4Addr,
    pub(super) threads: usize,
    pub(super) each: usize,
}

/// What a crowd came to.
pub(super) struct Load {
    pub(super) rate: f64,
    /// Answers with another status than was wanted.
    pub(super) others: u32,
}

impl Crowd {
    /// Sends what `request` makes of a running number until `end`.
    pub(super) fn run(&self, end: Instant, want: u16, request: impl Fn(u64) -> Vec<u8> + Sync) -> Result<Load> {
        let (begin, counted) = (Instant::now(), Mutex::new((0_u32, 0_u32)));
        thread::scope(|scope| {
            let work = |first: usize| self.thread(first, end, want, &request);
            let running: Vec<_> = (0..self.threads).map(|first| scope.spawn(move || work(first))).collect();
            for one in running {
                let (answers, others) = one.join().map_err(|_| anyhow!("a client thread ended"))??;
                let mut all = counted.lock().map_err(|_| anyhow!("a client thread ended"))?;
                *all = (all.0 + answers, all.1 + others);
            }
            Ok::<_, anyhow::Error>(())
        })?;
        let (answers, others) = counted.into_inner().map_err(|_| anyhow!("a client thread ended"))?;
        Ok(Load { rate: f64::from(answers) / begin.elapsed().as_secs_f64(), others })
    }

    fn thread(&self, first: usize, end: Instant, want: u16, request: &(impl Fn(u64) -> Vec<u8> + Sync)) -> Result<(u32, u32)> {
        let mut open = (0..self.each).map(|_| Connection::open(self.address, self.from)).collect::<Result<Vec<_>>>()?;
        let (mut answers, mut others, mut number) = (0, 0, first as u64);
        while Instant::now() < end {
            for connection in &mut open {
                connection.send(&request(number))?;
                number += self.threads as u64;
            }
            for connection in &mut open {
                others += u32::from(connection.receive()?.status != want);
                answers += 1;
            }
        }
        Ok((answers, others))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_or_not_there_yet() {
        let text = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 ";
        let (answer, used) = parse(text).unwrap().unwrap();
        assert_eq!((answer.status, answer.body.as_slice(), used), (200, &b"abc"[..], 41));
        assert!(parse(&text[..40]).unwrap().is_none());
        assert!(parse(&text[..20]).unwrap().is_none());
        assert!(parse(b"nonsense\r\n\r\n").is_err());
    }

    #[test]
    fn an_answer_without_a_length_has_no_body() {
        assert_eq!(parse(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap().unwrap().0.body, b"");
    }
}
