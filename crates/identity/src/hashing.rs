//! The queue in front of argon2id: few jobs at once, each source its turn, no more waiting than there is room for.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::Duration;

use meter::Stopwatch;
use secrets::{ChosenPassword, Dice, Hasher, PasswordHash, Plain};
use tokio::sync::oneshot;

use crate::HashMeters;
use crate::lockout::Network;

/// Jobs that may wait, in all and from one network.
const WAITING: usize = 512;
const WAITING_FROM_ONE: usize = 64;
/// A hasher without work for so long gives its 19 MiB back.
const IDLE: Duration = Duration::from_secs(5);

enum Job {
    Verify(Plain, Option<PasswordHash>, oneshot::Sender<Option<bool>>),
    Hash(ChosenPassword, oneshot::Sender<Option<PasswordHash>>),
}

/// A job, and since when it waits.
type Queued = (Job, Stopwatch);

#[derive(Default)]
struct Waiting {
    /// A line for each network that waits or is being served; empty only while the last of it is served.
    by_network: HashMap<Network, VecDeque<Queued>>,
    /// Networks whose line is not being served, in the order of their turns.
    turns: VecDeque<Network>,
    count: usize,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    work: Condvar,
    calls: AtomicU64,
    meters: HashMeters,
}

/// A bounded queue that is fair per source network.
pub struct HashQueue {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for HashQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HashQueue").field("calls", &self.calls()).finish_non_exhaustive()
    }
}

/// There is no room to wait, or the hasher failed for want of memory.
pub(crate) struct Busy;

impl HashQueue {
    /// A queue with so many hashers, each a thread.
    pub fn new(hashers: usize, dice: &Arc<Dice>, meters: &HashMeters) -> Self {
        let shared = Arc::new(Shared { meters: meters.clone(), ..Shared::default() });
        for _ in 0..hashers.max(1) {
            let (shared, dice) = (Arc::downgrade(&shared), Arc::clone(dice));
            std::thread::spawn(move || work(&shared, &dice));
        }
        Self { shared }
    }

    /// How many jobs wait.
    pub fn waiting(&self) -> usize {
        self.shared.lock().count
    }

    /// How often argon2id has run.
    pub fn calls(&self) -> u64 {
        self.shared.calls.load(Ordering::Acquire)
    }

    /// Is this the password? With no stored hash the work is the same and the answer is no.
    pub(crate) async fn verify(&self, from: Network, password: Plain, stored: Option<PasswordHash>) -> Result<bool, Busy> {
        let (tell, told) = oneshot::channel();
        self.submit(from, Job::Verify(password, stored, tell), told).await
    }

    /// Hashes a password that is being set.
    pub(crate) async fn hash(&self, from: Network, password: ChosenPassword) -> Result<PasswordHash, Busy> {
        let (tell, told) = oneshot::channel();
        self.submit(from, Job::Hash(password, tell), told).await
    }

    /// Waits for what comes of a job.
    async fn submit<T>(&self, from: Network, job: Job, told: oneshot::Receiver<Option<T>>) -> Result<T, Busy> {
        let done = match self.enqueue(from, job) {
            Ok(()) => told.await.ok().flatten().ok_or(Busy),
            Err(busy) => Err(busy),
        };
        done.inspect_err(|_| self.shared.meters.refused.inc())
    }

    fn enqueue(&self, from: Network, job: Job) -> Result<(), Busy> {
        let mut waiting = self.shared.lock();
        waiting.add(from, (job, Stopwatch::start()))?;
        drop(waiting);
        self.shared.work.notify_one();
        Ok(())
    }
}

impl Drop for HashQueue {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.work.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn add(&mut self, from: Network, job: Queued) -> Result<(), Busy> {
        let before_it = self.by_network.get(&from).map_or(0, VecDeque::len);
        if before_it >= WAITING_FROM_ONE || (self.count >= WAITING && !self.push_out(before_it)) {
            return Err(Busy);
        }
        if !self.by_network.contains_key(&from) {
            self.turns.push_back(from);
        }
        self.by_network.entry(from).or_default().push_back(job);
        self.count += 1;
        Ok(())
    }

    /// Makes room for a network that has `fewer` jobs waiting by dropping the last job of the longest line, whose owner is
    /// told that there was no room.
    fn push_out(&mut self, fewer: usize) -> bool {
        let longest = self.by_network.values_mut().max_by_key(|line| line.len());
        let Some(line) = longest.filter(|line| line.len() > fewer + 1) else { return false };
        line.pop_back();
        self.count = self.count.saturating_sub(1);
        true
    }

