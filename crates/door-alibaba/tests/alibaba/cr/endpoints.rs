//! Endpoints and access lists.

use model::InstanceId;
use serde_json::{Value, json};
use testkit::House;

use super::{asked, asked_of, code, column};
use crate::walk::lived_in;

const INTERNET: (&str, &str) = ("EndpointType", "internet");

async fn prod(house: &House) -> InstanceId {
    let root = house.root_manager().await;
    root.get("/api/v1/instances/prod").await.expect(200).text("instance_id").parse().unwrap()
}

fn of_type<'a>(answer: &'a Value, kind: &str) -> &'a Value {
    answer["Endpoints"].as_array().unwrap().iter().find(|endpoint| endpoint["EndpointType"] == kind).unwrap()
}

#[tokio::test]
async fn an_access_list_is_made_of_entries_and_without_one_everybody_gets_in() {
    let (house, key) = lived_in().await;
    let (client, prod) = (house.alibaba(&key), prod(&house).await);
    let show = async || asked_of(&client, prod, "GetInstanceEndpoint", &[INTERNET]).await;
    let open = show().await;
    assert_eq!((&open["Enable"], &open["AclEnable"], &open["AclEntries"]), (&json!(true), &json!(false), &json!([])));
    let domains =
        ["prod-registry.cn-shanghai.cr.cloud.example SYSTEM", "prod-registry.cn-shanghai.cloud.example SYSTEM", "prod.example USER"];
    let shown = |one: &Value| format!("{} {}", one["Domain"].as_str().unwrap(), one["Type"].as_str().unwrap());
    assert_eq!(open["Domains"].as_array().unwrap().iter().map(shown).collect::<Vec<_>>(), domains);

    let entries = r#"[{"Entry":"10.0.0.0/8","Comment":"inside"},{"Entry":"192.0.2.0/24"}]"#;
    let made = asked_of(&client, prod, "CreateInstanceEndpointAclPolicy", &[INTERNET, ("Entries", entries), ("Comment", "all")]).await;
    assert_eq!((code(&made), &made["IsSuccess"]), ("success", &json!(true)));
    asked_of(&client, prod, "CreateInstanceEndpointAclPolicy", &[INTERNET, ("Entry", "203.0.113.9/32"), ("ModuleName", "Registry")]).await;
    let closed = show().await;
    assert_eq!(closed["AclEnable"], true);
    let want = json!([{"Entry": "10.0.0.0/8", "Comment": "inside"}, {"Entry": "192.0.2.0/24", "Comment": "all"}, {"Entry": "203.0.113.9/32", "Comment": ""}]);
    assert_eq!(closed["AclEntries"], want);
    let all = asked_of(&client, prod, "ListInstanceEndpoint", &[]).await;
    assert_eq!(column(&all, "Endpoints", "EndpointType"), "internet vpc");
    assert_eq!(column(of_type(&all, "internet"), "AclEntries", "Entry"), "10.0.0.0/8 192.0.2.0/24 203.0.113.9/32");
    let brief = asked_of(&client, prod, "ListInstanceEndpoint", &[("Summary", "True")]).await;
    assert_eq!((&of_type(&brief, "internet")["AclEntries"], &of_type(&brief, "internet")["AclEnable"]), (&json!([]), &json!(true)));

    let gone = asked_of(&client, prod, "DeleteInstanceEndpointAclPolicy", &[INTERNET, ("Entry", "198.51.100.0/24")]).await;
    assert_eq!(code(&gone), "INSTANCE_ACCESS_NOT_EXIST");
    let entries = r#"[{"Entry":"10.0.0.0/8"},{"Entry":"198.51.100.0/24"}]"#;
    let none = asked_of(&client, prod, "DeleteInstanceEndpointAclPolicy", &[INTERNET, ("Entries", entries)]).await;
    assert_eq!((code(&none), &show().await["AclEntries"]), ("INSTANCE_ACCESS_NOT_EXIST", &want), "all of them or none");
    for entry in ["10.0.0.0/8", "203.0.113.9/32", "192.0.2.0/24"] {
        let gone = asked_of(&client, prod, "DeleteInstanceEndpointAclPolicy", &[INTERNET, ("Entry", entry)]).await;
        assert_eq!(code(&gone), "success", "{entry}");
    }
    assert_eq!(show().await["AclEnable"], false, "an empty list means open");
}

