use bytes::Bytes;
use model::{Digest, MediaType, Reference, Tag};
use registry::RegistryError;

use crate::house::{House, INDEX, MANIFEST, descriptor, image, index, on_each, tag};

on_each! {
    an_image_is_pulled_by_tag_and_by_digest_byte_for_byte
    cve_2026_35172_deleted_manifests_are_gone_through_every_cache
    pushing_the_same_again_changes_nothing_but_the_tags
    a_push_by_digest_can_set_tags
    what_a_manifest_is_made_of_has_to_be_in_its_own_repository
    ghsa_qq97_media_types_cannot_be_confused
    an_index_needs_its_children_unless_its_namespace_allows_sparse_ones
    two_hundred_layers
    the_trail_has_every_change_and_folds_equal_pulls
}

async fn an_image_is_pulled_by_tag_and_by_digest_byte_for_byte(house: House) {
    let (manifest, digest) = house.push_image("demo/app", &tag("v1"), b"layer").await;
    for reference in [tag("v1"), Reference::Digest(digest)] {
        let found = house.registry.manifest(house.pull("demo/app").await, &reference).await.unwrap();
        assert_eq!((found.digest, found.media_type.as_str(), &*found.content), (digest, MANIFEST, manifest.as_bytes()));
        let head = house.registry.head_manifest(&house.pull("demo/app").await, &reference).await.unwrap();
        assert_eq!((head.digest, head.size), (digest, manifest.len() as u64));
    }
    assert!(matches!(house.get("demo/app", &tag("v2")).await, Err(RegistryError::ManifestUnknown)));
    assert!(matches!(house.get("demo/none", &tag("v1")).await, Err(RegistryError::NameUnknown)));
    assert!(matches!(house.get("demo/none", &Reference::Digest(digest)).await, Err(RegistryError::NameUnknown)));
}

/// CVE-2026-35172: what is deleted is gone, whatever the cache remembers, and comes back as it was when pushed again.
async fn cve_2026_35172_deleted_manifests_are_gone_through_every_cache(house: House) {
    let (manifest, digest) = house.push_image("demo/app", &tag("v1"), b"layer").await;
    house.put("demo/app", &tag("v2"), &manifest).await.unwrap();
    let by_digest = Reference::Digest(digest);
    house.get("demo/app", &by_digest).await.unwrap();

    house.registry.delete_manifest(house.delete("demo/app").await, &tag("v1")).await.unwrap();
    assert!(matches!(house.get("demo/app", &tag("v1")).await, Err(RegistryError::ManifestUnknown)));
    house.get("demo/app", &tag("v2")).await.unwrap();

    house.registry.delete_manifest(house.delete("demo/app").await, &by_digest).await.unwrap();
    for gone in [tag("v2"), by_digest.clone()] {
        assert!(matches!(house.get("demo/app", &gone).await, Err(RegistryError::ManifestUnknown)));
        let head = house.registry.head_manifest(&house.pull("demo/app").await, &gone).await;
        assert!(matches!(head, Err(RegistryError::ManifestUnknown)));
        let again = house.registry.delete_manifest(house.delete("demo/app").await, &gone).await;
        assert!(matches!(again, Err(RegistryError::ManifestUnknown)));
    }
    assert_eq!(house.rows("SELECT child FROM manifest_child").await, 0);
    house.put("demo/app", &tag("v3"), &manifest).await.unwrap();
    assert_eq!(house.get("demo/app", &by_digest).await.unwrap(), manifest);
}

async fn pushing_the_same_again_changes_nothing_but_the_tags(house: House) {
    let (manifest, digest) = house.push_image("demo/app", &tag("v1"), b"layer").await;
    let (_, other) = house.push_image("demo/app", &tag("v2"), b"other layer").await;
    for reference in [tag("v1"), tag("v2"), Reference::Digest(digest)] {
        assert_eq!(house.put("demo/app", &reference, &manifest).await.unwrap().digest, digest);
    }
    assert_eq!(house.rows("SELECT digest FROM manifest").await, 2);
    assert_eq!(house.get("demo/app", &tag("v2")).await.unwrap(), manifest);
    house.get("demo/app", &Reference::Digest(other)).await.unwrap();
}

async fn a_push_by_digest_can_set_tags(house: House) {
    let (manifest, digest) = house.push_image("demo/app", &tag("v1"), b"layer").await;
    let tags = ["1.2.3", "1.2", "1", "1.2"].map(|t| Tag::parse(t).unwrap());
    let media_type = MediaType::parse(MANIFEST).unwrap();
    let put = |reference: Reference, content: Vec<u8>| {
        let (house, tags, media_type) = (&house, &tags, &media_type);
        async move { house.registry.put_manifest(house.push("demo/app").await, &reference, Some(media_type), content.into(), tags).await }
    };
    let pushed = put(Reference::Digest(digest), manifest.clone().into()).await.unwrap();
    assert_eq!(pushed.tags, tags[..3]);
    assert_eq!(house.get("demo/app", &tag("1.2")).await.unwrap(), manifest);
    let sha512 = Digest::sha512(manifest.as_bytes());
    assert_eq!(put(Reference::Digest(sha512), manifest.clone().into()).await.unwrap().digest, sha512);
    assert_eq!(house.get("demo/app", &Reference::Digest(sha512)).await.unwrap(), manifest);
    let wrong = put(Reference::Digest(Digest::sha256(b"")), manifest.into()).await;
    assert!(matches!(wrong, Err(RegistryError::DigestInvalid { found }) if found == digest));
}

