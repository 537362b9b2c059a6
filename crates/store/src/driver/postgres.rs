//! PostgreSQL: a pool, serialisable units that are run again when they meet another, TLS when the URL asks for it.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use deadpool_postgres::{Client, Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime, TimeoutType, Timeouts};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, NoTls};

use super::Durability;
use super::error::StoreError;
use super::meters::{Connections, Meters};
use super::tx::{Failure, Tx, Unit, Work, went_on};
pub(super) use session::Session;
use turns::Turns;

mod session;
mod tls;
mod turns;

const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Waits for a moment that a serial order explains, and then as long as it likes.
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE; SET LOCAL statement_timeout = 0; \
                        SET LOCAL idle_in_transaction_session_timeout = 0";
const WRITE: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";
const WRITE_SOON: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE; SET LOCAL synchronous_commit = off";
const WRITE_APART: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ";
/// For migrations: each statement sees what was committed while this one waited for the lock.
const MIGRATE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
/// What a statement may take beyond the time that the server gives it: the way there and back.
const SLACK: Duration = Duration::from_secs(1);
/// How often a unit is run before its conflict is the caller's.
const TRIES: u32 = 12;
/// How often a migration asks for a table that others use, and how long it lets them pass in between.
const MIGRATE_TRIES: u32 = 30;
const MIGRATE_PAUSE: Duration = Duration::from_secs(1);
/// How many units wait for a connection at most; more are told at once to come again.
const QUEUE: usize = 1024;
/// Connections besides, for what everything else depends on ([`Lane::First`]): the change feed, and whether the database answers.
const FIRST: usize = 2;
/// Connections besides, for who has a turn ([`Lane::Turn`]); opened only when none of the others is free.
const TURN: usize = 4;

/// How to reach PostgreSQL. Debug never prints the URL, which may hold a password.
#[derive(Clone)]
pub struct PostgresSettings {
    /// `postgres://user:password@host:port/database?sslmode=require`. Without `sslmode=require` there is no TLS. Several hosts
    /// (`one:5432,other:5432`) are asked in this order, and with `target_session_attrs=read-write` the one that takes writes is taken.
    pub url: String,
    /// Connections at most.
    pub pool_size: usize,
    /// How long to wait for a connection, new or from the pool.
    pub acquire_timeout: Duration,
    /// How long one statement may run.
    pub statement_timeout: Duration,
    /// PEM file of the authorities that the server's certificate is checked against, instead of the public ones.
    pub ca_file: Option<PathBuf>,
}

impl PostgresSettings {
    /// What each connection asks of the planner. Every statement has an index, and none may depend on what the planner believes
    /// about a table: it reads one whole to look for a row that "is common", and is not there. A URL's `options` come after these.
    pub const PLANNER: [&str; 2] = ["enable_seqscan=off", "jit=off"];

    /// Connections besides `pool_size`, at most.
    pub const BESIDES: usize = TURN + FIRST;

    /// The given URL with defaults for the rest.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            pool_size: 16,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
            ca_file: None,
        }
    }

    fn config(&self) -> Result<Config, StoreError> {
        // What the parser says may hold a piece of the password.
        let unreadable =
            |_| StoreError::unavailable("the URL is not `postgres://USER:PASSWORD@HOST:PORT/DATABASE`; is every sign in it encoded?");
        let mut config: Config = self.url.parse().map_err(unreadable)?;
        let asked = config.get_options().unwrap_or_default();
        let limit = self.statement_timeout.as_millis();
        let planner = Self::PLANNER.join(" -c ");
        let ours = format!("-c statement_timeout={limit} -c idle_in_transaction_session_timeout={limit} -c {planner}");
        config.options(format!("{ours} {asked}").trim());
        // One that does not answer leaves time for the others.
        let hosts = u32::try_from(config.get_hosts().len()).unwrap_or(u32::MAX).max(1);
        config.application_name("tidegate").connect_timeout(self.acquire_timeout / hosts);
        Ok(config)
    }
}

impl fmt::Debug for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresSettings").field("pool_size", &self.pool_size).finish_non_exhaustive()
    }
}

