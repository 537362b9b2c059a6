//! ram 2015-05-01 and ims 2019-08-15 by the SDKs: users, groups, keys, policies, roles, what is attached to whom, listed both ways.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cloud::{Cloud, policy};
use crate::sdk::{Kind, Sdk};
use crate::support::api::Key;
use crate::support::house::text;
use crate::support::wait_until;

/// Those that speak ram; of each way to sign and send, one.
const KINDS: [Kind; 5] = [Kind::TeaV3, Kind::TeaV2, Kind::Core, Kind::PopPost, Kind::TypeScriptV3];

/// The one thing in a list of RAM's shape, `{"Users": {"User": [..]}}`, that has this value.
#[track_caller]
fn one<'a>(answer: &'a Value, list: &str, noun: &str, key: &str, value: &str) -> &'a Value {
    let all = answer[list][noun].as_array().unwrap_or_else(|| panic!("no {list}.{noun}: {answer}"));
    all.iter().find(|one| one[key] == value).unwrap_or_else(|| panic!("no {key} {value}: {answer}"))
}

struct Ram {
    sdk: Sdk,
    account: String,
}

impl Ram {
    #[track_caller]
    fn ok(&mut self, action: &str, params: &Value) -> Value {
        self.sdk.ok("ram", action, params)
    }

    #[track_caller]
    fn refused(&mut self, action: &str, params: &Value, code: &str) {
        self.sdk.refused("ram", action, params, code);
    }

    fn users(&mut self) {
        let made = self.ok("CreateUser", &json!({ "UserName": "anna", "DisplayName": "Anna é", "Comments": "a person" }));
        assert_eq!((&made["User"]["UserName"], &made["User"]["DisplayName"]), (&json!("anna"), &json!("Anna é")), "{made}");
        assert!(text(&made["User"]["UserId"]).len() <= 18 && text(&made["User"]["CreateDate"]).ends_with('Z'));
        self.refused("CreateUser", &json!({ "UserName": "anna" }), "EntityAlreadyExists.User");
        assert_eq!(self.ok("GetUser", &json!({ "UserName": "anna" }))["User"]["Comments"], "a person");
        let listed = self.ok("ListUsers", &json!({ "MaxItems": 100 }));
        one(&listed, "Users", "User", "UserName", "anna");
        assert_eq!(listed["IsTruncated"], false);
        let changed = self.ok("UpdateUser", &json!({ "UserName": "anna", "NewUserName": "berta", "NewDisplayName": "Berta" }));
        assert_eq!((&changed["User"]["UserName"], &changed["User"]["UserId"]), (&json!("berta"), &made["User"]["UserId"]));
        self.refused("GetUser", &json!({ "UserName": "anna" }), "EntityNotExist.User");
        self.pages();
    }

    /// berta and three more, two a page.
    fn pages(&mut self) {
        let names = ["page0", "page1", "page2"];
        for name in names {
            self.ok("CreateUser", &json!({ "UserName": name }));
        }
        let first = self.ok("ListUsers", &json!({ "MaxItems": 2 }));
        assert_eq!((&first["IsTruncated"], first["Users"]["User"].as_array().unwrap().len()), (&json!(true), 2), "{first}");
        let second = self.ok("ListUsers", &json!({ "MaxItems": 2, "Marker": first["Marker"] }));
        assert_eq!((&second["IsTruncated"], second["Users"]["User"].as_array().unwrap().len()), (&json!(false), 2), "{second}");
        for name in names {
            self.ok("DeleteUser", &json!({ "UserName": name }));
        }
    }

