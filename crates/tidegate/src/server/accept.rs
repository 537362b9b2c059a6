//! The accept loop of one listener, and the wait for its last connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kit::Peer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use super::connection::connection;
use super::request::Ends;
use super::stop::Stop;
use super::tls::Tls;
use super::{App, Frame};

/// After a failure to accept (too many open files) nothing is gained by trying at once.
pub(super) const BREATH: Duration = Duration::from_millis(100);

/// The places for connections that several listeners share.
#[derive(Clone, Debug)]
pub(crate) struct Slots {
    free: Arc<Semaphore>,
    all: u32,
}

impl Slots {
    pub(crate) fn new(all: usize) -> Self {
        let all = u32::try_from(all).unwrap_or(u32::MAX);
        Self { free: Arc::new(Semaphore::new(all as usize)), all }
    }

    /// Waits until every connection has ended, at most so long. How many were still open?
    pub(crate) async fn drained(&self, patience: Duration) -> usize {
        match timeout(patience, self.free.acquire_many(self.all)).await {
            Ok(_) => 0,
            Err(_) => (self.all as usize).saturating_sub(self.free.available_permits()),
        }
    }
}

/// Accepts until it is told to stop. At the cap it waits: further connections stay with the kernel.
pub(crate) async fn accept<A: App>(listener: TcpListener, tls: Option<Arc<Tls>>, frame: Arc<Frame<A>>, slots: Slots, stop: Stop) {
    loop {
        let next = async {
            let slot = Arc::clone(&slots.free).acquire_owned().await.ok()?;
            Some((slot, listener.accept().await))
        };
        tokio::select! {
            next = next => match next {
                Some((slot, Ok((socket, address)))) => spawn(socket, address, slot, tls.clone(), &frame, &stop),
                Some((_, Err(error))) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(BREATH).await;
                }
                None => return,
            },
            () = stop.asked() => return,
        }
    }
}

fn spawn<A: App>(
    socket: TcpStream,
    address: SocketAddr,
    slot: OwnedSemaphorePermit,
    tls: Option<Arc<Tls>>,
    frame: &Arc<Frame<A>>,
    stop: &Stop,
) {
    let Ok(local) = socket.local_addr() else { return };
    let ends = Ends { peer: Peer { address, tls: tls.is_some() }, local };
    let (frame, stop) = (Arc::clone(frame), stop.clone());
    tokio::spawn(async move {
        let open = frame.metrics.connections.clone();
        open.inc();
        connection(frame, socket, ends, tls, stop).await;
        open.dec();
        drop(slot);
    });
}
