//! Names: repositories, namespaces, tags, references, instances, login names.
//!
//! Repository names and tags follow the OCI distribution specification 1.1, "Pulling manifests": `<name>` and `<reference>`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::Digest;

/// Why a text is not the name it should be. `what` is the noun, `rule` what it has to look like.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("invalid {what}: {rule}")]
pub struct NameError {
    /// The noun: "repository name", "tag" …
    pub what: &'static str,
    /// What it has to look like.
    pub rule: &'static str,
}

/// A repository's full name, `NAMESPACE/REPOSITORY` or one segment in the root namespace. At most 255 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName(Arc<str>);

const REPOSITORY: NameError = NameError {
    what: "repository name",
    rule: "at most 255 characters: lower-case letters and digits, separated by one of . _ __ or dashes, in segments separated by /",
};

impl RepositoryName {
    /// The longest name.
    pub const MAX: usize = 255;

    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let fits = text.len() <= Self::MAX && text.split('/').all(is_path_component);
        if fits { Ok(Self(text.into())) } else { Err(REPOSITORY) }
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The namespace: the first segment of several, else the root namespace.
    pub fn namespace(&self) -> NamespaceName {
        self.0.split_once('/').map_or_else(NamespaceName::root, |(first, _)| NamespaceName(first.into()))
    }

    /// The part behind the namespace.
    pub fn within_namespace(&self) -> &str {
        self.0.split_once('/').map_or(&self.0, |(_, rest)| rest)
    }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*` without a regular expression.
fn is_path_component(text: &str) -> bool {
    let alphanumeric = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    if !bytes.first().is_some_and(alphanumeric) || !bytes.last().is_some_and(alphanumeric) {
        return false;
    }
    bytes.split(|b| alphanumeric(b)).all(|separator| matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|b| *b == b'-'))
}

/// A namespace: the first segment of its repositories' names, or the root namespace of names with one segment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamespaceName(Arc<str>);

impl NamespaceName {
    /// How the root namespace is spelled where a namespace must be named: no repository's first segment can be this.
    pub const ROOT: &'static str = "_";

    /// The namespace of repositories whose name has one segment.
    pub fn root() -> Self {
        Self(Self::ROOT.into())
    }

    /// Is this the root namespace?
    pub fn is_root(&self) -> bool {
        &*self.0 == Self::ROOT
    }

    /// Reads a name of at most 120 characters; `_` is the root namespace.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text == Self::ROOT || (text.len() <= 120 && is_path_component(text)) {
            return Ok(Self(text.into()));
        }
        Err(NameError {
            what: "namespace name",
            rule: "at most 120 characters: lower-case letters and digits, separated by one of . _ __ or dashes",
        })
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A tag: at most 128 characters of letters, digits, `_ . -`, not starting with `.` or `-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Arc<str>);

