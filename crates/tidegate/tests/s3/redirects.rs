//! Who is sent to object storage for a blob, and by what.

use serde_json::json;

use crate::house::{House, path};
use crate::support::content;
use crate::support::http::{Answer, Ask, Connection};

/// What the storage gives for the URL of an answer.
fn follow(answer: &Answer, range: Option<&str>) -> Answer {
    let url = answer.header("location").unwrap();
    let (host, target) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let ask = Ask::get(&format!("/{target}"));
    let ask = range.map_or(ask.clone(), |range| ask.header("range", range));
    Connection::once(host, &ask).unwrap()
}

#[test]
#[ignore = "cargo xtask test --only s3"]
fn a_large_blob_is_a_redirect_for_who_may_have_it() {
    let house = House::start_with(&[("TIDEGATE_BLOB_REDIRECTS", "on")]);
    let (large, small) = (content(1, 9 << 20), content(2, 1_000));
    house.put(&large).expect(201);
    house.put(&small).expect(201);

    let answer = house.get(&large).expect(307);
    assert!(answer.body.is_empty());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(follow(&answer, None).expect(200).body == large);
    assert!(follow(&answer, Some("bytes=100-199")).expect(206).body == large[100..200]);
    let ranged = house.node.send(&Ask::get(&path(&large)).with(&house.by).header("range", "bytes=0-9")).expect(307);
    assert!(follow(&ranged, Some("bytes=0-9")).expect(206).body == large[..10]);
    let head = house.node.send(&Ask::new("HEAD", &path(&large)).with(&house.by)).expect(200);
    assert_eq!(head.header("content-length"), Some(large.len().to_string().as_str()));
    assert!(house.get(&small).expect(200).body == small, "small ones come from memory");

    // Nobody gets a URL who may not have the blob.
    let api = house.api();
    api.create_user("nobody");
    let (_, nobody) = api.create_credential("nobody");
    house.node.send(&Ask::get(&path(&large))).expect(401);
    let denied = house.node.send(&Ask::get(&path(&large)).with(&nobody)).expect(403);
    assert!(denied.header("location").is_none());
    house.node.send(&Ask::get(&path(b"not there")).with(&house.by)).expect(404);
    house.check_log();
    let audit = api.audit("");
    assert!(!json!(audit).to_string().contains("X-Amz"), "a record is no place for it");
}

#[test]
#[ignore = "cargo xtask test --only s3"]
fn only_the_networks_that_are_named_are_redirected() {
    let networks = "office=10.1.0.0/16,lab=10.2.0.0/16";
    let house = House::start_with(&[("TIDEGATE_NETWORK", networks), ("TIDEGATE_BLOB_REDIRECTS", "office")]);
    let large = content(1, 1 << 20);
    house.put(&large).expect(201);
    // The test's own address is a trusted proxy.
    for (from, status) in [("10.1.0.7", 307), ("10.2.0.7", 200), ("203.0.113.7", 200)] {
        let ask = Ask::get(&path(&large)).with(&house.by).header("x-forwarded-for", from);
        house.node.send(&ask).expect(status);
    }
    house.get(&large).expect(200);
    house.check_log();
}
