//! What is in the image.

use std::path::Path;

use serde_json::Value;

use crate::podman::archive;
use crate::support::program::Program;

/// The image's configuration, and what its layers hold: mode, owner and name of each.
fn unpacked(folder: &Path) -> (Value, Vec<String>) {
    let tar = Program::new("/usr/bin/tar", folder);
    tar.run(&["-xf", archive().to_str().unwrap()]).ok();
    let read = |name: &str| serde_json::from_slice::<Value>(&std::fs::read(folder.join(name)).unwrap()).unwrap();
    let manifest = read("manifest.json")[0].clone();
    let mut held = Vec::new();
    for layer in manifest["Layers"].as_array().unwrap() {
        let listed = tar.run(&["--numeric-owner", "-tvf", layer.as_str().unwrap()]).ok().out;
        let fields = listed.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
        held.extend(fields.map(|fields| format!("{} {} {}", fields[0], fields[1], fields.last().unwrap().trim_end_matches('/'))));
        tar.run(&["-xf", layer.as_str().unwrap()]).ok();
    }
    (read(manifest["Config"].as_str().unwrap()), held)
}

#[test]
#[ignore = "cargo xtask test --only container"]
fn the_image_holds_the_program_and_a_folder_for_its_data_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (described, mut held) = unpacked(folder.path());
    held.sort();
    held.dedup();
    assert_eq!(held, ["-rwxr-xr-x 0/0 tidegate", "drwxr-xr-x 65532/65532 data"]);
    let config = &described["config"];
    assert_eq!(config["User"], "65532:65532");
    assert_eq!((&config["Entrypoint"][0], &config["Cmd"][0]), (&"/tidegate".into(), &"serve".into()));
    assert_eq!(config["Healthcheck"]["Test"], serde_json::json!(["CMD", "/tidegate", "health"]));
    assert!(config["Volumes"].get("/data").is_some() && config["ExposedPorts"].get("5000/tcp").is_some(), "{config}");
    assert!(!described.to_string().contains(env!("CARGO_MANIFEST_DIR")), "{described}");
}

/// ELF: a program header of type `PT_INTERP` names the loader that a program with shared libraries is started by.
#[test]
#[ignore = "cargo xtask test --only container"]
fn the_program_needs_no_shared_library() {
    const INTERPRETER: u32 = 3;
    let folder = tempfile::tempdir().unwrap();
    unpacked(folder.path());
    let program = std::fs::read(folder.path().join("tidegate")).unwrap();
    assert_eq!(&program[..5], b"\x7fELF\x02");
    let number = |at: usize, bytes: usize| program[at..at + bytes].iter().rev().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
    let (start, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    assert!(count > 2);
    for header in 0..count {
        assert_ne!(number(start + header * size, 4), INTERPRETER as usize, "it asks for a loader");
    }
}
