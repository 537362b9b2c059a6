//! Quotas: what counts, what is refused, that it is exact beside others, and that the counts never drift.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::future::join_all;
use model::{Digest, MediaType, Reference, Tag, act};
use registry::{Held, NewNamespace, NewRepository, Quota, RegistryError};
use store::quota;

use crate::house::{House, MANIFEST, body, image, on_each, on_three_nodes, tag};

on_each! {
    a_blob_counts_once_in_a_namespace_and_a_manifest_in_each_repository
    a_full_namespace_refuses_and_keeps_nothing_of_it
    what_is_there_already_is_pushed_to_a_full_namespace
    what_cannot_fit_is_refused_before_it_is_sent
    a_quota_below_what_is_there_takes_nothing_away
    pushers_beside_each_other_fill_a_namespace_to_the_last_blob
    pushers_beside_each_other_fill_a_namespace_to_the_last_manifest
    pushers_beside_each_other_make_as_many_repositories_as_may_be
    images_pushed_beside_each_other_are_never_more_than_may_be
    counts_never_drift
    quotas_are_listed_by_name
}

async fn held(house: &House, namespace: &str) -> Held {
    house.registry.namespace_quota(house.may(&house.alice, house.namespace(namespace)).await).await.unwrap().held
}

async fn set(house: &House, namespace: &str, bytes: Option<i64>, repositories: Option<i64>) {
    let permit = house.may::<act::SetNamespaceQuota>(&house.alice, house.namespace(namespace)).await;
    house.registry.set_namespace_quota(permit, Quota { bytes, repositories }).await.unwrap();
}

/// A namespace with a quota.
async fn bounded(house: &House, namespace: &str, bytes: Option<i64>, repositories: Option<i64>) {
    house.registry.create_namespace(house.may(&house.alice, house.namespace(namespace)).await, NewNamespace::default()).await.unwrap();
    set(house, namespace, bytes, repositories).await;
}

async fn try_blob(house: &House, name: &str, content: &[u8]) -> Result<(), RegistryError> {
    house.registry.put_blob(house.push(name).await, body(content), &Digest::sha256(content)).await
}

fn size(of: &str) -> i64 {
    i64::try_from(of.len()).unwrap()
}

/// What is kept is what is counted.
async fn sound(house: &House) {
    for name in ["demo", "other"] {
        let (on, name) = (house.local.id, model::NamespaceName::parse(name).unwrap());
        let read = house.store.read(|tx| {
            let name = name.clone();
            Box::pin(async move {
                let Some((id, _)) = quota::by_name(tx, on, &name).await? else { return Ok(None) };
                Ok::<_, store::StoreError>(Some((quota::held(tx, id).await?, quota::counted_again(tx, id).await?)))
            })
        });
        if let Some((held, counted)) = read.await.unwrap() {
            assert_eq!(held, counted, "{name}");
        }
    }
}

async fn a_blob_counts_once_in_a_namespace_and_a_manifest_in_each_repository(house: House) {
    let (manifest, digest) = house.push_image("demo/app", &tag("v1"), b"layer").await;
    let (blobs, manifest) = (7, size(&manifest));
    assert_eq!(held(&house, "demo").await, Held { bytes: blobs + manifest, repositories: 1 });
    house.push_image("demo/app", &tag("v2"), b"layer").await;
    house.push_image("demo/twin", &tag("v1"), b"layer").await;
    assert_eq!(held(&house, "demo").await, Held { bytes: blobs + 2 * manifest, repositories: 2 });
    house.push_image("other/app", &tag("v1"), b"layer").await;
    assert_eq!(held(&house, "other").await, Held { bytes: blobs + manifest, repositories: 1 }, "each namespace counts for itself");
    let source = house.pull("other/app").await;
    assert!(house.registry.mount(house.push("demo/third").await, source, &Digest::sha256(b"layer")).await.unwrap());
    assert_eq!(held(&house, "demo").await, Held { bytes: blobs + 2 * manifest, repositories: 3 }, "mounting what is there adds nothing");

    house.registry.delete_manifest(house.delete("demo/app").await, &Reference::Digest(digest)).await.unwrap();
    assert_eq!(held(&house, "demo").await.bytes, blobs + manifest);
    house.registry.delete_blob(house.delete("demo/app").await, &Digest::sha256(b"layer")).await.unwrap();
    assert_eq!(held(&house, "demo").await.bytes, blobs + manifest, "the others have it still");
    for gone in ["demo/app", "demo/twin", "demo/third"] {
        house.registry.delete_repository(house.may(&house.alice, house.at(gone)).await).await.unwrap();
        sound(&house).await;
    }
    assert_eq!(held(&house, "demo").await, Held::default());
    house.registry.delete_namespace(house.may(&house.alice, house.namespace("demo")).await).await.unwrap();
    assert_eq!(house.rows("SELECT shard FROM namespace_usage WHERE bytes + repositories = 0").await, 0, "its counts go with it");
}

