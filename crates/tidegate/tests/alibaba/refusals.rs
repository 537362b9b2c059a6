//! What the SDKs make of refusals: each raises the error that its vendor's service would make it raise.

use serde_json::json;

use crate::cloud::Cloud;
use crate::sdk::Kind;
use crate::support::api::Key;

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn a_wrong_secret_is_what_each_sdk_says_it_is() {
    let cloud = Cloud::start();
    let wrong = Key { secret: "wrong-secret-of-thirty-letters".to_owned(), ..cloud.root_key() };
    for kind in Kind::ALL {
        let error = cloud.sdk(kind, &wrong).fails("cr", "ListInstance", &json!({}));
        // sdk-core compares the server's string with its own, and blames the secret where they are the same.
        let code = if kind == Kind::Core { "InvalidAccessKeySecret" } else { "SignatureDoesNotMatch" };
        assert_eq!(error["code"], code, "{kind:?}: {error}");
    }
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn a_disabled_key_an_unknown_one_and_a_key_without_its_token_are_told_apart() {
    let cloud = Cloud::start();
    let key = cloud.user("somebody", &["cr:ListInstance"]);
    cloud.root.run(&["access-key", "disable", &key.id]).ok();
    let unknown = Key { id: "LTAI5tNobodyHasThisOne".to_owned(), ..key.clone() };
    for kind in Kind::ALL {
        let disabled = cloud.sdk(kind, &key).refused("cr", "ListInstance", &json!({}), "InvalidAccessKeyId.Inactive");
        let unknown = cloud.sdk(kind, &unknown).refused("cr", "ListInstance", &json!({}), "InvalidAccessKeyId.NotFound");
        if matches!(kind, Kind::TeaV3 | Kind::TeaV2 | Kind::Core) {
            assert_eq!((&disabled["status"], &unknown["status"]), (&json!(400), &json!(404)), "{kind:?}");
        }
    }
}

#[test]
#[ignore = "cargo xtask test --only alibaba"]
fn what_is_not_there_is_a_failure_to_each_sdk() {
    let cloud = Cloud::start();
    for kind in Kind::ALL {
        let mut sdk = cloud.sdk(kind, &cloud.root_key());
        sdk.refused("cr", "GetInstance", &json!({}), "MissingInstanceId");
    }
}
