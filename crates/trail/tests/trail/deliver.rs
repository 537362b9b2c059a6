//! Delivery: everything arrives, in order, whatever the sink does.

use std::sync::Mutex;
use std::time::Duration;

use api::AuditRecord;
use model::{FixedClock, Seconds};
use testkit::House;
use trail::{RefusalKind, Refused, Sink};

use crate::house::{happen, on_each, records};
use crate::nodes::{end_leases, node};

on_each! { everything_arrives_in_order a_refusal_is_tried_again_after_a_pause a_batch_that_is_too_large_is_made_smaller
what_was_taken_and_not_noted_comes_again one_node_delivers }

/// A sink that answers as it is told, and keeps what it has seen.
#[derive(Default)]
struct Fake {
    seen: Mutex<Vec<AuditRecord>>,
    answers: Mutex<Vec<Refused>>,
    most: Option<usize>,
    batches: Mutex<Vec<usize>>,
}

impl Fake {
    fn seen(&self) -> Vec<AuditRecord> {
        self.seen.lock().unwrap().clone()
    }

    fn sequences(&self) -> Vec<i64> {
        self.seen.lock().unwrap().iter().map(AuditRecord::sequence).collect()
    }

    fn refuse(&self, retry_after: Option<u64>) {
        let retry_after = retry_after.map(Duration::from_secs);
        self.answers.lock().unwrap().push(Refused { why: "told to".into(), retry_after, kind: RefusalKind::Failed });
    }
}

impl Sink for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }

    async fn take(&self, account: &str, records: &[AuditRecord]) -> Result<(), Refused> {
        assert!(records.iter().all(|r| r.account_id == account));
        self.batches.lock().unwrap().push(records.len());
        if self.most.is_some_and(|most| records.len() > most) {
            return Err(Refused { why: "too large".into(), retry_after: None, kind: RefusalKind::TooLarge });
        }
        if let Some(refused) = self.answers.lock().unwrap().pop() {
            return Err(refused);
        }
        self.seen.lock().unwrap().extend_from_slice(records);
        Ok(())
    }
}

async fn everything_arrives_in_order(house: House) {
    let (sink, clock) = (Fake::default(), FixedClock::at(house.now()));
    assert_eq!(house.trail.deliver(&sink, &clock).await.unwrap(), trail::Delivered::default());
    happen(&house, &[3, 2, 4]).await;
    let delivered = house.trail.deliver(&sink, &clock).await.unwrap();
    let all = records(&house).await;
    assert_eq!((delivered.records, delivered.behind), (all.len() as u64, false));
    assert_eq!(sink.seen(), all);
    happen(&house, &[2]).await;
    house.trail.deliver(&sink, &clock).await.unwrap();
    assert_eq!(sink.seen(), records(&house).await, "what is new, and that alone");
}

async fn a_refusal_is_tried_again_after_a_pause(house: House) {
    let (sink, clock) = (Fake::default(), FixedClock::at(house.now()));
    happen(&house, &[3]).await;
    let tries = async || {
        house.trail.deliver(&sink, &clock).await.unwrap();
        sink.batches.lock().unwrap().len()
    };
    // A second, two, as long as it asks, and no longer than five minutes.
    for (pause, asked) in [(1, None), (2, None), (100, Some(100)), (300, Some(100_000))] {
        sink.refuse(asked);
        let before = sink.batches.lock().unwrap().len();
        assert_eq!(tries().await, before + 1);
        clock.advance(Seconds(pause - 1));
        assert_eq!(tries().await, before + 1, "it is left alone");
        clock.advance(Seconds(1));
    }
    assert!(sink.sequences().is_empty());
    tries().await;
    assert_eq!(sink.seen(), records(&house).await);
}

async fn a_batch_that_is_too_large_is_made_smaller(house: House) {
    let (sink, clock) = (Fake { most: Some(3), ..Fake::default() }, FixedClock::at(house.now()));
    happen(&house, &[9]).await;
    for _ in 0..40 {
        house.trail.deliver(&sink, &clock).await.unwrap();
        clock.advance(Seconds(300));
    }
    assert_eq!(sink.seen(), records(&house).await);
}

async fn what_was_taken_and_not_noted_comes_again(house: House) {
    let (sink, clock) = (Fake::default(), FixedClock::at(house.now()));
    happen(&house, &[3]).await;
    house.trail.deliver(&sink, &clock).await.unwrap();
    // As if the node had crashed between the two.
    crate::house::sql(&house, "DELETE FROM audit_cursor").await;
    house.trail.deliver(&sink, &clock).await.unwrap();
    let all: Vec<i64> = records(&house).await.iter().map(AuditRecord::sequence).collect();
    assert_eq!(sink.sequences(), [all.clone(), all].concat());
}

async fn one_node_delivers(house: House) {
    let (sink, clock) = (Fake::default(), FixedClock::at(house.now()));
    happen(&house, &[3]).await;
    house.trail.deliver(&sink, &clock).await.unwrap();
    let before = sink.sequences().len();
    happen(&house, &[3]).await;
    let other = node(&house.store, "other").await;
    assert!(other.deliver(&sink, &clock).await.unwrap().behind);
    assert_eq!(sink.sequences().len(), before, "the other holds the lease");
    clock.advance(Seconds(11));
    end_leases(&house.store).await;
    other.deliver(&sink, &clock).await.unwrap();
    assert_eq!(sink.sequences().len(), records(&house).await.len());
    // The first was only stopped.
    happen(&house, &[3]).await;
    let before = sink.sequences().len();
    assert!(house.trail.deliver(&sink, &clock).await.unwrap().behind);
    assert_eq!(sink.sequences().len(), before, "the lease is another's");
}
