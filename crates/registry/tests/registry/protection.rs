//! Immutable tags and locks: every way around them, over both back ends.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use model::{Digest, Glob, ImmutableTags, Lock, Locks, Reference, Tag, TagRuleId, act};
use registry::{
    ImmutabilityChange, LockChanges, MAX_TAG_RULES, NamespaceChanges, NewNamespace, NewRepository, Protection, RegistryError,
    RepositoryChanges, TagRule, Terms, TermsChanges,
};

use crate::house::{House, body, image, index, on_each, op, tag};

on_each! {
    an_immutable_tag_does_not_move_and_is_not_deleted
    nor_does_latest_where_every_tag_is_immutable
    of_those_who_push_one_new_immutable_tag_at_once_one_has_it
    harbor_10504_nor_is_what_it_points_at_deleted_by_digest
    nor_a_part_of_what_it_points_at
    nor_with_its_repository
    rules_speak_of_the_repositories_and_tags_that_they_name
    rules_are_created_changed_and_deleted_and_are_a_namespaces_own
    new_repositories_are_as_their_namespace_says
    a_locked_repository
    a_locked_tag
    a_locked_manifest
    what_is_locked_against_reading_is_not_given_away_by_a_mount
    what_is_locked_against_listing_leaves_pages_whole
    who_tried_stands_in_the_trail
    what_is_kept_says_why
    whatever_is_done_what_is_immutable_stays
}

fn glob(text: &str) -> Glob {
    Glob::parse(text).unwrap()
}

fn name(text: &str) -> Tag {
    Tag::parse(text).unwrap()
}

fn locks(words: &str) -> Locks {
    words.split_whitespace().map(|word| word.parse::<Lock>().unwrap()).collect()
}

fn lock(words: &str) -> LockChanges {
    LockChanges { lock: locks(words), unlock: Locks::default() }
}

fn unlock(words: &str) -> LockChanges {
    LockChanges { lock: Locks::default(), unlock: locks(words) }
}

/// Tags as they stand here: `v*` of `**`.
fn terms(repositories: &str, tags: &str) -> Terms {
    let tags = ImmutableTags { tags: glob(tags), except: None };
    Terms { repositories: glob(repositories), except_repositories: None, tags, enabled: true }
}

fn protected<T: std::fmt::Debug>(outcome: Result<T, RegistryError>) -> String {
    match outcome {
        Err(RegistryError::Protected(protection)) => protection.to_string(),
        other => panic!("not protected: {other:?}"),
    }
}

impl House {
    async fn rule(&self, namespace: &str, terms: Terms) -> TagRule {
        self.registry.create_tag_rule(self.may(&self.alice, self.namespace(namespace)).await, terms).await.unwrap()
    }

    async fn make_immutable(&self, repository: &str, tags: Option<&str>) {
        let patterns = ImmutabilityChange::Patterns { tags: Some(tags.map(glob)), except: None };
        let changes = RepositoryChanges { immutable_tags: Some(patterns), ..RepositoryChanges::default() };
        self.registry.update_repository(self.may(&self.alice, self.at(repository)).await, changes).await.unwrap();
    }

    async fn lock(&self, repository: &str, changes: LockChanges) {
        self.registry.lock_repository(self.may(&self.alice, self.at(repository)).await, changes).await.unwrap();
    }

    async fn lock_image(&self, repository: &str, image: &Reference, changes: LockChanges) {
        self.registry.lock_image(self.may(&self.alice, self.at(repository)).await, image, changes).await.unwrap();
    }

    async fn remove(&self, repository: &str, reference: &Reference) -> Result<(), RegistryError> {
        self.registry.delete_manifest(self.delete(repository).await, reference).await
    }

    async fn remove_repository(&self, repository: &str) -> Result<(), RegistryError> {
        self.registry.delete_repository(self.may(&self.alice, self.at(repository)).await).await
    }

    async fn point(&self, repository: &str, tag: &str, digest: &Digest) -> Result<(), RegistryError> {
        let permit = self.may(&self.alice, self.at(repository)).await;
        self.registry.update_tag(permit, &name(tag), digest).await.map(|_| ())
    }