async fn a_full_namespace_refuses_and_keeps_nothing_of_it(house: House) {
    bounded(&house, "demo", Some(10), None).await;
    house.put_blob("demo/app", b"12345678").await;
    let before = house.kept().await;
    let refused = try_blob(&house, "demo/app", b"abc").await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "namespace demo is full: it may hold 10 bytes and holds 8, and this needs 3 more; delete images there, or have its quota raised"
    );
    let id = house.begin("demo/app").await;
    let digest = Digest::sha256(b"defg");
    let refused = house.registry.finish_upload(house.push("demo/app").await, id, None, body(b"defg"), &digest).await;
    assert!(matches!(refused, Err(RegistryError::Quota { most: 10, held: 8, needed: 4, .. })));
    let over = house.registry.upload_status(house.push("demo/app").await, id).await;
    assert!(matches!(over, Err(RegistryError::UploadUnknown)));
    house.put_blob("other/app", b"elsewhere").await;
    let source = house.pull("other/app").await;
    let mounted = house.registry.mount(house.push("demo/app").await, source, &Digest::sha256(b"elsewhere")).await;
    assert!(matches!(mounted, Err(RegistryError::Quota { most: 10, held: 8, needed: 9, .. })));
    assert_eq!(house.kept().await, before + 1);
    assert_eq!(house.rows("SELECT id FROM upload").await, 0);
    let manifest = image(b"12345678", &[], "");
    let refused = house.put("demo/app", &tag("v1"), &manifest).await;
    assert!(matches!(refused, Err(RegistryError::Quota { most: 10, held: 8, needed, .. }) if needed == size(&manifest)));
    assert!(matches!(house.get("demo/app", &tag("v1")).await, Err(RegistryError::ManifestUnknown)));
    house.put_blob("demo/app", b"90").await;
    assert_eq!(held(&house, "demo").await.bytes, 10);
    set(&house, "demo", None, None).await;
    house.put("demo/app", &tag("v1"), &manifest).await.unwrap();
    sound(&house).await;
}

async fn what_is_there_already_is_pushed_to_a_full_namespace(house: House) {
    let (manifest, digest) = house.push_image("demo/app", &tag("v1"), b"layer").await;
    let full = held(&house, "demo").await.bytes;
    set(&house, "demo", Some(full), None).await;
    assert_eq!(house.put("demo/app", &tag("v2"), &manifest).await.unwrap().digest, digest);
    try_blob(&house, "demo/app", b"layer").await.unwrap();
    try_blob(&house, "demo/twin", b"layer").await.unwrap();
    let room = house.registry.expect_room(&house.push("demo/twin").await, Some(&Digest::sha256(b"layer")), 1000).await;
    room.unwrap();
    assert_eq!(held(&house, "demo").await, Held { bytes: full, repositories: 2 });
}

