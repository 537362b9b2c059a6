use std::collections::BTreeSet;

use access::Filter;
use model::{Action, Digest, Reference};
use registry::{LOOKED_AT, RegistryError, RepositoriesNamed};

use crate::house::{House, descriptor, image, on_each, op, tag};

on_each! {
    tags_in_pages
    referrers_with_type_annotations_and_filter
    many_large_referrers_come_in_pages_in_one_order
    the_catalog_shows_what_the_filter_does_in_pages
    a_page_looks_at_so_many_names_and_tells_none_that_is_hidden
}

async fn tags(house: &House, n: Option<usize>, last: Option<&str>) -> (Vec<String>, bool) {
    let page = house.registry.tags(house.pull("demo/app").await, n, last).await.unwrap();
    (page.items.iter().map(ToString::to_string).collect(), page.more)
}

async fn tags_in_pages(house: House) {
    let (manifest, _) = house.push_image("demo/app", &tag("b"), b"layer").await;
    for name in ["c", "a", "B", "d"] {
        house.put("demo/app", &tag(name), &manifest).await.unwrap();
    }
    assert_eq!(tags(&house, None, None).await, (["B", "a", "b", "c", "d"].map(String::from).to_vec(), false));
    assert_eq!(tags(&house, Some(2), None).await, (["B", "a"].map(String::from).to_vec(), true));
    assert_eq!(tags(&house, Some(2), Some("a")).await, (["b", "c"].map(String::from).to_vec(), true));
    assert_eq!(tags(&house, Some(2), Some("bb")).await, (["c", "d"].map(String::from).to_vec(), false));
    assert_eq!(tags(&house, Some(1), Some("\0")).await, (vec!["B".into()], true));
    assert_eq!(tags(&house, Some(0), None).await, (vec![], false));
    assert_eq!(tags(&house, Some(usize::MAX), Some("d")).await, (vec![], false));
    let none = house.registry.tags(house.pull("demo/none").await, None, None).await;
    assert!(matches!(none, Err(RegistryError::NameUnknown)));
}

/// What a referrers index says, and whether there is more.
async fn referrers(
    house: &House,
    subject: &Digest,
    artifact_type: Option<&str>,
    after: Option<&Digest>,
) -> (serde_json::Value, Option<Digest>) {
    let found = house.registry.referrers(house.pull("demo/app").await, subject, artifact_type, after).await.unwrap();
    (serde_json::from_slice(&found.index).unwrap(), found.next)
}

