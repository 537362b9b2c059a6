//! Repositories.

use serde_json::{Value, json};

use super::{asked, asked_of, code, column, repository_id};
use crate::walk::lived_in;

const DEMO: &str = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"cr:*","Resource":["acs:cr:*:*:repository/*/demo","acs:cr:*:*:repository/*/demo/*"]}]}"#;

#[tokio::test]
async fn a_repository_is_made_shown_changed_and_deleted_with_its_images() {
    let (house, key) = lived_in().await;
    let client = house.alibaba(&key);
    let new = [
        ("RepoNamespaceName", "empty"),
        ("RepoName", "tools/build"),
        ("RepoType", "private"),
        ("Summary", "Tools"),
        ("Detail", "At\nlength"),
    ];
    let made = asked(&client, &house, "CreateRepository", &new).await;
    assert_eq!(code(&made), "success");
    assert_eq!(made["RepoId"], repository_id(&house, "empty/tools/build"));
    assert_eq!(code(&asked(&client, &house, "CreateRepository", &new).await), "REPO_ALREADY_EXIST");
    let elsewhere = [("RepoNamespaceName", "nosuch"), ("RepoName", "x"), ("RepoType", "PRIVATE"), ("Summary", "x")];
    assert_eq!(code(&asked(&client, &house, "CreateRepository", &elsewhere).await), "NAMESPACE_NOT_EXIST");

    let id = [("RepoId", made["RepoId"].as_str().unwrap())];
    let names = [("RepoNamespaceName", "empty"), ("RepoName", "tools/build")];
    let shown = asked(&client, &house, "GetRepository", &id).await;
    for key in ["RepoId", "RepoName", "RepoNamespaceName", "Detail"] {
        assert_eq!(asked(&client, &house, "GetRepository", &names).await[key], shown[key]);
    }
    assert_eq!(
        (&shown["RepoName"], &shown["RepoNamespaceName"], &shown["Detail"]),
        (&json!("tools/build"), &json!("empty"), &json!("At\nlength"))
    );
    house.advance(model::Seconds(1)).await;
    let change = [id[0], ("RepoType", "PUBLIC"), ("Summary", "New tools")];
    assert_eq!(code(&asked(&client, &house, "UpdateRepository", &change).await), "success");
    let after = asked(&client, &house, "GetRepository", &id).await;
    assert_eq!((&after["RepoType"], &after["Summary"], &after["Detail"]), (&json!("PUBLIC"), &json!("New tools"), &json!("At\nlength")));
    assert_eq!(after["ModifiedTime"].as_i64(), shown["CreateTime"].as_i64().map(|ms| ms + 1000));

    house.root().push_image("empty/tools/build", "v1").await;
    assert_eq!(code(&asked(&client, &house, "DeleteRepository", &id).await), "success");
    house.root().get("/v2/empty/tools/build/manifests/v1").await.expect(404);
    for action in ["GetRepository", "DeleteRepository"] {
        for parameters in [&id[..], &names] {
            assert_eq!(code(&asked(&client, &house, action, parameters).await), "REPO_NOT_EXIST", "{action} {parameters:?}");
        }
    }
}

#[tokio::test]
async fn a_list_of_all_namespaces_shows_and_counts_what_the_caller_may_see() {
    let (house, key) = lived_in().await;
    for name in ["demo/web", "secret/app", "demo/db"] {
        house.root().push_image(name, "v1").await;
    }
    let house = house.with_user("dave").await.with_policy("dave", "demo-only", DEMO).await;
    let (admin, dave) = (house.alibaba(&key), house.alibaba(&house.access_key("dave").await));
    let shown = |found: &Value| {
        (column(found, "Repositories", "RepoNamespaceName"), column(found, "Repositories", "RepoName"), found["TotalCount"].clone())
    };
    let all = asked(&admin, &house, "ListRepository", &[]).await;
    assert_eq!(shown(&all), ("demo demo demo secret".into(), "app db web app".into(), json!("4")));
    let own = asked(&dave, &house, "ListRepository", &[("PageSize", "2")]).await;
    assert_eq!(shown(&own), ("demo demo".into(), "app db".into(), json!("3")));
    let own = asked(&dave, &house, "ListRepository", &[("PageSize", "2"), ("PageNo", "2")]).await;
    assert_eq!(shown(&own), ("demo".into(), "web".into(), json!("3")));
    let named = asked(&dave, &house, "ListRepository", &[("RepoName", "app")]).await;
    assert_eq!(shown(&named), ("demo".into(), "app".into(), json!("1")));
    let within = asked(&dave, &house, "ListRepository", &[("RepoNamespaceName", "demo"), ("RepoName", "web")]).await;
    assert_eq!(shown(&within), ("demo".into(), "web".into(), json!("1")));
    assert_eq!(code(&asked(&dave, &house, "ListRepository", &[("RepoNamespaceName", "secret")]).await), "NoPermission");
    assert_eq!(code(&asked(&dave, &house, "ListRepository", &[("RepoNamespaceName", "nosuch")]).await), "NoPermission");
    assert_eq!(code(&asked(&admin, &house, "ListRepository", &[("RepoNamespaceName", "nosuch")]).await), "NAMESPACE_NOT_EXIST");
    for (status, want) in [("NORMAL", "4"), ("ALL", "4"), ("DELETED", "0"), ("DELETING", "0")] {
        assert_eq!(asked(&admin, &house, "ListRepository", &[("RepoStatus", status)]).await["TotalCount"], want, "{status}");
    }
}

