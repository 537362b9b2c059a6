//! Retention: which tags go, which stay and why, and that nothing protected or in use goes.

use access::Access;
use model::{Caller, Digest, Glob, OnRepository, Op, Reference, Seconds, Tag, Timestamp, act};
use registry::{RegistryError, RetentionRule, RetentionRun, RetentionSchedule};
use store::{StoreError, params};

use crate::house::{House, NOW, image, index, on_each, op_at, tag};

on_each! {
    the_newest_stay_and_each_stays_for_a_reason
    what_is_pulled_stays
    nothing_goes_before_pulls_are_known_for_as_long_as_a_rule_asks
    untagged_manifests_go_when_nothing_is_made_of_them
    rules_speak_of_what_they_name
    a_dry_run_changes_nothing
    what_is_locked_or_immutable_stays
    a_rule_says_something_and_not_too_much
    the_job_acts_on_each_namespace_once_an_hour
    a_namespace_where_it_fails_stops_no_other
    a_rule_lets_go_when_its_day_comes_and_keeps_at_any_time
    rules_are_changed_one_by_one_and_stay_what_they_are
    the_rules_of_an_instance_are_listed_and_counted
}

fn days(n: i64) -> Timestamp {
    NOW.plus(Seconds::days(n))
}

fn glob(text: &str) -> Glob {
    Glob::parse(text).unwrap()
}

fn rule() -> RetentionRule {
    RetentionRule::default()
}

async fn may<A: model::ActionKind>(access: &Access, op: Op, who: &Caller, on: A::On) -> access::Permit<A> {
    access.admit::<A>(&op, who, on).await.unwrap()
}

/// Pushes an image of its own to a tag, at that moment.
async fn push(house: &House, name: &str, as_tag: &str, at: Timestamp) -> Digest {
    let layer = format!("{name} {as_tag}");
    house.put_blob(name, b"{}").await;
    house.put_blob(name, layer.as_bytes()).await;
    let permit = may::<act::PushRepository>(&house.access, op_at(at), &house.alice, house.at(name)).await;
    let media_type = model::MediaType::parse(crate::house::MANIFEST).unwrap();
    let content = image(b"{}", &[layer.as_bytes()], "").into();
    house.registry.put_manifest(permit, &tag(as_tag), Some(&media_type), content, &[]).await.unwrap().digest
}

async fn pull(house: &House, name: &str, as_tag: &str, at: Timestamp) {
    let permit = may::<act::PullRepository>(&house.access, op_at(at), &house.alice, house.at(name)).await;
    house.registry.manifest(permit, &tag(as_tag)).await.unwrap();
}

async fn set(house: &House, rules: &[RetentionRule]) -> Result<(), RegistryError> {
    let permit = house.may::<act::SetRetention>(&house.alice, house.namespace("demo")).await;
    house.registry.set_retention(permit, rules).await
}

async fn run(house: &House, at: Timestamp, dry: bool) -> RetentionRun {
    let permit = may::<act::RunRetention>(&house.access, op_at(at), &house.alice, house.namespace("demo")).await;
    house.registry.run_retention(permit, dry).await.unwrap()
}

/// `app:v1 - why`, `app:v2 + why`: what goes and what stays.
fn said(run: &RetentionRun) -> Vec<String> {
    let line = |item: &registry::RetentionItem| {
        let what = item.tag.as_ref().map_or_else(|| "untagged".to_owned(), ToString::to_string);
        format!("{}:{what} {} {}", item.on.name.within_namespace(), if item.removed { '-' } else { '+' }, item.reason)
    };
    let mut lines: Vec<_> = run.items.iter().map(line).collect();
    lines.sort();
    lines
}

async fn tags(house: &House, name: &str) -> Vec<String> {
    let page = house.registry.tags(house.pull(name).await, None, None).await.unwrap();
    page.items.iter().map(ToString::to_string).collect()
}

