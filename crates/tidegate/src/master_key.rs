//! The key that seals stored secrets: given as a value, read from a file, or made in the data folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use kit::Randomness;
use zeroize::Zeroizing;

use crate::config::MasterKeySource;
use crate::refusal::Refusal;

/// Bytes of the key.
const LENGTH: usize = 32;

/// The key itself; wiped when dropped.
pub(crate) type MasterKey = Zeroizing<[u8; LENGTH]>;

/// Takes the key from where the settings say. Only in the data folder a missing one is made.
pub(crate) fn master_key(source: &MasterKeySource, random: &dyn Randomness) -> Result<MasterKey, Refusal> {
    match source {
        MasterKeySource::Value(text) => parse("given as a value", text),
        MasterKeySource::File(path) => read(path).map_err(|cause| refusal(path, &cause)).and_then(|text| parse_file(path, &text)),
        MasterKeySource::DataDir(path) => match read(path) {
            Ok(text) => parse_file(path, &text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(path, random).map_err(|cause| refusal(path, &cause)),
            Err(cause) => Err(refusal(path, &cause)),
        },
    }
}

fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    fs::read_to_string(path).map(Zeroizing::new)
}

fn refusal(path: &Path, problem: &impl ToString) -> Refusal {
    Refusal::MasterKey { from: format!("in {}", path.display()), problem: problem.to_string() }
}

fn parse_file(path: &Path, text: &str) -> Result<MasterKey, Refusal> {
    parse(&format!("in {}", path.display()), text)
}

fn parse(from: &str, text: &str) -> Result<MasterKey, Refusal> {
    let mut key = MasterKey::default();
    let problem = format!("it is not {} hex digits; `openssl rand -hex {LENGTH}` makes one", 2 * LENGTH);
    hex::decode_to_slice(text.trim(), &mut *key).map_err(|_| Refusal::MasterKey { from: from.to_owned(), problem })?;
    Ok(key)
}

/// Whole or not at all, and never over another: what it sealed would be lost.
fn make(path: &Path, random: &dyn Randomness) -> io::Result<MasterKey> {
    let mut key = MasterKey::default();
    random.fill(&mut *key);
    let text = Zeroizing::new(hex::encode(*key));
    let new = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::hard_link(&new, path)?;
    fs::remove_file(&new)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()?;
    Ok(key)
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
        let random = SystemRandom::open();
        let made = master_key(&source, &random).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(*master_key(&source, &random).unwrap(), *made);
        assert_eq!(*master_key(&MasterKeySource::File(path), &random).unwrap(), *made);
        assert_ne!(*made, [0; LENGTH]);
    }

    #[test]
    fn a_bad_one_is_refused_without_showing_it() {
        let random = SystemRandom::open();
        let bad = "hunter2".repeat(9) + "x";
        let refused = master_key(&MasterKeySource::Value(Zeroizing::new(bad)), &random).unwrap_err().to_string();
        assert!(refused.contains("64 hex digits") && !refused.contains("hunter2"), "{refused}");
        let missing = MasterKeySource::File("/nonexistent/key".into());
        assert!(master_key(&missing, &random).unwrap_err().to_string().contains("/nonexistent/key"));
    }
}
