//! A wire between a node and its database, which can be cut.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Passes everything on.
const WHOLE: u8 = 0;
/// Refuses new connections and has closed the old ones: the database is stopped.
const CUT: u8 = 1;
/// Takes everything and passes nothing on: the database hangs.
const SILENT: u8 = 2;

/// A TCP relay that can fail in the ways a database can.
pub(crate) struct Wire {
    address: SocketAddr,
    state: Arc<AtomicU8>,
    open: Arc<Mutex<Vec<TcpStream>>>,
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
