//! A TCP relay between a node and its database that fails in the ways a network and a database can.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Passes everything on.
const WHOLE: u8 = 0;
/// Refuses new connections and has closed the old ones: the database is stopped.
const CUT: u8 = 1;
/// Takes everything and passes nothing on: the database hangs.
const SILENT: u8 = 2;

/// What becomes of a `COMMIT`. Whether it happened only the database knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Commits {
    /// It comes through, and so does its answer.
    Pass,
    /// The connection ends before it arrives.
    Lost,
    /// It arrives; the connection ends before its answer does.
    Unanswered,
    /// It arrives; its answer comes so late that nobody waits for it.
    Late,
}

const COMMITS: [Commits; 4] = [Commits::Pass, Commits::Lost, Commits::Unanswered, Commits::Late];
/// PostgreSQL's simple query, as the driver sends it.
const COMMIT: &[u8] = b"COMMIT\0";
/// How late is late.
const LATE: Duration = Duration::from_secs(5);

/// The relay. It listens for as long as the test runs.
pub(crate) struct Wire {
    address: SocketAddr,
    state: Arc<AtomicU8>,
    commits: Arc<AtomicU8>,
    /// Only of what has these bytes in it.
    with: Arc<Mutex<Vec<u8>>>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

/// One direction of one connection.
struct Relay {
    from: TcpStream,
    to: TcpStream,
    state: Arc<AtomicU8>,
    commits: Arc<AtomicU8>,
    with: Arc<Mutex<Vec<u8>>>,
    /// The bytes that are looked for came by since the last `COMMIT`.
    seen: AtomicBool,
    /// A `COMMIT` was passed on whose answer must not come through, or only late.
    withheld: Arc<AtomicBool>,
}

impl Wire {
    /// A wire before the server of a database's URL, and the URL through it.
    pub(crate) fn before(url: &str) -> (Self, String) {
        let (_, behind) = url.rsplit_once('@').unwrap();
        let (server, _) = behind.split_once('/').unwrap();
        let wire = Self::to(server.parse().unwrap());
        let through = url.replace(server, &wire.address.to_string());
        (wire, through)
    }

    fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let wire = Self { address, state: Arc::default(), commits: Arc::default(), with: Arc::default(), open: Arc::default() };
        let (state, commits, open) = (Arc::clone(&wire.state), Arc::clone(&wire.commits), Arc::clone(&wire.open));
        let with = Arc::clone(&wire.with);
        std::thread::spawn(move || {
            for near in listener.incoming() {
                let near = near.unwrap();
                if state.load(Ordering::SeqCst) == CUT {
                    continue;
                }
                let Ok(far) = TcpStream::connect(server) else { continue };
                for socket in [&near, &far] {
                    socket.set_nodelay(true).unwrap();
                    open.lock().unwrap().push(socket.try_clone().unwrap());
                }
                let withheld = Arc::new(AtomicBool::new(false));
                let relay = |from: &TcpStream, to: &TcpStream| {
                    let (state, commits, withheld) = (Arc::clone(&state), Arc::clone(&commits), Arc::clone(&withheld));
                    let (with, seen) = (Arc::clone(&with), AtomicBool::new(false));
                    Relay { from: from.try_clone().unwrap(), to: to.try_clone().unwrap(), state, commits, with, seen, withheld }
                };
                let (there, back) = (relay(&near, &far), relay(&far, &near));
                std::thread::spawn(move || there.run(Relay::asked));
                std::thread::spawn(move || back.run(Relay::answered));
            }
        });
        wire
    }

    pub(crate) fn cut(&self) {
        self.state.store(CUT, Ordering::SeqCst);
        for socket in self.open.lock().unwrap().drain(..) {
            // It may be closed already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    pub(crate) fn silence(&self) {
        self.state.store(SILENT, Ordering::SeqCst);
    }

    pub(crate) fn mend(&self) {
        self.state.store(WHOLE, Ordering::SeqCst);
    }

    pub(crate) fn commits(&self, fate: Commits) {
        self.commits_of("", fate);
    }

    /// The same for those transactions alone that say this.
    pub(crate) fn commits_of(&self, said: &str, fate: Commits) {
        let place = COMMITS.iter().position(|one| *one == fate).unwrap();
        // Whose fate it is comes before the fate, and is looked at after it: in between no other commit has it.
        if fate != Commits::Pass {
            *self.with.lock().unwrap() = said.as_bytes().to_vec();
        }
        self.commits.store(u8::try_from(place).unwrap(), Ordering::SeqCst);
    }
}

impl Relay {
    fn run(mut self, pass: fn(&Self, &[u8]) -> bool) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(count @ 1..) = self.from.read(&mut buffer) {
            while self.state.load(Ordering::SeqCst) == SILENT {
                std::thread::sleep(Duration::from_millis(5));
            }
            if !pass(&self, buffer.get(..count).unwrap()) {
                break;
            }
        }
        let _ = self.to.shutdown(Shutdown::Both);
        let _ = self.from.shutdown(Shutdown::Both);
    }

    fn commits(&self) -> Commits {
        COMMITS[usize::from(self.commits.load(Ordering::SeqCst))]
    }

    fn on(&self, bytes: &[u8]) -> bool {
        (&self.to).write_all(bytes).is_ok()
    }

    /// Passes on what the node says. False: the connection ends here.
    fn asked(&self, bytes: &[u8]) -> bool {
        let commits = self.commits();
        if commits == Commits::Pass {
            return self.on(bytes);
        }
        let with = self.with.lock().unwrap().clone();
        if !with.is_empty() && bytes.windows(with.len()).any(|window| window == with) {
            self.seen.store(true, Ordering::SeqCst);
        }
        if !bytes.ends_with(COMMIT) || !(self.seen.swap(false, Ordering::SeqCst) || with.is_empty()) {
            return self.on(bytes);
        }
        // It is on its way before anything is withheld: an answer to what came before would else end the connection too soon.
        let passed = commits != Commits::Lost && self.on(bytes);
        self.withheld.store(true, Ordering::SeqCst);
        passed
    }

    /// Passes on what the database says.
    fn answered(&self, bytes: &[u8]) -> bool {
        if !self.withheld.load(Ordering::SeqCst) {
            return self.on(bytes);
        }
        if self.commits() == Commits::Late {
            std::thread::sleep(LATE);
            return self.on(bytes);
        }
        false
    }
}
