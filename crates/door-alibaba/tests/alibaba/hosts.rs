//! Which instance a host name chooses, and whom its network rules let in.

use model::Seconds;
use serde_json::json;
use testkit::{Product, house};

use crate::walk::lived_in;

const PROD: &str = "edge-registry.cn-shanghai.cr.cloud.example";

#[tokio::test]
async fn the_clouds_host_names_choose_an_instance() {
    let (house, _) = lived_in().await;
    let house = house.with_account("globex").await;
    let root = house.root_manager().await;
    root.post("/api/v1/instances", &json!({ "name": "edge", "region": "cn-shanghai" })).await.expect(201);
    let chosen = async |host: &str| house.identity.instance_at(host).await.unwrap().unwrap().on.name.to_string();
    for host in [PROD, "edge-registry-vpc.cn-shanghai.cr.cloud.example", "edge-registry.cn-shanghai.cloud.example"] {
        assert_eq!(chosen(host).await, "edge", "{host}");
    }
    for host in [
        "edge-registry.cn-beijing.cr.cloud.example",
        "nosuch-registry.cn-shanghai.cr.cloud.example",
        "edge-registry.cn-shanghai.other.example",
    ] {
        assert_eq!(chosen(host).await, "local", "{host}");
    }
    // Another account's instance is not found by its name there; below a domain that it was handed, its own is.
    let globex = house.account("globex");
    globex.root_manager().await.post("/api/v1/instances", &json!({ "name": "stage", "region": "cn-shanghai" })).await.expect(201);
    let stage = "stage-registry.cn-shanghai.cr.cloud.example";
    assert_eq!(chosen(stage).await, "local");
    let domains = async || {
        let parameters = [("InstanceId", "stage"), ("EndpointType", "internet")];
        let answer = house.alibaba(&globex.root_key()).call(Product::Cr, "GetInstanceEndpoint", &parameters).await.expect(200).json();
        answer["Domains"].to_string()
    };
    assert!(!domains().await.contains(stage), "it leads elsewhere");
    let handed =
        identity::UpdateAccount { enabled: None, domains: Some(vec!["globex.example".into(), "cn-shanghai.cr.cloud.example".into()]) };
    house.identity.update_account(house.operator(), &globex.id(), handed).await.unwrap();
    assert_eq!((chosen(stage).await.as_str(), chosen(PROD).await.as_str()), ("stage", "local"));
    assert!(domains().await.contains(stage));
}

#[tokio::test]
async fn a_claimed_name_is_its_instance_s_and_a_deleted_one_speaks_of_nothing() {
    let house = house().await;
    let root = house.root_manager().await;
    root.post("/api/v1/instances", &json!({ "name": "edge", "region": "cn-shanghai" })).await.expect(201);
    root.post("/api/v1/instances", &json!({ "name": "other", "hosts": [PROD] })).await.expect(201);
    let chosen = async || house.identity.instance_at(PROD).await.unwrap().unwrap().on.name.to_string();
    assert_eq!(chosen().await, "other");
    root.delete("/api/v1/instances/other").await.expect(204);
    assert_eq!(chosen().await, "edge");
    root.delete("/api/v1/instances/edge").await.expect(204);
    assert_eq!(chosen().await, "local");
}

#[tokio::test]
async fn network_rules_hold_for_the_apis_too() {
    let house = house().await;
    let key = house.root_key();
    let root = house.root_manager().await;
    let inside = house.alibaba(&key).from("203.0.113.9");
    root.from("203.0.113.9")
        .post("/api/v1/instances/local/endpoints/public/entries", &json!({ "cidr": "203.0.113.0/24", "force": true }))
        .await
        .expect(201);
    inside.call(Product::Sts, "GetCallerIdentity", &[]).await.expect(200);
    let outside = house.alibaba(&key).from("8.8.4.4");
    let reply = outside.call(Product::Sts, "GetCallerIdentity", &[]).await.expect(403);
    assert_eq!(reply.text("Code"), "Forbidden.SourceIp");
    assert_eq!(house.anon().from("8.8.4.4").get("/tokens").await.expect(403).text("code"), "Forbidden.SourceIp");
    house.advance(Seconds(1)).await;
}