async fn what_cannot_fit_is_refused_before_it_is_sent(house: House) {
    bounded(&house, "demo", Some(10), None).await;
    house.put_blob("demo/app", b"12345678").await;
    let room = async |digest: Option<&Digest>, bytes| house.registry.expect_room(&house.push("demo/app").await, digest, bytes).await;
    let unknown = Digest::sha256(b"unknown");
    room(Some(&unknown), 2).await.unwrap();
    assert!(matches!(room(Some(&unknown), 3).await, Err(RegistryError::Quota { most: 10, held: 8, needed: 3, .. })));
    room(None, 10).await.unwrap();
    assert!(matches!(room(None, 11).await, Err(RegistryError::Quota { needed: 11, .. })));
    let id = house.begin("demo/app").await;
    house.registry.append(house.push("demo/app").await, id, None, body(b"x")).await.unwrap();
    house.registry.expect_room_for(&house.push("demo/app").await, id, Some(&unknown), 2).await.unwrap();
    let refused = house.registry.expect_room_for(&house.push("demo/app").await, id, Some(&unknown), 3).await;
    assert!(matches!(refused, Err(RegistryError::Quota { needed: 3, .. })));
    let over = house.registry.upload_status(house.push("demo/app").await, id).await;
    assert!(matches!(over, Err(RegistryError::UploadUnknown)), "a client that goes on is told that there is nothing to go on with");
    assert_eq!((house.kept().await, house.rows("SELECT id FROM upload").await), (1, 0));
    house.put_blob("demo/app", b"90").await;
    let full = house.registry.begin_upload(house.push("demo/app").await, model::Algorithm::Sha256).await.unwrap_err();
    let text = "namespace demo is full: it may hold 10 bytes and holds 10; delete images there, or have its quota raised";
    assert_eq!(full.to_string(), text);
    house.begin("other/app").await;
}

async fn a_quota_below_what_is_there_takes_nothing_away(house: House) {
    let (manifest, _) = house.push_image("demo/app", &tag("v1"), b"layer").await;
    set(&house, "demo", Some(1), Some(0)).await;
    assert_eq!(house.get("demo/app", &tag("v1")).await.unwrap(), manifest.as_bytes());
    assert!(matches!(try_blob(&house, "demo/app", b"x").await, Err(RegistryError::Quota { .. })));
    let second = house.registry.create_repository(house.may(&house.alice, house.at("demo/two")).await, NewRepository::default()).await;
    assert!(matches!(second, Err(RegistryError::RepositoryQuota { most: 0, .. })));
    let trail = house.trail().await;
    assert!(trail.iter().any(|line| line == "alice cr:SetNamespaceQuota bytes=1 repositories=0 x1"), "{trail:?}");
    let nowhere = house.may::<act::SetNamespaceQuota>(&house.alice, house.namespace("none")).await;
    assert!(matches!(house.registry.set_namespace_quota(nowhere, Quota::default()).await, Err(RegistryError::NameUnknown)));
}

const PUSHERS: usize = 64;

/// A client tries again what met somebody else.
async fn again<T>(push: impl AsyncFn() -> Result<T, RegistryError>) -> Result<T, RegistryError> {
    for _ in 0..20 {
        match push().await {
            Err(RegistryError::Conflict) => {}
            other => return other,
        }
    }
    Err(RegistryError::Conflict)
}

fn full<T>(outcome: &Result<T, RegistryError>) -> bool {
    match outcome {
        Ok(_) => false,
        Err(RegistryError::Quota { most, held, needed, .. }) => {
            assert!(held + needed > *most, "refused while there was room: {held} + {needed} of {most}");
            true
        }
        Err(other) => panic!("{other}"),
    }
}

async fn pushers_beside_each_other_fill_a_namespace_to_the_last_blob(house: House) {
    fill_with_blobs(&[&house]).await;
}

async fn pushers_beside_each_other_fill_a_namespace_to_the_last_manifest(house: House) {
    fill_with_manifests(&[&house]).await;
}

async fn pushers_beside_each_other_make_as_many_repositories_as_may_be(house: House) {
    fill_with_repositories(&[&house]).await;
}

