//! The control socket: a Unix domain socket for the owner of the server's process, and root.

use std::fs::{self, Permissions};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kit::Peer;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::sleep;

use super::accept::BREATH;
use super::connection::local;
use super::request::Ends;
use super::stop::Stop;
use super::{App, Frame};

/// Connections at a time.
const CONNECTIONS: usize = 8;

/// A listening socket that is there for as long as this is.
#[derive(Debug)]
pub(super) struct LocalListener {
    listener: UnixListener,
    path: PathBuf,
    inode: u64,
}

impl LocalListener {
    /// Listens at `path`, in the place of a socket that a crash has left there. Only the owner can open it, from its first moment.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let new = path.with_extension("new");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&new)?;
        fs::set_permissions(&new, Permissions::from_mode(0o600))?;
        let inode = fs::symlink_metadata(&new)?.ino();
        fs::rename(&new, path)?;
        Ok(Self { listener, path: path.to_owned(), inode })
    }
}

impl Drop for LocalListener {
    fn drop(&mut self) {
        // Unless another server has put its own there meanwhile.
        if fs::symlink_metadata(&self.path).is_ok_and(|found| found.ino() == self.inode) {
            drop(fs::remove_file(&self.path));
        }
    }
}

/// Accepts until it is told to stop.
pub(super) async fn accept_local<A: App>(listener: LocalListener, frame: Arc<Frame<A>>, stop: Stop) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let ends = Ends { peer: Peer { address: here, tls: false }, local: here };
    loop {
        let next = async {
            let slot = Arc::clone(&slots).acquire_owned().await.ok()?;
            Some((slot, listener.listener.accept().await))
        };
        tokio::select! {
            next = next => match next {
                Some((slot, Ok((socket, _)))) if is_ours(&socket) => {
                    let (frame, stop) = (Arc::clone(&frame), stop.clone());
                    tokio::spawn(async move {
                        local(frame, socket, ends, stop).await;
                        drop(slot);
                    });
                }
                Some((_, Ok(_))) => tracing::warn!("somebody else's process was refused at the control socket"),
                Some((_, Err(error))) => {
                    tracing::warn!(%error, "a connection to the control socket could not be accepted");
                    sleep(BREATH).await;
                }
                None => return,
            },
            () = stop.asked() => return,
        }
    }
}

/// Is the process at the other end this one's own user's, or root's? The kernel says so.
fn is_ours(socket: &UnixStream) -> bool {
    socket.peer_cred().is_ok_and(|peer| peer.uid() == 0 || peer.uid() == rustix::process::geteuid().as_raw())
}
