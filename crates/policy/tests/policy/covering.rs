//! Delegation: what may be given is held, whatever is asked later.

use model::{AccountId, Action};
use policy::{Document, Effective, Uncovered, Why, covers, lifted};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::documents::{circumstances, document, documents, question};
use crate::{ACCOUNT, decide, document as of, instance, oracle, read, statement};

fn covered(holder: &[Document], given: &Document) -> Result<(), Uncovered> {
    covers(AccountId::from_i64(ACCOUNT), &holder.iter().collect::<Vec<_>>(), given)
}

fn read_all(documents: &[Value]) -> Vec<Document> {
    documents.iter().map(|json| read(&json.to_string())).collect()
}

/// Narrower than what is held in one way or another, or not at all.
const NARROW: [&str; 8] = [
    "acs:cr:*:*:repository/local/demo/app",
    "acs:cr:*:*:repository/cri-0000000000000abc/demo/*",
    "acs:cr:here:1234567890123456:repository/local/demo/a*",
    "acs:cr:*:*:repository/local/_/busybox",
    "acs:cr:*:*:instance/local",
    "acs:cr:*:*:repository/local/*",
    "acs:ram::1234567890123456:user/alice",
    "*",
];

/// What somebody might give who holds `held`: their own statements, some of them changed, and some of others.
fn given(held: &[Value]) -> impl Strategy<Value = Value> + use<> {
    let own: Vec<Value> = held.iter().flat_map(|d| d["Statement"].as_array().unwrap().clone()).collect();
    let piece = (any::<Index>(), proptest::option::of(select(&NARROW[..])), proptest::option::of(document()), 0..8);
    proptest::collection::vec(piece, 1..4).prop_map(move |pieces| {
        let piece = |(index, resource, other, luck): (Index, Option<&str>, Option<Value>, i32)| {
            let other = other.filter(|_| own.is_empty() || luck == 0).map(|d| d["Statement"][0].clone());
            let fresh = || json!({"Effect": "Allow", "Action": "cr:PullRepository", "Resource": "*"});
            let mut statement = other.unwrap_or_else(|| if own.is_empty() { fresh() } else { own[index.index(own.len())].clone() });
            if let Some(resource) = resource {
                statement["Resource"] = resource.into();
            }
            if luck > 5 {
                statement["Condition"] = json!({"IpAddress": {"acs:SourceIp": "10.1.2.3"}});
            }
            statement
        };
        json!({"Version": "1", "Statement": pieces.into_iter().map(piece).collect::<Vec<_>>()})
    })
}