/// The same at several nodes, which do not wait for each other's turns: what each reads of the counts holds until it has written.
#[test]
fn a_quota_is_exact_at_three_nodes() {
    on_three_nodes(concat!(module_path!(), "::blobs"), &async |nodes: [&House; 3]| fill_with_blobs(&nodes).await);
    on_three_nodes(concat!(module_path!(), "::manifests"), &async |nodes: [&House; 3]| fill_with_manifests(&nodes).await);
    on_three_nodes(concat!(module_path!(), "::repositories"), &async |nodes: [&House; 3]| fill_with_repositories(&nodes).await);
}

async fn fill_with_blobs(nodes: &[&House]) {
    let house = nodes[0];
    bounded(house, "demo", Some(40 * 100 + 99), None).await;
    house.begin("demo/app").await;
    let outcomes = join_all((0..PUSHERS).map(|n| async move {
        let content = format!("{n:0>100}");
        again(async || try_blob(nodes[n % nodes.len()], "demo/app", content.as_bytes()).await).await
    }));
    let outcomes = outcomes.await;
    assert_eq!(outcomes.iter().filter(|o| full(o)).count(), PUSHERS - 40);
    assert_eq!(held(house, "demo").await.bytes, 4000);
    assert_eq!(house.kept().await, 40, "nothing stays of what was refused");
    sound(house).await;
}

async fn fill_with_manifests(nodes: &[&House]) {
    let house = nodes[0];
    house.push_image("demo/app", &tag("v1"), b"layer").await;
    let manifest = |n: usize| image(b"{}", &[b"layer"], &format!(r#","annotations":{{"n":"{n:0>10}"}}"#));
    set(house, "demo", Some(held(house, "demo").await.bytes + 25 * size(&manifest(0)) + 7), None).await;
    let outcomes =
        join_all((0..PUSHERS).map(|n| async move {
            again(async || nodes[n % nodes.len()].put("demo/app", &tag(&format!("t{n}")), &manifest(n)).await).await
        }));
    let outcomes = outcomes.await;
    assert_eq!(outcomes.iter().filter(|o| full(o)).count(), PUSHERS - 25);
    assert_eq!(house.rows("SELECT name FROM tag").await, 26);
    sound(house).await;
}

async fn fill_with_repositories(nodes: &[&House]) {
    let house = nodes[0];
    bounded(house, "demo", None, Some(7)).await;
    let outcomes = join_all((0..16).map(|n| async move {
        let (house, name) = (nodes[n % nodes.len()], format!("demo/r{n}"));
        again(async || house.registry.begin_upload(house.push(&name).await, model::Algorithm::Sha256).await).await
    }));
    let outcomes = outcomes.await;
    let refused = outcomes.iter().filter(|o| matches!(o, Err(RegistryError::RepositoryQuota { most: 7, .. }))).count();
    assert_eq!((outcomes.iter().filter(|o| o.is_ok()).count(), refused), (7, 9));
    assert_eq!(held(house, "demo").await.repositories, 7);
    sound(house).await;
}

async fn images_pushed_beside_each_other_are_never_more_than_may_be(house: House) {
    let most = 20_000;
    bounded(&house, "demo", Some(most), None).await;
    let over = AtomicU64::new(0);
    let push = async |n: usize| {
        let (name, layer) = (format!("demo/r{}", n % 4), format!("{n:0>700}"));
        let blobs = [b"{}".as_slice(), layer.as_bytes()];
        for content in blobs {
            if full(&again(async || try_blob(&house, &name, content).await).await) {
                return false;
            }
        }
        let pushed = again(async || house.put(&name, &tag(&format!("t{n}")), &image(b"{}", &[layer.as_bytes()], "")).await).await;
        if held(&house, "demo").await.bytes > most {
            over.fetch_add(1, Ordering::Relaxed);
        }
        !full(&pushed)
    };
    let pushed = join_all((0..PUSHERS).map(&push)).await.into_iter().filter(|kept| *kept).count();
    assert_eq!(over.load(Ordering::Relaxed), 0);
    assert!(held(&house, "demo").await.bytes <= most);
    assert_eq!(house.rows("SELECT name FROM tag").await, pushed);
    sound(&house).await;
}

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % n).unwrap()
    }
}

