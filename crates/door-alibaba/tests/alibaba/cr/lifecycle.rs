//! Rules of the lifecycle of artifacts.

use serde_json::{Value, json};

use super::{asked, asked_of, code, column};
use crate::walk::lived_in;

/// A rule for the namespace `empty`, with what stands in place of its own.
fn rule<'a>(instead: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let own = [("NamespaceName", "empty"), ("Auto", "True"), ("EnableDeleteTag", "true"), ("RetentionTagCount", "3")];
    let kept = own.into_iter().filter(|(name, _)| !instead.iter().any(|(other, _)| other == name));
    kept.chain(instead.iter().copied()).collect()
}

#[tokio::test]
async fn a_rule_is_made_shown_changed_and_deleted() {
    let (house, key) = lived_in().await;
    let client = house.alibaba(&key);
    let made = asked(&client, &house, "CreateArtifactLifecycleRule", &rule(&[("TagRegexp", "release-.*")])).await;
    assert_eq!(code(&made), "success");
    let id = [("RuleId", made["RuleId"].as_str().unwrap())];
    let shown = asked(&client, &house, "GetArtifactLifecycleRule", &id).await;
    assert_eq!((&shown["Scope"], &shown["NamespaceName"], &shown["RepoName"]), (&json!("NAMESPACE"), &json!("empty"), &json!("")));
    assert_eq!((&shown["RetentionTagCount"], &shown["TagRegexp"]), (&json!(3), &json!("release-.*")));
    assert_eq!((&shown["Auto"], &shown["ScheduleTime"], shown.get("NextTime")), (&json!(true), &json!(""), None), "each hour");
    // The same rule in the management API.
    let root = house.root_manager().await;
    let kept = async || root.get("/api/v1/instances/local/namespaces/empty/retention").await.expect(200).json()["rules"].clone();
    let there = kept().await;
    assert_eq!(
        (&there[0]["keep_newest"], &there[0]["keep_tags"], &there[0]["schedule"]),
        (&json!(3), &json!("release-*"), &json!("hourly"))
    );

    house.advance(model::Seconds(1)).await;
    let all = rule(&[("RepoName", "app"), ("Auto", "False"), ("RetentionTagCount", "0"), ("TagRegexp", "latest"), id[0]]);
    assert_eq!(code(&asked(&client, &house, "UpdateArtifactLifecycleRule", &all).await), "success");
    let after = asked(&client, &house, "GetArtifactLifecycleRule", &id).await;
    assert_eq!((&after["Scope"], &after["RepoName"], &after["Auto"]), (&json!("REPO"), &json!("app"), &json!(false)));
    assert_eq!((after.get("RetentionTagCount"), &after["TagRegexp"]), (None, &json!("latest")), "what is left out is gone");
    assert_eq!(after["ModifiedTime"].as_i64(), after["CreateTime"].as_i64().map(|ms| ms + 1000));
    assert_eq!(kept().await[0]["schedule"], "asked");

    assert_eq!(code(&asked(&client, &house, "DeleteArtifactLifecycleRule", &id).await), "success");
    assert_eq!(kept().await, json!([]));
    for action in ["GetArtifactLifecycleRule", "DeleteArtifactLifecycleRule"] {
        assert_eq!(code(&asked(&client, &house, action, &id).await), "ARTIFACT_LIFECYCLE_RULE_NOT_EXIST", "{action}");
    }
    assert_eq!(code(&asked(&client, &house, "UpdateArtifactLifecycleRule", &all).await), "ARTIFACT_LIFECYCLE_RULE_NOT_EXIST");
    let nowhere = rule(&[("NamespaceName", "nosuch")]);
    assert_eq!(code(&asked(&client, &house, "CreateArtifactLifecycleRule", &nowhere).await), "NAMESPACE_NOT_EXIST");
}

