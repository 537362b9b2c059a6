//! When a credential was last used: from the trail, once a minute at most, and never of a credential that is gone.

use model::Seconds;
use serde_json::{Value, json};
use testkit::House;

use crate::house::{number, on_each};

on_each! { the_last_use_comes_from_what_is_written_down a_use_is_written_once_a_minute_whichever_node_saw_it zot_last_used_brings_no_credential_back }

/// A credential of alice's: its id and secret.
async fn made(house: &House) -> (String, String) {
    let body = json!({"user": "alice", "description": "ci"});
    let made = house.root_manager().await.post("/api/v1/credentials", &body).await.expect(201);
    (made.text("credential_id"), made.text("secret"))
}

async fn last_used(house: &House, id: &str) -> (Value, Value) {
    let shown = house.root_manager().await.get(&format!("/api/v1/credentials/{id}")).await.expect(200).json();
    (shown["last_used_at"].clone(), shown["last_used_from"].clone())
}

async fn the_last_use_comes_from_what_is_written_down(house: House) {
    let house = house.with_user("alice").await;
    let (id, secret) = made(&house).await;
    assert_eq!(last_used(&house, &id).await, (json!(null), json!(null)));
    let token = house.login("alice", &secret).from("192.0.2.8").token("repository:demo/app:pull").await;
    house.access.audit().flush().await.unwrap();
    assert_eq!(last_used(&house, &id).await, (json!(house.now().to_string()), json!("192.0.2.8")));
    // By a bearer token that it was exchanged for: the refusal is written down, and so is the use.
    house.advance(Seconds(120)).await;
    token.from("192.0.2.9").get("/v2/demo/app/tags/list").await.expect(401);
    house.access.audit().flush().await.unwrap();
    assert_eq!(last_used(&house, &id).await, (json!(house.now().to_string()), json!("192.0.2.9")));
}

async fn a_use_is_written_once_a_minute_whichever_node_saw_it(house: House) {
    let house = house.with_user("alice").await;
    let (id, secret) = made(&house).await;
    let begin = house.now();
    house.login("alice", &secret).get("/token").await.expect(200);
    house.access.audit().flush().await.unwrap();
    house.advance(Seconds(30)).await;
    house.login("alice", &secret).get("/token").await.expect(200);
    house.access.audit().flush().await.unwrap();
    assert_eq!(last_used(&house, &id).await.0, json!(begin.to_string()));
    // Another node remembers nothing of it.
    let other = access::Audit::new(std::sync::Arc::clone(&house.store), 9);
    let op = model::Op {
        request_id: model::RequestId::from_random(1),
        now: house.now(),
        source_ip: [192, 0, 2, 5].into(),
        network: model::Network::Public,
        secure: false,
        user_agent: None,
    };
    other.note_use(&op, id.parse().unwrap());
    other.flush().await.unwrap();
    assert_eq!(last_used(&house, &id).await.0, json!(begin.to_string()));
    house.advance(Seconds(30)).await;
    house.login("alice", &secret).get("/token").await.expect(200);
    house.access.audit().flush().await.unwrap();
    assert_eq!(last_used(&house, &id).await.0, json!(house.now().to_string()));
}

async fn zot_last_used_brings_no_credential_back(house: House) {
    let house = house.with_user("alice").await;
    let (id, secret) = made(&house).await;
    house.login("alice", &secret).get("/token").await.expect(200);
    house.root_manager().await.delete(&format!("/api/v1/credentials/{id}")).await.expect(204);
    let before = number(&house.store, "SELECT count(*) FROM credential").await;
    house.access.audit().flush().await.unwrap();
    assert_eq!(number(&house.store, "SELECT count(*) FROM credential").await, before);
    house.root_manager().await.get(&format!("/api/v1/credentials/{id}")).await.expect(404);
    house.login("alice", &secret).get("/v2/").await.expect(401);
}