    /// The next job: networks take turns, and none has two hashers at a time.
    fn take(&mut self) -> Option<(Network, Queued)> {
        let network = self.turns.pop_front()?;
        let job = self.by_network.get_mut(&network)?.pop_front()?;
        self.count = self.count.saturating_sub(1);
        Some((network, job))
    }

    /// A network's job is done. Only now it queues again, so that who came meanwhile waits for no second job of its.
    fn served(&mut self, network: Network) {
        if self.by_network.get(&network).is_some_and(|line| !line.is_empty()) {
            self.turns.push_back(network);
        } else {
            self.by_network.remove(&network);
        }
    }
}

fn work(shared: &Weak<Shared>, dice: &Dice) {
    let mut hasher = Hasher::new();
    while let Some(shared) = shared.upgrade() {
        let mut waiting = shared.lock();
        if waiting.closed {
            return;
        }
        let Some((network, (job, queued))) = waiting.take() else {
            let (guard, waited) = shared.work.wait_timeout(waiting, IDLE).unwrap_or_else(PoisonError::into_inner);
            let idle = waited.timed_out() && guard.count == 0;
            drop(guard);
            if idle {
                hasher.release_memory();
            }
            continue;
        };
        drop(waiting);
        // Counted before it is answered, so that whoever has the answer sees the count.
        shared.calls.fetch_add(1, Ordering::AcqRel);
        shared.meters.waited.took(queued.elapsed());
        let watch = Stopwatch::start();
        run(job, &mut hasher, dice);
        shared.meters.worked.took(watch.elapsed());
        shared.lock().served(network);
    }
}

/// Runs one job; nobody waiting for its answer any longer is no matter.
fn run(job: Job, hasher: &mut Hasher, dice: &Dice) {
    match job {
        Job::Verify(_, _, tell) if tell.is_closed() => {}
        Job::Verify(password, Some(stored), tell) => drop(tell.send(hasher.verify_password(&password, &stored).ok())),
        Job::Verify(password, None, tell) => drop(tell.send(hasher.dummy_verify(&password).ok().map(|()| false))),
        Job::Hash(password, tell) => drop(tell.send(dice.with(|random| hasher.hash_password(&password, random)).ok())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(last: u8) -> Network {
        Network::of(std::net::Ipv4Addr::new(10, 0, last, 1).into())
    }

    fn add(waiting: &mut Waiting, from: Network) -> Result<(), Busy> {
        let job = Job::Verify(Plain::new("right-Password-1".to_owned()).unwrap(), None, oneshot::channel().0);
        waiting.add(from, (job, Stopwatch::start()))
    }

    fn take(waiting: &mut Waiting) -> Option<Network> {
        waiting.take().map(|(network, _)| network)
    }

    #[test]
    fn a_newcomer_waits_for_the_job_that_runs_and_no_other() {
        let waiting = &mut Waiting::default();
        for _ in 0..3 {
            assert!(add(waiting, net(1)).is_ok());
        }
        assert_eq!(take(waiting), Some(net(1)));
        assert!(add(waiting, net(2)).is_ok());
        waiting.served(net(1));
        assert_eq!(take(waiting), Some(net(2)));
        assert_eq!(take(waiting), Some(net(1)));
        assert_eq!(take(waiting), None, "no network has two hashers");
        waiting.served(net(2));
        waiting.served(net(1));
        assert_eq!(take(waiting), Some(net(1)));
        waiting.served(net(1));
        assert_eq!((take(waiting), waiting.count, waiting.by_network.len()), (None, 0, 0));
    }

    #[test]
    fn who_is_turned_away_leaves_nothing_behind() {
        let waiting = &mut Waiting::default();
        for n in 0..WAITING {
            assert!(add(waiting, net(u8::try_from(n / WAITING_FROM_ONE).unwrap())).is_ok());
        }
        assert!(add(waiting, net(0)).is_err(), "one network has its share and no more");
        assert_eq!((waiting.count, waiting.by_network.len()), (WAITING, WAITING / WAITING_FROM_ONE));
    }

    #[test]
    fn a_newcomer_pushes_out_the_last_of_the_longest_line() {
        let waiting = &mut Waiting::default();
        for n in 0..WAITING {
            assert!(add(waiting, net(u8::try_from(n / WAITING_FROM_ONE).unwrap())).is_ok());
        }
        assert!(add(waiting, net(200)).is_ok());
        assert_eq!(waiting.count, WAITING, "there is no more room than there was");
        assert_eq!(waiting.by_network.get(&net(200)).map(VecDeque::len), Some(1));
    }
}