impl Tag {
    /// Reads a tag.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let fits = text.len() <= 128 && text.bytes().next().is_some_and(word) && text.bytes().all(|b| word(b) || b == b'.' || b == b'-');
        if fits {
            return Ok(Self(text.into()));
        }
        Err(NameError { what: "tag", rule: "at most 128 characters: letters, digits, _ . and -, not starting with . or -" })
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a manifest is asked for by.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Reference {
    /// By tag: may mean something else tomorrow.
    Tag(Tag),
    /// By digest: means the same for ever.
    Digest(Digest),
}

impl Reference {
    /// Reads a digest if there is a colon, else a tag.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.contains(':') {
            let rule = "an algorithm (sha256, sha512), a colon and lower-case hex digits";
            return text.parse().map(Self::Digest).map_err(|_| NameError { what: "digest", rule });
        }
        Tag::parse(text).map(Self::Tag)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

/// An instance's name: 5 to 50 characters in general, `local` included; it is part of host names, so letters, digits, dashes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceName(Arc<str>);

impl InstanceName {
    /// Reads a name: 3 to 50 lower-case letters, digits and dashes, starting with a letter, not ending in a dash, never like an id.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let fits = (3..=50).contains(&text.len())
            && text.bytes().all(inner)
            && text.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
            && !text.ends_with('-')
            && !text.starts_with("cri-");
        if fits {
            return Ok(Self(text.into()));
        }
        Err(NameError {
            what: "instance name",
            rule: "3 to 50 lower-case letters, digits and dashes, starting with a letter, not ending in a dash, not starting with cri-",
        })
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A named network: where requests may come from, as the server's configuration says. Fit for a cloud's word too (`vpc-…`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkName(Arc<str>);

impl NetworkName {
    /// What stands for the public endpoint where an endpoint is named; `internet` is a cloud's word for it.
    const RESERVED: [&str; 2] = ["public", "internet"];

    /// Reads a name: 1 to 64 lower-case letters, digits and dashes, starting with a letter, never `public` or `internet`.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(inner)
            && text.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
            && !Self::RESERVED.contains(&text);
        if fits {
            return Ok(Self(text.into()));
        }
        Err(NameError {
            what: "network name",
            rule: "1 to 64 lower-case letters, digits and dashes, starting with a letter, and neither `public` nor `internet`",
        })
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A region: where an instance stands. `local` unless told otherwise.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(Arc<str>);

impl Region {
    /// Reads a region: 2 to 32 lower-case letters, digits and dashes.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let fits = (2..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits {
            return Ok(Self(text.into()));
        }
        Err(NameError { what: "region", rule: "2 to 32 lower-case letters, digits and dashes" })
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a user, service account or instance in the account's one space of login names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoginName(Arc<str>);

impl LoginName {
    /// Names that nobody can take.
    pub const RESERVED: [&'static str; 3] = ["root", "cr_temp_user", "temp_user_cr"];

    /// Reads a new name: 1 to 64 letters, digits and `. - _`; not reserved, not all digits, not a UUID.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
        let reserved = Self::RESERVED.contains(&text) || text.bytes().all(|b| b.is_ascii_digit()) || uuid::Uuid::try_parse(text).is_ok();
        match (fits, reserved) {
            (true, false) => Ok(Self(text.into())),
            (true, true) => {
                Err(NameError { what: "user name", rule: "this one is reserved (root, cr_temp_user, temp_user_cr, all digits, UUIDs)" })
            }
            (false, _) => Err(NameError { what: "user name", rule: "1 to 64 letters, digits and . - _" }),
        }
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An account's alias: as good as its id in `NAME@ACCOUNT`, and unique in the server.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountAlias(Arc<str>);

impl AccountAlias {
    /// Reads an alias: 3 to 50 lower-case letters, digits and dashes, not digits alone, no dash at either end.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let fits = (3..=50).contains(&text.len())
            && text.bytes().all(inner)
            && !text.bytes().all(|b| b.is_ascii_digit())
            && !text.starts_with('-')
            && !text.ends_with('-');
        if fits {
            return Ok(Self(text.into()));
        }
        let rule = "3 to 50 lower-case letters, digits and dashes, not digits alone, no dash at either end";
        Err(NameError { what: "account alias", rule })
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A policy's name: 1 to 128 letters, digits and dashes (RAM, CreatePolicy).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyName(Arc<str>);

impl PolicyName {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let fits = (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if fits {
            return Ok(Self(text.into()));
        }
        Err(NameError { what: "policy name", rule: "1 to 128 letters, digits and dashes" })
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A group's name: 1 to 64 letters, digits and `. - _`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupName(Arc<str>);

/// A role's name: 1 to 64 letters, digits and `. - _`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleName(Arc<str>);

macro_rules! words {
    ($($name:ident $what:literal),*) => {$(
        impl $name {
            /// Reads a name. All digits are an id's.
            pub fn parse(text: &str) -> Result<Self, NameError> {
                let word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
                let fits = (1..=64).contains(&text.len()) && text.bytes().all(word) && !text.bytes().all(|b| b.is_ascii_digit());
                if fits { Ok(Self(text.into())) } else { Err(NameError { what: $what, rule: "1 to 64 letters, digits and . - _, not digits alone" }) }
            }

            /// As written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    )*};
}

words!(GroupName "group name", RoleName "role name");

/// A media type without parameters (RFC 6838 section 4.2), lower case as given.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaType(Arc<str>);

impl MediaType {
    /// Reads `type/subtype`, at most 255 bytes; parameters behind `;` are dropped.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let essence = text.split(';').next().unwrap_or_default().trim();
        let token = |part: &str| {
            !part.is_empty() && part.len() <= 127 && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
        };
        if essence.split_once('/').is_some_and(|(kind, sub)| token(kind) && token(sub)) {
            return Ok(Self(essence.into()));
        }
        Err(NameError { what: "media type", rule: "type/subtype" })
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! shown_as_written {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::parse(text)
            }
        }
    )*};
}

shown_as_written!(
    RepositoryName,
    NamespaceName,
    Tag,
    InstanceName,
    NetworkName,
    Region,
    LoginName,
    AccountAlias,
    PolicyName,
    GroupName,
    RoleName,
    MediaType
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repository_names_follow_the_specification() {
        for good in ["a", "demo/app", "a/b/c", "a.b_c__d-e---f/0", "blobs/uploads", &"a".repeat(255)] {
            assert!(RepositoryName::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            "A",
            "a..b",
            "a___b",
            "a_-b",
            "-a",
            "a-",
            ".",
            "..",
            "a/../b",
            "a%2fb",
            "a b",
            "é",
            &"a".repeat(256),
        ] {
            assert!(RepositoryName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_first_segment_is_the_namespace() {
        let name = RepositoryName::parse("a/b/c").unwrap();
        assert_eq!((name.namespace().as_str(), name.within_namespace()), ("a", "b/c"));
        let name = RepositoryName::parse("busybox").unwrap();
        assert!(name.namespace().is_root());
        assert_eq!(name.within_namespace(), "busybox");
        assert!(RepositoryName::parse("_/a").is_err(), "nobody can name the root namespace in a repository's name");
    }

    #[test]
    fn tags_and_references() {
        for good in ["latest", "v1.0", "_x", "A-b.c_", &"t".repeat(128)] {
            assert!(Tag::parse(good).is_ok(), "{good}");
        }
        for bad in ["", ".a", "-a", "a/b", "a:b", "a b", &"t".repeat(129)] {
            assert!(Tag::parse(bad).is_err(), "{bad}");
        }
        assert!(matches!(Reference::parse(&Digest::sha256(b"").to_string()), Ok(Reference::Digest(_))));
        assert!(Reference::parse("sha256:00").is_err());
    }

    #[test]
    fn reserved_login_names_cannot_be_taken() {
        for bad in
            ["root", "cr_temp_user", "temp_user_cr", "123", "00000000-0000-0000-0000-000000000000", "tcr$x", "tcr@x", "", "a b", "<token>"]
        {
            assert!(LoginName::parse(bad).is_err(), "{bad}");
        }
        assert!(LoginName::parse("alice.b-c_1").is_ok());
    }

    #[test]
    fn no_network_is_named_like_the_public_endpoint() {
        for good in ["office", "vpc-bp1a2b3c", "a", &"n".repeat(64)] {
            assert!(NetworkName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "public", "internet", "Office", "1a", "a b", "a=b", "a,b", &"n".repeat(65)] {
            assert!(NetworkName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_alias_is_never_mistaken_for_an_id() {
        for good in ["abc", "a1-b", "0x0", &"a".repeat(50)] {
            assert!(AccountAlias::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "ab", "123", "1234567890123456", "-ab", "ab-", "Abc", "a.b", "a@b", "a b", "\u{e4}bc", &"a".repeat(51)] {
            assert!(AccountAlias::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn media_types_lose_their_parameters() {
        assert_eq!(MediaType::parse("application/json; charset=utf-8").unwrap().as_str(), "application/json");
        for bad in ["", "json", "/", "a/", "a/b/c", "a b/c"] {
            assert!(MediaType::parse(bad).is_err(), "{bad}");
        }
    }
}
