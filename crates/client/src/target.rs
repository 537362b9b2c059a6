//! Where to and as whom: flags, then the environment, then the profile file.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use api::Secret;

use crate::profile::{self, Profile, Profiles};
use crate::{ClientError, Endpoint};

/// Environment variables that this client reads.
pub const VARIABLES: [&str; 4] = ["TIDEGATE_ENDPOINT", "TIDEGATE_ACCESS_KEY_ID", "TIDEGATE_ACCESS_KEY_SECRET", "TIDEGATE_SECURITY_TOKEN"];

/// What the command line says.
#[derive(Clone, Default, Debug)]
pub struct Flags {
    /// `--endpoint`.
    pub endpoint: Option<String>,
    /// `--access-key-id`; its secret comes from the environment or a profile.
    pub access_key_id: Option<String>,
    /// `--ca-file`.
    pub ca_file: Option<PathBuf>,
    /// `--profile`.
    pub profile: Option<String>,
}

/// An access key to sign in with.
#[derive(Clone)]
pub struct AccessKey {
    /// The public half.
    pub id: String,
    /// The secret half.
    pub secret: Secret,
    /// The token of the session that the key belongs to.
    pub security_token: Option<Secret>,
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessKey({})", self.id)
    }
}

/// Where to and as whom.
#[derive(Clone, Debug)]
pub struct Target {
    /// The server.
    pub endpoint: Endpoint,
    /// The key.
    pub access_key: AccessKey,
    /// Certificates of the authority to trust besides the public ones.
    pub ca_file: Option<PathBuf>,
}

impl Target {
    /// Settles it. The environment is passed in; the profile file is read only if something is still open, or a profile is named.
    pub fn resolve(flags: Flags, env: &BTreeMap<String, String>) -> Result<Self, ClientError> {
        let set = |name: &str| env.get(name).filter(|v| !v.is_empty()).cloned();
        let profile = load(&flags, env)?;
        let endpoint = flags
            .endpoint
            .or_else(|| set("TIDEGATE_ENDPOINT"))
            .or_else(|| profile.as_ref().map(|p| p.endpoint.clone()))
            .ok_or(ClientError::NoEndpoint)?;
        let access_key = access_key(flags.access_key_id, &set, profile.as_ref())?;
        let ca_file = flags.ca_file.or_else(|| profile.and_then(|p| p.ca_file));
        Ok(Self { endpoint: Endpoint::parse(&endpoint)?, access_key, ca_file })
    }
}

/// The named profile, which must be there; else the default one, which may be missing.
fn load(flags: &Flags, env: &BTreeMap<String, String>) -> Result<Option<Profile>, ClientError> {
    let Some(path) = profile::path(env) else { return Ok(None) };
    let complete = ["TIDEGATE_ENDPOINT", "TIDEGATE_ACCESS_KEY_ID", "TIDEGATE_ACCESS_KEY_SECRET"].iter().all(|v| env.contains_key(*v));
    if complete && flags.profile.is_none() {
        return Ok(None);
    }
    let name = flags.profile.as_deref().unwrap_or(profile::DEFAULT);
    let found = Profiles::load(&path)?.profiles.remove(name);
    match (found, &flags.profile) {
        (None, Some(name)) => Err(ClientError::NoProfile { name: name.clone(), path }),
        (found, _) => Ok(found),
    }
}

