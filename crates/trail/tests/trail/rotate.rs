//! The key that signs the trail is changed: the old one hands over, in the chain, and no other key comes in.

use std::sync::Arc;

use chain::{Begin, Belief, End, Keys, ProblemKind, Report, Verifier};
use model::Seconds;
use serde_json::json;
use testkit::House;

use crate::house::{found, happen, length, number, on_each, records, sql, trail, verify};
use crate::nodes::{another_trail, end_leases, node};

on_each! { the_old_key_hands_over_in_the_chain a_node_that_did_not_make_the_key_goes_on_with_it
a_made_up_key_signs_nothing_and_is_said_to_be_one keys_are_not_changed_without_end the_server_has_one_key_for_all }

async fn rotate(house: &House) {
    house.root_manager().await.post("/api/v1/audit-keys", &json!({})).await.expect(200);
}

/// Verified by the keys that were known then.
async fn verify_by(house: &House, keys: &[api::AuditKey], kept: Option<&str>) -> Report {
    let (trail, records) = (trail(house).await, records(house).await);
    let keys = Keys::parse(&keys.iter().map(|key| key.public_key_pem.as_str()).collect::<String>()).unwrap();
    let mut verifier = Verifier::new(&keys, Belief::Successors, &trail.begin.map_or(Begin::First, Begin::Behind));
    if let Some(kept) = kept {
        verifier.expect(kept);
    }
    for record in &records {
        verifier.record(record);
    }
    verifier.finish(End::Whole(trail.head.as_deref()))
}

async fn the_old_key_hands_over_in_the_chain(house: House) {
    happen(&house, &[2, 3]).await;
    let before = trail(&house).await;
    rotate(&house).await;
    assert_eq!(trail(&house).await.keys.len(), 2);
    happen(&house, &[2, 2]).await;
    let (after, records) = (trail(&house).await, records(&house).await);
    let kid = |text: &Option<String>| chain::Checkpoint::signer(text.as_deref().unwrap()).unwrap();
    let [old, new] = [&after.keys[0].kid, &after.keys[1].kid];
    assert_eq!((&kid(&before.head), &kid(&after.head)), (old, new));
    // One record says so, and is the last that the old key has signed.
    let said: Vec<_> = records.iter().filter(|r| r.event.action == "audit-key").collect();
    assert_eq!(said.len(), 1);
    assert!(said[0].event.detail.as_deref().unwrap().contains(new) && kid(&said[0].checkpoint) == *old);
    let signed = |r: &&api::AuditRecord| r.checkpoint.is_some();
    assert!(records.iter().filter(signed).all(|r| kid(&r.checkpoint) == *if r.sequence() > said[0].sequence() { new } else { old }));
    assert!(verify(&house).await.whole, "{:?}", verify(&house).await.problems);
    // Whoever kept the old key, and a head by the new one, needs no server to believe the new one.
    assert!(verify_by(&house, &before.keys, after.head.as_deref()).await.whole);
    // Retention signs the beginning with the new key.
    house.advance(Seconds::days(2)).await;
    rotate(&house).await;
    happen(&house, &[1]).await;
    assert!(verify_by(&house, &before.keys, None).await.whole);
    assert_eq!(trail(&house).await.keys.len(), 3);
}

async fn a_node_that_did_not_make_the_key_goes_on_with_it(house: House) {
    happen(&house, &[2]).await;
    let other = node(&house.store, "other").await;
    rotate(&house).await;
    happen(&house, &[2]).await;
    house.advance(Seconds(60)).await;
    end_leases(&house.store).await;
    let house = house.with_trail(Arc::new(other));
    happen(&house, &[2]).await;
    assert!(verify(&house).await.whole, "{:?}", verify(&house).await.problems);
    // And one that starts afterwards, which was told of a head by the old key.
    let kept = house.trail.heads();
    let house = another_trail(house, &kept).await;
    happen(&house, &[1]).await;
    assert!(verify(&house).await.whole);
    assert_eq!(number(&house.store, "SELECT count(*) FROM audit_event WHERE action = 'audit-key'").await, 1);
}

async fn a_made_up_key_signs_nothing_and_is_said_to_be_one(house: House) {
    happen(&house, &[3, 3]).await;
    let keys = trail(&house).await.keys;
    // A key's row that nobody has sealed under the master key; a copy of one that somebody has; an old one made the youngest.
    sql(&house, "INSERT INTO audit_key SELECT 'ffffffffffffffff', sealed, public, created_ms + 5 FROM audit_key").await;
    happen(&house, &[2]).await;
    assert!(verify(&house).await.whole);
    assert_eq!(trail(&house).await.keys.len(), 1, "it opens under no name but its own");
    sql(&house, "DELETE FROM audit_key WHERE kid = 'ffffffffffffffff'").await;
    rotate(&house).await;
    happen(&house, &[2]).await;
    sql(&house, "UPDATE audit_key SET created_ms = created_ms + 99999999999 WHERE created_ms = (SELECT min(created_ms) FROM audit_key)")
        .await;
    let house = another_trail(house, &[]).await;
    happen(&house, &[2]).await;
    assert!(verify_by(&house, &keys, None).await.whole, "the old key does not come back");
    // A record that claims a change of keys, sealed with the rest, is no change of keys.
    let end = length(&house).await;
    house.root_manager().await.post("/api/v1/users", &json!({"name": "mallory"})).await.expect(201);
    house.access.audit().flush().await.unwrap();
    sql(&house, "UPDATE audit_pending SET action = 'audit-key', principal = 'system', detail = 'key 0000000000000000 signs from here on'")
        .await;
    house.seal().await;
    assert!(length(&house).await > end && verify(&house).await.whole);
    // The signatures of the new key without the hand-over: as if somebody had put a key in its place.
    sql(&house, "UPDATE audit_event SET checkpoint = (SELECT checkpoint FROM audit_event WHERE checkpoint IS NOT NULL ORDER BY seq DESC LIMIT 1) WHERE action = 'audit-key' AND detail LIKE '%up to here%'").await;
    let found = found(&house).await;
    assert!(found.len() > 1 && found.iter().all(|(kind, _)| *kind == ProblemKind::Unsigned), "{found:?}");
}

async fn keys_are_not_changed_without_end(house: House) {
    rotate(&house).await;
    let refused = house.root_manager().await.post("/api/v1/audit-keys", &json!({})).await.expect(409).json();
    assert_eq!(refused["error"]["code"], "conflict");
    house.advance(Seconds::days(2)).await;
    rotate(&house).await;
    let told = house.root_manager().await.get("/api/v1/audit-events?action=cr:RotateAuditKey").await.expect(200).json();
    assert_eq!(told.as_array().unwrap().len(), 2);
}

async fn the_server_has_one_key_for_all(house: House) {
    let house = house.with_account("other").await;
    house.account("other").root_manager().await.post("/api/v1/audit-keys", &json!({})).await.expect(403);
    happen(&house, &[1]).await;
    rotate(&house).await;
    house.account("other").root_manager().await.post("/api/v1/users", &json!({"name": "zoe"})).await.expect(201);
    happen(&house, &[1]).await;
    // Each trail has its own hand-over.
    assert_eq!(number(&house.store, "SELECT count(DISTINCT account_id) FROM audit_event WHERE action = 'audit-key'").await, 2);
}
