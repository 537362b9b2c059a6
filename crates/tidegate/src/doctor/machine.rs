//! The settings, and what of this machine they name: folders, files that hold secrets, room on the disk.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access, statvfs};
use secrets::MasterKeys;

use super::Check;
use crate::config::{BlobPlace, Config, Database, Loaded, MasterKeySource};
use crate::master_key::present_master_keys;
use crate::system::SystemRandom;

/// Less room than this on a disk is warned of, and is a problem.
const LOW: u64 = 2 << 30;
const TOO_LOW: u64 = 256 << 20;
/// One in so many of a disk's files may be left.
const FILES_LOW: u64 = 20;

/// What the settings say together.
pub(super) fn configuration(loaded: &Loaded) -> Vec<Check> {
    const NAME: &str = "configuration";
    let config = &loaded.config;
    let database = if config.database == Database::Sqlite { "SQLite" } else { "PostgreSQL" };
    let blobs = match &config.blobs {
        BlobPlace::Directory(path) => path.display().to_string(),
        BlobPlace::Objects(objects) => format!("the bucket {}", objects.bucket),
    };
    let mut checks = vec![Check::ok(NAME, format!("{database}; blobs in {blobs}; data folder {}", config.data_dir.display()))];
    for name in &loaded.unknown_environment {
        checks.push(Check::warning(NAME, format!("{name} is no setting"), "see docs/configuration.md for its name, or unset it"));
    }
    let open = config.listen.iter().any(|address| !address.ip().is_loopback());
    let https = config.external_url.as_ref().is_some_and(|url| url.starts_with("https://"));
    if open && config.tls.is_none() && !https {
        checks.push(Check::warning(
            NAME,
            "it listens beyond this machine without TLS: passwords and tokens can be read on their way",
            "set tls.cert and tls.key; or let a proxy speak TLS, and set external_url and trusted_proxies",
        ));
    }
    if config.tls.is_some() && config.external_url.is_some() && !https {
        let url = config.external_url.clone().unwrap_or_default();
        checks.push(Check::problem(NAME, format!("it speaks TLS, and external_url is {url}"), "let external_url begin with https://"));
    }
    checks
}

/// The data folder, and the files in it that hold secrets.
pub(super) fn data_folder(config: &Config) -> Vec<Check> {
    const NAME: &str = "data_folder";
    let path = &config.data_dir;
    let metadata = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => metadata,
        Ok(_) => return vec![Check::problem(NAME, format!("{} is no folder", path.display()), "name the server's folder with --data-dir")],
        Err(error) => {
            let advice = "name the server's folder with --data-dir, or start the server, which makes it";
            return vec![Check::problem(NAME, format!("{}: {error}", path.display()), advice)];
        }
    };
    let mut checks = Vec::new();
    let open = metadata.mode() & 0o077 != 0;
    if open {
        let found = format!("{} is open to others (mode {:o})", path.display(), metadata.mode() & 0o777);
        checks.push(Check::warning(NAME, found, format!("chmod 700 {}", path.display())));
    }
    if access(path, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK).is_err() {
        let found = format!("{} cannot be written by this user", path.display());
        checks.push(Check::problem(NAME, found, "run this as the user that runs the server; if it is, let it own the folder"));
    }
    let us = rustix::process::geteuid();
    if !us.is_root() && metadata.uid() != us.as_raw() {
        let found = format!("{} belongs to another user ({})", path.display(), metadata.uid());
        checks.push(Check::warning(NAME, found, "run this as the user that runs the server"));
    }
    checks.extend(secret_files(path, open));
    if checks.is_empty() { vec![Check::ok(NAME, format!("{} is this user's alone", path.display()))] } else { checks }
}

/// Files that hold secrets and others can read. The database's are as closed as their folder: that suffices for what is hashed or
/// sealed in them.
fn secret_files(folder: &Path, open: bool) -> Vec<Check> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_secret(path) || (open && is_database(path))).collect();
    paths.sort();
    paths.iter().filter_map(|path| open_to_others(path)).collect()
}

fn is_secret(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let json = path.extension().is_some_and(|extension| extension == "json");
    name.starts_with("master.key") || (json && (name == "bootstrap.json" || name.starts_with("account-")))
}

fn is_database(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "tidegate.db")
}

fn open_to_others(path: &Path) -> Option<Check> {
    let mode = fs::metadata(path).ok()?.mode() & 0o777;
    let others = mode & 0o077;
    if others == 0 {
        return None;
    }
    let found = format!("{} is open to others (mode {mode:o})", path.display());
    Some(if is_database(path) {
        Check::warning("data_folder", found, format!("chmod 600 {}", path.display()))
    } else {
        Check::problem(
            "data_folder",
            found,
            format!("chmod 600 {}, and change the secrets in it if somebody may have read them", path.display()),
        )
    })
}

/// The key that secrets are sealed under.
pub(super) fn master_key(config: &Config) -> (Option<MasterKeys>, Vec<Check>) {
    const NAME: &str = "master_key";
    match present_master_keys(config, &mut SystemRandom::open()) {
        Ok(Some(keys)) => {
            let mut checks = vec![Check::ok(NAME, format!("{} is at hand", keys.current.id()))];
            if let MasterKeySource::File(path) = &config.master_key {
                checks.extend(open_to_others(path).map(|check| Check { name: NAME, ..check }));
            }
            (Some(keys), checks)
        }
        Ok(None) => {
            let found = format!("there is none in {}", config.data_dir.display());
            (None, vec![Check::problem(NAME, found, "put the server's master.key there; a server that never ran makes one at its start")])
        }
        Err(refusal) => (None, vec![Check::problem(NAME, refusal.to_string(), "give the key that the database was made with")]),
    }
}

/// Room where the server writes.
pub(super) fn disks(config: &Config) -> Vec<Check> {
    let mut checks = disk("data folder", &config.data_dir);
    if let BlobPlace::Directory(path) = &config.blobs
        && fs::metadata(path).map(|m| m.dev()).ok() != fs::metadata(&config.data_dir).map(|m| m.dev()).ok()
    {
        checks.extend(disk("blobs", path));
    }
    checks
}

fn disk(what: &str, path: &Path) -> Vec<Check> {
    const NAME: &str = "disk";
    // That it is not there is said elsewhere.
    let Ok(disk) = statvfs(path) else { return Vec::new() };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let found = format!("{} MiB are free for the {what} ({})", free >> 20, path.display());
    let advice = "make room or enlarge the disk; `tidegate quota list` says who holds what, and retention and collection free content";
    let mut checks = vec![match free {
        0..TOO_LOW => Check::problem(NAME, found, advice),
        TOO_LOW..LOW => Check::warning(NAME, found, advice),
        _ => Check::ok(NAME, found),
    }];
    if disk.f_files > 0 && disk.f_favail.saturating_mul(FILES_LOW) < disk.f_files {
        let found = format!("{} files more fit onto the disk of the {what}", disk.f_favail);
        checks.push(Check::warning(NAME, found, "each blob is a file: make room, or a file system with more inodes"));
    }
    checks
}
