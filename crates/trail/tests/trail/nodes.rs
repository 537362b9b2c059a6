//! Several nodes over one database: what one commits late is sealed all the same, and nothing is sealed twice.

use std::sync::Arc;
use std::time::Duration;

use access::{Audit, Record, audit};
use model::{AccountId, Op, RequestId, Seconds, Timestamp};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use secrets::{Dice, MasterKey, MasterKeys};
use store::{Database, Store, StoreError};
use testkit::{House, NOW};
use trail::Trail;

use crate::house::{number, on_each, records, verify};

on_each! { what_is_committed_late_is_sealed_behind_what_came_before only_one_node_seals_at_a_time }

/// The key and the dice of every house of `testkit`.
fn master() -> (MasterKey, Arc<Dice>) {
    let dice = Arc::new(Dice::new(Box::new(ChaCha20Rng::seed_from_u64(1))));
    (dice.with(|random| MasterKey::generate(random)), dice)
}

pub(crate) async fn node(store: &Arc<Store>, name: &str) -> Trail {
    let (master, dice) = master();
    Trail::open(Arc::clone(store), Arc::new(MasterKeys::from(master).sealing()), dice, name, NOW).await.unwrap()
}

/// The same house with the trail of a node that has just started and was told of these heads.
pub(crate) async fn another_trail(house: House, heads: &[String]) -> House {
    let another = node(&house.store, "another").await;
    another.remember(heads);
    house.advance(Seconds(60)).await;
    end_leases(&house.store).await;
    house.with_trail(Arc::new(another))
}

/// As if the life of every lease were over.
pub(crate) async fn end_leases(store: &Store) {
    let ended: Result<u64, StoreError> =
        store.write(|tx| Box::pin(async move { tx.execute("UPDATE lease SET until_ms = 1", store::params![]).await })).await;
    ended.unwrap();
}

pub(crate) fn op(at: Timestamp) -> Op {
    Op {
        request_id: RequestId::from_random(1),
        now: at,
        source_ip: [192, 0, 2, 7].into(),
        network: model::Network::Public,
        secure: false,
        user_agent: None,
    }
}

async fn write(store: &Store, audit: &Audit, account: AccountId, at: Timestamp) {
    let record = &Record::failed_login(&op(at), account, "mallory", None);
    store.write(|tx| Box::pin(audit::write(tx, audit, record))).await.unwrap();
}

async fn what_is_committed_late_is_sealed_behind_what_came_before(house: House) {
    let (account, audit) = (house.bootstrap.account, Audit::new(Arc::clone(&house.store), 99));
    write(&house.store, &audit, account, NOW.plus(Seconds(60))).await;
    assert_eq!(house.seal().await, 1);
    // From a node whose clock is a minute behind, or whose transaction took a minute.
    write(&house.store, &audit, account, NOW).await;
    write(&house.store, &audit, account, Timestamp::from_millis(0)).await;
    assert_eq!(house.seal().await, 2);
    let times: Vec<_> = records(&house).await.iter().rev().take(3).map(|r| r.event.time).collect();
    assert_eq!(times, [NOW, Timestamp::from_millis(0), NOW.plus(Seconds(60))]);
    assert!(verify(&house).await.whole);
}

async fn only_one_node_seals_at_a_time(house: House) {
    let (account, audit) = (house.bootstrap.account, Audit::new(Arc::clone(&house.store), 99));
    let other = node(&house.store, "other").await;
    write(&house.store, &audit, account, NOW).await;
    assert!(house.seal().await > 0);
    write(&house.store, &audit, account, NOW).await;
    assert_eq!(other.seal(house.now()).await.unwrap(), 0, "another holds the lease");
    assert_eq!(house.seal().await, 1);
    // It dies; its lease ends.
    write(&house.store, &audit, account, NOW).await;
    end_leases(&house.store).await;
    assert_eq!(other.seal(house.now().plus(Seconds(11))).await.unwrap(), 1);
    // The first was only stopped: it goes no further, for its memory of the lease has ended too.
    write(&house.store, &audit, account, NOW).await;
    assert_eq!(house.trail.seal(house.now().plus(Seconds(11))).await.unwrap(), 0, "the lease is another's");
    assert_eq!(other.seal(house.now().plus(Seconds(11))).await.unwrap(), 1);
    // It stops as it should; the next one need not wait.
    write(&house.store, &audit, account, NOW).await;
    other.close(house.now().plus(Seconds(11))).await.unwrap();
    write(&house.store, &audit, account, NOW).await;
    assert_eq!(node(&house.store, "third").await.seal(house.now().plus(Seconds(11))).await.unwrap(), 1);
    assert!(verify(&house).await.whole);
}

