//! What whoever holds the server's configuration does on the machine itself: no access key, no request, the house opened for a
//! moment. With SQLite the server has to be stopped meanwhile; with PostgreSQL its nodes follow within a second.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};

use kit::Randomness as _;
use model::{Clock as _, Network, Op, RequestId};

use crate::config::{Config, Database, SettingArguments};
use crate::house::House;
use crate::manage::CommandError;
use crate::master_key::master_keys;
use crate::system::{SystemClock, SystemRandom};

/// Opens the server's house and does something in it.
pub(crate) fn at_home<T, F: Future<Output = Result<T, CommandError>>>(
    settings: &SettingArguments,
    environment: impl Iterator<Item = (String, String)>,
    act: impl FnOnce(House, Op) -> F,
) -> Result<T, CommandError> {
    let config = settings.load(environment).map_err(|error| CommandError::Machine(error.to_string()))?.config;
    find_data(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(CommandError::System)?;
    runtime.block_on(async {
        let random = SystemRandom::open();
        let refused = |refusal: crate::refusal::Refusal| CommandError::Machine(refusal.to_string());
        let keys = master_keys(&config, &mut random.clone()).map_err(refused)?;
        let house = House::open(&config, &keys, &random, "operator").await.map_err(refused)?;
        let done = act(house.clone(), op(&random)).await;
        house.close().await;
        done
    })
}

/// Nothing is made here: a wrong folder is said, not filled.
fn find_data(config: &Config) -> Result<(), CommandError> {
    if config.database != Database::Sqlite || config.data_dir.join("format").exists() {
        return Ok(());
    }
    let folder = config.data_dir.display();
    Err(CommandError::Machine(format!("no server has kept anything in {folder}: name its configuration with --config or --data-dir")))
}

fn op(random: &SystemRandom) -> Op {
    let mut bits = [0; 16];
    random.fill(&mut bits);
    Op {
        request_id: RequestId::from_random(u128::from_be_bytes(bits)),
        now: SystemClock.now(),
        source_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        network: Network::Public,
        secure: true,
        user_agent: Some(concat!("tidegate/", env!("CARGO_PKG_VERSION"), " on the machine").into()),
    }
}
