//! Lists by page number, quotas, and what is shown of images.

use model::{Action, Caller, Digest, OnRepository, RepositoryName, Tag, act};
use registry::{NamespaceChanges, NewNamespace, NewRepository, REACH, RegistryError, RepositoriesNamed, Usage, Window};

use crate::house::{House, MANIFEST, NAMESPACES, REPOSITORIES, descriptor, image, index, on_each, op, tag};

on_each! {
    pages_by_number_count_everything_that_may_be_seen
    what_is_hidden_is_neither_shown_nor_counted
    an_instance_holds_no_more_than_it_may
    new_repositories_are_public_where_their_namespace_says_so
    images_are_as_large_as_all_that_they_are_made_of
    a_tag_is_made_from_another
    a_small_configuration_is_read_whole
    ids_name_what_is_in_their_instance
}

fn window(skip: usize, take: usize) -> Window {
    Window::new(skip, take).unwrap()
}

async fn pages_by_number_count_everything_that_may_be_seen(house: House) {
    let (manifest, _) = house.push_image("demo/app", &tag("b"), b"layer").await;
    for name in ["c", "a"] {
        house.put("demo/app", &tag(name), &manifest).await.unwrap();
    }
    for name in ["demo/web", "demo/x/y", "other/app"] {
        house.begin(name).await;
    }
    let tags = async |skip, take| {
        let permit = house.may::<act::ListRepositoryTag>(&house.alice, house.at("demo/app")).await;
        let page = house.registry.count_tags(permit, window(skip, take)).await.unwrap();
        (page.items.iter().map(|t| t.name.to_string()).collect::<Vec<_>>().join(" "), page.total)
    };
    assert_eq!(tags(0, 2).await, ("a b".into(), 3));
    assert_eq!(tags(2, 2).await, ("c".into(), 3));
    assert_eq!(tags(4, 2).await, (String::new(), 3));
    let repositories = async |skip, take| {
        let permit = house.may::<act::ListRepository>(&house.alice, house.namespace("demo")).await;
        let page = house.registry.count_repositories(permit, None, window(skip, take)).await.unwrap();
        (page.items.iter().map(|r| r.name.to_string()).collect::<Vec<_>>().join(" "), page.total)
    };
    assert_eq!(repositories(1, 2).await, ("demo/web demo/x/y".into(), 3));
    let namespaces = house.may::<act::ListNamespace>(&house.alice, (*house.local).clone()).await;
    let page = house.registry.count_namespaces(namespaces, None, window(1, 1)).await.unwrap();
    assert_eq!((page.items[0].name.as_str(), page.items.len(), page.total), ("other", 1, 2));
    for (name, want) in [("demo/web", 1), ("demo/none", 0), ("other/app", 0)] {
        let permit = house.may::<act::ListRepository>(&house.alice, house.namespace("demo")).await;
        let page = house.registry.count_repositories(permit, Some(&house.at(name).name), window(0, 9)).await.unwrap();
        assert_eq!((page.items.len(), page.total), (usize::try_from(want).unwrap(), want), "{name}");
    }
    for (name, skip, want) in [("other", 0, (1, 1)), ("other", 1, (0, 1)), ("none", 0, (0, 0))] {
        let permit = house.may::<act::ListNamespace>(&house.alice, (*house.local).clone()).await;
        let page = house.registry.count_namespaces(permit, Some(&house.namespace(name).name), window(skip, 9)).await.unwrap();
        assert_eq!((page.items.len(), page.total), want, "{name}");
    }
    let nowhere = house.may::<act::ListRepository>(&house.alice, house.namespace("none")).await;
    assert!(matches!(house.registry.count_repositories(nowhere, None, window(0, 1)).await, Err(RegistryError::NameUnknown)));
    assert_eq!((window(1, 1).of(&[1, 2, 3]), window(2, 5).of(&[1, 2, 3]), window(3, 1).of(&[1, 2, 3])), (&[2][..], &[3][..], &[][..]));
    assert_eq!((Window::new(REACH - 1, 2), Window::new(usize::MAX, 2), Window::new(0, 1001)), (None, None, None));
}