/// Which connections a unit may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lane {
    /// With all others.
    Queue,
    /// A free one, else one of those that only who has a turn may take: others wait for that turn, so it is held for transactions and
    /// not for a queue. At most 65 have a turn ([`turns`]), so at most 61 are before one here, with a transaction each.
    Turn,
    /// Past them: what a flood of requests must not hold up.
    First,
}

pub(super) struct Postgres {
    pool: Pool,
    turn: Pool,
    first: Pool,
    patience: Duration,
    pauses: AtomicU64,
    waiting: AtomicUsize,
    meters: Meters,
    turns: Turns,
}

/// A place in the queue for a connection.
struct Place<'c>(&'c AtomicUsize);

impl<'c> Place<'c> {
    fn take(waiting: &'c AtomicUsize) -> Result<Self, StoreError> {
        let place = Self(waiting);
        if waiting.fetch_add(1, Ordering::Relaxed) < QUEUE {
            Ok(place)
        } else {
            Err(StoreError::unavailable("too many wait for a connection"))
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").finish_non_exhaustive()
    }
}

impl Postgres {
    pub(super) fn new(settings: &PostgresSettings, meters: &Meters) -> Result<Self, StoreError> {
        let config = settings.config()?;
        let pool = |size: usize| {
            let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
            let manager = if config.get_ssl_mode() == SslMode::Require {
                Manager::from_config(config.clone(), tls::connector(settings.ca_file.as_deref())?, recycling)
            } else {
                Manager::from_config(config.clone(), NoTls, recycling)
            };
            let pool = Pool::builder(manager).max_size(size).runtime(Runtime::Tokio1).wait_timeout(Some(settings.acquire_timeout));
            pool.create_timeout(Some(settings.acquire_timeout)).build().map_err(StoreError::unavailable)
        };
        let (pool, turn, first) = (pool(settings.pool_size)?, pool(TURN)?, pool(FIRST)?);
        Ok(Self {
            pool,
            turn,
            first,
            patience: settings.statement_timeout + SLACK,
            pauses: AtomicU64::new(u64::from(std::process::id())),
            waiting: AtomicUsize::new(0),
            meters: meters.clone(),
            turns: Turns::new(settings.statement_timeout + SLACK),
        })
    }

    pub(super) fn connections(&self) -> Connections {
        [self.pool.status(), self.turn.status()].into_iter().fold(Connections::default(), |sum, pool| Connections {
            in_use: sum.in_use + pool.size.saturating_sub(pool.available),
            idle: sum.idle + pool.available,
            waiting: sum.waiting + pool.waiting,
        })
    }

    pub(super) async fn read<'c, T, E>(
        &'c self,
        lane: Lane,
        body: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, E> + Send + Sync,
    ) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
    {
        let (session, result, _) = self.run(lane, READ, &body).await?;
        session.rollback().await;
        result
    }

