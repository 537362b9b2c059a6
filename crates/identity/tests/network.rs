//! Whom an instance lets in: at every door, before anybody is asked who they are, and at once when it changes.

#[cfg(test)]
mod network {
    use std::sync::Arc;

    use access::{Access, Audit, Directory, Refusal};
    use model::{Network, Op, RequestId, Seconds, Timestamp};
    use serde_json::{Value, json};
    use testkit::{Client, House, NOW, Reply, house};

    const INSIDE: &str = "10.1.0.9";
    const OUTSIDE: &str = "198.51.100.7";
    const ENDPOINTS: &str = "/api/v1/instances/local/endpoints";

    fn says(reply: &Reply, status: u16, words: &str) {
        let text = String::from_utf8_lossy(&reply.body);
        assert!(reply.status.as_u16() == status && text.contains(words), "{} {text}", reply.status);
    }

    /// What every door says to an address that is not let in.
    fn turned_away(reply: &Reply, address: &str) {
        says(reply, 403, &format!("client with IP '{address}' is not allowed access"));
        assert!(reply.headers.get("www-authenticate").is_none(), "there is nothing to log in for");
    }

    async fn allow(client: &Client<'_>, cidr: &str, force: bool) -> Reply {
        client.post(&format!("{ENDPOINTS}/public/entries"), &json!({"cidr": cidr, "comment": "tests", "force": force})).await
    }

    async fn public(client: &Client<'_>, change: Value) -> Reply {
        client.patch(&format!("{ENDPOINTS}/public"), &change).await
    }

    /// A house whose public endpoint lets 203.0.113.0/24 in and nobody else, and whose office comes by its private endpoint.
    async fn closed() -> House {
        let house = house().await.with_user("alice").await;
        let root = house.root_manager().await.from(INSIDE);
        root.post(ENDPOINTS, &json!({"network": "office"})).await.expect(201);
        allow(&root, "203.0.113.0/24", false).await.expect(201);
        house
    }

