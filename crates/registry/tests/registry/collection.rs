use std::path::{Path, PathBuf};
use std::time::Duration;

use blobs::BlobError;
use model::{Algorithm, Digest, Reference, Seconds, Timestamp, UploadId};
use registry::{Collection, CollectionTally, Phase, RegistryError, Step};
use store::StoreError;

use crate::house::{House, NOW, body, descriptor, everything, image, index, on_each, op_at, tag};

on_each! {
    what_a_manifest_names_stays
    an_idle_blob_goes_after_its_grace
    a_deleted_image_leaves_nothing_and_what_others_share_stays
    a_deleted_repository_leaves_nothing
    the_grace_begins_when_a_manifest_goes
    content_without_a_row_goes
    an_upload_under_way_is_no_stray
    content_that_was_condemned_is_never_named
    while_a_hold_stands_no_content_is_deleted
    what_a_power_cut_brings_back_goes_again
    a_preview_counts_what_a_run_takes
    a_run_goes_on_where_another_node_stopped
    of_two_nodes_one_gives_way
    what_cannot_be_deleted_holds_nothing_else_up
    a_pull_of_what_was_pushed_again_finds_it
    runs_begin_when_it_is_time
    zot_4318_a_deep_and_wide_graph_costs_a_row_a_link
}

/// Later than anything that the storage's own clock may say.
const LATER: Timestamp = Timestamp::from_millis(NOW.millis() * 2);
const APP: &str = "demo/app";
const WEB: &str = "demo/web";

fn after(hours: i64) -> Timestamp {
    NOW.plus(Seconds::hours(hours))
}

fn operator(house: &House, now: Timestamp) -> access::Operator {
    #[expect(clippy::disallowed_methods, reason = "a test's own operator")]
    house.access.operator(&op_at(now))
}

async fn what_a_manifest_names_stays(house: House) {
    house.push_image(APP, &tag("latest"), b"layer").await;
    let manifest = image(b"{}", &[b"layer"], "");
    house.put(APP, &tag("all"), &index(&[&manifest], "")).await.unwrap();
    assert_eq!(house.collect(LATER).await, CollectionTally::default());
    assert_eq!(house.collect(LATER.plus(Seconds::days(2))).await, CollectionTally::default());
    assert_eq!(house.get_blob(APP, &Digest::sha256(b"layer")).await.unwrap(), b"layer");
    assert_eq!(house.kept().await, 2);
}

async fn an_idle_blob_goes_after_its_grace(house: House) {
    let digest = house.put_blob(APP, b"idle").await;
    assert_eq!(house.collect(after(23)).await, CollectionTally::default());
    let condemned = CollectionTally { links: 1, blobs: 1, blob_bytes: 4, ..CollectionTally::default() };
    assert_eq!(house.collect(after(25)).await, condemned);
    assert!(matches!(house.get_blob(APP, &digest).await, Err(RegistryError::BlobUnknown)));
    assert_eq!(house.kept().await, 1, "pulls that have begun may end");
    let status = house.registry.collection_status().await.unwrap();
    assert_eq!((status.waiting.blobs, status.waiting.bytes, status.waiting.oldest), (1, 4, Some(after(25))));
    assert_eq!(house.collect(after(26)).await, CollectionTally { deleted: 1, deleted_bytes: 4, ..CollectionTally::default() });
    assert_eq!(house.kept().await, 0);
    let status = house.registry.collection_status().await.unwrap();
    assert_eq!((status.waiting.blobs, status.total(), status.running), (0, (1, 4), None));
    assert_eq!(house.collect(after(27)).await, CollectionTally::default());
    assert_eq!(house.registry.collection_status().await.unwrap().total(), (1, 4), "freed once");
    assert_eq!(house.rows("SELECT storage_key FROM condemned").await, 1, "remembered");
    house.collect(after(24 * 9)).await;
    assert_eq!(house.rows("SELECT storage_key FROM condemned").await, 0);
}