async fn what_is_hidden_is_neither_shown_nor_counted(house: House) {
    for name in ["demo/app", "demo/secret", "demo/web", "hidden/app", "single", "zoo/a/app", "zoo/b"] {
        house.begin(name).await;
    }
    let text = r#"{"Version":"1","Statement":[
        {"Effect":"Allow","Action":"cr:GetRepository","Resource":["acs:cr:*:*:repository/*/demo/*","acs:cr:*:*:repository/*/zoo/*"]},
        {"Effect":"Deny","Action":"cr:GetRepository","Resource":"acs:cr:*:*:repository/*/demo/secret"}]}"#;
    let carol = house.bound_by(text).await;
    let all = async |who: &Caller, named: RepositoriesNamed<'_>, skip, take| {
        let filter = house.access.visible(&op(), who, Action::GetRepository, &house.local).await.unwrap();
        let page = house.registry.count_visible(&filter, &house.local, named, window(skip, take)).await.unwrap();
        (page.items.iter().map(|r| r.name.to_string()).collect::<Vec<_>>().join(" "), page.total)
    };
    let any = RepositoriesNamed::default();
    assert_eq!(all(&house.alice, any, 0, 1000).await.1, 7);
    assert_eq!(all(&carol, any, 0, 2).await, ("demo/app demo/web".into(), 4));
    assert_eq!(all(&carol, any, 2, 2).await, ("zoo/a/app zoo/b".into(), 4));
    assert_eq!(all(&carol, RepositoriesNamed { name: Some("app"), ..any }, 0, 9).await, ("demo/app".into(), 1));
    let hidden = house.namespace("hidden").name;
    assert_eq!(all(&carol, RepositoriesNamed { namespace: Some(&hidden), ..any }, 0, 9).await, (String::new(), 0));
    assert_eq!(all(&house.mallory, any, 0, 9).await, (String::new(), 0), "another account's root user sees nothing");

    let filter = house.access.visible(&op(), &carol, Action::GetRepository, &house.local).await.unwrap();
    let (mut seen, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = house.registry.visible_repositories(&filter, &house.local, any, (3, after.as_deref())).await.unwrap();
        seen.extend(page.items.iter().map(|r| r.name.to_string()));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["demo/app", "demo/web", "zoo/a/app", "zoo/b"]);
}

async fn usage(house: &House) -> Usage {
    let permit = house.may::<act::GetInstanceUsage>(&house.alice, (*house.local).clone()).await;
    let usage = house.registry.instance_usage(permit).await.unwrap();
    assert_eq!((usage.max_namespaces, usage.max_repositories), (NAMESPACES, REPOSITORIES));
    usage.used
}

async fn an_instance_holds_no_more_than_it_may(house: House) {
    assert_eq!(usage(&house).await, Usage::default());
    for n in 0..NAMESPACES {
        house.begin(&format!("n{n}/app")).await;
    }
    let new = async |name: &str| {
        house.registry.create_namespace(house.may(&house.alice, house.namespace(name)).await, NewNamespace::default()).await
    };
    let full = new("one-more").await.unwrap_err();
    assert_eq!(full.to_string(), format!("the instance has {NAMESPACES} namespaces, and may not have more: delete one first"));
    let pushed = house.registry.begin_upload(house.push("another/app").await, model::Algorithm::Sha256).await;
    assert!(matches!(pushed, Err(RegistryError::Limit { what: "namespaces", .. })), "{pushed:?}");
    for n in NAMESPACES..REPOSITORIES {
        house.begin(&format!("n0/r{n}")).await;
    }
    let made = house.registry.create_repository(house.may(&house.alice, house.at("n0/one-more")).await, NewRepository::default()).await;
    assert!(matches!(made, Err(RegistryError::Limit { what: "repositories", .. })), "{made:?}");
    house.begin("n0/app").await;
    let used = usage(&house).await;
    assert_eq!((used.namespaces, used.repositories), (NAMESPACES.into(), REPOSITORIES.into()));

    house.registry.delete_repository(house.may(&house.alice, house.at("n1/app")).await).await.unwrap();
    house.registry.delete_namespace(house.may(&house.alice, house.namespace("n1")).await).await.unwrap();
    let used = usage(&house).await;
    assert_eq!((used.namespaces, used.repositories), (i64::from(NAMESPACES) - 1, i64::from(REPOSITORIES) - 1));
    new("one-more").await.unwrap();
}

async fn new_repositories_are_public_where_their_namespace_says_so(house: House) {
    house.registry.create_namespace(house.may(&house.alice, house.namespace("demo")).await, NewNamespace::default()).await.unwrap();
    house.begin("demo/before").await;
    let changes = NamespaceChanges { default_public: Some(true), ..NamespaceChanges::default() };
    house.registry.update_namespace(house.may(&house.alice, house.namespace("demo")).await, changes).await.unwrap();
    house.begin("demo/pushed").await;
    house.put_blob("demo/put", b"x").await;
    let make = async |name: &str, public| {
        let new = NewRepository { public, ..NewRepository::default() };
        house.registry.create_repository(house.may(&house.alice, house.at(name)).await, new).await.unwrap()
    };
    assert!(make("demo/made", None).await.public);
    assert!(!make("demo/private", Some(false)).await.public);
    let anybody = async |name: &str| house.access.admit::<act::PullRepository>(&op(), &Caller::anonymous(), house.at(name)).await.is_ok();
    for (name, public) in [("demo/before", false), ("demo/pushed", true), ("demo/put", true), ("demo/made", true), ("demo/private", false)]
    {
        assert_eq!(anybody(name).await, public, "{name}");
    }
    let shown = house.registry.show_repository(house.may(&house.alice, house.at("demo/pushed")).await).await.unwrap();
    assert_eq!((&*shown.summary, shown.public), ("Automatically created repository", true));
}

