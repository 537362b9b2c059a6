//! ram 2015-05-01: what its clients do with users, groups, roles, policies and keys, and what they are told when it is not done.

use std::cell::RefCell;

use identity::Diagnosis;
use serde_json::{Value, json};
use testkit::{AccessKey, Client, House, Product, Reply, house};

use crate::walk::lived_in;

const PULLS: &str = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"cr:PullRepository","Resource":"*"}]}"#;
const TRUST: &str = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["*"]}}]}"#;

thread_local! {
    /// An access key of carol, in the house that this test has furnished.
    static KEY: RefCell<String> = RefCell::default();
}

/// What of the product is in the house: carol, who has something of everything, in a group, and a role, with policies; and of each
/// one that has nothing, to be deleted.
pub(crate) async fn furnish(house: &House, root: &Client<'_>) {
    let make = async |path: &str, body: Value| root.post(&format!("/api/v1/{path}"), &body).await.expect(201);
    for name in ["carol", "bare"] {
        make("users", json!({"name": name})).await;
    }
    for (name, description) in [("readers", "who reads"), ("empty", "")] {
        make("groups", json!({"name": name, "description": description})).await;
    }
    for (name, description) in [("pilot", "who deploys"), ("idle", "")] {
        make("roles", json!({"name": name, "trust_policy": TRUST, "description": description})).await;
    }
    for (name, description) in [("pulls", "pulls"), ("unused", "")] {
        make("policies", json!({"name": name, "document": PULLS, "description": description})).await;
    }
    make("policies/pulls/versions", json!({"document": PULLS, "set_as_default": false})).await;
    for holder in ["users/carol", "groups/readers", "roles/pilot"] {
        root.put(&format!("/api/v1/{holder}/policies/pulls"), &json!({})).await.expect(204);
    }
    root.put("/api/v1/groups/readers/users/carol", &json!({})).await.expect(204);
    root.put("/api/v1/users/carol/password", &json!({"kind": "sign_in", "password": "correct horse 9"})).await.expect(204);
    KEY.set(house.access_key("carol").await.id);
}

/// What a refusal carries to whoever may read it.
fn message(house: &House) -> String {
    let diagnosis = Diagnosis {
        action: "ram:ListUsers".into(),
        resource: "account/1".into(),
        principal: "carol".into(),
        principal_id: "1234567890123456".into(),
        source_ip: "192.0.2.1".into(),
        time: house.now(),
        request_id: "00000000-0000-4000-8000-000000000001".into(),
        explicit_deny: true,
        policy: Some("bounds".into()),
        statement: Some(2),
        reason: "statement 2 of policy bounds denies it".into(),
    };
    house.identity.seal_diagnosis(house.bootstrap.account, &diagnosis).unwrap()
}

/// Open to whoever has signed, or to oneself; named on purpose.
pub(crate) const WITHOUT_RIGHT: &[&str] = &[];

/// What a parameter names that is not there.
pub(crate) fn elsewhere(name: &str) -> Option<&'static str> {
    ["UserName", "GroupName", "RoleName", "PolicyName"].contains(&name).then_some("nosuch")
}

