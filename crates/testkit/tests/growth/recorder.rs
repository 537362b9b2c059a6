//! What the database was asked, and what that took: read from the log's finest level.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Statements that ran since they were last asked for.
static RAN: Mutex<Vec<Ran>> = Mutex::new(Vec::new());

/// A statement that ran, and how many steps of SQLite's machine it took.
#[derive(Clone, Default, Debug)]
pub(crate) struct Ran {
    pub(crate) sql: String,
    pub(crate) steps: i64,
}

/// Listens from now on, for one story at a time.
pub(crate) fn listen() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // The second story of a run finds the first one's listener.
    let _ = tracing::subscriber::set_global_default(Recorder);
    alone
}

/// What ran since the last time.
pub(crate) fn drain() -> Vec<Ran> {
    std::mem::take(&mut *RAN.lock().unwrap())
}

struct Recorder;

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "store::statement"
    }

    fn event(&self, event: &Event<'_>) {
        let mut ran = Ran::default();
        event.record(&mut ran);
        RAN.lock().unwrap().push(ran);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl Visit for Ran {
    fn record_i64(&mut self, field: &Field, value: i64) {
        if field.name() == "steps" {
            self.steps = value;
        }
    }

    fn record_str(&mut self, _: &Field, value: &str) {
        value.clone_into(&mut self.sql);
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
