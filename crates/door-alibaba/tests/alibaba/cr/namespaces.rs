//! Namespaces.

use serde_json::json;

use super::{asked, asked_of, code, column};
use crate::walk::lived_in;

#[tokio::test]
async fn a_namespace_says_what_its_new_repositories_are_like() {
    let (house, key) = lived_in().await;
    let client = house.alibaba(&key);
    let configuration = r#"{"RepoType":"PUBLIC","TagImmutability":false,"ArtifactBuildRuleParameters":{"ImageIndexOnly":false}}"#;
    let new = [("NamespaceName", "open"), ("AutoCreateRepo", "True"), ("DefaultRepoConfiguration", configuration)];
    assert_eq!(code(&asked(&client, &house, "CreateNamespace", &new).await), "success");
    assert_eq!(code(&asked(&client, &house, "CreateNamespace", &new).await), "NAMESPACE_ALREADY_EXIST");
    let shown = asked(&client, &house, "GetNamespace", &[("NamespaceName", "open")]).await;
    assert_eq!((&shown["AutoCreateRepo"], &shown["DefaultRepoType"]), (&json!(true), &json!("PUBLIC")));
    assert_eq!(shown["DefaultRepoConfiguration"]["RepoType"], "PUBLIC");
    // A push makes what the namespace says.
    house.root().push_image("open/app", "v1").await;
    house.anon().token("repository:open/app:pull").await.get("/v2/open/app/manifests/v1").await.expect(200);
    let found = asked(&client, &house, "GetRepository", &[("RepoNamespaceName", "open"), ("RepoName", "app")]).await;
    assert_eq!((&found["RepoType"], &found["Summary"]), (&json!("PUBLIC"), &json!("Automatically created repository")));

    let change = [("NamespaceName", "open"), ("AutoCreateRepo", "False"), ("DefaultRepoType", "PRIVATE")];
    assert_eq!(code(&asked(&client, &house, "UpdateNamespace", &change).await), "success");
    assert_eq!(code(&asked(&client, &house, "UpdateNamespace", &[("NamespaceName", "open")]).await), "success", "what is left out stays");
    let id = shown["NamespaceId"].as_str().unwrap();
    let by_id = asked(&client, &house, "GetNamespace", &[("NamespaceId", id)]).await;
    assert_eq!(
        (&by_id["NamespaceName"], &by_id["AutoCreateRepo"], &by_id["DefaultRepoType"]),
        (&json!("open"), &json!(false), &json!("PRIVATE"))
    );

    let delete = async || asked(&client, &house, "DeleteNamespace", &[("NamespaceName", "open")]).await;
    assert_eq!(code(&delete().await), "NAMESPACE_NOT_EMPTY");
    asked(&client, &house, "DeleteRepository", &[("RepoNamespaceName", "open"), ("RepoName", "app")]).await;
    assert_eq!(code(&delete().await), "success");
    assert_eq!(code(&delete().await), "NAMESPACE_NOT_EXIST");
    for action in ["GetNamespace", "UpdateNamespace"] {
        assert_eq!(code(&asked(&client, &house, action, &[("NamespaceName", "open")]).await), "NAMESPACE_NOT_EXIST", "{action}");
    }
}

#[tokio::test]
async fn namespaces_are_listed_by_name_status_and_page() {
    let (house, key) = lived_in().await;
    let client = house.alibaba(&key);
    for (parameters, want) in [
        (&[][..], ("demo empty", "2")),
        (&[("NamespaceName", "demo")], ("demo", "1")),
        (&[("NamespaceName", "dem")], ("", "0")),
        (&[("NamespaceStatus", "NORMAL")], ("demo empty", "2")),
        (&[("NamespaceStatus", "DELETING")], ("", "0")),
        (&[("PageSize", "1"), ("PageNo", "2")], ("empty", "2")),
    ] {
        let found = asked(&client, &house, "ListNamespace", parameters).await;
        assert_eq!((&*column(&found, "Namespaces", "NamespaceName"), &found["TotalCount"]), (want.0, &json!(want.1)), "{parameters:?}");
    }
}