async fn referrers_with_type_annotations_and_filter(house: House) {
    house.put_blob("demo/app", b"{}").await;
    let subject = "not pushed yet";
    let about = Digest::sha256(subject.as_bytes());
    let more = |kind: &str| {
        format!(r#","artifactType":"{kind}","subject":{},"annotations":{{"k":"{kind}"}}"#, descriptor("a/b", subject.as_bytes()))
    };
    for kind in ["x/sbom", "x/signature"] {
        let pushed = house.put("demo/app", &tag("t"), &image(b"{}", &[], &more(kind))).await.unwrap();
        assert_eq!(pushed.subject, Some(about));
    }
    let (all, next) = referrers(&house, &about, None, None).await;
    assert_eq!((all["schemaVersion"].as_i64(), all["manifests"].as_array().unwrap().len(), next), (Some(2), 2, None));
    let (sboms, _) = referrers(&house, &about, Some("x/sbom"), None).await;
    let sbom = image(b"{}", &[], &more("x/sbom"));
    let want = serde_json::json!([{
        "mediaType": crate::house::MANIFEST, "digest": Digest::sha256(sbom.as_bytes()).to_string(), "size": sbom.len(),
        "artifactType": "x/sbom", "annotations": {"k": "x/sbom"},
    }]);
    assert_eq!(sboms["manifests"], want);
    for subject in [Digest::sha256(b""), Digest::sha512(b"")] {
        assert_eq!(referrers(&house, &subject, None, None).await.0["manifests"], serde_json::json!([]));
    }
    assert_eq!(referrers(&house, &about, Some("\0"), None).await.0["manifests"], serde_json::json!([]));
    let odd = house.put("demo/app", &tag("t"), &image(b"{}", &[], &more("x\\u0000"))).await;
    assert!(matches!(odd, Err(RegistryError::ManifestInvalid { .. })), "{odd:?}");
    let nowhere = house.registry.referrers(house.pull("demo/none").await, &about, None, None).await.unwrap();
    assert!(nowhere.index.ends_with(b"\"manifests\":[]}"));

    let by_digest = Reference::Digest(Digest::sha256(sbom.as_bytes()));
    house.registry.delete_manifest(house.delete("demo/app").await, &by_digest).await.unwrap();
    assert_eq!(referrers(&house, &about, Some("x/sbom"), None).await.0["manifests"], serde_json::json!([]));
}

async fn many_large_referrers_come_in_pages_in_one_order(house: House) {
    house.put_blob("demo/app", b"{}").await;
    let subject = descriptor("a/b", b"subject");
    for n in 0..40 {
        let more = format!(r#","subject":{subject},"annotations":{{"n":"{n}","pad":"{}"}}"#, "x".repeat(100_000));
        house.put("demo/app", &tag("t"), &image(b"{}", &[], &more)).await.unwrap();
    }
    let (mut seen, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let (page, next) = referrers(&house, &Digest::sha256(b"subject"), None, after.as_ref()).await;
        seen.extend(page["manifests"].as_array().unwrap().iter().map(|d| d["digest"].as_str().unwrap().to_owned()));
        pages += 1;
        let Some(next) = next else { break };
        after = Some(next);
    }
    assert!(pages > 2, "{pages}");
    assert_eq!(seen.len(), 40);
    assert!(seen.is_sorted());
}

async fn catalog(house: &House, filter: &Filter, n: Option<usize>, last: Option<&str>) -> (Vec<String>, bool) {
    let (items, next) = catalog_page(house, filter, n, last).await;
    (items, next.is_some())
}

async fn catalog_page(house: &House, filter: &Filter, n: Option<usize>, last: Option<&str>) -> (Vec<String>, Option<String>) {
    let page = house.registry.catalog(filter, &house.local, n, last).await.unwrap();
    (page.items.iter().map(ToString::to_string).collect(), page.next)
}

async fn the_catalog_shows_what_the_filter_does_in_pages(house: House) {
    for name in ["demo/app", "demo/web", "demo-x/a", "other/a", "single", "zoo/prod/a", "zoo/test/a"] {
        house.begin(name).await;
    }
    let all = house.access.visible(&op(), &house.alice, Action::PullRepository, &house.local).await.unwrap();
    let everything = ["demo-x/a", "demo/app", "demo/web", "other/a", "single", "zoo/prod/a", "zoo/test/a"].map(String::from);
    assert_eq!(catalog(&house, &all, None, None).await, (everything.to_vec(), false));
    assert_eq!(catalog(&house, &all, Some(0), None).await, (vec![], false));

    let text = r#"{"Version":"1","Statement":[
        {"Effect":"Allow","Action":"cr:PullRepository","Resource":["acs:cr:*:*:repository/*/demo/*","acs:cr:*:*:repository/*/zoo/*/a"]},
        {"Effect":"Deny","Action":"cr:PullRepository","Resource":"acs:cr:*:*:repository/*/demo/app"}]}"#;
    let carol = house.bound_by(text).await;
    let some = house.access.visible(&op(), &carol, Action::PullRepository, &house.local).await.unwrap();
    let want = ["demo/web", "zoo/prod/a", "zoo/test/a"].map(String::from);
    assert_eq!(catalog(&house, &some, None, None).await, (want.to_vec(), false));
    for n in 1..=3 {
        let (mut seen, mut last) = (Vec::new(), None);
        loop {
            let (page, more) = catalog(&house, &some, Some(n), last.as_deref()).await;
            assert!(page.len() <= n);
            seen.extend(page);
            last = seen.last().cloned();
            if !more {
                break;
            }
        }
        assert_eq!(seen, want, "pages of {n}");
    }
    assert_eq!(catalog(&house, &Filter::nothing(), None, None).await, (vec![], false));
}

