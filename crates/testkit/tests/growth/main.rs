//! What a request costs must not grow with how much there is: every question that the doors answer, in a house with a thousand of
//! everything and in one with many more. Costs are steps of SQLite's machine, which no neighbour on the machine can change; on
//! PostgreSQL plans are held against the same rules.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![expect(clippy::await_holding_lock, reason = "one test at a time listens, from its begin to its end")]

mod plans;
mod recorder;
mod town;

use std::collections::{BTreeMap, BTreeSet};

use recorder::Ran;
use store::{Database, Store};
use town::{Town, town};

const FEW: u32 = 1000;
const MANY: u32 = 30_000;

/// Steps that a full page may take beyond one that is not: where there is little, a page has what there is.
const STEPS: i64 = 1000;

/// What may take more steps where there is more, how many at most, and why.
const BOUNDED: [(&str, i64, &str); 9] = [
    ("audit of an action that nobody does", 400_000, "a page looks at 10,000 records, finds what it finds, and leads on"),
    ("credentials that nobody uses", 400_000, "a page looks at 10,000 credentials"),
    ("credentials that end soon", 40_000, "a page looks at 500 candidates at a time"),
    ("credentials of an integration", 150_000, "a page looks at 500 candidates at a time; it counts up to 10,000 of an integration"),
    ("list_permitted_principals", 600_000, "a page looks at so many principals, and leads on"),
    ("list_integrations", 150_000, "counts up to 10,000 credentials of each"),
    ("show_integration", 150_000, "counts up to 10,000 credentials"),
    ("show_policy", 800_000, "counts whom it is attached to: at most everybody in the account"),
    ("catalog of-an-ending", 16_000, "a page looks at 2,000 names, finds what it finds, and leads on"),
];

/// The same request where there is little and where there is much.
type Costs = BTreeMap<String, (i64, i64)>;

#[test]
fn costs_do_not_grow() {
    testkit::run(async {
        let _alone = recorder::listen();
        let mut costs = Costs::new();
        for (name, cost) in walk(&town(Store::memory().await.unwrap(), FEW).await).await {
            costs.insert(name, (steps(&cost), i64::MAX));
        }
        let large = town(Store::memory().await.unwrap(), MANY).await;
        let ran = walk(&large).await;
        for (name, cost) in &ran {
            costs.get_mut(name).unwrap().1 = steps(cost);
        }
        let grown: Vec<String> = costs.iter().filter_map(|(name, (few, many))| too_much(name, *few, *many)).collect();
        assert!(grown.is_empty(), "{}", grown.join("\n"));
        let texts: BTreeSet<&str> = ran.values().flatten().map(|one| &*one.sql).collect();
        assert!(texts.len() > 80, "{}", texts.len());
        let mut bad = Vec::new();
        for sql in texts {
            bad.extend(plans::wrong(sql, &plans::of_sqlite(&large.house.store, sql).await));
        }
        assert!(bad.is_empty(), "{}", bad.join("\n"));
    });
}

fn steps(ran: &[Ran]) -> i64 {
    ran.iter().map(|one| one.steps).sum()
}

fn too_much(name: &str, few: i64, many: i64) -> Option<String> {
    let bound = BOUNDED.iter().find(|(known, ..)| name.starts_with(known)).map(|(_, most, _)| *most);
    let most = bound.unwrap_or(few + few / 4 + STEPS);
    (many > most).then(|| format!("{name}: {few} steps among {FEW}, {many} among {MANY}"))
}

/// Sends everything that has to stay cheap; what each took.
async fn walk(town: &Town) -> BTreeMap<String, Vec<Ran>> {
    let mut all = BTreeMap::new();
    for asked in town.requests().await {
        recorder::drain();
        let status = asked.send().await;
        assert!(asked.may_answer(status), "{} was answered {status}", asked.name);
        all.insert(asked.name, recorder::drain());
    }
    for (name, gone) in [("collection that takes", i64::from(town::IDLE)), ("collection that looks", 0)] {
        collect(town, (name, gone), &mut all).await;
    }
    all
}

/// A run of the collection that takes so many links away: the dearest step of each phase.
async fn collect(town: &Town, (name, gone): (&str, i64), all: &mut BTreeMap<String, Vec<Ran>>) {
    let (registry, now) = (&town.house.registry, town.house.now());
    let mut run = registry.collection_due(Some(model::Seconds(0)), now).await.unwrap().unwrap();
    let mut ended = false;
    while !ended {
        let phase = run.run().place.phase;
        recorder::drain();
        ended = registry.collect_step(&mut run, now).await.unwrap() == registry::Step::Ended;
        let (ran, dearest) = (recorder::drain(), all.entry(format!("{name}: {phase:?}")).or_default());
        if dearest.is_empty() || steps(&ran) > steps(dearest) {
            *dearest = ran;
        }
    }
    assert_eq!(run.run().tally.links, gone);
}

#[test]
fn postgres_neither_scans_nor_sorts() {
    testkit::on_postgres("postgres_neither_scans_nor_sorts", async |settings| {
        let _alone = recorder::listen();
        let url = settings.url.clone();
        let town = town(Store::open(&Database::Postgres(settings)).await.unwrap(), 10_000).await;
        let ran = walk(&town).await;
        let texts: BTreeSet<&str> = ran.values().flatten().map(|one| &*one.sql).collect();
        let plans = plans::of_postgres(&url, texts).await;
        let bad: Vec<String> = plans.iter().filter_map(|(sql, plan)| plans::wrong(sql, plan)).collect();
        assert!(bad.is_empty(), "{}", bad.join("\n"));
    });
}
