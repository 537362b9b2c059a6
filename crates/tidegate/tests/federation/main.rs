//! Workload identity with an OpenID Provider that this project did not write: the example server of zitadel/oidc, a certified
//! library. A person logs in there, and the ID token that comes of it opens the registry.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the helpers of a test may fail it")]

mod provider;
#[expect(dead_code, reason = "each suite needs a part of it")]
#[path = "../support/mod.rs"]
mod support;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;

    use crate::provider::Provider;
    use crate::support::house::{Cli, House, text};
    use crate::support::http::{Ask, basic, bearer};
    use crate::support::program::Program;
    use crate::support::{peer, wait_until};

    /// A house where the service account `ci` trusts the person `id1` of the provider.
    fn trusting(provider: &Provider) -> (House, Cli) {
        let house = House::start();
        let root = house.root();
        root.json(&["service-account", "create", "ci", "--role", "AcrPush"]);
        root.json(&["oidc-provider", "create", "zitadel", "--issuer", &provider.issuer, "--allow-internal"]);
        assert_eq!(root.json(&["oidc-provider", "check", "zitadel"])["keys"], 1);
        let who = ["--issuer", &provider.issuer, "--audience", "web", "--subject", "id1", "--claim", "azp=web"];
        root.json(&[&["federation", "create", "ci", "person"], who.as_slice()].concat());
        (house, root)
    }

    fn crane(house: &House) -> Program {
        let program = Program::new(peer("crane"), &house.folder.path().join("crane"));
        let config = program.folder().join("docker");
        program.with("DOCKER_CONFIG", config.to_str().unwrap())
    }

    #[test]
    #[ignore = "cargo xtask test --only federation"]
    fn an_id_token_is_what_a_client_logs_in_with_until_its_trust_ends() {
        let provider = Provider::start();
        let (house, root) = trusting(&provider);
        let token = provider.id_token("web", "secret", "test-user@localhost");
        let crane = crane(&house);
        crane.piped(&["auth", "login", &house.address, "--username", "any", "--password-stdin"], &token).ok();
        let image = format!("{}/demo/app:1", house.address);
        let file = crane.folder().join("file");
        std::fs::write(&file, "hello").unwrap();
        crane.run(&["append", "--new_layer", file.to_str().unwrap(), "--new_tag", &image]).ok();
        crane.run(&["manifest", &image]).ok();

        let manifest = "/v2/demo/app/manifests/1";
        let running = house.bearer("any", &token, "repository:demo/app:pull");
        let open = |authorization: &str| house.send(&Ask::get(manifest).with(authorization)).status;
        assert_eq!((open(&basic("any", &token)), open(&bearer(&running))), (200, 200));
        root.json(&["federation", "update", "ci", "person", "--disable"]);
        let closed = || (open(&basic("any", &token)), open(&bearer(&running))) == (401, 401);
        wait_until("the token opens nothing", Duration::from_secs(1), closed);
        root.json(&["federation", "update", "ci", "person", "--enable"]);
        assert_eq!(open(&bearer(&running)), 200);
        let listed = root.json(&["federation", "list", "ci"]);
        assert_eq!((text(&listed[0]["name"]), text(&listed[0]["subject"])), ("person".to_owned(), "id1".to_owned()));
        root.json(&["oidc-provider", "delete", "zitadel"]);
        wait_until("the provider is gone", Duration::from_secs(1), closed);
    }

    #[test]
    #[ignore = "cargo xtask test --only federation"]
    fn an_id_token_is_exchanged_and_others_are_told_what_does_not_fit() {
        let provider = Provider::start();
        let (house, _root) = trusting(&provider);
        let exchange = |token: &str| {
            let fields = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", token)];
            house.send(&Ask::new("POST", "/api/v1/oauth2/token").form(&fields))
        };
        let token = provider.id_token("web", "secret", "test-user@localhost");
        let made = exchange(&token).expect(200).json();
        let whoami = house.send(&Ask::get("/api/v1/whoami").with(&bearer(&text(&made["access_token"])))).expect(200).json();
        assert_eq!(whoami["name"], "ci");
        let told = |token: &str| -> String {
            let answer: Value = exchange(token).expect(400).json();
            text(&answer["error_description"])
        };
        let other = told(&provider.id_token("web", "secret", "test-user2"));
        assert!(other.ends_with("its subject 'id2' is not trusted here"), "{other}");
        let elsewhere = told(&provider.id_token("api", "secret", "test-user@localhost"));
        assert!(elsewhere.ends_with("its audience 'api' is not trusted here"), "{elsewhere}");
        let (head, signature) = token.rsplit_once('.').unwrap();
        let changed = format!("{head}.{}", signature.chars().rev().collect::<String>());
        assert_eq!(told(&changed), "the token is not one that is trusted here");
    }
}
