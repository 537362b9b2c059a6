//! A golden answer for each action, in JSON and in XML: status, content type, body, as `golden/PRODUCT/ACTION.txt` has them.
//!
//! To add an action: a branch in [`parameters`], then `TIDEGATE_TEST_GOLDEN=write cargo test -p door-alibaba --test alibaba golden`, and
//! read what was written.

use std::fmt::Write as _;
use std::path::PathBuf;

use testkit::alibaba_operations::{Operation, operations};
use testkit::{AccessKey, House, Reply};

use crate::walk::{lived_in, prepared};

/// Actions whose answers are not the same twice, or that are tested on their own.
const ELSEWHERE: [&str; 0] = [];

fn file(operation: &Operation) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/alibaba/golden").join(operation.product.code());
    folder.join(format!("{}.txt", operation.name))
}

/// An answer as its file has it. Secrets and tokens follow from the seed, but signatures do not: they are left out.
fn shown(reply: &Reply) -> String {
    let body = String::from_utf8(reply.body.to_vec()).unwrap();
    format!("{}\n{}\n{}\n", reply.status.as_u16(), reply.header("content-type"), without_signatures(&body))
}

/// ES256 is random: of a token its claims are shown.
fn without_signatures(body: &str) -> String {
    let mut out = String::new();
    let mut rest = body;
    while let Some(at) = rest.find("eyJ") {
        let (before, token) = rest.split_at(at);
        let end = token.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)).unwrap_or(token.len());
        let (token, after) = token.split_at(end);
        let _ = write!(out, "{before}({} parts)", token.split('.').count());
        rest = after;
    }
    out + rest
}

#[expect(clippy::disallowed_methods, reason = "the tests' own switch")]
fn is_written() -> bool {
    std::env::var("TIDEGATE_TEST_GOLDEN").is_ok_and(|value| value == "write")
}

/// Both forms, each in a house of its own: what was done once may not be done twice.
async fn answers(operation: &Operation) -> String {
    let mut out = String::new();
    for xml in [false, true] {
        let (house, key): (House, AccessKey) = lived_in().await;
        let client = if xml { house.alibaba(&key).xml() } else { house.alibaba(&key) };
        let parameters = prepared(&house, operation).await;
        let pairs: Vec<_> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        out += &shown(&client.call(operation.product, operation.name, &pairs).await);
    }
    out
}

#[tokio::test]
async fn each_action_has_its_golden_answer() {
    let mut wrong = Vec::new();
    for operation in operations().filter(|o| !ELSEWHERE.contains(&o.name)) {
        let (path, answers) = (file(operation), answers(operation).await);
        if is_written() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &answers).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        if golden != answers {
            wrong.push(format!("{}:\n{golden}is now\n{answers}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