/// `demo/r10000` and so on. The two of these numbers end in `-k7`.
const MANY: usize = 2 * LOOKED_AT + 100;
const SEEN: [usize; 2] = [10, MANY - 1];

async fn change(house: &House, sql: &'static str, values: &[store::Value]) {
    let done: Result<u64, store::StoreError> = house.store.write(|tx| Box::pin(tx.execute(sql, values))).await;
    done.unwrap();
}

async fn many(house: &House) {
    house.begin("demo/app").await;
    let sql = "WITH RECURSIVE number(n) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT n + 1 FROM number WHERE n + 1 < $1) \
               INSERT INTO repository (id, account_id, instance_id, namespace_id, name, is_public, description, created_ms, updated_ms) \
               SELECT 1000 + n, r.account_id, r.instance_id, r.namespace_id, \
               'demo/r' || CAST(10000 + n AS TEXT) || CASE WHEN n IN ($2, $3) THEN '-k7' ELSE '' END, 0, '', 0, 0 \
               FROM number, (SELECT * FROM repository WHERE name = 'demo/app') r";
    let number = |n| i64::try_from(n).unwrap();
    change(house, sql, store::params![number(MANY), number(SEEN[0]), number(SEEN[1])]).await;
}

async fn a_page_looks_at_so_many_names_and_tells_none_that_is_hidden(house: House) {
    many(&house).await;
    let text = r#"{"Version":"1","Statement":[
        {"Effect":"Allow","Action":["cr:PullRepository","cr:GetRepository"],"Resource":"acs:cr:*:*:repository/*/*-k7"}]}"#;
    let carol = house.bound_by(text).await;
    let some = house.access.visible(&op(), &carol, Action::PullRepository, &house.local).await.unwrap();
    let [first, last] = SEEN.map(|n| format!("demo/r{}-k7", 10000 + n));
    for n in [None, Some(2), Some(100)] {
        let (mut seen, mut pages, mut next) = (Vec::new(), 0, None);
        loop {
            let (items, further) = catalog_page(&house, &some, n, next.as_deref()).await;
            (seen, pages) = ([seen, items].concat(), pages + 1);
            let Some(further) = further else { break };
            assert!(further.starts_with('~'), "what is hidden has no name: {further}");
            next = Some(further);
        }
        assert_eq!(seen, [&*first, &*last], "{n:?}");
        assert!((3..=5).contains(&pages), "an empty page is not the end, and each looks at half of the most at least: {pages}");
    }
    // Where a page ends does not tell how many names there are before: it is drawn anew each time.
    let mut ends = BTreeSet::new();
    for _ in 0..8 {
        ends.insert(catalog_page(&house, &some, None, Some("demo/r10050")).await.1.unwrap());
    }
    assert!(ends.len() > 4, "{ends:?}");
    let named = RepositoriesNamed::default();
    let page = house.registry.visible_repositories(&some, &house.local, named, (100, None)).await.unwrap();
    assert_eq!((page.items.len(), page.next.is_some()), (1, true));

    // Nor is what is locked against listing looked past without an end.
    change(&house, "UPDATE repository SET locks = 4", &[]).await;
    let all = house.access.visible(&op(), &house.alice, Action::PullRepository, &house.local).await.unwrap();
    let (none, next) = catalog_page(&house, &all, None, None).await;
    assert_eq!(none, [""; 0]);
    assert!(next.unwrap().starts_with('~'));
}
