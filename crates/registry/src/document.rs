//! Reads manifests: leniently where the specification is, strictly where two readers could see two documents.
//!
//! OCI image specification 1.1 ("Image Manifest", "Image Index") and Docker's "Image Manifest Version 2, Schema 2".

use std::collections::{BTreeMap, BTreeSet};

use model::{Digest, MediaType};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::RegistryError;
use crate::sound::Sound;

/// The largest manifest that is taken.
pub(crate) const MAX_BYTES: usize = 4 << 20;
/// The most descriptors in one manifest.
const MAX_DESCRIPTORS: usize = 4096;
/// The longest media type or artifact type.
const MAX_TYPE: usize = 255;

const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// What a manifest says, checked.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) media_type: String,
    pub(crate) artifact_type: Option<String>,
    pub(crate) subject: Option<Digest>,
    /// As JSON; none unless there is a subject, since only referrers lists show them.
    pub(crate) annotations: Option<String>,
    /// An image's configuration.
    pub(crate) config: Option<Digest>,
    /// Blobs that have to be in the repository.
    pub(crate) blobs: Vec<Descriptor>,
    /// Manifests that have to be in the repository.
    pub(crate) manifests: Vec<Descriptor>,
}

/// What a manifest says of one thing it refers to.
#[derive(Clone, Debug)]
pub(crate) struct Descriptor {
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
    pub(crate) size: i64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Image,
    Index,
}

/// Fields as they stand in the document. A field given twice is refused by serde, since readers differ in which one counts.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    schema_version: Option<i64>,
    media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<RawDescriptor>,
    layers: Option<Vec<RawDescriptor>>,
    manifests: Option<Vec<RawDescriptor>>,
    subject: Option<RawDescriptor>,
    annotations: Option<BTreeMap<String, String>>,
    fs_layers: Option<IgnoredAny>,
    blobs: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawDescriptor {
    media_type: Option<String>,
    digest: String,
    size: i64,
}

const FIELDS: [&str; 10] =
    ["schemaVersion", "mediaType", "artifactType", "config", "layers", "manifests", "subject", "annotations", "fsLayers", "blobs"];

fn invalid(reason: impl Into<String>) -> RegistryError {
    RegistryError::ManifestInvalid { reason: reason.into() }
}

fn no_json(error: &serde_json::Error) -> RegistryError {
    invalid(format!("it is not the JSON of a manifest: {error}"))
}

impl Document {
    /// Reads a manifest that came with this media type.
    pub(crate) fn parse(content_type: Option<&MediaType>, content: &[u8]) -> Result<Self, RegistryError> {
        if content.len() > MAX_BYTES {
            return Err(RegistryError::TooLarge { limit: MAX_BYTES as u64 });
        }
        refuse_lookalikes(content)?;
        let raw: Raw = serde_json::from_slice(content).map_err(|e| no_json(&e))?;
        if raw.schema_version != Some(2) {
            return Err(invalid("schemaVersion is not 2"));
        }
        let media_type = raw.agreed_media_type(content_type)?;
        let kind = kind_of(&media_type).ok_or_else(|| invalid(format!("{} is no media type of a manifest", shown(&media_type))))?;
        raw.refuse_mixture(kind)?;
        raw.into_document(kind, media_type)
    }

    /// Where a size is wrong, by what is really there.
    pub(crate) fn check_sizes(&self, there: &BTreeMap<Digest, i64>) -> Result<(), RegistryError> {
        let wrong = self.blobs.iter().chain(&self.manifests).find(|d| there.get(&d.digest).is_some_and(|size| *size != d.size));
        wrong.map_or(Ok(()), |d| Err(invalid(format!("the size of {} is not {}", d.digest, d.size))))
    }
}

/// Each digest once.
pub(crate) fn digests(descriptors: &[Descriptor]) -> Vec<Digest> {
    descriptors.iter().map(|d| d.digest).collect::<BTreeSet<_>>().into_iter().collect()
}

#[expect(clippy::zero_sized_map_values, reason = "serde reads an object into a map alone")]
/// Some readers take `Layers` for `layers`: what they would see in it, we would not. And what stops them must stop us.
fn refuse_lookalikes(content: &[u8]) -> Result<(), RegistryError> {
    let fields = serde_json::from_slice::<BTreeMap<String, Sound>>(content).map_err(|e| no_json(&e))?;
    let alike = |name: &str| FIELDS.iter().any(|f| *f != name && f.eq_ignore_ascii_case(name));
    match fields.keys().find(|name| alike(name)) {
        Some(name) => Err(invalid(format!("the field {name} is spelled in the wrong case"))),
        None => Ok(()),
    }
}

fn kind_of(media_type: &str) -> Option<Kind> {
    match media_type {
        OCI_MANIFEST | DOCKER_MANIFEST => Some(Kind::Image),
        OCI_INDEX | DOCKER_LIST => Some(Kind::Index),
        _ => None,
    }
}

