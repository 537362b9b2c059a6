//! What somebody does who can write the database and has no master key, and what the client says to it.

use chain::ProblemKind::{Changed, Missing, OutOfOrder, Replaced, Unsigned};
use serde_json::json;
use testkit::House;

use crate::house::{found, happen, length, on_each, records, sql, trail, verify};

on_each! { what_happened_is_sealed_and_whole a_changed_field_is_found a_value_of_another_type_is_found_and_nothing_fails
a_deleted_record_is_found a_deleted_tail_is_found_and_stays_found a_deleted_tail_with_its_head_is_found_by_the_node_that_sealed_it
a_deleted_tail_with_its_head_is_found_by_what_was_kept a_forged_head_is_not_gone_on_from two_swapped_records_are_found an_inserted_record_is_found
a_key_of_ones_own_signs_nothing nobody_reads_the_trail_of_others }

async fn what_happened_is_sealed_and_whole(house: House) {
    happen(&house, &[3, 1, 4]).await;
    let (records, report) = (records(&house).await, verify(&house).await);
    assert!(report.whole, "{:?}", report.problems);
    assert_eq!(records.iter().map(api::AuditRecord::sequence).collect::<Vec<_>>(), (1..=length(&house).await).collect::<Vec<_>>());
    // Each round ends with a signature, and a signature ends a round.
    let signed = records.iter().filter(|r| r.checkpoint.is_some()).count();
    let times: std::collections::BTreeSet<_> = records.iter().map(|r| r.sealed_at).collect();
    assert_eq!(signed, times.len());
    house.seal().await;
    assert_eq!(house.seal().await, 0, "nothing waits");
    // What is not sealed yet is listed all the same, and is then the same event.
    let root = house.root_manager().await;
    root.post("/api/v1/users", &json!({"name": "late"})).await.expect(201);
    let newest = root.get("/api/v1/audit-events?limit=1&action=ram:CreateUser").await.expect(200).json();
    assert_eq!((&newest[0]["resource"], &newest[0]["sequence"]), (&json!("user/late"), &json!(null)));
    house.seal().await;
    let sealed = root.get("/api/v1/audit-events?limit=1&action=ram:CreateUser").await.expect(200).json();
    assert_eq!(sealed[0]["event_id"], newest[0]["event_id"]);
    assert!(sealed[0]["sequence"].as_i64() > Some(8));
}

async fn a_changed_field_is_found(house: House) {
    happen(&house, &[3, 3, 3]).await;
    let victim = records(&house).await[4].clone();
    sql(&house, "UPDATE audit_event SET principal = 'somebody', principal_id = NULL WHERE seq = 5").await;
    let report = verify(&house).await;
    let problem = &report.problems[0];
    let at = problem.at.as_ref().unwrap();
    assert_eq!((problem.kind, at.sequence, &at.event_id, at.time), (Changed, 5, &victim.event.event_id, victim.event.time));
    assert_eq!(report.problem_count, 1);
}

async fn a_value_of_another_type_is_found_and_nothing_fails(house: House) {
    happen(&house, &[3, 3]).await;
    sql(&house, "UPDATE audit_event SET outcome = 'perhaps', credential_kind = 'none', source_ip = '' WHERE seq = 2").await;
    if house.store.backend_name() == "sqlite" {
        // SQLite keeps whatever it is given.
        sql(&house, "UPDATE audit_event SET count = 'many', previous = 7 WHERE seq = 4").await;
        assert_eq!(found(&house).await[..2], [(Changed, 2), (Changed, 4)]);
    } else {
        assert_eq!(found(&house).await, [(Changed, 2)]);
    }
    let root = house.root_manager().await;
    root.get("/api/v1/audit-events").await.expect(200);
    root.get("/api/v1/audit-events?address=192.0.2.0/24").await.expect(200);
}

async fn a_deleted_record_is_found(house: House) {
    happen(&house, &[3, 3, 3]).await;
    sql(&house, "DELETE FROM audit_event WHERE seq = 5").await;
    assert_eq!(found(&house).await, [(Missing, 4)]);
    sql(&house, "DELETE FROM audit_event WHERE seq < 3").await;
    assert_eq!(found(&house).await, [(Missing, 0), (Missing, 4)]);
}

async fn a_deleted_tail_is_found_and_stays_found(house: House) {
    happen(&house, &[3, 3, 3]).await;
    let end = length(&house).await;
    sql(&house, "DELETE FROM audit_event WHERE sealed_ms = (SELECT max(sealed_ms) FROM audit_event)").await;
    assert_eq!(found(&house).await, [(Missing, end - 3)]);
    // What happens afterwards hides nothing.
    happen(&house, &[2]).await;
    assert_eq!(found(&house).await, [(Missing, end - 3)]);
}

/// As good as it can be done: back to a state that was once signed.
pub(crate) async fn set_back(house: &House) -> i64 {
    happen(house, &[3]).await;
    let end = length(house).await;
    sql(house, "INSERT INTO audit_mark SELECT account_id, 'kept', seq, checkpoint FROM audit_mark WHERE kind = 'head'").await;
    happen(house, &[2, 2]).await;
    sql(house, "DELETE FROM audit_event WHERE seq > (SELECT seq FROM audit_mark WHERE kind = 'kept')").await;
    sql(house, "DELETE FROM audit_mark WHERE kind = 'head'").await;
    sql(house, "UPDATE audit_mark SET kind = 'head' WHERE kind = 'kept'").await;
    assert!(verify(house).await.whole, "nothing in the database tells");
    end
}

