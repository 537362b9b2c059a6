//! Opening the listening sockets.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

use crate::refusal::Refusal;

/// Connections that the kernel holds until they are accepted.
const BACKLOG: u32 = 1024;

/// Listens on an address, which a server that just ended may have used.
pub(crate) fn listen(address: SocketAddr) -> Result<TcpListener, Refusal> {
    open(address).map_err(|cause| match cause.kind() {
        io::ErrorKind::AddrInUse => Refusal::AddressInUse(address),
        io::ErrorKind::PermissionDenied => Refusal::AddressForbidden(address),
        _ => Refusal::Address { address, cause },
    })
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