#[tokio::test]
async fn an_id_tells_nothing_to_whoever_may_not_see_what_it_names() {
    let (house, key) = lived_in().await;
    let house = house.with_user("dave").await;
    let own = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"cr:*","Resource":["acs:cr:*:*:repository/*/demo","acs:cr:*:*:repository/*/demo/*"]}]}"#;
    let house = house.with_policy("dave", "demo-only", own).await.with_account("globex").await;
    let (admin, dave) = (house.alibaba(&key), house.alibaba(&house.access_key("dave").await));
    let id = async |name: &str| {
        asked(&admin, &house, "GetNamespace", &[("NamespaceName", name)]).await["NamespaceId"].as_str().unwrap().to_owned()
    };
    let (demo, empty) = (id("demo").await, id("empty").await);
    assert_eq!(asked(&dave, &house, "GetNamespace", &[("NamespaceId", &demo)]).await["NamespaceName"], "demo");
    let hidden = asked(&dave, &house, "GetNamespace", &[("NamespaceId", &empty)]).await;
    let absent = asked(&dave, &house, "GetNamespace", &[("NamespaceId", "crn-0123456789abcdef")]).await;
    assert_eq!((code(&hidden), &hidden["Message"]), ("NoPermission", &absent["Message"]));
    assert!(!hidden.to_string().contains("empty"), "{hidden}");
    for nothing in ["crn-0123456789abcdef", "x"] {
        assert_eq!(code(&asked(&admin, &house, "GetNamespace", &[("NamespaceId", nothing)]).await), "NAMESPACE_NOT_EXIST");
    }
    // Another account's instance, and what is in it, or not.
    let stranger = house.alibaba(&house.account("globex").root_key());
    for parameter in [("NamespaceId", &*demo), ("NamespaceId", "crn-0123456789abcdef"), ("NamespaceName", "demo")] {
        let said = asked(&stranger, &house, "GetNamespace", &[parameter]).await;
        assert_eq!(code(&said), "INSTANCE_NOT_EXIST", "{parameter:?}");
    }
    let own = house.account("globex").bootstrap.instance.id;
    assert_eq!(code(&asked_of(&stranger, own, "GetNamespace", &[("NamespaceId", &demo)]).await), "NAMESPACE_NOT_EXIST");
}

#[tokio::test]
async fn what_namespaces_cannot_be() {
    let (house, key) = lived_in().await;
    let client = house.alibaba(&key);
    let configuration = |text| ("DefaultRepoConfiguration", text);
    for (parameters, want) in [
        (&[("NamespaceName", "Upper")][..], "InvalidNamespaceName"),
        (&[("NamespaceName", "a/b")], "InvalidNamespaceName"),
        (&[("NamespaceName", "x"), ("AutoCreateRepo", "1")], "InvalidAutoCreateRepo"),
        (&[("NamespaceName", "x"), ("DefaultRepoType", "SECRET")], "InvalidDefaultRepoType"),
        (&[("NamespaceName", "x"), configuration("[]")], "InvalidDefaultRepoConfiguration"),
        (&[("NamespaceName", "x"), configuration("{")], "InvalidDefaultRepoConfiguration"),
        (&[("NamespaceName", "x"), configuration(r#"{"RepoType":7}"#)], "InvalidDefaultRepoConfiguration"),
        (&[("NamespaceName", "x"), configuration(r#"{"TagImmutability":"true"}"#)], "InvalidDefaultRepoConfiguration"),
        (
            &[("NamespaceName", "x"), configuration(r#"{"RepoType":"PUBLIC"}"#), ("DefaultRepoType", "PRIVATE")],
            "InvalidDefaultRepoConfiguration",
        ),
        (&[("NamespaceName", "x"), configuration(r#"{"ArtifactBuildRuleParameters":{"ImageIndexOnly":true}}"#)], "NOT_SUPPORTED"),
    ] {
        for action in ["CreateNamespace", "UpdateNamespace"] {
            assert_eq!(code(&asked(&client, &house, action, parameters).await), want, "{action} {parameters:?}");
        }
    }
    assert_eq!(code(&asked(&client, &house, "GetNamespace", &[]).await), "MissingNamespaceName");
}