/// An id takes its secret from beside it; one that came from a flag takes whichever secret is known for it.
fn access_key(flag: Option<String>, set: &dyn Fn(&str) -> Option<String>, profile: Option<&Profile>) -> Result<AccessKey, ClientError> {
    let from_env = || set("TIDEGATE_ACCESS_KEY_SECRET").map(Secret::new);
    let security_token = set("TIDEGATE_SECURITY_TOKEN").map(Secret::new);
    let asked = flag.or_else(|| set("TIDEGATE_ACCESS_KEY_ID"));
    match (asked, profile) {
        (Some(id), profile) => {
            let kept = || profile.filter(|p| p.access_key_id == id).map(|p| p.access_key_secret.clone());
            let secret = from_env().or_else(kept).ok_or_else(|| ClientError::NoSecret { id: id.clone() })?;
            Ok(AccessKey { id, secret, security_token })
        }
        (None, Some(p)) => Ok(AccessKey { id: p.access_key_id.clone(), secret: p.access_key_secret.clone(), security_token: None }),
        (None, None) => Err(ClientError::NoAccessKey),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Home(tempfile::TempDir);

    impl Home {
        fn new() -> Self {
            let home = Self(tempfile::tempdir().unwrap());
            let profile = |endpoint: &str, id: &str| Profile {
                endpoint: endpoint.to_owned(),
                access_key_id: id.to_owned(),
                access_key_secret: Secret::new(format!("{id}-secret")),
                ca_file: None,
            };
            let named = [(profile::DEFAULT, profile("http://default:1", "D")), ("work", profile("https://work", "W"))];
            let profiles = Profiles { profiles: named.map(|(n, p)| (n.to_owned(), p)).into() };
            profiles.save(&profile::path(&home.env(&[])).unwrap()).unwrap();
            home
        }

        fn env(&self, more: &[(&str, &str)]) -> BTreeMap<String, String> {
            let own = [("HOME", self.0.path().to_str().unwrap())];
            own.iter().chain(more).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
        }

        fn resolve(&self, flags: Flags, env: &[(&str, &str)]) -> Result<(String, String, String), ClientError> {
            let target = Target::resolve(flags, &self.env(env))?;
            Ok((target.endpoint.to_string(), target.access_key.id, target.access_key.secret.reveal().to_owned()))
        }
    }

    fn found(endpoint: &str, id: &str, secret: &str) -> (String, String, String) {
        (endpoint.to_owned(), id.to_owned(), secret.to_owned())
    }

    const ALL: [(&str, &str); 3] =
        [("TIDEGATE_ENDPOINT", "http://env:2"), ("TIDEGATE_ACCESS_KEY_ID", "E"), ("TIDEGATE_ACCESS_KEY_SECRET", "E-secret")];

    #[test]
    fn flags_before_environment_before_profile() {
        let home = Home::new();
        assert_eq!(home.resolve(Flags::default(), &[]).unwrap(), found("http://default:1", "D", "D-secret"));
        assert_eq!(home.resolve(Flags::default(), &ALL).unwrap(), found("http://env:2", "E", "E-secret"));
        let flags = Flags { endpoint: Some("http://flag:3".to_owned()), ..Flags::default() };
        assert_eq!(home.resolve(flags, &ALL).unwrap(), found("http://flag:3", "E", "E-secret"));
        let flags = Flags { profile: Some("work".to_owned()), ..Flags::default() };
        assert_eq!(home.resolve(flags, &[]).unwrap(), found("https://work", "W", "W-secret"));
    }

    #[test]
    fn a_secret_is_never_sent_with_an_id_it_does_not_belong_to() {
        let home = Home::new();
        let flags = |id: &str| Flags { access_key_id: Some(id.to_owned()), ..Flags::default() };
        assert_eq!(home.resolve(flags("D"), &[]).unwrap().2, "D-secret");
        assert!(matches!(home.resolve(flags("X"), &[]), Err(ClientError::NoSecret { .. })));
        assert!(matches!(home.resolve(Flags::default(), &ALL[..2]), Err(ClientError::NoSecret { .. })));
    }

    #[test]
    fn a_profile_that_is_named_must_be_there() {
        let home = Home::new();
        let flags = Flags { profile: Some("nowhere".to_owned()), ..Flags::default() };
        assert!(matches!(home.resolve(flags, &ALL), Err(ClientError::NoProfile { .. })));
    }

    #[test]
    fn whoever_has_nothing_is_told_what_to_do() {
        let error = Target::resolve(Flags::default(), &BTreeMap::new()).unwrap_err();
        assert!(error.to_string().contains("tidegate configure"), "{error}");
    }
}
