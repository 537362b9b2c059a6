//! A golden answer for each action, in JSON and in XML: status, content type, body, as `golden/PRODUCT/ACTION.txt` has them.
//!
//! To add an action: a branch in [`parameters`], then `TIDEGATE_TEST_GOLDEN=write cargo test -p door-alibaba --test alibaba golden`, and
//! read what was written.

use std::path::PathBuf;

use testkit::alibaba_operations::{Operation, operations};
use testkit::{AccessKey, House, Reply};

use crate::walk::{lived_in, parameters, reads};

/// Actions whose answers are not the same twice, or that are tested on their own.
const ELSEWHERE: [&str; 0] = [];

fn file(operation: &Operation) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/alibaba/golden").join(operation.product.code());
    folder.join(format!("{}.txt", operation.name))
}

/// An answer as its file has it. What chance made (ids, secrets, tokens) is left out: it follows from the seed, but changes with
/// whatever else is in the house.
fn shown(reply: &Reply) -> String {
    let body = String::from_utf8(reply.body.to_vec()).unwrap();
    format!("{}\n{}\n{}\n", reply.status.as_u16(), reply.header("content-type"), without_chance(&body))
}

fn without_chance(body: &str) -> String {
    let (mut out, mut rest) = (String::new(), body);
    let is_word = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    while let Some(begin) = rest.find(is_word) {
        let end = rest[begin..].find(|c| !is_word(c)).map_or(rest.len(), |length| begin + length);
        out += &rest[..begin];
        out += kind_of(&rest[begin..end]);
        rest = &rest[end..];
    }
    out + rest
}

/// What stands for a word that chance made.
fn kind_of(word: &str) -> &str {
    const KINDS: [(&str, usize, &str); 9] = [
        ("cri-", 20, "cri-…"),
        ("crn-", 20, "crn-…"),
        ("crr-", 20, "crr-…"),
        ("cralr-", 30, "cralr-…"),
        ("LTAI", 24, "LTAI…"),
        ("STS.", 28, "STS.…"),
        ("tgk_", 40, "tgk_…"),
        ("tgt_", 40, "tgt_…"),
        ("tgc_", 40, "tgc_…"),
    ];
    if word.starts_with("eyJ") {
        return "eyJ…";
    }
    if word.len() == 16 && word.bytes().all(|b| b.is_ascii_digit()) {
        return "0000000000000000";
    }
    KINDS.iter().find(|(prefix, length, _)| word.starts_with(prefix) && word.len() == *length).map_or(word, |(_, _, shown)| shown)
}

#[expect(clippy::disallowed_methods, reason = "the tests' own switch")]
fn is_written() -> bool {
    std::env::var("TIDEGATE_TEST_GOLDEN").is_ok_and(|value| value == "write")
}

/// Both forms: where something is changed, each in a house of its own, since what was done once may not be done twice.
async fn answers(operation: &Operation, shared: &(House, AccessKey)) -> String {
    let mut out = String::new();
    for xml in [false, true] {
        let own = if reads(operation) { None } else { Some(lived_in().await) };
        let (house, key) = own.as_ref().unwrap_or(shared);
        let client = if xml { house.alibaba(key).xml() } else { house.alibaba(key) };
        let parameters = parameters(house, operation);
        let pairs: Vec<_> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        out += &shown(&client.call(operation.product, operation.name, &pairs).await);
    }
    out
}

#[tokio::test]
async fn each_action_has_its_golden_answer() {
    let (mut wrong, shared) = (Vec::new(), lived_in().await);
    for operation in operations().filter(|o| !ELSEWHERE.contains(&o.name)) {
        let (path, answers) = (file(operation), answers(operation, &shared).await);
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