#[tokio::test]
async fn nobody_locks_themselves_out() {
    let (house, key) = lived_in().await;
    let (client, prod) = (house.alibaba(&key), prod(&house).await);
    // From 192.0.2.1, to the instance that lets 0.0.0.0/0 in.
    let refused = asked(&client, &house, "DeleteInstanceEndpointAclPolicy", &[INTERNET, ("Entry", "0.0.0.0/0")]).await;
    assert_eq!(code(&refused), "OPERATION_DENIED");
    assert!(refused["Message"].as_str().unwrap().contains("lock out your own address, 192.0.2.1"), "{refused}");
    let refused = asked(&client, &house, "UpdateInstanceEndpointStatus", &[INTERNET, ("Enable", "false")]).await;
    assert_eq!(code(&refused), "OPERATION_DENIED");
    let refused = asked_of(&client, prod, "CreateInstanceEndpointAclPolicy", &[INTERNET, ("Entry", "192.168.1.1/32")]).await;
    assert_eq!(code(&refused), "OPERATION_DENIED", "an instance's rules hold for these calls, whichever host they name");
    assert_eq!(asked_of(&client, prod, "GetInstanceEndpoint", &[INTERNET]).await["AclEnable"], false);
    // With one's own address among the entries it is done; from another address then nobody gets in, be it to change that.
    let both = r#"[{"Entry":"192.168.1.1/32"},{"Entry":"192.0.2.1/32"}]"#;
    let told = asked_of(&client, prod, "CreateInstanceEndpointAclPolicy", &[INTERNET, ("Entries", both)]).await;
    assert_eq!(code(&told), "success");
    house.anon().at("prod.example").from("192.168.1.1").get("/v2/").await.expect(401);
    house.anon().at("prod.example").from("198.51.100.7").get("/v2/").await.expect(403);
    let outside = house.alibaba(&key).from("198.51.100.7");
    assert_eq!(code(&asked_of(&outside, prod, "GetInstanceEndpoint", &[INTERNET]).await), "Forbidden.SourceIp");
    // Off, the public endpoint lets nobody in; a private one stays.
    let office = house.alibaba(&key).from("10.1.0.9");
    asked_of(&client, prod, "CreateInstanceVpcEndpointLinkedVpc", &[("VpcId", "office"), ("VswitchId", "vsw-1")]).await;
    let told = asked_of(&office, prod, "UpdateInstanceEndpointStatus", &[INTERNET, ("Enable", "False")]).await;
    assert_eq!(code(&told), "success");
    house.anon().at("prod.example").from("192.168.1.1").get("/v2/").await.expect(403);
    let told = asked_of(&office, prod, "UpdateInstanceEndpointStatus", &[INTERNET, ("Enable", "True")]).await;
    assert_eq!((code(&told), &asked_of(&office, prod, "GetInstanceEndpoint", &[INTERNET]).await["Enable"]), ("success", &json!(true)));
    // The last entry goes, and with it the list: nobody is locked out by that.
    asked(
        &client,
        &house,
        "DeleteInstanceEndpointAclPolicy",
        &[INTERNET, ("Entries", r#"[{"Entry":"0.0.0.0/0"},{"Entry":"10.9.0.0/16"}]"#)],
    )
    .await;
    assert_eq!(asked(&client, &house, "GetInstanceEndpoint", &[INTERNET]).await["AclEnable"], false);
}

#[tokio::test]
async fn a_linked_vpc_is_a_named_network() {
    let (house, key) = lived_in().await;
    let client = house.alibaba(&key);
    let link =
        async |vpc: &str| asked(&client, &house, "CreateInstanceVpcEndpointLinkedVpc", &[("VpcId", vpc), ("VswitchId", "vsw-1")]).await;
    assert_eq!(code(&link("office").await), "success");
    assert_eq!(code(&link("office").await), "RESOURCE_ALREADY_EXIST");
    let unknown = link("vpc-bp1nowhere").await;
    assert_eq!(code(&unknown), "InvalidVpcId");
    assert!(unknown["Message"].as_str().unwrap().contains("it has office, lab, cell"), "{unknown}");
    assert_eq!(code(&link("No Network").await), "InvalidVpcId");

    let shown = asked(&client, &house, "GetInstanceVpcEndpoint", &[]).await;
    assert_eq!(
        (&shown["Enable"], column(&shown, "LinkedVpcs", "VpcId"), &shown["ModuleName"]),
        (&json!(true), "lab office".into(), &json!("Registry"))
    );
    assert_eq!(shown["Domains"], json!(["local-registry-vpc.local.cr.cloud.example", "local-registry-vpc.local.cloud.example"]));
    let all = asked(&client, &house, "ListInstanceEndpoint", &[]).await;
    assert_eq!(column(of_type(&all, "vpc"), "LinkedVpcs", "VpcId"), "lab office");
    let vpc = asked(&client, &house, "GetInstanceEndpoint", &[("EndpointType", "Vpc")]).await;
    assert_eq!((&vpc["Enable"], &vpc["AclEnable"]), (&json!(true), &json!(false)));

    let unlink = async |vpc: &str| asked(&client, &house, "DeleteInstanceVpcEndpointLinkedVpc", &[("VpcId", vpc), ("VswitchId", "")]).await;
    assert_eq!(code(&unlink("office").await), "MissingVswitchId");
    let unlink =
        async |vpc: &str| asked(&client, &house, "DeleteInstanceVpcEndpointLinkedVpc", &[("VpcId", vpc), ("VswitchId", "vsw-1")]).await;
    assert_eq!(code(&unlink("office").await), "success");
    assert_eq!(code(&unlink("office").await), "INSTANCE_ACCESS_NOT_EXIST");
}

#[tokio::test]
async fn what_endpoints_have_not() {
    let (house, key) = lived_in().await;
    let client = house.alibaba(&key);
    for (action, parameters, want) in [
        ("GetInstanceEndpoint", &[("EndpointType", "moon")][..], "InvalidEndpointType"),
        ("GetInstanceEndpoint", &[INTERNET, ("ModuleName", "Chart")], "NOT_SUPPORTED"),
        ("GetInstanceEndpoint", &[INTERNET, ("ModuleName", "Moon")], "InvalidModuleName"),
        ("UpdateInstanceEndpointStatus", &[("EndpointType", "vpc"), ("Enable", "true")], "NOT_SUPPORTED"),
        ("UpdateInstanceEndpointStatus", &[INTERNET, ("Enable", "yes")], "InvalidEnable"),
        ("CreateInstanceEndpointAclPolicy", &[INTERNET], "MissingEntry"),
        ("CreateInstanceEndpointAclPolicy", &[INTERNET, ("Entry", "10.0.0.1/8")], "InvalidEntry"),
        ("CreateInstanceEndpointAclPolicy", &[INTERNET, ("Entry", "moon")], "InvalidEntry"),
        ("CreateInstanceEndpointAclPolicy", &[INTERNET, ("Entries", "{}")], "InvalidEntries"),
        ("CreateInstanceEndpointAclPolicy", &[INTERNET, ("Entries", r#"[{"Comment":"x"}]"#)], "InvalidEntries"),
        ("CreateInstanceEndpointAclPolicy", &[INTERNET, ("Entries", r#"[{"Entry":"moon"}]"#)], "InvalidEntries"),
        ("CreateInstanceEndpointAclPolicy", &[("EndpointType", "vpc"), ("Entry", "10.0.0.0/8")], "NOT_SUPPORTED"),
    ] {
        let said = asked(&client, &house, action, parameters).await;
        assert_eq!(code(&said), want, "{action} {parameters:?}: {said}");
    }
}