fn delegation() -> impl Strategy<Value = (Vec<Value>, Value)> {
    documents().prop_flat_map(|held| {
        let given = given(&held);
        (Just(held), given)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_may_be_given_is_held((held, given) in delegation(), questions in proptest::collection::vec((question(), circumstances()), 40)) {
        if covered(&read_all(&held), &read(&given.to_string())).is_ok() {
            for ((action, resource), (context, facts)) in questions {
                let gets = oracle::decide(std::slice::from_ref(&given), action, &resource, &facts) == "allow";
                let has = oracle::decide(&held, action, &resource, &facts) == "allow";
                prop_assert!(has || !gets, "{} on {} under {:?}", action.as_str(), resource, context);
            }
        }
    }

    #[test]
    fn what_is_lifted_is_all_that_was_denied(json in document(), others in documents(), (action, resource) in question(), (context, _) in circumstances()) {
        let (document, others) = (read(&json.to_string()), read_all(&others));
        let with = [others.clone(), vec![document.clone()]].concat();
        let gained = decide(&others, action, &resource, &context) == Effective::Allowed
            && decide(&with, action, &resource, &context) != Effective::Allowed;
        // A pull that push includes is gained when a denial of either goes; so it is among what is given with the push.
        prop_assert!(!gained || decide(&[lifted(&document)], action, &resource, &context) == Effective::Allowed);
    }
}

/// Actions of several statements are held together, where each of them reaches the resource: how they are spread says nothing.
#[test]
fn actions_of_several_statements_join_and_resources_and_conditions_do_not() {
    let spread = [of(&[allow("cr:PullRepository", "local/demo/*"), allow("cr:GetRepository", "local/*")]), of(&[allow("cr:List*", "*")])];
    let together = json!({"Effect": "Allow", "Action": ["cr:PullRepository", "cr:GetRepository", "cr:ListRepositoryTag"],
        "Resource": "acs:cr:*:*:repository/local/demo/*"});
    assert_eq!(covered(&spread, &of(&[together.to_string()])), Ok(()));
    let halves = [of(&[allow("cr:PullRepository", "local/demo/a*"), allow("cr:PullRepository", "local/demo/b*")])];
    let either = json!({"Effect": "Allow", "Action": "cr:PullRepository",
        "Resource": ["acs:cr:*:*:repository/local/demo/a*", "acs:cr:*:*:repository/local/demo/b*"]});
    assert_eq!(covered(&halves, &of(&[either.to_string()])), Ok(()), "piece by piece");
    let both = json!({"Bool": {"acs:SecureTransport": ["true", "false"]}});
    let whatever = [true, false].map(|secure| conditional("Allow", &json!({"Bool": {"acs:SecureTransport": secure.to_string()}})));
    // All that is held is held, and it is not seen: refused, on the safe side.
    let all = [of(&["a", "b", "?"].map(|c| allow("cr:PullRepository", &format!("local/demo/{c}*"))))];
    assert_eq!(covered(&all, &of(&[allow("cr:PullRepository", "local/demo/?*")])), Ok(()));
    assert_eq!(covered(&all, &of(&[allow("cr:PullRepository", "local/demo/*")])).unwrap_err().why, Why::NotAllowed);
    assert_eq!(covered(&[of(&whatever)], &of(&[conditional("Allow", &both)])).unwrap_err().why, Why::NotAllowed);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    /// However the actions of a statement are spread over statements and documents, it may be given; with one of them left out it may not.
    #[test]
    fn actions_are_joined_however_they_are_spread(
        actions in proptest::sample::subsequence(Action::ALL, 2..12),
        spread in proptest::collection::vec(0..4usize, 12),
        resource in select(&NARROW[..]),
        left_out in any::<Index>(),
    ) {
        let names: Vec<&str> = actions.iter().map(|action| action.as_str()).collect();
        let says = |names: &[&str]| read(&json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": names, "Resource": resource}]}).to_string());
        let piece = |piece: usize, without: Option<usize>| {
            let mine = names.iter().enumerate().filter(|(index, _)| spread[*index] == piece && Some(*index) != without);
            mine.map(|(_, name)| *name).collect::<Vec<_>>()
        };
        let held = |without: Option<usize>| {
            let pieces = (0..4).map(|number| piece(number, without)).filter(|names| !names.is_empty());
            pieces.map(|names| says(&names)).collect::<Vec<_>>()
        };
        prop_assert_eq!(covered(&held(None), &says(&names)), Ok(()));
        let missing = left_out.index(names.len());
        let included = actions[missing] == Action::PullRepository && actions.contains(&Action::PushRepository);
        prop_assert_eq!(covered(&held(Some(missing)), &says(&names)).is_ok(), included, "without {}", names[missing]);
    }
}

/// The property above says nothing when nothing may ever be given.
#[test]
fn much_of_what_is_held_may_be_given() {
    let mut runner = TestRunner::deterministic();
    let mut yes = 0;
    for _ in 0..1000 {
        let (held, given) = delegation().new_tree(&mut runner).unwrap().current();
        let given = read(&given.to_string());
        let is_grant = given.statements.iter().any(|s| s.effect() == policy::Effect::Allow && s.actions().contains(Action::PullRepository));
        yes += usize::from(is_grant && covered(&read_all(&held), &given).is_ok());
    }
    assert!(yes > 50, "{yes} of 1000");
}

fn allow(action: &str, tail: &str) -> String {
    statement("Allow", action, &format!("acs:cr:*:*:repository/{tail}"))
}

fn deny(action: &str, tail: &str) -> String {
    statement("Deny", action, &format!("acs:cr:*:*:repository/{tail}"))
}

fn conditional(effect: &str, condition: &Value) -> String {
    json!({"Effect": effect, "Action": "cr:*", "Resource": "*", "Condition": condition}).to_string()
}

#[test]
fn an_owner_gives_inside_the_namespace() {
    let owner = [of(&[allow("cr:*", "local/demo/*"), allow("cr:*", "local/demo")])];
    assert_eq!(covered(&owner, &of(&[allow("cr:PullRepository", "local/demo/app")])), Ok(()));
    assert_eq!(covered(&owner, &of(&[allow("cr:*", "local/demo/*")])), Ok(()));
    let beyond = of(&[allow("cr:Pull*", "local/demo/a"), allow("cr:PullRepository", "local/*")]);
    let refused = covered(&owner, &beyond).unwrap_err();
    assert_eq!((refused.statement, refused.action, refused.why), (2, Action::PullRepository, Why::NotAllowed));
    assert_eq!(
        refused.to_string(),
        "statement 2 allows cr:PullRepository on acs:cr:*:*:repository/local/*, which the giver is not allowed"
    );
    assert!(covered(&owner, &of(&[statement("Allow", "*", "*")])).is_err());
    assert!(covered(&[], &of(&[allow("cr:PullRepository", "local/demo/app")])).is_err());
    assert_eq!(covered(&[], &of(&[deny("cr:*", "*"), statement("Allow", "ecs:*", "*")])), Ok(()), "what allows nothing");
}

#[test]
fn another_account_is_no_concern() {
    let here = [of(&[statement("Allow", "cr:*", &format!("acs:cr:*:{ACCOUNT}:*"))])];
    assert_eq!(covered(&here, &of(&[statement("Allow", "cr:*", "acs:cr:*:*:*")])), Ok(()));
    assert_eq!(covered(&here, &of(&[statement("Allow", "ram:*", "acs:ram::7:*")])), Ok(()));
    let elsewhere = [of(&[statement("Allow", "cr:*", "acs:cr:*:7:*")])];
    assert!(covered(&elsewhere, &of(&[allow("cr:*", "local/demo/*")])).is_err());
}

#[test]
fn what_is_denied_cannot_be_given() {
    let holder = [of(&[allow("cr:*", "*"), deny("cr:*", "local/secret/*")])];
    assert_eq!(covered(&holder, &of(&[allow("cr:*", "local/demo/*")])), Ok(()));
    assert_eq!(covered(&holder, &of(&[allow("cr:*", "*")])).unwrap_err().why, Why::Denied);
    assert_eq!(covered(&holder, &of(&[allow("cr:*", "*"), deny("cr:*", "local/secret/*")])), Ok(()), "what it withholds itself");
    assert!(covered(&holder, &of(&[allow("cr:*", "*"), deny("cr:*", "local/secret/a")])).is_err());
    let by_id = of(&[allow("cr:*", "cri-0000000000000abc/secret/*")]);
    assert_eq!(covered(&holder, &by_id).unwrap_err().why, Why::Denied, "the same by the instance's id");
}

#[test]
fn push_includes_the_pull_here_too() {
    let pusher = [of(&[allow("cr:PushRepository", "local/demo/*")])];
    assert_eq!(covered(&pusher, &of(&[allow("cr:PullRepository", "local/demo/*")])), Ok(()));
    let blind = [of(&[allow("cr:PushRepository", "*"), deny("cr:PullRepository", "local/secret/*")])];
    let push = of(&[allow("cr:PushRepository", "local/secret/a")]);
    assert_eq!(covered(&blind, &push).unwrap_err().action, Action::PullRepository);
    let without = of(&[allow("cr:PushRepository", "local/secret/a"), deny("cr:PullRepository", "local/secret/*")]);
    assert_eq!(covered(&blind, &without), Ok(()));
    let puller = [of(&[allow("cr:PullRepository", "*"), deny("cr:PushRepository", "*")])];
    assert_eq!(covered(&puller, &of(&[allow("cr:PullRepository", "*")])), Ok(()));
}

#[test]
fn conditions_go_along() {
    let office = json!({"IpAddress": {"acs:SourceIp": "10.0.0.0/8"}});
    let desk = json!({"IpAddress": {"acs:SourceIp": ["10.1.0.0/16", "10.2.3.4"]}});
    let both = json!({"IpAddress": {"acs:SourceIp": "10.1.0.0/16"}, "Bool": {"acs:SecureTransport": "true"}});
    let holder = [of(&[conditional("Allow", &office)])];
    for (given, want) in [(&office, true), (&desk, true), (&both, true), (&json!({"Bool": {"acs:SecureTransport": "true"}}), false)] {
        assert_eq!(covered(&holder, &of(&[conditional("Allow", given)])).is_ok(), want, "{given}");
    }
    assert!(covered(&holder, &of(&[statement("Allow", "cr:*", "*")])).is_err());
    let outside = json!({"NotIpAddress": {"acs:SourceIp": "10.0.0.0/8"}});
    let holder = [of(&[statement("Allow", "cr:*", "*"), conditional("Deny", &outside)])];
    assert_eq!(covered(&holder, &of(&[conditional("Allow", &desk)])), Ok(()), "the denial never meets it");
    assert!(covered(&holder, &of(&[statement("Allow", "cr:*", "*")])).is_err());
    let until = |time: &str| json!({"DateLessThan": {"acs:CurrentTime": time}});
    let holder = [of(&[conditional("Allow", &until("2026-06-01T00:00:00Z"))])];
    assert_eq!(covered(&holder, &of(&[conditional("Allow", &until("2026-05-01T00:00:00Z"))])), Ok(()));
    assert!(covered(&holder, &of(&[conditional("Allow", &until("2026-07-01T00:00:00Z"))])).is_err());
}

#[test]
fn what_is_held_by_name_is_held_by_id() {
    let by_name = of(&[allow("cr:*", "local/demo/*"), statement("Allow", "cr:*", "acs:cr:*:*:instance/local")]);
    let by_id = of(&[allow("cr:*", "cri-0000000000000abc/demo/*"), statement("Allow", "cr:*", "acs:cr:*:*:instance/cri-0000000000000abc")]);
    assert!(covered(std::slice::from_ref(&by_name), &by_id).is_err(), "that takes knowing the instances");
    let spelled = policy::spelled_by_id(&by_name, &[&instance()]);
    assert_eq!(covered(&[spelled], &by_id), Ok(()));
    let back = policy::spelled_by_id(&by_id, &[&instance()]);
    assert!(covered(&[back], &by_name).is_err(), "a later instance might take the name");
    let other = policy::spelled_by_id(&of(&[allow("cr:*", "local2/demo/*"), allow("cr:*", "loc*/demo/*")]), &[&instance()]);
    assert!(covered(&[other], &by_id).is_err());
}

#[test]
fn large_documents_are_compared_and_hostile_ones_refused() {
    let some = |from: u32, action: &str, what: fn(&str, &str) -> String, name: &str| {
        of(&(from..from + 50).map(|n| what(action, &format!("local/{name}{n}/*"))).collect::<Vec<_>>())
    };
    let holder = [0, 50].map(|from| [some(from, "cr:*", allow, "t"), some(from, "cr:*", deny, "x")]).concat();
    assert_eq!(covered(&holder, &some(40, "cr:Pull*", allow, "t")), Ok(()));
    assert_eq!(covered(&holder, &some(60, "cr:Pull*", allow, "t")).unwrap_err().statement, 41);
    let stars = "*a?".repeat(150);
    let holder = [of(&[statement("Allow", "cr:*", "*"), deny("cr:*", &format!("{stars}c"))])];
    let given = of(&(0..10).map(|n| allow("cr:*", &format!("{stars}{n}"))).collect::<Vec<_>>());
    assert_eq!(covered(&holder, &given).unwrap_err().why, Why::Undecided);
}
