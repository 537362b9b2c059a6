use model::{Caller, Digest, NamespaceName, OnNamespace, Tag, act};
use registry::{NamespaceChanges, NewNamespace, NewRepository, RegistryError, RepositoryChanges};

use crate::house::{House, body, on_each, op, tag};

on_each! {
    namespaces_are_created_listed_changed_and_deleted_when_empty
    repositories_are_created_listed_changed_and_deleted_with_all_they_have
    what_is_public_is_so_at_once_and_no_longer_than_it_is_said
    tags_as_things_to_manage
}

async fn namespaces_are_created_listed_changed_and_deleted_when_empty(house: House) {
    for name in ["beta", "alpha", "_"] {
        house.registry.create_namespace(house.may(&house.alice, house.namespace(name)).await, NewNamespace::default()).await.unwrap();
    }
    let twice = house.registry.create_namespace(house.may(&house.alice, house.namespace("beta")).await, NewNamespace::default()).await;
    assert!(matches!(twice, Err(RegistryError::Exists)));
    let list = async |n, after| {
        let permit = house.may::<act::ListNamespace>(&house.alice, (*house.local).clone()).await;
        let page = house.registry.list_namespaces(permit, n, after).await.unwrap();
        (page.items.iter().map(|n| n.name.to_string()).collect::<Vec<_>>().join(" "), page.more)
    };
    assert_eq!(list(None, None).await, ("_ alpha beta".into(), false));
    assert_eq!(list(Some(1), Some("_")).await, ("alpha".into(), true));

    house.begin("alpha/app").await;
    let full = house.registry.delete_namespace(house.may(&house.alice, house.namespace("alpha")).await).await;
    assert!(matches!(full, Err(RegistryError::NotEmpty)));
    house.registry.delete_repository(house.may(&house.alice, house.at("alpha/app")).await).await.unwrap();
    house.registry.delete_namespace(house.may(&house.alice, house.namespace("alpha")).await).await.unwrap();
    let gone = house.registry.show_namespace(house.may(&house.alice, house.namespace("alpha")).await).await;
    assert!(matches!(gone, Err(RegistryError::NameUnknown)));
    assert_eq!(list(None, None).await, ("_ beta".into(), false));
    let other = OnNamespace { instance: house.strict.clone(), name: NamespaceName::parse("beta").unwrap() };
    let elsewhere = house.registry.show_namespace(house.may(&house.alice, other).await).await;
    assert!(matches!(elsewhere, Err(RegistryError::NameUnknown)), "names are an instance's own");
}

async fn repositories_are_created_listed_changed_and_deleted_with_all_they_have(house: House) {
    let new = || NewRepository { public: Some(false), summary: "in short".into(), description: "ours".into(), immutable_tags: None };
    let early = house.registry.create_repository(house.may(&house.alice, house.at("demo/app")).await, new()).await;
    assert!(matches!(early, Err(RegistryError::NamespaceUnknown(_))));
    house.registry.create_namespace(house.may(&house.alice, house.namespace("demo")).await, NewNamespace::default()).await.unwrap();
    house.registry.create_repository(house.may(&house.alice, house.at("demo/app")).await, new()).await.unwrap();
    let twice = house.registry.create_repository(house.may(&house.alice, house.at("demo/app")).await, new()).await;
    assert!(matches!(twice, Err(RegistryError::Exists)));
    let changes = RepositoryChanges { description: Some("theirs".into()), ..RepositoryChanges::default() };
    house.registry.update_repository(house.may(&house.alice, house.at("demo/app")).await, changes).await.unwrap();
    let shown = house.registry.show_repository(house.may(&house.alice, house.at("demo/app")).await).await.unwrap();
    assert_eq!((&*shown.description, shown.public), ("theirs", false));

    let (_, digest) = house.push_image("demo/app", &tag("v1"), b"layer").await;
    let id = house.begin("demo/app").await;
    house.registry.append(house.push("demo/app").await, id, None, body(b"half")).await.unwrap();
    house.push_image("demo/other", &tag("v1"), b"layer").await;
    house.registry.delete_repository(house.may(&house.alice, house.at("demo/app")).await).await.unwrap();
    assert!(matches!(house.get("demo/app", &tag("v1")).await, Err(RegistryError::NameUnknown)));
    assert!(matches!(house.get_blob("demo/app", &Digest::sha256(b"layer")).await, Err(RegistryError::NameUnknown)));
    assert_eq!(house.rows("SELECT id FROM upload").await, 0);
    assert_eq!(house.kept().await, 2, "the upload's content is gone, the blobs are the account's");
    house.get("demo/other", &model::Reference::Digest(digest)).await.unwrap();

    // A repository of the same name is another one: nothing of the old one shows in it.
    house.begin("demo/app").await;
    assert!(matches!(house.get("demo/app", &tag("v1")).await, Err(RegistryError::ManifestUnknown)));
    assert!(matches!(house.get_blob("demo/app", &Digest::sha256(b"layer")).await, Err(RegistryError::BlobUnknown)));
    let page = house.registry.list_repositories(house.may(&house.alice, house.namespace("demo")).await, Some(1), None).await.unwrap();
    assert_eq!((page.items.len(), page.items[0].name.as_str(), page.more), (1, "demo/app", true));
}

