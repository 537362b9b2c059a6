//! Two minutes of everything at once.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::client::{Client, Counts, Image, Own};
use crate::house::House;

/// How long, in seconds; `TIDEGATE_TEST_COLLECTION_SECONDS` says otherwise.
const SECONDS: u64 = 120;
/// People with a repository of their own, who know what is in it; and those who push and delete in one that all have in common.
const OWNERS: u64 = 6;
const CROWD: u64 = 4;
/// The most images in a repository of one's own.
const MOST: usize = 12;
/// Images of the common repository.
const COMMON: u64 = 8;

#[test]
#[ignore = "cargo xtask test --only collection"]
fn nothing_that_is_needed_goes_and_nothing_else_stays_over_sqlite_and_files() {
    stress("sqlite and files", House::over_files(&[]));
}

#[test]
#[ignore = "cargo xtask test --only collection"]
fn nothing_that_is_needed_goes_and_nothing_else_stays_over_postgres_and_s3() {
    stress("two nodes on postgres and s3", House::over_postgres_and_s3(2, &[]));
}

fn stress(name: &str, mut house: House) {
    let seconds = std::env::var("TIDEGATE_TEST_COLLECTION_SECONDS").map_or(SECONDS, |text| text.parse().unwrap());
    let (stop, runs, total) = (AtomicBool::new(false), AtomicU64::new(0), Mutex::new(Counts::default()));
    let all: Vec<(String, Own)> = std::thread::scope(|scope| {
        let (house, stop, runs, total) = (&house, &stop, &runs, &total);
        let owners: Vec<_> = (0..OWNERS).map(|number| scope.spawn(move || owner(house, number, stop, total))).collect();
        let crowd: Vec<_> = (0..CROWD).map(|number| scope.spawn(move || one_of_many(house, number, stop, total))).collect();
        let collector = scope.spawn(move || collect(house, stop, runs));
        let end = Instant::now() + Duration::from_secs(seconds);
        while Instant::now() < end && !collector.is_finished() && !owners.iter().any(std::thread::ScopedJoinHandle::is_finished) {
            std::thread::sleep(Duration::from_millis(100));
        }
        stop.store(true, Ordering::SeqCst);
        collector.join().unwrap();
        for one in crowd {
            one.join().unwrap();
        }
        owners.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let (counts, runs) = (*total.lock().unwrap(), runs.load(Ordering::SeqCst));
    println!("{name}, {seconds} s, {runs} runs: {counts:?}");

    // A last run; then everything that was acknowledged is there, over the protocol.
    let last = house.collect(0);
    let mut reader = Client::new(house.addresses(), &house.by, 99);
    for (repository, own) in &all {
        for image in own.images.values() {
            reader.pull(repository, &image.digest, image);
        }
        for (tag, digest) in &own.tags {
            reader.pull(repository, tag, &own.images[digest]);
        }
    }
    // And for who asks nobody.
    let freed = house.gc(0, &["status"]).ok().json();
    let seen = house.end();
    println!("{name}: {}; the last run: {last}; freed in all: {} objects", seen.counts(), freed["objects_deleted"]);
    let acknowledged: Vec<_> = all.iter().flat_map(|(of, own)| own.images.keys().map(|digest| (of.clone(), digest.clone()))).collect();
    assert_eq!(seen.lost(&acknowledged), [""; 0]);
    assert_eq!(seen.missing(), [""; 0]);
    assert_eq!(seen.orphans(), [""; 0]);

    // It was what it says: nothing of it was left out. (A run takes some ten seconds beside another house on two cores: it
    // rests most of its time.)
    assert!(runs >= seconds / 40, "only {runs} runs in {seconds} s");
    for (what, count) in [
        ("pushes", counts.pushes),
        ("blobs found", counts.found),
        ("uploads", counts.uploads),
        ("mounts", counts.mounts),
        ("pulls", counts.pulls),
        ("deletions", counts.deletions),
        ("objects deleted", freed["objects_deleted"].as_u64().unwrap()),
    ] {
        assert!(count >= seconds.min(20), "{what}: only {count} in {seconds} s");
    }
}

/// Run after run, asked for at one node and then at another; what would go is asked in between.
fn collect(house: &House, stop: &AtomicBool, runs: &AtomicU64) {
    while !stop.load(Ordering::SeqCst) {
        let node = usize::try_from(runs.fetch_add(1, Ordering::SeqCst)).unwrap() % house.nodes.len();
        house.collect(node);
        if runs.load(Ordering::SeqCst).is_multiple_of(10) {
            house.gc(node, &["run", "--dry-run"]).ok();
        }
    }
}

fn owner(house: &House, number: u64, stop: &AtomicBool, total: &Mutex<Counts>) -> (String, Own) {
    let mut client = Client::new(house.addresses(), &house.by, number + 1);
    let (repository, mut own) = (format!("team/own{number}"), Own::default());
    let others: Vec<String> = (0..OWNERS).filter(|other| *other != number).map(|other| format!("team/own{other}")).collect();
    let others: Vec<&str> = others.iter().map(String::as_str).chain(["team/common"]).collect();
    let mut round = number;
    while !stop.load(Ordering::SeqCst) {
        round += 1;
        act(&mut client, &repository, &mut own, round, &others);
    }
    total.lock().unwrap().add(&client.counts);
    (repository, own)
}

fn act(client: &mut Client, repository: &str, own: &mut Own, round: u64, others: &[&str]) {
    let choice = if own.images.len() < 3 { 0 } else { client.dice.below(100) };
    let Some(image) = own.some(&mut client.dice).filter(|_| choice > 0) else {
        return push_new(client, repository, own, round, others);
    };
    match choice {
        0..40 if own.images.len() < MOST => push_new(client, repository, own, round, others),
        0..60 => {
            assert!(client.delete(&format!("/v2/{repository}/manifests/{}", image.digest)));
            own.forget(&image.digest);
        }
        60..65 => {
            if let Some(tag) = own.tags.keys().next().cloned() {
                assert!(client.delete(&format!("/v2/{repository}/manifests/{tag}")));
                own.tags.remove(&tag);
            }
        }
        // A blob that nothing needs any more, before the collection may have it.
        65..72 => {
            assert!(client.delete(&format!("/v2/{repository}/manifests/{}", image.digest)));
            let blob = own.only_there(&image);
            own.forget(&image.digest);
            if let Some(blob) = blob {
                client.delete(&format!("/v2/{repository}/blobs/{blob}"));
            }
        }
        // The same again, at once.
        72..85 => {
            assert!(client.delete(&format!("/v2/{repository}/manifests/{}", image.digest)));
            own.forget(&image.digest);
            client.push(repository, &image.digest, &image, others);
            own.images.insert(image.digest.clone(), image);
        }
        _ => client.pull(repository, &image.digest, &image),
    }
}

fn push_new(client: &mut Client, repository: &str, own: &mut Own, round: u64, others: &[&str]) {
    let image = Image::random(&mut client.dice, round);
    if round.is_multiple_of(3) {
        client.push(repository, &image.digest, &image, others);
    } else {
        let tag = format!("t{}", client.dice.below(6));
        client.push(repository, &tag, &image, others);
        own.tags.insert(tag, image.digest.clone());
    }
    own.images.insert(image.digest.clone(), image.clone());
    client.pull(repository, &image.digest, &image);
}

/// The same few images, pushed and deleted by everybody in one repository.
fn one_of_many(house: &House, number: u64, stop: &AtomicBool, total: &Mutex<Counts>) {
    let mut client = Client::new(house.addresses(), &house.by, 1000 + number);
    let images: Vec<Image> = (0..COMMON).map(|seed| Image::random(&mut crate::client::Dice::new(seed + 7), seed)).collect();
    while !stop.load(Ordering::SeqCst) {
        let image = &images[client.dice.below(images.len())];
        match client.dice.below(3) {
            0 => client.push("team/common", &image.digest, image, &["team/own0", "team/own1"]),
            1 => drop(client.delete(&format!("/v2/team/common/manifests/{}", image.digest))),
            _ => client.look("team/common", image),
        }
    }
    total.lock().unwrap().add(&client.counts);
}
