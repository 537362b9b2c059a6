//! Pushing blobs and manifests (OCI distribution specification 1.1, "Push").

use model::Digest;

use crate::house::{Answered, House, MANIFEST, house, image};

async fn begin(house: &House) -> String {
    let answer = house.send("POST", "/v2/demo/app/blobs/uploads/", &[], b"").await;
    assert_eq!((answer.status.as_u16(), answer.header("range")), (202, "0-0"));
    let location = answer.header("location").to_owned();
    assert_eq!(location, format!("/v2/demo/app/blobs/uploads/{}", answer.header("docker-upload-uuid")));
    location
}

fn kept(answer: &Answered, digest: &Digest) {
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.header("location"), format!("/v2/demo/app/blobs/{digest}"));
    assert_eq!(answer.header("docker-content-digest"), digest.to_string());
}

#[tokio::test]
async fn a_blob_in_one_request() {
    let house = house().await;
    for digest in [Digest::sha256(b"content"), Digest::sha512(b"content"), Digest::sha256(b"")] {
        let content: &[u8] = if digest == Digest::sha256(b"") { b"" } else { b"content" };
        let answer = house.send("POST", &format!("/v2/demo/app/blobs/uploads/?digest={digest}"), &[], content).await;
        kept(&answer, &digest);
        assert_eq!(house.send("GET", answer.header("location"), &[], b"").await.body, content);
    }
}

#[tokio::test]
async fn a_blob_in_two_requests() {
    let house = house().await;
    let (location, digest) = (begin(&house).await, Digest::sha256(b"content"));
    let escaped = digest.to_string().replace(':', "%3A");
    kept(&house.send("PUT", &format!("{location}?digest={escaped}"), &[], b"content").await, &digest);
    let again = house.send("PUT", &format!("{location}?digest={digest}"), &[], b"content").await;
    assert_eq!(again.error(), (404, "BLOB_UPLOAD_UNKNOWN".into()));
}

#[tokio::test]
async fn a_blob_in_chunks_that_go_on_where_they_broke_off() {
    let house = house().await;
    let (location, digest) = (begin(&house).await, Digest::sha256(b"0123456789"));
    let first = house.send("PATCH", &location, &[("content-range", "0-3")], b"0123").await;
    assert_eq!((first.status.as_u16(), first.header("range"), first.header("location")), (202, "0-3", location.as_str()));
    for (range, content) in [("6-7", b"67"), ("0-1", b"01")] {
        let wrong = house.send("PATCH", &location, &[("content-range", range)], content).await;
        assert_eq!(wrong.error(), (416, "BLOB_UPLOAD_INVALID".into()));
        assert_eq!((wrong.header("range"), wrong.header("location")), ("0-3", location.as_str()));
    }
    let stands = house.send("GET", &location, &[], b"").await;
    assert_eq!((stands.status.as_u16(), stands.header("range"), stands.header("location")), (204, "0-3", location.as_str()));
    let streamed = house.send("PATCH", &location, &[], b"45").await;
    assert_eq!((streamed.status.as_u16(), streamed.header("range")), (202, "0-5"));
    let wrong = house.send("PUT", &format!("{location}?digest={digest}"), &[("content-range", "7-9")], b"789").await;
    assert_eq!(wrong.status, 416);
    let last = house.send("PUT", &format!("{location}?digest={digest}"), &[("content-range", "6-9")], b"6789").await;
    kept(&last, &digest);
    assert_eq!(house.send("GET", last.header("location"), &[], b"").await.body, &b"0123456789"[..]);
}

#[tokio::test]
async fn an_upload_is_cancelled() {
    let house = house().await;
    let location = begin(&house).await;
    assert_eq!(house.send("DELETE", &location, &[], b"").await.status, 204);
    for method in ["GET", "PATCH", "DELETE"] {
        assert_eq!(house.send(method, &location, &[], b"").await.error(), (404, "BLOB_UPLOAD_UNKNOWN".into()), "{method}");
    }
}