    async fn tags_listed(&self, repository: &str, n: Option<usize>, last: Option<&str>) -> (Vec<String>, bool) {
        let page = self.registry.tags(self.pull(repository).await, n, last).await.unwrap();
        (page.items.iter().map(ToString::to_string).collect(), page.more)
    }
}

async fn an_immutable_tag_does_not_move_and_is_not_deleted(house: House) {
    house.push_image("demo/app", &tag("v1"), b"one").await;
    let (_, two) = house.push_image("demo/app", &tag("latest"), b"two").await;
    house.rule("demo", terms("**", "v*")).await;
    let (first, second) = (image(b"{}", &[b"one"], ""), image(b"{}", &[b"two"], ""));

    assert_eq!(protected(house.put("demo/app", &tag("v1"), &second).await), "tag v1 is immutable here (v*): push under another tag");
    house.put("demo/app", &tag("v1"), &first).await.unwrap();
    house.put("demo/app", &tag("v2"), &second).await.unwrap();
    protected(house.put("demo/app", &tag("v2"), &first).await);
    house.put("demo/app", &tag("latest"), &first).await.unwrap();

    // Several tags in one push: none of them moves.
    let (other, tags) = (tag("other"), [name("latest"), name("v1")]);
    let pushed = house.registry.put_manifest(house.push("demo/app").await, &other, None, second.clone().into(), &tags).await;
    protected(pushed);
    assert!(matches!(house.get("demo/app", &tag("other")).await, Err(RegistryError::ManifestUnknown)));
    assert_eq!(house.get("demo/app", &tag("latest")).await.unwrap(), first.as_bytes());

    // The management API, and what clouds' doors call.
    protected(house.point("demo/app", "v1", &two).await);
    protected(house.registry.delete_tag(house.delete("demo/app").await, &name("v1")).await);
    protected(house.remove("demo/app", &tag("v1")).await);
    let copied = house.registry.copy_tag(house.may(&house.alice, house.at("demo/app")).await, &name("latest"), &name("v1")).await;
    assert!(matches!(copied, Err(RegistryError::Exists)));
    assert_eq!(house.get("demo/app", &tag("v1")).await.unwrap(), first.as_bytes());
}

async fn nor_does_latest_where_every_tag_is_immutable(house: House) {
    house.push_image("demo/app", &tag("latest"), b"one").await;
    house.push_image("demo/app", &tag("two"), b"two").await;
    house.rule("demo", terms("**", "**")).await;
    let (first, second) = (image(b"{}", &[b"one"], ""), image(b"{}", &[b"two"], ""));
    let said = protected(house.put("demo/app", &tag("latest"), &second).await);
    assert_eq!(said, "tag latest is immutable here (**): push under another tag");
    protected(house.remove("demo/app", &tag("latest")).await);
    house.put("demo/app", &tag("latest"), &first).await.unwrap();
    assert_eq!(house.get("demo/app", &tag("latest")).await.unwrap(), first.as_bytes());
}

async fn of_those_who_push_one_new_immutable_tag_at_once_one_has_it(house: House) {
    one_has_it(&[&house]).await;
}

/// The same, each at a node of its own.
#[test]
fn of_those_who_push_it_at_three_nodes_one_has_it() {
    crate::house::on_three_nodes(concat!(module_path!(), "::nodes"), &async |nodes: [&House; 3]| one_has_it(&nodes).await);
}

