//! The system calls of a push: everything is synced before the answer that promises it is sent.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use crate::kills::location;
use crate::support::api::{push, root};
use crate::support::http::Ask;
use crate::support::node::{Node, Settings, signal};
use crate::support::{OCI_MANIFEST, content, digest, manifest};

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

/// What was called while `work` ran, in order of return.
fn traced(node: &Node, folder: &Path, work: impl FnOnce()) -> Trace {
    let file = folder.join("trace");
    let mut strace = attach(node, &file);
    work();
    std::thread::sleep(Duration::from_millis(300));
    signal(strace.id(), Signal::INT);
    strace.wait().unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    Trace { calls: calls(&text), text, blobs: node.settings.data.join("blobs").to_str().unwrap().to_owned() }
}

struct Trace {
    calls: Vec<Call>,
    text: String,
    blobs: String,
}

impl Trace {
    /// The calls before each answer, since the one before it; the answers are these, in this order.
    fn before_each(&self, statuses: &[u16]) -> Vec<&[Call]> {
        let is_answer = |call: &Call| call.text.contains("\"HTTP/1.1 ");
        let answers: Vec<usize> = self.calls.iter().enumerate().filter(|(_, call)| is_answer(call)).map(|(place, _)| place).collect();
        assert_eq!(answers.len(), statuses.len(), "{}", self.text);
        let mut begin = 0;
        let mut parts = Vec::new();
        for (end, status) in answers.into_iter().zip(statuses) {
            assert!(self.calls[end].text.contains(&format!("HTTP/1.1 {status}")), "no {status}: {}", self.text);
            parts.push(&self.calls[begin..end]);
            begin = end + 1;
        }
        parts
    }

    /// Where the last of these calls that syncs such a path is.
    fn last(&self, what: &str, calls: &[Call], path: &dyn Fn(&str) -> bool) -> usize {
        calls.iter().rposition(|call| call.syncs(path)).unwrap_or_else(|| panic!("{what} was not synced before its answer:\n{}", self.text))
    }

    fn content(&self, calls: &[Call]) -> usize {
        self.last("the content", calls, &|name| name.starts_with(&self.blobs) && Path::new(name).is_file())
    }

    fn entry(&self, calls: &[Call]) -> usize {
        self.last("the directory entry", calls, &|name| name.starts_with(&self.blobs) && Path::new(name).is_dir())
    }

    fn row(&self, calls: &[Call]) -> usize {
        self.last("the database", calls, &|name| name.contains("tidegate.db"))
    }
}

/// A running server that has kept something before, and root.
fn house(folder: &tempfile::TempDir) -> (Node, String) {
    let node = Node::start(Settings::in_folder(folder.path(), "data"));
    let authorization = root(&node);
    push(&node, &authorization, "demo/app", "v0", 1);
    (node, authorization)
}

#[test]
#[ignore = "cargo xtask test --only crash"]
fn content_and_its_directory_entry_are_synced_before_the_answer_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (node, authorization) = house(&folder);
    let trace = traced(&node, folder.path(), || {
        let blob = content(99, 50_000);
        let ask = Ask::new("POST", &format!("/v2/demo/app/blobs/uploads/?digest={}", digest(&blob))).with(&authorization);
        assert_eq!(node.send(&ask.body(blob)).status, 201);
    });
    let calls = trace.before_each(&[201])[0];
    let row = trace.row(calls);
    let ordered = trace.content(calls) < row && trace.entry(calls) < row;
    assert!(ordered, "the database must not know of content that a crash can take:\n{}", trace.text);
}

/// The 202s promise nothing that a power cut may not take; the 201 does.
#[test]
#[ignore = "cargo xtask test --only crash"]
fn content_that_came_in_chunks_is_synced_before_the_last_answer_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (node, authorization) = house(&folder);
    let trace = traced(&node, folder.path(), || {
        let blob = content(98, 90_000);
        let begun = node.send(&Ask::new("POST", "/v2/demo/app/blobs/uploads/").with(&authorization));
        let mut place = location(&begun).unwrap();
        for (from, chunk) in [(0, &blob[..40_000]), (40_000, &blob[40_000..])] {
            let range = format!("{from}-{}", from + chunk.len() - 1);
            let ask = Ask::new("PATCH", &place).with(&authorization).header("content-range", &range);
            place = location(&node.send(&ask.body(chunk))).unwrap();
        }
        let mark = if place.contains('?') { '&' } else { '?' };
        let ask = Ask::new("PUT", &format!("{place}{mark}digest={}", digest(&blob))).with(&authorization);
        assert_eq!(node.send(&ask).status, 201);
    });
    let last = trace.before_each(&[202, 202, 202, 201])[3];
    trace.row(last);
    let end = trace.calls.iter().rposition(|call| call.text.contains("\"HTTP/1.1 201")).unwrap();
    let all = &trace.calls[..end];
    let ordered = trace.content(all) < trace.row(all) && trace.entry(all) < trace.row(all);
    assert!(ordered, "the database must not know of content that a crash can take:\n{}", trace.text);
}

#[test]
#[ignore = "cargo xtask test --only crash"]
fn a_manifest_is_synced_before_its_answer_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let (node, authorization) = house(&folder);
    // Of the image that is there already, under another tag and with other bytes.
    let (config, layer) = (content(1, 200), content(2, 5000));
    let text = manifest(&config, &[layer]).replacen(':', ": ", 1);
    let trace = traced(&node, folder.path(), || {
        let ask = Ask::new("PUT", "/v2/demo/app/manifests/v1").with(&authorization).header("content-type", OCI_MANIFEST);
        assert_eq!(node.send(&ask.body(text.clone())).status, 201);
    });
    trace.row(trace.before_each(&[201])[0]);
}