async fn images_are_as_large_as_all_that_they_are_made_of(house: House) {
    let (one, digest) = house.push_image("demo/app", &tag("one"), b"layer").await;
    house.put_blob("demo/app", b"layer two").await;
    let two = image(b"{}", &[b"layer", b"layer two", b"layer"], "");
    house.put("demo/app", &tag("two"), &two).await.unwrap();
    let both = index(&[&one, &two], "");
    house.put("demo/app", &tag("both"), &both).await.unwrap();
    let show = async |name: &str| {
        let permit = house.may::<act::ListRepositoryTag>(&house.alice, house.at("demo/app")).await;
        let found = house.registry.show_tag(permit, &Tag::parse(name).unwrap()).await.unwrap();
        (found.image_size, found.config)
    };
    let config = Some(Digest::sha256(b"{}"));
    let sizes = [one.len() + 2 + 5, two.len() + 2 + 5 + 9].map(|size| i64::try_from(size).unwrap());
    assert_eq!(show("one").await, (sizes[0], config));
    assert_eq!(show("two").await, (sizes[1], config), "a layer counts once");
    assert_eq!(show("both").await, (i64::try_from(both.len()).unwrap() + sizes[0] + sizes[1], None));
    house.allow_sparse("demo").await;
    let absent = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, descriptor(MANIFEST, b"not here"));
    house.put("demo/app", &tag("sparse"), &absent).await.unwrap();
    assert_eq!(show("sparse").await.0, i64::try_from(absent.len()).unwrap());
    assert_eq!(digest, Digest::sha256(one.as_bytes()));
}

async fn a_tag_is_made_from_another(house: House) {
    let (_, digest) = house.push_image("demo/app", &tag("v1"), b"layer").await;
    let copy = async |from: &str, to: &str| {
        let permit = house.may::<act::CreateRepositoryTag>(&house.alice, house.at("demo/app")).await;
        house.registry.copy_tag(permit, &Tag::parse(from).unwrap(), &Tag::parse(to).unwrap()).await
    };
    assert_eq!(copy("v1", "v2").await.unwrap().digest, digest);
    assert!(matches!(copy("v1", "v2").await, Err(RegistryError::Exists)));
    assert!(matches!(copy("v7", "v3").await, Err(RegistryError::ManifestUnknown)));
    let trail = house.trail().await;
    assert!(trail.iter().any(|line| line == "alice cr:CreateRepositoryTag v2 as v1 x1"), "{trail:?}");
}

async fn a_small_configuration_is_read_whole(house: House) {
    let config = house.put_blob("demo/app", b"{}").await;
    let large = house.put_blob("demo/app", &vec![b' '; 65_537]).await;
    let read = async |name: &str, digest: &Digest| house.registry.configuration(house.pull(name).await, digest).await;
    assert_eq!(read("demo/app", &config).await.unwrap().as_deref(), Some(&b"{}"[..]));
    assert_eq!(read("demo/app", &large).await.unwrap(), None);
    assert_eq!(read("demo/app", &Digest::sha256(b"none")).await.unwrap(), None);
    house.begin("demo/other").await;
    assert_eq!(read("demo/other", &config).await.unwrap(), None, "another repository's");
    assert!(matches!(read("demo/none", &config).await, Err(RegistryError::NameUnknown)));
}

async fn ids_name_what_is_in_their_instance(house: House) {
    house.begin("demo/app").await;
    let repository = house.registry.show_repository(house.may(&house.alice, house.at("demo/app")).await).await.unwrap();
    let namespace = house.registry.show_namespace(house.may(&house.alice, house.namespace("demo")).await).await.unwrap();
    let want = OnRepository { instance: house.local.clone(), name: RepositoryName::parse("demo/app").unwrap() };
    assert_eq!(house.registry.repository_of(&house.local, repository.id).await.unwrap(), want);
    assert_eq!(house.registry.namespace_of(&house.local, namespace.id).await.unwrap().name.as_str(), "demo");
    for elsewhere in [&house.strict, &house.foreign] {
        assert!(matches!(house.registry.repository_of(elsewhere, repository.id).await, Err(RegistryError::NameUnknown)));
        assert!(matches!(house.registry.namespace_of(elsewhere, namespace.id).await, Err(RegistryError::NameUnknown)));
    }
}
