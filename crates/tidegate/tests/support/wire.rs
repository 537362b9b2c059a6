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
    open: Arc<Mutex<Vec<TcpStream>>>,
}

/// One direction of one connection.
struct Relay {
    from: TcpStream,
    to: TcpStream,
    state: Arc<AtomicU8>,
    commits: Arc<AtomicU8>,
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
        let wire = Self { address: listener.local_addr().unwrap(), state: Arc::default(), commits: Arc::default(), open: Arc::default() };
        let (state, commits, open) = (Arc::clone(&wire.state), Arc::clone(&wire.commits), Arc::clone(&wire.open));
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
                    Relay { from: from.try_clone().unwrap(), to: to.try_clone().unwrap(), state, commits, withheld }
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
        let place = COMMITS.iter().position(|one| *one == fate).unwrap();
        self.commits.store(u8::try_from(place).unwrap(), Ordering::SeqCst);
    }
}

impl Relay {
    fn run(mut self, let_pass: fn(&Self, &[u8]) -> bool) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(count @ 1..) = self.from.read(&mut buffer) {
            while self.state.load(Ordering::SeqCst) == SILENT {
                std::thread::sleep(Duration::from_millis(5));
            }
            let bytes = buffer.get(..count).unwrap();
            if !let_pass(&self, bytes) || self.to.write_all(bytes).is_err() {
                break;
            }
        }
        let _ = self.to.shutdown(Shutdown::Both);
        let _ = self.from.shutdown(Shutdown::Both);
    }

    fn commits(&self) -> Commits {
        COMMITS[usize::from(self.commits.load(Ordering::SeqCst))]
    }

    /// From the node. False: the connection ends here.
    fn asked(&self, bytes: &[u8]) -> bool {
        let commits = self.commits();
        if commits == Commits::Pass || !bytes.ends_with(COMMIT) {
            return true;
        }
        self.withheld.store(true, Ordering::SeqCst);
        commits != Commits::Lost
    }

    /// From the database.
    fn answered(&self, _: &[u8]) -> bool {
        if !self.withheld.load(Ordering::SeqCst) {
            return true;
        }
        if self.commits() == Commits::Late {
            std::thread::sleep(LATE);
            return true;
        }
        false
    }
}
