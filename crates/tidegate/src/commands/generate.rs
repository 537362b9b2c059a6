//! `tidegate generate …`: documents that come from tables of the program.

use clap::Subcommand;

use super::{Failure, print};
use crate::config::configuration_page;
use crate::server::metrics_page;

#[derive(Clone, Copy, Debug, Subcommand)]
pub(super) enum Document {
    /// docs/configuration.md
    Configuration,
    /// docs/metrics.md
    Metrics,
}

pub(super) fn run(document: Document) -> Result<(), Failure> {
    match document {
        Document::Configuration => print(&configuration_page()),
        Document::Metrics => print(&metrics_page()),
    }
}
