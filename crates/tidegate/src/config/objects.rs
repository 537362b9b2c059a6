//! Object storage as settings name it: `blobs = "s3://BUCKET/PREFIX"` and what belongs to it.

use std::path::PathBuf;

use blobs::ObjectProtocol;
use model::NetworkName;
use registry::Redirects;

/// Where blobs are kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum BlobPlace {
    /// A folder.
    Directory(PathBuf),
    /// A bucket.
    Objects(Box<ObjectConfig>),
}

/// A bucket, and how it is reached. Credentials are looked for when it is opened: none is a setting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ObjectConfig {
    pub(crate) protocol: ObjectProtocol,
    pub(crate) bucket: String,
    pub(crate) prefix: String,
    pub(crate) endpoint: Option<String>,
    pub(crate) region: Option<String>,
    /// None: as the endpoint is.
    pub(crate) path_style: Option<bool>,
    pub(crate) credentials: CredentialSource,
    pub(crate) profile: Option<String>,
    pub(crate) ca_file: Option<PathBuf>,
}

/// Where credentials for object storage come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CredentialSource {
    /// The first that there is of environment, web identity, profile, container.
    Auto,
    Environment,
    WebIdentity,
    Profile,
    Container,
    Instance,
}

const SCHEMES: [(&str, ObjectProtocol); 3] =
    [("s3://", ObjectProtocol::S3), ("gs://", ObjectProtocol::Google), ("az://", ObjectProtocol::Azure)];

/// A URL's protocol, bucket and prefix; none: a path. What looks like a URL and is none of ours is refused, without repeating it:
/// somebody may have written a secret into it.
pub(super) fn parse(text: &str) -> Result<Option<(ObjectProtocol, String, String)>, &'static str> {
    let Some((scheme, protocol)) = SCHEMES.iter().find(|(scheme, _)| text.starts_with(scheme)) else {
        return if looks_like_url(text) {
            Err("expected a path, `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`")
        } else {
            Ok(None)
        };
    };
    let rest = text.get(scheme.len()..).unwrap_or_default();
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if !is_bucket(bucket) {
        return Err(
            "the bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens, and nothing else: no credentials, no port",
        );
    }
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    if !is_prefix(prefix) {
        return Err("the prefix has letters, digits, `.`, `_`, `-` and single slashes");
    }
    Ok(Some((*protocol, bucket.to_owned(), prefix.to_owned())))
}

/// `S3://b`, `s3:/b`, `s4://b`, but not `./s3` or `/x`.
fn looks_like_url(text: &str) -> bool {
    text.contains("://")
        || text
            .split_once(':')
            .is_some_and(|(scheme, rest)| scheme.len() <= 5 && scheme.bytes().all(|b| b.is_ascii_alphanumeric()) && rest.starts_with('/'))
}

fn is_bucket(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    (3..=63).contains(&name.len()) && name.bytes().all(fits) && !name.starts_with(['-', '.']) && !name.ends_with(['-', '.'])
}

fn is_prefix(prefix: &str) -> bool {
    let segment = |s: &str| !s.is_empty() && s != "." && s != ".." && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    prefix.len() <= 512 && (prefix.is_empty() || prefix.split('/').all(segment))
}

/// `https://HOST[:PORT]`, or `http://…`: no path, no credentials.
pub(super) fn is_endpoint(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| kit::Host::parse(host.strip_suffix('/').unwrap_or(host)).is_ok())
}

/// `off`, `on`, or the names of networks, `public` for requests from none.
pub(super) fn redirects(texts: &[String], known: impl Fn(&NetworkName) -> bool) -> Result<Redirects, String> {
    match texts {
        [] => return Ok(Redirects::Off),
        [one] if one == "off" => return Ok(Redirects::Off),
        [one] if one == "on" => return Ok(Redirects::On),
        _ => {}
    }
    let (public, named): (Vec<_>, Vec<_>) = texts.iter().partition(|text| *text == "public");
    let network = |text: &String| {
        let name = NetworkName::parse(text).ok().filter(|name| known(name));
        name.ok_or_else(|| format!("`{text}` is no named network; expected `off`, `on`, or names of networks"))
    };
    Ok(Redirects::From { public: !public.is_empty(), networks: named.into_iter().map(network).collect::<Result<_, _>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_or_refused_and_never_a_folder() {
        for (text, bucket, prefix) in [("s3://abc", "abc", ""), ("s3://a-b.c/", "a-b.c", ""), ("s3://abc/x/y_z/", "abc", "x/y_z")] {
            assert_eq!(parse(text), Ok(Some((ObjectProtocol::S3, bucket.to_owned(), prefix.to_owned()))), "{text}");
        }
        for text in ["./blobs", "/var/blobs", "blobs", "s3", "s3/x", "C"] {
            assert_eq!(parse(text), Ok(None), "{text}");
        }
        for text in [
            "S3://abc",
            "s4://abc",
            "s3:/abc",
            "file:///x",
            "https://s3.example/abc",
            "s3://",
            "s3://ab",
            "s3://Abc",
            "s3://key:hunter2@abc",
            "s3://abc:9000/x",
            "s3://abc/x//y",
            "s3://abc/../y",
            "s3://abc/x?versioning",
            "gs://-abc",
            "az://abc.",
        ] {
            let problem = parse(text).unwrap_err();
            assert!(!problem.contains("hunter2"), "{text}: {problem}");
        }
    }

    #[test]
    fn an_endpoint_is_a_host() {
        for (text, is) in [
            ("https://s3.example", true),
            ("http://127.0.0.1:9000", true),
            ("http://127.0.0.1:9000/", true),
            ("s3.example", false),
            ("https://s3.example/bucket", false),
            ("https://key:secret@s3.example", false),
        ] {
            assert_eq!(is_endpoint(text), is, "{text}");
        }
    }

    #[test]
    fn redirects_are_for_everybody_nobody_or_networks_that_exist() {
        let read =
            |texts: &[&str]| redirects(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>(), |name| name.as_str() == "office");
        assert!(matches!(read(&[]), Ok(Redirects::Off)));
        assert!(matches!(read(&["on"]), Ok(Redirects::On)));
        assert!(matches!(read(&["office", "public"]), Ok(Redirects::From { public: true, networks }) if networks.len() == 1));
        for wrong in [&["lab"][..], &["on", "office"], &["off", "on"], &["yes"]] {
            assert!(read(wrong).unwrap_err().contains("is no named network"), "{wrong:?}");
        }
    }
}
