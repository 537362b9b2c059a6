//! What network rules cost a request: `cargo run --release -p access --example network`.
#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, reason = "an example that measures")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use access::{Access, Audit, Directory};
use model::{AccountId, InstanceId, InstanceName, Network, OnInstance, Op, Region, RequestId, Timestamp};
use store::instance::Instance;
use store::network::{Entry, Public};
use store::{Store, StoreError};

const NOW: Timestamp = Timestamp::from_seconds(1_767_323_045);
const TIMES: u32 = 1_000_000;

/// An instance with so many entries, of which the last one lets the client in.
async fn access(entries: usize) -> Access {
    let store = Arc::new(Store::memory().await.unwrap());
    let on = OnInstance {
        account: AccountId::from_random(1),
        id: InstanceId::from_random(1),
        name: InstanceName::parse("local").unwrap(),
        region: Region::parse("local").unwrap(),
    };
    let instance =
        &Instance { on: Arc::new(on), is_default: true, auto_create_namespace: true, identity_tokens: false, created: NOW, updated: NOW };
    let blocks = (1..entries).map(|number| format!("10.{}.{}.0/24", number / 256, number % 256));
    let blocks = &blocks.chain((entries > 0).then(|| "198.51.100.0/24".to_owned())).collect::<Vec<_>>();
    let written: Result<(), StoreError> = store
        .write(|tx| {
            Box::pin(async move {
                store::account::insert_account(tx, instance.on.account, "uuid", NOW).await?;
                store::instance::insert(tx, instance).await?;
                let public = Public { enabled: true, lets_everybody_in: blocks.is_empty() };
                store::network::set_public(tx, instance.on.id, public).await?;
                for cidr in blocks {
                    let entry = Entry { cidr: cidr.clone(), comment: String::new(), created: NOW, created_by: String::new() };
                    store::network::put_entry(tx, instance.on.id, &entry).await?;
                }
                Ok(())
            })
        })
        .await;
    written.unwrap();
    let directory = Directory::open(Arc::clone(&store), NOW).await.unwrap();
    Access::new(Arc::new(directory), Arc::new(Audit::new(store, 1)))
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let op = Op {
        request_id: RequestId::from_random(1),
        now: NOW,
        source_ip: [198, 51, 100, 7].into(),
        network: Network::Public,
        secure: true,
        user_agent: None,
    };
    for entries in [0, 1, 10, 100, 500] {
        let access = access(entries).await;
        let begin = Instant::now();
        for _ in 0..TIMES {
            assert!(access.enter(black_box(&op), "registry.example").await.unwrap().is_some());
        }
        println!("{entries:>4} entries: {:>6.0} ns a request", begin.elapsed().as_secs_f64() * 1e9 / f64::from(TIMES));
    }
}