    fn op(address: &str) -> Op {
        Op {
            request_id: RequestId::from_random(1),
            now: NOW,
            source_ip: address.parse().unwrap(),
            network: Network::Public,
            secure: true,
            user_agent: None,
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_new_instance_lets_everybody_in() {
        let house = house().await;
        let root = house.root_manager().await;
        let all = root.get(ENDPOINTS).await.expect(200).json();
        let id = house.bootstrap.instance.id.to_string();
        let one =
            json!({"endpoint": "public", "kind": "public", "instance_id": id, "enabled": true, "default_action": "allow", "entries": []});
        assert_eq!(all, json!([one]));
        for address in [INSIDE, OUTSIDE, "2001:db8::1"] {
            house.root().from(address).get("/v2/").await.expect(200);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn every_door_is_closed_to_who_is_not_let_in_whatever_they_present() {
        let house = closed().await;
        let token = house.user("alice").from(INSIDE).token("repository:demo/app:pull").await;
        let manager = house.root_manager_from(INSIDE).await;
        let wrong = house.login("alice", "wrong-horse-1");
        for client in [house.anon(), house.user("alice"), house.root(), token, manager, wrong, house.bearer("nonsense")] {
            let client = client.from(OUTSIDE);
            for target in ["/v2/", "/v2/demo/app/manifests/v1", "/v2/_catalog", "/token", "/token?scope=nonsense", "/api/v1/whoami"] {
                turned_away(&client.get(target).await, OUTSIDE);
            }
            turned_away(&client.form("/token", "grant_type=nonsense").await, OUTSIDE);
            turned_away(&client.form("/api/v1/oauth2/token", "grant_type=client_credentials").await, OUTSIDE);
            turned_away(&client.form("/v2/demo/app/blobs/uploads/", "").await, OUTSIDE);
            // Public keys are public.
            client.get("/.well-known/jwks.json").await.expect(200);
        }
        let reply = house.anon().from(OUTSIDE).get("/v2/").await;
        assert_eq!(reply.json()["errors"][0]["code"], "DENIED");
        let reply = house.anon().from(OUTSIDE).form("/token", "").await;
        assert_eq!((&reply.json()["error"], &reply.json()["errors"][0]["code"]), (&json!("access_denied"), &json!("DENIED")));
        for address in [INSIDE, "203.0.113.9", "::ffff:203.0.113.9"] {
            house.user("alice").from(address).get("/v2/").await.expect(200);
            house.user("alice").from(address).get("/token").await.expect(200);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_change_is_in_force_at_once_running_tokens_included() {
        let house = house().await.with_user("alice").await;
        let (root, alice) = (house.root_manager().await.from(INSIDE), house.root().from(OUTSIDE));
        let token = alice.token("repository:demo/app:pull,push").await;
        for (change, want) in [
            (json!({"enabled": false}), 403),
            (json!({"enabled": true}), 200),
            (json!({"default_action": "deny"}), 403),
            (json!({"default_action": "allow"}), 200),
        ] {
            root.post(ENDPOINTS, &json!({"network": "office"})).await;
            public(&root, change).await.expect(200);
            alice.get("/v2/").await.expect(want);
            token.get("/v2/").await.expect(want);
        }
        allow(&root, OUTSIDE, false).await.expect(201);
        token.get("/v2/").await.expect(200);
        root.delete(&format!("{ENDPOINTS}/public/entries/{OUTSIDE}/32?force=true")).await.expect(204);
        allow(&root, "2001:db8::/32", false).await.expect(201);
        turned_away(&token.get("/v2/").await, OUTSIDE);
        token.from("2001:db8::7").get("/v2/").await.expect(200);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn another_node_follows_the_change_feed() {
        let house = house().await;
        let directory = Directory::open(Arc::clone(&house.store), NOW).await.unwrap();
        let second = Access::new(Arc::new(directory), Arc::new(Audit::new(Arc::clone(&house.store), 2)));
        let enters = async || second.enter(&op(OUTSIDE), "registry.example").await;
        assert!(enters().await.unwrap().is_some());
        allow(&house.root_manager().await, "192.0.2.0/24", false).await.expect(201);
        second.directory().follow(NOW).await.unwrap();
        assert!(matches!(enters().await, Err(Refusal::Network(address)) if address.to_string() == OUTSIDE));
        assert!(second.enter(&op("192.0.2.1"), "registry.example").await.unwrap().is_some());
        let late = Op { now: NOW.plus(Seconds(2)), ..op("192.0.2.1") };
        assert!(second.enter(&late, "registry.example").await.unwrap().is_some(), "a late look is made up for");
    }

    /// It was stopped, or its machine was: what it remembers may have ended long ago.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_node_that_missed_two_looks_at_the_feed_looks_before_it_decides() {
        let house = house().await;
        let directory = Directory::open(Arc::clone(&house.store), NOW).await.unwrap();
        let second = Access::new(Arc::new(directory), Arc::new(Audit::new(Arc::clone(&house.store), 2)));
        let enters = async |after: i64| {
            let op = Op { now: Timestamp::from_millis(NOW.millis() + after), ..op(OUTSIDE) };
            second.enter(&op, "registry.example").await
        };
        assert!(enters(0).await.unwrap().is_some());
        allow(&house.root_manager().await, "192.0.2.0/24", false).await.expect(201);
        assert!(enters(400).await.unwrap().is_some(), "the next look is not due for long");
        assert!(matches!(enters(600).await, Err(Refusal::Network(_))));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nobody_locks_themselves_out_by_mistake_and_the_machine_lets_them_in_again() {
        let house = house().await;
        let root = house.root_manager().await;
        let locks_out = "this would lock out your own address, 192.0.2.1";
        says(&allow(&root, "203.0.113.0/24", false).await, 409, locks_out);
        says(&public(&root, json!({"enabled": false})).await, 409, "needs_force");
        says(&public(&root, json!({"default_action": "deny"})).await, 409, locks_out);
        assert_eq!(
            root.get(&format!("{ENDPOINTS}/public")).await.expect(200).json()["entries"],
            json!([]),
            "a refused change changes nothing"
        );
        allow(&root, "203.0.113.0/24", true).await.expect(201);
        turned_away(&root.get("/api/v1/whoami").await, "192.0.2.1");
        turned_away(&root.get("/v2/").await, "192.0.2.1");
        house.identity.reset_endpoints(house.operator(), None).await.unwrap();
        let shown = root.get(&format!("{ENDPOINTS}/public")).await.expect(200).json();
        assert_eq!((&shown["default_action"], &shown["entries"][0]["cidr"]), (&json!("allow"), &json!("203.0.113.0/24")));
        house.access.audit().flush().await.unwrap();
        let events = root.get("/api/v1/audit-events?action=operator:ResetEndpoints").await.expect(200).json();
        assert_eq!((&events[0]["principal"], &events[0]["detail"]), (&json!("operator"), &json!("local")));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_last_entry_goes_only_if_it_is_meant() {
        let house = house().await;
        let root = house.root_manager().await;
        allow(&root, "192.0.2.0/24", false).await.expect(201);
        allow(&root, "203.0.113.0/24", false).await.expect(201);
        let entry = |cidr: &str| format!("{ENDPOINTS}/public/entries/{cidr}");
        says(&root.delete(&entry("192.0.2.0/24")).await, 409, "lock out");
        root.delete(&entry("203.0.113.0/24")).await.expect(204);
        root.delete(&entry("203.0.113.0/24")).await.expect(404);
        says(&root.delete(&entry("192.0.2.0/24")).await, 409, "everybody gets in");
        root.delete(&format!("{}?force=true", entry("192.0.2.0/24"))).await.expect(204);
        house.root().from(OUTSIDE).get("/v2/").await.expect(200);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_private_endpoint_is_for_its_network_and_host_names_choose_no_network() {
        let house = house().await;
        let root = house.root_manager().await;
        let from = |address: &str| house.root().from(address);
        turned_away(&from(OUTSIDE).by("lab").get("/v2/").await, OUTSIDE);
        turned_away(&from(OUTSIDE).by("cell").get("/v2/").await, OUTSIDE);
        for network in ["lab", "cell", "office"] {
            root.post(ENDPOINTS, &json!({"network": network})).await.expect(201);
        }
        says(&root.post(ENDPOINTS, &json!({"network": "lab"})).await, 409, "already_exists");
        says(&root.post(ENDPOINTS, &json!({"network": "cellar"})).await, 400, "it has office, lab, cell");
        public(&root, json!({"enabled": false, "force": true})).await.expect(200);
        for (client, status) in [
            (from(INSIDE), 200),
            (from(OUTSIDE).by("lab"), 200),
            (from("10.2.0.5").by("cell"), 200),
            (from(OUTSIDE).by("cell"), 403),
            (from("10.2.0.5"), 403),
            (from(OUTSIDE).at("lab"), 403),
            (from(OUTSIDE).at("office.example"), 403),
        ] {
            client.get("/v2/").await.expect(status);
        }
        let inside = house.root_manager_from(INSIDE).await;
        says(&inside.delete(&format!("{ENDPOINTS}/office")).await, 409, "lock out");
        inside.delete(&format!("{ENDPOINTS}/lab")).await.expect(204);
        turned_away(&from(OUTSIDE).by("lab").get("/v2/").await, OUTSIDE);
        says(&inside.delete(&format!("{ENDPOINTS}/public")).await, 400, "turned off");
        inside.delete(&format!("{ENDPOINTS}/nowhere")).await.expect(404);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_in_an_instance_is_behind_its_rules_by_whichever_host_name() {
        let house = house().await.with_user("alice").await;
        let root = house.root_manager().await;
        root.post("/api/v1/instances", &json!({"name": "prod", "hosts": ["prod.example"]})).await.expect(201);
        root.post("/api/v1/instances/prod/namespaces", &json!({"name": "demo"})).await.expect(201);
        let entries = "/api/v1/instances/prod/endpoints/public/entries";
        root.post(entries, &json!({"cidr": "10.1.0.0/16", "force": true})).await.expect(201);
        for target in ["/api/v1/instances/prod", "/api/v1/instances/prod/namespaces", "/api/v1/instances/prod/endpoints"] {
            turned_away(&root.get(target).await, "192.0.2.1");
            root.clone().from(INSIDE).get(target).await.expect(200);
        }
        turned_away(&root.delete("/api/v1/instances/prod/namespaces/demo").await, "192.0.2.1");
        turned_away(&root.clone().at("prod.example").get("/api/v1/whoami").await, "192.0.2.1");
        // Whoever may not see it learns nothing by that either.
        let key = root.post("/api/v1/access-keys", &json!({"user": "alice"})).await.expect(201);
        let alice = house.manager(&key.text("access_key_id"), &key.text("access_key_secret")).await;
        let (there, absent) = (alice.get("/api/v1/instances/prod").await, alice.get("/api/v1/instances/none").await);
        assert_eq!((there.status, there.body), (absent.expect(404).status, alice.get("/api/v1/instances/none").await.body));
        root.get("/api/v1/instances/local").await.expect(200);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn conditions_see_the_named_network() {
        let condition = json!({"StringEquals": {"acs:SourceVpc": "office"}, "IpAddress": {"acs:VpcSourceIp": "10.1.0.0/24"}});
        let statement = json!({"Effect": "Allow", "Action": "cr:*", "Resource": "*", "Condition": condition});
        let document = json!({"Version": "1", "Statement": [statement]}).to_string();
        let house = house().await.with_user("alice").await.with_policy("alice", "at-the-office", &document).await;
        house.root().push_image("demo/app", "v1").await;
        let pull = async |address: &str| house.user("alice").from(address).get("/v2/demo/app/manifests/v1").await.status.as_u16();
        assert_eq!((pull(INSIDE).await, pull("10.1.1.9").await, pull(OUTSIDE).await), (200, 403, 403));
        let root = house.root_manager().await;
        let ask = |from: &str| json!({"user": "alice", "action": "cr:PullRepository", "resource": "demo/app", "from": from});
        for (from, want) in [(INSIDE, "allow"), (OUTSIDE, "deny")] {
            assert_eq!(root.post("/api/v1/policy-explanations", &ask(from)).await.expect(200).json()["decision"], want);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_flood_of_refusals_is_a_few_records() {
        let house = closed().await;
        for number in 0..200_u32 {
            house.anon().from(OUTSIDE).get("/v2/").await.expect(403);
            house.anon().from(&format!("198.18.0.{number}")).get("/v2/").await.expect(403);
        }
        house.access.audit().flush().await.unwrap();
        let root = house.root_manager_from(INSIDE).await;
        let events = root.get("/api/v1/audit-events?action=connect&limit=1000").await.expect(200).json();
        let events = events.as_array().unwrap();
        let of = |address: &str| events.iter().filter(|e| e["source_ip"] == address).map(|e| e["count"].as_i64().unwrap()).sum::<i64>();
        let all: i64 = events.iter().map(|e| e["count"].as_i64().unwrap()).sum();
        assert_eq!((all, of(OUTSIDE), of("198.18.0.0"), events.len()), (400, 200, 1, 65));
        assert_eq!((&events[0]["outcome"], &events[0]["resource"]), (&json!("denied"), &json!("instance/local")));
        assert_eq!(of("0.0.0.0"), 137, "those that share a record");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_allow_list_is_read_strictly_and_bounded() {
        let house = house().await;
        let root = house.root_manager().await;
        for (cidr, words) in [("10.0.0.1/8", "did you mean 10.0.0.0/8 or 10.0.0.1"), ("example.com", "an IP address or a CIDR block")] {
            says(&allow(&root, cidr, true).await, 400, words);
        }
        allow(&root, "::ffff:192.0.2.0/120", false).await.expect(201);
        assert_eq!(root.get(&format!("{ENDPOINTS}/public")).await.expect(200).json()["entries"][0]["cidr"], "192.0.2.0/24");
        root.post(&format!("{ENDPOINTS}/public/entries"), &json!({"cidr": "192.0.2.0/24", "comment": "again"})).await.expect(201);
        let shown = root.get(&format!("{ENDPOINTS}/public")).await.expect(200).json();
        assert_eq!((&shown["entries"][0]["comment"], shown["entries"].as_array().unwrap().len()), (&json!("again"), 1));
        let long = json!({"cidr": "192.0.2.9", "comment": "x".repeat(257)});
        says(&root.post(&format!("{ENDPOINTS}/public/entries"), &long).await, 400, "comment");
        for number in 1..500 {
            allow(&root, &format!("10.{}.{}.0/24", number / 256, number % 256), false).await.expect(201);
        }
        says(&allow(&root, "172.16.0.0/12", false).await, 409, "limit_exceeded");
        allow(&root, "192.0.2.0/24", false).await.expect(201);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn endpoints_need_their_rights() {
        let house = house().await.with_user("alice").await;
        let root = house.root_manager().await;
        let key = root.post("/api/v1/access-keys", &json!({"user": "alice"})).await.expect(201);
        let alice = house.manager(&key.text("access_key_id"), &key.text("access_key_secret")).await;
        alice.get(ENDPOINTS).await.expect(404);
        let statement = json!({"Effect": "Allow", "Action": ["cr:GetInstance", "cr:ListInstanceEndpoint"], "Resource": "*"});
        let document = json!({"Version": "1", "Statement": [statement]}).to_string();
        let house = house.with_policy("alice", "looks", &document).await;
        let alice = house.manager(&key.text("access_key_id"), &key.text("access_key_secret")).await;
        alice.get(ENDPOINTS).await.expect(200);
        for (reply, action) in [
            (alice.get(&format!("{ENDPOINTS}/public")).await, "cr:GetInstanceEndpoint"),
            (public(&alice, json!({"enabled": true})).await, "cr:UpdateInstanceEndpointStatus"),
            (allow(&alice, "192.0.2.0/24", false).await, "cr:CreateInstanceEndpointAclPolicy"),
            (alice.delete(&format!("{ENDPOINTS}/public/entries/192.0.2.0/24")).await, "cr:DeleteInstanceEndpointAclPolicy"),
            (alice.post(ENDPOINTS, &json!({"network": "office"})).await, "cr:CreateInstanceVpcEndpointLinkedVpc"),
            (alice.delete(&format!("{ENDPOINTS}/office")).await, "cr:DeleteInstanceVpcEndpointLinkedVpc"),
        ] {
            says(&reply, 403, action);
        }
    }
}
