//! Pushes, mounts and deletions beside the collection, in every order of their units of work where these are few, in many where
//! they are not; what makes content durable, and what deletes it, is a step of its own. After each step, everything that a
//! manifest names is there; after each order, a last run leaves nothing that nobody needs.

use std::cell::Cell;
use std::sync::Arc;

use access::Permit;
use model::{Algorithm, Digest, Reference, Seconds, Timestamp, act};
use registry::{Collecting, Collection, RegistryError, Step};
use store::{StoreError, Tx};

use crate::house::{House, NOW, body, image, on_each, op_at, tag};
use crate::turns::{Actor, Scheduler, actor};

on_each! {
    a_push_that_finds_an_idle_blob
    a_push_that_begins_with_nothing
    a_push_in_every_order_with_each_half_of_a_run
    a_mount_beside_the_end_of_its_source
    a_mount_of_an_idle_blob
    who_was_told_that_a_blob_is_there_may_name_it
    who_was_told_may_name_it_in_every_order_with_the_end_of_links
    a_push_again_in_every_order_with_the_end_of_content
    an_upload_in_pieces
    two_who_push_the_same_and_one_who_deletes
    a_repository_that_goes_while_somebody_pushes
}

const APP: &str = "demo/app";
const WEB: &str = "demo/web";
const LAYER: &[u8] = b"a layer, and a configuration";
/// Later than anything that the storage's own clock may say.
const LATER: Timestamp = Timestamp::from_millis(NOW.millis() * 2);
/// Orders that are tried where there are too many.
const SOME: usize = 100;

/// A house whose units of work take turns, and what makes content durable and deletes it as well.
fn taking_turns(house: House) -> (House, Arc<Scheduler>) {
    let (house, scheduler) = taking_turns_at_the_database(house);
    let turns: Arc<dyn blobs::Turns> = scheduler.clone();
    house.blobs.take_turns(turns);
    (house, scheduler)
}

/// A house whose units of work alone take turns: each further place doubles the orders.
fn taking_turns_at_the_database(house: House) -> (House, Arc<Scheduler>) {
    let scheduler = Arc::new(Scheduler::default());
    let turns: Arc<dyn store::Turns> = scheduler.clone();
    house.store.take_turns(turns);
    (house, scheduler)
}

fn digest() -> Digest {
    Digest::sha256(LAYER)
}

fn picture() -> String {
    image(LAYER, &[LAYER], "")
}

impl House {
    async fn run_to_come(&self) -> Collecting {
        self.registry.collection_due(Some(Seconds(0)), LATER).await.unwrap().unwrap()
    }