    /// A key that works, is disabled, and is gone.
    fn keys(&mut self, cloud: &Cloud, kind: Kind) {
        let made = self.ok("CreateAccessKey", &json!({ "UserName": "berta" }))["AccessKey"].clone();
        assert_eq!(made["Status"], "Active");
        let key = Key { id: text(&made["AccessKeyId"]), secret: text(&made["AccessKeySecret"]) };
        let who = cloud.sdk(kind, &key).ok("sts", "GetCallerIdentity", &json!({}));
        assert_eq!(who["Arn"], format!("acs:ram::{}:user/berta", self.account));
        let named = json!({ "UserName": "berta", "UserAccessKeyId": key.id });
        // Uses are written down each second.
        wait_until("the key was used", Duration::from_secs(5), || {
            text(&self.ok("GetAccessKeyLastUsed", &named)["AccessKeyLastUsed"]["LastUsedDate"]).ends_with('Z')
        });
        let listed = self.ok("ListAccessKeys", &json!({ "UserName": "berta" }));
        let shown = one(&listed, "AccessKeys", "AccessKey", "AccessKeyId", &key.id);
        assert!(shown.get("AccessKeySecret").is_none(), "a secret is shown once: {shown}");
        self.refused("DeleteUser", &json!({ "UserName": "berta" }), "DeleteConflict.User.AccessKey");
        self.ok("UpdateAccessKey", &json!({ "UserName": "berta", "UserAccessKeyId": key.id, "Status": "Inactive" }));
        cloud.sdk(kind, &key).refused("sts", "GetCallerIdentity", &json!({}), "InvalidAccessKeyId.Inactive");
        self.ok("DeleteAccessKey", &json!({ "UserName": "berta", "UserAccessKeyId": key.id }));
        cloud.sdk(kind, &key).refused("sts", "GetCallerIdentity", &json!({}), "InvalidAccessKeyId.NotFound");
    }

    fn groups(&mut self) {
        let made = self.ok("CreateGroup", &json!({ "GroupName": "team", "Comments": "some" }));
        assert_eq!((&made["Group"]["GroupName"], &made["Group"]["Comments"]), (&json!("team"), &json!("some")));
        self.ok("AddUserToGroup", &json!({ "GroupName": "team", "UserName": "berta" }));
        one(&self.ok("ListGroupsForUser", &json!({ "UserName": "berta" })), "Groups", "Group", "GroupName", "team");
        one(&self.ok("ListUsersForGroup", &json!({ "GroupName": "team" })), "Users", "User", "UserName", "berta");
        one(&self.ok("ListGroups", &json!({})), "Groups", "Group", "GroupName", "team");
        self.refused("DeleteGroup", &json!({ "GroupName": "team" }), "DeleteConflict.Group.User");
        let changed = self.ok("UpdateGroup", &json!({ "GroupName": "team", "NewGroupName": "crew", "NewComments": "others" }));
        assert_eq!((&changed["Group"]["GroupName"], &changed["Group"]["Comments"]), (&json!("crew"), &json!("others")));
        assert_eq!(self.ok("GetGroup", &json!({ "GroupName": "crew" }))["Group"]["GroupId"], made["Group"]["GroupId"]);
    }

    fn policies(&mut self) {
        let document = |action: &str| policy(&[action]).to_string();
        let wanted = json!({ "PolicyName": "pull", "PolicyDocument": document("cr:PullRepository"), "Description": "d" });
        let made = self.ok("CreatePolicy", &wanted);
        assert_eq!((&made["Policy"]["PolicyType"], &made["Policy"]["DefaultVersion"]), (&json!("Custom"), &json!("v1")), "{made}");
        self.refused("CreatePolicy", &json!({ "PolicyName": "bad", "PolicyDocument": "{}" }), "MalformedPolicyDocument");
        let version = json!({ "PolicyName": "pull", "PolicyDocument": document("cr:Pull*"), "SetAsDefault": true });
        assert_eq!(self.ok("CreatePolicyVersion", &version)["PolicyVersion"]["VersionId"], "v2");
        let got = self.ok("GetPolicy", &json!({ "PolicyName": "pull", "PolicyType": "Custom" }));
        assert_eq!(got["DefaultPolicyVersion"]["VersionId"], "v2");
        assert!(text(&got["DefaultPolicyVersion"]["PolicyDocument"]).contains("cr:Pull*"), "{got}");
        let listed = self.ok("ListPolicyVersions", &json!({ "PolicyName": "pull", "PolicyType": "Custom" }));
        one(&listed, "PolicyVersions", "PolicyVersion", "VersionId", "v1");
        self.ok("SetDefaultPolicyVersion", &json!({ "PolicyName": "pull", "VersionId": "v1" }));
        let old = self.ok("GetPolicyVersion", &json!({ "PolicyName": "pull", "PolicyType": "Custom", "VersionId": "v1" }));
        assert_eq!(old["PolicyVersion"]["IsDefaultVersion"], true, "{old}");
        self.ok("DeletePolicyVersion", &json!({ "PolicyName": "pull", "VersionId": "v2" }));
        let system = self.ok("ListPolicies", &json!({ "PolicyType": "System", "MaxItems": 1000 }));
        one(&system, "Policies", "Policy", "PolicyName", "AliyunContainerRegistryReadOnlyAccess");
    }