/// Layers with these types may lie elsewhere (image specification, "Non-Distributable Layers").
fn is_distributable(media_type: &str) -> bool {
    let foreign = ["application/vnd.oci.image.layer.nondistributable.v1.tar", "application/vnd.docker.image.rootfs.foreign.diff.tar"];
    !foreign.iter().any(|prefix| media_type.starts_with(prefix))
}

/// Text of a stranger, cut to a length that fits into an answer.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_TYPE).collect()
}

impl Raw {
    fn agreed_media_type(&self, content_type: Option<&MediaType>) -> Result<String, RegistryError> {
        match (content_type, self.media_type.as_deref()) {
            (Some(outside), Some(inside)) if !outside.as_str().eq_ignore_ascii_case(inside) => {
                Err(invalid(format!("it came as {outside}, but its mediaType is {}", shown(inside))))
            }
            (_, Some(inside)) => Ok(inside.to_ascii_lowercase()),
            (Some(outside), None) => match outside.as_str().to_ascii_lowercase() {
                docker if docker.starts_with("application/vnd.docker.") => Err(invalid("mediaType is missing")),
                outside => Ok(outside),
            },
            (None, None) if self.manifests.is_some() => Ok(OCI_INDEX.into()),
            (None, None) => Ok(OCI_MANIFEST.into()),
        }
    }

    /// GHSA-qq97-vm5h-rrhg: what is an image to one reader must not be an index to another.
    fn refuse_mixture(&self, kind: Kind) -> Result<(), RegistryError> {
        let image = self.config.is_some() || self.layers.is_some();
        let foreign = self.fs_layers.is_some() || self.blobs.is_some();
        match kind {
            _ if foreign => Err(invalid("it has fsLayers or blobs, which this media type does not have")),
            Kind::Image if self.manifests.is_some() => Err(invalid("an image manifest has no manifests")),
            Kind::Image if self.config.is_none() => Err(invalid("config is missing")),
            Kind::Index if image => Err(invalid("an index has no config and no layers")),
            Kind::Image | Kind::Index => Ok(()),
        }
    }

    fn into_document(self, kind: Kind, media_type: String) -> Result<Document, RegistryError> {
        let count = self.layers.as_ref().map_or(0, Vec::len) + self.manifests.as_ref().map_or(0, Vec::len);
        if count > MAX_DESCRIPTORS {
            return Err(invalid(format!("it has more than {MAX_DESCRIPTORS} descriptors")));
        }
        let config = self.config.map(|d| d.check("config")).transpose()?;
        let artifact_type = self.artifact_type.filter(|t| !t.is_empty()).or_else(|| config.as_ref().map(|c| c.media_type.clone()));
        let artifact_type = artifact_type.filter(|t| !t.is_empty());
        if artifact_type.as_ref().is_some_and(|t| t.len() > MAX_TYPE || t.chars().any(char::is_control)) {
            return Err(invalid(format!("artifactType has control characters or more than {MAX_TYPE} bytes")));
        }
        let subject = self.subject.map(|d| d.check("subject")).transpose()?.map(|d| d.digest);
        let annotations = subject.and(self.annotations).map(|a| serde_json::to_string(&a)).transpose();
        let annotations = annotations.map_err(|_| invalid("its annotations cannot be written"))?;
        let config_digest = config.as_ref().map(|d| d.digest);
        let layers = checked(self.layers, "layers")?.into_iter().filter(|d| is_distributable(&d.media_type));
        let mut blobs: Vec<Descriptor> = config.into_iter().chain(layers).collect();
        let mut manifests = checked(self.manifests, "manifests")?;
        if kind == Kind::Index {
            // Build caches are indexes of layers.
            blobs.extend(manifests.extract_if(.., |d| !is_manifest_type(&d.media_type)));
        }
        Ok(Document { media_type, artifact_type, subject, annotations, config: config_digest, blobs, manifests })
    }
}

/// Is this what some registry keeps as a manifest? One without a type is one, in an index.
fn is_manifest_type(media_type: &str) -> bool {
    media_type.is_empty() || kind_of(media_type).is_some() || media_type.contains("manifest")
}

fn checked(descriptors: Option<Vec<RawDescriptor>>, field: &str) -> Result<Vec<Descriptor>, RegistryError> {
    descriptors.unwrap_or_default().into_iter().map(|d| d.check(field)).collect()
}

