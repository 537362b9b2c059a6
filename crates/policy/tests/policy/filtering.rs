use model::{Action, RepositoryName};
use policy::{Filter, NameRange, filter};

use crate::{document, instance, noon, statement};

fn pull(statements: &[String]) -> Filter {
    filter(&[("p", &document(statements))], Action::PullRepository, &noon(), &instance())
}

fn on(effect: &str, tail: &str) -> String {
    statement(effect, "cr:PullRepository", &format!("acs:cr:*:*:repository/local/{tail}"))
}

fn bounds(filter: &Filter) -> Vec<(String, Option<String>)> {
    filter.ranges().into_iter().map(|NameRange { from, to }| (from, to)).collect()
}

fn range(from: &str, to: &str) -> (String, Option<String>) {
    (from.into(), Some(to.into()))
}

#[test]
fn a_lister_seeks_to_what_is_allowed() {
    let filter = pull(&[on("Allow", "demo/*"), on("Allow", "prod/app"), on("Allow", "_/busybox")]);
    assert_eq!(bounds(&filter), [range("busybox", "busybox\0"), range("demo/", "demo0"), range("prod/app", "prod/app\0")]);
}

#[test]
fn a_lister_leaps_over_what_is_denied() {
    let filter = pull(&[on("Allow", "*"), on("Deny", "secret/*"), on("Deny", "_/busybox")]);
    assert_eq!(bounds(&filter), [range("", "busybox"), range("busybox\0", "secret/"), ("secret0".into(), None)]);
    assert!(pull(&[on("Allow", "*"), on("Deny", "*")]).is_empty());
    // Names of one segment between s and t are not spelled s*: they stay in the ranges and are shown.
    let filter = pull(&[on("Allow", "*"), on("Deny", "s*")]);
    assert!(filter.shows(&RepositoryName::parse("sun").unwrap()));
    assert!(!filter.shows(&RepositoryName::parse("sun/a").unwrap()));
    assert_eq!(bounds(&filter), [(String::new(), None)]);
    // A pattern that no name can match hides none.
    let filter = pull(&[on("Allow", "*"), on("Deny", "busybox")]);
    assert_eq!(bounds(&filter), [(String::new(), None)]);
}

#[test]
fn what_holds_now_counts() {
    let outside = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"IpAddress":{"acs:SourceIp":"192.0.2.1"}}}]}"#;
    assert!(filter(&[("p", &crate::read(outside))], Action::PullRepository, &noon(), &instance()).is_empty());
}

#[test]
fn all_and_nothing() {
    for name in ["a", "a/b", "a/b/c"] {
        let name = RepositoryName::parse(name).unwrap();
        assert!(Filter::everything().shows(&name));
        assert!(!Filter::nothing().shows(&name));
    }
    assert_eq!(bounds(&Filter::everything()), [(String::new(), None)]);
    assert!(filter(&[("p", &document(&[statement("Allow", "*", "*")]))], Action::ListUsers, &noon(), &instance()).is_empty());
}