async fn what_a_manifest_is_made_of_has_to_be_in_its_own_repository(house: House) {
    house.put_blob("demo/app", b"{}").await;
    house.put_blob("demo/other", b"layer").await;
    let manifest = image(b"{}", &[b"layer", b"nowhere"], "");
    let missing = house.put("demo/app", &tag("v1"), &manifest).await;
    let Err(RegistryError::ManifestBlobUnknown { mut digests }) = missing else { panic!("{missing:?}") };
    let mut want = vec![Digest::sha256(b"layer"), Digest::sha256(b"nowhere")];
    want.sort_unstable();
    digests.sort_unstable();
    assert_eq!(digests, want);
    assert!(matches!(house.get("demo/app", &tag("v1")).await, Err(RegistryError::ManifestUnknown)));

    house.put_blob("demo/app", b"layer").await;
    let short = image(b"{}", &[b"layer"], "").replace("\"size\":5", "\"size\":4");
    let wrong = house.put("demo/app", &tag("v1"), &short).await;
    assert!(matches!(wrong, Err(RegistryError::ManifestInvalid { reason }) if reason.contains("size")));
}

/// GHSA-qq97-vm5h-rrhg: no document that is an image to one reader and an index to another.
async fn ghsa_qq97_media_types_cannot_be_confused(house: House) {
    house.put_blob("demo/app", b"{}").await;
    let both = image(b"{}", &[], r#","manifests":[]"#);
    let media_type = |text: &str| MediaType::parse(text).unwrap();
    for (content_type, document) in [(MANIFEST, both.clone()), (INDEX, both.replace(MANIFEST, INDEX)), (INDEX, image(b"{}", &[], ""))] {
        let content = Bytes::from(document);
        let refused =
            house.registry.put_manifest(house.push("demo/app").await, &tag("v1"), Some(&media_type(content_type)), content, &[]).await;
        assert!(matches!(refused, Err(RegistryError::ManifestInvalid { .. })), "{refused:?}");
    }
    let large = Bytes::from(vec![b' '; registry::MAX_MANIFEST + 1]);
    let refused = house.registry.put_manifest(house.push("demo/app").await, &tag("v1"), None, large, &[]).await;
    assert!(matches!(refused, Err(RegistryError::TooLarge { .. })));
}

async fn an_index_needs_its_children_unless_its_namespace_allows_sparse_ones(house: House) {
    let (child, digest) = house.push_image("demo/app", &tag("child"), b"layer").await;
    let absent = image(b"{}", &[b"absent"], "");
    let whole = index(&[&child], "");
    house.put("demo/app", &tag("whole"), &whole).await.unwrap();
    let nested = index(&[&whole], "").replace(&descriptor(MANIFEST, whole.as_bytes()), &descriptor(INDEX, whole.as_bytes()));
    house.put("demo/app", &tag("nested"), &nested).await.unwrap();

    let sparse = index(&[&child, &absent], "");
    let missing = house.put("demo/app", &tag("sparse"), &sparse).await;
    assert!(matches!(missing, Err(RegistryError::ManifestBlobUnknown { digests }) if digests == [Digest::sha256(absent.as_bytes())]));
    house.allow_sparse("demo").await;
    house.put("demo/app", &tag("sparse"), &sparse).await.unwrap();

    house.registry.delete_manifest(house.delete("demo/app").await, &tag("whole")).await.unwrap();
    house.get("demo/app", &Reference::Digest(digest)).await.unwrap();
}

async fn two_hundred_layers(house: House) {
    let layers: Vec<Vec<u8>> = (0..200_u32).map(|n| n.to_be_bytes().to_vec()).collect();
    house.put_blob("demo/app", b"{}").await;
    for layer in &layers {
        house.put_blob("demo/app", layer).await;
    }
    let layers: Vec<&[u8]> = layers.iter().map(Vec::as_slice).collect();
    house.put("demo/app", &tag("v1"), &image(b"{}", &layers, "")).await.unwrap();
    assert_eq!(house.rows("SELECT child FROM manifest_child WHERE kind = 'blob'").await, 201);
}

async fn the_trail_has_every_change_and_folds_equal_pulls(house: House) {
    let (_, digest) = house.push_image("demo/app", &tag("v1"), b"layer").await;
    for _ in 0..3 {
        house.get("demo/app", &tag("v1")).await.unwrap();
    }
    house.registry.head_manifest(&house.pull("demo/app").await, &tag("v1")).await.unwrap();
    house.registry.delete_manifest(house.delete("demo/app").await, &tag("v1")).await.unwrap();
    let mut trail = house.trail().await;
    trail.sort_unstable();
    let mut want = vec![
        format!("alice cr:DeleteRepositoryTag v1 x1"),
        format!("alice cr:PullRepository {digest} x3"),
        format!("alice cr:PushRepository {} x1", Digest::sha256(b"{}")),
        format!("alice cr:PushRepository {} x1", Digest::sha256(b"layer")),
        format!("alice cr:PushRepository {digest} v1 x1"),
    ];
    want.sort_unstable();
    assert_eq!(trail, want);
}