    /// The collection, as far as a run goes.
    fn collector(&self, mut run: Collecting, now: Timestamp) -> Actor<'_> {
        actor(async move { while self.registry.collect_step(&mut run, now).await.unwrap() == Step::On {} })
    }

    /// So many steps of it.
    fn some_steps(&self, mut run: Collecting, steps: usize, now: Timestamp) -> Actor<'_> {
        actor(async move {
            for _ in 0..steps {
                self.registry.collect_step(&mut run, now).await.unwrap();
            }
        })
    }

    /// What a client does that has to have this image in a repository: again, until it is.
    async fn push_until_done(&self, name: &str) {
        for _ in 0..20 {
            let there = self.registry.head_blob(&self.pull(name).await, &digest()).await.is_ok();
            if !there && let Err(error) = self.registry.put_blob(self.push(name).await, body(LAYER), &digest()).await {
                assert!(matches!(error, RegistryError::UploadUnknown | RegistryError::NameUnknown), "{error:?}");
                continue;
            }
            match self.put(name, &tag("latest"), &picture()).await {
                Ok(_) => return,
                Err(RegistryError::ManifestBlobUnknown { .. }) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        panic!("{name}: not done after twenty tries");
    }

    async fn mount_until_done(&self, from: &str, name: &str) {
        if !self.registry.mount(self.push(name).await, self.pull(from).await, &digest()).await.unwrap() {
            return self.push_until_done(name).await;
        }
        match self.put(name, &tag("latest"), &picture()).await {
            Ok(_) => {}
            Err(RegistryError::ManifestBlobUnknown { .. }) => self.push_until_done(name).await,
            Err(error) => panic!("{error:?}"),
        }
    }

    async fn drop_image(&self, name: &str) {
        let reference = Reference::Digest(Digest::sha256(picture().as_bytes()));
        self.registry.delete_manifest(self.delete(name).await, &reference).await.unwrap();
    }

    async fn drop_repository(&self, name: &str) {
        let permit: Permit<act::DeleteRepository> = self.may(&self.alice, self.at(name)).await;
        match self.registry.delete_repository(permit).await {
            Ok(()) | Err(RegistryError::NameUnknown) => {}
            Err(error) => panic!("{error:?}"),
        }
    }

    /// Every blob of every manifest is linked; what is linked has its row, and lies where the row says, whole.
    async fn check(&self) {
        for (child, at) in self.children().await.into_iter().chain(self.linked().await) {
            let (key, size) = at.unwrap_or_else(|| panic!("{child}: it is named, and it is not there"));
            let stored = self.blobs.size(model::UploadId::from_i64(key)).await;
            assert_eq!(stored.ok(), u64::try_from(size).ok(), "{child}: its content is lost");
        }
    }

    async fn children(&self) -> Vec<(String, Option<(i64, i64)>)> {
        self.named_by(
            "SELECT c.child, b.storage_key, b.size FROM manifest_child c JOIN repository r ON r.id = c.repository_id \
                   LEFT JOIN blob_link l ON l.repository_id = r.id AND l.digest = c.child \
                   LEFT JOIN blob b ON b.account_id = r.account_id AND b.digest = l.digest WHERE c.kind = 'blob'",
        )
        .await
    }

    async fn linked(&self) -> Vec<(String, Option<(i64, i64)>)> {
        self.named_by(
            "SELECT l.digest, b.storage_key, b.size FROM blob_link l JOIN repository r ON r.id = l.repository_id \
             LEFT JOIN blob b ON b.account_id = r.account_id AND b.digest = l.digest",
        )
        .await
    }

    async fn named_by(&self, sql: &'static str) -> Vec<(String, Option<(i64, i64)>)> {
        let found: Result<_, StoreError> = self
            .store
            .read(|tx: &mut Tx<'_>| {
                Box::pin(async move {
                    let read = |row: &store::Row| {
                        let at = row.get::<Option<i64>>(1)?.zip(row.get::<Option<i64>>(2)?);
                        Ok((format!("{:02x?}", row.get::<Vec<u8>>(0)?), at))
                    };
                    tx.rows(sql, &[]).await?.iter().map(read).collect()
                })
            })
            .await;
        found.unwrap()
    }

    /// A last run takes what nobody needs and nothing else; without repositories it takes everything.
    async fn leave_nothing(&self, images: usize) {
        // The first one may have been half done.
        self.collect(LATER).await;
        self.collect(LATER).await;
        self.check().await;
        assert_eq!(self.children().await.len(), images, "every push has succeeded");
        assert_eq!(self.kept().await, images.min(1), "one piece of content, where somebody needs it");
        for name in [APP, WEB] {
            self.drop_repository(name).await;
        }
        self.collect(LATER).await;
        assert_eq!(self.kept().await, 0);
        assert_eq!(self.rows("SELECT digest FROM blob").await, 0);
        assert_eq!(self.rows("SELECT digest FROM blob_link").await, 0);
        assert_eq!(self.rows("SELECT storage_key FROM condemned WHERE deleted_ms IS NULL").await, 0);
    }
}

async fn a_push_that_finds_an_idle_blob(house: House) {
    let (house, scheduler) = taking_turns(house.without_grace());
    let actors = async || -> Vec<Actor<'_>> {
        house.put_blob(APP, LAYER).await;
        let run = house.run_to_come().await;
        vec![actor(house.push_until_done(APP)), house.collector(run, LATER)]
    };
    scheduler.some_orders((6, SOME), actors, async || house.check().await, async || house.leave_nothing(1).await).await;
}

async fn a_push_that_begins_with_nothing(house: House) {
    let (house, scheduler) = taking_turns(house.without_grace());
    let actors = async || -> Vec<Actor<'_>> {
        let run = house.run_to_come().await;
        vec![actor(house.push_until_done(APP)), house.collector(run, LATER)]
    };
    scheduler.some_orders((6, SOME), actors, async || house.check().await, async || house.leave_nothing(1).await).await;
}