async fn counts_never_drift(house: House) {
    const NAMES: [&str; 5] = ["demo/a", "demo/b", "demo/c", "other/a", "other/b"];
    const LAYERS: [&[u8]; 5] = [b"one", b"two two", b"three three three", b"4", b""];
    for seed in 0..6 {
        let mut dice = Dice(seed);
        set_if_there(&house, dice.below(2) == 0).await;
        for _ in 0..40 {
            let (name, other) = (NAMES[dice.below(5)], NAMES[dice.below(5)]);
            let layer = LAYERS[dice.below(5)];
            let digest = Digest::sha256(layer);
            // Whether it worked does not matter here: what is refused must not be counted either.
            match dice.below(8) {
                0..3 => {
                    let manifest = image(layer, &[layer], "");
                    let _ = try_blob(&house, name, layer).await;
                    let _ = house.put(name, &tag("latest"), &manifest).await;
                }
                3 => drop(house.registry.mount(house.push(name).await, house.pull(other).await, &digest).await),
                4 => drop(house.registry.delete_blob(house.delete(name).await, &digest).await),
                5 => {
                    let manifest = Digest::sha256(image(layer, &[layer], "").as_bytes());
                    drop(house.registry.delete_manifest(house.delete(name).await, &Reference::Digest(manifest)).await);
                }
                6 => drop(house.registry.delete_manifest(house.delete(name).await, &tag("latest")).await),
                _ => {
                    let _ = house.registry.delete_repository(house.may(&house.alice, house.at(name)).await).await;
                }
            }
        }
        sound(&house).await;
    }
    assert!(held(&house, "demo").await.bytes > 0);
}

async fn set_if_there(house: &House, bounded: bool) {
    let permit = house.may::<act::SetNamespaceQuota>(&house.alice, house.namespace("demo")).await;
    let quota = Quota { bytes: bounded.then_some(1500), repositories: bounded.then_some(2) };
    let _ = house.registry.set_namespace_quota(permit, quota).await;
}

async fn quotas_are_listed_by_name(house: House) {
    for (name, most) in [("beta", Some(7)), ("alpha", None), ("gamma", Some(9))] {
        bounded(&house, name, most, None).await;
    }
    house.put_blob("beta/app", b"four").await;
    let list = async |n, after| {
        let permit = house.may::<act::ListNamespaceQuotas>(&house.alice, (*house.local).clone()).await;
        let page = house.registry.list_namespace_quotas(permit, n, after).await.unwrap();
        let items: Vec<_> = page.items.iter().map(|of| (of.name.to_string(), of.held.bytes, of.quota.bytes)).collect();
        (items, page.more)
    };
    let beta = (String::from("beta"), 4, Some(7));
    assert_eq!(list(None, None).await, (vec![("alpha".into(), 0, None), beta.clone(), ("gamma".into(), 0, Some(9))], false));
    assert_eq!(list(Some(1), Some("alpha")).await, (vec![beta], true));
    let again = house.may::<act::GetNamespaceQuota>(&house.alice, house.namespace("none")).await;
    assert!(matches!(house.registry.namespace_quota(again).await, Err(RegistryError::NameUnknown)));
    // The bytes of a manifest that is sent with several tags count once.
    let (content, media_type) = (Bytes::from(image(b"four", &[], "")), MediaType::parse(MANIFEST).unwrap());
    set(&house, "beta", None, None).await;
    let tags = [Tag::parse("a").unwrap(), Tag::parse("b").unwrap()];
    let bytes = i64::try_from(content.len()).unwrap();
    house.registry.put_manifest(house.push("beta/app").await, &tag("c"), Some(&media_type), content, &tags).await.unwrap();
    assert_eq!(held(&house, "beta").await.bytes, 4 + bytes);
}