async fn while_a_hold_stands_no_content_is_deleted(house: House) {
    let house = house.without_grace();
    house.put_blob(APP, b"idle").await;
    let hold = |name: &'static str| house.store.write(move |tx| Box::pin(store::hold::set(tx, name, Seconds::minutes(30))));
    let release = |name: &'static str| house.store.write(move |tx| Box::pin(store::hold::release(tx, name)));
    for name in ["one", "another"] {
        hold(name).await.unwrap();
    }
    // Whatever this node's clock says of when they end.
    assert_eq!(house.collect(LATER).await.deleted, 0);
    release("one").await.unwrap();
    assert_eq!((house.collect(LATER.plus(Seconds(1))).await.deleted, house.kept().await), (0, 1));
    release("another").await.unwrap();
    assert_eq!((house.collect(LATER.plus(Seconds(2))).await.deleted, house.kept().await), (1, 0));
}

async fn a_deleted_image_leaves_nothing_and_what_others_share_stays(house: House) {
    let house = house.without_grace();
    let (_, digest) = house.push_image(APP, &tag("latest"), b"own").await;
    house.put_blob(APP, b"shared").await;
    let shared = house.put(APP, &tag("shared"), &image(b"{}", &[b"shared"], "")).await.unwrap();
    house.push_image(WEB, &tag("latest"), b"shared").await;
    house.registry.delete_manifest(house.delete(APP).await, &Reference::Digest(digest)).await.unwrap();
    let tally = house.collect(LATER).await;
    assert_eq!((tally.links, tally.blobs, tally.deleted), (1, 1, 1), "the configuration is shared");
    house.registry.delete_manifest(house.delete(APP).await, &Reference::Digest(shared.digest)).await.unwrap();
    let tally = house.collect(LATER).await;
    assert_eq!((tally.links, tally.blobs), (2, 0), "the other repository has it");
    assert_eq!(house.get_blob(WEB, &Digest::sha256(b"shared")).await.unwrap(), b"shared");
    assert_eq!(house.kept().await, 2);
}

async fn a_deleted_repository_leaves_nothing(house: House) {
    let house = house.without_grace();
    house.push_image(APP, &tag("latest"), b"layer").await;
    let id = house.begin(APP).await;
    house.registry.append(house.push(APP).await, id, None, body(b"half")).await.unwrap();
    house.registry.delete_repository(house.may(&house.alice, house.at(APP)).await).await.unwrap();
    let tally = house.collect(LATER).await;
    assert_eq!((tally.links, tally.blobs), (0, 2), "its links have gone with it");
    assert_eq!((house.kept().await, house.staged().await), (0, 0));
}

/// An image of last year is deleted; who was told a moment before that its layer is there may still name it.
async fn the_grace_begins_when_a_manifest_goes(house: House) {
    let (manifest, digest) = house.push_image(APP, &tag("latest"), b"layer").await;
    let year = after(24 * 365);
    let permit = house.access.admit(&op_at(year), &house.alice, house.at(APP)).await.unwrap();
    house.registry.delete_manifest(permit, &Reference::Digest(digest)).await.unwrap();
    assert_eq!(house.collect(year.plus(Seconds::hours(23))).await.links, 0);

    // Asked for again towards its end: half of the grace from now.
    let permit = house.access.admit(&op_at(year.plus(Seconds::hours(23))), &house.alice, house.at(APP)).await.unwrap();
    house.registry.head_blob(&permit, &Digest::sha256(b"layer")).await.unwrap();
    assert_eq!(house.collect(year.plus(Seconds::hours(34))).await.links, 1, "nobody has asked for the configuration");
    house.put_blob(APP, b"{}").await;
    house.put(APP, &tag("latest"), &manifest).await.unwrap();
    house.collect(LATER).await;
    assert_eq!(house.get_blob(APP, &Digest::sha256(b"layer")).await.unwrap(), b"layer");
}

/// What a crash leaves between content and row.
async fn content_without_a_row_goes(house: House) {
    house.push_image(APP, &tag("latest"), b"layer").await;
    let key = UploadId::from_random(77);
    let mut upload = house.blobs.create(key).await.unwrap();
    let state = upload.append_last(blobs::UploadState::new(), body(b"stray"), 100).await.unwrap();
    upload.finish(&state).await.unwrap();
    drop(upload);
    let modified = house.blobs.list(None, 10).await.unwrap().iter().map(|one| one.modified).max().unwrap();
    assert_eq!(house.collect(modified.plus(Seconds::hours(23))).await.strays, 0);
    let tally = house.collect(modified.plus(Seconds::hours(25))).await;
    assert_eq!((tally.strays, tally.stray_bytes, tally.blobs), (1, 5, 0));
    assert_eq!(house.collect(modified.plus(Seconds::hours(27))).await.deleted, 1);
    assert_eq!(house.kept().await, 2);
    assert!(matches!(house.blobs.size(key).await, Err(BlobError::Missing)));
}

