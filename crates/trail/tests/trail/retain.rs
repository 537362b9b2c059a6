//! Retention: whole days go, and what is left is whole.

use std::sync::Arc;

use model::{Op, RequestId, Seconds};
use serde_json::{Value, json};
use testkit::House;
use trail::Keeping;

use crate::house::{DAY, found, happen, length, number, on_each, records, sql, trail, verify};
use crate::nodes::{end_leases, node};

on_each! { whole_days_go_and_the_rest_is_whole what_the_sink_has_not_taken_stays the_signed_beginning_cannot_be_made_up
an_account_keeps_its_trail_within_the_servers_bounds who_takes_an_account_over_takes_no_young_records_away one_node_takes_away }

/// The account keeps its trail for so many days; the job does its round.
async fn retain(house: &House, days: i64, sink: Option<&str>) -> u64 {
    house.root_manager().await.put("/api/v1/audit-retention", &json!({ "days": days })).await.expect(200);
    round(house, sink).await
}

async fn round(house: &House, sink: Option<&str>) -> u64 {
    let op = Op {
        request_id: RequestId::from_random(1),
        now: house.now(),
        source_ip: [0, 0, 0, 0].into(),
        network: model::Network::Public,
        secure: true,
        user_agent: None,
    };
    house.trail.retain(&op, sink, house.access.audit()).await.unwrap()
}

/// The server keeps trails so.
async fn keeping(house: House, default: Option<Seconds>, least: i64, most: i64) -> House {
    let trail = node(&house.store, "keeper").await;
    house.advance(Seconds(60)).await;
    end_leases(&house.store).await;
    house.with_trail(Arc::new(trail.keeping(Keeping { default, least: Seconds::days(least), most: Seconds::days(most) })))
}

async fn whole_days_go_and_the_rest_is_whole(house: House) {
    let house = keeping(house, None, 1, 400).await;
    for _ in 0..4 {
        happen(&house, &[2, 1]).await;
        house.advance(DAY).await;
    }
    let before = length(&house).await;
    assert_eq!(retain(&house, 10, None).await, 0, "nothing is that old");
    assert!(trail(&house).await.begin.is_none());
    let gone = retain(&house, 2, None).await;
    assert!(gone > 0);
    house.seal().await;
    let (left, report) = (records(&house).await, verify(&house).await);
    assert!(report.whole, "{:?}", report.problems);
    assert_eq!(left[0].sequence(), i64::try_from(gone).unwrap() + 1);
    assert!(length(&house).await > before - i64::try_from(gone).unwrap(), "the rest is there");
    let told: Vec<_> = left.iter().filter(|r| r.event.action == "retention").map(|r| r.event.principal.as_str()).collect();
    assert_eq!(told, ["system"], "that it went is written down");
    assert_eq!(retain(&house, 2, None).await, 0, "once");
    // All of it, and what comes after.
    house.advance(Seconds::days(30)).await;
    assert!(retain(&house, 2, None).await > 0);
    assert!(verify(&house).await.whole);
    happen(&house, &[2]).await;
    assert!(verify(&house).await.whole);
}

async fn what_the_sink_has_not_taken_stays(house: House) {
    let house = keeping(house, None, 1, 400).await;
    happen(&house, &[2, 1]).await;
    house.advance(Seconds::days(30)).await;
    assert_eq!(retain(&house, 2, Some("http")).await, 0);
    let account = house.bootstrap.account;
    let all = store::audit::chain::Position::at(house.now(), i64::MAX);
    house.store.write(|tx| Box::pin(store::audit::mark::advance(tx, "http", account, all))).await.unwrap();
    assert!(retain(&house, 2, Some("http")).await > 0);
    assert!(verify(&house).await.whole);
}

async fn the_signed_beginning_cannot_be_made_up(house: House) {
    happen(&house, &[3, 3]).await;
    let end = number(&house.store, "SELECT min(seq) FROM audit_event WHERE checkpoint IS NOT NULL").await;
    // The signature of a batch as the beginning, and what was before it gone.
    sql(
        &house,
        "INSERT INTO audit_mark SELECT account_id, 'begin', seq, checkpoint FROM audit_event WHERE seq = (SELECT min(seq) FROM audit_event WHERE checkpoint IS NOT NULL)",
    )
    .await;
    sql(&house, "DELETE FROM audit_event WHERE seq <= (SELECT seq FROM audit_mark WHERE kind = 'begin')").await;
    assert!(end > 0 && !found(&house).await.is_empty());
}

