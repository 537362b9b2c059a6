//! Parameters of the wrong type, action by action.

use testkit::Product;
use testkit::alibaba_operations::operations;

use super::{code, parameters};
use crate::walk::lived_in;

/// A value that the parameter cannot have; none: it is a name, and any text may be one.
fn wrong(name: &str) -> Option<&'static str> {
    match name {
        "EndpointType"
        | "RepoType"
        | "DefaultRepoType"
        | "Enable"
        | "AutoCreateRepo"
        | "TagImmutability"
        | "PageSize"
        | "Scope"
        | "ScheduleTime"
        | "Auto"
        | "EnableDeleteTag"
        | "EnableDeleteUntaggedManifest"
        | "RetentionTagCount" => Some("moon"),
        "Entry" => Some("10.0.0.0/33"),
        "Tag" | "FromTag" | "ToTag" => Some(".tag"),
        "NamespaceName" | "RepoNamespaceName" | "RepoName" => Some("Not A Name"),
        "VpcId" => Some("Not A Network"),
        "Password" => Some("short"),
        _ => None,
    }
}

#[tokio::test]
async fn each_parameter_of_the_wrong_type_is_refused_by_its_name() {
    let (house, key) = lived_in().await;
    let client = house.alibaba(&key);
    let mut tried = 0;
    for operation in operations().filter(|o| o.product == Product::Cr) {
        let right = parameters(&house, operation.name);
        for (name, _) in &right {
            let Some(bad) = wrong(name) else { continue };
            let changed: Vec<_> = right.iter().map(|(n, v)| (*n, if n == name { bad } else { v.as_str() })).collect();
            let reply = client.call(Product::Cr, operation.name, &changed).await.expect(400);
            assert_eq!(code(&reply.json()), format!("Invalid{name}"), "{}", operation.name);
            tried += 1;
        }
    }
    assert!(tried > 40, "{tried}");
}