async fn the_newest_stay_and_each_stays_for_a_reason(house: House) {
    for (n, name) in ["v1", "v2", "v3", "release-1", "nightly"].into_iter().enumerate() {
        push(&house, "demo/app", name, days(i64::try_from(n).unwrap())).await;
    }
    push(&house, "demo/other", "only", NOW).await;
    let kept = RetentionRule { keep_newest: Some(1), keep_tags: Some(glob("release-*")), keep_pushed_days: Some(38), ..rule() };
    set(&house, &[kept]).await.unwrap();
    let done = run(&house, days(40), false).await;
    let text = said(&done);
    assert_eq!(text[0], "app:nightly + one of the 1 newest");
    assert_eq!(text[1], "app:release-1 + matches release-*");
    assert!(text[2].starts_with("app:v1 - no rule keeps it: pushed 2023-11-14T22:13:20Z"), "{}", text[2]);
    assert!(text[3].starts_with("app:v2 - "), "{}", text[3]);
    assert_eq!(text[4], "app:v3 + pushed within 38 days");
    assert_eq!(text[5], "other:only + one of the 1 newest", "each repository for itself");
    assert_eq!((done.tags_removed, done.tags_kept, done.protected), (2, 4, 0));
    assert_eq!(tags(&house, "demo/app").await, ["nightly", "release-1", "v3"]);
    let trail = house.trail().await;
    assert!(trail.iter().any(|line| line.starts_with("system retention demo/app:v1 sha256:")), "{trail:?}");
    assert!(trail.iter().any(|line| line == "alice cr:RunRetention 2 tags and 0 manifests deleted x1"), "{trail:?}");
    assert_eq!(run(&house, days(40), false).await.removed(), 0);
}

async fn what_is_pulled_stays(house: House) {
    set_somewhere(&house).await;
    for name in ["old", "used"] {
        push(&house, "demo/app", name, NOW).await;
    }
    set(&house, &[RetentionRule { keep_pulled_days: Some(30), ..rule() }]).await.unwrap();
    pull(&house, "demo/app", "used", days(40)).await;
    assert_eq!(house.rows("SELECT digest FROM manifest_pull").await, 0, "not in the request");
    let done = run(&house, days(60), false).await;
    assert_eq!(said(&done)[1], "app:used + pulled or pushed within 30 days");
    assert_eq!(tags(&house, "demo/app").await, ["used"]);
    // Within the hour nothing is written again.
    pull(&house, "demo/app", "used", days(40).plus(Seconds(3599))).await;
    house.registry.flush_pulls().await.unwrap();
    let written = "SELECT pulled_ms FROM manifest_pull WHERE pulled_ms = 1703456000000";
    assert_eq!(house.rows(written).await, 1);
    pull(&house, "demo/app", "used", days(40).plus(Seconds(3601))).await;
    house.registry.flush_pulls().await.unwrap();
    assert_eq!(house.rows(written).await, 0);
    assert_eq!(run(&house, days(80), false).await.tags_removed, 1);
    house.registry.delete_repository(house.may(&house.alice, house.at("demo/app")).await).await.unwrap();
    assert_eq!(house.rows("SELECT digest FROM manifest_pull").await, 0);
}

/// From now on it is known what is pulled.
async fn set_somewhere(house: &House) {
    house.begin("demo/app").await;
    set(house, &[]).await.unwrap();
}

async fn nothing_goes_before_pulls_are_known_for_as_long_as_a_rule_asks(house: House) {
    push(&house, "demo/app", "old", days(-100)).await;
    let rules = [RetentionRule { keep_pulled_days: Some(30), untagged_days: Some(1), ..rule() }];
    set(&house, &rules).await.unwrap();
    let early = run(&house, days(29), false).await;
    assert_eq!(said(&early), ["app:old + pulls are known since 2023-11-14T22:13:20Z only"]);
    assert_eq!(run(&house, days(31), false).await.tags_removed, 1);
}

