//! `tidegate completion SHELL`.

use super::{Failure, print};

pub(super) fn run(shell: clap_complete::Shell, command: &mut clap::Command) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, command, "tidegate", &mut script);
    print(&String::from_utf8_lossy(&script))
}
