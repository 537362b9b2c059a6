//! Labels, by the management API.

#[cfg(test)]
mod labels {
    use serde_json::{Value, json};
    use testkit::{Client, House, house};

    /// A user at the management API, who may do this and nothing else.
    async fn manager<'h>(house: &'h House, user: &str, actions: &[&str]) -> Client<'h> {
        let root = house.root_manager().await;
        let document = json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}).to_string();
        root.post("/api/v1/policies", &json!({"name": format!("of-{user}"), "document": document})).await.expect(201);
        root.put(&format!("/api/v1/users/{user}/policies/of-{user}"), &json!({})).await.expect(204);
        let key = root.post("/api/v1/access-keys", &json!({"user": user})).await.expect(201);
        house.manager(&key.text("access_key_id"), &key.text("access_key_secret")).await
    }

    fn labels(pairs: &[(&str, Option<&str>)]) -> Value {
        let pairs: serde_json::Map<_, _> = pairs.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
        json!({ "labels": pairs })
    }

    async fn listed(client: &Client<'_>, query: &str) -> Vec<String> {
        let all = client.get(&format!("/api/v1/labels{query}")).await.expect(200).json();
        let word = |l: &Value, key: &str| l[key].as_str().unwrap_or("-").to_owned();
        let mut all: Vec<_> = all
            .as_array()
            .unwrap()
            .iter()
            .map(|l| ["kind", "instance", "name", "key", "value"].map(|key| word(l, key)).join(" "))
            .collect();
        all.sort();
        all
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn everything_that_can_be_pruned_carries_labels_and_takes_them_along() {
        let house = house().await.with_user("alice").await;
        let root = house.root_manager().await;
        root.post("/api/v1/groups", &json!({"name": "readers"})).await.expect(201);
        root.post("/api/v1/instances/-/namespaces", &json!({"name": "demo"})).await.expect(201);
        root.post(
            "/api/v1/policies",
            &json!({"name": "p", "document": r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"cr:*","Resource":"*"}]}"#}),
        )
        .await
        .expect(201);
        let things = ["users/alice", "groups/readers", "policies/p", "instances/-", "instances/-/namespaces/demo"];
        for thing in things {
            root.patch(&format!("/api/v1/{thing}/labels"), &labels(&[("team", Some("blue")), ("x", Some("1"))])).await.expect(204);
            root.patch(&format!("/api/v1/{thing}/labels"), &labels(&[("x", None), ("gone", None)])).await.expect(204);
        }
        let all = listed(&root, "?key=team&value=blue").await;
        let wanted = [
            "group - readers team blue",
            "instance - local team blue",
            "namespace local demo team blue",
            "policy - p team blue",
            "user - alice team blue",
        ];
        assert_eq!(all, wanted);
        assert_eq!(listed(&root, "").await, wanted);
        assert_eq!(listed(&root, "?key=team&value=red").await, Vec::<String>::new());
        for thing in ["users/alice", "groups/readers", "policies/p", "instances/-/namespaces/demo"] {
            root.delete(&format!("/api/v1/{thing}")).await.expect(204);
        }
        assert_eq!(listed(&root, "").await, ["instance - local team blue"]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_may_change_a_thing_may_label_it_and_nobody_labels_the_root_user() {
        let house = house().await.with_user("alice").await.with_user("bob").await.with_user("carol").await;
        let set = labels(&[("team", Some("blue"))]);
        let nobody = manager(&house, "carol", &["ram:GetUser"]).await;
        nobody.patch("/api/v1/users/alice/labels", &set).await.expect(403);
        nobody.get("/api/v1/labels").await.expect(403);
        let blind = manager(&house, "alice", &["ram:ListTagResources"]).await;
        blind.patch("/api/v1/users/bob/labels", &set).await.expect(404);
        blind.get("/api/v1/labels").await.expect(200);
        let clerk = manager(&house, "bob", &["ram:UpdateUser", "ram:GetUser"]).await;
        clerk.patch("/api/v1/users/alice/labels", &set).await.expect(204);
        clerk.patch("/api/v1/policies/of-bob/labels", &set).await.expect(404);
        let root = house.root_manager().await;
        root.patch("/api/v1/users/root/labels", &set).await.expect(400);
        root.patch("/api/v1/policies/AcrPull/labels", &set).await.expect(404);
        let events = root.get("/api/v1/audit-events?user=bob&action=ram:UpdateUser").await.expect(200).json();
        assert_eq!(events[0]["detail"], "labels: team");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn labels_are_bounded_and_come_in_pages() {
        let house = house().await.with_user("alice").await;
        let root = house.root_manager().await;
        for number in 0..16 {
            root.patch("/api/v1/users/alice/labels", &labels(&[(&format!("k{number}"), Some("v"))])).await.expect(204);
        }
        root.patch("/api/v1/users/alice/labels", &labels(&[("k16", Some("v"))])).await.expect(409);
        root.patch("/api/v1/users/alice/labels", &labels(&[("k 1", Some("v"))])).await.expect(400);
        root.patch("/api/v1/users/alice/labels", &labels(&[("k1", Some(""))])).await.expect(400);
        let first = root.get("/api/v1/labels?limit=10").await.expect(200);
        let last = first.json()[9].clone();
        let after = format!("{}:{}", last["id"].as_str().unwrap(), last["key"].as_str().unwrap());
        assert_eq!(listed(&root, &format!("?limit=10&after={after}")).await.len(), 6);
    }
}
