//! Images as folders (OCI image layout), written here, so that no test needs a network or somebody else's image.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub(crate) use crate::support::docker::tar;

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// A layout that is being written.
pub(crate) struct Layout {
    folder: PathBuf,
}

impl Layout {
    pub(crate) fn new(folder: &Path) -> Self {
        fs::create_dir_all(folder.join("blobs/sha256")).unwrap();
        fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        Self { folder: folder.to_owned() }
    }

    /// An image of these layers, each an uncompressed tar archive, for an architecture; its descriptor.
    pub(crate) fn image(&self, architecture: &str, layers: &[Vec<u8>]) -> Value {
        let layers: Vec<Value> = layers.iter().map(|layer| self.blob(LAYER, layer)).collect();
        self.image_of(architecture, &layers)
    }

    /// An image of layers that are blobs already.
    pub(crate) fn image_of(&self, architecture: &str, layers: &[Value]) -> Value {
        let digests: Vec<&Value> = layers.iter().map(|layer| &layer["digest"]).collect();
        let config = json!({
            "architecture": architecture, "os": "linux", "config": {}, "created": "2024-01-01T00:00:00Z",
            "rootfs": {"type": "layers", "diff_ids": digests},
            "history": layers.iter().map(|_| json!({"created": "2024-01-01T00:00:00Z", "created_by": "test"})).collect::<Vec<_>>(),
        });
        let config = self.blob("application/vnd.oci.image.config.v1+json", config.to_string().as_bytes());
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers});
        let mut descriptor = self.blob(MANIFEST, manifest.to_string().as_bytes());
        descriptor["platform"] = json!({"architecture": architecture, "os": "linux"});
        descriptor
    }

    /// An index of images.
    pub(crate) fn index(&self, manifests: &[Value]) -> Value {
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        self.blob(INDEX, index.to_string().as_bytes())
    }

    /// A layer of this many bytes that no two files compress or deduplicate alike, written piece by piece.
    pub(crate) fn large_layer(&self, size: u64) -> Value {
        const PIECE: u64 = 1024 * 1024;
        let name = self.folder.join("large");
        let (mut file, mut hash) = (fs::File::create(&name).unwrap(), Sha256::new());
        for place in 0..size / PIECE {
            let piece = place.to_be_bytes().repeat(usize::try_from(PIECE / 8).unwrap());
            file.write_all(&piece).unwrap();
            hash.update(&piece);
        }
        let digest = hex::encode(hash.finalize());
        fs::rename(name, self.folder.join("blobs/sha256").join(&digest)).unwrap();
        json!({"mediaType": LAYER, "digest": format!("sha256:{digest}"), "size": size})
    }

    /// Says that the layout's tag `x` is this; the folder.
    pub(crate) fn tagged(self, mut descriptor: Value) -> PathBuf {
        descriptor["annotations"] = json!({"org.opencontainers.image.ref.name": "x"});
        let index = json!({"schemaVersion": 2, "manifests": [descriptor]});
        fs::write(self.folder.join("index.json"), index.to_string()).unwrap();
        self.folder
    }

    fn blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = hex::encode(Sha256::digest(bytes));
        fs::write(self.folder.join("blobs/sha256").join(&digest), bytes).unwrap();
        json!({"mediaType": media_type, "digest": format!("sha256:{digest}"), "size": bytes.len()})
    }
}

/// A layout with one small image for this machine, tagged `x`.
pub(crate) fn small_image(folder: &Path) -> PathBuf {
    let layout = Layout::new(folder);
    let image = layout.image("amd64", &[tar("hello", b"hello")]);
    layout.tagged(image)
}