async fn one_has_it(nodes: &[&House]) {
    const PUSHERS: usize = 6;
    let house = nodes[0];
    house.push_image("demo/app", &tag("first"), b"layer").await;
    house.rule("demo", terms("**", "**")).await;
    let manifest = |n: usize| image(b"{}", &[b"layer"], &format!(r#","annotations":{{"n":"{n}"}}"#));
    for round in 0..8 {
        let new = &tag(&format!("v{round}"));
        let outcomes = join_all((0..PUSHERS).map(|n| async move {
            for _ in 0..20 {
                // A client tries again what met somebody else.
                match nodes[n % nodes.len()].put("demo/app", new, &manifest(n)).await {
                    Err(RegistryError::Conflict) => {}
                    outcome => return outcome,
                }
            }
            panic!("met somebody twenty times");
        }));
        let outcomes = outcomes.await;
        let kept: Vec<usize> = (0..PUSHERS).filter(|n| outcomes[*n].is_ok()).collect();
        assert_eq!(kept.len(), 1, "round {round}: {kept:?}");
        assert_eq!(house.get("demo/app", new).await.unwrap(), manifest(kept[0]).as_bytes());
        for refused in outcomes.into_iter().filter(Result::is_err) {
            assert!(protected(refused).contains("is immutable here"));
        }
    }
}

/// Harbor #10504: the tag could not be deleted, but its manifest could be by its digest, and the tag went with it.
async fn harbor_10504_nor_is_what_it_points_at_deleted_by_digest(house: House) {
    let (manifest, digest) = house.push_image("demo/app", &tag("v1"), b"one").await;
    house.put("demo/app", &tag("latest"), &manifest).await.unwrap();
    house.rule("demo", terms("**", "v*")).await;
    protected(house.remove("demo/app", &Reference::Digest(digest)).await);
    house.remove("demo/app", &tag("latest")).await.unwrap();
    protected(house.remove("demo/app", &Reference::Digest(digest)).await);
    assert_eq!(house.get("demo/app", &tag("v1")).await.unwrap(), manifest.as_bytes());
    // The same digest in another repository is another matter.
    house.push_image("other/web", &tag("v1"), b"one").await;
    house.rule("other", terms("app", "v*")).await;
    house.remove("other/web", &Reference::Digest(digest)).await.unwrap();
}

async fn nor_a_part_of_what_it_points_at(house: House) {
    let (child, digest) = house.push_image("demo/app", &tag("child"), b"one").await;
    let inner = index(&[&child], "");
    let inner_digest = house.put("demo/app", &tag("inner"), &inner).await.unwrap().digest;
    let descriptor = crate::house::descriptor(crate::house::INDEX, inner.as_bytes());
    let outer = format!(r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[{descriptor}]}}"#, crate::house::INDEX);
    house.put("demo/app", &tag("v1"), &outer).await.unwrap();
    house.remove("demo/app", &tag("child")).await.unwrap();
    house.remove("demo/app", &tag("inner")).await.unwrap();
    house.make_immutable("demo/app", Some("v*")).await;

    let why = protected(house.remove("demo/app", &Reference::Digest(digest)).await);
    assert_eq!(why, "this is a part of what is kept: tag v1 is immutable here (v*): push under another tag");
    protected(house.remove("demo/app", &Reference::Digest(inner_digest)).await);
    // Nor are the blobs that it is made of, by the registry's own protocol.
    for blob in [b"one".as_slice(), b"{}"] {
        protected(house.registry.delete_blob(house.delete("demo/app").await, &Digest::sha256(blob)).await);
    }
    let lone = house.put_blob("demo/app", b"lone").await;
    house.registry.delete_blob(house.delete("demo/app").await, &lone).await.unwrap();
    // A signature of it refers to it; it is no part of it.
    let subject = crate::house::descriptor(crate::house::INDEX, outer.as_bytes());
    let signature = image(b"{}", &[b"one"], &format!(r#","subject":{subject}"#));
    let signature = house.put("demo/app", &tag("signature"), &signature).await.unwrap().digest;
    house.remove("demo/app", &Reference::Digest(signature)).await.unwrap();

    house.make_immutable("demo/app", None).await;
    house.remove("demo/app", &Reference::Digest(digest)).await.unwrap();
}

async fn nor_with_its_repository(house: House) {
    house.push_image("demo/app", &tag("v1"), b"one").await;
    let rule = house.rule("demo", terms("**", "v*")).await;
    protected(house.remove_repository("demo/app").await);
    let namespace = house.registry.delete_namespace(house.may(&house.alice, house.namespace("demo")).await).await;
    assert!(matches!(namespace, Err(RegistryError::NotEmpty)));
    // What is not immutable does not hold it.
    house.push_image("demo/web", &tag("latest"), b"one").await;
    house.remove_repository("demo/web").await.unwrap();
    let changes = TermsChanges { enabled: Some(false), ..TermsChanges::default() };
    house.registry.update_tag_rule(house.may(&house.alice, house.namespace("demo")).await, rule.id, changes).await.unwrap();
    house.remove_repository("demo/app").await.unwrap();
    house.registry.delete_namespace(house.may(&house.alice, house.namespace("demo")).await).await.unwrap();
    assert_eq!(house.rows("SELECT id FROM immutable_tag_rule").await, 0, "rules go with their namespace");
}

async fn rules_speak_of_the_repositories_and_tags_that_they_name(house: House) {
    for repository in ["demo/app", "demo/team/app", "demo/team/web"] {
        for tag_name in ["v1", "latest", "dev-1"] {
            house.push_image(repository, &tag(tag_name), b"one").await;
        }
    }
    let except = |text| Some(glob(text));
    let team = Terms {
        repositories: glob("team/*"),
        except_repositories: except("**/web"),
        tags: ImmutableTags { tags: glob("**"), except: except("{latest,dev-*}") },
        enabled: true,
    };
    house.rule("demo", team).await;
    let second = image(b"{}", &[b"two"], "");
    let mut kept = Vec::new();
    for repository in ["demo/app", "demo/team/app", "demo/team/web"] {
        house.put_blob(repository, b"two").await;
        for tag_name in ["v1", "latest", "dev-1"] {
            if house.put(repository, &tag(tag_name), &second).await.is_err() {
                kept.push(format!("{repository}:{tag_name}"));
            }
        }
    }
    assert_eq!(kept, ["demo/team/app:v1"]);
}

async fn rules_are_created_changed_and_deleted_and_are_a_namespaces_own(house: House) {
    for namespace in ["demo", "other"] {
        let permit = house.may(&house.alice, house.namespace(namespace)).await;
        house.registry.create_namespace(permit, NewNamespace::default()).await.unwrap();
    }
    let rule = house.rule("demo", terms("**", "v*")).await;
    let list = async |namespace| {
        let permit = house.may::<act::ListImmutableTagRules>(&house.alice, house.namespace(namespace)).await;
        house.registry.list_tag_rules(permit).await.unwrap()
    };
    assert_eq!((list("demo").await, list("other").await), (vec![rule.clone()], vec![]));
    let changes = TermsChanges { except_tags: Some(Some(glob("v0*"))), repositories: Some(glob("app")), ..TermsChanges::default() };
    let permit = async |namespace| house.may(&house.alice, house.namespace(namespace)).await;
    let elsewhere = house.registry.update_tag_rule(permit("other").await, rule.id, changes.clone()).await;
    assert!(matches!(elsewhere, Err(RegistryError::NameUnknown)), "CVE-2022-31666: of another namespace");
    let now = house.registry.update_tag_rule(permit("demo").await, rule.id, changes).await.unwrap();
    assert_eq!((now.terms.tags.to_string(), now.terms.repositories.as_str()), ("v* except v0*".into(), "app"));
    assert_eq!(list("demo").await, [now]);

    let delete = async |namespace, id: TagRuleId| {
        let permit = house.may(&house.alice, house.namespace(namespace)).await;
        house.registry.delete_tag_rule(permit, id).await
    };
    assert!(matches!(delete("other", rule.id).await, Err(RegistryError::NameUnknown)));
    delete("demo", rule.id).await.unwrap();
    assert!(matches!(delete("demo", rule.id).await, Err(RegistryError::NameUnknown)));
    assert_eq!(list("demo").await, []);

    for _ in 0..MAX_TAG_RULES {
        house.rule("demo", terms("**", "v*")).await;
    }
    let one_more = house.registry.create_tag_rule(house.may(&house.alice, house.namespace("demo")).await, terms("**", "*")).await;
    assert!(matches!(one_more, Err(RegistryError::Limit { max: MAX_TAG_RULES, .. })));
    let absent = house.registry.create_tag_rule(house.may(&house.alice, house.namespace("absent")).await, terms("**", "*")).await;
    assert!(matches!(absent, Err(RegistryError::NameUnknown)));
}

async fn new_repositories_are_as_their_namespace_says(house: House) {
    house.registry.create_namespace(house.may(&house.alice, house.namespace("demo")).await, NewNamespace::default()).await.unwrap();
    let changes = NamespaceChanges { default_immutable_tags: Some(true), ..NamespaceChanges::default() };
    house.registry.update_namespace(house.may(&house.alice, house.namespace("demo")).await, changes).await.unwrap();
    house.push_image("demo/pushed", &tag("v1"), b"one").await;
    let create = async |repository, immutable_tags| {
        let new = NewRepository { immutable_tags, ..NewRepository::default() };
        house.registry.create_repository(house.may(&house.alice, house.at(repository)).await, new).await.unwrap().immutable_tags
    };
    assert_eq!(create("demo/made", None).await, Some(ImmutableTags::all()));
    assert_eq!(create("demo/other", Some(None)).await, None);
    let second = image(b"{}", &[b"two"], "");
    house.put_blob("demo/pushed", b"two").await;
    protected(house.put("demo/pushed", &tag("v1"), &second).await);
    house.push_image("demo/other", &tag("v1"), b"one").await;
    house.push_image("demo/other", &tag("v1"), b"two").await;
}

async fn a_locked_repository(house: House) {
    let (manifest, digest) = house.push_image("demo/app", &tag("v1"), b"one").await;
    house.lock("demo/app", lock("write")).await;
    let read_only = "repository demo/app is locked against writing";
    assert_eq!(protected(house.put("demo/app", &tag("v1"), &manifest).await), read_only);
    let begun = house.registry.begin_upload(house.push("demo/app").await, model::Algorithm::Sha256).await;
    assert_eq!(protected(begun), read_only);
    protected(house.registry.put_blob(house.push("demo/app").await, body(b"two"), &Digest::sha256(b"two")).await);
    protected(house.remove("demo/app", &tag("v1")).await);
    protected(house.remove("demo/app", &Reference::Digest(digest)).await);
    protected(house.registry.delete_blob(house.delete("demo/app").await, &Digest::sha256(b"one")).await);
    protected(house.remove_repository("demo/app").await);
    let permit = house.may(&house.alice, house.at("demo/app")).await;
    protected(house.registry.create_tag(permit, &name("v2"), &digest).await);
    house.push_image("demo/web", &tag("v1"), b"two").await;
    let mounted = house.registry.mount(house.push("demo/app").await, house.pull("demo/web").await, &Digest::sha256(b"two")).await;
    protected(mounted);
    assert_eq!(house.get("demo/app", &tag("v1")).await.unwrap(), manifest.as_bytes());

    house.lock("demo/app", LockChanges { lock: locks("delete"), unlock: locks("write") }).await;
    house.push_image("demo/app", &tag("v1"), b"two").await;
    assert_eq!(protected(house.remove("demo/app", &tag("v1")).await), "repository demo/app is locked against deleting");
    protected(house.remove("demo/app", &Reference::Digest(digest)).await);
    protected(house.remove_repository("demo/app").await);

    house.lock("demo/app", lock("read list")).await;
    assert!(house.get("demo/app", &tag("v1")).await.is_err());
    protected(house.get("demo/app", &Reference::Digest(digest)).await);
    protected(house.registry.head_manifest(&house.pull("demo/app").await, &tag("v1")).await);
    protected(house.get_blob("demo/app", &Digest::sha256(b"one")).await);
    protected(house.registry.head_blob(&house.pull("demo/app").await, &Digest::sha256(b"one")).await);
    protected(house.registry.tags(house.pull("demo/app").await, None, None).await);
    protected(house.registry.referrers(house.pull("demo/app").await, &digest, None, None).await);
    let shown = house.registry.show_repository(house.may(&house.alice, house.at("demo/app")).await).await.unwrap();
    assert_eq!(shown.locks, locks("read list delete"));

    house.lock("demo/app", unlock("read write list delete")).await;
    house.get("demo/app", &tag("v1")).await.unwrap();
    house.remove_repository("demo/app").await.unwrap();
}

async fn a_locked_tag(house: House) {
    let (first, one) = house.push_image("demo/app", &tag("v1"), b"one").await;
    let (second, two) = house.push_image("demo/app", &tag("v2"), b"two").await;
    house.lock_image("demo/app", &tag("v1"), lock("write")).await;
    assert_eq!(protected(house.put("demo/app", &tag("v1"), &second).await), "tag v1 is locked against writing");
    house.put("demo/app", &tag("v1"), &first).await.unwrap();
    protected(house.point("demo/app", "v1", &two).await);
    protected(house.remove("demo/app", &tag("v1")).await);
    protected(house.remove("demo/app", &Reference::Digest(one)).await);
    protected(house.remove_repository("demo/app").await);

    // Locked against deleting alone, it moves, and keeps its locks.
    house.lock_image("demo/app", &tag("v1"), LockChanges { lock: locks("delete list"), unlock: locks("write") }).await;
    house.put("demo/app", &tag("v1"), &second).await.unwrap();
    assert_eq!(protected(house.remove("demo/app", &tag("v1")).await), "tag v1 is locked against deleting");
    protected(house.remove("demo/app", &Reference::Digest(two)).await);
    assert_eq!(house.tags_listed("demo/app", None, None).await.0, ["v2"]);

    house.lock_image("demo/app", &tag("v1"), lock("read")).await;
    assert_eq!(protected(house.get("demo/app", &tag("v1")).await), "this is locked against reading");
    house.get("demo/app", &Reference::Digest(two)).await.unwrap();
    house.get("demo/app", &tag("v2")).await.unwrap();
    house.lock_image("demo/app", &tag("v1"), unlock("read delete list")).await;
    house.remove("demo/app", &tag("v1")).await.unwrap();
    let absent = house.registry.lock_image(house.may(&house.alice, house.at("demo/app")).await, &tag("v1"), lock("read")).await;
    assert!(matches!(absent, Err(RegistryError::ManifestUnknown)));
}

async fn a_locked_manifest(house: House) {
    let (first, one) = house.push_image("demo/app", &tag("v1"), b"one").await;
    let (second, two) = house.push_image("demo/app", &tag("v2"), b"two").await;
    let by_digest = Reference::Digest(one);
    house.lock_image("demo/app", &by_digest, lock("write")).await;
    let why = format!("manifest {one} is locked against writing");
    assert_eq!(protected(house.put("demo/app", &tag("v1"), &second).await), why, "its tags stay");
    assert_eq!(protected(house.put("demo/app", &tag("v3"), &first).await), why, "and it gets no other");
    protected(house.remove("demo/app", &tag("v1")).await);
    protected(house.remove("demo/app", &by_digest).await);
    house.put("demo/app", &tag("v1"), &first).await.unwrap();
    house.put("demo/app", &by_digest, &first).await.unwrap();
    house.remove("demo/app", &Reference::Digest(two)).await.unwrap();

    house.lock_image("demo/app", &by_digest, LockChanges { lock: locks("delete"), unlock: locks("write") }).await;
    house.remove("demo/app", &tag("v1")).await.unwrap();
    protected(house.remove("demo/app", &by_digest).await);
    protected(house.remove_repository("demo/app").await);
    house.lock_image("demo/app", &by_digest, lock("read")).await;
    protected(house.get("demo/app", &by_digest).await);
    house.put("demo/app", &tag("v4"), &first).await.unwrap();
    protected(house.get("demo/app", &tag("v4")).await);
}

async fn what_is_locked_against_reading_is_not_given_away_by_a_mount(house: House) {
    house.push_image("demo/app", &tag("v1"), b"one").await;
    house.lock("demo/app", lock("read")).await;
    let mount = async || {
        let (to, from) = (house.push("demo/web").await, house.pull("demo/app").await);
        house.registry.mount(to, from, &Digest::sha256(b"one")).await.unwrap()
    };
    assert!(!mount().await);
    house.lock("demo/app", unlock("read")).await;
    assert!(mount().await);
}

async fn what_is_locked_against_listing_leaves_pages_whole(house: House) {
    for repository in ["demo/a", "demo/b", "demo/c", "demo/d"] {
        house.begin(repository).await;
    }
    house.lock("demo/b", lock("list")).await;
    let filter = house.access.visible(&op(), &house.alice, model::Action::PullRepository, &house.local).await.unwrap();
    let catalog = async |n, last| {
        let page = house.registry.catalog(&filter, &house.local, Some(n), last).await.unwrap();
        (page.items.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "), page.next.is_some())
    };
    assert_eq!(catalog(2, None).await, ("demo/a demo/c".into(), true));
    assert_eq!(catalog(2, Some("demo/c")).await, ("demo/d".into(), false));
    assert_eq!(catalog(3, None).await, ("demo/a demo/c demo/d".into(), false));
    let managed = house.registry.list_repositories(house.may(&house.alice, house.namespace("demo")).await, None, None).await.unwrap();
    assert_eq!(managed.items.len(), 4, "who manages it finds it");

    let (_, digest) = house.push_image("demo/a", &tag("t1"), b"one").await;
    for tag_name in ["t2", "t3", "t4"] {
        house.push_image("demo/a", &tag(tag_name), b"one").await;
    }
    house.lock_image("demo/a", &tag("t2"), lock("list")).await;
    house.lock_image("demo/a", &tag("t4"), lock("list")).await;
    assert_eq!(house.tags_listed("demo/a", Some(1), None).await, (vec!["t1".into()], true));
    assert_eq!(house.tags_listed("demo/a", Some(1), Some("t1")).await, (vec!["t3".into()], false));
    let managed = house.registry.list_tags(house.may(&house.alice, house.at("demo/a")).await, None, None).await.unwrap();
    assert_eq!(managed.items.len(), 4);
    house.get("demo/a", &tag("t2")).await.unwrap();

    let subject = crate::house::descriptor(crate::house::MANIFEST, image(b"{}", &[b"one"], "").as_bytes());
    let signature = image(b"{}", &[b"one"], &format!(r#","subject":{subject}"#));
    let signature = house.put("demo/a", &tag("s"), &signature).await.unwrap().digest;
    let referrers = async || {
        let found = house.registry.referrers(house.pull("demo/a").await, &digest, None, None).await.unwrap();
        String::from_utf8(found.index.to_vec()).unwrap().contains(&signature.to_string())
    };
    assert!(referrers().await);
    house.lock_image("demo/a", &Reference::Digest(signature), lock("list")).await;
    assert!(!referrers().await);
}

async fn who_tried_stands_in_the_trail(house: House) {
    let (_, digest) = house.push_image("demo/app", &tag("v1"), b"one").await;
    house.make_immutable("demo/app", Some("v*")).await;
    house.lock_image("demo/app", &Reference::Digest(digest), lock("delete")).await;
    protected(house.remove("demo/app", &Reference::Digest(digest)).await);
    let trail = house.trail().await;
    let said = |text: String| assert!(trail.contains(&text), "{text} in {trail:#?}");
    said(format!("alice cr:LockRepository {digest} +delete x1"));
    said(format!("alice cr:DeleteRepositoryTag manifest {digest} is locked against deleting x1"));
}

async fn what_is_kept_says_why(house: House) {
    let (_, digest) = house.push_image("demo/app", &tag("v1"), b"one").await;
    let show = async |image: &Reference| {
        let permit = house.may(&house.alice, house.at("demo/app")).await;
        house.registry.show_image_protection(permit, image).await.unwrap()
    };
    assert_eq!(show(&tag("v1")).await.kept_by, None);
    house.make_immutable("demo/app", Some("v*")).await;
    let shown = show(&Reference::Digest(digest)).await;
    assert_eq!((shown.tag, shown.digest, shown.locks), (None, digest, Locks::default()));
    assert!(matches!(shown.kept_by, Some(Protection::Immutable { .. })));
    house.lock_image("demo/app", &tag("v1"), lock("read")).await;
    let shown = show(&tag("v1")).await;
    assert_eq!((shown.tag, shown.locks), (Some(name("v1")), locks("read")));
}

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

/// Anything, in any order: a tag that matches stays where it was put first, and everything that it points at can be pulled.
async fn whatever_is_done_what_is_immutable_stays(house: House) {
    const TAGS: [&str; 6] = ["v1", "v2", "v3", "latest", "dev", "v1-rc"];
    const LAYERS: [&str; 3] = ["one", "two", "three"];
    for seed in 0..4 {
        let repository = format!("demo/r{seed}");
        house.begin(&repository).await;
        let immutable = ImmutableTags { tags: glob("v*"), except: Some(glob("*-rc")) };
        let patterns = ImmutabilityChange::Patterns { tags: Some(Some(glob("v*"))), except: Some(Some(glob("*-rc"))) };
        let changes = RepositoryChanges { immutable_tags: Some(patterns), ..RepositoryChanges::default() };
        house.registry.update_repository(house.may(&house.alice, house.at(&repository)).await, changes.clone()).await.unwrap();
        let mut dice = Dice(seed);
        let mut first: BTreeMap<&str, Digest> = BTreeMap::new();
        let mut known: BTreeSet<Digest> = BTreeSet::new();
        for step in 0..120 {
            let (tag_name, layer) = (dice.of(&TAGS), dice.of(&LAYERS));
            let digest = known.iter().copied().nth(dice.below(known.len().max(1))).unwrap_or_else(|| Digest::sha256(b""));
            let by_digest = Reference::Digest(digest);
            let permit = house.may(&house.alice, house.at(&repository)).await;
            let pushed = image(b"{}", &[layer.as_bytes()], "");
            match dice.below(8) {
                0 | 1 => {
                    house.put_blob(&repository, b"{}").await;
                    house.put_blob(&repository, layer.as_bytes()).await;
                    known.extend(house.put(&repository, &tag(tag_name), &pushed).await.map(|p| p.digest).ok());
                }
                2 => known.extend(house.put(&repository, &tag(tag_name), &index(&[&pushed], "")).await.map(|p| p.digest).ok()),
                3 => drop(house.point(&repository, tag_name, &digest).await),
                4 => drop(house.registry.create_tag(permit, &name(tag_name), &digest).await),
                5 => drop(house.remove(&repository, &tag(tag_name)).await),
                6 => drop(house.remove(&repository, &by_digest).await),
                _ => {
                    drop(house.registry.delete_blob(house.delete(&repository).await, &Digest::sha256(layer.as_bytes())).await);
                    let _ = house.remove_repository(&repository).await;
                    if first.is_empty() {
                        house.begin(&repository).await;
                        house
                            .registry
                            .update_repository(house.may(&house.alice, house.at(&repository)).await, changes.clone())
                            .await
                            .unwrap();
                    }
                }
            }
            for tag_name in TAGS.into_iter().filter(|tag_name| immutable.covers(&name(tag_name))) {
                let found = house.get(&repository, &tag(tag_name)).await.ok().map(|content| Digest::sha256(&content));
                let was = first.get(tag_name).copied();
                assert!(was.is_none() || was == found, "seed {seed}, step {step}: {tag_name} was {was:?}, is {found:?}");
                first.extend(found.map(|found| (tag_name, found)));
            }
            for digest in first.values() {
                house.whole(&repository, digest).await;
            }
        }
        assert!(!first.is_empty() && known.len() > 2, "seed {seed}");
    }
}

impl House {
    /// Pulls a manifest with all that it is made of.
    async fn whole(&self, repository: &str, digest: &Digest) {
        let mut next = vec![*digest];
        while let Some(digest) = next.pop() {
            let content = self.get(repository, &Reference::Digest(digest)).await.unwrap();
            let document: serde_json::Value = serde_json::from_slice(&content).unwrap();
            let digests = |field: &str| -> Vec<Digest> {
                let found = document[field].as_array().cloned().unwrap_or_default();
                found.iter().map(|d| d["digest"].as_str().unwrap().parse().unwrap()).collect()
            };
            for blob in digests("layers") {
                self.get_blob(repository, &blob).await.unwrap();
            }
            next.extend(digests("manifests"));
        }
    }
}
