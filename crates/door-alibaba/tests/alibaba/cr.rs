//! What the tests need to know of cr.

use testkit::{Client, House};

/// What of the product is in the house.
pub(crate) async fn furnish(_house: &House, _root: &Client<'_>) {}

/// Open to whoever has signed, or to oneself; named on purpose.
pub(crate) const WITHOUT_RIGHT: &[&str] = &["ResetLoginPassword"];

/// Parameters with which an action is done in the house of `walk`. An action that is missing here fails the tests.
pub(crate) fn parameters(house: &House, action: &str) -> Vec<(&'static str, String)> {
    let instance = || ("InstanceId", house.bootstrap.instance.id.to_string());
    match action {
        "GetInstance" | "GetAuthorizationToken" => vec![instance()],
        "ResetLoginPassword" => vec![instance(), ("Password", "correct-horse-8".into())],
        other => panic!("{other} takes parameters: say here which"),
    }
}

/// What a parameter names that is not there.
pub(crate) fn elsewhere(name: &str) -> Option<&'static str> {
    match name {
        "InstanceId" => Some("cri-0123456789abcdef"),
        _ => None,
    }
}
