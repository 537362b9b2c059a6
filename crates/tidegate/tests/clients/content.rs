//! Kinds of content: indexes, referrers, very large, empty and many layers. One client pushes, another looks.

use std::fs;

use serde_json::{Value, json};

use crate::client::Client as _;
use crate::containers::Skopeo;
use crate::layout::{INDEX, Layout, MANIFEST, tar};
use crate::modules::{Crane, Oras, Regctl};
use crate::people::{Login, PASSWORD, People};

fn alice() -> Login {
    Login { kind: "permanent-password", user: "alice".to_owned(), password: PASSWORD.to_owned() }
}

fn crane_of_alice(people: &People) -> Crane {
    let mut crane = Crane::new(people);
    crane.login(&alice()).ok();
    crane
}

/// The layer digests of a manifest that `crane manifest` printed.
fn layers_of(manifest: &Value) -> Vec<Value> {
    manifest["layers"].as_array().unwrap().iter().map(|layer| layer["digest"].clone()).collect()
}

#[test]
#[ignore = "cargo xtask test --only clients"]
fn an_index_of_two_platforms_goes_round() {
    let people = People::new();
    let layout = Layout::new(&people.house.folder.path().join("index"));
    let (amd64, arm64) = (layout.image("amd64", &[tar("on", b"amd64")]), layout.image("arm64", &[tar("on", b"arm64")]));
    let index = layout.index(&[amd64.clone(), arm64.clone()]);
    let layout = layout.tagged(index.clone());
    let mut skopeo = Skopeo::new(&people);
    skopeo.login(&alice()).ok();
    // Compressing would make other images of these.
    let from = format!("oci:{}:x", layout.display());
    skopeo
        .run(&["copy", "--all", "--preserve-digests", "--dest-tls-verify=false", &from, &format!("docker://{}", people.at("demo/multi:1"))])
        .ok();

    let crane = crane_of_alice(&people);
    let found = crane.run("manifest", &[&people.at("demo/multi:1")]).ok().json();
    assert_eq!((&found["mediaType"], found["manifests"].as_array().unwrap().len()), (&json!(INDEX), 2));
    assert_eq!(crane.run("digest", &[&people.at("demo/multi:1")]).ok().out.trim(), index["digest"]);
    for (platform, image) in [("linux/amd64", amd64), ("linux/arm64", arm64)] {
        let digest = crane.run("digest", &["--platform", platform, &people.at("demo/multi:1")]).ok();
        assert_eq!(digest.out.trim(), image["digest"], "{platform}");
    }
    let (ran, folder) = skopeo.pull_layout("demo/multi:1");
    ran.ok();
    assert!(fs::exists(folder.join("index.json")).unwrap());
}

#[test]
#[ignore = "cargo xtask test --only clients"]
fn a_referrer_that_one_client_attached_is_listed_by_another() {
    let people = People::new();
    let (crane, mut oras, mut regctl) = (crane_of_alice(&people), Oras::new(&people), Regctl::new(&people));
    crane.push("demo/signed:1").ok();
    oras.login(&alice()).ok();
    oras.attach("demo/signed:1", "application/spdx+json").ok();
    oras.attach("demo/signed:1", "application/vnd.example.signature").ok();
    // Who may pull may see what refers.
    regctl.login(&People::bob()).ok();
    let all = regctl.run(&["artifact", "list", &people.at("demo/signed:1")]).ok();
    assert!(all.says("application/spdx+json") && all.says("application/vnd.example.signature"), "{all}");
    let filter = ["artifact", "list", "--filter-artifact-type", "application/spdx+json", &people.at("demo/signed:1")];
    let one = regctl.run(&filter).ok();
    assert!(one.says("application/spdx+json") && !one.says("application/vnd.example.signature"), "{one}");
    oras.login(&People::bob()).ok();
    oras.attach("demo/signed:1", "application/vnd.example.other").refused(&["cr:PushRepository"]);
}

#[test]
#[ignore = "cargo xtask test --only clients"]
fn a_layer_of_one_gibibyte_goes_round() {
    const GIBIBYTE: u64 = 1 << 30;
    let people = People::new();
    let layout = Layout::new(&people.house.folder.path().join("large"));
    let layer = layout.large_layer(GIBIBYTE);
    let image = layout.image_of("amd64", std::slice::from_ref(&layer));
    let layout = layout.tagged(image);
    let crane = crane_of_alice(&people);
    crane.push_layout(&layout, "demo/large:1").ok();
    fs::remove_dir_all(layout).unwrap();
    let pulled = people.house.folder.path().join("pulled");
    // It checks the digest of what it writes.
    crane.run("pull", &["--format", "oci", &people.at("demo/large:1"), pulled.to_str().unwrap()]).ok();
    let digest = layer["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap().to_owned();
    assert_eq!(fs::metadata(pulled.join("blobs/sha256").join(digest)).unwrap().len(), GIBIBYTE);
}

#[test]
#[ignore = "cargo xtask test --only clients"]
fn two_hundred_layers_go_round() {
    let people = People::new();
    let layout = Layout::new(&people.house.folder.path().join("many"));
    let layers: Vec<Vec<u8>> = (0..200).map(|place| tar(&format!("file-{place}"), place.to_string().as_bytes())).collect();
    let image = layout.image("amd64", &layers);
    let layout = layout.tagged(image.clone());
    let crane = crane_of_alice(&people);
    crane.push_layout(&layout, "demo/many:1").ok();
    let manifest = crane.run("manifest", &[&people.at("demo/many:1")]).ok().json();
    assert_eq!((&manifest["mediaType"], layers_of(&manifest).len()), (&json!(MANIFEST), 200));
    let mut skopeo = Skopeo::new(&people);
    skopeo.login(&alice()).ok();
    skopeo.pull("demo/many:1").ok();
    skopeo.push_layout(&layout, "demo/many:2").ok();
}

#[test]
#[ignore = "cargo xtask test --only clients"]
fn a_layer_of_no_bytes_goes_round() {
    let people = People::new();
    let layout = Layout::new(&people.house.folder.path().join("empty"));
    let image = layout.image("amd64", &[Vec::new(), tar("hello", b"hello")]);
    let layout = layout.tagged(image.clone());
    let mut regctl = Regctl::new(&people);
    regctl.login(&alice()).ok();
    regctl.run(&["image", "copy", &format!("ocidir://{}:x", layout.display()), &people.at("demo/empty:1")]).ok();
    let crane = crane_of_alice(&people);
    assert_eq!(crane.run("digest", &[&people.at("demo/empty:1")]).ok().out.trim(), image["digest"]);
    let pulled = people.house.folder.path().join("pulled");
    crane.run("pull", &["--format", "oci", &people.at("demo/empty:1"), pulled.to_str().unwrap()]).ok();
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(fs::metadata(pulled.join("blobs/sha256").join(nothing)).unwrap().len(), 0);
}
