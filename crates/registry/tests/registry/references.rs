//! What refers to an image, and where a digest is, over both back ends.

use std::collections::BTreeSet;

use model::{Caller, Digest, Reference};
use registry::Behind;

use crate::house::{House, image, index, on_each, op, tag};

on_each! {
    references_to_an_image_come_in_pages
    a_digest_is_found_where_the_caller_may_pull_and_nowhere_else
}

async fn references_to_an_image_come_in_pages(house: House) {
    let (child, digest) = house.push_image("demo/app", &tag("a"), b"one").await;
    house.put("demo/app", &tag("b"), &child).await.unwrap();
    let parent = house.put("demo/app", &tag("index"), &index(&[&child], "")).await.unwrap().digest;
    let subject = crate::house::descriptor(crate::house::MANIFEST, child.as_bytes());
    let signature = image(b"{}", &[b"one"], &format!(r#","subject":{subject}"#));
    let signature = house.put("demo/app", &tag("s"), &signature).await.unwrap().digest;
    let mut want = vec!["tag:a".to_owned(), "tag:b".to_owned(), format!("parent:{parent}"), format!("referrer:{signature}")];
    for n in 1..=5 {
        let (mut seen, mut behind): (Vec<String>, Option<Behind>) = (Vec::new(), None);
        loop {
            let permit = house.may(&house.alice, house.at("demo/app")).await;
            let page = house.registry.image_references(permit, &tag("b"), Some(n), behind.as_ref()).await.unwrap();
            assert!(page.items.len() <= n);
            seen.extend(page.items.iter().map(|item| item.cursor().to_string()));
            behind = page.items.last().map(registry::ImageReference::cursor);
            if !page.more {
                break;
            }
        }
        assert_eq!(seen, want, "pages of {n}");
    }
    // What a blob is in.
    let permit = house.may(&house.alice, house.at("demo/app")).await;
    let page = house.registry.image_references(permit, &Reference::Digest(Digest::sha256(b"one")), None, None).await.unwrap();
    want = vec![format!("parent:{digest}"), format!("parent:{signature}")];
    want.sort();
    assert_eq!(page.items.iter().map(|item| item.cursor().to_string()).collect::<Vec<_>>(), want);
}

async fn a_digest_is_found_where_the_caller_may_pull_and_nowhere_else(house: House) {
    for repository in ["demo/a", "demo/b", "hidden/a", "demo/c"] {
        house.push_image(repository, &tag("v1"), b"one").await;
    }
    let (_, manifest) = house.push_image("demo/a", &tag("v1"), b"one").await;
    house.push_image("demo/d", &tag("v1"), b"two").await;
    let carol = house
        .bound_by(
            r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"cr:PullRepository","Resource":"acs:cr:*:*:repository/*/demo/*"}]}"#,
        )
        .await;
    let find = async |who: &Caller, digest: Digest, n: usize| {
        let filter = house.access.visible(&op(), who, model::Action::PullRepository, &house.local).await.unwrap();
        let (mut seen, mut behind, mut pages) = (BTreeSet::new(), None, 0);
        loop {
            let page = house.registry.digest_holders(&filter, &house.local, &digest, (Some(n), behind)).await.unwrap();
            assert!(page.items.len() <= n && (!page.items.is_empty() || !page.more), "no page is empty but the last one");
            seen.extend(page.items.iter().map(|h| format!("{}{}", h.name, if h.manifest { "!" } else { "" })));
            behind = page.items.last().map(|h| (h.manifest, h.repository));
            pages += 1;
            if !page.more {
                return (seen.into_iter().collect::<Vec<_>>().join(" "), pages);
            }
        }
    };
    let layer = Digest::sha256(b"one");
    assert_eq!(find(&house.alice, layer, 10).await, ("demo/a demo/b demo/c hidden/a".into(), 1));
    assert_eq!(find(&carol, layer, 10).await, ("demo/a demo/b demo/c".into(), 1));
    assert_eq!(find(&carol, layer, 1).await, ("demo/a demo/b demo/c".into(), 3));
    assert_eq!(find(&carol, manifest, 2).await, ("demo/a! demo/b! demo/c!".into(), 2));
    assert_eq!(find(&carol, Digest::sha256(b"absent"), 2).await, (String::new(), 1));
    let filter = house.access.visible(&op(), &house.mallory, model::Action::PullRepository, &house.foreign).await.unwrap();
    let elsewhere = house.registry.digest_holders(&filter, &house.foreign, &layer, (None, None)).await.unwrap();
    assert_eq!(elsewhere.items, [], "what another account has is not known here");
}
