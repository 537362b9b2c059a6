//! What the tests need to know of sts.

use testkit::House;

/// Open to whoever has signed, or to oneself; named on purpose.
pub(crate) const WITHOUT_RIGHT: &[&str] = &["GetCallerIdentity"];

/// Parameters with which an action is done in the house of `walk`. An action that is missing here fails the tests.
pub(crate) fn parameters(_house: &House, action: &str) -> Vec<(&'static str, String)> {
    match action {
        "GetCallerIdentity" => vec![],
        other => panic!("{other} takes parameters: say here which"),
    }
}

/// What a parameter names that is not there.
pub(crate) fn elsewhere(name: &str) -> Option<&'static str> {
    match name {
        "RoleArn" => Some("acs:ram::1000000000000000:role/nosuch"),
        _ => None,
    }
}
