//! Public and VPC endpoints with their access lists by every SDK, of an instance that the calls do not come by.

use serde_json::{Value, json};

use crate::actions::done;
use crate::cloud::Cloud;
use crate::sdk::{Kind, Sdk};
use crate::support::house::text;

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn endpoints_are_opened_and_closed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tidegate.toml");
    std::fs::write(&file, "[[network]]\nname = \"vpc-office\"\ncidrs = [\"127.0.0.0/8\"]\n").unwrap();
    let cloud = Cloud::start_with(&["--config", file.to_str().unwrap()]);
    for (number, kind) in Kind::ALL.into_iter().enumerate() {
        let name = format!("second{number}");
        cloud.root.json(&["instance", "create", &name]);
        let mut sdk = cloud.sdk(kind, &cloud.root_key());
        let id = text(&sdk.ok("cr", "ListInstance", &json!({ "InstanceName": name }))["Instances"][0]["InstanceId"]);
        // What is in an instance is behind its rules, for these calls too: a link of one's own network keeps the way open.
        link(&mut sdk, &id);
        internet(&mut sdk, &id);
        let listed = sdk.ok("cr", "ListInstanceEndpoint", &json!({ "InstanceId": id }));
        assert_eq!(listed["Endpoints"][0]["EndpointType"], "internet", "{listed}");
        unlink(&mut sdk, &id);
    }
}

fn internet(sdk: &mut Sdk, instance: &str) {
    let on = |more: &Value| {
        let mut all = json!({ "InstanceId": instance, "EndpointType": "internet" });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let entry = json!({ "Entry": "192.0.2.0/24", "Comment": "an office" });
    done(&sdk.ok("cr", "CreateInstanceEndpointAclPolicy", &on(&entry)));
    let got = sdk.ok("cr", "GetInstanceEndpoint", &on(&json!({})));
    assert_eq!((&got["Enable"], &got["AclEnable"], &got["Status"]), (&json!(true), &json!(true), &json!("RUNNING")), "{got}");
    assert!(got["AclEntries"].as_array().unwrap().contains(&entry), "{got}");
    done(&sdk.ok("cr", "DeleteInstanceEndpointAclPolicy", &on(&json!({ "Entry": "192.0.2.0/24" }))));
    assert_eq!(sdk.ok("cr", "GetInstanceEndpoint", &on(&json!({})))["AclEntries"], json!([]));
    done(&sdk.ok("cr", "UpdateInstanceEndpointStatus", &on(&json!({ "Enable": false }))));
    assert_eq!(sdk.ok("cr", "GetInstanceEndpoint", &on(&json!({})))["Enable"], false);
    done(&sdk.ok("cr", "UpdateInstanceEndpointStatus", &on(&json!({ "Enable": true }))));
}

fn link(sdk: &mut Sdk, instance: &str) {
    let wanted = json!({ "InstanceId": instance, "VpcId": "vpc-office", "VswitchId": "vsw-1" });
    done(&sdk.ok("cr", "CreateInstanceVpcEndpointLinkedVpc", &wanted));
    let got = sdk.ok("cr", "GetInstanceVpcEndpoint", &json!({ "InstanceId": instance }));
    let first = &got["LinkedVpcs"][0];
    assert_eq!((&got["Enable"], &first["VpcId"], &first["Status"]), (&json!(true), &json!("vpc-office"), &json!("RUNNING")), "{got}");
}

fn unlink(sdk: &mut Sdk, instance: &str) {
    let wanted = json!({ "InstanceId": instance, "VpcId": "vpc-office", "VswitchId": "vsw-1" });
    done(&sdk.ok("cr", "DeleteInstanceVpcEndpointLinkedVpc", &wanted));
    assert_eq!(sdk.ok("cr", "GetInstanceVpcEndpoint", &json!({ "InstanceId": instance }))["Enable"], false);
}
