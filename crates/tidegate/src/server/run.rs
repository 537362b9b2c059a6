//! From settings to a running server, and back to nothing.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use kit::limits::{MAX_HELD_BACK, MAX_TURNS};
use kit::{Edge, HttpMetrics, LogRequests, Metrics, Randomness as _};
use model::{Clock as _, NetworkName};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout_at};

use super::accept::{Slots, accept};
use super::limit::AddressLimit;
use super::listen::listen;
use super::local::{LocalListener, accept_local};
use super::stop::{Leaving, Signals, Stop, Stopper, stop};
use super::tls::Tls;
use super::{App, Frame, Patience};
use crate::audit_metrics;
use crate::collection_job::Collector;
use crate::config::Config;
use crate::control::{ControlDoor, Desk, SOCKET};
use crate::data_dir::open_data_dir;
use crate::doors::{AdminDoors, Doors};
use crate::health::Health;
use crate::house::House;
use crate::key_jobs;
use crate::leases::Leases;
use crate::log::LogWriter;
use crate::master_key::master_keys;
use crate::presence::{self, Place, Present};
use crate::refusal::Refusal;
use crate::system::{SystemClock, SystemRandom};
use crate::{audit_sink, bootstrap, collection_metrics, jobs, metrics};

/// How long the end of a server may take once the last request is answered: what waits is written, leases are given back. A database that
/// does not answer holds nobody up for longer.
const CLOSING: Duration = Duration::from_secs(10);
/// The same where it was told twice.
const CLOSING_AT_ONCE: Duration = Duration::from_secs(1);
/// Connections of the admin listener, apart from the others so that it answers under load.
const ADMIN_CONNECTIONS: usize = 64;

/// Runs until SIGTERM or SIGINT. Everything that can be refused is refused before anything is served.
pub(crate) async fn run(config: Config, log: &LogWriter) -> Result<(), Refusal> {
    let mut signals = Signals::new()?;
    let tls = config.tls.clone().map(Tls::read).transpose()?.map(Arc::new);
    let listeners = config.listen.iter().map(|address| listen(*address)).collect::<Result<Vec<_>, _>>()?;
    let private = private_listeners(&config)?;
    let admin = config.admin_listen.map(listen).transpose()?;
    open_data_dir(&config.data_dir)?;
    let random = SystemRandom::open();
    let keys = master_keys(&config, &mut random.clone())?;
    let node = node_name(&random);
    let house = House::open(&config, &keys, &random, &node).await?;
    let sink = config.audit.sink.as_ref().map(audit_sink::open).transpose()?.map(Arc::new);
    let work = jobs::TrailWork { sink };
    let endpoint = endpoint(&config, &listeners, tls.is_some());
    let first = bootstrap::bootstrap(&house.identity, &config.data_dir, &endpoint).await?;

    let limit = config.requests_per_second_per_address.map(|a_second| Arc::new(AddressLimit::new(a_second)));
    let mut metrics = Metrics::default();
    let counted = metrics::register(&mut metrics, &house, log, limit.as_ref());
    let http = Arc::new(counted.http);
    let metrics = Arc::new(metrics);
    let leaving = Leaving::default();
    let health = Arc::new(checks(&house, &leaving));
    // The work in the background goes on until the last request is answered: what is under way needs a fresh change feed.
    let ((stopper, stop), (ender, end)) = (stop(), stop());
    let leases = Leases::new(&house.store, &node);
    jobs::start(&house, &leases, &work, &end);
    let collector = Collector::new(config.collection);
    collector.start(&house, &leases, &end);
    collection_metrics::start(&house, &end, &counted.collection);
    key_jobs::start(&house, &leases, &end, &counted.keys);
    audit_metrics::start(&house, work.sink.as_deref(), &end, &counted.audit);
    let place = Place { node: node.clone(), listen: addresses(&listeners), started: SystemClock.now() };
    let present = presence::start(&house, place, &health, &end, &counted.nodes);
    let frames = Frames { config: &config, http, random: random.clone(), limit, leaving: &leaving };
    let slots = Slots::new(config.max_connections);
    let app = Arc::new(Doors::new(&house, &config, Arc::clone(&health), Arc::clone(&metrics)));
    let doors = frames.frame(Arc::clone(&app), None);
    let desk = Desk::new(&house, endpoint.clone(), collector);
    control(&config, &frames, ControlDoor { desk, health: Arc::clone(&health) }, &stop);
    announce(&listeners, tls.is_some());
    welcome(&endpoint, first.as_deref());
    for listener in listeners {
        tokio::spawn(accept(listener, tls.clone(), Arc::clone(&doors), slots.clone(), stop.clone()));
    }
    for (listener, network) in private {
        let doors = frames.frame(Arc::clone(&app), Some(network));
        tokio::spawn(accept(listener, tls.clone(), doors, slots.clone(), stop.clone()));
    }
    if let Some(listener) = admin {
        let doors = frames.admin(AdminDoors { health, metrics });
        tokio::spawn(accept(listener, None, doors, Slots::new(ADMIN_CONNECTIONS), stop.clone()));
    }
    tokio::spawn(reload_on_hangup(Reload { tls, config: config.clone(), house: house.clone(), random }, stop.clone()));

    signals.stop().await;
    let patience = tokio::select! {
        () = leave(&config, &leaving, &stopper, &slots) => CLOSING,
        () = signals.stop() => {
            tracing::warn!("told twice: cut off what was still running");
            CLOSING_AT_ONCE
        }
    };
    stopper.stop();
    ender.stop();
    close(&house, &leases, &present, patience).await
}

