use bytes::Bytes;
use futures_util::stream;
use model::{Algorithm, Digest, OnRepository, RepositoryName, Seconds, Timestamp, act};
use registry::RegistryError;

use crate::house::{House, LIMIT, NOW, body, on_each};

on_each! {
    a_blob_in_one_request_in_two_and_in_chunks
    sha512_whether_announced_or_not
    content_with_another_digest_is_forgotten
    chunks_come_in_order
    cve_2026_32589_an_upload_is_bound_to_its_repository_and_to_who_began_it
    of_two_writers_one_has_to_come_again
    a_broken_body_keeps_what_had_arrived
    a_blob_may_not_be_larger_than_the_limit
    a_cancelled_upload_is_gone_with_its_content
    what_no_row_names_is_cleared_from_object_storage
    uploads_that_nobody_touches_are_cleared_after_a_day
    pushing_makes_what_it_may_and_says_what_it_may_not
}

async fn a_blob_in_one_request_in_two_and_in_chunks(house: House) {
    for (n, content) in [&b""[..], b"x", &vec![7; 300_000]].into_iter().enumerate() {
        let (one, two, three) = (format!("one/r{n}"), format!("two/r{n}"), format!("three/r{n}"));
        let digest = house.put_blob(&one, content).await;

        let id = house.begin(&two).await;
        house.registry.finish_upload(house.push(&two).await, id, None, body(content), &digest).await.unwrap();

        let id = house.begin(&three).await;
        let (first, second) = content.split_at(content.len() / 2);
        let offset = house.registry.append(house.push(&three).await, id, Some(0), body(first)).await.unwrap();
        assert_eq!(offset, first.len() as u64);
        assert_eq!(house.registry.upload_status(house.push(&three).await, id).await.unwrap(), offset);
        let offset = house.registry.append(house.push(&three).await, id, Some(offset), body(second)).await.unwrap();
        house.registry.finish_upload(house.push(&three).await, id, Some(offset), stream::empty(), &digest).await.unwrap();

        for name in [one, two, three] {
            assert_eq!(house.get_blob(&name, &digest).await.unwrap(), content, "{name}");
        }
    }
    assert_eq!(house.kept().await, 3, "an account keeps equal content once");
    assert_eq!(house.rows("SELECT id FROM upload").await, 0);
}

async fn sha512_whether_announced_or_not(house: House) {
    let digest = Digest::sha512(b"hello");
    for (name, algorithm) in [("a/announced", Algorithm::Sha512), ("a/late", Algorithm::Sha256)] {
        let id = house.registry.begin_upload(house.push(name).await, algorithm).await.unwrap();
        house.registry.finish_upload(house.push(name).await, id, None, body(b"hello"), &digest).await.unwrap();
        assert_eq!(house.get_blob(name, &digest).await.unwrap(), b"hello");
        let id = house.registry.begin_upload(house.push(name).await, algorithm).await.unwrap();
        let wrong = house.registry.finish_upload(house.push(name).await, id, None, body(b"other"), &digest).await;
        assert!(matches!(wrong, Err(RegistryError::DigestInvalid { found }) if found == Digest::sha512(b"other")));
    }
    assert_eq!(house.kept().await, 1);
}

async fn content_with_another_digest_is_forgotten(house: House) {
    let asked = Digest::sha256(b"what was promised");
    let id = house.begin("demo/app").await;
    let wrong = house.registry.finish_upload(house.push("demo/app").await, id, None, body(b"what came"), &asked).await;
    assert!(matches!(wrong, Err(RegistryError::DigestInvalid { found }) if found == Digest::sha256(b"what came")));
    let wrong = house.registry.put_blob(house.push("demo/app").await, body(b"what came"), &asked).await;
    assert!(matches!(wrong, Err(RegistryError::DigestInvalid { .. })));
    for digest in [asked, Digest::sha256(b"what came")] {
        assert!(matches!(house.get_blob("demo/app", &digest).await, Err(RegistryError::BlobUnknown)));
    }
    assert_eq!(house.kept().await, 0);
    assert_eq!(house.rows("SELECT id FROM upload").await, 0);
}