#[tokio::test]
async fn what_a_rule_does_not_keep_goes() {
    let (house, key) = lived_in().await;
    let client = house.alibaba(&key);
    for tag in ["v2", "v3"] {
        house.advance(model::Seconds(1)).await;
        house.root().push_image("demo/other", tag).await;
    }
    let new = rule(&[("NamespaceName", "demo"), ("RepoName", "other"), ("RetentionTagCount", "1"), ("Auto", "false")]);
    assert_eq!(code(&asked(&client, &house, "CreateArtifactLifecycleRule", &new).await), "success");
    let untagged = [("NamespaceName", "demo"), ("Auto", "true"), ("EnableDeleteUntaggedManifest", "true")];
    let made = asked(&client, &house, "CreateArtifactLifecycleRule", &untagged).await;
    let shown = asked(&client, &house, "GetArtifactLifecycleRule", &[("RuleId", made["RuleId"].as_str().unwrap())]).await;
    assert_eq!((&shown["EnableDeleteTag"], &shown["EnableDeleteUntaggedManifest"]), (&json!(false), &json!(true)));
    let root = house.root_manager().await;
    let ran = root.post("/api/v1/instances/local/namespaces/demo/retention-runs", &json!({})).await.expect(200).json();
    let gone = ran["items"].as_array().unwrap().iter().find(|item| item["removed"] == true).unwrap();
    assert_eq!((&ran["tags_removed"], &gone["repository"], &gone["tag"]), (&json!(1), &json!("demo/other"), &json!("v2")), "{ran}");
}

#[tokio::test]
async fn rules_are_listed_wherever_they_were_made() {
    let (house, key) = lived_in().await;
    let client = house.alibaba(&key);
    let root = house.root_manager().await;
    let more =
        json!({"rules": [{"keep_pulled_days": 30, "tags": "pr-*"}, {"untagged_days": 14}, {"keep_newest": 2, "repositories": "a*"}]});
    root.put("/api/v1/instances/local/namespaces/empty/retention", &more).await.expect(200);
    let all = asked(&client, &house, "ListArtifactLifecycleRule", &[]).await;
    assert_eq!((column(&all, "Rules", "NamespaceName"), &all["TotalCount"]), ("demo empty empty empty".into(), &json!(4)));
    assert_eq!(column(&all, "Rules", "RepoName"), "app   a*");
    assert_eq!(column(&all, "Rules", "ScheduleTime"), "WEEK   ");
    let page = asked(&client, &house, "ListArtifactLifecycleRule", &[("PageSize", "2"), ("PageNo", "2")]).await;
    assert_eq!((page["Rules"].as_array().unwrap().len(), &page["TotalCount"]), (2, &json!(4)));
    for (value, want) in [("true", 3), ("false", 1)] {
        assert_eq!(asked(&client, &house, "ListArtifactLifecycleRule", &[("EnableDeleteTag", value)]).await["TotalCount"], want);
    }
    // What they say besides is not lost by a change of the rest.
    for rules in 1..4 {
        let id = all["Rules"][rules]["RuleId"].as_str().unwrap();
        let said = asked(&client, &house, "UpdateArtifactLifecycleRule", &rule(&[("RuleId", id)])).await;
        assert_eq!(code(&said), "OPERATION_DENIED", "{}", all["Rules"][rules]);
        assert!(said["Message"].as_str().unwrap().contains("change it where it was made"), "{said}");
    }
    let id = all["Rules"][1]["RuleId"].as_str().unwrap();
    assert_eq!(code(&asked(&client, &house, "DeleteArtifactLifecycleRule", &[("RuleId", id)]).await), "success");
}