/// CVE-2026-32589: an upload belongs to the repository it was begun in.
#[tokio::test]
async fn cve_2026_32589_an_upload_is_unknown_elsewhere() {
    let house = house().await;
    let elsewhere = begin(&house).await.replace("demo/app", "demo/other");
    for method in ["GET", "PATCH", "DELETE"] {
        assert_eq!(house.send(method, &elsewhere, &[], b"").await.status, 404, "{method}");
    }
    let digest = Digest::sha256(b"x");
    assert_eq!(house.send("PUT", &format!("{elsewhere}?digest={digest}"), &[], b"x").await.status, 404);
}

#[tokio::test]
async fn a_blob_is_mounted_from_where_one_may_pull() {
    let house = house().await;
    let digest = house.push_blob("demo/base", b"layer").await;
    let mount = format!("/v2/demo/app/blobs/uploads/?mount={digest}&from=demo%2Fbase");
    kept(&house.send("POST", &mount, &[], b"").await, &digest);
    let missing = mount.replace(&digest.to_string(), &Digest::sha256(b"none").to_string());
    let anonymous = format!("/v2/demo/app/blobs/uploads/?mount={digest}");
    for target in [missing, anonymous, mount.replace("base", "absent")] {
        let answer = house.send("POST", &target, &[], b"").await;
        assert_eq!(answer.status, 202, "{target}");
        assert!(answer.header("location").starts_with("/v2/demo/app/blobs/uploads/upl-"), "{target}");
    }
    // Harbor #22900: a token for the target alone is no right on the source.
    let token = house.bearer(&house.root, "repository:demo/app:pull,push").await;
    assert_eq!(house.by(&token, "POST", &mount).await.status, 202);
}

#[tokio::test]
async fn what_is_wrong_with_a_blob_is_said() {
    let house = house().await;
    let good = Digest::sha256(b"content");
    let uploads = "/v2/demo/app/blobs/uploads/";
    for (target, want) in [
        (format!("{uploads}?digest={}", Digest::sha256(b"other")), (400, "DIGEST_INVALID")),
        (format!("{uploads}?digest=sha256:12"), (400, "DIGEST_INVALID")),
        (format!("{uploads}?digest=md5:d41d8cd98f00b204e9800998ecf8427e"), (400, "DIGEST_INVALID")),
        (format!("{uploads}?digest="), (400, "DIGEST_INVALID")),
        (format!("{uploads}?digest={good}&digest={good}"), (400, "UNSUPPORTED")),
        (format!("{uploads}?digest={good}&mount={good}"), (400, "BLOB_UPLOAD_INVALID")),
        (format!("{uploads}?mount={good}&from=Demo"), (400, "NAME_INVALID")),
        (format!("{uploads}?digest-algorithm=md5"), (400, "DIGEST_INVALID")),
        ("/v2/Demo/blobs/uploads/".into(), (400, "NAME_INVALID")),
        (format!("/v2/{}/blobs/uploads/", "a".repeat(256)), (400, "NAME_INVALID")),
    ] {
        assert_eq!(house.send("POST", &target, &[], b"content").await.error(), (want.0, want.1.into()), "{target}");
    }
    let location = begin(&house).await;
    assert_eq!(house.send("PUT", &location, &[], b"content").await.error(), (400, "DIGEST_INVALID".into()));
    for (range, want) in [("0-9", "SIZE_INVALID"), ("x", "BLOB_UPLOAD_INVALID"), ("bytes 0-6/7", "BLOB_UPLOAD_INVALID")] {
        let answer = house.send("PATCH", &location, &[("content-range", range)], b"content").await;
        assert_eq!(answer.error(), (400, want.into()), "{range}");
    }
    for id in ["upl-x", "x", "..", "upl-00000000000000000000000000000000000000"] {
        let answer = house.send("PATCH", &format!("/v2/demo/app/blobs/uploads/{id}"), &[], b"content").await;
        assert_eq!(answer.error(), (404, "BLOB_UPLOAD_UNKNOWN".into()), "{id}");
    }
}

