//! What is told of what waits, and of a database that is not what was sealed.

use std::sync::Arc;

use api::AuditRecord;
use model::{FixedClock, Seconds};
use serde_json::json;
use testkit::House;
use trail::{RefusalKind, Refused, Sink};

use crate::house::{happen, length, on_each, sql};
use crate::nodes::{end_leases, node};

on_each! { what_waits_to_be_sealed_is_counted what_waits_to_be_delivered_is_counted
a_node_that_starts_says_that_the_database_was_set_back a_node_that_starts_over_what_it_has_sealed_says_nothing }

async fn what_waits_to_be_sealed_is_counted(house: House) {
    house.seal().await;
    let nothing = house.trail.unsealed().await.unwrap();
    assert_eq!((nothing.records, nothing.oldest), (0, None));
    let root = house.root_manager().await;
    house.seal().await;
    let begin = house.now();
    for name in ["a1", "a2"] {
        root.post("/api/v1/users", &json!({ "name": name })).await.expect(201);
        house.advance(Seconds(30)).await;
    }
    let waiting = house.trail.unsealed().await.unwrap();
    assert_eq!((waiting.records, waiting.oldest), (2, Some(begin)));
}

/// Refuses as it is told, or takes everything.
struct Moody(Option<RefusalKind>);

impl Sink for Moody {
    fn name(&self) -> &'static str {
        "moody"
    }

    async fn take(&self, _account: &str, _records: &[AuditRecord]) -> Result<(), Refused> {
        self.0.map_or(Ok(()), |kind| Err(Refused { why: "moody".into(), retry_after: None, kind }))
    }
}

async fn what_waits_to_be_delivered_is_counted(house: House) {
    happen(&house, &[2, 2]).await;
    let (all, begin) = (length(&house).await, house.now());
    house.advance(Seconds(60)).await;
    house.seal().await;
    let waiting = house.trail.undelivered("moody").await.unwrap();
    assert!(waiting.records >= all && waiting.oldest.unwrap().millis_since(begin) < 1000, "{waiting:?}");
    house.trail.deliver(&Moody(Some(RefusalKind::Rejected)), &FixedClock::at(house.now())).await.unwrap();
    assert_eq!(house.trail.last_refusal(), Some(RefusalKind::Rejected));
    house.trail.deliver(&Moody(None), &FixedClock::at(house.now().plus(Seconds(60)))).await.unwrap();
    assert_eq!(house.trail.last_refusal(), None);
    let nothing = house.trail.undelivered("moody").await.unwrap();
    assert_eq!((nothing.records, nothing.oldest), (0, None));
}

/// A node that has just started, and was told of what the one before it had kept.
async fn started(house: House, kept: &[String]) -> House {
    let another = node(&house.store, "another").await;
    another.remember(kept);
    end_leases(&house.store).await;
    house.with_trail(Arc::new(another))
}

async fn said(house: &House) -> Vec<&'static str> {
    house.trail.check_heads().await.unwrap().into_iter().map(|one| one.harm).collect()
}

async fn a_node_that_starts_says_that_the_database_was_set_back(house: House) {
    happen(&house, &[3]).await;
    sql(&house, "INSERT INTO audit_mark SELECT account_id, 'kept', seq, checkpoint FROM audit_mark WHERE kind = 'head'").await;
    happen(&house, &[2, 2]).await;
    let kept = house.trail.heads();
    let house = started(house, &kept).await;
    assert_eq!(said(&house).await, Vec::<&str>::new());
    // One row, far from the end.
    sql(&house, "UPDATE audit_event SET hash = previous WHERE seq = (SELECT max(seq) FROM audit_event)").await;
    assert_eq!(said(&house).await, ["another record stands where one was sealed"]);
    sql(&house, "DELETE FROM audit_event WHERE seq > (SELECT seq FROM audit_mark WHERE kind = 'kept')").await;
    assert_eq!(said(&house).await, ["a record that was sealed is gone"]);
    sql(
        &house,
        "UPDATE audit_mark SET (seq, checkpoint) = (SELECT seq, checkpoint FROM audit_mark WHERE kind = 'kept') WHERE kind = 'head'",
    )
    .await;
    assert_eq!(said(&house).await, ["its head was set back"]);
    sql(&house, "UPDATE audit_mark SET checkpoint = 'x.y.z' WHERE kind = 'head'").await;
    assert_eq!(said(&house).await, ["its head is not signed by us"]);
    sql(&house, "DELETE FROM audit_mark").await;
    assert_eq!(said(&house).await, ["its head is gone"]);
}

async fn a_node_that_starts_over_what_it_has_sealed_says_nothing(house: House) {
    happen(&house, &[3]).await;
    let kept = house.trail.heads();
    // Others have gone on since.
    happen(&house, &[2]).await;
    let house = started(house, &kept).await;
    assert_eq!(said(&house).await, Vec::<&str>::new());
}
