//! Object storage from settings and environment: who we are there, by the names that the vendors' own tools look at.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use blobs::{ObjectProtocol, ObjectStorage};
use zeroize::Zeroizing;

use crate::config::{CredentialSource, ObjectConfig};

/// The environment, as far as it can be read.
type Environment = BTreeMap<String, String>;
/// Options by `object_store`'s names.
type Options = Vec<(String, Zeroizing<String>)>;

/// Variables of the vendors' tools that are passed on, in lower case the options' names.
const GOOGLE: &[&str] = &["GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_SERVICE_ACCOUNT", "GOOGLE_SERVICE_ACCOUNT_KEY"];
const AZURE: &[&str] = &[
    "AZURE_STORAGE_ACCOUNT_NAME",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_SAS_KEY",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_TENANT_ID",
    "AZURE_FEDERATED_TOKEN_FILE",
];
/// The largest file of profiles that is read.
const MAX_PROFILES_BYTES: u64 = 1 << 20;

/// What `blobs` opens, or what is missing; no value of a secret is in that.
pub(crate) fn storage(config: &ObjectConfig, environment: impl Iterator<Item = (String, String)>) -> Result<ObjectStorage, String> {
    let environment: Environment = environment.filter(|(_, value)| !value.is_empty()).collect();
    let options = match config.protocol {
        ObjectProtocol::S3 => s3(config, &environment)?,
        ObjectProtocol::Google => vendor(config, &environment, GOOGLE, None, "google_base_url")?,
        ObjectProtocol::Azure => vendor(config, &environment, AZURE, Some("AZURE_STORAGE_ACCOUNT_NAME"), "azure_storage_endpoint")?,
    };
    let authorities = config.ca_file.as_deref().map(authorities).transpose()?;
    Ok(ObjectStorage { protocol: config.protocol, bucket: config.bucket.clone(), prefix: config.prefix.clone(), options, authorities })
}

fn authorities(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|cause| format!("`object_storage.ca_file` {} cannot be read: {cause}", path.display()))
}

fn option(name: &str, value: impl Into<String>) -> (String, Zeroizing<String>) {
    (name.to_owned(), Zeroizing::new(value.into()))
}

fn s3(config: &ObjectConfig, environment: &Environment) -> Result<Options, String> {
    let profile = Profile::of(config, environment);
    let mut options = match config.credentials {
        CredentialSource::Auto => first(config, environment, &profile),
        CredentialSource::Environment => keys(environment),
        CredentialSource::WebIdentity => web_identity(environment),
        CredentialSource::Profile => profile.keys(),
        CredentialSource::Container => container(environment),
        CredentialSource::Instance => Ok(Vec::new()),
    }?;
    let region = config.region.clone().or_else(|| environment.get("AWS_REGION").cloned());
    let region = region.or_else(|| environment.get("AWS_DEFAULT_REGION").cloned()).or_else(|| profile.region());
    // Servers that are not AWS take this name for theirs, whatever they are.
    let region = region.or_else(|| config.endpoint.as_ref().map(|_| "us-east-1".to_owned()));
    let region =
        region.ok_or("no region: set `object_storage.region` or AWS_REGION (or `object_storage.endpoint` for a server that is not AWS)")?;
    options.push(option("aws_region", region));
    options.extend(endpoint(config));
    Ok(options)
}

/// Where and how; over TLS the content is not signed besides.
fn endpoint(config: &ObjectConfig) -> Options {
    let path_style = config.path_style.unwrap_or(config.endpoint.is_some());
    let mut options = vec![option("aws_virtual_hosted_style_request", (!path_style).to_string())];
    let plain = config.endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://"));
    options.push(option("aws_allow_http", plain.to_string()));
    options.push(option("aws_unsigned_payload", (!plain).to_string()));
    if let Some((scheme, host)) = config.endpoint.as_ref().and_then(|endpoint| endpoint.split_once("://")) {
        let host = host.trim_end_matches('/');
        let place = if path_style { format!("{scheme}://{host}") } else { format!("{scheme}://{}.{host}", config.bucket) };
        options.push(option("aws_endpoint", place));
    }
    options
}

/// The first source that there is. Asking a cloud's metadata service is never tried unasked: elsewhere it only hangs.
fn first(config: &ObjectConfig, environment: &Environment, profile: &Profile) -> Result<Options, String> {
    if config.profile.is_some() {
        return profile.keys();
    }
    let has = |name: &str| environment.contains_key(name);
    if has("AWS_ACCESS_KEY_ID") || has("AWS_SECRET_ACCESS_KEY") {
        return keys(environment);
    }
    if has("AWS_WEB_IDENTITY_TOKEN_FILE") {
        return web_identity(environment);
    }
    if has("AWS_PROFILE") || profile.is_there() {
        return profile.keys();
    }
    container(environment).map_err(|_| {
        format!(
            "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, or a \
             profile in {}; for those of an EC2 instance set `object_storage.credentials` to `instance`",
            profile.path.display()
        )
    })
}

