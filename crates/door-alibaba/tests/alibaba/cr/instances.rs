//! Instances, and how much they hold.

use serde_json::{Value, json};
use testkit::{Alibaba, Product};

use super::{asked, code, column};
use crate::walk::lived_in;

async fn list(client: &Alibaba<'_>, parameters: &[(&str, &str)]) -> Value {
    client.call(Product::Cr, "ListInstance", parameters).await.json()
}

#[tokio::test]
async fn instances_are_found_by_their_exact_name_and_status_and_in_pages() {
    let (house, key) = lived_in().await;
    let client = house.alibaba(&key);
    let all = list(&client, &[]).await;
    assert_eq!((column(&all, "Instances", "InstanceName"), &all["TotalCount"]), ("local prod".into(), &json!(2)));
    assert_eq!((&all["PageNo"], &all["PageSize"]), (&json!(1), &json!(30)));
    for (parameters, want) in [
        (&[("InstanceName", "prod")][..], ("prod", 1)),
        (&[("InstanceName", "pro")], ("", 0)),
        (&[("InstanceStatus", "RUNNING")], ("local prod", 2)),
        (&[("InstanceStatus", "STOPPED")], ("", 0)),
        (&[("PageSize", "1"), ("PageNo", "2")], ("prod", 2)),
        (&[("PageSize", "1"), ("PageNo", "3")], ("", 2)),
        (&[("RegionId", "cn-hangzhou")], ("local prod", 2)),
    ] {
        let found = list(&client, parameters).await;
        assert_eq!((&*column(&found, "Instances", "InstanceName"), &found["TotalCount"]), (want.0, &json!(want.1)), "{parameters:?}");
    }
    let count = client.call(Product::Cr, "GetInstanceCount", &[]).await.json();
    assert_eq!(count["Count"], 2);
    let regions = client.call(Product::Cr, "ListInstanceRegion", &[]).await.json();
    assert_eq!(column(&regions, "Regions", "RegionId"), "cn-shanghai local");
}

#[tokio::test]
async fn page_numbers_lead_so_far() {
    let (house, key) = lived_in().await;
    let client = house.alibaba(&key);
    assert_eq!(list(&client, &[("PageSize", "1000")]).await["PageSize"], 100, "more than a page holds is a full one");
    assert_eq!(code(&list(&client, &[("PageNo", "1000"), ("PageSize", "100")]).await), "success");
    for wrong in [
        &[("PageNo", "1001"), ("PageSize", "100")][..],
        &[("PageNo", "9223372036854775807")],
        &[("PageNo", "0")],
        &[("PageNo", "-1")],
        &[("PageNo", "x")],
    ] {
        assert_eq!(code(&list(&client, wrong).await), "InvalidPageNo", "{wrong:?}");
    }
    assert_eq!(code(&list(&client, &[("PageSize", "0")]).await), "InvalidPageSize");
    assert_eq!(code(&list(&client, &[("InstanceStatus", "WELL")]).await), "InvalidInstanceStatus");
}

#[tokio::test]
async fn usage_follows_what_is_there() {
    let (house, key) = lived_in().await;
    let client = house.alibaba(&key);
    let figures = async || {
        let usage = asked(&client, &house, "GetInstanceUsage", &[]).await;
        ["NamespaceUsage", "RepoUsage", "VpcUsage"].map(|name| usage[name].as_str().unwrap().to_owned()).join(" ")
    };
    assert_eq!(figures().await, "2 1 1");
    let new = [("RepoNamespaceName", "empty"), ("RepoName", "new"), ("RepoType", "PRIVATE"), ("Summary", "x")];
    asked(&client, &house, "CreateRepository", &new).await;
    asked(&client, &house, "CreateNamespace", &[("NamespaceName", "new")]).await;
    asked(&client, &house, "CreateInstanceVpcEndpointLinkedVpc", &[("VpcId", "office"), ("VswitchId", "x")]).await;
    assert_eq!(figures().await, "3 2 2");
    let usage = asked(&client, &house, "GetInstanceUsage", &[]).await;
    assert_eq!((&usage["NamespaceQuota"], &usage["RepoQuota"], &usage["VpcQuota"]), (&json!("10000"), &json!("100000"), &json!("64")));
}

#[tokio::test]
async fn an_instance_says_when_it_was_changed() {
    let (house, key) = lived_in().await;
    let client = house.alibaba(&key);
    let before = asked(&client, &house, "GetInstance", &[]).await;
    assert_eq!(before["CreateTime"], before["ModifiedTime"]);
    house.advance(model::Seconds(60)).await;
    let root = house.root_manager().await;
    root.patch("/api/v1/instances/local", &json!({"identity_tokens": true})).await.expect(200);
    let after = asked(&client, &house, "GetInstance", &[]).await;
    assert_eq!(after["ModifiedTime"].as_i64(), before["ModifiedTime"].as_i64().map(|ms| ms + 60_000));
    assert_eq!(after["CreateTime"], before["CreateTime"]);
}