#[tokio::test]
async fn a_manifest_is_kept_under_its_digest_and_tags() {
    let house = house().await;
    let (content, answer) = house.push_image("demo/app", "v1", "").await;
    let digest = Digest::sha256(content.as_bytes());
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.header("location"), format!("/v2/demo/app/manifests/{digest}"));
    assert_eq!(answer.header("docker-content-digest"), digest.to_string());
    assert_eq!((answer.header("oci-tag"), answer.header("oci-subject")), ("", ""));

    let (_, answer) = house.push_image("demo/app", &format!("{digest}?tag=v2&tag=v3"), "").await;
    let tags: Vec<_> = answer.headers.get_all("oci-tag").iter().map(|tag| tag.to_str().unwrap()).collect();
    assert_eq!((answer.status.as_u16(), tags), (201, vec!["v2", "v3"]));
    let subject = Digest::sha256(b"missing");
    let more = format!(r#","subject":{{"mediaType":"{MANIFEST}","digest":"{subject}","size":7}}"#);
    let (_, answer) = house.push_image("demo/app", "signature", &more).await;
    assert_eq!((answer.status.as_u16(), answer.header("oci-subject")), (201, subject.to_string().as_str()));
}

#[tokio::test]
async fn what_is_wrong_with_a_manifest_is_said() {
    let house = house().await;
    house.push_image("demo/app", "v1", "").await;
    let content = image("");
    let kind = [("content-type", MANIFEST)];
    let long = format!("/v2/demo/app/manifests/{}", "t".repeat(129));
    let other = format!("/v2/demo/app/manifests/{}", Digest::sha256(b"other"));
    for (target, headers, body, want) in [
        ("/v2/demo/none/manifests/v1", &kind[..], content.as_bytes(), (404, "MANIFEST_BLOB_UNKNOWN")),
        ("/v2/demo/app/manifests/v1", &kind, b"{", (400, "MANIFEST_INVALID")),
        ("/v2/demo/app/manifests/v1", &kind, b"", (400, "MANIFEST_INVALID")),
        ("/v2/demo/app/manifests/v1", &[("content-type", "x")], content.as_bytes(), (400, "MANIFEST_INVALID")),
        ("/v2/demo/app/manifests/v1", &[kind[0], kind[0]], content.as_bytes(), (400, "MANIFEST_INVALID")),
        ("/v2/demo/app/manifests/v1?tag=.x", &kind, content.as_bytes(), (400, "MANIFEST_INVALID")),
        ("/v2/demo/app/manifests/sha256:baddigeststring", &kind, content.as_bytes(), (400, "DIGEST_INVALID")),
        (&long, &kind, content.as_bytes(), (400, "MANIFEST_INVALID")),
        (&other, &kind, content.as_bytes(), (400, "DIGEST_INVALID")),
        ("/v2/demo/app/manifests/v1", &kind, &vec![b' '; (4 << 20) + 1], (413, "SIZE_INVALID")),
    ] {
        assert_eq!(house.send("PUT", target, headers, body).await.error(), (want.0, want.1.into()), "{target} {headers:?}");
    }
    let many = (0..65).map(|n| format!("tag=t{n}")).collect::<Vec<_>>().join("&");
    let answer = house.send("PUT", &format!("/v2/demo/app/manifests/v1?{many}"), &kind, content.as_bytes()).await;
    assert_eq!(answer.error(), (400, "MANIFEST_INVALID".into()));
    let missing = house.send("PUT", "/v2/demo/none/manifests/v1", &kind, content.as_bytes()).await;
    assert_eq!(missing.json()["errors"][0]["detail"]["digests"].as_array().unwrap().len(), 2);
}
