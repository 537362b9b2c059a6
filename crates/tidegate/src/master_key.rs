//! The keys that seal stored secrets: given as a value, printed by a command, read from a file, or made in the data folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use secrets::{MasterKey, MasterKeys, Random};
use zeroize::Zeroizing;

use crate::config::{Config, MasterKeySource};
use crate::refusal::Refusal;

/// How long a command may take, and how often it is looked at whether it has ended.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// What a command may print: a key and its line break are 65 bytes.
const MOST: usize = 4096;

/// All that the settings name. Only in the data folder a missing one is made.
pub(crate) fn master_keys(config: &Config, random: &mut dyn Random) -> Result<MasterKeys, Refusal> {
    let mut optional = |source: &Option<MasterKeySource>| source.as_ref().map(|source| master_key(source, random)).transpose();
    let (old, next) = (optional(&config.old_master_key)?, optional(&config.next_master_key)?);
    let current = master_key(&config.master_key, random)?;
    let old = match (old, &config.master_key) {
        (None, MasterKeySource::DataDir(path)) => left_by_rotation(&old_path(path))?,
        (old, _) => old,
    };
    Ok(MasterKeys { current, old, next })
}

/// All that the settings name and that is there: nothing is made. None: the one of the data folder is not there yet.
pub(crate) fn present_master_keys(config: &Config, random: &mut dyn Random) -> Result<Option<MasterKeys>, Refusal> {
    match &config.master_key {
        MasterKeySource::DataDir(path) if !path.exists() => Ok(None),
        _ => master_keys(config, random).map(Some),
    }
}

/// Where the key before stays that was made in the data folder.
fn old_path(path: &Path) -> PathBuf {
    path.with_extension("key.old")
}

fn left_by_rotation(path: &Path) -> Result<Option<MasterKey>, Refusal> {
    match read(path) {
        Ok(text) => parse_file(path, &text).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(refusal(path, &cause)),
    }
}

/// Takes a key from where the settings say.
fn master_key(source: &MasterKeySource, random: &mut dyn Random) -> Result<MasterKey, Refusal> {
    match source {
        MasterKeySource::Value(text) => parse("given as a value", text.as_bytes()),
        MasterKeySource::Command(command) => {
            let from = format!("that `{}` prints", command.first().map_or("", String::as_str));
            let printed = printed_by(command).map_err(|problem| Refusal::MasterKey { from: from.clone(), problem })?;
            parse(&from, &printed)
        }
        MasterKeySource::File(path) => read(path).map_err(|cause| refusal(path, &cause)).and_then(|text| parse_file(path, &text)),
        MasterKeySource::DataDir(path) => match read(path) {
            Ok(text) => parse_file(path, &text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(path, random).map_err(|cause| refusal(path, &cause)),
            Err(cause) => Err(refusal(path, &cause)),
        },
    }
}

/// What a command prints. It is given nothing to read, and so much time; what it says on standard error goes to ours.
fn printed_by(command: &[String]) -> Result<Zeroizing<Vec<u8>>, String> {
    let (program, arguments) = command.split_first().ok_or("there is no command")?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|cause| format!("it cannot be run: {cause}"))?;
    let printed = wait_for_output(&mut child);
    let ended = printed.and_then(|printed| wait_for_end(&mut child).map(|()| printed));
    if ended.is_err() {
        // It may have ended by itself meanwhile.
        let _ = child.kill();
        let _ = child.wait();
    }
    ended
}

fn wait_for_output(child: &mut Child) -> Result<Zeroizing<Vec<u8>>, String> {
    let out = child.stdout.take().ok_or("its output cannot be read")?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Zeroizing::new(Vec::with_capacity(MOST + 1));
        let read = out.take(MOST as u64 + 1).read_to_end(&mut bytes).map(|_| bytes);
        // Nobody waits any longer where it took too long.
        let _ = sender.send(read);
    });
    let read = receiver.recv_timeout(PATIENCE).map_err(|_| format!("it did not end within {} seconds", PATIENCE.as_secs()))?;
    let bytes = read.map_err(|cause| format!("its output cannot be read: {cause}"))?;
    if bytes.len() > MOST { Err(format!("it printed more than {MOST} bytes")) } else { Ok(bytes) }
}

fn wait_for_end(child: &mut Child) -> Result<(), String> {
    for _ in 0..PATIENCE.as_millis() / LOOK_EVERY.as_millis() {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("it failed ({status})")),
            Ok(None) => std::thread::sleep(LOOK_EVERY),
            Err(cause) => return Err(format!("it cannot be waited for: {cause}")),
        }
    }
    Err(format!("it did not end within {} seconds", PATIENCE.as_secs()))
}

