//! Running other programs: shown before they run, never with an input, an error that names them.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, ErrorKind};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Error, Result, anyhow, bail};

/// The cargo that runs this task, so that a `+toolchain` stays chosen.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Runs it with our output as its output.
pub(crate) fn run(call: &mut Command) -> Result<()> {
    show(call);
    let status = call.stdin(Stdio::null()).status().map_err(|cause| not_started(call, cause))?;
    if status.success() { Ok(()) } else { bail!("`{}` ended with {status}", line(call)) }
}

/// Runs it silently and returns what it printed; what it complained about is in the error.
pub(crate) fn output(call: &mut Command) -> Result<String> {
    let done = call.stdin(Stdio::null()).output().map_err(|cause| not_started(call, cause))?;
    if !done.status.success() {
        bail!("`{}` ended with {}: {}", line(call), done.status, tail(&String::from_utf8_lossy(&done.stderr)));
    }
    String::from_utf8(done.stdout).with_context(|| format!("`{}` printed what is not UTF-8", line(call)))
}

/// Runs it, passing its standard output on line by line, and returns that output and whether it succeeded.
pub(crate) fn passing_on(call: &mut Command) -> Result<(String, bool)> {
    show(call);
    let mut child = spawn(call.stdin(Stdio::null()).stdout(Stdio::piped()))?;
    let mut seen = String::new();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            seen.push_str(&line);
            seen.push('\n');
        }
    }
    Ok((seen, child.wait()?.success()))
}

/// Starts it and does not wait.
pub(crate) fn spawn(call: &mut Command) -> Result<Child> {
    call.spawn().map_err(|cause| not_started(call, cause))
}

/// Whether a cargo subcommand is part of this toolchain; an error that says how to get it where not.
pub(crate) fn need_component(subcommand: &str, component: &str) -> Result<()> {
    output(Command::new(cargo()).args([subcommand, "--version"]))
        .map(drop)
        .map_err(|_| anyhow!("this toolchain has no {component}; `rustup component add {component}` installs it"))
}

fn show(call: &Command) {
    eprintln!("$ {}", line(call));
}

/// The call as one would type it.
fn line(call: &Command) -> String {
    let words = std::iter::once(call.get_program()).chain(call.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn not_started(call: &Command, cause: std::io::Error) -> Error {
    let program = call.get_program().to_string_lossy();
    match cause.kind() {
        ErrorKind::NotFound => anyhow!("`{program}` is not on this machine"),
        _ => Error::new(cause).context(format!("`{program}` could not be started")),
    }
}

/// The end of a long complaint.
fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines.get(lines.len().saturating_sub(12)..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("no-such-program")).unwrap_err();
        assert_eq!(error.to_string(), "`no-such-program` is not on this machine");
    }

    #[test]
    fn a_failure_says_what_ran_and_what_it_complained_about() {
        let error = output(Command::new("sh").args(["-c", "echo broken >&2; exit 3"])).unwrap_err();
        assert_eq!(error.to_string(), "`sh -c echo broken >&2; exit 3` ended with exit status: 3: broken");
    }

    #[test]
    fn passing_on_keeps_the_output_of_a_failure() {
        let (seen, success) = passing_on(Command::new("sh").args(["-c", "echo one; echo two; exit 1"])).unwrap();
        assert_eq!((seen.as_str(), success), ("one\ntwo\n", false));
    }
}
