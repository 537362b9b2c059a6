//! The APIs of Alibaba Cloud that clients of its Container Registry call: cr 2018-12-01, sts 2015-04-01, ram 2015-05-01, of ims
//! 2019-08-15 what OIDC providers need, and `GET /tokens` of Personal Edition (2016-06-07).
//!
//! What it is for: turning their signed requests into use cases of `identity` and `registry`, and the answers into their JSON and XML.
//! What it may not do: hold a rule, see SQL, know another door. A handler parses, is told who calls, asks for a permit, acts,
//! renders, and no more.
//!
//! To add an action: a handler in its product's module below `operations/`, and a line in the table of that product with the action
//! of the house that it needs and the parameters that it cannot do without. A handler that asks for a permit its line does not name
//! is refused by `call::Call`. Each action has a golden answer, and tests walk the table (`tests/alibaba`).

mod arn;
mod call;
mod errors;
pub mod operations;
mod parameters;
mod product;
mod roa;
mod routes;
mod shapes;
mod signature;

use std::sync::Arc;

use identity::Identity;
use kit::Answer;
use model::{CredentialId, Op};
use registry::Registry;
use throttle::Throttle;

pub use product::Product;
pub use routes::is_meant;

/// Access keys whose buckets are remembered; another one's is full.
const REMEMBERED: usize = 16_384;

/// What can be set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Domains below which hosts are named as Alibaba Cloud names them: `cr.REGION.SUFFIX`, `INSTANCE-registry.REGION.SUFFIX`.
    pub suffixes: Vec<String>,
    /// Requests that one access key may make in a second, on this node.
    pub requests_per_second: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { suffixes: Vec::new(), requests_per_second: 200 }
    }
}

/// The answer to one request too many from an address, in JSON: what was asked for has not been read.
pub fn too_often(op: &Op, retry_after_ms: i64) -> Answer {
    shapes::failed(op, shapes::Format::default(), "", "", errors::Problem::throttled(retry_after_ms))
}

/// The names of all operations, as log and metrics have them.
pub fn operation_names() -> impl Iterator<Item = &'static str> {
    operations::operations().map(|operation| operation.name).chain([roa::NAME])
}

/// The door.
#[derive(Clone, Debug)]
pub struct Alibaba {
    identity: Arc<Identity>,
    registry: Arc<Registry>,
    settings: Arc<Settings>,
    throttle: Arc<Throttle<CredentialId>>,
}

impl Alibaba {
    /// A door to these.
    pub fn new(identity: Arc<Identity>, registry: Arc<Registry>, settings: Settings) -> Self {
        let throttle = Arc::new(Throttle::new(settings.requests_per_second, 1, REMEMBERED));
        Self { identity, registry, settings: Arc::new(settings), throttle }
    }
}