async fn shown(house: &House) -> Value {
    house.root_manager().await.get("/api/v1/audit-retention").await.expect(200).json()
}

async fn an_account_keeps_its_trail_within_the_servers_bounds(house: House) {
    let house = keeping(house, Some(Seconds::days(30)), 10, 100).await.with_account("other").await;
    let (root, other) = (house.root_manager().await, house.account("other").root_manager().await);
    let default = json!({"days": null, "kept_days": 30, "default_days": 30, "least_days": 10, "most_days": 100});
    assert_eq!(shown(&house).await, default);
    for days in [9, 0, -1, 101, i64::MAX] {
        let refused = root.put("/api/v1/audit-retention", &json!({ "days": days })).await.expect(400).json();
        assert_eq!(refused["error"]["field"], "days");
    }
    root.put("/api/v1/audit-retention", &json!({"days": 50})).await.expect(200);
    assert_eq!((&shown(&house).await["days"], &shown(&house).await["kept_days"]), (&json!(50), &json!(50)));
    other.put("/api/v1/audit-retention", &json!({"days": 10})).await.expect(200);
    happen(&house, &[2]).await;
    // After 40 days the other's trail goes, and this one stays.
    house.advance(Seconds::days(40)).await;
    assert!(round(&house, None).await > 0);
    assert!(trail(&house).await.begin.is_none());
    let told = house.account("other").root_manager().await.get("/api/v1/audit-events?action=retention").await.expect(200).json();
    assert_eq!(told.as_array().unwrap().len(), 1);
    // Back to the server's setting, under which it goes too.
    house.root_manager().await.delete("/api/v1/audit-retention").await.expect(204);
    assert_eq!(shown(&house).await, default);
    assert!(round(&house, None).await > 0);
    assert!(trail(&house).await.begin.is_some());
    house.seal().await;
    assert!(verify(&house).await.whole);
    let said: Vec<_> =
        records(&house).await.into_iter().filter(|r| r.event.action == "cr:SetAuditRetention").map(|r| r.event.detail.unwrap()).collect();
    assert_eq!(said.last().unwrap(), "the server's", "what was said is written down");
}

async fn who_takes_an_account_over_takes_no_young_records_away(house: House) {
    // Said while the server asked for less, or written by hand.
    let house = keeping(house, None, 1, 400).await;
    happen(&house, &[2, 2]).await;
    house.root_manager().await.put("/api/v1/audit-retention", &json!({"days": 1})).await.expect(200);
    let house = keeping(house, None, 90, 400).await;
    house.advance(Seconds::days(80)).await;
    assert_eq!(round(&house, None).await, 0);
    assert_eq!(shown(&house).await["kept_days"], 90);
    house.advance(Seconds::days(20)).await;
    assert!(round(&house, None).await > 0);
}

async fn one_node_takes_away(house: House) {
    let house = keeping(house, None, 1, 400).await;
    happen(&house, &[2]).await;
    house.advance(Seconds::days(30)).await;
    let keeper = Arc::clone(&house.trail);
    let other = node(&house.store, "other").await.keeping(Keeping { default: Some(Seconds::days(10)), ..Keeping::default() });
    house.root_manager().await.put("/api/v1/audit-retention", &json!({"days": 400})).await.expect(200);
    assert_eq!(round(&house, None).await, 0, "nothing is that old, and the lease is this node's");
    house.root_manager().await.delete("/api/v1/audit-retention").await.expect(204);
    let house = house.with_trail(Arc::new(other));
    assert_eq!(round(&house, None).await, 0, "another holds the lease");
    end_leases(&house.store).await;
    assert!(round(&house, None).await > 0);
    // The first was only stopped, before its next step: it goes no further, whatever there is to do.
    house.root_manager().await.put("/api/v1/audit-retention", &json!({"days": 90})).await.expect(200);
    house.advance(Seconds::days(100)).await;
    let house = house.with_trail(keeper);
    assert_eq!(round(&house, None).await, 0, "the lease is another's");
}
