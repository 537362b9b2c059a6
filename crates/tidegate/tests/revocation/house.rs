//! Two nodes on one PostgreSQL, the second behind a wire that can be cut.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::backing::create_database;
use crate::support::node::{Node, Settings};

/// Two nodes that share a database, a master key and a folder of blobs, and nothing else.
pub(crate) struct Pair {
    /// Where things are changed. It did the first start.
    pub(crate) first: Node,
    /// Where the change must arrive.
    pub(crate) second: Node,
    /// Between the second node and its database.
    pub(crate) wire: Wire,
    _folder: tempfile::TempDir,
}

impl Pair {
    pub(crate) fn start(name: &str) -> Self {
        Self::start_with(name, |_, settings| settings)
    }

    /// With further settings for each node: `first` and `second`.
    pub(crate) fn start_with(name: &str, settle: impl Fn(&str, Settings) -> Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = create_database(name);
        let (server, _) = parts(&url);
        let wire = Wire::to(server);
        let shared = |node: &str, url: &str| {
            let settings = Settings::in_folder(folder.path(), node).set("TIDEGATE_DATABASE", url);
            let settings = settings.set("TIDEGATE_NETWORK", crate::network::HOME);
            let blobs = folder.path().join("blobs");
            let settings = settings.set("TIDEGATE_MASTER_KEY", crate::support::MASTER_KEY).set("TIDEGATE_BLOBS", blobs.to_str().unwrap());
            settle(node, settings)
        };
        let first = Node::start(shared("first", &url));
        let second = Node::start(shared("second", &url.replace(&server.to_string(), &wire.address.to_string())));
        assert!(!second.settings.data.join("bootstrap.json").exists(), "a node that joins creates nothing");
        Self { first, second, wire, _folder: folder }
    }
}

/// Where the server of a URL listens, and the rest.
fn parts(url: &str) -> (SocketAddr, &str) {
    let (_, behind) = url.rsplit_once('@').unwrap();
    let (address, database) = behind.split_once('/').unwrap();
    (address.parse().unwrap(), database)
}

/// Passes everything on.
const WHOLE: u8 = 0;
/// Refuses new connections and has closed the old ones: the database is stopped.
const CUT: u8 = 1;
/// Takes everything and passes nothing on: the database hangs.
const SILENT: u8 = 2;

/// A TCP relay that can fail in the ways a database can.
pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    state: Arc<AtomicU8>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Wire {
    fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let wire = Self { address: listener.local_addr().unwrap(), state: Arc::default(), open: Arc::default() };
        let (state, open) = (Arc::clone(&wire.state), Arc::clone(&wire.open));
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
                relay(near.try_clone().unwrap(), far.try_clone().unwrap(), &state);
                relay(far, near, &state);
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
}

fn relay(mut from: TcpStream, mut to: TcpStream, state: &Arc<AtomicU8>) {
    let state = Arc::clone(state);
    std::thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            while state.load(Ordering::SeqCst) == SILENT {
                std::thread::sleep(Duration::from_millis(5));
            }
            if to.write_all(buffer.get(..count).unwrap()).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}