/// Parameters with which an action is done in that house. An action that is missing here fails the tests.
pub(crate) fn parameters(house: &House, action: &str) -> Vec<(&'static str, String)> {
    let key = KEY.with_borrow(Clone::clone);
    let pairs = |all: &[(&'static str, &str)]| all.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let (carol, readers, pilot) = (("UserName", "carol"), ("GroupName", "readers"), ("RoleName", "pilot"));
    let (bare, empty, idle, unused) = (("UserName", "bare"), ("GroupName", "empty"), ("RoleName", "idle"), ("PolicyName", "unused"));
    let (pulls, custom, second, key) = (("PolicyName", "pulls"), ("PolicyType", "Custom"), ("VersionId", "v2"), ("UserAccessKeyId", &*key));
    match action {
        "CreateUser" => pairs(&[
            ("UserName", "bob"),
            ("DisplayName", "Bob B."),
            ("Comments", "builds"),
            ("Email", "bob@example.com"),
            ("MobilePhone", "86-18600008888"),
        ]),
        "UpdateUser" => pairs(&[carol, ("NewUserName", "alina"), ("NewComments", "tests")]),
        "GetUser" | "GetLoginProfile" | "DeleteLoginProfile" | "ListGroupsForUser" | "ListPoliciesForUser" | "ListAccessKeys" => {
            pairs(&[carol])
        }
        "UpdateLoginProfile" => pairs(&[carol, ("Password", "correct-horse-8")]),
        "CreateLoginProfile" => pairs(&[bare, ("Password", "correct-horse-8")]),
        "CreateAccessKey" | "DeleteUser" => pairs(&[bare]),
        "UpdateAccessKey" => pairs(&[carol, key, ("Status", "Inactive")]),
        "DeleteAccessKey" | "GetAccessKeyLastUsed" => pairs(&[carol, key]),
        "CreateGroup" => pairs(&[("GroupName", "writers"), ("Comments", "who writes")]),
        "UpdateGroup" => pairs(&[readers, ("NewGroupName", "pullers"), ("NewComments", "who pulls")]),
        "GetGroup" | "ListUsersForGroup" | "ListPoliciesForGroup" => pairs(&[readers]),
        "DeleteGroup" => pairs(&[empty]),
        "AddUserToGroup" => pairs(&[bare, readers]),
        "RemoveUserFromGroup" => pairs(&[carol, readers]),
        "CreatePolicy" => pairs(&[("PolicyName", "pushes"), ("PolicyDocument", PULLS), ("Description", "who pushes")]),
        "GetPolicy" | "ListEntitiesForPolicy" | "ListPolicyVersions" => pairs(&[pulls, custom]),
        "ListPolicies" => pairs(&[custom, ("MaxItems", "10")]),
        "UpdatePolicyDescription" => pairs(&[pulls, ("NewDescription", "pulls everything")]),
        "DeletePolicy" => pairs(&[unused]),
        "CreatePolicyVersion" => pairs(&[pulls, ("PolicyDocument", PULLS), ("SetAsDefault", "True")]),
        "GetPolicyVersion" => pairs(&[pulls, custom, second]),
        "DeletePolicyVersion" | "SetDefaultPolicyVersion" => pairs(&[pulls, second]),
        "AttachPolicyToUser" => pairs(&[custom, unused, carol]),
        "AttachPolicyToGroup" => pairs(&[custom, unused, readers]),
        "AttachPolicyToRole" => pairs(&[custom, unused, pilot]),
        "DetachPolicyFromUser" => pairs(&[custom, pulls, carol]),
        "DetachPolicyFromGroup" => pairs(&[custom, pulls, readers]),
        "DetachPolicyFromRole" => pairs(&[custom, pulls, pilot]),
        "CreateRole" => pairs(&[
            ("RoleName", "builder"),
            ("AssumeRolePolicyDocument", TRUST),
            ("MaxSessionDuration", "7200"),
            ("Description", "who builds"),
        ]),
        "UpdateRole" => pairs(&[pilot, ("NewMaxSessionDuration", "43200"), ("NewDescription", "who ships")]),
        "GetRole" | "ListPoliciesForRole" => pairs(&[pilot]),
        "DeleteRole" => pairs(&[idle]),
        "SetAccountAlias" => pairs(&[("AccountAlias", "acme")]),
        "DecodeDiagnosticMessage" => pairs(&[("EncodedDiagnosticMessage", &message(house))]),
        "ListUsers" | "ListGroups" | "ListRoles" => pairs(&[("MaxItems", "10")]),
        "GetAccountAlias" | "ClearAccountAlias" => Vec::new(),
        other => panic!("{other} takes parameters: say here which"),
    }
}

/// A caller of ram.
struct Ram<'h> {
    house: &'h House,
    key: AccessKey,
}

impl Ram<'_> {
    async fn call(&self, action: &str, pairs: &[(&str, &str)]) -> Reply {
        self.house.alibaba(&self.key).call(Product::Ram, action, pairs).await
    }

    async fn done(&self, action: &str, pairs: &[(&str, &str)]) -> Value {
        self.call(action, pairs).await.expect(200).json()
    }

    async fn refused(&self, status: u16, code: &str, action: &str, pairs: &[(&str, &str)]) {
        let reply = self.call(action, pairs).await;
        assert_eq!((reply.status.as_u16(), reply.text("Code").as_str()), (status, code), "{action} {pairs:?}: {:?}", reply.json());
    }
}

