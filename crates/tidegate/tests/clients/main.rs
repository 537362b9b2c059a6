//! Real container clients against the real program: each logs in, pushes, pulls, and is refused.

#[expect(dead_code, reason = "other suites use the rest")]
#[path = "../support/mod.rs"]
mod support;

#[test]
#[ignore = "cargo xtask test --only clients"]
fn smoke() {
    let house = support::House::start();
    let root = house.root();
    root.new_user("alice");
    root.set_password("alice", "Correct-horse-7");
    root.grant("alice", "all", &serde_json::json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": "cr:*", "Resource": "*"}]}));
    let (_, secret) = root.new_credential("alice");
    house.bearer("alice", &secret, "repository:demo/app:pull,push");
    let root_password = support::text(&house.bootstrap()["root_password"]);
    house.bearer("root", &root_password, "repository:demo/app:pull,push");
    assert_eq!(house.take_server().terminate(), Some(0));
}
