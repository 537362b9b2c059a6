//! The program: server and command line.

mod commands;
mod manage;

fn main() -> std::process::ExitCode {
    commands::run()
}
