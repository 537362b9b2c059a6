//! What the tests need to know of ims.

use testkit::{Client, House, Product};

use crate::walk::lived_in;

/// What of the product is in the house.
pub(crate) async fn furnish(_house: &House, root: &Client<'_>) {
    let provider = serde_json::json!({ "name": "corp", "issuer": "https://issuer.example", "client_ids": ["registry"] });
    root.post("/api/v1/oidc-providers", &provider).await.expect(201);
}

/// Open to whoever has signed, or to oneself; named on purpose.
pub(crate) const WITHOUT_RIGHT: &[&str] = &[];

/// Parameters with which an action is done in the house of `walk`. An action that is missing here fails the tests.
pub(crate) fn parameters(_house: &House, action: &str) -> Vec<(&'static str, String)> {
    let name = || ("OIDCProviderName", "corp".to_owned());
    match action {
        "CreateOIDCProvider" => vec![
            ("OIDCProviderName", "forge".into()),
            ("IssuerUrl", "https://forge.example".into()),
            ("ClientIds", "one,two".into()),
            ("Fingerprints", "00".into()),
            ("Description", "of the forge".into()),
        ],
        "GetOIDCProvider" | "DeleteOIDCProvider" => vec![name()],
        "ListOIDCProviders" => vec![],
        "UpdateOIDCProvider" => vec![name(), ("NewDescription", "of the company".into()), ("ClientIds", "three".into())],
        "AddClientIdToOIDCProvider" => vec![name(), ("ClientId", "four".into())],
        "RemoveClientIdFromOIDCProvider" => vec![name(), ("ClientId", "registry".into())],
        other => panic!("{other} takes parameters: say here which"),
    }
}

/// What a parameter names that is not there.
pub(crate) fn elsewhere(name: &str) -> Option<&'static str> {
    match name {
        "OIDCProviderName" => Some("nosuch"),
        _ => None,
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_by_parameter() {
    let (house, key) = lived_in().await;
    let client = house.alibaba(&key);
    for (action, name, value) in [
        ("CreateOIDCProvider", "OIDCProviderName", "Not A Name"),
        ("CreateOIDCProvider", "IssuerUrl", "moon"),
        ("CreateOIDCProvider", "IssuerUrl", "http://issuer.example/?x=1"),
        ("CreateOIDCProvider", "IssuanceLimitTime", "12"),
        ("UpdateOIDCProvider", "IssuanceLimitTime", "12"),
        ("ListOIDCProviders", "MaxItems", "moon"),
        ("ListOIDCProviders", "MaxItems", "101"),
        ("AddClientIdToOIDCProvider", "ClientId", "a\u{7}b"),
    ] {
        let mut all: Vec<(&str, String)> = parameters(&house, action);
        all.retain(|(given, _)| *given != name);
        all.push((name, value.to_owned()));
        let all: Vec<_> = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let reply = client.call(Product::Ims, action, &all).await;
        let said = (reply.status.as_u16(), reply.text("Code"));
        assert_eq!(said, (400, format!("InvalidParameter.{name}.Format")), "{action} {value}: {}", reply.text("Message"));
    }
}