    pub(super) async fn snapshot<'c, T, E>(&'c self, body: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, E> + Send + Sync) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
    {
        let (session, result, _) = self.run(Lane::Queue, SNAPSHOT, &body).await?;
        session.rollback().await;
        result
    }

    /// Runs a unit, again when it meets another. `thing`: what its rows are of, if it is known beforehand that others change them too.
    pub(super) async fn write<'c, T, E>(
        &'c self,
        durability: Durability,
        thing: Option<u64>,
        body: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, E> + Send + Sync,
    ) -> Result<T, E>
    where
        T: Send,
        E: From<StoreError> + Send,
    {
        let begin = match durability {
            Durability::Full => WRITE,
            Durability::Soon => WRITE_SOON,
            Durability::Apart => WRITE_APART,
        };
        // Turns are waited for without a connection.
        let own = match thing {
            Some(thing) => Some(self.turns.of(thing).await?),
            None => None,
        };
        let mut tries = 1;
        loop {
            let turn = if own.is_some() || tries == 1 { None } else { Some(self.turns.again().await?) };
            let lane = if own.is_some() || turn.is_some() { Lane::Turn } else { Lane::Queue };
            let (error, met) = match self.attempt(lane, begin, &body).await {
                Ok(value) => return Ok(value),
                Err(refused) => refused,
            };
            drop(turn);
            if !met || tries == TRIES {
                return Err(error);
            }
            self.pause(tries).await;
            tries += 1;
        }
    }

    /// Runs a unit that changes the schema. One that meets a table in use lets the others pass, and is run again.
    pub(super) async fn migrate<'c, T: Send>(
        &'c self,
        body: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, StoreError> + Send + Sync,
    ) -> Result<T, StoreError> {
        let mut tries = 1;
        loop {
            let (error, met) = match self.attempt(Lane::Queue, MIGRATE, &body).await {
                Ok(value) => return Ok(value),
                Err(refused) => refused,
            };
            if !(met || session::is_lock_timeout(&error)) || tries == MIGRATE_TRIES {
                return Err(error);
            }
            tokio::time::sleep(MIGRATE_PAUSE).await;
            tries += 1;
        }
    }

    /// One try of a writing unit; its error says also whether it met another unit.
    async fn attempt<'c, T, E>(
        &'c self,
        lane: Lane,
        begin: &'static str,
        body: &(impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, E> + Send + Sync),
    ) -> Result<T, (E, bool)>
    where
        T: Send,
        E: From<StoreError> + Send,
    {
        let (session, result, failure) = self.run(lane, begin, body).await.map_err(|error| (error.into(), false))?;
        match result {
            Ok(value) => {
                let committed = self.meters.note(session.commit().await);
                committed.map_err(|error| {
                    let met = error.is_serialisation();
                    (error.into(), met)
                })?;
                Ok(value)
            }
            Err(error) => {
                session.rollback().await;
                Err((error, failure == Some(Failure::Serialisation)))
            }
        }
    }

    async fn run<'c, T, E>(
        &'c self,
        lane: Lane,
        begin: &'static str,
        body: &(impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, E> + Send + Sync),
    ) -> Result<(Session, Result<T, E>, Option<Failure>), StoreError>
    where
        T: Send,
        E: From<StoreError> + Send,
    {
        let client = self.meters.note(self.connection(lane).await)?;
        // A migration waits for another node's, however long that takes; a snapshot for a moment that will do.
        let patience = (begin != MIGRATE && begin != SNAPSHOT).then_some(self.patience);
        let session = self.meters.note(Session::begin(client, begin, patience).await)?;
        let mut tx = Tx::new(Unit::Postgres(Box::new(session)), &self.meters);
        let result = body(&mut tx).await;
        let (unit, failure) = tx.end();
        let result = match result {
            Ok(_) if failure.is_some() => Err(went_on().into()),
            result => result,
        };
        Ok((unit.into_postgres()?, result, failure))
    }

    /// A connection of the lane, in turn. The pool bounds how long that takes.
    async fn connection(&self, lane: Lane) -> Result<Client, StoreError> {
        match lane {
            Lane::Queue => {
                let _place = Place::take(&self.waiting)?;
                self.pool.get().await
            }
            Lane::Turn => match self.pool.timeout_get(&self.at_once()).await {
                Err(PoolError::Timeout(TimeoutType::Wait)) => match self.turn.get().await {
                    // PostgreSQL has no room for more: it waits with the others.
                    Err(PoolError::Backend(_)) => self.pool.get().await,
                    other => other,
                },
                other => other,
            },
            Lane::First => self.first.get().await,
        }
        .map_err(StoreError::unavailable)
    }

    /// A free connection, or none: who waits in the pool's queue goes first.
    fn at_once(&self) -> Timeouts {
        Timeouts { wait: Some(Duration::ZERO), ..self.pool.timeouts() }
    }

    /// Longer at each try, and different for each task, so that those who met do not meet again.
    async fn pause(&self, tries: u32) {
        let turn = self.pauses.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let most = 1_u64 << (tries + 10).min(17);
        tokio::time::sleep(Duration::from_micros(most / 2 + (turn >> 32) % most)).await;
    }
}
