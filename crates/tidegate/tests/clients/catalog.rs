//! The catalog of somebody who may see few among many: its pages are short, some are empty, and each leads on.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use testkit::{House, PASSWORD, Population};

use crate::support::peer;
use crate::support::program::Program;

/// Several times what one page looks at.
const MANY: u32 = 9_000;

/// A house in which seer may pull what ends in `-k7`: eight repositories that come early in the list, and the last one.
async fn house() -> (Arc<House>, Vec<String>) {
    let statement = json!({"Effect": "Allow", "Action": "cr:PullRepository", "Resource": "acs:cr:*:*:repository/local/*-k7"});
    let document = json!({"Version": "1", "Statement": [statement]}).to_string();
    let house = testkit::house().await.with_user("seer").await.with_policy("seer", "endings", &document).await;
    house.population().repositories(0..MANY).await;
    let mut seen: Vec<String> = (0..MANY).map(Population::repository).filter(|name| name.ends_with("-k7")).collect();
    seen.sort_unstable();
    assert_eq!(seen.len(), 9);
    (Arc::new(house), seen)
}

/// A program that finds seer's login in its home, whichever file it looks for.
fn logged_in(name: &str, folder: &std::path::Path, registry: &str) -> Program {
    let login = BASE64_STANDARD.encode(format!("seer:{PASSWORD}"));
    let file = folder.join("config.json");
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(&file, json!({"auths": {registry: {"auth": login}}}).to_string()).unwrap();
    let program = Program::new(peer(name), folder);
    program.with("DOCKER_CONFIG", folder.to_str().unwrap()).with("REGISTRY_AUTH_FILE", file.to_str().unwrap())
}

#[test]
#[ignore = "cargo xtask test --only clients"]
fn clients_go_on_behind_a_short_page_and_an_empty_one() {
    testkit::run(async {
        let (house, seen) = house().await;
        let page = house.user("seer").get("/v2/_catalog").await.expect(200);
        assert_eq!(page.json()["repositories"].as_array().unwrap().len(), 8);
        let behind = page.header("link").trim_start_matches('<').split('>').next().unwrap();
        let empty = house.user("seer").get(behind).await.expect(200);
        assert_eq!(empty.json()["repositories"], json!([]));
        assert!(empty.header("link").starts_with("</v2/_catalog?last="), "an empty page leads on");

        let (registry, folder) = (house.listen().await.to_string(), tempfile::tempdir().unwrap());
        let program = |name: &str| logged_in(name, &folder.path().join(name), &registry);
        let list = |name: &str, arguments: &[&str]| {
            let ran = program(name).run(arguments).ok();
            let words = ran.out.split_whitespace().map(|word| word.trim_start_matches(&format!("{registry}/")).to_owned());
            words.filter(|word| word.starts_with("team-")).collect::<Vec<_>>()
        };
        assert_eq!(list("crane", &["catalog", &registry]), seen);
        assert_eq!(list("oras", &["repo", "ls", "--plain-http", &registry]), seen);
        let podman = ["search", "--tls-verify=false", "--limit", "100", "--format", "{{.Name}}", &format!("{registry}/team")];
        assert_eq!(list("podman", &podman), seen);
    });
}

/// It asks for one page, whatever that leads to: a thousand names at another registry, and what the first page has here.
#[test]
#[ignore = "cargo xtask test --only clients"]
fn regctl_asks_for_one_page() {
    testkit::run(async {
        let (house, seen) = house().await;
        let (registry, folder) = (house.listen().await.to_string(), tempfile::tempdir().unwrap());
        let regctl = logged_in("regctl", folder.path(), &registry);
        regctl.run(&["registry", "set", "--skip-check", "--tls", "disabled", &registry]).ok();
        let ran = regctl.run(&["repo", "ls", &registry]).ok();
        assert_eq!(ran.out.split_whitespace().collect::<Vec<_>>(), seen[..8]);
        let last = format!("--last={}", seen[7]);
        let further = regctl.run(&["repo", "ls", &last, &registry]).ok();
        assert_eq!(further.out.trim(), "", "behind a name; the page's own position is not printed");
    });
}
