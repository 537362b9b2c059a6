//! Tags, and what they point at.

use http::Method;
use serde_json::{Value, json};
use testkit::{Client, House};

use super::{asked, code, column, repository_id};
use crate::walk::lived_in;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

async fn push_manifest(client: &Client<'_>, tag: &str, media_type: &str, manifest: &Value) -> String {
    let target = format!("/v2/demo/app/manifests/{tag}");
    let reply = client.send(Method::PUT, &target, &[("content-type", media_type)], manifest.to_string()).await.expect(201);
    reply.header("docker-content-digest").to_owned()
}

/// An image whose history says how its two layers were made.
async fn push_built(house: &House) -> (String, String) {
    let root = house.root();
    let config = json!({"architecture": "riscv64", "os": "linux", "history": [
        {"created_by": "/bin/sh -c #(nop) ADD file:1 in / "},
        {"created_by": "/bin/sh -c #(nop)  CMD [\"sh\"]", "empty_layer": true},
        {"created_by": "RUN /bin/sh -c make # buildkit"},
    ]});
    let config = root.push_blob("demo/app", config.to_string().as_bytes()).await;
    let layers = [root.push_blob("demo/app", b"first layer").await, root.push_blob("demo/app", b"second").await];
    let size = root.head(&format!("/v2/demo/app/blobs/{config}")).await.header("content-length").parse::<i64>().unwrap();
    let layer =
        |digest: &str, size: i64| json!({"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest, "size": size});
    let manifest = json!({"schemaVersion": 2,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": size},
        "layers": [layer(&layers[0], 11), layer(&layers[1], 6)]});
    (push_manifest(&root, "built", MANIFEST, &manifest).await, config)
}

#[tokio::test]
async fn tags_are_listed_shown_made_and_deleted() {
    let (house, key) = lived_in().await;
    let client = house.alibaba(&key);
    let id = repository_id(&house, "demo/app");
    let (digest, config) = push_built(&house).await;
    let shown = asked(&client, &house, "GetRepoTag", &[("RepoId", &id), ("Tag", "built")]).await;
    assert_eq!(format!("sha256:{}", shown["Digest"].as_str().unwrap()), digest);
    assert_eq!(format!("sha256:{}", shown["ImageId"].as_str().unwrap()), config);
    assert!(shown["ImageSize"].as_i64().unwrap() > 17 && shown["ImageCreate"].is_i64() && shown["ImageUpdate"].is_i64(), "{shown}");

    let copy = async |from: &str, to: &str| {
        let parameters = [("NamespaceName", "demo"), ("RepoName", "app"), ("FromTag", from), ("ToTag", to)];
        code(&asked(&client, &house, "CreateRepoTag", &parameters).await).to_owned()
    };
    assert_eq!(copy("built", "latest").await, "success");
    assert_eq!(copy("built", "latest").await, "TAG_ALREADY_EXIST");
    assert_eq!(copy("nosuch", "other").await, "TAG_NOT_EXIST");
    assert_eq!(copy("built", "no tag").await, "InvalidToTag");
    for (parameters, want) in [
        (&[][..], ("built latest v1", json!("3"))),
        (&[("PageSize", "2")], ("built latest", json!("3"))),
        (&[("PageSize", "2"), ("PageNo", "2")], ("v1", json!("3"))),
        (&[("MaxResults", "2")], ("built latest", Value::Null)),
        (&[("MaxResults", "2"), ("NextToken", "latest")], ("v1", Value::Null)),
    ] {
        let parameters: Vec<_> = [("RepoId", &*id)].into_iter().chain(parameters.iter().copied()).collect();
        let found = asked(&client, &house, "ListRepoTag", &parameters).await;
        assert_eq!((&*column(&found, "Images", "Tag"), &found["TotalCount"]), (want.0, &want.1), "{parameters:?}");
        assert!(found["Images"][0]["ImageCreate"].is_string() && found["Images"][0]["ImageSize"].is_i64(), "{found}");
    }
    let delete = async |tag: &str| code(&asked(&client, &house, "DeleteRepoTag", &[("RepoId", &id), ("Tag", tag)]).await).to_owned();
    assert_eq!(delete("latest").await, "success");
    assert_eq!(delete("latest").await, "TAG_NOT_EXIST");
    assert_eq!(delete("-").await, "InvalidTag");
    assert_eq!(code(&asked(&client, &house, "GetRepoTag", &[("RepoId", &id), ("Tag", "latest")]).await), "TAG_NOT_EXIST");
    house.root().get(&format!("/v2/demo/app/manifests/{digest}")).await.expect(200);
}

#[tokio::test]
async fn a_tag_s_manifest_and_layers_are_told() {
    let (house, key) = lived_in().await;
    let client = house.alibaba(&key);
    let id = repository_id(&house, "demo/app");
    let (digest, config) = push_built(&house).await;
    let of = |tag| [("RepoId", &*id), ("Tag", tag)];
    let manifest = asked(&client, &house, "GetRepoTagManifest", &of("built")).await["Manifest"].clone();
    assert_eq!((&manifest["Name"], &manifest["Tag"], &manifest["Architecture"]), (&json!("demo/app"), &json!("built"), &json!("riscv64")));
    assert_eq!((&manifest["MediaType"], &manifest["Config"]["Digest"]), (&json!(MANIFEST), &json!(config)));
    assert_eq!(column(&manifest, "Layers", "Size"), "11 6");
    let layers = asked(&client, &house, "GetRepoTagLayers", &of("built")).await;
    for (field, want) in
        [("LayerIndex", "0 1"), ("LayerInstruction", "ADD RUN"), ("LayerCMD", "file:1 in / /bin/sh -c make"), ("BlobSize", "11 6")]
    {
        assert_eq!(column(&layers, "Layers", field), want, "{field}");
    }
    // An index has no layers of its own, and a configuration may say nothing.
    let index = json!({"schemaVersion": 2, "manifests": [{"mediaType": MANIFEST, "digest": digest, "size": size(&house, &digest).await}]});
    push_manifest(&house.root(), "index", "application/vnd.oci.image.index.v1+json", &index).await;
    assert_eq!(asked(&client, &house, "GetRepoTagLayers", &of("index")).await["Layers"], json!([]));
    assert_eq!(asked(&client, &house, "GetRepoTagManifest", &of("index")).await["Manifest"]["Config"]["Digest"], "");
    assert_eq!(column(&asked(&client, &house, "GetRepoTagLayers", &of("v1")).await, "Layers", "LayerInstruction"), "");

    let old = [("RepoId", &*id), ("Tag", "built"), ("SchemaVersion", "1")];
    assert_eq!(code(&asked(&client, &house, "GetRepoTagManifest", &old).await), "NOT_SUPPORTED");
    let old = [("RepoId", &*id), ("Tag", "built"), ("SchemaVersion", "3")];
    assert_eq!(code(&asked(&client, &house, "GetRepoTagManifest", &old).await), "InvalidSchemaVersion");
}

async fn size(house: &House, digest: &str) -> i64 {
    house.root().head(&format!("/v2/demo/app/manifests/{digest}")).await.header("content-length").parse().unwrap()
}

#[tokio::test]
async fn to_read_a_manifest_is_to_pull() {
    let (house, _) = lived_in().await;
    let list = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"cr:ListRepositoryTag","Resource":"*"}]}"#;
    let house = house.with_user("dave").await.with_policy("dave", "lister", list).await;
    let dave = house.alibaba(&house.access_key("dave").await);
    let id = repository_id(&house, "demo/app");
    let of = [("RepoId", &*id), ("Tag", "v1")];
    assert_eq!(code(&asked(&dave, &house, "GetRepoTag", &of).await), "success");
    for action in ["GetRepoTagManifest", "GetRepoTagLayers"] {
        assert_eq!(code(&asked(&dave, &house, action, &of).await), "NoPermission", "{action}");
    }
}
