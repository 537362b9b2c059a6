//! The key that seals stored secrets: given as a value, read from a file, or made in the data folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use secrets::{MasterKey, Random};
use zeroize::Zeroizing;

use crate::config::MasterKeySource;
use crate::refusal::Refusal;

/// Takes the key from where the settings say. Only in the data folder a missing one is made.
pub(crate) fn master_key(source: &MasterKeySource, random: &mut dyn Random) -> Result<MasterKey, Refusal> {
    match source {
        MasterKeySource::Value(text) => parse("given as a value", text.as_bytes()),
        MasterKeySource::File(path) => read(path).map_err(|cause| refusal(path, &cause)).and_then(|text| parse_file(path, &text)),
        MasterKeySource::DataDir(path) => match read(path) {
            Ok(text) => parse_file(path, &text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(path, random).map_err(|cause| refusal(path, &cause)),
            Err(cause) => Err(refusal(path, &cause)),
        },
    }
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
    let key = MasterKey::generate(random);
    let new = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(key.to_text().reveal().as_bytes())?;
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
}
