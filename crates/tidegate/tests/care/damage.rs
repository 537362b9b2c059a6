//! A backup that is not as it was made is refused, and the piece is named.

use std::path::Path;

use crate::house::{Inhabited, copy, files, json_of, on_files, on_machine};
use crate::support::node::Node;

/// Every piece of a backup, once with a bit flipped, once cut, once missing.
#[test]
fn every_damaged_piece_is_named_and_nothing_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let from = on_files(folder.path(), "one");
    let node = Node::start(from.clone());
    Inhabited::fill(&node);
    let good = folder.path().join("good");
    json_of(&from, &["backup", "--to", good.to_str().unwrap(), "--with-master-key"]);
    drop(node.stop());

    let bad = folder.path().join("bad");
    // A few tables of each kind stand for all; every file that is none; every blob.
    let pieces: Vec<_> = files(&good).into_iter().map(|path| path.strip_prefix(&good).unwrap().to_owned()).collect();
    let mut tried = 0;
    for piece in pieces.iter().filter(|piece| !matches!(piece.to_str(), Some("lock" | "tidegate-backup"))) {
        for harm in [flip, cut, remove] {
            let _ = std::fs::remove_dir_all(&bad);
            copy(&good, &bad);
            harm(&bad.join(piece));
            let ran = on_machine(&from, &["backup", "verify", bad.to_str().unwrap()]);
            let name = piece.file_name().unwrap().to_str().unwrap();
            assert_eq!(ran.code, Some(1), "{}: {ran}", piece.display());
            let named = ran.says(name) || (name == "manifest.json" && ran.says("manifest"));
            assert!(named, "{} is not named: {ran}", piece.display());
            tried += 1;
        }
    }
    assert!(tried > 90, "{tried}");

    // A script reads it all: what was found from standard output, and that it is an error from standard error.
    let ran = on_machine(&from, &["backup", "verify", bad.to_str().unwrap(), "-o", "json"]);
    let said: serde_json::Value = serde_json::from_str(&ran.err).unwrap_or_else(|_| panic!("no JSON: {ran}"));
    assert_eq!((ran.code, &said["error"]["code"], &said["error"]["request_id"]), (Some(1), &"damaged".into(), &serde_json::Value::Null));
    assert!(said["error"]["message"].as_str().unwrap().contains("is damaged"), "{said}");
    assert_eq!(ran.json()["whole"], false);

    // One of them is tried in earnest: nothing is written.
    let _ = std::fs::remove_dir_all(&bad);
    copy(&good, &bad);
    flip(files(&bad.join("blobs")).last().unwrap());
    let to = on_files(folder.path(), "two");
    on_machine(&to, &["restore", "--from", bad.to_str().unwrap()]).refused(&["damaged"]);
    let left = files(&to.data);
    assert!(!left.iter().any(|path| path.ends_with("tidegate.db")), "{left:?}");
}

/// Whoever can write the folder can make all hashes fit, but not the code of the master key.
#[test]
fn a_backup_that_was_made_up_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let from = on_files(folder.path(), "one");
    let node = Node::start(from.clone());
    let target = folder.path().join("backups");
    let made = json_of(&from, &["backup", "--to", target.to_str().unwrap()]);
    drop(node.stop());
    let manifest = Path::new(made["path"].as_str().unwrap()).join("manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replace("\"made_by\": \"tidegate", "\"made_by\": \"somebody")).unwrap();
    let ran = on_machine(&from, &["backup", "verify", target.to_str().unwrap()]);
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(ran.says("manifest.mac"), "{ran}");

    // A name that leads out of the folder.
    std::fs::write(&manifest, text.replace("\"account.jsonl.gz\"", "\"../account.jsonl.gz\"")).unwrap();
    on_machine(&from, &["backup", "verify", target.to_str().unwrap()]).refused(&["no name of a piece"]);
}

fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    std::fs::write(path, bytes).unwrap();
}

fn cut(path: &Path) {
    let bytes = std::fs::read(path).unwrap();
    std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}

fn remove(path: &Path) {
    std::fs::remove_file(path).unwrap();
}
