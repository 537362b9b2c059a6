//! What nodes have sealed and kept from before a restore does not count any more; and nobody but a restore can say so.

use chain::ProblemKind::Missing;
use model::Seconds;
use testkit::House;

use crate::house::{found, happen, length, on_each, sql};
use crate::nodes::{another_trail, node};
use crate::tamper::set_back;

on_each! { what_was_kept_before_a_restore_does_not_count what_is_sealed_after_a_restore_counts
a_mark_of_ones_own_is_none a_mark_is_of_the_state_that_was_restored
a_chain_that_had_not_begun_begins_anew }

/// What `tidegate restore` does, a while after the last record was sealed.
async fn restored(house: &House) {
    house.advance(Seconds(60)).await;
    node(&house.store, "the restore").await.restored(house.now()).await.unwrap();
    house.advance(Seconds(60)).await;
}

/// What a node says when it starts.
async fn said(house: &House) -> Vec<&'static str> {
    house.trail.check_heads().await.unwrap().into_iter().map(|one| one.harm).collect()
}

async fn what_was_kept_before_a_restore_does_not_count(house: House) {
    set_back(&house).await;
    let kept = house.trail.heads();
    restored(&house).await;
    // Another node, whose data folder nobody has looked into.
    let house = another_trail(house, &kept).await;
    assert_eq!(said(&house).await, Vec::<&str>::new());
    happen(&house, &[1]).await;
    assert_eq!(found(&house).await, []);
    let (now, end) = (house.trail.heads(), length(&house).await);
    assert!(now.len() == 1 && now != kept, "it keeps what it has sealed now");
    // And so does the next one that comes with them, when the chain has grown beyond.
    happen(&house, &[9]).await;
    let house = another_trail(house, &kept).await;
    assert_eq!(said(&house).await, Vec::<&str>::new());
    happen(&house, &[1]).await;
    assert_eq!(found(&house).await, []);
    assert!(length(&house).await > end);
}

/// The backup was made before the first record was sealed.
async fn a_chain_that_had_not_begun_begins_anew(house: House) {
    happen(&house, &[3]).await;
    let kept = house.trail.heads();
    sql(&house, "DELETE FROM audit_event").await;
    sql(&house, "DELETE FROM audit_mark").await;
    restored(&house).await;
    let house = another_trail(house, &kept).await;
    assert_eq!(said(&house).await, Vec::<&str>::new());
    happen(&house, &[1]).await;
    assert_eq!(found(&house).await, []);
}

async fn what_is_sealed_after_a_restore_counts(house: House) {
    happen(&house, &[2]).await;
    restored(&house).await;
    let end = set_back(&house).await;
    // The mark is there still: it was set back with the rest.
    let kept = house.trail.heads();
    let house = another_trail(house, &kept).await;
    assert_eq!(said(&house).await, ["its head was set back"]);
    happen(&house, &[1]).await;
    assert_eq!(found(&house).await, [(Missing, end)]);
}

async fn a_mark_of_ones_own_is_none(house: House) {
    let end = set_back(&house).await;
    let kept = house.trail.heads();
    house.advance(Seconds(60)).await;
    // What is signed for something else, in the place of what only a restore signs.
    sql(&house, "INSERT INTO audit_mark SELECT account_id, 'restore', seq, checkpoint FROM audit_mark WHERE kind = 'head'").await;
    let house = another_trail(house, &kept).await;
    assert_eq!(said(&house).await, ["its head was set back"]);
    sql(&house, "UPDATE audit_mark SET checkpoint = 'x.y.z' WHERE kind = 'restore'").await;
    assert_eq!(said(&house).await, ["its head was set back"]);
    // A head that is gone is gone, as long as the account is there.
    restored(&house).await;
    sql(&house, "UPDATE audit_mark SET kind = 'kept' WHERE kind = 'head'").await;
    assert_eq!(said(&house).await, ["its head is gone"]);
    sql(&house, "UPDATE audit_mark SET kind = 'head' WHERE kind = 'kept'").await;
    sql(&house, "DELETE FROM audit_mark WHERE kind = 'restore'").await;
    happen(&house, &[1]).await;
    assert_eq!(found(&house).await, [(Missing, end)]);
}

async fn a_mark_is_of_the_state_that_was_restored(house: House) {
    happen(&house, &[3]).await;
    let end = length(&house).await;
    sql(&house, "INSERT INTO audit_mark SELECT account_id, 'kept', seq, checkpoint FROM audit_mark WHERE kind = 'head'").await;
    happen(&house, &[2, 2]).await;
    let kept = house.trail.heads();
    restored(&house).await;
    // Back to before what the mark says was restored.
    sql(&house, "DELETE FROM audit_event WHERE seq > (SELECT seq FROM audit_mark WHERE kind = 'kept')").await;
    sql(&house, "DELETE FROM audit_mark WHERE kind = 'head'").await;
    sql(&house, "UPDATE audit_mark SET kind = 'head' WHERE kind = 'kept'").await;
    let house = another_trail(house, &kept).await;
    assert_eq!(said(&house).await, ["its head was set back"]);
    happen(&house, &[1]).await;
    assert_eq!(found(&house).await, [(Missing, end)]);
}