#[tokio::test]
async fn a_list_goes_on_by_token() {
    let (house, key) = lived_in().await;
    for name in ["demo/web", "secret/app", "demo/db"] {
        house.root().push_image(name, "v1").await;
    }
    let client = house.alibaba(&key);
    for scope in [&[][..], &[("RepoNamespaceName", "demo")]] {
        let (mut seen, mut token) = (Vec::new(), String::new());
        loop {
            let parameters: Vec<_> = scope.iter().copied().chain([("MaxResults", "2"), ("NextToken", &*token)]).collect();
            let page = asked(&client, &house, "ListRepository", &parameters).await;
            assert_eq!((&page["MaxResults"], page.get("TotalCount")), (&json!(2), None));
            seen.push(column(&page, "Repositories", "RepoName"));
            token = page["NextToken"].as_str().unwrap().to_owned();
            if token.is_empty() {
                break;
            }
        }
        let want: &[&str] = if scope.is_empty() { &["app db", "web app"] } else { &["app db", "web"] };
        assert_eq!(seen, want);
    }
    for wrong in [&[("NextToken", "No Token")][..], &[("NextToken", "~demo/app")], &[("RepoNamespaceName", "demo"), ("NextToken", "~AA")]] {
        assert_eq!(code(&asked(&client, &house, "ListRepository", wrong).await), "InvalidNextToken", "{wrong:?}");
    }
    assert_eq!(code(&asked(&client, &house, "ListRepository", &[("MaxResults", "0")]).await), "InvalidMaxResults");
}

#[tokio::test]
async fn an_id_tells_nothing_to_whoever_may_not_see_what_it_names() {
    let (house, key) = lived_in().await;
    house.root().push_image("secret/app", "v1").await;
    let house = house.with_user("dave").await.with_policy("dave", "demo-only", DEMO).await.with_account("globex").await;
    let (admin, dave) = (house.alibaba(&key), house.alibaba(&house.access_key("dave").await));
    let stranger = house.alibaba(&house.account("globex").root_key());
    let own = house.account("globex").bootstrap.instance.id;
    let (demo, secret) = (repository_id(&house, "demo/app"), repository_id(&house, "secret/app"));
    let summary = [("RepoType", "PRIVATE"), ("Summary", "x"), ("Tag", "v1")];
    for action in ["GetRepository", "UpdateRepository", "ListRepoTag", "GetRepoTag", "GetRepoTagManifest", "GetRepoTagLayers"] {
        let of = |id| [("RepoId", id)].into_iter().chain(summary).collect::<Vec<_>>();
        assert_eq!(code(&asked(&dave, &house, action, &of(&demo)).await), "success", "{action}");
        let hidden = asked(&dave, &house, action, &of(&secret)).await;
        let absent = asked(&dave, &house, action, &of("crr-0123456789abcdef")).await;
        assert_eq!((code(&hidden), &hidden["Message"]), ("NoPermission", &absent["Message"]), "{action}");
        assert!(!hidden.to_string().contains("secret"), "{action}: {hidden}");
        for nothing in ["crr-0123456789abcdef", "x", "cri-0123456789abcdef"] {
            assert_eq!(code(&asked(&admin, &house, action, &of(nothing)).await), "REPO_NOT_EXIST", "{action} {nothing}");
        }
        // Another account finds neither the instance nor, in its own, the repository.
        for id in [&*demo, "crr-0123456789abcdef"] {
            assert_eq!(code(&asked(&stranger, &house, action, &of(id)).await), "INSTANCE_NOT_EXIST", "{action}");
            assert_eq!(code(&asked_of(&stranger, own, action, &of(id)).await), "REPO_NOT_EXIST", "{action}");
        }
    }
    assert_eq!(code(&asked(&dave, &house, "DeleteRepository", &[("RepoId", &secret)]).await), "NoPermission");
    assert_eq!(code(&asked(&admin, &house, "GetRepository", &[("RepoId", &secret)]).await), "success", "and it is still there");
}