/// Writes for a while: some at once, some in a transaction that is held open, so that it commits after younger ones.
async fn writer(store: Arc<Store>, number: u32, account: AccountId) -> u64 {
    let audit = &Audit::new(Arc::clone(&store), number << 1);
    let mut written = 0;
    for round in 0..40_i64 {
        let record = &Record::failed_login(&op(NOW.plus(Seconds(round % 7))), account, &format!("n{number}"), None);
        let slow = round % 5 == 0;
        let done: Result<(), StoreError> = store
            .write(|tx| {
                Box::pin(async move {
                    audit::write(tx, audit, record).await?;
                    if slow && tx.either("no", "yes") == "yes" {
                        tokio::time::sleep(Duration::from_millis(30)).await;
                    }
                    Ok(())
                })
            })
            .await;
        done.unwrap();
        written += 1;
    }
    written
}

/// Seals as fast as it can until it is told to stop, whether or not another does.
async fn sealer(store: Arc<Store>, trail: Arc<Trail>, stop: Arc<std::sync::atomic::AtomicBool>) -> u64 {
    let mut sealed = 0;
    let mut now = NOW;
    while !stop.load(std::sync::atomic::Ordering::SeqCst) {
        // A minute in a moment: every lease has always ended, so that the two meet as often as they can.
        now = now.plus(Seconds(60));
        end_leases(&store).await;
        match trail.seal(now).await {
            Ok(count) => sealed += count,
            Err(error) => assert!(error.to_string().contains("try again"), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    sealed
}

#[test]
fn many_writers_on_two_nodes_and_two_sealers_that_meet_leave_nothing_out() {
    testkit::on_postgres("many_writers_on_two_nodes_and_two_sealers_that_meet_leave_nothing_out", async |settings| {
        let house = House::over(Store::open(&Database::Postgres(settings.clone())).await.unwrap()).await;
        let second = Arc::new(Store::open(&Database::Postgres(settings)).await.unwrap());
        let account = house.bootstrap.account;
        let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let trails = [Arc::clone(&house.trail), Arc::new(node(&second, "second").await)];
        let sealers: Vec<_> = trails.iter().map(|t| tokio::spawn(sealer(Arc::clone(&second), Arc::clone(t), Arc::clone(&stop)))).collect();
        let stores = [Arc::clone(&house.store), Arc::clone(&second)];
        let writers: Vec<_> = (0..12_u32).map(|n| tokio::spawn(writer(Arc::clone(&stores[n as usize % 2]), n + 10, account))).collect();
        let mut written = 0;
        for writer in writers {
            written += writer.await.unwrap();
        }
        stop.store(true, std::sync::atomic::Ordering::SeqCst);
        for sealer in sealers {
            sealer.await.unwrap();
        }
        end_leases(&second).await;
        house.trail.seal(NOW.plus(Seconds::days(3650))).await.unwrap();
        second.ping().await.unwrap();
        assert_eq!(number(&house.store, "SELECT count(*) FROM audit_pending").await, 0);
        let records = records(&house).await;
        let of_writers = records.iter().filter(|r| r.event.principal.starts_with('n')).count();
        assert_eq!(of_writers as u64, written);
        let report = verify(&house).await;
        assert!(report.whole, "{:?}", report.problems);
    });
}

#[test]
fn writers_of_requests_never_wait_for_the_sealer() {
    testkit::on_postgres("writers_of_requests_never_wait_for_the_sealer", async |settings| {
        let house = House::over(Store::open(&Database::Postgres(settings)).await.unwrap()).await;
        let (store, account) = (Arc::clone(&house.store), house.bootstrap.account);
        let audit = &Audit::new(Arc::clone(&store), 99);
        // The sealer's transaction stands open with everything locked that it locks.
        let lock = "UPDATE audit_mark SET seq = seq";
        let held = store.write_apart(|tx| {
            let store = Arc::clone(&store);
            Box::pin(async move {
                tx.execute(lock, &[]).await?;
                store::audit::pending(tx, 10).await?;
                let begin = tokio::time::timeout(Duration::from_secs(2), write(&store, audit, account, NOW)).await;
                assert!(begin.is_ok(), "a request waits");
                Ok::<_, StoreError>(())
            })
        });
        held.await.unwrap();
    });
}
