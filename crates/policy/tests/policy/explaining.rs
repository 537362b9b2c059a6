use model::Action;
use policy::{Document, Effective, Request, explain};

use crate::{document, noon, read, repository, statement};

fn reason(documents: &[(&str, &Document)], action: Action) -> String {
    let (app, noon) = (repository("prod/app"), noon());
    explain(documents, &Request { action, resource: &app, context: &noon }).reason
}

#[test]
fn names_the_statement_that_decided() {
    let dev = document(&[statement("Allow", "cr:*", "*")]);
    let deny = document(&[
        statement("Deny", "cr:DeleteRepository", "*"),
        statement("Deny", "cr:PushRepository", "acs:cr:*:*:repository/local/prod/*"),
    ]);
    let (app, noon) = (repository("prod/app"), noon());
    let said = explain(&[("dev", &dev), ("deny-prod", &deny)], &Request { action: Action::PushRepository, resource: &app, context: &noon });
    assert_eq!((said.effective, said.policy.as_deref(), said.statement), (Effective::Denied, Some("deny-prod"), Some(2)));
    assert_eq!(said.reason, "statement 2 of policy deny-prod denies cr:PushRepository on repository/local/prod/app");
    assert_eq!(
        reason(&[("dev", &dev)], Action::PushRepository),
        "statement 1 of policy dev allows cr:PushRepository on repository/local/prod/app"
    );
    let push = document(&[statement("Allow", "cr:PushRepository", "*")]);
    assert_eq!(
        reason(&[("ci", &push)], Action::PullRepository),
        "statement 1 of policy ci allows cr:PushRepository, which includes cr:PullRepository, on repository/local/prod/app"
    );
}

#[test]
fn of_a_default_deny_it_names_what_came_nearest() {
    let elsewhere = document(&[statement("Allow", "cr:Pull*", "acs:cr:*:*:repository/local/dev/*")]);
    let office = read(
        r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"cr:PullRepository","Resource":"*","Condition":{"IpAddress":{"acs:SourceIp":"192.0.2.0/24"}}}]}"#,
    );
    let start = "no statement allows cr:PullRepository on repository/local/prod/app; ";
    let said = |documents: &[(&str, &Document)]| reason(documents, Action::PullRepository).strip_prefix(start).unwrap().to_owned();
    assert_eq!(said(&[]), "no policy is attached");
    assert_eq!(said(&[("t", &document(&[statement("Allow", "ram:*", "*")]))]), "no policy names the action under Allow");
    assert_eq!(said(&[("dev", &elsewhere)]), "nearest: statement 1 of policy dev allows the action, but on other resources");
    let nearest = "nearest: statement 1 of policy office allows it, but its condition IpAddress on acs:SourceIp does not hold: the request has 10.1.2.3";
    assert_eq!(said(&[("dev", &elsewhere), ("office", &office)]), nearest);
    let denied = document(&[statement("Deny", "cr:PushRepository", "*"), statement("Allow", "cr:PushRepository", "*")]);
    assert_eq!(
        said(&[("p", &denied)]),
        "nearest: statement 2 of policy p allows an action that would include it, but another statement denies that one"
    );
}