#[tokio::test]
async fn what_rules_cannot_be() {
    let (house, key) = lived_in().await;
    let client = house.alibaba(&key);
    let id = super::rule_id(&house);
    for (instead, want) in [
        (&[("Scope", "INSTANCE")][..], "NOT_SUPPORTED"),
        (&[("NamespaceName", "")], "NOT_SUPPORTED"),
        (&[("DryRun", "true")], "NOT_SUPPORTED"),
        (&[("Policies", "[]")], "NOT_SUPPORTED"),
        (&[("TagRegexp", "v[0-9]+")], "NOT_SUPPORTED"),
        (&[("EnableDeleteTag", "false")], "NOT_SUPPORTED"),
        (&[("EnableDeleteTag", "")], "MissingEnableDeleteTag"),
        (&[("EnableDeleteUntaggedManifest", "true")], "InvalidEnableDeleteUntaggedManifest"),
        (&[("RetentionTagCount", "")], "MissingRetentionTagCount"),
        (&[("RetentionTagCount", "0"), ("TagRegexp", " ")], "MissingRetentionTagCount"),
        (&[("RetentionTagCount", "10001")], "InvalidRetentionTagCount"),
        (&[("Scope", "REPO")], "MissingRepoName"),
        (&[("Scope", "NAMESPACE"), ("NamespaceName", "")], "MissingNamespaceName"),
        (&[("Scope", "PLANET")], "InvalidScope"),
        (&[("ScheduleTime", "SOON")], "InvalidScheduleTime"),
    ] {
        for action in ["CreateArtifactLifecycleRule", "UpdateArtifactLifecycleRule"] {
            let mut all = rule(instead);
            all.push(("RuleId", &id));
            assert_eq!(code(&asked(&client, &house, action, &all).await), want, "{action} {instead:?}");
        }
    }
    let elsewhere = rule(&[("RuleId", &id)]);
    let moved = asked(&client, &house, "UpdateArtifactLifecycleRule", &elsewhere).await;
    assert_eq!(code(&moved), "OPERATION_DENIED", "a rule of demo, and said of empty: {moved}");
    for _ in 0..16 {
        assert_eq!(code(&asked(&client, &house, "CreateArtifactLifecycleRule", &rule(&[])).await), "success");
    }
    assert_eq!(code(&asked(&client, &house, "CreateArtifactLifecycleRule", &rule(&[])).await), "QUOTA_EXCEEDED");
}

#[tokio::test]
async fn an_id_of_a_rule_tells_nothing_to_whoever_may_not_see_it() {
    const OWN: &str = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["cr:*ArtifactLifecycleRule"],"Resource":"acs:cr:*:*:repository/*/empty"}]}"#;
    let (house, key) = lived_in().await;
    let house = house.with_user("dave").await.with_policy("dave", "own", OWN).await.with_account("globex").await;
    let dave = house.alibaba(&house.access_key("dave").await);
    let made = asked(&dave, &house, "CreateArtifactLifecycleRule", &rule(&[])).await;
    assert_eq!(code(&made), "success", "the vendor's spelling of the right");
    let own = asked(&dave, &house, "GetArtifactLifecycleRule", &[("RuleId", made["RuleId"].as_str().unwrap())]).await;
    assert_eq!(own["NamespaceName"], "empty");
    let get = async |id: &str| asked(&dave, &house, "GetArtifactLifecycleRule", &[("RuleId", id)]).await;
    let theirs = super::rule_id(&house);
    let (hidden, absent) = (get(&theirs).await, get("cralr-0123456789abcdef00000001").await);
    assert_eq!((code(&hidden), &hidden["Message"]), ("NoPermission", &absent["Message"]));
    assert!(!hidden.to_string().contains("demo"), "{hidden}");
    assert_eq!(code(&get("x").await), "NoPermission");
    let of_all: Value = asked(&dave, &house, "ListArtifactLifecycleRule", &[]).await;
    assert_eq!(code(&of_all), "NoPermission", "it is asked of the instance");
    // Another account's instance.
    let stranger = house.alibaba(&house.account("globex").root_key());
    assert_eq!(code(&asked(&stranger, &house, "GetArtifactLifecycleRule", &[("RuleId", &theirs)]).await), "INSTANCE_NOT_EXIST");
    let own = house.account("globex").bootstrap.instance.id;
    let there = asked_of(&stranger, own, "GetArtifactLifecycleRule", &[("RuleId", &theirs)]).await;
    assert_eq!(code(&there), "ARTIFACT_LIFECYCLE_RULE_NOT_EXIST");
    let admin = house.alibaba(&key);
    assert_eq!(code(&asked(&admin, &house, "GetArtifactLifecycleRule", &[("RuleId", "x")]).await), "ARTIFACT_LIFECYCLE_RULE_NOT_EXIST");
}