impl RawDescriptor {
    fn check(self, field: &str) -> Result<Descriptor, RegistryError> {
        let digest = self.digest.parse().map_err(|e| invalid(format!("{field}.digest: {e}")))?;
        if self.size < 0 {
            return Err(invalid(format!("{field}.size is negative")));
        }
        let media_type = self.media_type.unwrap_or_default();
        if media_type.len() > MAX_TYPE {
            return Err(invalid(format!("{field}.mediaType is too long")));
        }
        Ok(Descriptor { media_type, digest, size: self.size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn parse(content_type: &str, json: &str) -> Result<Document, String> {
        let content_type = MediaType::parse(content_type).ok();
        Document::parse(
            content_type.as_ref(),
            json.replace('@', &format!(r#"{{"mediaType":"x/y","digest":"{DIGEST}","size":0}}"#)).as_bytes(),
        )
        .map_err(|e| e.to_string())
    }

    #[test]
    fn reads_images_indexes_and_artifacts() {
        let image = parse(OCI_MANIFEST, r#"{"schemaVersion":2,"config":@,"layers":[@,@]}"#).unwrap();
        assert_eq!((image.blobs.len(), image.manifests.len(), digests(&image.blobs).len()), (3, 0, 1));
        assert_eq!(image.artifact_type.as_deref(), Some("x/y"));
        let index = parse("", r#"{"schemaVersion":2,"manifests":[],"artifactType":"a/b","subject":@,"annotations":{"k":"v"}}"#).unwrap();
        assert_eq!((&*index.media_type, index.artifact_type.as_deref()), (OCI_INDEX, Some("a/b")));
        assert_eq!((index.subject.map(|d| d.to_string()).as_deref(), index.annotations.as_deref()), (Some(DIGEST), Some(r#"{"k":"v"}"#)));
        let list = format!(r#"{{"schemaVersion":2,"mediaType":"{DOCKER_LIST}","manifests":null}}"#);
        assert!(parse(DOCKER_LIST, &list).is_ok());
    }

    #[test]
    fn refuses_what_two_readers_could_read_in_two_ways() {
        for (content_type, json, because) in [
            (OCI_MANIFEST, r#"{"schemaVersion":2,"config":@,"layers":[],"manifests":[]}"#, "has no manifests"),
            (OCI_INDEX, r#"{"schemaVersion":2,"layers":[],"manifests":[]}"#, "no config and no layers"),
            (OCI_INDEX, r#"{"schemaVersion":2,"config":@,"manifests":[]}"#, "no config and no layers"),
            (OCI_MANIFEST, r#"{"schemaVersion":2,"config":@,"layers":[],"Manifests":[]}"#, "wrong case"),
            (OCI_MANIFEST, r#"{"schemaVersion":2,"config":@,"layers":[],"layers":[@]}"#, "duplicate field"),
            (OCI_MANIFEST, r#"{"schemaVersion":2,"config":@,"layers":[],"fsLayers":[]}"#, "fsLayers"),
            (OCI_INDEX, r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":@}"#, "but its mediaType"),
        ] {
            let error = parse(content_type, json).unwrap_err();
            assert!(error.contains(because), "{json}: {error}");
        }
    }

    #[test]
    fn refuses_what_is_no_manifest() {
        for (content_type, json, because) in [
            (OCI_MANIFEST, "", "not the JSON"),
            (OCI_MANIFEST, "[]", "not the JSON"),
            (OCI_MANIFEST, "{}", "schemaVersion"),
            (OCI_MANIFEST, r#"{"schemaVersion":1,"config":@}"#, "schemaVersion"),
            (OCI_MANIFEST, r#"{"schemaVersion":2}"#, "config is missing"),
            (DOCKER_MANIFEST, r#"{"schemaVersion":2,"config":@}"#, "mediaType is missing"),
            ("application/json", r#"{"schemaVersion":2,"config":@}"#, "no media type of a manifest"),
            (OCI_MANIFEST, r#"{"schemaVersion":2,"config":{"digest":"md5:00","size":1}}"#, "unsupported digest algorithm"),
            (OCI_MANIFEST, &format!(r#"{{"schemaVersion":2,"config":{{"digest":"{DIGEST}","size":-1}}}}"#), "negative"),
            (OCI_MANIFEST, &format!(r#"{{"schemaVersion":2,"config":@,"annotations":{}}}"#, "[".repeat(100_000)), "not the JSON"),
        ] {
            let error = parse(content_type, json).unwrap_err();
            assert!(error.contains(because), "{}: {error}", json.get(..80).unwrap_or(json));
        }
        let many = format!(r#"{{"schemaVersion":2,"config":@,"layers":[{}@]}}"#, "@,".repeat(MAX_DESCRIPTORS));
        assert!(parse(OCI_MANIFEST, &many).unwrap_err().contains("more than"));
    }

    #[test]
    fn refuses_what_stops_another_reader_in_fields_that_we_pass_over() {
        let with = |field: &[u8]| {
            let json = [br#"{"schemaVersion":2,"manifests":[],"x":"#.as_slice(), field, b"}"].concat();
            Document::parse(MediaType::parse(OCI_INDEX).ok().as_ref(), &json).map_err(|e| e.to_string())
        };
        assert!(with(br#"[1,-1,1.5,null,true,"a",{"b":{}}]"#).is_ok());
        let deep = "[".repeat(200) + &"]".repeat(200);
        for bad in [b"\"\xff\"".as_slice(), br#""\ud800""#, b"1e999", deep.as_bytes()] {
            assert!(with(bad).unwrap_err().contains("not the JSON"), "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn non_distributable_layers_need_not_be_here() {
        let foreign = format!(
            r#"{{"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","digest":"{DIGEST}","size":7,"urls":["https://x"]}}"#
        );
        let image = parse(OCI_MANIFEST, &format!(r#"{{"schemaVersion":2,"config":@,"layers":[{foreign}]}}"#)).unwrap();
        assert_eq!(image.blobs.len(), 1);
    }
}