/// Says that it leaves and serves on for a while, then lets what runs finish.
async fn leave(config: &Config, leaving: &Leaving, stopper: &Stopper, slots: &Slots) {
    leaving.begin();
    if !config.drain.is_zero() {
        tracing::info!(seconds = config.drain.as_secs(), "leaving: `/readyz` says so, and requests are answered for a while");
        sleep(config.drain).await;
    }
    tracing::info!("stopping: requests under way may finish");
    stopper.stop();
    let open = slots.drained(config.shutdown).await;
    if open > 0 {
        tracing::warn!(connections = open, "cut off what was still running");
    }
}

/// Writes what waits, then says that this node has ended. Refused when what waited is lost.
async fn close(house: &House, leases: &Leases, present: &Present, patience: Duration) -> Result<(), Refusal> {
    let end = Instant::now() + patience;
    let written = timeout_at(end, house.close()).await.unwrap_or(false);
    let left = async {
        leases.give_back().await;
        present.end(house).await;
    };
    if timeout_at(end, left).await.is_err() {
        tracing::warn!("the database does not answer: the leases of this node end by themselves");
    }
    if written { Ok(()) } else { Err(Refusal::Unwritten) }
}

/// The listeners of named networks.
fn private_listeners(config: &Config) -> Result<Vec<(TcpListener, NetworkName)>, Refusal> {
    let open = |(address, network): &(SocketAddr, NetworkName)| {
        let listener = listen(*address)?;
        tracing::info!(%address, %network, "listening for a named network alone");
        Ok((listener, network.clone()))
    };
    config.private_listen.iter().map(open).collect()
}

/// Listens at the control socket. Without it the server serves all the same.
fn control(config: &Config, frames: &Frames<'_>, door: ControlDoor, stop: &Stop) {
    let path = config.data_dir.join(SOCKET);
    match LocalListener::open(&path) {
        Ok(listener) => drop(tokio::spawn(accept_local(listener, frames.local(door), stop.clone()))),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "there is no control socket: `tidegate account create` does not reach this server");
        }
    }
}

/// What must answer for this node to be ready.
fn checks(house: &House, leaving: &Leaving) -> Health {
    let mut health = Health::default();
    let leaving = leaving.clone();
    health.add("stopping", move || {
        let stays = !leaving.has_begun();
        async move { if stays { Ok(()) } else { Err("it was told to stop".to_owned()) } }
    });
    let (store, blobs, access) = (Arc::clone(&house.store), house.blobs.clone(), Arc::clone(&house.access));
    health.add("database", move || {
        let store = Arc::clone(&store);
        async move { store.ping().await.map_err(|error| error.to_string()) }
    });
    health.add("blobs", move || {
        let blobs = blobs.clone();
        async move { blobs.ping().await.map_err(|error| error.to_string()) }
    });
    health.add("change_feed", move || {
        let fresh = !access.directory().is_stale(SystemClock.now());
        async move { if fresh { Ok(()) } else { Err("the last look is older than a second".to_owned()) } }
    });
    health
}

/// This node among its equals: random, new at each start.
fn node_name(random: &SystemRandom) -> String {
    let mut bits = [0; 8];
    random.fill(&mut bits);
    format!("node-{:016x}", u64::from_be_bytes(bits))
}

/// Where clients find this server: as set, or the first listener.
fn endpoint(config: &Config, listeners: &[TcpListener], secure: bool) -> String {
    let scheme = if secure { "https" } else { "http" };
    let address = listeners.first().and_then(|listener| listener.local_addr().ok());
    let listened = || address.map(|address| format!("{scheme}://{address}")).unwrap_or_default();
    config.external_url.clone().unwrap_or_else(listened)
}

