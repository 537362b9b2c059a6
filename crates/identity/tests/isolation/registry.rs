//! Every route of the registry, tried from another account.

use http::Method;
use testkit::{Client, HOST, House, house, registry_operations};

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// What the routes name.
struct Names {
    name: String,
    reference: String,
    digest: String,
    upload: String,
}

impl Names {
    fn nobodys() -> Self {
        Self { name: "absent/here".into(), reference: "absent-v9".into(), digest: DIGEST.into(), upload: "upl-0000000000000001".into() }
    }

    fn target(&self, method: &Method, template: &str) -> String {
        let path = template.replace("<name>", &self.name).replace("<reference>", &self.reference).replace("<id>", &self.upload);
        let path = path.replace("<digest>", &self.digest);
        if *method == Method::PUT && path.contains("/uploads/") { format!("{path}?digest={}", self.digest) } else { path }
    }

    fn without(&self, said: &str) -> String {
        [&self.name, &self.reference, &self.digest, &self.upload]
            .into_iter()
            .fold(said.to_owned(), |said, name| said.replace(name.as_str(), "…"))
    }
}

/// An account's image and an upload that is under way.
async fn fill(root: &Client<'_>, name: &str, tag: &str) -> Names {
    root.push_image(name, tag).await;
    let digest = root.push_blob(name, tag.as_bytes()).await;
    let begun = root.send(Method::POST, &format!("/v2/{name}/blobs/uploads/"), &[], "").await.expect(202);
    let upload = begun.header("location").rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
    Names { name: name.into(), reference: tag.into(), digest, upload }
}

async fn two() -> (House, Names, Names) {
    let house = house().await.with_account("other").await;
    let first = fill(&house.root(), "first/app", "first-v1").await;
    let other = fill(&house.account("other").root(), "other/app", "other-v1").await;
    (house, first, other)
}

async fn said(client: &Client<'_>, method: &Method, names: &Names, template: &str) -> (u16, String, Option<String>) {
    let reply = client.send(method.clone(), &names.target(method, template), &[], "").await;
    let challenge = reply.headers.get("www-authenticate").map(|v| names.without(v.to_str().unwrap()));
    (reply.status.as_u16(), names.without(&String::from_utf8_lossy(&reply.body)), challenge)
}

#[tokio::test(flavor = "multi_thread")]
async fn content_of_another_account_answers_like_what_does_not_exist() {
    let (house, first, other) = two().await;
    let root = house.account("other").root();
    let scopes = "repository:first/app:pull,push,delete repository:other/app:pull,push,delete repository:absent/here:pull,push,delete";
    let bearer = root.token(scopes).await;
    for client in [&root, &bearer] {
        for (method, template, _) in registry_operations() {
            // Another account's repository by its name: reading and deleting find nothing.
            if *method != Method::PUT && *method != Method::POST && *method != Method::PATCH && template.contains("<name>") {
                let theirs = said(client, method, &first, template).await;
                assert_eq!(theirs, said(client, method, &Names::nobodys(), template).await, "{method} {template}");
                assert!(theirs.0 == 404 || template.contains("referrers"), "{method} {template}: {}", theirs.0);
            }
            // Another account's tag, digest and upload, in one's own repository.
            if template.contains("<digest>") || template.contains("<reference>") || template.contains("<id>") {
                let of = |names: &Names| Names {
                    name: other.name.clone(),
                    reference: names.reference.clone(),
                    digest: names.digest.clone(),
                    upload: names.upload.clone(),
                };
                let theirs = said(client, method, &of(&first), template).await;
                assert_eq!(theirs, said(client, method, &of(&Names::nobodys()), template).await, "{method} {template}");
                assert!(theirs.0 >= 400 || template.contains("referrers"), "{method} {template}: {}", theirs.0);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_of_another_account_cannot_be_mounted_and_is_stored_anew() {
    let (house, first, other) = two().await;
    let root = house.account("other").root();
    for from in ["&from=first/app", "&from=other/app", ""] {
        let mount = |digest: &str| format!("/v2/{}/blobs/uploads/?mount={digest}{from}", other.name);
        let theirs = root.send(Method::POST, &mount(&first.digest), &[], "").await.expect(202);
        let nobodys = root.send(Method::POST, &mount(DIGEST), &[], "").await.expect(202);
        assert_eq!(theirs.body, nobodys.body);
    }
    root.head(&format!("/v2/other/app/blobs/{}", first.digest)).await.expect(404);
    root.push_blob("other/app", b"first-v1").await;
    root.get(&format!("/v2/other/app/blobs/{}", first.digest)).await.expect(200);
    root.delete(&format!("/v2/other/app/blobs/{}", first.digest)).await.expect(202);
    house.root().get(&format!("/v2/first/app/blobs/{}", first.digest)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_account_made_opens_nothing_at_the_host_of_another() {
    let (house, first, _) = two().await;
    let other = house.account("other");
    let secret = other.root_manager().await.post("/api/v1/credentials", &serde_json::json!({"description": "x"})).await.expect(201);
    let token = other.root_manager().await.post("/api/v1/login-tokens", &serde_json::json!({})).await.expect(201);
    let bearer = other.root().token("repository:first/app:pull,push,delete").await;
    let presented = [
        other.root(),
        other.login(&other.id(), other.bootstrap.root_password.reveal()),
        other.login("root@other", other.bootstrap.root_password.reveal()),
        other.login("root", &secret.text("secret")),
        other.login("cr_temp_user", &token.text("password")),
        bearer.clone(),
    ];
    let number = std::cell::Cell::new(0u16);
    let network = || {
        number.set(number.get() + 1);
        format!("10.{}.{}.1", number.get() / 256, number.get() % 256)
    };
    for client in presented {
        client.get("/v2/").await.expect(200);
        let garbage = match client.authorization().unwrap().split_once(' ').unwrap() {
            ("Basic", _) => house.login("root", "wrong-horse-9"),
            _ => house.bearer("eyJhbGciOiJFUzI1NiJ9.e30.AAAA"),
        };
        for (method, template, _) in registry_operations() {
            // Each from a network of its own: what is locked out is another test's matter.
            let (theirs, garbage) = (client.clone().at(HOST).from(&network()), garbage.clone().from(&network()));
            let theirs = said(&theirs, method, &first, template).await;
            assert_eq!((theirs.0, &theirs), (401, &said(&garbage, method, &first, template).await), "{method} {template}");
        }
        let target = format!("/token?service={HOST}&scope=repository:first/app:pull");
        assert!(!client.clone().at(HOST).from(&network()).get(&target).await.status.is_success());
    }
}
