//! A bounded buffer between those who log and the one thread that writes.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use meter::Counter;
use tracing_subscriber::fmt::MakeWriter;

/// Bytes that may wait. Beyond that lines are dropped and counted: a stuck terminal must not stop the registry.
const MAX_WAITING: usize = 4 * 1024 * 1024;
/// What the buffers keep between bursts.
const KEPT: usize = 256 * 1024;
/// Lines that come within this time are written together.
const GATHER: Duration = Duration::from_millis(5);

/// A handle; clones share buffer and thread.
#[derive(Clone, Debug)]
pub(crate) struct LogWriter {
    shared: Arc<Shared>,
    dropped: Counter,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<u8>,
    closed: bool,
}

impl LogWriter {
    /// Starts the thread that writes to `out`.
    pub(crate) fn start(out: impl Write + Send + 'static) -> Self {
        let shared = Arc::new(Shared::default());
        let writing = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("log".to_owned()).spawn(move || writing.write_to(out)).ok();
        Self { shared, dropped: Counter::default(), thread: Arc::new(Mutex::new(thread)) }
    }

    /// Lines that were dropped because too many waited.
    pub(crate) fn dropped(&self) -> &Counter {
        &self.dropped
    }

    /// Writes what waits and ends the thread.
    pub(crate) fn close(&self) {
        self.shared.waiting().closed = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // A panic of the writer has been reported by the hook.
            let _ = thread.join();
        }
    }

    fn push(&self, line: &[u8]) {
        let mut waiting = self.shared.waiting();
        if waiting.lines.len() + line.len() > MAX_WAITING {
            self.dropped.inc();
            return;
        }
        let was_empty = waiting.lines.is_empty();
        waiting.lines.extend_from_slice(line);
        drop(waiting);
        if was_empty {
            self.shared.changed.notify_one();
        }
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what waits, leaving `empty` in its place; blocks until there is something. False: nothing more will come.
    fn swap(&self, empty: &mut Vec<u8>) -> bool {
        let idle = |waiting: &mut Waiting| waiting.lines.is_empty() && !waiting.closed;
        let mut waiting = self.changed.wait_while(self.waiting(), idle).unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut waiting.lines, empty);
        !waiting.closed || !empty.is_empty()
    }

    fn write_to(&self, mut out: impl Write) {
        let mut lines = Vec::new();
        while self.swap(&mut lines) {
            // Nobody is left to tell when the log itself cannot be written.
            let _ = out.write_all(&lines).and_then(|()| out.flush());
            lines.clear();
            lines.shrink_to(KEPT);
            if !self.waiting().closed {
                std::thread::sleep(GATHER);
            }
        }
    }
}

impl Write for &LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    /// Passes on what it is given, and waits for leave before each write.
    struct Gated(mpsc::Receiver<()>, mpsc::Sender<Vec<u8>>);

    impl Write for Gated {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            self.1.send(bytes.to_vec()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn writes_everything_before_it_closes() {
        let (leave, gate) = mpsc::channel();
        let (written, read) = mpsc::channel();
        let log = LogWriter::start(Gated(gate, written));
        for n in 0..1000 {
            log.push(format!("{n}\n").as_bytes());
        }
        drop(leave);
        log.close();
        let all: Vec<u8> = read.into_iter().flatten().collect();
        assert_eq!(String::from_utf8(all).unwrap().lines().count(), 1000);
        assert_eq!(log.dropped().get(), 0);
    }

    #[test]
    fn a_stuck_terminal_drops_lines_and_counts_them() {
        let (leave, gate) = mpsc::channel();
        let (written, _read) = mpsc::channel();
        let log = LogWriter::start(Gated(gate, written));
        let line = vec![b'x'; 1024 * 1024];
        for _ in 0..10 {
            log.push(&line);
        }
        // Four fit; one more batch may already be with the writer.
        assert!((2..=6).contains(&log.dropped().get()), "{}", log.dropped().get());
        drop(leave);
        log.close();
    }
}
