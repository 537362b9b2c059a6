//! Policies from outside: what readers refuse, what operators mean, and that the compiled evaluation says what a naive one says.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "what tests are made of")]

mod builtins;
mod covering;
mod documents;
mod explaining;
mod filtering;
mod matrix;
mod operators;
mod oracle;
mod owned;
mod properties;
mod reading;
mod resources;
mod vendor;

use std::net::IpAddr;
use std::sync::Arc;

use model::{
    AccountId, Action, InstanceId, InstanceName, OnAccount, OnInstance, OnNamespace, OnPrincipal, OnRepository, PrincipalKind, Region,
    RepositoryName, Resource, Timestamp,
};
use policy::{Context, Document, Effective, Request, evaluate, ram};

const ACCOUNT: i64 = 1_234_567_890_123_456;

fn instance() -> Arc<OnInstance> {
    Arc::new(OnInstance {
        account: AccountId::from_i64(ACCOUNT),
        id: InstanceId::from_i64(0xabc),
        name: InstanceName::parse("local").unwrap(),
        region: Region::parse("here").unwrap(),
    })
}

fn repository(name: &str) -> Resource {
    Resource::Repository(OnRepository { instance: instance(), name: RepositoryName::parse(name).unwrap() })
}

fn namespace(name: &str) -> Resource {
    Resource::Namespace(OnNamespace { instance: instance(), name: name.parse().unwrap() })
}

fn account() -> Resource {
    Resource::Account(OnAccount(AccountId::from_i64(ACCOUNT)))
}

fn user(name: &str) -> Resource {
    Resource::Principal(OnPrincipal { account: AccountId::from_i64(ACCOUNT), id: None, kind: PrincipalKind::User, name: name.into() })
}

fn context(now: &str, source_ip: &str, secure: bool) -> Context {
    Context::new(Timestamp::parse(now).unwrap(), source_ip.parse::<IpAddr>().unwrap(), secure)
}

fn noon() -> Context {
    context("2026-06-01T12:00:00Z", "10.1.2.3", true)
}

fn read(text: &str) -> Document {
    ram::parse(text).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

fn statement(effect: &str, action: &str, resource: &str) -> String {
    format!(r#"{{"Effect":"{effect}","Action":"{action}","Resource":"{resource}"}}"#)
}

fn document(statements: &[String]) -> Document {
    read(&format!(r#"{{"Version":"1","Statement":[{}]}}"#, statements.join(",")))
}

/// Each document under the name of its index.
fn named(documents: &[Document]) -> Vec<(&'static str, &Document)> {
    ["0", "1", "2", "3", "4"].into_iter().zip(documents).collect()
}

fn decide(documents: &[Document], action: Action, resource: &Resource, context: &Context) -> Effective {
    evaluate(&named(documents), &Request { action, resource, context }).effective()
}
