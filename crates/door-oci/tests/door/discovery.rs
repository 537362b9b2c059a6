//! Lists (OCI distribution specification 1.1, "Content Discovery").

use model::Digest;

use crate::house::{MANIFEST, house};

#[tokio::test]
async fn tags_in_pages() {
    let house = house().await;
    for tag in ["c", "a", "b"] {
        house.push_image("demo/app", tag, "").await;
    }
    let list = |query: &'static str| {
        let house = &house;
        async move {
            let answer = house.send("GET", &format!("/v2/demo/app/tags/list{query}"), &[], b"").await;
            assert_eq!(answer.json()["name"], "demo/app");
            (answer.json()["tags"].to_string(), answer.header("link").to_owned())
        }
    };
    assert_eq!(list("").await, (r#"["a","b","c"]"#.into(), String::new()));
    let next = r#"</v2/demo/app/tags/list?n=2&last=b>; rel="next""#;
    assert_eq!(list("?n=2").await, (r#"["a","b"]"#.into(), next.into()));
    assert_eq!(list("?n=2&last=b").await, (r#"["c"]"#.into(), String::new()));
    assert_eq!(list("?n=0").await, ("[]".into(), String::new()));
    assert_eq!(list("?last=bb").await, (r#"["c"]"#.into(), String::new()));
    for bad in ["n=-1", "n=x", "n="] {
        let answer = house.send("GET", &format!("/v2/demo/app/tags/list?{bad}"), &[], b"").await;
        assert_eq!(answer.error(), (400, "PAGINATION_NUMBER_INVALID".into()), "{bad}");
    }
}

/// distribution CVE-2017-11468, CVE-2023-2253: room was made for as many names as `n` said. Here a huge one is no huge page.
#[tokio::test]
async fn cve_2023_2253_a_page_is_bounded_whatever_n_says() {
    let house = house().await;
    let (content, _) = house.push_image("demo/app", "t0000", "").await;
    for number in 1..1005 {
        let path = format!("/v2/demo/app/manifests/t{number:04}");
        assert_eq!(house.send("PUT", &path, &[("content-type", MANIFEST)], content.as_bytes()).await.status, 201);
    }
    for n in ["1001", "2147483648", "9223372036854775807", "99999999999999999999"] {
        let answer = house.send("GET", &format!("/v2/demo/app/tags/list?n={n}"), &[], b"").await;
        assert_eq!(answer.json()["tags"].as_array().map(Vec::len), Some(1000), "{n}");
        assert!(answer.header("link").contains("last=t0999"), "{n}: {}", answer.header("link"));
        let catalog = house.send("GET", &format!("/v2/_catalog?n={n}"), &[], b"").await;
        assert_eq!(catalog.body, r#"{"repositories":["demo/app"]}"#, "{n}");
    }
}

/// Quay PROJQUAY-8188: the catalog holds what one may pull and nothing else.
#[tokio::test]
async fn quay_8188_the_catalog_shows_what_one_may_pull() {
    let house = house().await;
    for name in ["demo/a", "demo/b", "other/c", "single"] {
        house.push_blob(name, b"x").await;
    }
    let all = house.send("GET", "/v2/_catalog", &[], b"").await;
    assert_eq!(all.body, r#"{"repositories":["demo/a","demo/b","other/c","single"]}"#);
    let hers = house.by(&house.alice.basic, "GET", "/v2/_catalog").await;
    assert_eq!(hers.body, r#"{"repositories":["demo/a","demo/b"]}"#);
    let first = house.by(&house.alice.basic, "GET", "/v2/_catalog?n=1").await;
    assert_eq!(first.body, r#"{"repositories":["demo/a"]}"#);
    assert_eq!(first.header("link"), r#"</v2/_catalog?n=1&last=demo/a>; rel="next""#);
    let second = house.by(&house.alice.basic, "GET", "/v2/_catalog?n=1&last=demo/a").await;
    assert_eq!((&second.body[..], second.header("link")), (&br#"{"repositories":["demo/b"]}"#[..], ""));
    let token = house.bearer(&house.alice, "registry:catalog:*").await;
    assert_eq!(house.by(&token, "GET", "/v2/_catalog").await.body, hers.body);
    assert_eq!(house.by(&house.bob.basic, "GET", "/v2/_catalog").await.body, r#"{"repositories":[]}"#);
}

#[tokio::test]
async fn referrers_by_type() {
    let house = house().await;
    let subject = Digest::sha256(b"subject");
    let path = format!("/v2/demo/app/referrers/{subject}");
    let empty = house.send("GET", &path, &[], b"").await;
    assert_eq!((empty.status.as_u16(), empty.header("content-type")), (200, "application/vnd.oci.image.index.v1+json"));
    assert_eq!(empty.json()["manifests"].as_array().map(Vec::len), Some(0));
    for kind in ["sbom", "signature"] {
        let more = format!(
            r#","artifactType":"application/vnd.example.{kind}+json","subject":{{"mediaType":"{MANIFEST}","digest":"{subject}","size":7}}"#
        );
        assert_eq!(house.push_image("demo/app", kind, &more).await.1.status, 201);
    }
    let both = house.send("GET", &path, &[], b"").await;
    assert_eq!((both.json()["manifests"].as_array().map(Vec::len), both.header("oci-filters-applied")), (Some(2), ""));
    for filter in ["application/vnd.example.sbom+json", "application%2Fvnd.example.sbom%2Bjson"] {
        let one = house.send("GET", &format!("{path}?artifactType={filter}"), &[], b"").await;
        assert_eq!(one.header("oci-filters-applied"), "artifactType");
        assert_eq!(one.json()["manifests"][0]["artifactType"], "application/vnd.example.sbom+json");
        assert_eq!(one.json()["manifests"].as_array().map(Vec::len), Some(1));
    }
    assert_eq!(house.send("GET", "/v2/demo/app/referrers/sha256:12", &[], b"").await.error(), (400, "DIGEST_INVALID".into()));
}