#[tokio::test]
async fn a_user_is_made_read_listed_changed_and_deleted() {
    let (house, key) = lived_in().await;
    let ram = Ram { house: &house, key };
    let all = [("UserName", "bob"), ("DisplayName", "Bob B."), ("Comments", "b"), ("Email", "b@x.org"), ("MobilePhone", "86-1")];
    let made = ram.done("CreateUser", &all).await["User"].clone();
    assert_eq!((&made["UserName"], &made["DisplayName"], &made["Email"]), (&json!("bob"), &json!("Bob B."), &json!("b@x.org")));
    assert_eq!(made["UserId"].as_str().unwrap().len(), 16);
    ram.refused(409, "EntityAlreadyExists.User", "CreateUser", &[("UserName", "bob")]).await;
    let got = ram.done("GetUser", &[("UserName", "bob")]).await["User"].clone();
    assert_eq!((&got["UserId"], &got["LastLoginDate"], &got["UpdateDate"]), (&made["UserId"], &json!(""), &made["CreateDate"]));

    // Five users, three a page.
    let page = ram.done("ListUsers", &[("MaxItems", "3")]).await;
    assert_eq!((&page["IsTruncated"], page["Users"]["User"].as_array().unwrap().len()), (&json!(true), 3));
    let rest = ram.done("ListUsers", &[("MaxItems", "3"), ("Marker", page["Marker"].as_str().unwrap())]).await;
    assert_eq!((&rest["IsTruncated"], &rest["Users"]["User"][0]["UserName"], rest.get("Marker")), (&json!(false), &json!("bob"), None));

    let changed = ram.done("UpdateUser", &[("UserName", "bob"), ("NewUserName", "bert"), ("NewEmail", ""), ("NewDisplayName", "B")]).await;
    let user = &changed["User"];
    assert_eq!(
        (&user["UserId"], &user["UserName"], &user["Email"], &user["Comments"]),
        (&made["UserId"], &json!("bert"), &json!(""), &json!("b"))
    );
    ram.refused(404, "EntityNotExist.User", "GetUser", &[("UserName", "bob")]).await;
    ram.refused(409, "EntityAlreadyExists.User", "UpdateUser", &[("UserName", "bert"), ("NewUserName", "alice")]).await;
    ram.done("DeleteUser", &[("UserName", "bert")]).await;
    ram.refused(404, "EntityNotExist.User", "DeleteUser", &[("UserName", "bert")]).await;
    ram.refused(404, "EntityNotExist.User", "DeleteUser", &[("UserName", "root")]).await;
}

#[tokio::test]
async fn whoever_still_has_something_is_not_deleted() {
    let (house, key) = lived_in().await;
    let ram = Ram { house: &house, key };
    let (carol, key) = (("UserName", "carol"), KEY.with_borrow(Clone::clone));
    ram.refused(409, "EntityAlreadyExists.User.LoginProfile", "CreateLoginProfile", &[carol, ("Password", "correct-horse-8")]).await;
    let gone = [("PolicyType", "Custom"), ("PolicyName", "pulls")];
    ram.refused(409, "DeleteConflict.User.AccessKey", "DeleteUser", &[carol]).await;
    ram.done("DeleteAccessKey", &[carol, ("UserAccessKeyId", &key)]).await;
    ram.refused(409, "DeleteConflict.User.Policy", "DeleteUser", &[carol]).await;
    ram.done("DetachPolicyFromUser", &[gone[0], gone[1], carol]).await;
    ram.refused(409, "DeleteConflict.User.Group", "DeleteUser", &[carol]).await;
    ram.refused(409, "DeleteConflict.Group.User", "DeleteGroup", &[("GroupName", "readers")]).await;
    ram.done("RemoveUserFromGroup", &[carol, ("GroupName", "readers")]).await;
    ram.refused(404, "EntityNotExist.User.Group", "RemoveUserFromGroup", &[carol, ("GroupName", "readers")]).await;
    ram.refused(409, "DeleteConflict.User.LoginProfile", "DeleteUser", &[carol]).await;
    ram.done("DeleteLoginProfile", &[carol]).await;
    ram.done("DeleteUser", &[carol]).await;
    ram.refused(409, "DeleteConflict.Group.Policy", "DeleteGroup", &[("GroupName", "readers")]).await;
    ram.refused(409, "DeleteConflict.Role.Policy", "DeleteRole", &[("RoleName", "pilot")]).await;
    ram.done("DetachPolicyFromGroup", &[gone[0], gone[1], ("GroupName", "readers")]).await;
    ram.done("DeleteGroup", &[("GroupName", "readers")]).await;
    ram.refused(409, "DeleteConflict.Policy.Role", "DeletePolicy", &[("PolicyName", "pulls"), ("CascadingDelete", "true")]).await;
    ram.done("DetachPolicyFromRole", &[gone[0], gone[1], ("RoleName", "pilot")]).await;
    ram.done("DeleteRole", &[("RoleName", "pilot")]).await;
    ram.refused(409, "DeleteConflict.Policy.Version", "DeletePolicy", &[("PolicyName", "pulls")]).await;
    ram.refused(409, "DeleteConflict.Policy.Version.Default", "DeletePolicyVersion", &[("PolicyName", "pulls"), ("VersionId", "v1")]).await;
    ram.done("DeletePolicy", &[("PolicyName", "pulls"), ("CascadingDelete", "True")]).await;
}

