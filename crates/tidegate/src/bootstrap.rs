//! The first start: the first account's secrets go into `bootstrap.json` before the database has them, so that a crash
//! between the two loses nothing.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use identity::{Bootstrap, Identity};
use model::Clock as _;
use serde_json::json;
use zeroize::Zeroizing;

use crate::refusal::Refusal;
use crate::system::SystemClock;

/// Makes the first account where there is none. The path of the file, if this start made it.
pub(crate) async fn bootstrap(identity: &Identity, data_dir: &Path, endpoint: &str) -> Result<Option<PathBuf>, Refusal> {
    let failed = |error: identity::IdentityError| Refusal::Bootstrap(error.to_string());
    let path = data_dir.join("bootstrap.json");
    let new = data_dir.join("bootstrap.json.new");
    if !identity.is_new().await.map_err(failed)? {
        return finish_interrupted(identity, &new, &path).await;
    }
    let first = identity.prepare_bootstrap(SystemClock.now()).await.map_err(failed)?;
    write_secrets(&new, &secrets_text(&first, endpoint)).map_err(|cause| unwritable(&new, cause))?;
    if identity.commit_bootstrap(&first).await.map_err(failed)? {
        return publish(&new, &path).map(Some);
    }
    fs::remove_file(&new).map_err(|cause| unwritable(&new, cause))?;
    Ok(None)
}

/// A start that ended between the database's commit and the renaming left the file under its other name.
/// One whose account another node's first start overtook tells of secrets that never were: it goes.
async fn finish_interrupted(identity: &Identity, new: &Path, path: &Path) -> Result<Option<PathBuf>, Refusal> {
    let Ok(text) = fs::read_to_string(new).map(Zeroizing::new) else { return Ok(None) };
    let written: Option<serde_json::Value> = serde_json::from_str(&text).ok();
    let account = written.and_then(|value| value.get("account_id")?.as_str()?.parse().ok());
    let first = identity.first_account().await.map_err(|error| Refusal::Bootstrap(error.to_string()))?;
    if account.is_some() && account == first && !path.exists() {
        return publish(new, path).map(Some);
    }
    fs::remove_file(new).map_err(|cause| unwritable(new, cause))?;
    Ok(None)
}

fn publish(new: &Path, path: &Path) -> Result<PathBuf, Refusal> {
    fs::rename(new, path).and_then(|()| sync_folder(path)).map_err(|cause| unwritable(path, cause))?;
    Ok(path.to_owned())
}

pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

fn unwritable(path: &Path, cause: io::Error) -> Refusal {
    Refusal::DataDirUnwritable { path: path.to_owned(), cause }
}

/// What a new account's owner needs, as a file.
pub(crate) fn secrets_text(first: &Bootstrap, endpoint: &str) -> Zeroizing<String> {
    let text = json!({
        "account_id": first.account.to_string(),
        "root_user": "root",
        "root_password": first.root_password.reveal(),
        "access_key_id": first.access_key_id,
        "access_key_secret": first.access_key_secret.reveal(),
        "instance_id": first.instance.id.to_string(),
        "instance_name": first.instance.name.as_str(),
        "region": first.instance.region.as_str(),
        "endpoint": endpoint,
    });
    Zeroizing::new(format!("{text:#}\n"))
}

/// Writes secrets for the owner alone, and sees them on the disk.
pub(crate) fn write_secrets(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    sync_folder(path)
}