/// Where the listeners listen.
fn addresses(listeners: &[TcpListener]) -> Vec<String> {
    listeners.iter().filter_map(|listener| Some(listener.local_addr().ok()?.to_string())).collect()
}

/// What a newcomer needs next; never a secret.
fn welcome(endpoint: &str, bootstrap: Option<&std::path::Path>) {
    let host = endpoint.split("://").nth(1).unwrap_or(endpoint);
    let Some(path) = bootstrap else { return };
    let path = path.display();
    tracing::info!(file = %path, "first start: the root user's password and access key are in this file");
    let mut out = std::io::stdout().lock();
    // If standard output is gone, there is nobody to welcome.
    let _ = writeln!(
        out,
        "Tidegate serves {endpoint}\n\nFirst start: the root user's secrets are in {path}\nLog in:\n  \
         jq -r .root_password {path} | docker login --username root --password-stdin {host}\n  \
         tidegate configure --from {path}"
    );
}

/// What the listeners' frames have in common.
struct Frames<'a> {
    config: &'a Config,
    http: Arc<HttpMetrics>,
    random: SystemRandom,
    limit: Option<Arc<AddressLimit>>,
    leaving: &'a Leaving,
}

impl Frames<'_> {
    fn frame<A: App>(&self, app: A, listener: Option<NetworkName>) -> Arc<Frame<A>> {
        let Config { trusted_proxies, forwarded_header, log, .. } = self.config;
        let edge = self.edge().behind(trusted_proxies.clone(), *forwarded_header);
        self.around(app, edge.among(Arc::new(self.config.networks.clone()), listener), log.requests, self.limit.clone())
    }

    /// The operator's own questions are under no limit.
    fn admin<A: App>(&self, app: A) -> Arc<Frame<A>> {
        let Config { trusted_proxies, forwarded_header, log, .. } = self.config;
        self.around(app, self.edge().behind(trusted_proxies.clone(), *forwarded_header), log.requests, None)
    }

    /// Behind the control socket there is no proxy.
    fn local<A: App>(&self, app: A) -> Arc<Frame<A>> {
        self.around(app, self.edge(), self.config.log.requests, None)
    }

    fn edge(&self) -> Edge {
        Edge::new(Arc::new(SystemClock), Arc::new(self.random.clone()))
    }

    fn around<A: App>(&self, app: A, edge: Edge, log: LogRequests, limit: Option<Arc<AddressLimit>>) -> Arc<Frame<A>> {
        let (metrics, held_back) = (Arc::clone(&self.http), Semaphore::new(MAX_HELD_BACK));
        let turns = Semaphore::new(MAX_TURNS);
        let leaving = self.leaving.clone();
        let limits = limit.is_some() || self.config.requests_per_second_per_caller.is_some();
        Arc::new(Frame { app, edge, log, metrics, patience: Patience::default(), limit, limits, held_back, turns, leaving })
    }
}

fn announce(listeners: &[TcpListener], secure: bool) {
    let scheme = if secure { "https" } else { "http" };
    for address in listeners.iter().filter_map(|listener| listener.local_addr().ok()) {
        tracing::info!(address = %format_args!("{scheme}://{address}"), "listening");
    }
}

/// What is read again on SIGHUP.
struct Reload {
    tls: Option<Arc<Tls>>,
    config: Config,
    house: House,
    random: SystemRandom,
}

async fn reload_on_hangup(reload: Reload, stop: Stop) {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
    let reload = Arc::new(reload);
    loop {
        tokio::select! {
            _ = hangup.recv() => {
                let reload = Arc::clone(&reload);
                // Files, and a command that may take its time.
                drop(tokio::task::spawn_blocking(move || reload.all()).await);
            }
            () = stop.asked() => return,
        }
    }
}

impl Reload {
    fn all(&self) {
        match self.tls.as_ref().map(|tls| tls.reload()) {
            None => {}
            Some(Ok(())) => tracing::info!("the TLS files were read again"),
            Some(Err(error)) => tracing::error!(%error, "the TLS files were not taken; the certificate in force stays"),
        }
        let keys = master_keys(&self.config, &mut self.random.clone()).map_err(|error| error.to_string());
        let replaced = keys.and_then(|keys| self.house.identity.replace_master_keys(&keys).map_err(|error| error.to_string()));
        match replaced {
            Ok(true) => tracing::info!("the master key was read again and has changed: what is sealed is sealed anew"),
            Ok(false) => {}
            Err(error) => tracing::error!(error, "the master keys were not taken; those in force stay"),
        }
    }
}
