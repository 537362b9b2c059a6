//! A server that a task starts on a loopback port and that ends with its value.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::command::spawn;

/// How long a server may take to listen, and to stop when asked.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Short, since `measure start` counts it.
const PAUSE: Duration = Duration::from_millis(1);

/// A running server; dropping it asks it to stop, and kills it if it does not.
#[derive(Debug)]
pub(crate) struct Server {
    name: &'static str,
    child: Child,
    pub(crate) address: SocketAddr,
    stop: Signal,
}

impl Server {
    /// Starts it and waits until it listens on the address. It must stay in the foreground.
    pub(crate) fn start(name: &'static str, call: &mut Command, address: SocketAddr) -> Result<Self> {
        let child = spawn(call.stdin(Stdio::null()).stdout(Stdio::null()))?;
        let mut server = Self { name, child, address, stop: Signal::TERM };
        server.wait_until_it_listens()?;
        Ok(server)
    }

    /// Lets it be stopped by another signal than SIGTERM.
    pub(crate) fn stopped_by(mut self, signal: Signal) -> Self {
        self.stop = signal;
        self
    }

    pub(crate) fn base(&self, tls: bool) -> String {
        format!("{}://{}", if tls { "https" } else { "http" }, self.address)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn wait_until_it_listens(&mut self) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} did not start: it ended with {status}", self.name);
            }
            if Instant::now() > end {
                bail!("{} does not listen on {} after {PATIENCE:?}", self.name, self.address);
            }
            sleep(PAUSE);
        }
        Ok(())
    }

    fn has_ended_by(&mut self, end: Instant) -> bool {
        loop {
            match self.child.try_wait() {
                Ok(None) if Instant::now() < end => sleep(PAUSE),
                Ok(None) => return false,
                Ok(Some(_)) | Err(_) => return true,
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, self.stop);
        }
        if !self.has_ended_by(Instant::now() + PATIENCE) {
            eprintln!("{} does not stop when asked; it is killed", self.name);
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A loopback address that nobody listens on at the moment.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_ends_at_once_is_named() {
        let error = Server::start("demo", Command::new("sh").args(["-c", "exit 7"]), free_address().unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "demo did not start: it ended with exit status: 7");
    }
}
