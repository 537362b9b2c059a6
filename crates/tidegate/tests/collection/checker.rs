//! The checker finds what is wrong: each kind of it, done by hand.

use std::fs;

use serde_json::{Value, from_str};

use crate::client::{Client, Dice, Image};
use crate::house::House;

/// One image in each of two repositories, and nothing else.
fn two_images() -> House {
    let mut house = House::over_files(&[("TIDEGATE_COLLECTION_ENABLED", "false")]);
    let mut client = Client::new(house.addresses(), &house.by, 1);
    for (repository, other) in [("team/one", "team/two"), ("team/two", "team/one")] {
        let image = Image::random(&mut Dice::new(5), 1);
        client.push(repository, "latest", &image, &[other]);
    }
    let seen = house.end();
    assert_eq!((seen.missing(), seen.orphans()), (Vec::new(), Vec::new()), "{}", seen.counts());
    house
}

/// What is said after the change begins so.
#[track_caller]
fn says(said: &[String], expected: &str) {
    assert!(!said.is_empty() && said.iter().all(|one| one.contains(expected)), "`{expected}` in all of {said:?}");
}

#[test]
fn the_checker_finds_what_is_missing() {
    let house = two_images();
    let path = house.look().some_content();
    let content = fs::read(&path).unwrap();
    fs::write(&path, &content[1..]).unwrap();
    says(&house.look().missing(), "is another");
    fs::write(&path, content.iter().rev().copied().collect::<Vec<u8>>()).unwrap();
    says(&house.look().missing(), "is another");
    fs::remove_file(&path).unwrap();
    let seen = house.look();
    says(&seen.missing(), "is not there");
    assert_eq!(seen.orphans(), [""; 0]);
    fs::write(&path, &content).unwrap();
    assert_eq!(house.look().missing(), [""; 0]);

    house.change("DELETE FROM blob WHERE digest IN (SELECT child FROM manifest_child WHERE kind = 'blob')");
    let seen = house.look();
    assert!(seen.missing().iter().any(|one| one.contains("it has no row")), "{:?}", seen.missing());
    assert!(seen.missing().iter().any(|one| one.contains("there is no such blob")), "{:?}", seen.missing());
    says(&seen.orphans(), "no blob has it");
    house.change("DELETE FROM blob_link");
    says(&house.look().missing(), "the repository does not have it");
}

#[test]
fn the_checker_finds_what_was_lost_and_what_is_left_over() {
    let house = two_images();
    let acknowledged = [("team/one".to_owned(), Image::random(&mut Dice::new(5), 1).digest)];
    assert_eq!(house.look().lost(&acknowledged), [""; 0]);
    let path = house.look().some_content();
    let stray = path.with_file_name("00000000000000ff");
    fs::write(&stray, b"stray").unwrap();
    says(&house.look().orphans(), "content 00000000000000ff lies there, and no blob has it");
    fs::rename(&stray, path.with_file_name("something")).unwrap();
    says(&house.look().orphans(), "lies among the content");
    fs::remove_file(path.with_file_name("something")).unwrap();

    house.change("INSERT INTO condemned (storage_key, size, since_ms) VALUES (255, 5, 1)");
    says(&house.look().orphans(), "waits to be deleted");
    house.change("UPDATE condemned SET deleted_ms = 2");
    assert_eq!(house.look().orphans(), [""; 0]);
    house.change("DELETE FROM manifest_child WHERE repository_id = (SELECT id FROM repository WHERE name = 'team/one')");
    says(&house.look().orphans(), "team/one has sha256:");
    house.change("DELETE FROM tag");
    house.change("DELETE FROM manifest");
    let seen = house.look();
    says(&seen.lost(&acknowledged), "was acknowledged, and is not there");
    house.change("DELETE FROM blob_link");
    house.change("DELETE FROM manifest_child");
    says(&house.look().orphans(), "is a blob that no repository has");
}

/// A run takes what the checker calls left over, and nothing that it calls missing.
#[test]
fn a_run_takes_what_the_checker_calls_left_over() {
    let mut house = House::over_files(&[("TIDEGATE_COLLECTION_ENABLED", "false")]);
    let mut client = Client::new(house.addresses(), &house.by, 1);
    let [kept, gone] = [1, 2].map(|seed| Image::random(&mut Dice::new(seed), 1));
    for image in [&kept, &gone] {
        client.push("team/one", &image.digest, image, &["team/two"]);
    }
    assert!(client.delete(&format!("/v2/team/one/manifests/{}", gone.digest)));
    let stray = house.content.join("blobs/ff/00000000000000ff");
    fs::write(&stray, b"stray").unwrap();
    let ended = house.collect(0);
    assert!(ended["objects_deleted"].as_i64().unwrap() > 1 && ended["strays_condemned"] == 1, "{ended}");
    client.pull("team/one", &kept.digest, &kept);
    // The log says the same, once.
    let log = house.nodes[0].log();
    let said: Vec<Value> = log.lines().filter(|line| line.contains("collected what nothing needs")).map(|l| from_str(l).unwrap()).collect();
    assert_eq!(said.len(), 1, "{log}");
    let of = |key: &str| said[0].get(key).or_else(|| said[0]["fields"].get(key)).cloned();
    for (key, as_told) in
        [("run", "run"), ("links", "links_removed"), ("blobs", "blobs_condemned"), ("strays", "strays_condemned"), ("bytes", "bytes_freed")]
    {
        assert_eq!(of(key).as_ref(), Some(&ended[as_told]), "{key}: {}", said[0]);
    }
    let seen = house.end();
    assert_eq!((seen.missing(), seen.orphans()), (Vec::new(), Vec::new()), "{}", seen.counts());
    assert!(!stray.exists());
}
