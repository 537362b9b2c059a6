use model::{Digest, OnRepository, RepositoryName, act};
use registry::{ByteRange, RegistryError};

use crate::house::{House, body, everything, on_each};

on_each! {
    cve_2024_39897_no_repository_tells_what_another_one_has
    accounts_share_no_content
    ranges
    a_deleted_blob_is_gone_from_its_repository_alone
}

/// CVE-2024-39897: a repository sees a blob through its own link alone; what others have shows nowhere.
async fn cve_2024_39897_no_repository_tells_what_another_one_has(house: House) {
    let secret = house.put_blob("secret/app", b"secret").await;
    house.put_blob("demo/app", b"public").await;
    assert!(matches!(house.get_blob("demo/app", &secret).await, Err(RegistryError::BlobUnknown)));
    assert!(matches!(house.registry.head_blob(&house.pull("demo/app").await, &secret).await, Err(RegistryError::BlobUnknown)));
    assert!(matches!(house.get_blob("demo/none", &secret).await, Err(RegistryError::NameUnknown)));

    // The mount asks the source's own links, too.
    let mounted = house.registry.mount(house.push("demo/app").await, house.pull("demo/app").await, &secret).await.unwrap();
    assert!(!mounted);
    let none = house.registry.mount(house.push("demo/app").await, house.pull("demo/none").await, &secret).await.unwrap();
    assert!(!none);
    assert!(matches!(house.get_blob("demo/app", &secret).await, Err(RegistryError::BlobUnknown)));

    let mounted = house.registry.mount(house.push("demo/app").await, house.pull("secret/app").await, &secret).await.unwrap();
    assert!(mounted);
    assert_eq!(house.get_blob("demo/app", &secret).await.unwrap(), b"secret");
}

async fn accounts_share_no_content(house: House) {
    let digest = house.put_blob("demo/app", b"same").await;
    let on = || OnRepository { instance: house.foreign.clone(), name: RepositoryName::parse("demo/app").unwrap() };
    let push = || house.may::<act::PushRepository>(&house.mallory, on());
    assert!(!house.registry.mount(push().await, house.pull("demo/app").await, &digest).await.unwrap());
    house.registry.put_blob(push().await, body(b"same"), &digest).await.unwrap();
    assert_eq!(house.kept().await, 2, "one copy an account: nobody learns from the storage what others have");
    let found = house.registry.blob(house.may::<act::PullRepository>(&house.mallory, on()).await, &digest, None).await.unwrap();
    assert_eq!(everything(found.body).await, b"same");
}

async fn ranges(house: House) {
    let digest = house.put_blob("demo/app", b"0123456789").await;
    for (range, want) in [(ByteRange::Between(2, 4), &b"234"[..]), (ByteRange::From(8), b"89"), (ByteRange::Last(1), b"9")] {
        let found = house.registry.blob(house.pull("demo/app").await, &digest, Some(range)).await.unwrap();
        assert_eq!((found.size, found.range.end - found.range.start), (10, want.len() as u64));
        assert_eq!(everything(found.body).await, want);
    }
    let beyond = house.registry.blob(house.pull("demo/app").await, &digest, Some(ByteRange::From(10))).await;
    assert!(matches!(beyond, Err(RegistryError::RangeUnsatisfiable { size: 10 })));
    assert_eq!(house.registry.head_blob(&house.pull("demo/app").await, &digest).await.unwrap(), 10);
}

async fn a_deleted_blob_is_gone_from_its_repository_alone(house: House) {
    let digest = house.put_blob("demo/app", b"x").await;
    house.put_blob("demo/other", b"x").await;
    house.registry.delete_blob(house.delete("demo/app").await, &digest).await.unwrap();
    assert!(matches!(house.get_blob("demo/app", &digest).await, Err(RegistryError::BlobUnknown)));
    assert_eq!(house.get_blob("demo/other", &digest).await.unwrap(), b"x");
    let again = house.registry.delete_blob(house.delete("demo/app").await, &digest).await;
    assert!(matches!(again, Err(RegistryError::BlobUnknown)));
    assert_eq!(Digest::sha256(b"x"), digest);
}