/// The two halves of a run, links and blobs, then strays and deletion: each with every order of a push beside it.
async fn a_push_in_every_order_with_each_half_of_a_run(house: House) {
    let (house, scheduler) = taking_turns_at_the_database(house.without_grace());
    for before in [0, 2] {
        let actors = async || -> Vec<Actor<'_>> {
            house.put_blob(APP, LAYER).await;
            let mut run = house.run_to_come().await;
            for _ in 0..before {
                house.registry.collect_step(&mut run, LATER).await.unwrap();
            }
            vec![actor(house.push_until_done(APP)), house.some_steps(run, 2, LATER)]
        };
        let orders = scheduler.every_order(actors, async || house.check().await, async || house.leave_nothing(1).await).await;
        assert!(orders > 20, "{orders}");
    }
}

async fn a_mount_beside_the_end_of_its_source(house: House) {
    let (house, scheduler) = taking_turns(house.without_grace());
    let actors = async || -> Vec<Actor<'_>> {
        house.push_until_done(APP).await;
        let run = house.run_to_come().await;
        vec![actor(house.mount_until_done(APP, WEB)), actor(house.drop_image(APP)), house.collector(run, LATER)]
    };
    let some = (1, SOME);
    scheduler.some_orders(some, actors, async || house.check().await, async || house.leave_nothing(1).await).await;
}

async fn a_mount_of_an_idle_blob(house: House) {
    let (house, scheduler) = taking_turns(house.without_grace());
    let actors = async || -> Vec<Actor<'_>> {
        house.put_blob(APP, LAYER).await;
        let run = house.run_to_come().await;
        vec![actor(house.mount_until_done(APP, WEB)), house.collector(run, LATER)]
    };
    scheduler.some_orders((6, SOME), actors, async || house.check().await, async || house.leave_nothing(1).await).await;
}

/// With a grace: a client that a HEAD has told that a blob is there has half of it to name the blob, whatever is deleted and
/// collected meanwhile. (Without one it is told that the blob is gone, and pushes it.)
struct Told<'h> {
    house: &'h House,
    /// Each order has days of its own: a run begins after the last one began.
    now: Cell<Timestamp>,
}

const GRACE: Collection = Collection { grace: Seconds::days(1), delete_after: Seconds(-1) };

impl<'h> Told<'h> {
    fn of(house: &'h House) -> Self {
        Self { house, now: Cell::new(NOW.plus(Seconds::days(10))) }
    }

    async fn may<A: model::ActionKind<On = model::OnRepository>>(&self) -> Permit<A> {
        self.house.access.admit(&op_at(self.now.get()), &self.house.alice, self.house.at(APP)).await.unwrap()
    }

    async fn run(&self) -> Collecting {
        self.house.registry.collection_due(Some(Seconds(0)), self.now.get()).await.unwrap().unwrap()
    }

    /// Names the blob if it is told that it is there. Whether it was.
    async fn client(&self, pull: Permit<act::PullRepository>, push: Permit<act::PushRepository>) -> bool {
        let told = self.house.registry.head_blob(&pull, &digest()).await.is_ok();
        if told {
            let named = self.house.registry.put_manifest(push, &tag("latest"), None, picture().into(), &[]).await;
            named.expect("it was told that the blob is there");
        }
        told
    }

    async fn deleter(&self, permit: Permit<act::DeleteRepositoryTag>) {
        let reference = Reference::Digest(Digest::sha256(picture().as_bytes()));
        self.house.registry.delete_manifest(permit, &reference).await.unwrap();
    }

    async fn end(&self) {
        for name in [APP, WEB] {
            self.house.drop_repository(name).await;
        }
        let later = self.now.get().plus(Seconds::days(10));
        self.house.collect(later).await;
        self.now.set(later.plus(Seconds::days(10)));
    }

