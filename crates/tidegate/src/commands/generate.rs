//! `tidegate generate …`: documents that come from tables of the program.

use clap::Subcommand;

use super::{Failure, print, reference};
use crate::config::configuration_page;
use crate::metrics;

#[derive(Clone, Copy, Debug, Subcommand)]
pub(super) enum Document {
    /// docs/actions.md
    Actions,
    /// docs/apply.schema.json
    ApplySchema,
    /// docs/configuration.md
    Configuration,
    /// docs/metrics.md
    Metrics,
    /// docs/commands.md
    Commands,
    /// docs/openapi.json
    Openapi,
}

pub(super) fn run(document: Document, command: clap::Command) -> Result<(), Failure> {
    match document {
        Document::Actions => print(&policy::actions_table()),
        Document::ApplySchema => print(&declarative::schema()),
        Document::Configuration => print(&configuration_page()),
        Document::Metrics => print(&metrics::page()),
        Document::Commands => print(&reference::page(command)),
        Document::Openapi => print(&door_manage::openapi()),
    }
}