/// Each variable of `wanted` as an option, or the name of the first that is not set.
fn taken(environment: &Environment, wanted: &[&str]) -> Result<Options, String> {
    let take = |name: &&str| match environment.get(*name) {
        Some(value) => Ok(option(&name.to_ascii_lowercase(), value.clone())),
        None => Err(format!("{name} is not set")),
    };
    wanted.iter().map(take).collect()
}

fn keys(environment: &Environment) -> Result<Options, String> {
    let mut options = taken(environment, &["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])?;
    options.extend(taken(environment, &["AWS_SESSION_TOKEN"]).unwrap_or_default());
    Ok(options)
}

fn web_identity(environment: &Environment) -> Result<Options, String> {
    let mut options = taken(environment, &["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"])?;
    let session = environment.get("AWS_ROLE_SESSION_NAME").map_or("tidegate", String::as_str);
    options.push(option("aws_role_session_name", session));
    options.extend(taken(environment, &["AWS_ENDPOINT_URL_STS"]).unwrap_or_default());
    Ok(options)
}

fn container(environment: &Environment) -> Result<Options, String> {
    let pod = ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"];
    taken(environment, &["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]).or_else(|_| taken(environment, &pod))
}

/// Google and Azure: what their own tools look at.
fn vendor(
    config: &ObjectConfig,
    environment: &Environment,
    names: &[&str],
    needed: Option<&str>,
    endpoint: &str,
) -> Result<Options, String> {
    let mut options: Options = names.iter().filter_map(|name| taken(environment, &[name]).ok()).flatten().collect();
    if let Some(name) = needed.filter(|name| !environment.contains_key(*name)) {
        return Err(format!("no account: {name} is not set"));
    }
    if options.len() <= usize::from(needed.is_some()) && config.credentials != CredentialSource::Instance {
        return Err(format!(
            "no credentials: set one of {}; for those of the machine set `object_storage.credentials` to `instance`",
            names.join(", ")
        ));
    }
    options.extend(config.endpoint.as_ref().map(|place| option(endpoint, place.trim_end_matches('/'))));
    Ok(options)
}

/// A profile of the shared credentials file.
struct Profile {
    name: String,
    path: PathBuf,
    /// What the file says of it, and of its region.
    found: Option<Vec<(String, Zeroizing<String>)>>,
}

impl Profile {
    fn of(config: &ObjectConfig, environment: &Environment) -> Self {
        let name = config.profile.clone().or_else(|| environment.get("AWS_PROFILE").cloned()).unwrap_or_else(|| "default".to_owned());
        let folder = PathBuf::from(environment.get("HOME").map_or("", String::as_str)).join(".aws");
        let path = environment.get("AWS_SHARED_CREDENTIALS_FILE").map_or_else(|| folder.join("credentials"), PathBuf::from);
        let settings = environment.get("AWS_CONFIG_FILE").map_or_else(|| folder.join("config"), PathBuf::from);
        let mut found = read(&path).and_then(|text| section(&text, &name));
        // There its head says `profile`, save for the default one.
        let heads = [name.clone(), format!("profile {name}")];
        if let Some(more) = read(&settings).and_then(|text| heads.iter().find_map(|head| section(&text, head))) {
            found.get_or_insert_default().extend(more);
        }
        Self { name, path, found }
    }

    fn is_there(&self) -> bool {
        self.value("aws_access_key_id").is_some()
    }

    fn value(&self, key: &str) -> Option<&str> {
        self.found.iter().flatten().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    fn region(&self) -> Option<String> {
        self.value("region").map(str::to_owned)
    }

    fn keys(&self) -> Result<Options, String> {
        let take = |key: &str| self.value(key).map(|value| option(key, value));
        let missing = |key: &str| format!("the profile `{}` in {} has no `{key}`", self.name, self.path.display());
        let needed = ["aws_access_key_id", "aws_secret_access_key"].map(|key| take(key).ok_or_else(|| missing(key)));
        let mut options = needed.into_iter().collect::<Result<Options, _>>()?;
        options.extend(take("aws_session_token"));
        Ok(options)
    }
}

fn read(path: &Path) -> Option<Zeroizing<String>> {
    let small = std::fs::metadata(path).is_ok_and(|about| about.len() <= MAX_PROFILES_BYTES);
    small.then(|| std::fs::read_to_string(path).ok().map(Zeroizing::new)).flatten()
}

/// The lines `key = value` below `[name]`.
fn section(text: &str, name: &str) -> Option<Vec<(String, Zeroizing<String>)>> {
    let head = |line: &str| line.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).map(|head| head.trim().to_owned());
    let mut lines = text.lines().skip_while(|line| head(line).as_deref() != Some(name));
    lines.next()?;
    let own = lines.take_while(|line| head(line).is_none()).filter_map(|line| line.split_once('='));
    Some(own.map(|(key, value)| (key.trim().to_ascii_lowercase(), Zeroizing::new(value.trim().to_owned()))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> ObjectConfig {
        ObjectConfig {
            protocol: ObjectProtocol::S3,
            bucket: "bucket".into(),
            prefix: String::new(),
            endpoint: Some("http://127.0.0.1:9000".into()),
            region: None,
            path_style: None,
            credentials: CredentialSource::Auto,
            profile: None,
            ca_file: None,
        }
    }

    fn made(config: &ObjectConfig, environment: &[(&str, &str)]) -> Result<BTreeMap<String, String>, String> {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let storage = storage(config, environment)?;
        assert!(!format!("{storage:?}").contains("hunter2"));
        Ok(storage.options.into_iter().map(|(name, value)| (name, value.to_string())).collect())
    }

    const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "hunter2")];

    #[test]
    fn credentials_come_from_the_environment() {
        let options = made(&config(), &[KEYS[0], KEYS[1], ("AWS_SESSION_TOKEN", "t")]).unwrap();
        let value = |name: &str| options.get(name).map(String::as_str);
        assert_eq!(
            (value("aws_access_key_id"), value("aws_secret_access_key"), value("aws_session_token")),
            (Some("id"), Some("hunter2"), Some("t"))
        );
        assert_eq!((value("aws_region"), value("aws_endpoint")), (Some("us-east-1"), Some("http://127.0.0.1:9000")));
        assert_eq!((value("aws_virtual_hosted_style_request"), value("aws_unsigned_payload")), (Some("false"), Some("false")));
    }

    #[test]
    fn or_from_a_web_identity() {
        let options = made(&config(), &[("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_ROLE_ARN", "arn")]).unwrap();
        assert_eq!(options.get("aws_role_session_name").map(String::as_str), Some("tidegate"));
        assert_eq!(made(&config(), &[("AWS_WEB_IDENTITY_TOKEN_FILE", "/t")]).unwrap_err(), "AWS_ROLE_ARN is not set");
    }

    #[test]
    fn or_from_a_profile() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("credentials");
        std::fs::write(&file, "[default]\naws_access_key_id = a\n[ci]\naws_access_key_id=b\naws_secret_access_key = hunter2\nregion = r\n")
            .unwrap();
        let at = [("AWS_SHARED_CREDENTIALS_FILE", file.to_str().unwrap())];
        let ci = ObjectConfig { profile: Some("ci".into()), ..config() };
        let options = made(&ci, &at).unwrap();
        assert_eq!(options.get("aws_access_key_id").map(String::as_str), Some("b"));
        assert_eq!(options.get("aws_region").map(String::as_str), Some("r"));
        assert!(made(&config(), &at).unwrap_err().contains("the profile `default`"), "a key without its secret");
        let none = ObjectConfig { profile: Some("none".into()), ..config() };
        assert!(made(&none, &at).unwrap_err().contains("the profile `none`"));
    }

    #[test]
    fn without_any_it_says_what_to_set() {
        let message = made(&config(), &[]).unwrap_err();
        assert!(message.starts_with("no credentials: set AWS_ACCESS_KEY_ID"), "{message}");
        assert_eq!(made(&config(), &KEYS[1..]).unwrap_err(), "AWS_ACCESS_KEY_ID is not set");
        let aws = ObjectConfig { endpoint: None, ..config() };
        assert!(made(&aws, &KEYS).unwrap_err().starts_with("no region"));
        let google = ObjectConfig { protocol: ObjectProtocol::Google, ..config() };
        assert!(made(&google, &[]).unwrap_err().starts_with("no credentials: set one of GOOGLE_APPLICATION_CREDENTIALS"));
        let azure = ObjectConfig { protocol: ObjectProtocol::Azure, ..config() };
        assert!(made(&azure, &[]).unwrap_err().starts_with("no account"));
        assert!(made(&azure, &[("AZURE_STORAGE_ACCOUNT_NAME", "x")]).unwrap_err().starts_with("no credentials"));
    }

    #[test]
    fn a_bucket_may_be_a_part_of_the_host() {
        let hosted = ObjectConfig { path_style: Some(false), endpoint: Some("https://s3.example/".into()), ..config() };
        let options = made(&hosted, &KEYS).unwrap();
        let value = |name: &str| options.get(name).map(String::as_str);
        assert_eq!((value("aws_endpoint"), value("aws_virtual_hosted_style_request")), (Some("https://bucket.s3.example"), Some("true")));
        assert_eq!(value("aws_unsigned_payload"), Some("true"));
        let aws = ObjectConfig { endpoint: None, region: Some("eu-west-1".into()), ..config() };
        assert_eq!(made(&aws, &KEYS).unwrap().get("aws_virtual_hosted_style_request").map(String::as_str), Some("true"));
    }
}
