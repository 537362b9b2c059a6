//! The system calls of a push: everything is synced before the 201 is sent.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::wire::api::{push, root};
use crate::wire::http::Ask;
use crate::wire::node::{Node, Settings, signal};
use crate::wire::{content, digest};

const CALLS: &str = "trace=fsync,fdatasync,write,writev,sendto,sendmsg,pwrite64,pwritev";

/// A call that has returned, in order of its return.
struct Call {
    text: String,
}

impl Call {
    fn syncs(&self, path: impl Fn(&str) -> bool) -> bool {
        let synced = self.text.starts_with("fsync(") || self.text.starts_with("fdatasync(");
        synced && self.text.split_once('<').and_then(|(_, rest)| rest.split_once('>')).is_some_and(|(name, _)| path(name))
    }
}

#[expect(clippy::zombie_processes, reason = "the caller waits for it; a test that fails takes it along")]
fn attach(node: &Node, into: &Path) -> Child {
    let pid = node.pid().to_string();
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-qq", "-s", "48", "-e", CALLS, "-p", &pid, "-o"]).arg(into).stderr(Stdio::null());
    let child = strace.spawn().expect("strace is needed (Debian package strace; stage `debian` installs it)");
    let traced = |task: std::io::Result<std::fs::DirEntry>| {
        let status = std::fs::read_to_string(task.unwrap().path().join("status")).unwrap_or_default();
        status.contains("TracerPid:\t") && !status.contains("TracerPid:\t0\n")
    };
    for _ in 0..500 {
        if std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().all(traced) {
            return child;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("strace cannot attach: may this user trace processes (ptrace_scope)?");
}

/// Calls in the order in which they returned; one that was interrupted by another's line is put together again.
fn calls(trace: &str) -> Vec<Call> {
    let mut begun = std::collections::HashMap::new();
    let mut calls = Vec::new();
    for line in trace.lines() {
        let (thread, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim_start();
        if let Some(start) = rest.strip_suffix("<unfinished ...>") {
            begun.insert(thread, start);
        } else if rest.starts_with("<... ") {
            calls.extend(begun.remove(thread).map(|start| Call { text: start.to_owned() }));
        } else {
            calls.push(Call { text: rest.to_owned() });
        }
    }
    calls
}

#[test]
#[ignore = "cargo xtask test --only crash"]
fn content_and_its_directory_entry_are_synced_before_the_answer_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(Settings::in_folder(folder.path(), "data"));
    let authorization = root(&node);
    push(&node, &authorization, "demo/app", "v0", 1);
    let trace = folder.path().join("trace");
    let mut strace = attach(&node, &trace);
    let blob = content(99, 50_000);
    let ask = Ask::new("POST", &format!("/v2/demo/app/blobs/uploads/?digest={}", digest(&blob))).with(&authorization);
    assert_eq!(node.send(&ask.body(blob)).status, 201);
    std::thread::sleep(Duration::from_millis(300));
    signal(strace.id(), Signal::INT);
    strace.wait().unwrap();

    let trace = std::fs::read_to_string(&trace).unwrap();
    let calls = calls(&trace);
    let answered = calls.iter().position(|call| call.text.contains("HTTP/1.1 201")).unwrap_or_else(|| panic!("no 201 was sent: {trace}"));
    let before = &calls[..answered];
    let blobs = node.settings.data.join("blobs").to_str().unwrap().to_owned();
    let position = |what: &str, path: &dyn Fn(&str) -> bool| {
        before.iter().position(|call| call.syncs(path)).unwrap_or_else(|| panic!("{what} was not synced before the 201:\n{trace}"))
    };
    let file = position("the content", &|name| name.starts_with(&blobs) && Path::new(name).is_file());
    let entry = position("the directory entry", &|name| name.starts_with(&blobs) && Path::new(name).is_dir());
    let row = before.iter().rposition(|call| call.syncs(|name| name.contains("tidegate.db") || name.ends_with("-wal")));
    let row = row.unwrap_or_else(|| panic!("the database was not synced before the 201:\n{trace}"));
    assert!(file < row && entry < row, "the database must not know of content that a crash can take:\n{trace}");
}