/// Makes a new key in the data folder, and leaves the one before beside it. Where a crash left both the same, it goes on.
pub(crate) fn rotate(path: &Path, random: &mut dyn Random) -> Result<(MasterKey, MasterKey), Refusal> {
    let before = parse_file(path, &read(path).map_err(|cause| refusal(path, &cause))?)?;
    let old = old_path(path);
    if left_by_rotation(&old)?.is_some_and(|left| left.id() != before.id()) {
        let problem = "the last change is not over: delete it when `tidegate master-key status` shows nothing under it".to_owned();
        return Err(Refusal::MasterKey { from: format!("in {}", old.display()), problem });
    }
    let replaced = write_new(path, random).and_then(|(key, new)| {
        let _ = fs::remove_file(&old);
        fs::hard_link(path, &old)?;
        fs::rename(&new, path)?;
        sync_folder(path)?;
        Ok(key)
    });
    Ok((before, replaced.map_err(|cause| refusal(path, &cause))?))
}

fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    fs::read(path).map(Zeroizing::new)
}

fn refusal(path: &Path, problem: &impl ToString) -> Refusal {
    Refusal::MasterKey { from: format!("in {}", path.display()), problem: problem.to_string() }
}

fn parse_file(path: &Path, text: &[u8]) -> Result<MasterKey, Refusal> {
    parse(&format!("in {}", path.display()), text)
}

fn parse(from: &str, content: &[u8]) -> Result<MasterKey, Refusal> {
    MasterKey::parse(content).map_err(|problem| Refusal::MasterKey { from: from.to_owned(), problem: problem.to_string() })
}

/// Whole or not at all, and never over another: what it sealed would be lost.
fn make(path: &Path, random: &mut dyn Random) -> io::Result<MasterKey> {
    let (key, new) = write_new(path, random)?;
    fs::hard_link(&new, path)?;
    fs::remove_file(&new)?;
    sync_folder(path)?;
    Ok(key)
}

/// A new key in a file beside.
fn write_new(path: &Path, random: &mut dyn Random) -> io::Result<(MasterKey, PathBuf)> {
    let key = MasterKey::generate(random);
    let new = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(key.to_text().reveal().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    Ok((key, new))
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::SystemRandom;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn is_made_once_for_the_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let source = MasterKeySource::DataDir(path.clone());
        let mut random = SystemRandom::open();
        let made = master_key(&source, &mut random).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(master_key(&source, &mut random).unwrap().id(), made.id());
        assert_eq!(master_key(&MasterKeySource::File(path), &mut random).unwrap().id(), made.id());
    }

    #[test]
    fn a_bad_one_is_refused_without_showing_it() {
        let mut random = SystemRandom::open();
        let bad = "hunter2".repeat(9) + "x";
        let refused = master_key(&MasterKeySource::Value(Zeroizing::new(bad)), &mut random).unwrap_err().to_string();
        assert!(refused.contains("given as a value") && !refused.contains("hunter2"), "{refused}");
        let missing = MasterKeySource::File("/nonexistent/key".into());
        assert!(master_key(&missing, &mut random).unwrap_err().to_string().contains("/nonexistent/key"));
    }

    #[test]
    fn a_command_prints_it() {
        let key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddee00";
        let sh = |script: &str| {
            master_key(&MasterKeySource::Command(["sh", "-c", script].map(str::to_owned).to_vec()), &mut SystemRandom::open())
        };
        let read = sh(&format!("cat; echo {key}")).unwrap();
        assert_eq!(read.to_text().reveal(), key);
        for (script, want) in [("exit 3", "it failed"), ("yes hunter2", "more than 4096 bytes"), ("echo hunter2", "32 random bytes")] {
            let refused = sh(script).unwrap_err().to_string();
            assert!(refused.contains(want) && !refused.contains("hunter2"), "{refused}");
        }
        let missing = master_key(&MasterKeySource::Command(vec!["/nonexistent".to_owned()]), &mut SystemRandom::open());
        assert!(missing.unwrap_err().to_string().contains("cannot be run"));
    }

    #[test]
    fn a_rotation_keeps_the_key_before_and_waits_until_the_last_one_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let mut random = SystemRandom::open();
        let made = make(&path, &mut random).unwrap();
        let (before, new) = rotate(&path, &mut random).unwrap();
        assert_eq!((before.id(), before.id() == new.id()), (made.id(), false));
        let left = left_by_rotation(&old_path(&path)).unwrap().unwrap();
        let now = master_key(&MasterKeySource::DataDir(path.clone()), &mut random).unwrap();
        assert_eq!((left.id(), now.id()), (made.id(), new.id()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(rotate(&path, &mut random).unwrap_err().to_string().contains("master-key status"));
        // A crash after the old key was put aside and before the new one had its place.
        fs::copy(&path, old_path(&path)).unwrap();
        rotate(&path, &mut random).unwrap();
    }
}