async fn untagged_manifests_go_when_nothing_is_made_of_them(house: House) {
    set_somewhere(&house).await;
    let (one, _) = house.push_image("demo/app", &tag("one"), b"layer").await;
    let all = index(&[&one], "");
    let all = house.put("demo/app", &tag("all"), &all).await.unwrap().digest;
    let signature = image(b"{}", &[], &format!(r#","subject":{{"mediaType":"a/b","digest":"{all}","size":1}}"#));
    let signature_digest = Digest::sha256(signature.as_bytes());
    house.put("demo/app", &Reference::Digest(signature_digest), &signature).await.unwrap();
    house.registry.delete_manifest(house.delete("demo/app").await, &tag("one")).await.unwrap();
    set(&house, &[RetentionRule { untagged_days: Some(7), ..rule() }]).await.unwrap();
    assert_eq!(run(&house, days(6), false).await.manifests_removed, 0, "too young");
    assert_eq!(run(&house, days(8), false).await.manifests_removed, 0, "a part of an index, and what refers to it");
    house.registry.delete_manifest(house.delete("demo/app").await, &tag("all")).await.unwrap();
    let permit = may::<act::PullRepository>(&house.access, op_at(days(5)), &house.alice, house.at("demo/app")).await;
    house.registry.manifest(permit, &Reference::Digest(all)).await.unwrap();
    assert_eq!(run(&house, days(8), false).await.manifests_removed, 0, "pulled by its digest three days ago");
    // First the index, then, in this run or the next, what it was made of and what referred to it.
    let (first, second) = (run(&house, days(13), false).await, run(&house, days(13), false).await);
    assert!(first.items[0].digest == all && first.manifests_removed + second.manifests_removed == 3, "{first:?} {second:?}");
    assert_eq!(house.rows("SELECT digest FROM manifest").await, 0);
}

async fn rules_speak_of_what_they_name(house: House) {
    set_somewhere(&house).await;
    for name in ["demo/app", "demo/lib/x", "demo/keep"] {
        for as_tag in ["v1", "pr-1"] {
            push(&house, name, as_tag, NOW).await;
        }
    }
    let prs = RetentionRule { tags: glob("pr-*"), keep_pushed_days: Some(7), repositories: glob("{app,lib/**}"), ..rule() };
    let also = RetentionRule { repositories: glob("lib/**"), keep_tags: Some(glob("pr-*")), tags: glob("pr-*"), ..rule() };
    set(&house, &[prs, also]).await.unwrap();
    let done = run(&house, days(30), false).await;
    let text = said(&done);
    assert_eq!(text.len(), 2, "{text:?}");
    assert!(text[0].starts_with("app:pr-1 - "), "{text:?}");
    assert_eq!(text[1], "lib/x:pr-1 + matches pr-*", "kept by one of the rules that speak of it");
    assert_eq!(tags(&house, "demo/keep").await, ["pr-1", "v1"]);
}

async fn a_dry_run_changes_nothing(house: House) {
    set_somewhere(&house).await;
    for name in ["v1", "v2"] {
        push(&house, "demo/app", name, NOW).await;
    }
    set(&house, &[RetentionRule { keep_newest: Some(1), ..rule() }]).await.unwrap();
    let dry = run(&house, days(1), true).await;
    assert_eq!(tags(&house, "demo/app").await, ["v1", "v2"]);
    let trail = house.trail().await;
    assert!(!trail.iter().any(|line| line.contains("cr:RunRetention") || line.starts_with("system retention")), "{trail:?}");
    assert_eq!(run(&house, days(1), false).await, dry, "what it says is what happens");
    assert_eq!(tags(&house, "demo/app").await, ["v2"]);
}

async fn what_is_locked_or_immutable_stays(house: House) {
    set_somewhere(&house).await;
    for name in ["v1", "v2", "w1", "w2"] {
        push(&house, "demo/app", name, NOW).await;
    }
    let terms = registry::Terms {
        repositories: Glob::everything(),
        except_repositories: None,
        tags: model::ImmutableTags { tags: glob("v*"), except: None },
        enabled: true,
    };
    let permit = house.may::<act::CreateImmutableTagRule>(&house.alice, house.namespace("demo")).await;
    house.registry.create_tag_rule(permit, terms).await.unwrap();
    set(&house, &[RetentionRule { keep_tags: Some(glob("w2")), ..rule() }]).await.unwrap();
    for dry in [true, false] {
        let done = run(&house, days(1), dry).await;
        assert_eq!((done.tags_removed, done.tags_kept, done.protected), (1, 1, 2));
        assert!(said(&done)[0].starts_with("app:v1 + tag v1 is immutable here"), "{:?}", said(&done));
    }
    assert_eq!(tags(&house, "demo/app").await, ["v1", "v2", "w2"]);
}

async fn a_rule_says_something_and_not_too_much(house: House) {
    set_somewhere(&house).await;
    for wrong in [
        rule(),
        RetentionRule { keep_newest: Some(0), ..rule() },
        RetentionRule { keep_newest: Some(10_001), ..rule() },
        RetentionRule { untagged_days: Some(0), ..rule() },
        RetentionRule { keep_pulled_days: Some(36_501), ..rule() },
    ] {
        assert!(matches!(set(&house, &[wrong]).await, Err(RegistryError::RuleInvalid { .. })));
    }
    let good = RetentionRule { keep_newest: Some(3), keep_tags: Some(glob("v{1,2}*")), ..rule() };
    assert!(matches!(set(&house, &vec![good.clone(); 17]).await, Err(RegistryError::Limit { .. })));
    set(&house, std::slice::from_ref(&good)).await.unwrap();
    let read = async || house.registry.retention(house.may(&house.alice, house.namespace("demo")).await).await;
    let kept = read().await.unwrap();
    assert_eq!((kept.len(), &kept[0].rule), (1, &good));
    set(&house, &[]).await.unwrap();
    assert_eq!(read().await.unwrap(), []);
    let nowhere = house.may::<act::GetRetention>(&house.alice, house.namespace("none")).await;
    assert!(matches!(house.registry.retention(nowhere).await, Err(RegistryError::NameUnknown)));
}

async fn the_job_acts_on_each_namespace_once_an_hour(house: House) {
    set_somewhere(&house).await;
    for name in ["v1", "v2"] {
        push(&house, "demo/app", name, NOW).await;
    }
    let next = async |at| house.registry.retain_next(&op_at(at)).await.unwrap().map(|tended| tended.done.unwrap());
    assert_eq!(next(days(1)).await, None, "without rules nothing goes");
    set(&house, &[RetentionRule { keep_newest: Some(1), ..rule() }]).await.unwrap();
    assert_eq!(next(days(1)).await.unwrap().tags_removed, 1);
    assert_eq!(next(days(1).plus(Seconds(3599))).await, None);
    let trail = house.trail().await;
    assert!(trail.iter().any(|line| line == "system retention namespace demo: 1 tags and 0 manifests deleted x1"), "{trail:?}");
    assert_eq!(next(days(1).plus(Seconds(3601))).await.unwrap().removed(), 0);
    let on = OnRepository { instance: house.local.clone(), name: "demo/app".parse().unwrap() };
    let permit = house.may::<act::ListRepositoryTag>(&house.alice, on).await;
    house.registry.show_tag(permit, &Tag::parse("v2").unwrap()).await.unwrap();
    house.registry.delete_repository(house.may(&house.alice, house.at("demo/app")).await).await.unwrap();
    house.registry.delete_namespace(house.may(&house.alice, house.namespace("demo")).await).await.unwrap();
    assert_eq!(next(days(9)).await, None, "its rules went with it");
}

/// Its rules are a newer version's.
async fn a_namespace_where_it_fails_stops_no_other(house: House) {
    set_somewhere(&house).await;
    for name in ["demo/app", "other/app"] {
        push(&house, name, "v1", NOW).await;
        push(&house, name, "v2", NOW).await;
    }
    let rules = [RetentionRule { keep_newest: Some(1), ..rule() }];
    set(&house, &rules).await.unwrap();
    let spoilt: Result<u64, StoreError> = house
        .store
        .write(|tx| Box::pin(async move { tx.execute("UPDATE retention SET rules = '[{\"from\":\"the future\"}]'", params![]).await }))
        .await;
    assert_eq!(spoilt.unwrap(), 1);
    let permit = house.may::<act::SetRetention>(&house.alice, house.namespace("other")).await;
    house.registry.set_retention(permit, &rules).await.unwrap();
    let round = async |at| {
        let mut named = Vec::new();
        while let Some(tended) = house.registry.retain_next(&op_at(at)).await.unwrap() {
            named.push((tended.on.name.to_string(), tended.done.map(|done| done.tags_removed).map_err(|error| error.to_string())));
            assert!(named.len() < 3, "{named:?}");
        }
        named.sort();
        named
    };
    let failed = ("demo".to_owned(), Err("the registry has failed".to_owned()));
    assert_eq!(round(days(1)).await, [failed.clone(), ("other".to_owned(), Ok(1))]);
    assert_eq!(round(days(1).plus(Seconds(3599))).await, []);
    assert_eq!(round(days(2)).await, [failed, ("other".to_owned(), Ok(0))], "it is tried again");
}

async fn a_rule_lets_go_when_its_day_comes_and_keeps_at_any_time(house: House) {
    set_somewhere(&house).await;
    for name in ["v1", "v2", "w1", "w2"] {
        push(&house, "demo/app", name, NOW).await;
    }
    let weekly = RetentionRule { keep_newest: Some(1), tags: glob("v*"), schedule: RetentionSchedule::Weekly, ..rule() };
    let hourly = RetentionRule { keep_tags: Some(glob("w2")), ..rule() };
    set(&house, &[weekly.clone(), hourly]).await.unwrap();
    let next = async |at| house.registry.retain_next(&op_at(at)).await.unwrap().unwrap().done.unwrap();
    // NOW is a Tuesday.
    let tuesday = next(days(1)).await;
    assert_eq!((tuesday.tags_removed, tags(&house, "demo/app").await), (2, vec!["v2".to_owned(), "w2".to_owned()]), "{tuesday:?}");
    push(&house, "demo/app", "v3", days(1)).await;
    set(&house, std::slice::from_ref(&weekly)).await.unwrap();
    assert_eq!(next(days(2)).await.removed(), 0, "not on a Thursday");
    assert_eq!(next(days(6)).await.tags_removed, 1, "on a Monday");
    assert_eq!(tags(&house, "demo/app").await, ["v3", "w2"]);
    push(&house, "demo/app", "v4", days(6)).await;
    set(&house, &[RetentionRule { schedule: RetentionSchedule::Asked, ..weekly }]).await.unwrap();
    assert_eq!(next(days(13)).await.removed(), 0);
    assert_eq!(run(&house, days(13), false).await.tags_removed, 1, "whoever asks for it is asked of no day");
}

async fn rules_are_changed_one_by_one_and_stay_what_they_are(house: House) {
    set_somewhere(&house).await;
    let may_set = async || house.may::<act::SetRetention>(&house.alice, house.namespace("demo")).await;
    let read = async || house.registry.retention(house.may(&house.alice, house.namespace("demo")).await).await.unwrap();
    let newest = |n| RetentionRule { keep_newest: Some(n), ..rule() };
    set(&house, &[newest(1), newest(2)]).await.unwrap();
    let [one, two] = read().await.try_into().unwrap();
    assert_ne!(one.id, two.id);
    let three = house.registry.add_retention_rule(may_set().await, &newest(3)).await.unwrap();
    set(&house, &[newest(3), newest(2), newest(2), newest(1)]).await.unwrap();
    let ids: Vec<_> = read().await.iter().map(|kept| kept.id).collect();
    assert_eq!((ids[0], ids[1], ids[3]), (three, two.id, one.id), "one that is said again is the same one");
    assert!(!ids[..2].contains(&ids[2]));

    let may = |rule: &RetentionRule| if rule.keep_newest == Some(2) { Err("not this one") } else { Ok(()) };
    house.registry.update_retention_rule(may_set().await, one.id, &newest(7), may).await.unwrap();
    let told = house.registry.update_retention_rule(may_set().await, two.id, &newest(7), may).await;
    assert!(matches!(told, Err(RegistryError::RuleInvalid { reason: "not this one" })));
    house.registry.delete_retention_rule(may_set().await, ids[2]).await.unwrap();
    let gone = house.registry.delete_retention_rule(may_set().await, ids[2]).await;
    assert!(matches!(gone, Err(RegistryError::NameUnknown)));
    let left: Vec<_> = read().await.into_iter().map(|kept| (kept.id, kept.rule.keep_newest)).collect();
    assert_eq!(left, [(three, Some(3)), (two.id, Some(2)), (one.id, Some(7))]);
    let shown = house.registry.retention_rule(house.may(&house.alice, house.namespace("demo")).await, one.id).await.unwrap();
    assert_eq!(shown.rule, newest(7));
    assert!(matches!(house.registry.add_retention_rule(may_set().await, &rule()).await, Err(RegistryError::RuleInvalid { .. })));
    for id in [one.id, two.id, three] {
        house.registry.delete_retention_rule(may_set().await, id).await.unwrap();
    }
    assert_eq!(house.rows("SELECT rules FROM retention").await, 0, "without rules nothing is kept of them");
}

async fn the_rules_of_an_instance_are_listed_and_counted(house: House) {
    for name in ["b/app", "a/app", "c/app", "d/app"] {
        house.begin(name).await;
    }
    for (name, rules) in [("a", 2), ("b", 1), ("d", 3)] {
        let permit = house.may::<act::SetRetention>(&house.alice, house.namespace(name)).await;
        let rules: Vec<_> = (1..=rules).map(|n| RetentionRule { keep_newest: Some(n), ..rule() }).collect();
        house.registry.set_retention(permit, &rules).await.unwrap();
    }
    let may = async || house.may::<act::ListRetention>(&house.alice, (*house.local).clone()).await;
    let page = house.registry.list_retention(may().await, Some(2), None).await.unwrap();
    assert_eq!(page.items.iter().map(|of| (of.namespace.as_str(), of.rules.len())).collect::<Vec<_>>(), [("a", 2), ("b", 1)]);
    assert!(page.more);
    let page = house.registry.list_retention(may().await, Some(2), Some("b")).await.unwrap();
    assert_eq!((page.items.len(), page.items[0].namespace.as_str(), page.more), (1, "d", false));
    let window = registry::Window::new(1, 3).unwrap();
    let all = house.registry.count_retention_rules(may().await, window, |_| true).await.unwrap();
    let shown: Vec<_> = all.items.iter().map(|(name, kept)| (name.as_str(), kept.rule.keep_newest.unwrap())).collect();
    assert_eq!((shown, all.total), (vec![("a", 2), ("b", 1), ("d", 1)], 6));
    let few = house.registry.count_retention_rules(may().await, window, |rule| rule.keep_newest == Some(1)).await.unwrap();
    assert_eq!((few.items.len(), few.total), (2, 3), "what is not shown is not counted");
}