async fn a_deleted_tail_with_its_head_is_found_by_the_node_that_sealed_it(house: House) {
    let end = set_back(&house).await;
    happen(&house, &[1]).await;
    assert_eq!(found(&house).await, [(Missing, end)]);
}

async fn a_deleted_tail_with_its_head_is_found_by_what_was_kept(house: House) {
    happen(&house, &[1]).await;
    let end = set_back(&house).await;
    // Another node, which has sealed nothing, but is told what was kept outside the database.
    let kept = house.trail.heads();
    let house = crate::nodes::another_trail(house, &kept).await;
    happen(&house, &[1]).await;
    assert_eq!(found(&house).await, [(Missing, end)]);
}

async fn a_forged_head_is_not_gone_on_from(house: House) {
    happen(&house, &[3, 3]).await;
    let end = length(&house).await;
    // The signature of an older batch, in the head's place.
    sql(&house, "DELETE FROM audit_event WHERE sealed_ms = (SELECT max(sealed_ms) FROM audit_event)").await;
    sql(
        &house,
        "UPDATE audit_mark SET (seq, checkpoint) = (SELECT seq, checkpoint FROM audit_event WHERE checkpoint IS NOT NULL ORDER BY seq DESC LIMIT 1)",
    )
    .await;
    let house = crate::nodes::another_trail(house, &[]).await;
    assert_eq!(found(&house).await, [(Unsigned, 0)]);
    happen(&house, &[1]).await;
    let found = found(&house).await;
    assert_eq!(found, [(Missing, end - 3)], "a number is left out where the chain was cut");
}

async fn two_swapped_records_are_found(house: House) {
    happen(&house, &[3, 3, 3]).await;
    // Their numbers, by way of one that nobody has.
    sql(&house, "UPDATE audit_event SET seq = 1000 WHERE seq = 5").await;
    sql(&house, "UPDATE audit_event SET seq = 5 WHERE seq = 6").await;
    sql(&house, "UPDATE audit_event SET seq = 6 WHERE seq = 1000").await;
    let found = found(&house).await;
    assert!(found.contains(&(Changed, 5)) && found.contains(&(Changed, 6)), "{found:?}");
}

async fn an_inserted_record_is_found(house: House) {
    happen(&house, &[3, 3, 3]).await;
    let end = length(&house).await;
    // In the middle there is no number left; on another day there is room.
    sql(
        &house,
        "INSERT INTO audit_event SELECT account_id, day + 1, 5, sealed_ms, previous, hash, checkpoint, time_ms, id, action, outcome, principal_id, \
         principal, credential_id, credential_kind, resource, detail, source_ip, user_agent, request_id, count FROM audit_event WHERE seq = 5",
    )
    .await;
    assert_eq!(found(&house).await, [(OutOfOrder, 5)]);
    sql(&house, "DELETE FROM audit_event WHERE seq = 5 AND day > (SELECT min(day) FROM audit_event)").await;
    // Behind the end; and what is sealed then does not stumble over it.
    sql(
        &house,
        "INSERT INTO audit_event SELECT account_id, day, seq + 1, sealed_ms, previous, hash, checkpoint, time_ms, id, action, outcome, principal_id, \
         principal, credential_id, credential_kind, resource, detail, source_ip, user_agent, request_id, count FROM audit_event \
         WHERE seq = (SELECT max(seq) FROM audit_event)",
    )
    .await;
    let before = found(&house).await;
    assert!(before.contains(&(Changed, end + 1)) && before.contains(&(OutOfOrder, end + 1)), "{before:?}");
    happen(&house, &[1]).await;
    assert!(found(&house).await.contains(&(Changed, end + 1)));
}

async fn a_key_of_ones_own_signs_nothing(house: House) {
    happen(&house, &[3]).await;
    let keys = trail(&house).await.keys.len();
    // A public key beside the others opens under no master key: the next start says so, and does not believe it.
    sql(&house, "INSERT INTO audit_key SELECT 'own', sealed, public, created_ms + 1 FROM audit_key").await;
    assert_eq!(trail(&house).await.keys.len(), keys);
    sql(&house, "UPDATE audit_event SET hash = previous WHERE seq = 2").await;
    let found = found(&house).await;
    assert!(found.contains(&(Changed, 2)) && found.contains(&(Replaced, 2)), "{found:?}");
}

async fn nobody_reads_the_trail_of_others(house: House) {
    let house = house.with_user("alice").await;
    happen(&house, &[2]).await;
    sql(&house, "UPDATE audit_event SET account_id = account_id + 1 WHERE seq = 2").await;
    let root = house.root_manager().await;
    let listed = root.get("/api/v1/audit-records?limit=1000").await.expect(200).json();
    assert!(listed.as_array().unwrap().iter().all(|r| r["sequence"] != 2));
    let key = root.post("/api/v1/access-keys", &json!({"user": "alice"})).await.expect(201);
    let alice = house.manager(&key.text("access_key_id"), &key.text("access_key_secret")).await;
    for path in ["/api/v1/audit-records", "/api/v1/audit-trail", "/api/v1/audit-events"] {
        alice.get(path).await.expect(403);
    }
    for bad in ["after=x", "after=1", "since=yesterday", "limit=0", "limit=1001", "user=x"] {
        root.get(&format!("/api/v1/audit-records?{bad}")).await.expect(400);
    }
}