#[tokio::test]
async fn the_tags_of_a_repository_are_immutable_while_it_says_so() {
    let (house, key) = lived_in().await;
    let client = house.alibaba(&key);
    let names = [("RepoNamespaceName", "empty"), ("RepoName", "kept")];
    let said = |immutable| names.into_iter().chain([("RepoType", "PRIVATE"), ("Summary", "x"), ("TagImmutability", immutable)]);
    let set = async |action, immutable| {
        let parameters: Vec<_> = said(immutable).collect();
        code(&asked(&client, &house, action, &parameters).await).to_owned()
    };
    assert_eq!(set("CreateRepository", "true").await, "success");
    let shown = asked(&client, &house, "GetRepository", &names).await;
    assert_eq!(shown["TagImmutability"], true);
    house.root().push_image("empty/kept", "v1").await;
    let tag = [("RepoId", shown["RepoId"].as_str().unwrap()), ("Tag", "v1")];
    assert_eq!(code(&asked(&client, &house, "DeleteRepoTag", &tag).await), "TAG_IMMUTABLE");
    assert_eq!(code(&asked(&client, &house, "DeleteRepository", &names).await), "TAG_IMMUTABLE");
    assert_eq!(set("UpdateRepository", "false").await, "success");
    assert_eq!(asked(&client, &house, "GetRepository", &names).await["TagImmutability"], false);
    assert_eq!(code(&asked(&client, &house, "DeleteRepoTag", &tag).await), "success");
}

#[tokio::test]
async fn what_repositories_cannot_be() {
    let (house, key) = lived_in().await;
    let client = house.alibaba(&key);
    let long = "x".repeat(101);
    let names = [("RepoNamespaceName", "empty"), ("RepoName", "new")];
    for (more, want) in [
        (&[("RepoType", "SECRET"), ("Summary", "x")][..], "InvalidRepoType"),
        (&[("RepoType", "PRIVATE"), ("Summary", &*long)], "InvalidSummary"),
        (&[("RepoType", "PRIVATE"), ("Summary", "a\u{7}b")], "InvalidSummary"),
        (&[("RepoType", "PRIVATE"), ("Summary", "x"), ("Detail", "\0")], "InvalidDetail"),
        (&[("RepoType", "PRIVATE"), ("Summary", "x"), ("TagImmutability", "maybe")], "InvalidTagImmutability"),
    ] {
        let parameters: Vec<_> = names.into_iter().chain(more.iter().copied()).collect();
        for action in ["CreateRepository", "UpdateRepository"] {
            assert_eq!(code(&asked(&client, &house, action, &parameters).await), want, "{action} {more:?}");
        }
    }
    let summary = [("RepoType", "PRIVATE"), ("Summary", "x")];
    for (namespace, name, want) in [
        ("empty", "Upper", "InvalidRepoName"),
        ("Upper", "x", "InvalidRepoNamespaceName"),
        ("_", "a/b", "InvalidRepoName"),
        ("empty", "/x", "InvalidRepoName"),
    ] {
        let parameters = [("RepoNamespaceName", namespace), ("RepoName", name), summary[0], summary[1]];
        assert_eq!(code(&asked(&client, &house, "CreateRepository", &parameters).await), want, "{namespace} {name}");
    }
    assert_eq!(code(&asked(&client, &house, "GetRepository", &[]).await), "MissingRepoId");
    assert_eq!(code(&asked(&client, &house, "GetRepository", &[("RepoName", "x")]).await), "MissingRepoNamespaceName");
    assert_eq!(code(&asked(&client, &house, "GetRepository", &[("RepoNamespaceName", "x")]).await), "MissingRepoName");
    // A repository of one segment stands in the root namespace.
    house.root().push_image("single", "v1").await;
    let found = asked(&client, &house, "GetRepository", &[("RepoNamespaceName", "_"), ("RepoName", "single")]).await;
    assert_eq!((&found["RepoNamespaceName"], &found["RepoName"]), (&json!("_"), &json!("single")));
}
