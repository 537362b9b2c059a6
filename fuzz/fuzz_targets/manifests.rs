//! Manifests: what is taken means the same to another reader of JSON (GHSA-qq97-vm5h-rrhg), and its size is bounded.
//! The first byte chooses the media type that it comes as; the rest is the manifest.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::MediaType;
use serde_json::Value;

const TYPES: [&str; 5] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/json",
];

fuzz_target!(|input: &[u8]| {
    let Some((choice, content)) = input.split_first() else { return };
    let content_type = TYPES.get(usize::from(choice % 8)).and_then(|text| MediaType::parse(text).ok());
    let Some((media_type, descriptors)) = registry::fuzzing::read_manifest(content_type.as_ref(), content) else { return };
    assert!(TYPES[..4].contains(&media_type.as_str()), "{media_type}");
    assert!(descriptors <= 4096 + 1);
    let other: Value = serde_json::from_slice(content).expect("what is taken is JSON");
    let there = |field: &str| other.get(field).is_some_and(|v| !v.is_null());
    assert_eq!(other["schemaVersion"], 2);
    let is_index = media_type.contains("index") || media_type.contains("list");
    assert!(if is_index { !there("layers") && !there("config") } else { !there("manifests") && there("config") });
    if let Some(inside) = other["mediaType"].as_str() {
        assert!(inside.eq_ignore_ascii_case(&media_type));
        assert!(content_type.is_none_or(|outside| outside.as_str().eq_ignore_ascii_case(inside)));
    }
});