#[tokio::test]
async fn what_is_wrong_is_said_by_parameter() {
    let (house, key) = lived_in().await;
    let ram = Ram { house: &house, key };
    let long = |length: usize| "x".repeat(length);
    let (name65, name129, text129, text1025) = (long(65), long(129), long(129), long(1025));
    let document = format!("{}{PULLS}", " ".repeat(6144));
    for (code, action, pairs) in [
        ("UserName.InvalidChars", "CreateUser", &[("UserName", "a b")][..]),
        ("UserName.Length", "CreateUser", &[("UserName", &name65)]),
        ("UserName.Format", "CreateUser", &[("UserName", "root")]),
        ("Email.Format", "CreateUser", &[("UserName", "bob"), ("Email", "nowhere")]),
        ("MobilePhone.Format", "CreateUser", &[("UserName", "bob"), ("MobilePhone", "call me")]),
        ("DisplayName.Length", "CreateUser", &[("UserName", "bob"), ("DisplayName", &text129)]),
        ("Comments.Length", "CreateUser", &[("UserName", "bob"), ("Comments", &text129)]),
        ("NewUserName.InvalidChars", "UpdateUser", &[("UserName", "alice"), ("NewUserName", "a/b")]),
        ("NewUserName.Format", "UpdateUser", &[("UserName", "alice"), ("NewUserName", "123")]),
        ("NewEmail.Format", "UpdateUser", &[("UserName", "alice"), ("NewEmail", "@")]),
        ("MaxItems.Format", "ListUsers", &[("MaxItems", "0")]),
        ("MaxItems.Format", "ListUsers", &[("MaxItems", "1001")]),
        ("MaxItems.Format", "ListRoles", &[("MaxItems", "many")]),
        ("Marker.Format", "ListGroups", &[("Marker", &text129)]),
        ("GroupName.InvalidChars", "CreateGroup", &[("GroupName", "a:b")]),
        ("GroupName.Length", "CreateGroup", &[("GroupName", &name65)]),
        ("RoleName.InvalidChars", "CreateRole", &[("RoleName", "a_b"), ("AssumeRolePolicyDocument", TRUST)]),
        (
            "MaxSessionDuration.Format",
            "CreateRole",
            &[("RoleName", "r"), ("AssumeRolePolicyDocument", TRUST), ("MaxSessionDuration", "3599")],
        ),
        ("NewMaxSessionDuration.Format", "UpdateRole", &[("RoleName", "pilot"), ("NewMaxSessionDuration", "43201")]),
        ("PolicyName.InvalidChars", "CreatePolicy", &[("PolicyName", "a.b"), ("PolicyDocument", PULLS)]),
        ("PolicyName.Length", "CreatePolicy", &[("PolicyName", &name129), ("PolicyDocument", PULLS)]),
        ("PolicyDocument.Length", "CreatePolicy", &[("PolicyName", "p"), ("PolicyDocument", &document)]),
        ("Description.Length", "CreatePolicy", &[("PolicyName", "p"), ("PolicyDocument", PULLS), ("Description", &text1025)]),
        ("PolicyType", "GetPolicy", &[("PolicyName", "pulls"), ("PolicyType", "Own")]),
        ("CascadingDelete.Format", "DeletePolicy", &[("PolicyName", "pulls"), ("CascadingDelete", "maybe")]),
        ("RotateStrategy.Format", "CreatePolicyVersion", &[("PolicyName", "pulls"), ("PolicyDocument", PULLS), ("RotateStrategy", "All")]),
        ("Status.Format", "UpdateAccessKey", &[("UserAccessKeyId", "x"), ("Status", "On")]),
        ("Password.Format", "CreateLoginProfile", &[("UserName", "alice"), ("Password", "short")]),
        ("AccountAlias.Length", "SetAccountAlias", &[("AccountAlias", "ab")]),
        ("AccountAlias.InvalidChars", "SetAccountAlias", &[("AccountAlias", "A_b")]),
        ("EncodedDiagnosticMessage.Format", "DecodeDiagnosticMessage", &[("EncodedDiagnosticMessage", "abc")]),
    ] {
        ram.refused(400, &format!("InvalidParameter.{code}"), action, pairs).await;
    }
    for (action, pairs) in [
        ("CreatePolicy", [("PolicyName", "p"), ("PolicyDocument", "{}")]),
        ("CreatePolicyVersion", [("PolicyName", "pulls"), ("PolicyDocument", "no JSON")]),
        ("CreateRole", [("RoleName", "r"), ("AssumeRolePolicyDocument", PULLS)]),
        ("UpdateRole", [("RoleName", "pilot"), ("NewAssumeRolePolicyDocument", "{}")]),
    ] {
        ram.refused(400, "MalformedPolicyDocument", action, &pairs).await;
    }
    for (action, pairs) in [
        ("CreateLoginProfile", [("UserName", "alice"), ("Password", "correct-horse-8"), ("MFABindRequired", "true")]),
        ("CreateRole", [("RoleName", "r"), ("AssumeRolePolicyDocument", TRUST), ("Tag", r#"[{"Key":"a","Value":"b"}]"#)]),
    ] {
        ram.refused(400, "NotSupported", action, &pairs).await;
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_by_kind() {
    let (house, key) = lived_in().await;
    let ram = Ram { house: &house, key };
    for (code, action, pairs) in [
        ("Group", "GetGroup", &[("GroupName", "nosuch")][..]),
        ("Role", "GetRole", &[("RoleName", "nosuch")]),
        ("Policy", "GetPolicy", &[("PolicyName", "nosuch"), ("PolicyType", "Custom")]),
        ("Policy", "GetPolicy", &[("PolicyName", "pulls"), ("PolicyType", "System")]),
        ("Policy", "GetPolicy", &[("PolicyName", "AcrPull"), ("PolicyType", "Custom")]),
        ("Policy", "DeletePolicy", &[("PolicyName", "AcrPull")]),
        ("Policy", "CreatePolicyVersion", &[("PolicyName", "AcrPull"), ("PolicyDocument", PULLS)]),
        ("Policy.Version", "GetPolicyVersion", &[("PolicyName", "pulls"), ("PolicyType", "Custom"), ("VersionId", "v7")]),
        ("Policy.Version", "SetDefaultPolicyVersion", &[("PolicyName", "pulls"), ("VersionId", "2")]),
        ("User", "AddUserToGroup", &[("UserName", "nosuch"), ("GroupName", "readers")]),
        ("Group", "AddUserToGroup", &[("UserName", "alice"), ("GroupName", "nosuch")]),
        ("User", "AttachPolicyToUser", &[("UserName", "nosuch"), ("PolicyName", "nosuch"), ("PolicyType", "Custom")]),
        ("Policy", "AttachPolicyToUser", &[("UserName", "alice"), ("PolicyName", "nosuch"), ("PolicyType", "Custom")]),
        ("User.Policy", "DetachPolicyFromUser", &[("UserName", "carol"), ("PolicyName", "unused"), ("PolicyType", "Custom")]),
        ("Group.Policy", "DetachPolicyFromGroup", &[("GroupName", "readers"), ("PolicyName", "unused"), ("PolicyType", "Custom")]),
        ("Role.Policy", "DetachPolicyFromRole", &[("RoleName", "pilot"), ("PolicyName", "unused"), ("PolicyType", "Custom")]),
        ("User", "DeleteAccessKey", &[("UserName", "nosuch"), ("UserAccessKeyId", "LTAI0000000000000000")]),
        ("User.AccessKey", "DeleteAccessKey", &[("UserName", "alice"), ("UserAccessKeyId", "LTAI0000000000000000")]),
        ("User.LoginProfile", "GetLoginProfile", &[("UserName", "bare")]),
    ] {
        ram.refused(404, &format!("EntityNotExist.{code}"), action, pairs).await;
    }
}

#[tokio::test]
async fn keys_are_two_are_stopped_and_say_when_they_were_used() {
    let (house, key) = lived_in().await;
    let ram = Ram { house: &house, key: key.clone() };
    let own = ram.done("ListAccessKeys", &[]).await;
    assert_eq!(own["AccessKeys"]["AccessKey"][0]["AccessKeyId"], json!(key.id));
    let new = ram.done("CreateAccessKey", &[]).await["AccessKey"].clone();
    let second =
        AccessKey { id: new["AccessKeyId"].as_str().unwrap().into(), secret: new["AccessKeySecret"].as_str().unwrap().into(), ..key };
    ram.refused(409, "LimitExceeded.User.AccessKey", "CreateAccessKey", &[]).await;
    let used =
        async || ram.done("GetAccessKeyLastUsed", &[("UserAccessKeyId", &second.id)]).await["AccessKeyLastUsed"]["LastUsedDate"].clone();
    assert_eq!(used().await, json!(""));
    let of_second = Ram { house: &house, key: second.clone() };
    of_second.done("ListAccessKeys", &[]).await;
    house.identity.access().audit().flush().await.unwrap();
    assert!(used().await.as_str().unwrap().ends_with('Z'));
    of_second.done("UpdateAccessKey", &[("UserAccessKeyId", &second.id), ("Status", "Inactive")]).await;
    of_second.refused(400, "InvalidAccessKeyId.Inactive", "ListAccessKeys", &[]).await;
    let listed = ram.done("ListAccessKeys", &[("UserName", "admin")]).await;
    let mut states: Vec<_> = listed["AccessKeys"]["AccessKey"].as_array().unwrap().iter().map(|k| k["Status"].as_str().unwrap()).collect();
    states.sort_unstable();
    assert_eq!(states, ["Active", "Inactive"]);
    assert!(!listed.to_string().contains("Secret"));
    // To stop one's own needs no grant; to let it work again does.
    let alice = Ram { house: &house, key: house.access_key("bare").await };
    let mine = [("UserAccessKeyId", alice.key.id.as_str()), ("Status", "Active")];
    alice.refused(403, "NoPermission", "UpdateAccessKey", &mine).await;
    alice.done("UpdateAccessKey", &[mine[0], ("Status", "Inactive")]).await;
}

#[tokio::test]
async fn policies_have_types_versions_and_holders() {
    let (house, key) = lived_in().await;
    let ram = Ram { house: &house, key };
    let (pulls, custom) = (("PolicyName", "pulls"), ("PolicyType", "Custom"));
    let got = ram.done("GetPolicy", &[pulls, custom]).await;
    assert_eq!((&got["Policy"]["AttachmentCount"], &got["Policy"]["DefaultVersion"]), (&json!(3), &json!("v1")));
    assert_eq!(
        (&got["DefaultPolicyVersion"]["PolicyDocument"], &got["DefaultPolicyVersion"]["IsDefaultVersion"]),
        (&json!(PULLS), &json!(true))
    );
    let holders = ram.done("ListEntitiesForPolicy", &[pulls, custom]).await;
    assert_eq!(holders["Users"]["User"][0]["UserName"], json!("carol"));
    assert_eq!(holders["Groups"]["Group"][0]["Comments"], json!("who reads"));
    assert!(holders["Roles"]["Role"][0]["Arn"].as_str().unwrap().ends_with(":role/pilot"));

    let full = ("PolicyName", "AliyunContainerRegistryFullAccess");
    let system = ram.done("GetPolicy", &[full, ("PolicyType", "System")]).await;
    assert!(system["DefaultPolicyVersion"]["PolicyDocument"].as_str().unwrap().contains("cr:*"));
    assert_eq!(
        ram.done("ListPolicyVersions", &[full, ("PolicyType", "System")]).await["PolicyVersions"]["PolicyVersion"][0]["VersionId"],
        json!("v1")
    );
    let of_type =
        async |kind: &str| ram.done("ListPolicies", &[("PolicyType", kind), ("MaxItems", "1000")]).await["Policies"]["Policy"].clone();
    let (customs, systems) = (of_type("Custom").await, of_type("System").await);
    assert_eq!((customs.as_array().unwrap().len(), &customs[0]["AttachmentCount"]), (2, &json!(3)));
    assert!(systems.as_array().unwrap().len() > 10 && systems.as_array().unwrap().iter().all(|p| p["PolicyType"] == "System"));
    // Both together, page by page, each once.
    let (mut names, mut marker) = (Vec::new(), None::<String>);
    loop {
        let mut asked = vec![("MaxItems", "4")];
        asked.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let page = ram.done("ListPolicies", &asked).await;
        names.extend(page["Policies"]["Policy"].as_array().unwrap().iter().map(|p| p["PolicyName"].as_str().unwrap().to_owned()));
        marker = page["Marker"].as_str().map(str::to_owned);
        if page["IsTruncated"] == json!(false) {
            break;
        }
    }
    let distinct: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!((names.len(), distinct.len()), (systems.as_array().unwrap().len() + 2, names.len()));

    for _ in 0..3 {
        ram.done("CreatePolicyVersion", &[pulls, ("PolicyDocument", PULLS)]).await;
    }
    ram.refused(409, "LimitExceeded.Policy.Version", "CreatePolicyVersion", &[pulls, ("PolicyDocument", PULLS)]).await;
    let rotate = ("RotateStrategy", "DeleteOldestNonDefaultVersionWhenLimitExceeded");
    let sixth = ram.done("CreatePolicyVersion", &[pulls, ("PolicyDocument", PULLS), ("SetAsDefault", "true"), rotate]).await;
    assert_eq!((&sixth["PolicyVersion"]["VersionId"], &sixth["PolicyVersion"]["IsDefaultVersion"]), (&json!("v6"), &json!(true)));
    let versions = ram.done("ListPolicyVersions", &[pulls, custom]).await["PolicyVersions"]["PolicyVersion"].clone();
    let ids: Vec<_> = versions.as_array().unwrap().iter().map(|v| v["VersionId"].as_str().unwrap()).collect();
    assert_eq!(ids, ["v1", "v3", "v4", "v5", "v6"]);
    ram.done("SetDefaultPolicyVersion", &[pulls, ("VersionId", "v3")]).await;
    assert_eq!(ram.done("ListPoliciesForUser", &[("UserName", "carol")]).await["Policies"]["Policy"][0]["DefaultVersion"], json!("v3"));
    ram.refused(409, "EntityAlreadyExists.Policy", "CreatePolicy", &[pulls, ("PolicyDocument", PULLS)]).await;
    ram.refused(409, "EntityAlreadyExists.Policy", "CreatePolicy", &[full, ("PolicyDocument", PULLS)]).await;
}

#[tokio::test]
async fn the_limits_of_this_door_are_ram_s() {
    let (house, key) = lived_in().await;
    let ram = Ram { house: &house, key };
    let (alice, custom) = (("UserName", "bare"), ("PolicyType", "Custom"));
    for number in 0..=10 {
        let (policy, group) = (format!("p{number}"), format!("g{number}"));
        ram.done("CreatePolicy", &[("PolicyName", &policy), ("PolicyDocument", PULLS)]).await;
        ram.done("CreateGroup", &[("GroupName", &group)]).await;
        let (attach, join) = ([custom, ("PolicyName", &*policy), alice], [alice, ("GroupName", &*group)]);
        if number == 10 {
            ram.refused(409, "LimitExceeded.User.Policy", "AttachPolicyToUser", &attach).await;
            ram.refused(409, "LimitExceeded.User.Group", "AddUserToGroup", &join).await;
        } else {
            ram.done("AttachPolicyToUser", &attach).await;
            ram.done("AddUserToGroup", &join).await;
            ram.refused(409, "EntityAlreadyExists.User.Policy", "AttachPolicyToUser", &attach).await;
            ram.refused(409, "EntityAlreadyExists.User.Group", "AddUserToGroup", &join).await;
        }
    }
    // Built-in ones are counted on their own.
    ram.done("AttachPolicyToUser", &[("PolicyType", "System"), ("PolicyName", "AcrPull"), alice]).await;
    // The product's own limits are wider.
    house.root_manager().await.put("/api/v1/users/bare/policies/p10", &json!({})).await.expect(204);
    house.root_manager().await.put("/api/v1/groups/g10/users/bare", &json!({})).await.expect(204);
}

#[tokio::test]
async fn roles_and_the_account_s_alias() {
    let (house, key) = lived_in().await;
    let ram = Ram { house: &house, key };
    let made =
        ram.done("CreateRole", &[("RoleName", "builder"), ("AssumeRolePolicyDocument", TRUST), ("Description", "d")]).await["Role"].clone();
    assert_eq!((&made["MaxSessionDuration"], &made["AssumeRolePolicyDocument"]), (&json!(3600), &json!(TRUST)));
    assert_eq!(made["Arn"], json!(format!("acs:ram::{}:role/builder", house.first_account().id())));
    ram.refused(409, "EntityAlreadyExists.Role", "CreateRole", &[("RoleName", "builder"), ("AssumeRolePolicyDocument", TRUST)]).await;
    let changed = ram.done("UpdateRole", &[("RoleName", "builder"), ("NewMaxSessionDuration", "7200")]).await["Role"].clone();
    assert_eq!((&changed["MaxSessionDuration"], &changed["Description"]), (&json!(7200), &json!("d")));
    let listed = ram.done("ListRoles", &[]).await["Roles"]["Role"][0].clone();
    assert_eq!((&listed["RoleId"], listed.get("AssumeRolePolicyDocument")), (&made["RoleId"], None));
    ram.done("DeleteRole", &[("RoleName", "builder")]).await;

    assert_eq!(ram.done("GetAccountAlias", &[]).await["AccountAlias"], json!(house.first_account().id()));
    ram.done("SetAccountAlias", &[("AccountAlias", "acme")]).await;
    assert_eq!(ram.done("GetAccountAlias", &[]).await["AccountAlias"], json!("acme"));
    let house = house.with_account("globex").await;
    let other = Ram { house: &house, key: house.account("globex").root_key() };
    other.refused(409, "EntityAlreadyExists.AccountAlias", "SetAccountAlias", &[("AccountAlias", "acme")]).await;
}

#[tokio::test]
async fn a_refusal_s_reasons_are_read_by_whoever_may_in_the_same_account() {
    let (house, key) = lived_in().await;
    let refusal = house.alibaba(&house.access_key("bare").await).call(Product::Ram, "ListUsers", &[]).await.expect(403).json();
    let sealed = refusal["AccessDeniedDetail"]["EncodedDiagnosticMessage"].as_str().unwrap().to_owned();
    let house = house.with_account("globex").await;
    let ram = Ram { house: &house, key };
    let asked = [("EncodedDiagnosticMessage", sealed.as_str())];
    let said = ram.done("DecodeDiagnosticMessage", &asked).await["DecodedDiagnosticMessage"].clone();
    assert_eq!((&said["AuthAction"], &said["ExplicitDeny"]), (&json!("ram:ListUsers"), &json!(false)));
    let alice = Ram { house: &house, key: house.access_key("alice").await };
    alice.refused(403, "NoPermission", "DecodeDiagnosticMessage", &asked).await;
    let other = Ram { house: &house, key: house.account("globex").root_key() };
    other.refused(400, "InvalidParameter.EncodedDiagnosticMessage.Format", "DecodeDiagnosticMessage", &asked).await;
}

#[tokio::test]
async fn nobody_gives_at_this_door_what_they_do_not_hold() {
    let house = house().await.with_user("alice").await.with_user("mallory").await;
    let root = house.root_manager().await;
    let may = json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": "ram:*", "Resource": "*"}]}).to_string();
    root.post("/api/v1/policies", &json!({"name": "identities", "document": may})).await.expect(201);
    root.put("/api/v1/users/mallory/policies/identities", &json!({})).await.expect(204);
    let mallory = Ram { house: &house, key: house.access_key("mallory").await };
    let system = ("PolicyType", "System");
    mallory.refused(403, "NoPermission", "AttachPolicyToUser", &[system, ("PolicyName", "AcrPush"), ("UserName", "mallory")]).await;
    mallory.done("CreatePolicy", &[("PolicyName", "mine"), ("PolicyDocument", PULLS)]).await;
    mallory
        .refused(403, "NoPermission", "AttachPolicyToUser", &[("PolicyType", "Custom"), ("PolicyName", "mine"), ("UserName", "mallory")])
        .await;
    root.put("/api/v1/users/alice/policies/AcrPush", &json!({})).await.expect(204);
    mallory.refused(403, "NoPermission", "CreateAccessKey", &[("UserName", "alice")]).await;
    mallory.refused(403, "NoPermission", "CreateLoginProfile", &[("UserName", "alice"), ("Password", "correct-horse-8")]).await;
}

#[tokio::test]
async fn the_rest_of_ram_is_refused_by_name() {
    let (house, key) = lived_in().await;
    let ram = Ram { house: &house, key };
    for action in [
        "ChangePassword",
        "SetPasswordPolicy",
        "GetPasswordPolicy",
        "CreateVirtualMFADevice",
        "ListVirtualMFADevices",
        "DeleteVirtualMFADevice",
        "BindMFADevice",
        "UnbindMFADevice",
        "GetUserMFAInfo",
        "GetSecurityPreference",
        "SetSecurityPreference",
        "CreateServiceLinkedRole",
        "DeleteServiceLinkedRole",
        "GetServiceLinkedRoleTemplate",
        "TagResources",
        "UntagResources",
        "ListTagResources",
    ] {
        ram.refused(400, "NotSupported", action, &[]).await;
    }
}
