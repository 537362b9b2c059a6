//! Every action that is served, called by the SDKs, its answer looked at by value.

use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::sdk::{Kind, Sdk};
use crate::support::house::text;

/// A success of the product cr.
#[track_caller]
pub(crate) fn done(answer: &Value) {
    assert_eq!((&answer["IsSuccess"], &answer["Code"]), (&json!(true), &json!("success")), "{answer}");
    assert!(answer["RequestId"].as_str().is_some_and(|id| !id.is_empty()), "{answer}");
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn instances_are_told_by_every_sdk() {
    let cloud = Cloud::start();
    let key = cloud.root_key();
    for kind in Kind::ALL {
        let mut sdk = cloud.sdk(kind, &key);
        let listed = sdk.ok("cr", "ListInstance", &json!({ "InstanceName": "local" }));
        done(&listed);
        assert_eq!((&listed["PageNo"], &listed["TotalCount"]), (&json!(1), &json!(1)), "{kind:?}");
        let first = &listed["Instances"][0];
        assert_eq!(
            (&first["InstanceName"], &first["InstanceStatus"], &first["RegionId"]),
            (&json!("local"), &json!("RUNNING"), &json!("local"))
        );
        assert!(first["CreateTime"].is_string(), "a text in lists: {first}");
        let id = text(&first["InstanceId"]);
        assert!(id.starts_with("cri-") && id.len() == 20, "{id}");
        let got = sdk.ok("cr", "GetInstance", &json!({ "InstanceId": id }));
        done(&got);
        assert_eq!((&got["InstanceId"], &got["InstanceName"]), (&json!(id), &json!("local")));
        assert!(got["CreateTime"].is_i64(), "a number here: {got}");
        assert_eq!(sdk.ok("cr", "GetInstanceCount", &json!({}))["Count"], 1);
        assert_eq!(sdk.ok("cr", "ListInstance", &json!({ "InstanceName": "other" }))["TotalCount"], 0);
    }
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn a_token_opens_the_registry_whoever_asked_for_it() {
    let cloud = Cloud::start();
    let instance = cloud.instance();
    let key = cloud.user("ci", &crate::cloud::SEED_ACTIONS);
    for kind in Kind::ALL {
        let made = cloud.sdk(kind, &key).ok("cr", "GetAuthorizationToken", &json!({ "InstanceId": instance }));
        done(&made);
        assert_eq!(made["TempUsername"], "cr_temp_user");
        let token = cloud.house.bearer("cr_temp_user", &text(&made["AuthorizationToken"]), "repository:demo/app:pull,push");
        assert!(!token.is_empty());
    }
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn who_calls_is_told_in_json_and_xml() {
    let cloud = Cloud::start();
    let key = cloud.user("somebody", &[]);
    let account = cloud.account();
    for kind in Kind::ALL {
        let who = cloud.sdk(kind, &key).ok("sts", "GetCallerIdentity", &json!({}));
        assert_eq!((&who["AccountId"], &who["IdentityType"]), (&json!(account), &json!("RAMUser")), "{kind:?}: {who}");
        assert_eq!(who["Arn"], format!("acs:ram::{account}:user/somebody"), "{kind:?}");
        assert!(who.get("IsSuccess").is_none());
    }
    let xml = cloud.sdk(Kind::Core, &key).xml("sts", "GetCallerIdentity", &json!({}));
    assert!(xml.contains(&format!("<Arn>acs:ram::{account}:user/somebody</Arn>")), "{xml}");
}

/// Namespaces, repositories and tags by one SDK.
fn content(cloud: &Cloud, sdk: &mut Sdk, instance: &str, namespace: &str) {
    done(&sdk.ok(
        "cr",
        "CreateNamespace",
        &json!({
            "InstanceId": instance, "NamespaceName": namespace, "AutoCreateRepo": "True", "DefaultRepoType": "PRIVATE",
        }),
    ));
    let named = json!({ "InstanceId": instance, "NamespaceName": namespace });
    let got = sdk.ok("cr", "GetNamespace", &named);
    assert_eq!(
        (&got["NamespaceName"], &got["NamespaceStatus"], &got["DefaultRepoType"]),
        (&json!(namespace), &json!("NORMAL"), &json!("PRIVATE"))
    );
    assert_eq!(got["AutoCreateRepo"], true);
    assert!(text(&got["NamespaceId"]).starts_with("crn-"));
    let listed = sdk.ok("cr", "ListNamespace", &named);
    assert_eq!((&listed["TotalCount"], &listed["Namespaces"][0]["NamespaceName"]), (&json!("1"), &json!(namespace)));
    let change = json!({ "InstanceId": instance, "NamespaceName": namespace, "AutoCreateRepo": "false", "DefaultRepoType": "PRIVATE" });
    done(&sdk.ok("cr", "UpdateNamespace", &change));
    assert_eq!(sdk.ok("cr", "GetNamespace", &named)["AutoCreateRepo"], false);
    repositories(cloud, sdk, instance, namespace);
    done(&sdk.ok("cr", "DeleteNamespace", &named));
}

fn repositories(cloud: &Cloud, sdk: &mut Sdk, instance: &str, namespace: &str) {
    let made = sdk.ok(
        "cr",
        "CreateRepository",
        &json!({
            "InstanceId": instance, "RepoNamespaceName": namespace, "RepoName": "app", "RepoType": "PRIVATE", "Summary": "a summary",
        }),
    );
    let id = text(&made["RepoId"]);
    assert!(id.starts_with("crr-"));
    let got = sdk.ok("cr", "GetRepository", &json!({ "InstanceId": instance, "RepoNamespaceName": namespace, "RepoName": "app" }));
    assert_eq!((&got["RepoId"], &got["Summary"], &got["RepoStatus"]), (&json!(id), &json!("a summary"), &json!("NORMAL")));
    let listed =
        sdk.ok("cr", "ListRepository", &json!({ "InstanceId": instance, "RepoNamespaceName": namespace, "PageNo": 1, "PageSize": 30 }));
    assert_eq!((&listed["TotalCount"], listed["Repositories"].as_array().unwrap().len()), (&json!("1"), 1));
    done(&sdk.ok("cr", "UpdateRepository", &json!({ "InstanceId": instance, "RepoId": id, "RepoType": "PUBLIC", "Summary": "another" })));
    let got = sdk.ok("cr", "GetRepository", &json!({ "InstanceId": instance, "RepoId": id }));
    assert_eq!((&got["Summary"], &got["RepoType"], got["CreateTime"].is_i64()), (&json!("another"), &json!("PUBLIC"), true));
    tags(cloud, sdk, instance, namespace, &id);
    done(&sdk.ok("cr", "DeleteRepository", &json!({ "InstanceId": instance, "RepoId": id })));
}

fn tags(cloud: &Cloud, sdk: &mut Sdk, instance: &str, namespace: &str, repository: &str) {
    let digest = push(cloud, &format!("{namespace}/app"));
    let bare = digest.trim_start_matches("sha256:");
    let listed = sdk.ok("cr", "ListRepoTag", &json!({ "InstanceId": instance, "RepoId": repository, "PageNo": 1, "PageSize": 30 }));
    let image = &listed["Images"][0];
    assert_eq!((&image["Tag"], &image["Digest"], &image["Status"]), (&json!("1.0"), &json!(bare), &json!("NORMAL")));
    let tag = json!({ "InstanceId": instance, "RepoId": repository, "Tag": "1.0" });
    if sdk.kind() == Kind::Core {
        old_tags(sdk, &tag);
    } else {
        new_tags(sdk, &tag, namespace, bare);
    }
    done(&sdk.ok("cr", "DeleteRepoTag", &tag));
    let listed = sdk.ok("cr", "ListRepoTag", &json!({ "InstanceId": instance, "RepoId": repository }));
    assert_eq!(listed["TotalCount"], "0");
}

/// What only newer SDKs ask for.
fn new_tags(sdk: &mut Sdk, tag: &Value, namespace: &str, digest: &str) {
    let got = sdk.ok("cr", "GetRepoTag", tag);
    assert_eq!((&got["Digest"], got["ImageCreate"].is_i64()), (&json!(digest), true), "{got}");
    let instance = &tag["InstanceId"];
    let copy = json!({ "InstanceId": instance, "NamespaceName": namespace, "RepoName": "app", "FromTag": "1.0", "ToTag": "2.0" });
    done(&sdk.ok("cr", "CreateRepoTag", &copy));
    let copied = json!({ "InstanceId": instance, "RepoId": tag["RepoId"], "Tag": "2.0" });
    assert_eq!(sdk.ok("cr", "GetRepoTag", &copied)["Digest"], digest);
    done(&sdk.ok("cr", "DeleteRepoTag", &copied));
}

/// What only the old SDK asks for.
fn old_tags(sdk: &mut Sdk, tag: &Value) {
    let mut with_version = tag.clone();
    with_version["SchemaVersion"] = 2.into();
    let manifest = sdk.ok("cr", "GetRepoTagManifest", &with_version)["Manifest"].clone();
    assert_eq!((&manifest["SchemaVersion"], manifest["Layers"].as_array().unwrap().len()), (&json!(2), 1), "{manifest}");
    let layers = sdk.ok("cr", "GetRepoTagLayers", tag);
    assert_eq!((&layers["Layers"][0]["BlobSize"], layers["Layers"].as_array().unwrap().len()), (&json!(1000), 1), "{layers}");
}

/// An image's digest, after it was pushed by the root user as `1.0`.
fn push(cloud: &Cloud, repository: &str) -> String {
    use crate::support::http::{Ask, basic};
    let root = basic("root", &text(&cloud.house.bootstrap()["root_password"]));
    let (config, layer) = (b"{}".to_vec(), crate::support::content(7, 1000));
    for blob in [&config, &layer] {
        let target = format!("/v2/{repository}/blobs/uploads/?digest={}", crate::support::digest(blob));
        let ask = Ask::new("POST", &target).with(&root).header("content-type", "application/octet-stream").body(blob.clone());
        cloud.house.send(&ask).expect(201);
    }
    let manifest = crate::support::manifest(&config, &[layer]);
    let ask = Ask::new("PUT", &format!("/v2/{repository}/manifests/1.0")).with(&root);
    cloud.house.send(&ask.header("content-type", crate::support::OCI_MANIFEST).body(manifest.clone())).expect(201);
    crate::support::digest(manifest.as_bytes())
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn namespaces_repositories_and_tags_are_made_told_and_ended() {
    let cloud = Cloud::start();
    let instance = cloud.instance();
    let key = cloud.root_key();
    for (kind, namespace) in Kind::ALL.into_iter().zip(["one", "two", "three", "four", "five", "six", "seven"]) {
        content(&cloud, &mut cloud.sdk(kind, &key), &instance, namespace);
    }
}

const GONE: &str = "ARTIFACT_LIFECYCLE_RULE_NOT_EXIST";

/// A rule of the lifecycle, from its beginning to its end, as the vendor's own tools say it: the whole rule each time.
fn lifecycle(sdk: &mut Sdk, instance: &str, namespace: &str) {
    let kind = sdk.kind();
    let wanted = json!({
        "InstanceId": instance, "NamespaceName": namespace, "RepoName": "app", "Scope": "REPO", "Auto": true, "ScheduleTime": "WEEK",
        "EnableDeleteTag": true, "RetentionTagCount": 30, "TagRegexp": "release-.*",
    });
    let made = sdk.ok("cr", "CreateArtifactLifecycleRule", &wanted);
    done(&made);
    let id = text(&made["RuleId"]);
    assert!(id.starts_with("cralr-"), "{kind:?}: {id}");
    let one = json!({ "InstanceId": instance, "RuleId": id });
    let got = sdk.ok("cr", "GetArtifactLifecycleRule", &one);
    done(&got);
    for field in
        ["InstanceId", "NamespaceName", "RepoName", "Scope", "Auto", "ScheduleTime", "EnableDeleteTag", "RetentionTagCount", "TagRegexp"]
    {
        assert_eq!(got[field], wanted[field], "{kind:?} {field}: {got}");
    }
    assert!(got["NextTime"].as_i64() > got["CreateTime"].as_i64() && got["CreateTime"].is_i64(), "{kind:?}: {got}");
    let mut changed = wanted.clone();
    let change = json!({ "RuleId": id, "RetentionTagCount": 5, "TagRegexp": "v1\\..*|latest", "ScheduleTime": "MONTH" });
    changed.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    done(&sdk.ok("cr", "UpdateArtifactLifecycleRule", &changed));
    let listed =
        sdk.ok("cr", "ListArtifactLifecycleRule", &json!({ "InstanceId": instance, "EnableDeleteTag": true, "PageNo": 1, "PageSize": 30 }));
    assert_eq!((&listed["TotalCount"], listed["Rules"].as_array().unwrap().len()), (&json!(1), 1), "{kind:?}: {listed}");
    for field in ["RuleId", "RetentionTagCount", "TagRegexp", "ScheduleTime", "NamespaceName"] {
        assert_eq!(listed["Rules"][0][field], changed[field], "{kind:?} {field}: {listed}");
    }
    let mut everywhere = wanted;
    everywhere["Scope"] = "INSTANCE".into();
    sdk.refused("cr", "CreateArtifactLifecycleRule", &everywhere, "NOT_SUPPORTED");
    done(&sdk.ok("cr", "DeleteArtifactLifecycleRule", &one));
    if matches!(kind, Kind::PopGet | Kind::PopPost) {
        sdk.refused("cr", "GetArtifactLifecycleRule", &one, GONE);
    } else {
        let gone = sdk.ok("cr", "GetArtifactLifecycleRule", &one);
        assert_eq!((&gone["IsSuccess"], &gone["Code"]), (&json!(false), &json!(GONE)), "{kind:?}");
    }
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn rules_of_the_lifecycle_are_made_told_changed_and_ended() {
    let cloud = Cloud::start();
    let instance = cloud.instance();
    let key = cloud.root_key();
    let named = json!({ "InstanceId": instance, "NamespaceName": "kept" });
    cloud.sdk(Kind::TeaV3, &key).ok("cr", "CreateNamespace", &named);
    for kind in Kind::ALL {
        // The older Python SDK has no such request.
        if kind != Kind::Core {
            lifecycle(&mut cloud.sdk(kind, &key), &instance, "kept");
        }
    }
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn what_an_instance_holds_and_where_it_can_be_is_told() {
    let cloud = Cloud::start();
    let instance = cloud.instance();
    push(&cloud, "demo/app");
    for kind in Kind::ALL {
        let mut sdk = cloud.sdk(kind, &cloud.root_key());
        let usage = sdk.ok("cr", "GetInstanceUsage", &json!({ "InstanceId": instance }));
        assert_eq!((&usage["NamespaceUsage"], &usage["RepoUsage"]), (&json!("1"), &json!("1")), "{kind:?}: {usage}");
        let regions = sdk.ok("cr", "ListInstanceRegion", &json!({}));
        assert_eq!(regions["Regions"][0]["RegionId"], "local", "{kind:?}: {regions}");
    }
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn what_is_not_done_here_says_so() {
    let cloud = Cloud::start();
    let instance = cloud.instance();
    let mut sdk = cloud.sdk(Kind::TeaV3, &cloud.root_key());
    let error = sdk.refused("cr", "ListChartNamespace", &json!({ "InstanceId": instance }), "NOT_SUPPORTED");
    assert_eq!(error["status"], 400);
}
