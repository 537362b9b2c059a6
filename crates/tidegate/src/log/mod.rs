//! The log: lines on standard error, written by a thread of their own so that no request waits for a terminal or a disk.

mod line;
mod writer;

use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

use crate::config::{LogConfig, LogFormat};

use line::TextLine;
pub(crate) use writer::LogWriter;

/// Installs the process's log. Close the writer at the end, or the last lines are lost.
pub(crate) fn start(config: &LogConfig) -> Result<LogWriter, TryInitError> {
    let writer = LogWriter::start(std::io::stderr());
    let lines = tracing_subscriber::fmt().with_max_level(config.level).with_ansi(false).with_writer(writer.clone());
    match config.format {
        LogFormat::Text => lines.event_format(TextLine).finish().try_init()?,
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).finish().try_init()?,
    }
    std::panic::set_hook(Box::new(|panic| {
        // The place alone: what a panic says may hold what a client sent.
        tracing::error!(place = panic.location().map(tracing::field::display), "a defect stopped some work; please report it");
    }));
    Ok(writer)
}