async fn an_upload_under_way_is_no_stray(house: House) {
    let house = house.without_grace();
    let id = house.begin(APP).await;
    house.registry.append(house.push(APP).await, id, None, body(b"half")).await.unwrap();
    assert_eq!(house.collect(LATER).await.strays, 0);
    let digest = Digest::sha256(b"half of it");
    house.registry.finish_upload(house.push(APP).await, id, None, body(b" of it"), &digest).await.unwrap();
    assert_eq!(house.get_blob(APP, &digest).await.unwrap(), b"half of it");
}

/// A blob in one request has no row until its end. One that takes longer than the grace loses, and says so.
async fn content_that_was_condemned_is_never_named(house: House) {
    let house = house.without_grace();
    house.put_blob(APP, b"other").await;
    let (send, receive) = tokio::sync::mpsc::channel::<std::io::Result<bytes::Bytes>>(1);
    let slow = futures_util::stream::unfold(receive, |mut receive| async move { receive.recv().await.map(|piece| (piece, receive)) });
    let digest = Digest::sha256(b"slow");
    let push = house.registry.put_blob(house.push(APP).await, slow, &digest);
    let meanwhile = async {
        send.send(Ok(bytes::Bytes::from_static(b"slow"))).await.unwrap();
        // Over object storage nothing lies there before the end; then there is nothing to condemn.
        let mut strays = 0;
        for _ in 0..50 {
            strays += house.collect(LATER).await.strays;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        drop(send);
        strays
    };
    let (pushed, strays) = tokio::join!(push, meanwhile);
    match strays {
        0 => pushed.unwrap(),
        _ => assert!(matches!(pushed, Err(RegistryError::UploadUnknown)), "{pushed:?}"),
    }
    house.put_blob(APP, b"slow").await;
    assert_eq!(house.get_blob(APP, &digest).await.unwrap(), b"slow");
    house.collect(LATER).await;
}

async fn what_a_power_cut_brings_back_goes_again(house: House) {
    let house = house.without_grace();
    house.put_blob(APP, b"idle").await;
    let key = house.blobs.list(None, 1).await.unwrap()[0].key;
    assert_eq!(house.collect(LATER).await.deleted, 1);
    let mut upload = house.blobs.create(key).await.unwrap();
    let state = upload.append_last(blobs::UploadState::new(), body(b"idle"), 100).await.unwrap();
    upload.finish(&state).await.unwrap();
    drop(upload);
    let tally = house.collect(LATER.plus(Seconds(10))).await;
    assert_eq!((tally.strays, tally.deleted, house.kept().await), (1, 1, 0));
}

async fn a_preview_counts_what_a_run_takes(house: House) {
    house.push_image(APP, &tag("latest"), b"layer").await;
    house.put_blob(APP, b"idle").await;
    house.put_blob(WEB, b"idle").await;
    house.put_blob(WEB, b"young").await;
    let now = after(25);
    let preview = async |now| {
        let (mut sum, mut place) = (CollectionTally::default(), None);
        loop {
            let part = house.registry.preview_collection(&operator(&house, now), place).await.unwrap();
            sum.links += part.tally.links;
            sum.blobs += part.tally.blobs;
            sum.blob_bytes += part.tally.blob_bytes;
            sum.deleted += part.tally.deleted;
            match part.next {
                Some(next) => place = Some(next),
                None => return sum,
            }
        }
    };
    let permit = house.access.admit(&op_at(after(20)), &house.alice, house.at(WEB)).await.unwrap();
    assert!(house.registry.mount(permit, house.pull(WEB).await, &Digest::sha256(b"young")).await.unwrap());
    let expected = CollectionTally { links: 2, blobs: 1, blob_bytes: 4, ..CollectionTally::default() };
    assert_eq!(preview(now).await, expected);
    assert_eq!(preview(now).await, expected, "it changes nothing");
    assert_eq!(house.collect(now).await, expected);
    assert_eq!(preview(now).await, CollectionTally::default());
    assert_eq!(preview(after(26)).await, CollectionTally { deleted: 1, ..CollectionTally::default() });
}

async fn a_run_goes_on_where_another_node_stopped(house: House) {
    let house = house.without_grace();
    for content in [b"one", b"two"] {
        house.put_blob(APP, content).await;
    }
    let due = async || house.registry.collection_due(None, LATER).await.unwrap();
    assert!(due().await.is_none(), "nobody has asked");
    let begun = house.registry.begin_collection(operator(&house, LATER)).await.unwrap();
    assert!(begun.run.asked && !begun.joined);
    assert_eq!(house.registry.collection_run(begun.run.number).await.unwrap(), Some((begun.run, None)));
    assert_eq!(house.registry.collection_run(7).await.unwrap(), None);
    let mut phases = Vec::new();
    // A node for each step: each one dies after it.
    while let Some(mut node) = due().await {
        phases.push(node.run().place.phase);
        house.registry.collect_step(&mut node, LATER).await.unwrap();
    }
    assert_eq!(phases, [Phase::Links, Phase::Blobs, Phase::Strays, Phase::Deletion]);
    assert_eq!(house.kept().await, 0);
    let last = house.registry.collection_status().await.unwrap().last.unwrap();
    assert_eq!((last.asked, last.tally.links, last.tally.deleted, last.ended), (true, 2, 2, Some(LATER)));
}

/// A node that was stopped for longer than its lease does what another one has done: nothing happens twice.
async fn of_two_nodes_one_gives_way(house: House) {
    let house = house.without_grace();
    house.put_blob(APP, b"idle").await;
    house.registry.begin_collection(operator(&house, LATER)).await.unwrap();
    let mut slow = house.registry.collection_due(None, LATER).await.unwrap().unwrap();
    let mut quick = slow.clone();
    assert_eq!(house.registry.collect_step(&mut quick, LATER).await.unwrap(), Step::On);
    assert_eq!(house.registry.collect_step(&mut slow, LATER).await.unwrap(), Step::Overtaken);
    while house.registry.collect_step(&mut quick, LATER).await.unwrap() == Step::On {}
    assert_eq!(house.registry.collection_status().await.unwrap().total(), (1, 4));
}

/// Content that the storage keeps whatever is asked of it: runs end all the same, and other content goes.
async fn what_cannot_be_deleted_holds_nothing_else_up(house: House) {
    let house = house.without_grace();
    house.put_blob(APP, b"stays for ever").await;
    let Some(file) = files(house.folder.path()).into_iter().find(|file| std::fs::read(file).unwrap() == b"stays for ever") else {
        return; // It lies in object storage, where no test can hold it.
    };
    // A folder with something in it is no file that can be removed.
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    std::fs::write(file.join("inside"), b"").unwrap();
    let tally = house.collect(LATER).await;
    assert_eq!((tally.links, tally.blobs, tally.deleted), (1, 1, 0));
    house.put_blob(APP, b"goes").await;
    let tally = house.collect(LATER).await;
    assert_eq!((tally.links, tally.blobs, tally.deleted), (1, 1, 1));
    assert_eq!(house.registry.collection_status().await.unwrap().waiting.blobs, 1, "it is tried again");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

async fn a_pull_of_what_was_pushed_again_finds_it(house: House) {
    let house = house.without_grace();
    let content = vec![7; 100_000];
    let digest = house.put_blob(APP, &content).await;
    house.collect(LATER).await;
    house.put_blob(APP, &content).await;
    let found = house.registry.blob(house.pull(APP).await, &digest, None).await.unwrap();
    assert_eq!(everything(found.body).await, content);
    // Lost for good is an error of the server's, not an answer about the blob.
    let key = house.blobs.list(None, 1).await.unwrap()[0].key;
    house.blobs.delete(key).await.unwrap();
    let lost = house.registry.blob(house.pull(APP).await, &digest, None).await.map(drop);
    let object_storage_says_it_later = matches!(lost, Ok(()));
    assert!(matches!(lost, Err(RegistryError::Broken(_))) || object_storage_says_it_later, "{lost:?}");
}

async fn runs_begin_when_it_is_time(house: House) {
    let every = Some(Seconds::hours(6));
    assert!(house.registry.collection_due(every, NOW).await.unwrap().is_some(), "the first one at once");
    assert!(house.registry.collection_due(every, NOW).await.unwrap().is_some(), "it is under way");
    house.collect(NOW).await;
    assert!(house.registry.collection_due(every, after(5)).await.unwrap().is_none());
    assert!(house.registry.collection_due(None, after(7)).await.unwrap().is_none(), "switched off");
    assert!(house.registry.collection_due(every, after(6)).await.unwrap().is_some());
    let asked = house.registry.begin_collection(operator(&house, after(7))).await.unwrap();
    assert_eq!((asked.run.number, asked.run.asked, asked.joined), (2, false, true), "one run at a time");
    assert_eq!(house.registry.collection_status().await.unwrap().running.map(|run| run.number), Some(2));
    let late = Collection { grace: Seconds::days(30), ..Collection::default() };
    let house = house.collecting(late);
    house.put_blob(APP, b"idle").await;
    assert_eq!(house.collect(after(24 * 29)).await, CollectionTally::default());
    assert_eq!(house.collect(after(24 * 31)).await.links, 1);
}

/// Indexes of indexes, each of all those below: other collectors walk every path. A run looks at each link once.
async fn zot_4318_a_deep_and_wide_graph_costs_a_row_a_link(house: House) {
    house.push_image(APP, &tag("image"), b"layer").await;
    let mut level = vec![image(b"{}", &[b"layer"], "")];
    for depth in 0..12 {
        let below: Vec<String> = level.iter().map(|m| descriptor(media_type(m), m.as_bytes())).collect();
        let wide: Vec<String> = (0..6).map(|wide| graph_node(&below, depth * 10 + wide)).collect();
        for node in &wide {
            house.put(APP, &Reference::Digest(Digest::of(Algorithm::Sha256, node.as_bytes())), node).await.unwrap();
        }
        level = wide;
    }
    house.registry.begin_collection(operator(&house, LATER)).await.unwrap();
    let mut steps = 0;
    let mut run = house.registry.collection_due(None, LATER).await.unwrap().unwrap();
    while house.registry.collect_step(&mut run, LATER).await.unwrap() == Step::On {
        steps += 1;
    }
    assert_eq!((steps, run.run().tally), (3, CollectionTally::default()));
}

fn media_type(manifest: &str) -> &'static str {
    if manifest.contains("\"manifests\"") { crate::house::INDEX } else { crate::house::MANIFEST }
}

fn graph_node(below: &[String], number: usize) -> String {
    let (kind, below) = (crate::house::INDEX, below.join(","));
    format!(r#"{{"schemaVersion":2,"mediaType":"{kind}","manifests":[{below}],"annotations":{{"number":"{number}"}}}}"#)
}

/// Beside pushes that it meets at every try a step changes fewer things, then a few more again; all of them go.
#[test]
fn a_step_that_meets_somebody_again_and_again_goes_on_with_less() {
    crate::house::on_postgres(concat!(module_path!(), "::less"), async |house: House| {
        let house = house.without_grace();
        for number in 0..7 {
            house.put_blob(APP, &[number; 4]).await;
        }
        // Whoever takes more than two links away at once meets somebody.
        for sql in [
            "CREATE FUNCTION meet() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF (SELECT COUNT(*) FROM gone) > 2 THEN RAISE EXCEPTION USING ERRCODE = '40001'; END IF; RETURN NULL; END $$",
            "CREATE TRIGGER meet AFTER DELETE ON blob_link REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION meet()",
        ] {
            let made: Result<u64, StoreError> = house.store.write(|tx| Box::pin(async move { tx.execute(sql, &[]).await })).await;
            made.unwrap();
        }
        let mut run = house.registry.collection_due(Some(Seconds(0)), LATER).await.unwrap().unwrap();
        let mut links = Vec::new();
        while house.registry.collect_step(&mut run, LATER).await.unwrap() == Step::On {
            links.push(run.run().tally.links);
        }
        // 64 things, 16, 4 (all of them too many), 1, 2, 3 (too many), 1, 2, and the last.
        assert_eq!(links[..9], [0, 0, 0, 1, 3, 3, 4, 6, 7]);
        assert_eq!((run.run().tally.links, run.run().tally.blobs), (7, 7));
    });
}
