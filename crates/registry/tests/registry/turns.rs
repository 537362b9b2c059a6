//! Tries every order in which the units of work of several people may come. Each is a task; whenever all of them wait to begin
//! their next unit, or to have content made durable or deleted, one is let go on. What one run has chosen, the next one chooses otherwise, until nothing else is left.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Mutex;
use std::time::Duration;

use store::Turns;
use tokio::sync::{Notify, oneshot};

tokio::task_local! {
    static ACTOR: usize;
}

/// Somebody who acts, as the task that does it.
pub(crate) type Actor<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

pub(crate) fn actor<'a>(work: impl Future<Output = ()> + 'a) -> Actor<'a> {
    Box::pin(work)
}

/// Lets one of those who wait go on.
#[derive(Default)]
pub(crate) struct Scheduler {
    /// Who waits, and at how many places: content is deleted side by side.
    waiting: Mutex<BTreeMap<usize, Vec<oneshot::Sender<()>>>>,
    changed: Notify,
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler").finish_non_exhaustive()
    }
}

impl Turns for Scheduler {
    fn turn(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.wait()
    }
}

impl blobs::Turns for Scheduler {
    fn turn(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.wait()
    }
}

impl Scheduler {
    fn wait(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {
            // Who is no actor watches, and need not wait.
            let Ok(actor) = ACTOR.try_with(|actor| *actor) else { return };
            let (go, turn) = oneshot::channel();
            self.waiting.lock().unwrap().entry(actor).or_default().push(go);
            self.changed.notify_one();
            turn.await.unwrap();
        })
    }
}

/// What was chosen at one point: which of how many.
#[derive(Clone, Copy, Debug)]
struct Choice {
    taken: usize,
    of: usize,
}

/// The choices of one order after the other: the last one that can be made otherwise is.
#[derive(Default)]
struct Choices {
    made: Vec<Choice>,
    at: usize,
}

impl Choices {
    fn choose(&mut self, of: usize) -> usize {
        if self.at == self.made.len() {
            self.made.push(Choice { taken: 0, of });
        }
        let choice = self.made[self.at];
        assert_eq!(choice.of, of, "the same choices lead to the same place");
        self.at += 1;
        choice.taken
    }

    /// False: every order has been tried.
    fn next_order(&mut self) -> bool {
        self.at = 0;
        while self.made.last().is_some_and(|last| last.taken + 1 == last.of) {
            self.made.pop();
        }
        self.made.last_mut().map(|last| last.taken += 1).is_some()
    }
}

impl Scheduler {
    /// Runs the actors to their ends in the order that `choose` says. `check` looks after each unit.
    async fn run(&self, actors: Vec<Actor<'_>>, choose: &mut impl FnMut(usize) -> usize, check: &impl AsyncFn()) {
        let (ended, total) = (&Mutex::new(0), actors.len());
        let tasks = actors.into_iter().enumerate().map(|(number, actor)| {
            ACTOR.scope(number, async move {
                actor.await;
                *ended.lock().unwrap() += 1;
                self.changed.notify_one();
            })
        });
        let direct = async {
            while let Some(ready) = self.all_wait(ended, total).await {
                check().await;
                let one = ready[choose(ready.len())];
                let go = self.waiting.lock().unwrap().remove(&one).unwrap();
                for go in go {
                    go.send(()).unwrap();
                }
            }
            check().await;
        };
        tokio::join!(futures_util::future::join_all(tasks), direct);
    }

    /// Who waits, once everybody waits or has ended. None: all have ended.
    async fn all_wait(&self, ended: &Mutex<usize>, total: usize) -> Option<Vec<usize>> {
        loop {
            let ready: Vec<usize> = self.waiting.lock().unwrap().keys().copied().collect();
            if ready.len() + *ended.lock().unwrap() == total {
                return Some(ready).filter(|ready| !ready.is_empty());
            }
            tokio::time::timeout(Duration::from_secs(30), self.changed.notified()).await.expect("an actor neither ends nor waits");
        }
    }

    /// Every order of what `actors` makes anew for each, `check` after each unit and `end` after each order. How many there were.
    pub(crate) async fn every_order<'a>(
        &self,
        actors: impl AsyncFn() -> Vec<Actor<'a>>,
        check: impl AsyncFn(),
        end: impl AsyncFn(),
    ) -> usize {
        let (mut choices, mut orders) = (Choices::default(), 1);
        loop {
            self.run(actors().await, &mut |of| choices.choose(of), &check).await;
            end().await;
            if !choices.next_order() {
                return orders;
            }
            orders += 1;
        }
    }

    /// So many of the orders, drawn from `seed`, where there are too many.
    pub(crate) async fn some_orders<'a>(
        &self,
        (mut seed, count): (u64, usize),
        actors: impl AsyncFn() -> Vec<Actor<'a>>,
        check: impl AsyncFn(),
        end: impl AsyncFn(),
    ) {
        let mut draw = |of: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).unwrap() % of
        };
        for _ in 0..count {
            self.run(actors().await, &mut draw, &check).await;
            end().await;
        }
    }
}
