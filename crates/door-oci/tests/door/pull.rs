//! Pulling and deleting (OCI distribution specification 1.1, "Pull", "Content Management").

use model::Digest;

use crate::house::{MANIFEST, house};

#[tokio::test]
async fn a_manifest_by_tag_and_by_digest() {
    let house = house().await;
    let (content, _) = house.push_image("demo/app", "v1", "").await;
    let digest = Digest::sha256(content.as_bytes()).to_string();
    for reference in ["v1", &digest] {
        let path = format!("/v2/demo/app/manifests/{reference}");
        // Accept changes nothing: the bytes are what the digest is of.
        let got = house.send("GET", &path, &[("accept", "text/html")], b"").await;
        assert_eq!((got.status.as_u16(), &got.body[..]), (200, content.as_bytes()));
        let head = house.send("HEAD", &path, &[], b"").await;
        assert_eq!((head.status.as_u16(), head.body.len(), head.header("content-length")), (200, 0, content.len().to_string().as_str()));
        for answer in [got, head] {
            assert_eq!(answer.header("content-type"), MANIFEST);
            assert_eq!(answer.header("docker-content-digest"), digest);
            assert_eq!(answer.header("etag"), format!("\"{digest}\""));
        }
        for method in ["GET", "HEAD"] {
            let same = house.send(method, &path, &[("if-none-match", &format!("W/\"{digest}\""))], b"").await;
            assert_eq!((same.status.as_u16(), same.body.len(), same.header("docker-content-digest")), (304, 0, digest.as_str()));
            assert_eq!(house.send(method, &path, &[("if-none-match", "\"other\"")], b"").await.status, 200);
        }
    }
}

#[tokio::test]
async fn what_is_not_there_is_404() {
    let house = house().await;
    house.push_image("demo/app", "v1", "").await;
    let absent = Digest::sha256(b"absent");
    for (path, want) in [
        ("/v2/demo/app/manifests/v2".into(), (404, "MANIFEST_UNKNOWN")),
        (format!("/v2/demo/app/manifests/{absent}"), (404, "MANIFEST_UNKNOWN")),
        ("/v2/demo/app/manifests/.INVALID_MANIFEST_NAME".into(), (404, "MANIFEST_UNKNOWN")),
        ("/v2/demo/app/manifests/sha256:baddigeststring".into(), (400, "DIGEST_INVALID")),
        ("/v2/demo/app/manifests/md5:00".into(), (400, "DIGEST_INVALID")),
        (format!("/v2/demo/app/blobs/{absent}"), (404, "BLOB_UNKNOWN")),
        ("/v2/demo/app/blobs/sha256:zz".into(), (400, "DIGEST_INVALID")),
        ("/v2/demo/none/manifests/v1".into(), (404, "NAME_UNKNOWN")),
        (format!("/v2/demo/none/blobs/{absent}"), (404, "NAME_UNKNOWN")),
        ("/v2/demo/none/tags/list".into(), (404, "NAME_UNKNOWN")),
        ("/v2/demo/app".into(), (404, "UNSUPPORTED")),
    ] {
        assert_eq!(house.send("GET", &path, &[], b"").await.error(), (want.0, want.1.into()), "{path}");
    }
}

#[tokio::test]
async fn a_blob_and_its_parts() {
    let house = house().await;
    let digest = house.push_blob("demo/app", b"0123456789").await;
    let (path, etag) = (format!("/v2/demo/app/blobs/{digest}"), format!("\"{digest}\""));
    let whole = house.send("GET", &path, &[], b"").await;
    assert_eq!((whole.status.as_u16(), &whole.body[..]), (200, &b"0123456789"[..]));
    let head = house.send("HEAD", &path, &[("range", "bytes=0-1")], b"").await;
    assert_eq!((head.status.as_u16(), head.body.len(), head.header("content-length")), (200, 0, "10"));
    for answer in [whole, head] {
        assert_eq!(answer.header("content-type"), "application/octet-stream");
        assert_eq!((answer.header("accept-ranges"), answer.header("etag")), ("bytes", etag.as_str()));
        assert_eq!(answer.header("docker-content-digest"), digest.to_string());
    }
    for (range, want, content_range) in [
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=8-", "89", "bytes 8-9/10"),
        ("bytes=-3", "789", "bytes 7-9/10"),
        ("bytes=5-5000", "56789", "bytes 5-9/10"),
    ] {
        let part = house.send("GET", &path, &[("range", range)], b"").await;
        assert_eq!((part.status.as_u16(), &part.body[..], part.header("content-range")), (206, want.as_bytes(), content_range));
    }
    for range in ["bytes=10-", "bytes=50-60", "bytes=5-0", "bytes=-0"] {
        let none = house.send("GET", &path, &[("range", range)], b"").await;
        assert_eq!(none.error(), (416, "RANGE_INVALID".into()), "{range}");
        assert_eq!(none.header("content-range"), "bytes */10");
    }
    for headers in [[("range", "bytes=0-1,3-4"), ("accept", "*/*")], [("range", "bytes=0-1"), ("if-range", "\"other\"")]] {
        assert_eq!(house.send("GET", &path, &headers, b"").await.status, 200);
    }
    assert_eq!(house.send("GET", &path, &[("if-none-match", &etag)], b"").await.status, 304);
    let absent = format!("/v2/demo/app/blobs/{}", Digest::sha256(b"absent"));
    assert_eq!(house.send("GET", &absent, &[("if-none-match", "*")], b"").await.status, 404);
}

#[tokio::test]
async fn a_repository_has_only_what_was_pushed_to_it() {
    let house = house().await;
    let digest = house.push_blob("demo/app", b"layer").await;
    house.push_blob("demo/other", b"else").await;
    for method in ["GET", "HEAD", "DELETE"] {
        assert_eq!(house.send(method, &format!("/v2/demo/other/blobs/{digest}"), &[], b"").await.status, 404, "{method}");
    }
}

#[tokio::test]
async fn what_is_deleted_is_gone() {
    let house = house().await;
    let (content, _) = house.push_image("demo/app", "v1", "").await;
    house.push_image("demo/app", "v2", "").await;
    let (digest, layer) = (Digest::sha256(content.as_bytes()), Digest::sha256(b"layer"));
    assert_eq!(house.send("DELETE", "/v2/demo/app/manifests/v1", &[], b"").await.status, 202);
    assert_eq!(house.send("GET", "/v2/demo/app/manifests/v1", &[], b"").await.status, 404);
    assert_eq!(house.send("GET", "/v2/demo/app/manifests/v2", &[], b"").await.status, 200);
    for path in [format!("/v2/demo/app/manifests/{digest}"), format!("/v2/demo/app/blobs/{layer}")] {
        assert_eq!(house.send("DELETE", &path, &[], b"").await.status, 202, "{path}");
        assert_eq!(house.send("GET", &path, &[], b"").await.status, 404, "{path}");
        assert_eq!(house.send("DELETE", &path, &[], b"").await.status, 404, "{path}");
    }
    assert_eq!(house.send("GET", "/v2/demo/app/manifests/v2", &[], b"").await.status, 404);
}
