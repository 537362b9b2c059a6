//! Policies of namespaces and repositories: what was read is read again as the same, speaks of nothing outside, of nobody in
//! particular and of no other account, and what it gives is compared to an end.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use model::{
    AccountId, Action, InstanceId, InstanceName, OnInstance, OnNamespace, OnRepository, Region, RepositoryName, Resource, Timestamp,
};
use policy::{Context, Document, Effective, Request, Who, evaluate, filter, ram};

const ACCOUNT: AccountId = AccountId::from_i64(1_234_567_890_123_456);
const OTHER: AccountId = AccountId::from_i64(7);

static INSTANCE: LazyLock<Arc<OnInstance>> = LazyLock::new(|| instance("local", 2));
static ELSEWHERE: LazyLock<Arc<OnInstance>> = LazyLock::new(|| instance("elsewhere", 3));

fn instance(name: &str, id: i64) -> Arc<OnInstance> {
    let (name, region) = (InstanceName::parse(name).unwrap(), Region::parse("local").unwrap());
    Arc::new(OnInstance { account: ACCOUNT, id: InstanceId::from_i64(id), name, region })
}

fn repository(instance: &Arc<OnInstance>, name: &str) -> Resource {
    Resource::Repository(OnRepository { instance: Arc::clone(instance), name: RepositoryName::parse(name).unwrap() })
}

fuzz_target!(|text: &str| {
    let namespace = Resource::Namespace(OnNamespace { instance: Arc::clone(&INSTANCE), name: "demo".parse().unwrap() });
    let outside_of_both = [
        repository(&INSTANCE, "demos/app"),
        repository(&INSTANCE, "demo"),
        repository(&INSTANCE, "other/demo/app"),
        repository(&ELSEWHERE, "demo/app"),
        Resource::Instance(Arc::clone(&INSTANCE)),
    ];
    check(text, &namespace, &outside_of_both);
    let [a, b, c, d, e] = outside_of_both;
    check(text, &repository(&INSTANCE, "demo/app"), &[a, b, c, d, e, repository(&INSTANCE, "demo/apple"), namespace]);
});

fn check(text: &str, of: &Resource, outside: &[Resource]) {
    let Ok(document) = ram::parse_resource_policy(text, of) else { return };
    assert!(text.chars().count() <= ram::MAX_OWNED_CHARS);
    assert!(document.statements.iter().all(|s| s.principals().is_some_and(|named| !named.is_empty())), "somebody is named");
    assert_eq!(ram::reread_resource_policy(text, of).as_ref(), Ok(&document));
    let printed = ram::print(&document);
    match ram::reread_resource_policy(&printed, of) {
        Ok(again) => assert_eq!(again, document, "{printed}"),
        // Resources that were left out, escapes and quotes can make the canonical text longer than what came.
        Err(error) => assert!(printed.chars().count() > ram::MAX_OWNED_CHARS, "{error}: {printed}"),
    }
    let who = || Who::named(ACCOUNT, "user/alice").in_group("ops");
    for stranger in [None, Some(Who::named(OTHER, "user/alice").in_group("ops")), Some(Who::federated(ACCOUNT, "corp"))] {
        says_nothing(&document, stranger, [of].into_iter().chain(outside));
    }
    says_nothing(&document, Some(who()), outside.iter());
    let context = context(Some(who()));
    let _ = filter(&[("p", &document)], Action::PullRepository, &context, &INSTANCE);
    delegate(&document);
}

fn context(who: Option<Who>) -> Context {
    let context = Context::new(Timestamp::from_millis(1_800_000_000_000), "10.1.2.3".parse().unwrap(), true);
    who.into_iter().fold(context, Context::by)
}

fn says_nothing<'r>(document: &Document, who: Option<Who>, of: impl Iterator<Item = &'r Resource>) {
    let context = context(who);
    for resource in of {
        for action in Action::ALL.iter().copied().filter(|action| suits(*action, resource)) {
            let said = evaluate(&[("p", document)], &Request { action, resource, context: &context }).effective();
            assert_eq!(said, Effective::NotSaid, "{} on {resource}", action.as_str());
        }
    }
}

/// Is it done to something of this kind?
fn suits(action: Action, resource: &Resource) -> bool {
    use model::ResourceKind as K;
    matches!(
        (action.resource_kind(), resource),
        (K::Repository, Resource::Repository(_)) | (K::Namespace, Resource::Namespace(_)) | (K::Instance, Resource::Instance(_))
    )
}

/// Whoever holds nothing sets none that allows something, and whoever holds everything sets any.
fn delegate(document: &Document) {
    let all = policy::builtin("AdministratorAccess").unwrap().document();
    let given = policy::covers(ACCOUNT, &[all], document);
    assert_eq!(given, Ok(()), "{}", ram::print(document));
    let gives = policy::covers(ACCOUNT, &[], document).is_ok();
    let allows = document.statements.iter().any(|s| s.effect() == policy::Effect::Allow && s.actions().iter().next().is_some());
    let denies = document.statements.iter().any(|s| s.effect() == policy::Effect::Deny);
    assert!(!gives || !allows || denies);
    let _ = policy::covers(ACCOUNT, &[document], &policy::lifted(document));
}