async fn what_is_public_is_so_at_once_and_no_longer_than_it_is_said(house: House) {
    house.begin("demo/app").await;
    let anybody = async || house.access.admit::<act::PullRepository>(&op(), &Caller::anonymous(), house.at("demo/app")).await.is_ok();
    assert!(!anybody().await);
    for public in [true, false, true] {
        let changes = NamespaceChanges { public: Some(public), ..NamespaceChanges::default() };
        house.registry.update_namespace(house.may(&house.alice, house.namespace("demo")).await, changes).await.unwrap();
        assert_eq!(anybody().await, public);
    }
    let private = NamespaceChanges { public: Some(false), ..NamespaceChanges::default() };
    house.registry.update_namespace(house.may(&house.alice, house.namespace("demo")).await, private).await.unwrap();
    let public = RepositoryChanges { public: Some(true), ..RepositoryChanges::default() };
    house.registry.update_repository(house.may(&house.alice, house.at("demo/app")).await, public).await.unwrap();
    assert!(anybody().await);
    house.registry.delete_repository(house.may(&house.alice, house.at("demo/app")).await).await.unwrap();
    house.begin("demo/app").await;
    assert!(!anybody().await, "a repository of the same name is private again");
}

async fn tags_as_things_to_manage(house: House) {
    let (_, digest) = house.push_image("demo/app", &tag("v1"), b"layer").await;
    let (_, other) = house.push_image("demo/app", &tag("v2"), b"other").await;
    let [v1, v3] = ["v1", "v3"].map(|t| Tag::parse(t).unwrap());
    let create = async |tag: &Tag, digest: &Digest| {
        house.registry.create_tag(house.may(&house.alice, house.at("demo/app")).await, tag, digest).await
    };
    let update = async |tag: &Tag, digest: &Digest| {
        house.registry.update_tag(house.may(&house.alice, house.at("demo/app")).await, tag, digest).await
    };
    assert!(matches!(create(&v1, &other).await, Err(RegistryError::Exists)));
    assert!(matches!(create(&v3, &Digest::sha256(b"")).await, Err(RegistryError::ManifestUnknown)));
    assert!(matches!(update(&v3, &digest).await, Err(RegistryError::ManifestUnknown)));
    assert_eq!(create(&v3, &digest).await.unwrap().digest, digest);
    assert_eq!(update(&v3, &other).await.unwrap().digest, other);
    let page = house.registry.list_tags(house.may(&house.alice, house.at("demo/app")).await, Some(2), Some("v1")).await.unwrap();
    assert_eq!(page.items.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["v2", "v3"]);
    house.registry.delete_tag(house.may(&house.alice, house.at("demo/app")).await, &v3).await.unwrap();
    let gone = house.registry.show_tag(house.may(&house.alice, house.at("demo/app")).await, &v3).await;
    assert!(matches!(gone, Err(RegistryError::ManifestUnknown)));
}
