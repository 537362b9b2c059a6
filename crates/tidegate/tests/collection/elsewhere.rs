//! A run that is asked for at one node, while another has the lease: it is said who does it, and it is waited for.

use std::time::Duration;

use serde_json::Value;

use crate::client::{Client, Dice, Image};
use crate::house::House;
use crate::support::api::Api;
use crate::support::wait_until;

const OFF: (&str, &str) = ("TIDEGATE_COLLECTION_ENABLED", "false");

/// Who has the lease, as `tidegate nodes` says it.
fn holder(house: &House) -> Option<Value> {
    let listed = Api::root(&house.nodes[0]).call("GET", "/nodes", &Value::Null);
    let has = |node: &&Value| node["leases"].as_array().unwrap().iter().any(|lease| lease == "collection");
    listed.as_array().unwrap().iter().find(has).cloned()
}

#[test]
#[ignore = "cargo xtask test --only collection"]
fn a_run_asked_for_at_one_node_is_walked_by_the_one_that_has_the_lease() {
    let mut house = House::over_postgres_and_s3(2, &[OFF]);
    let mut client = Client::new(house.addresses(), &house.by, 1);
    let mut drop_one = |seed| {
        let image = Image::random(&mut Dice::new(seed), seed);
        client.push("team/one", &image.digest, &image, &["team/two"]);
        assert!(client.delete(&format!("/v2/team/one/manifests/{}", image.digest)));
    };
    wait_until("both nodes say that they are there", Duration::from_secs(20), || {
        Api::root(&house.nodes[0]).call("GET", "/nodes", &Value::Null).as_array().unwrap().len() == 2
    });
    drop_one(1);
    house.collect(0);
    let first = holder(&house).expect("the lease is held for a while after the run");
    let at = house.nodes.iter().position(|node| first["listen"][0] == node.address()).unwrap();

    // At the other: the lease is not its own.
    drop_one(2);
    let ran = house.gc(1 - at, &["run"]).ok();
    let (node, host) = (first["node_id"].as_str().unwrap(), first["host"].as_str().unwrap());
    assert!(ran.err.contains(&format!("by {node} on {host}")), "it says who does it: {}", ran.err);
    assert!(ran.json()["objects_deleted"].as_i64().unwrap() > 0, "{ran}");

    // Where no server runs on the machine, beside those that do.
    drop_one(3);
    let ran = house.gc_in("nowhere", &["run"]).ok();
    assert!(ran.err.contains(&format!("by {node} on {host}")), "{}", ran.err);
    assert!(ran.json()["objects_deleted"].as_i64().unwrap() > 0, "{ran}");

    // The one that has it dies in the middle of a run: what it has begun, the other one ends.
    for seed in 10..40 {
        drop_one(seed);
    }
    let begun = house.gc(at, &["run", "--no-wait"]).ok().json();
    house.nodes.remove(at).kill();
    let ended = || house.gc_in("nowhere", &["status"]).ok().json()["last"]["run"].as_i64() >= begun["run"].as_i64();
    // The lease lives for a minute.
    let took = wait_until("another node ends the run", Duration::from_secs(90), ended);
    println!("killed while it walked; ended by another after {:.0} s", took.as_secs_f64());
    house.gc_in("nowhere", &["run"]).ok();
    let seen = house.end();
    assert_eq!((seen.missing(), seen.orphans()), (Vec::new(), Vec::new()), "{}", seen.counts());
}
