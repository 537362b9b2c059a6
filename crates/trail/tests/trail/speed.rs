//! How fast a backlog is sealed. Not run with the others: it says numbers, and judges none.
//! `cargo test -p trail --test trail speed -- --ignored --nocapture`

use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use access::{Audit, Record, audit};
use store::StoreError;
use testkit::{House, NOW};

use crate::house::on_postgres;
use crate::nodes::op;

/// Records that wait.
const RECORDS: u32 = 8192;
/// Records that are written in one transaction.
const TOGETHER: u32 = 512;

async fn measure(house: House) {
    let (account, audit) = (house.bootstrap.account, &Audit::new(Arc::clone(&house.store), 99));
    house.seal().await;
    let record = &Record::failed_login(&op(NOW), account, "mallory", None);
    for _ in 0..RECORDS / TOGETHER {
        let written = house.store.write(|tx| {
            Box::pin(async move {
                for _ in 0..TOGETHER {
                    audit::write(tx, audit, record).await?;
                }
                Ok::<_, StoreError>(())
            })
        });
        written.await.unwrap();
    }
    #[expect(clippy::disallowed_methods, reason = "a measurement")]
    let begin = Instant::now();
    assert_eq!(house.seal().await, u64::from(RECORDS));
    let seconds = begin.elapsed().as_secs_f64();
    let rate = f64::from(RECORDS) / seconds;
    let line = format!("{}: {RECORDS} records sealed in {seconds:.3} s, {rate:.0}/s\n", house.store.backend_name());
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

#[test]
#[ignore = "a measurement"]
fn sqlite() {
    crate::house::on_sqlite(measure);
}

#[test]
#[ignore = "a measurement"]
fn postgres() {
    on_postgres("speed::postgres", measure);
}
