//! Every kind of name, reference and digest: what is taken is printed as it was written and read back as the same.
#![no_main]

use std::fmt::Display;
use std::str::FromStr;

use libfuzzer_sys::fuzz_target;
use model::{Digest, InstanceName, LoginName, MediaType, NamespaceName, PolicyName, Reference, Region, RepositoryName, Tag, Timestamp};

fuzz_target!(|text: &str| {
    as_written::<NamespaceName>(text);
    as_written::<Tag>(text);
    as_written::<InstanceName>(text);
    as_written::<Region>(text);
    as_written::<LoginName>(text);
    as_written::<PolicyName>(text);
    as_written::<Digest>(text);
    if let Some(name) = as_written::<RepositoryName>(text) {
        hold(&name);
    }
    if let Ok(media_type) = MediaType::parse(text) {
        assert_eq!(MediaType::parse(media_type.as_str()), Ok(media_type.clone()));
    }
    if let Ok(reference) = Reference::parse(text) {
        assert_eq!(reference.to_string(), text);
        assert_eq!(matches!(reference, Reference::Digest(_)), text.contains(':'), "a tag is never taken for a digest");
    }
    if let Some(time) = Timestamp::parse(text) {
        assert_eq!(Timestamp::parse(&time.to_string()), Some(time));
    }
});

fn as_written<T: FromStr + Display>(text: &str) -> Option<T> {
    let name: T = text.parse().ok()?;
    assert_eq!(name.to_string(), text);
    Some(name)
}

/// What a path of a file system or a URL would read differently from us stands in no name.
fn hold(name: &RepositoryName) {
    let text = name.as_str();
    assert!(text.len() <= RepositoryName::MAX);
    for wrong in ["..", "//", "%", "\\", ";", "?", "#", " ", "\0"] {
        assert!(!text.contains(wrong), "{text}");
    }
    assert!(text.bytes().all(|b| b.is_ascii_graphic() && !b.is_ascii_uppercase()));
    let namespace = name.namespace();
    let whole =
        if namespace.is_root() { name.within_namespace().to_owned() } else { format!("{namespace}/{}", name.within_namespace()) };
    assert_eq!(whole, text);
}
