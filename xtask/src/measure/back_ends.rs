//! PostgreSQL and object storage beside SQLite and a folder: what a manifest GET costs, and large content.

use std::process::Command;

use anyhow::{Context, Result};

use super::figures::{print, processor_seconds, processor_seconds_of_children};
use super::tidegate::{Program, Tidegate};
use super::{LoadKit, Repeats, Side};
use crate::command::output;
use crate::peers;
use crate::postgres::Cluster;
use crate::s3::Bucket;
use crate::workspace::Workspace;

/// The load kit's groups that say something of where content is kept.
const CONTENT: &str = "^(blob_get_100m_x1|blob_get_big_x1|push_big_put|push_small_x4)$";
/// What the load kit has put there (`bench.py`).
const MANIFEST: &str = "/v2/bench/small/manifests/v1";

/// `a` is over SQLite and a folder, `b` over PostgreSQL and S3, all of it on this machine.
pub(super) fn run(workspace: &Workspace, program: &Program, options: &Repeats, try_out: bool) -> Result<()> {
    peers::debian::provision_measure(workspace)?;
    let (cluster, bucket) = (Cluster::start()?, Bucket::start(workspace)?);
    let settings = [vec![("TIDEGATE_DATABASE", cluster.url())], bucket.settings().to_vec()].concat();
    let (near, far) = (Tidegate::start(program, false)?, Tidegate::start_with(program, &settings)?);
    let kit = LoadKit::with(workspace, options.rounds, options.secs, try_out);
    for tidegate in [&near, &far] {
        kit.seed(&tidegate.base(), Some(&tidegate.basic()?))?;
    }
    for _ in 0..options.rounds {
        gets("sqlite", &near, options.secs, None)?;
        gets("postgres", &far, options.secs, Some(cluster.pid()))?;
    }
    println!("# a is over SQLite and a folder, b over PostgreSQL and S3");
    for group in kit.named(CONTENT)? {
        kit.compare(&group, &side(&near)?, &side(&far)?)?;
    }
    Ok(())
}

fn side(tidegate: &Tidegate) -> Result<Side> {
    Ok(Side { base: tidegate.base(), auth: Some(tidegate.bearer()?), pid: Some(tidegate.pid()) })
}

/// Manifest GET by tag on 16 connections: how many, and the processor time of each.
fn gets(over: &str, tidegate: &Tidegate, secs: u32, postgres: Option<u32>) -> Result<()> {
    let used = || -> Result<(f64, f64)> {
        let database = postgres.map(processor_seconds_of_children).transpose()?;
        Ok((processor_seconds(tidegate.pid())?, database.unwrap_or_default()))
    };
    let before = used()?;
    let mut wrk = Command::new("wrk");
    wrk.args(["-t1", "-c16", &format!("-d{secs}s"), "-H", &format!("Authorization: {}", tidegate.bearer()?)]);
    let said = output(wrk.arg(tidegate.base() + MANIFEST))?;
    let after = used()?;
    let line = said.lines().find_map(|line| line.split_once(" requests in ")).context("wrk counts no requests")?;
    anyhow::ensure!(!said.contains("Non-2xx"), "not every GET was answered: {said}");
    let many: f64 = line.0.trim().parse().context("wrk counts no requests")?;
    print(&format!("manifest_get_{over}"), "req/s", &[many / f64::from(secs)]);
    print(&format!("manifest_get_{over}_processor"), "us", &[(after.0 - before.0) / many * 1e6]);
    if postgres.is_some() {
        print("manifest_get_postgres_processor_of_postgres", "us", &[(after.1 - before.1) / many * 1e6]);
    }
    Ok(())
}