async fn chunks_come_in_order(house: House) {
    let id = house.begin("demo/app").await;
    let digest = Digest::sha256(b"abcdef");
    let push = || house.push("demo/app");
    let early = house.registry.append(push().await, id, Some(3), body(b"def")).await;
    assert!(matches!(early, Err(RegistryError::RangeInvalid { offset: 0 })));
    house.registry.append(push().await, id, Some(0), body(b"abc")).await.unwrap();
    let twice = house.registry.append(push().await, id, Some(0), body(b"abc")).await;
    assert!(matches!(twice, Err(RegistryError::RangeInvalid { offset: 3 })));
    let gap = house.registry.finish_upload(push().await, id, Some(4), body(b"ef"), &digest).await;
    assert!(matches!(gap, Err(RegistryError::RangeInvalid { offset: 3 })));
    house.registry.finish_upload(push().await, id, Some(3), body(b"def"), &digest).await.unwrap();
    assert_eq!(house.get_blob("demo/app", &digest).await.unwrap(), b"abcdef");
}

/// CVE-2026-32589: an upload id is worth nothing in another repository, nor to anybody else.
async fn cve_2026_32589_an_upload_is_bound_to_its_repository_and_to_who_began_it(house: House) {
    let id = house.begin("demo/app").await;
    house.registry.append(house.push("demo/app").await, id, None, body(b"abc")).await.unwrap();
    house.put_blob("demo/other", b"x").await;
    let digest = Digest::sha256(b"abc");
    for (who, name) in [(&house.alice, "demo/other"), (&house.bob, "demo/app"), (&house.alice, "demo/none")] {
        let permit = || house.may::<act::PushRepository>(who, house.at(name));
        let unknown = |answer: Result<(), RegistryError>| assert!(matches!(answer, Err(RegistryError::UploadUnknown)), "{name}");
        unknown(house.registry.upload_status(permit().await, id).await.map(drop));
        unknown(house.registry.append(permit().await, id, None, body(b"d")).await.map(drop));
        unknown(house.registry.finish_upload(permit().await, id, None, stream::empty(), &digest).await);
        unknown(house.registry.cancel_upload(permit().await, id).await);
    }
    house.registry.finish_upload(house.push("demo/app").await, id, None, stream::empty(), &digest).await.unwrap();
    assert_eq!(house.get_blob("demo/app", &digest).await.unwrap(), b"abc");
}

async fn of_two_writers_one_has_to_come_again(house: House) {
    let id = house.begin("demo/app").await;
    let (send, receive) = tokio::sync::mpsc::channel::<std::io::Result<Bytes>>(1);
    let slow = stream::unfold(receive, |mut receive| async move { receive.recv().await.map(|piece| (piece, receive)) });
    let permit = house.push("demo/app").await;
    let first = house.registry.append(permit, id, Some(0), slow);
    let second = async {
        send.send(Ok(Bytes::from_static(b"first"))).await.unwrap();
        send.send(Ok(Bytes::from_static(b" and"))).await.unwrap();
        let busy = house.registry.append(house.push("demo/app").await, id, Some(0), body(b"second")).await;
        drop(send);
        busy
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.unwrap(), 9);
    assert!(matches!(second, Err(RegistryError::Conflict)), "{second:?}");
    let digest = Digest::sha256(b"first and");
    house.registry.finish_upload(house.push("demo/app").await, id, Some(9), stream::empty(), &digest).await.unwrap();
    assert_eq!(house.get_blob("demo/app", &digest).await.unwrap(), b"first and");
}

async fn a_broken_body_keeps_what_had_arrived(house: House) {
    let id = house.begin("demo/app").await;
    let broken = || stream::iter([Ok(Bytes::from_static(b"abc")), Err(std::io::ErrorKind::ConnectionReset.into())]);
    let answer = house.registry.append(house.push("demo/app").await, id, None, broken()).await;
    assert!(matches!(answer, Err(RegistryError::Interrupted(_))));
    assert_eq!(house.registry.upload_status(house.push("demo/app").await, id).await.unwrap(), 3);
    let digest = Digest::sha256(b"abcabcdef");
    let answer = house.registry.finish_upload(house.push("demo/app").await, id, None, broken(), &digest).await;
    assert!(matches!(answer, Err(RegistryError::Interrupted(_))));
    house.registry.finish_upload(house.push("demo/app").await, id, Some(6), body(b"def"), &digest).await.unwrap();
    assert_eq!(house.get_blob("demo/app", &digest).await.unwrap(), b"abcabcdef");
}

