//! Filters and pages of the list.

use std::sync::Arc;

use access::{Audit, Record, audit};
use model::{Op, RequestId, Seconds, Timestamp};
use serde_json::{Value, json};
use store::{StoreError, params};
use testkit::{House, NOW};

use crate::house::{on_each, sql};

on_each! { every_filter_picks_what_it_says pages_lead_through_everything_once a_page_is_bounded_where_little_matches }

async fn events(house: &House, query: &str) -> Vec<Value> {
    let reply = house.root_manager().await.get(&format!("/api/v1/audit-events?{query}")).await.expect(200).json();
    reply.as_array().unwrap().clone()
}

async fn every_filter_picks_what_it_says(house: House) {
    let house = house.with_user("alice").await.with_user("bob").await;
    house.user("alice").from("192.0.2.9").get("/token").await.expect(200);
    house.seal().await;
    house.advance(Seconds(3600)).await;
    house.user("bob").from("2001:db8::7").get("/token").await.expect(200);
    house.user("bob").from("2001:db8::7").get("/v2/demo/app/tags/list").await;
    house.login("alice", "wrong").from("198.51.100.3").get("/token").await.expect(401);
    house.access.audit().flush().await.unwrap();
    // Once with the younger ones waiting, once with all sealed.
    for _ in 0..2 {
        let by = async |query: &str| {
            let events = events(&house, query).await;
            events
                .iter()
                .map(|e| {
                    format!("{} {} {}", e["principal"].as_str().unwrap(), e["action"].as_str().unwrap(), e["outcome"].as_str().unwrap())
                })
                .collect::<Vec<_>>()
        };
        let (alice, bob, wrong) = ("alice login success", "bob login success", "alice login failed");
        assert_eq!(by("user=bob&action=login").await, [bob]);
        assert_eq!(by("user=alice").await, [wrong, alice]);
        assert_eq!(by("user=alice&outcome=success").await, [alice]);
        assert_eq!(by("address=192.0.2.9").await, [alice]);
        assert_eq!(by("address=198.51.100.0/24").await, [wrong]);
        assert_eq!(by("address=2001:db8::/32&action=login").await, [bob]);
        assert_eq!(by("address=203.0.113.0/24").await, Vec::<String>::new());
        let hour = NOW.plus(Seconds(1800));
        assert_eq!(by(&format!("user=alice&since={hour}")).await, [wrong]);
        assert_eq!(by(&format!("user=alice&until={hour}")).await, [alice]);
        assert_eq!(by(&format!("action=login&since={hour}&until={hour}")).await, Vec::<String>::new());
        assert_eq!(by("resource=user/alice&action=ram:Create*").await, ["root ram:CreateUser success"]);
        assert_eq!(by("resource=user/*&action=ram:CreateUser").await.len(), 2);
        let key = events(&house, "user=bob&action=login").await[0]["credential_id"].as_str().unwrap().to_owned();
        let with_key = by(&format!("credential={key}")).await;
        assert!(with_key.contains(&bob.to_owned()) && with_key.iter().all(|e| e.starts_with("bob")), "{with_key:?}");
        assert_eq!(by(&format!("credential={key}&user=alice")).await, Vec::<String>::new());
        house.seal().await;
    }
    let root = house.root_manager().await;
    for bad in ["address=x", "address=192.0.2.1/64", "resource=", "action=", "outcome=ok", "credential=x", "until=x", "after=1"] {
        root.get(&format!("/api/v1/audit-events?{bad}")).await.expect(400);
    }
}

/// Many records at few moments, half of them sealed.
async fn many(house: &House, count: i64) {
    let audit = &Audit::new(Arc::clone(&house.store), 77);
    for part in 0..2 {
        let done: Result<(), StoreError> = house
            .store
            .write(|tx| {
                Box::pin(async move {
                    for n in 0..count / 2 {
                        let now = Timestamp::from_millis(NOW.millis() + (2 * n + part) % 5);
                        let op = Op {
                            request_id: RequestId::from_random(1),
                            now,
                            source_ip: [192, 0, 2, 7].into(),
                            network: model::Network::Public,
                            secure: false,
                            user_agent: None,
                        };
                        audit::write(tx, audit, &Record::failed_login(&op, house.bootstrap.account, "eve", None)).await?;
                    }
                    Ok(())
                })
            })
            .await;
        done.unwrap();
        if part == 0 {
            house.seal().await;
        }
    }
}

async fn pages_lead_through_everything_once(house: House) {
    many(&house, 60).await;
    let root = house.root_manager().await;
    for query in ["user=eve&limit=7", "outcome=failed&limit=9"] {
        let (mut path, mut seen) = (format!("/api/v1/audit-events?{query}"), Vec::new());
        loop {
            let page = root.get(&path).await.expect(200);
            let events = page.json();
            seen.extend(
                events
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|e| (Timestamp::parse(e["time"].as_str().unwrap()).unwrap(), e["event_id"].to_string())),
            );
            // What is sealed between two pages is neither shown twice nor left out.
            house.seal().await;
            let Some(link) = page.headers.get("link") else { break };
            link.to_str().unwrap().split(['<', '>']).nth(1).unwrap().clone_into(&mut path);
        }
        assert_eq!(seen.len(), 60, "{query}");
        let ids: std::collections::BTreeSet<_> = seen.iter().map(|(_, id)| id).collect();
        assert_eq!(ids.len(), 60, "{query}");
        assert!(seen.is_sorted_by(|a, b| a.0 >= b.0), "{query}: newest first");
    }
}

async fn a_page_is_bounded_where_little_matches(house: House) {
    many(&house, 200).await;
    house.seal().await;
    // As many as a page looks at, and more.
    for _ in 0..6 {
        sql(
            &house,
            "INSERT INTO audit_event SELECT account_id, day, seq + 1000000 + (SELECT max(seq) FROM audit_event), sealed_ms, previous, hash, checkpoint, time_ms, \
             id + 1000000 * (SELECT count(*) FROM audit_event), action, outcome, principal_id, principal, credential_id, credential_kind, resource, detail, \
             source_ip, user_agent, request_id, count FROM audit_event",
        )
        .await;
    }
    let root = house.root_manager().await;
    let page = root.get("/api/v1/audit-events?resource=nowhere").await.expect(200);
    assert_eq!(page.json(), json!([]));
    assert!(page.headers.contains_key("link"), "an empty page leads on");
}

#[test]
fn principals_and_credentials_are_found_by_an_index() {
    crate::house::on_sqlite(async |house: House| {
        for (column, index) in [
            ("principal_id", "audit_event_by_principal"),
            ("principal", "audit_event_by_name"),
            ("credential_id", "audit_event_by_credential"),
        ] {
            let sql = format!(
                "EXPLAIN QUERY PLAN SELECT id FROM audit_event WHERE account_id = $1 AND {column} = $2 AND time_ms >= $3 AND (time_ms, id) < ($4, $5) \
                 ORDER BY time_ms DESC, id DESC LIMIT $6"
            );
            let sql: &'static str = sql.leak();
            let plan: Vec<String> = house
                .store
                .read(|tx| Box::pin(async move { tx.rows(sql, params![1, 1, 1, 1, 1, 1]).await?.iter().map(|row| row.get(3)).collect() }))
                .await
                .unwrap_or_else(|e: StoreError| unreachable!("{e}"));
            assert!(plan.len() == 1 && plan[0].contains(index), "{plan:?}");
        }
    });
}
