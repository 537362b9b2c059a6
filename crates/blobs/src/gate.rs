//! For tests: who may go on before content becomes durable or is deleted, so that other people's units of work come in between.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

/// Says when a piece of work may begin.
pub trait Turns: Send + Sync + fmt::Debug {
    /// Ready when it may.
    fn turn(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// Open, unless a test has said otherwise. Clones are one gate.
#[derive(Clone, Default, Debug)]
pub(crate) struct Gate(Arc<OnceLock<Arc<dyn Turns>>>);

impl Gate {
    pub(crate) fn keep(&self, turns: Arc<dyn Turns>) {
        drop(self.0.set(turns));
    }

    pub(crate) async fn pass(&self) {
        if let Some(turns) = self.0.get() {
            turns.turn().await;
        }
    }
}