async fn a_blob_may_not_be_larger_than_the_limit(house: House) {
    let answer = house.registry.put_blob(house.push("demo/app").await, body(&vec![0; LIMIT + 1]), &Digest::sha256(b"")).await;
    assert!(matches!(answer, Err(RegistryError::TooLarge { limit }) if limit == LIMIT as u64));
    assert_eq!(house.kept().await, 0);
    house.put_blob("demo/app", &vec![0; LIMIT]).await;
}

async fn a_cancelled_upload_is_gone_with_its_content(house: House) {
    let id = house.begin("demo/app").await;
    house.registry.append(house.push("demo/app").await, id, None, body(&vec![7; 100_000])).await.unwrap();
    assert_eq!(house.kept().await + house.staged().await, 1);
    house.registry.cancel_upload(house.push("demo/app").await, id).await.unwrap();
    assert_eq!(house.kept().await, 0);
    let again = house.registry.cancel_upload(house.push("demo/app").await, id).await;
    assert!(matches!(again, Err(RegistryError::UploadUnknown)));
    let late = house.registry.append(house.push("demo/app").await, id, None, body(b"abc")).await;
    assert!(matches!(late, Err(RegistryError::UploadUnknown)));
    assert_eq!(house.kept().await + house.staged().await, 0);
}

async fn what_no_row_names_is_cleared_from_object_storage(house: House) {
    let [ended, running] = [house.begin("demo/app").await, house.begin("demo/app").await];
    for id in [ended, running] {
        house.registry.append(house.push("demo/app").await, id, None, body(&vec![7; 100_000])).await.unwrap();
    }
    house.store.write(|tx| Box::pin(store::upload::delete(tx, ended))).await.unwrap();
    // The storage has a clock of its own; the row of what is under way is touched by ours.
    let later = Timestamp::from_millis(NOW.millis() * 2);
    let (instance, name) = (house.local.id, RepositoryName::parse("demo/app").unwrap());
    let row = house.store.read(|tx| Box::pin(store::upload::find(tx, instance, &name, running))).await.unwrap().unwrap();
    house.store.write(|tx| Box::pin(store::upload::advance(tx, running, &row.state, &row.state, later))).await.unwrap();
    let staged = house.staged().await;
    let cleared = house.registry.clear_abandoned_uploads(later.plus(Seconds::hours(1))).await.unwrap();
    assert_eq!(cleared, usize::from(staged > 0));
    assert_eq!(house.staged().await, staged.saturating_sub(1), "what is under way stays");
}

async fn uploads_that_nobody_touches_are_cleared_after_a_day(house: House) {
    let id = house.begin("demo/app").await;
    house.registry.append(house.push("demo/app").await, id, None, body(b"abc")).await.unwrap();
    house.put_blob("demo/app", b"kept").await;
    assert_eq!(house.registry.clear_abandoned_uploads(NOW.plus(Seconds::hours(23))).await.unwrap(), 0);
    assert_eq!(house.registry.clear_abandoned_uploads(NOW.plus(Seconds::hours(25))).await.unwrap(), 1);
    assert_eq!(house.kept().await, 1);
    assert!(matches!(house.registry.upload_status(house.push("demo/app").await, id).await, Err(RegistryError::UploadUnknown)));
}

async fn pushing_makes_what_it_may_and_says_what_it_may_not(house: House) {
    house.begin("fresh/deep/name").await;
    house.begin("single").await;
    let on = OnRepository { instance: house.strict.clone(), name: RepositoryName::parse("fresh/app").unwrap() };
    let permit = house.may::<act::PushRepository>(&house.alice, on).await;
    let refused = house.registry.begin_upload(permit, Algorithm::Sha256).await;
    assert!(matches!(refused, Err(RegistryError::NamespaceUnknown(name)) if name.as_str() == "fresh"));

    let closed = registry::NamespaceChanges { auto_create_repository: Some(false), ..Default::default() };
    house.registry.update_namespace(house.may(&house.alice, house.namespace("fresh")).await, closed).await.unwrap();
    house.begin("fresh/deep/name").await;
    let refused = house.registry.begin_upload(house.push("fresh/new").await, Algorithm::Sha256).await;
    assert!(matches!(refused, Err(RegistryError::RepositoryUnknown(name)) if name.as_str() == "fresh/new"));
    let refused = house.registry.put_blob(house.push("fresh/new").await, body(b"x"), &Digest::sha256(b"x")).await;
    assert!(matches!(refused, Err(RegistryError::RepositoryUnknown(_))));
}
