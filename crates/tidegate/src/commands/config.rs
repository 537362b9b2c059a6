//! `tidegate config …`.

use clap::Subcommand;

use super::{Failure, print};
use crate::config::{SettingArguments, show};
use crate::system::environment;

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Print the effective settings and where each comes from, secrets masked
    Show(SettingArguments),
}

pub(super) fn run(verb: &Verb) -> Result<(), Failure> {
    let Verb::Show(settings) = verb;
    print(&show(&settings.load(environment())?.values))
}