    /// The image is old; it is deleted, its layer asked for, and named again within minutes, beside `collector`.
    async fn of_an_image(&self, collector: impl AsyncFn(Collecting) -> Actor<'h>) -> Vec<Actor<'_>> {
        self.house.push_until_done(APP).await;
        let (run, pull, push, delete) = (self.run().await, self.may().await, self.may().await, self.may().await);
        let client = async move { assert!(self.client(pull, push).await, "its whole grace was to come") };
        vec![actor(client), actor(self.deleter(delete)), collector(run).await]
    }
}

async fn who_was_told_that_a_blob_is_there_may_name_it(house: House) {
    let (house, scheduler) = taking_turns(house.collecting(GRACE));
    let told = Told::of(&house);
    let actors = async || told.of_an_image(async |run| house.collector(run, told.now.get())).await;
    scheduler.some_orders((2, SOME), actors, async || house.check().await, async || told.end().await).await;
}

/// The same beside the step that takes links away, in every order; and of a link that nothing has needed for longer than its grace.
async fn who_was_told_may_name_it_in_every_order_with_the_end_of_links(house: House) {
    let (house, scheduler) = taking_turns(house.collecting(GRACE));
    let told = Told::of(&house);
    let actors = async || told.of_an_image(async |run| house.some_steps(run, 1, told.now.get())).await;
    let orders = scheduler.every_order(actors, async || house.check().await, async || told.end().await).await;
    assert!(orders > 20, "{orders}");

    let outcomes = Cell::new([0, 0]);
    let actors = async || -> Vec<Actor<'_>> {
        house.put_blob(APP, LAYER).await;
        let (run, pull, push) = (told.run().await, told.may().await, told.may().await);
        let client = async {
            let mut counted = outcomes.get();
            counted[usize::from(told.client(pull, push).await)] += 1;
            outcomes.set(counted);
        };
        vec![actor(client), house.some_steps(run, 1, told.now.get())]
    };
    let orders = scheduler.every_order(actors, async || house.check().await, async || told.end().await).await;
    let [gone, there] = outcomes.get();
    assert!(gone > 0 && there > 0 && gone + there == orders, "{gone} + {there} of {orders}");
}

/// Content that nobody links any more is pushed again, beside the step that condemns it, and beside the one that deletes it.
async fn a_push_again_in_every_order_with_the_end_of_content(house: House) {
    let (house, scheduler) = taking_turns(house.without_grace());
    for (before, least) in [(1, 10), (3, 30)] {
        let actors = async || -> Vec<Actor<'_>> {
            house.put_blob(APP, LAYER).await;
            let mut run = house.run_to_come().await;
            for _ in 0..before {
                house.registry.collect_step(&mut run, LATER).await.unwrap();
            }
            let again = async { assert_eq!(house.put_blob(APP, LAYER).await, digest()) };
            vec![actor(again), house.some_steps(run, 1, LATER)]
        };
        let end = async || {
            house.push_until_done(APP).await;
            house.leave_nothing(1).await;
        };
        let orders = scheduler.every_order(actors, async || house.check().await, end).await;
        assert!(orders >= least, "{orders}");
    }
}

async fn an_upload_in_pieces(house: House) {
    let (house, scheduler) = taking_turns(house.without_grace());
    let client = async || {
        let id = house.registry.begin_upload(house.push(APP).await, Algorithm::Sha256).await.unwrap();
        let (first, second) = LAYER.split_at(5);
        house.registry.append(house.push(APP).await, id, None, body(first)).await.unwrap();
        // An upload that has a row is never a stray.
        house.registry.finish_upload(house.push(APP).await, id, None, body(second), &digest()).await.unwrap();
        house.push_until_done(APP).await;
    };
    let actors = async || -> Vec<Actor<'_>> {
        let run = house.run_to_come().await;
        vec![actor(client()), house.collector(run, LATER)]
    };
    scheduler.some_orders((3, SOME), actors, async || house.check().await, async || house.leave_nothing(1).await).await;
}

async fn two_who_push_the_same_and_one_who_deletes(house: House) {
    let (house, scheduler) = taking_turns(house.without_grace());
    let again = async || {
        house.drop_image(APP).await;
        house.push_until_done(APP).await;
    };
    let actors = async || -> Vec<Actor<'_>> {
        house.push_until_done(APP).await;
        let run = house.run_to_come().await;
        vec![actor(house.push_until_done(WEB)), actor(again()), house.collector(run, LATER)]
    };
    let end = async || house.leave_nothing(2).await;
    scheduler.some_orders((4, SOME), actors, async || house.check().await, end).await;
}

async fn a_repository_that_goes_while_somebody_pushes(house: House) {
    let (house, scheduler) = taking_turns(house.without_grace());
    let actors = async || -> Vec<Actor<'_>> {
        house.put_blob(APP, LAYER).await;
        let run = house.run_to_come().await;
        let client = async {
            house.push_until_done(APP).await;
            // It may have gone after the push.
            house.push_until_done(APP).await;
        };
        vec![actor(client), actor(house.drop_repository(APP)), house.collector(run, LATER)]
    };
    let end = async || {
        house.push_until_done(APP).await;
        house.leave_nothing(1).await;
    };
    scheduler.some_orders((5, SOME), actors, async || house.check().await, end).await;
}
