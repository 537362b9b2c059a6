//! From a start to the first answer, and what a server holds when nobody asks for anything.

use std::net::Ipv4Addr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::Args;

use super::figures::{memory, print};
use super::http::Connection;
use super::registries::Registry;
use super::tidegate::{Program, Tidegate};
use crate::peers;
use crate::workspace::Workspace;

/// How long a server rests before its memory is looked at.
const REST: Duration = Duration::from_secs(2);

#[derive(Args)]
pub(super) struct Options {
    #[arg(long, default_value_t = super::ROUNDS)]
    pub(super) rounds: u8,
}

#[derive(Default)]
struct Seen {
    started: Vec<f64>,
    idle: Vec<f64>,
}

impl Seen {
    /// Starts a server and takes its figures.
    fn round<S>(&mut self, start: impl FnOnce() -> Result<S>, ends: impl Fn(&S) -> (std::net::SocketAddr, u32)) -> Result<S> {
        let begin = Instant::now();
        let server = start()?;
        let (address, pid) = ends(&server);
        let request = format!("GET /v2/ HTTP/1.1\r\nHost: {address}\r\n\r\n");
        let answer = Connection::open(address, Ipv4Addr::LOCALHOST)?.call(request.as_bytes())?;
        self.started.push(begin.elapsed().as_secs_f64() * 1e3);
        if ![200, 401].contains(&answer.status) {
            bail!("/v2/ was answered {}", answer.status);
        }
        thread::sleep(REST);
        self.idle.push(memory(pid, "RssAnon")?);
        Ok(server)
    }

    fn print(&self, name: &str) {
        print(&format!("{name}_start_to_first_answer"), "ms", &self.started);
        print(&format!("{name}_idle_anonymous_memory"), "MiB", &self.idle);
    }
}

pub(super) fn run(workspace: &Workspace, program: &Program, options: &Options) -> Result<()> {
    let (mut first, mut again) = (Seen::default(), Seen::default());
    let (mut two, mut three) = (Seen::default(), Seen::default());
    let distribution_3 = peers::go::distribution(workspace)?;
    let ends = |tidegate: &Tidegate| (tidegate.address(), tidegate.pid());
    let peers_ends = |registry: &Registry| (registry.address(), registry.pid().unwrap_or_default());
    for _ in 0..options.rounds {
        let tidegate = first.round(|| Tidegate::start(program, false), ends)?;
        let folder = tidegate.stop();
        drop(again.round(|| Tidegate::start_on(program, folder, false), ends)?);
        drop(two.round(Registry::distribution_2, peers_ends)?);
        drop(three.round(|| Registry::distribution_3(&distribution_3), peers_ends)?);
    }
    first.print("tidegate_first");
    again.print("tidegate");
    two.print("distribution_2.8");
    three.print("distribution_3");
    Ok(())
}
