//! The profile file: servers by name, each with an access key. `~/.config/tidegate/profiles.toml`, mode 0600.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use api::Secret;
use serde::{Deserialize, Serialize};

use crate::{ClientError, Endpoint};

/// The profile that is used when none is named.
pub const DEFAULT: &str = "default";
/// The largest file that is read.
const MAX_BYTES: u64 = 1024 * 1024;

/// A server and an access key.
#[derive(Clone, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The server's address.
    pub endpoint: String,
    /// The access key's public half.
    pub access_key_id: String,
    /// The access key's secret half.
    pub access_key_secret: Secret,
    /// Certificates of the authority to trust besides the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}

/// All profiles.
#[derive(Clone, Serialize, Deserialize, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct Profiles {
    /// By name.
    #[serde(default)]
    pub profiles: BTreeMap<String, Profile>,
}

/// Of `bootstrap.json` what a profile needs.
#[derive(Deserialize)]
struct Bootstrap {
    endpoint: String,
    access_key_id: String,
    access_key_secret: Secret,
}

/// Where the profile file is: below `XDG_CONFIG_HOME`, or `.config` below `HOME`.
pub fn path(env: &BTreeMap<String, String>) -> Option<PathBuf> {
    let set = |name: &str| env.get(name).filter(|v| v.starts_with('/')).map(PathBuf::from);
    let config = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")))?;
    Some(config.join("tidegate").join("profiles.toml"))
}

impl Profile {
    /// A profile from the file that a server wrote on its first start.
    pub fn from_bootstrap(path: &Path) -> Result<Self, ClientError> {
        let text = read(path)?;
        let Bootstrap { endpoint, access_key_id, access_key_secret } = serde_json::from_str(&text)
            .map_err(|e| problem(path, format!("this is no bootstrap.json (line {}, column {})", e.line(), e.column())))?;
        Endpoint::parse(&endpoint)?;
        Ok(Self { endpoint, access_key_id, access_key_secret, ca_file: None })
    }
}

impl Profiles {
    /// Reads the file; a missing one holds no profiles. One that others can read is refused.
    pub fn load(path: &Path) -> Result<Self, ClientError> {
        match fs::metadata(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(problem(path, e.to_string())),
            Ok(meta) if meta.permissions().mode() & 0o077 != 0 => {
                return Err(problem(path, format!("others can read the secrets in it. Run `chmod 600 {}`", path.display())));
            }
            Ok(_) => {}
        }
        // The parser's own message would show the line, and with it perhaps a secret.
        toml::from_str(&read(path)?).map_err(|e| problem(path, format!("not a profile file{}", place(&e))))
    }

    /// Writes the file whole or not at all, readable by its owner alone.
    pub fn save(&self, path: &Path) -> Result<(), ClientError> {
        let text = toml::to_string(self).map_err(|e| problem(path, e.to_string()))?;
        write(path, &text).map_err(|e| problem(path, e.to_string()))
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let draft = path.with_extension(format!("toml.{}", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path)
}

fn place(error: &toml::de::Error) -> String {
    error.span().map_or_else(String::new, |span| format!(" (at byte {})", span.start))
}

/// Reads a file of bounded size.
pub(crate) fn read(path: &Path) -> Result<String, ClientError> {
    let meta = fs::metadata(path).map_err(|e| problem(path, e.to_string()))?;
    if meta.len() > MAX_BYTES {
        return Err(problem(path, "the file is larger than 1 MiB".into()));
    }
    fs::read_to_string(path).map_err(|e| problem(path, e.to_string()))
}

pub(crate) fn problem(path: &Path, problem: String) -> ClientError {
    ClientError::File { path: path.to_owned(), problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bootstrap(folder: &Path) -> PathBuf {
        let path = folder.join("bootstrap.json");
        let text = r#"{"account_id":"1","endpoint":"http://127.0.0.1:5000","access_key_id":"K","access_key_secret":"hush"}"#;
        fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn a_profile_survives_the_file_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/down/profiles.toml");
        let profile = Profile::from_bootstrap(&bootstrap(folder.path())).unwrap();
        let profiles = Profiles { profiles: BTreeMap::from([("home".to_owned(), profile)]) };
        profiles.save(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let read = Profiles::load(&path).unwrap();
        let home = &read.profiles["home"];
        assert_eq!((&*home.endpoint, home.access_key_secret.reveal()), ("http://127.0.0.1:5000", "hush"));
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("profiles.toml");
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Profiles::load(&path).unwrap_err().to_string().contains("chmod 600"));
    }

    #[test]
    fn a_broken_file_is_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("profiles.toml");
        fs::write(&path, "[profiles.a]\naccess_key_secret = \"hush\" oops").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let error = Profiles::load(&path).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
    }

    #[test]
    fn a_missing_file_holds_nothing() {
        assert!(Profiles::load(Path::new("/nowhere/profiles.toml")).unwrap().profiles.is_empty());
    }

    #[test]
    fn the_file_is_below_the_configuration_folder() {
        let env = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(path(&env(&[("HOME", "/h")])), Some("/h/.config/tidegate/profiles.toml".into()));
        assert_eq!(path(&env(&[("HOME", "/h"), ("XDG_CONFIG_HOME", "/x")])), Some("/x/tidegate/profiles.toml".into()));
        assert_eq!(path(&env(&[("XDG_CONFIG_HOME", "relative")])), None);
    }
}
