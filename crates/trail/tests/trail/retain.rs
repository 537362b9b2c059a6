//! Retention: whole days go, and what is left is whole.

use model::{Op, RequestId, Seconds};
use testkit::House;

use crate::house::{DAY, found, happen, length, number, on_each, records, sql, trail, verify};

on_each! { whole_days_go_and_the_rest_is_whole what_the_sink_has_not_taken_stays the_signed_beginning_cannot_be_made_up }

async fn retain(house: &House, days: i64, sink: Option<&str>) -> u64 {
    let op = Op {
        request_id: RequestId::from_random(1),
        now: house.now(),
        source_ip: [0, 0, 0, 0].into(),
        network: model::Network::Public,
        secure: true,
        user_agent: None,
    };
    house.trail.retain(&op, Seconds::days(days), sink, house.access.audit()).await.unwrap()
}

async fn whole_days_go_and_the_rest_is_whole(house: House) {
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
