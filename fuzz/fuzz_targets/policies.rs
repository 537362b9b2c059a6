//! Policy documents: printed, what was read is read again as the same; deciding by it ends, and lists show what decisions say.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use model::{AccountId, Action, InstanceId, InstanceName, OnInstance, OnRepository, Region, RepositoryName, Resource, Timestamp};
use policy::{Context, Document, Effect, Effective, Request, ResourcePattern, Statement, Who, evaluate, explain, filter, ram};

static INSTANCE: LazyLock<Arc<OnInstance>> = LazyLock::new(|| {
    Arc::new(OnInstance {
        account: ACCOUNT,
        id: InstanceId::from_random(2),
        name: InstanceName::parse("local").unwrap(),
        region: Region::parse("local").unwrap(),
    })
});

const ACCOUNT: AccountId = AccountId::from_random(1);

fuzz_target!(|text: &str| {
    if let Ok(trust) = ram::parse_trust(ACCOUNT, text) {
        let who = Who::named(ACCOUNT, "user/alice").in_group("operators");
        let context = Context::new(Timestamp::from_millis(1_800_000_000_000), "10.1.2.3".parse().unwrap(), true).by(who.clone());
        let lets_in = trust.evaluate(&context).effective == Effective::Allowed;
        assert!(!lets_in || trust.opens_to(&who, None), "whom it lets in it opens to");
        assert!(!trust.opens_to(&who, Some(&who)), "whoever is let in themselves gains nothing");
    }
    let Ok(document) = ram::parse(text) else { return };
    assert!(text.chars().count() <= policy::MAX_CHARS && document.statements.len() <= policy::MAX_STATEMENTS);
    let printed = ram::print(&document);
    match ram::parse(&printed) {
        Ok(again) => assert_eq!(again, document, "{printed}"),
        // Escapes and quotes can make the canonical text longer than what came.
        Err(error) => assert!(printed.chars().count() > policy::MAX_CHARS, "{error}: {printed}"),
    }
    decide(&document);
    delegate(&document);
});

/// Whoever holds nothing gives nothing, and what is said of giving ends.
fn delegate(document: &Document) {
    let gives = policy::covers(ACCOUNT, &[], document).is_ok();
    let denies = document.statements.iter().any(|s| s.effect() == Effect::Deny);
    let something = |s: &Statement| s.actions().iter().next().is_some() && s.resources().contains(&ResourcePattern::Any);
    assert!(denies || !gives || !document.statements.iter().any(something));
    let _ = policy::covers(ACCOUNT, &[document], &policy::lifted(document));
}

fn decide(document: &Document) {
    let context = Context::new(Timestamp::from_millis(1_800_000_000_000), "10.1.2.3".parse().unwrap(), true);
    let held = [("p", document)];
    let seen = filter(&held, Action::PullRepository, &context, &INSTANCE);
    for name in ["demo/app", "a", "team-1/x/y"] {
        let name = RepositoryName::parse(name).unwrap();
        let on = Resource::Repository(OnRepository { instance: Arc::clone(&INSTANCE), name: name.clone() });
        let request = Request { action: Action::PullRepository, resource: &on, context: &context };
        let allowed = evaluate(&held, &request).is_allowed();
        assert_eq!(allowed, seen.shows(&name), "{name}: what may be pulled is what a list shows");
        let _ = explain(&held, &request);
    }
}