    fn roles(&mut self) {
        let whole = format!("acs:ram::{}:root", self.account);
        let statement = json!({ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "RAM": [whole] } });
        let trust = json!({ "Version": "1", "Statement": [statement] }).to_string();
        let made = self.ok("CreateRole", &json!({ "RoleName": "ci", "AssumeRolePolicyDocument": trust, "Description": "builds" }));
        assert_eq!((&made["Role"]["RoleName"], &made["Role"]["Description"]), (&json!("ci"), &json!("builds")), "{made}");
        self.ok("UpdateRole", &json!({ "RoleName": "ci", "NewMaxSessionDuration": 7200 }));
        assert_eq!(self.ok("GetRole", &json!({ "RoleName": "ci" }))["Role"]["MaxSessionDuration"], 7200);
        let listed = self.ok("ListRoles", &json!({}));
        assert!(one(&listed, "Roles", "Role", "RoleName", "ci").get("AssumeRolePolicyDocument").is_none());
    }

    /// Attached to all three, listed both ways, detached.
    fn attachments(&mut self) {
        self.ok("AttachPolicyToUser", &json!({ "PolicyType": "Custom", "PolicyName": "pull", "UserName": "berta" }));
        self.refused("DeletePolicy", &json!({ "PolicyName": "pull" }), "DeleteConflict.Policy.User");
        self.ok("DetachPolicyFromUser", &json!({ "PolicyType": "Custom", "PolicyName": "pull", "UserName": "berta" }));
        let holders = [("User", "UserName", "berta"), ("Group", "GroupName", "crew"), ("Role", "RoleName", "ci")];
        let what = |key: &str, name: &str| json!({ "PolicyType": "Custom", "PolicyName": "pull", key: name });
        for (noun, key, name) in holders {
            self.ok(&format!("AttachPolicyTo{noun}"), &what(key, name));
            let listed = self.ok(&format!("ListPoliciesFor{noun}"), &json!({ key: name }));
            assert_eq!(one(&listed, "Policies", "Policy", "PolicyName", "pull")["PolicyType"], "Custom");
        }
        let entities = self.ok("ListEntitiesForPolicy", &json!({ "PolicyType": "Custom", "PolicyName": "pull" }));
        for (noun, key, name) in holders {
            assert!(text(&one(&entities, &format!("{noun}s"), noun, key, name)["AttachDate"]).ends_with('Z'), "{entities}");
        }
        self.refused("AttachPolicyToUser", &what("UserName", "berta"), "EntityAlreadyExists.User.Policy");
        for (noun, key, name) in holders {
            self.ok(&format!("DetachPolicyFrom{noun}"), &what(key, name));
        }
    }

    fn alias(&mut self) {
        self.ok("SetAccountAlias", &json!({ "AccountAlias": "harbour" }));
        assert_eq!(self.ok("GetAccountAlias", &json!({}))["AccountAlias"], "harbour");
        self.ok("ClearAccountAlias", &json!({}));
    }

    fn end(&mut self) {
        self.ok("DeletePolicy", &json!({ "PolicyName": "pull" }));
        self.ok("DeleteRole", &json!({ "RoleName": "ci" }));
        self.ok("RemoveUserFromGroup", &json!({ "GroupName": "crew", "UserName": "berta" }));
        self.ok("DeleteGroup", &json!({ "GroupName": "crew" }));
        self.ok("DeleteUser", &json!({ "UserName": "berta" }));
        self.refused("DeleteUser", &json!({ "UserName": "berta" }), "EntityNotExist.User");
    }
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn identities_are_made_listed_both_ways_and_ended() {
    for kind in KINDS {
        let cloud = Cloud::start();
        let mut ram = Ram { sdk: cloud.sdk(kind, &cloud.root_key()), account: cloud.account() };
        ram.users();
        ram.keys(&cloud, kind);
        ram.groups();
        ram.policies();
        ram.roles();
        ram.attachments();
        ram.alias();
        ram.end();
    }
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn a_refusal_says_who_lacks_what() {
    let cloud = Cloud::start();
    let key = cloud.user("nobody", &[]);
    for kind in KINDS {
        let error = cloud.sdk(kind, &key).refused("ram", "ListUsers", &json!({}), "NoPermission");
        if kind == Kind::TeaV3 {
            let denied = &error["denied"];
            assert_eq!((&denied["AuthAction"], &denied["NoPermissionType"]), (&json!("ram:ListUsers"), &json!("ImplicitDeny")), "{error}");
            let encoded = json!({ "EncodedDiagnosticMessage": denied["EncodedDiagnosticMessage"] });
            let read = cloud.sdk(kind, &cloud.root_key()).ok("ram", "DecodeDiagnosticMessage", &encoded);
            assert!(read["DecodedDiagnosticMessage"].to_string().contains("ram:ListUsers"), "{read}");
        }
    }
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn oidc_providers_are_named_in_ims() {
    let cloud = Cloud::start();
    let mut sdk = cloud.sdk(Kind::TeaV3, &cloud.root_key());
    let wanted = json!({ "OIDCProviderName": "cluster", "IssuerUrl": "https://issuer.example", "ClientIds": "sts.aliyuncs.com" });
    let made = sdk.ok("ims", "CreateOIDCProvider", &wanted);
    let arn = format!("acs:ram::{}:oidc-provider/cluster", cloud.account());
    assert_eq!((&made["OIDCProvider"]["Arn"], &made["OIDCProvider"]["IssuerUrl"]), (&json!(arn), &wanted["IssuerUrl"]), "{made}");
    let named = json!({ "OIDCProviderName": "cluster" });
    assert_eq!(sdk.ok("ims", "GetOIDCProvider", &named)["OIDCProvider"]["ClientIds"], "sts.aliyuncs.com");
    let listed = sdk.ok("ims", "ListOIDCProviders", &json!({}));
    one(&listed, "OIDCProviders", "OIDCProvider", "OIDCProviderName", "cluster");
    let client = json!({ "OIDCProviderName": "cluster", "ClientId": "web" });
    let clients = |answer: &Value| answer["OIDCProvider"]["ClientIds"].clone();
    assert_eq!(clients(&sdk.ok("ims", "AddClientIdToOIDCProvider", &client)), "sts.aliyuncs.com,web");
    assert_eq!(clients(&sdk.ok("ims", "RemoveClientIdFromOIDCProvider", &client)), "sts.aliyuncs.com");
    let changed = sdk.ok("ims", "UpdateOIDCProvider", &json!({ "OIDCProviderName": "cluster", "NewDescription": "pods" }));
    assert_eq!((&changed["OIDCProvider"]["Description"], clients(&changed)), (&json!("pods"), json!("sts.aliyuncs.com")), "{changed}");
    sdk.ok("ims", "DeleteOIDCProvider", &named);
    sdk.refused("ims", "GetOIDCProvider", &named, "EntityNotExist.OIDCProvider");
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn sign_in_passwords_and_descriptions_are_ram_s_too() {
    let cloud = Cloud::start();
    let mut sdk = cloud.sdk(Kind::TeaV3, &cloud.root_key());
    let berta = json!({ "UserName": "berta" });
    sdk.ok("ram", "CreateUser", &berta);
    let wanted = json!({ "UserName": "berta", "Password": "correct-horse-8" });
    assert_eq!(sdk.ok("ram", "CreateLoginProfile", &wanted)["LoginProfile"]["UserName"], "berta");
    sdk.refused("ram", "CreateLoginProfile", &wanted, "EntityAlreadyExists.User.LoginProfile");
    sdk.ok("ram", "UpdateLoginProfile", &json!({ "UserName": "berta", "Password": "correct-horse-9" }));
    assert_eq!(sdk.ok("ram", "GetLoginProfile", &berta)["LoginProfile"]["PasswordResetRequired"], false);
    sdk.ok("ram", "DeleteLoginProfile", &berta);
    sdk.refused("ram", "GetLoginProfile", &berta, "EntityNotExist.User.LoginProfile");

    let document = policy(&["cr:PullRepository"]).to_string();
    sdk.ok("ram", "CreatePolicy", &json!({ "PolicyName": "pull", "PolicyDocument": document, "Description": "one" }));
    sdk.ok("ram", "UpdatePolicyDescription", &json!({ "PolicyName": "pull", "NewDescription": "two" }));
    let got = sdk.ok("ram", "GetPolicy", &json!({ "PolicyName": "pull", "PolicyType": "Custom" }));
    assert_eq!(got["Policy"]["Description"], "two", "{got}");
}
