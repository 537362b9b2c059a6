//! What one version of a policy changes against another: the text, line by line, and what it allows and denies.

use std::fmt::Write as _;

use api::PolicyVersion;
use model::AccountId;
use policy::{Document, Effect, covers, lifted, ram};

/// Lines around a change that stay as they are.
const CONTEXT: usize = 3;

/// A unified diff of two versions, and below it what the newer one allows and denies more or less, as far as that can be seen.
pub(super) fn render(name: &str, account: Option<AccountId>, from: &PolicyVersion, to: &PolicyVersion) -> String {
    let (old, new) = (lines(&from.document), lines(&to.document));
    let mut text = format!("--- {name} version {}\n+++ {name} version {}\n", from.version, to.version);
    hunks(&mut text, &edits(&old, &new));
    let read = |version: &PolicyVersion| ram::parse(&version.document).ok();
    if let (Some(account), Some(old), Some(new)) = (account, read(from), read(to)) {
        let denials = (&lifted(&old), &lifted(&new));
        for (what, beyond) in [
            ("allows more", beyond(account, &old, &new)),
            ("allows less", beyond(account, &new, &old)),
            ("denies more", beyond(account, denials.0, denials.1)),
            ("denies less", beyond(account, denials.1, denials.0)),
        ] {
            for line in beyond {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "# {what}: {line}");
            }
        }
    }
    text
}

/// A document's lines, laid out alike whoever wrote it.
fn lines(document: &str) -> Vec<String> {
    let laid_out = serde_json::from_str::<serde_json::Value>(document).and_then(|json| serde_json::to_string_pretty(&json));
    laid_out.as_deref().unwrap_or(document).lines().map(str::to_owned).collect()
}

/// What `given` allows statement by statement and `held` does not, or not seen to.
fn beyond(account: AccountId, held: &Document, given: &Document) -> Vec<String> {
    let denials: Vec<_> = given.statements.iter().filter(|s| s.effect() == Effect::Deny).cloned().collect();
    let alone = |statement: &policy::Statement| Document { statements: [vec![statement.clone()], denials.clone()].concat() };
    let allowing = given.statements.iter().filter(|s| s.effect() == Effect::Allow);
    let uncovered = allowing.filter_map(|statement| covers(account, &[held], &alone(statement)).err());
    uncovered.map(|e| format!("{} on {}", e.action.as_str(), e.resource)).collect()
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Edit<'l> {
    Keep(&'l str),
    Drop(&'l str),
    Add(&'l str),
}

/// The shortest way from the old lines to the new ones. (Documents are bounded, so the table is.)
fn edits<'l>(old: &'l [String], new: &'l [String]) -> Vec<Edit<'l>> {
    // common[i][j]: the longest common run of lines of old[i..] and new[j..].
    let width = new.len() + 1;
    let mut common = vec![0_u32; (old.len() + 1) * width];
    let at = |common: &[u32], i: usize, j: usize| common.get(i * width + j).copied().unwrap_or_default();
    for (i, left) in old.iter().enumerate().rev() {
        for (j, right) in new.iter().enumerate().rev() {
            let longest = if left == right { at(&common, i + 1, j + 1) + 1 } else { at(&common, i + 1, j).max(at(&common, i, j + 1)) };
            if let Some(cell) = common.get_mut(i * width + j) {
                *cell = longest;
            }
        }
    }
    let (mut i, mut j, mut edits) = (0, 0, Vec::new());
    loop {
        match (old.get(i), new.get(j)) {
            (Some(left), Some(right)) if left == right => {
                edits.push(Edit::Keep(left));
                (i, j) = (i + 1, j + 1);
            }
            (Some(left), right) if right.is_none() || at(&common, i + 1, j) >= at(&common, i, j + 1) => {
                edits.push(Edit::Drop(left));
                i += 1;
            }
            (_, Some(right)) => {
                edits.push(Edit::Add(right));
                j += 1;
            }
            (_, None) => return edits,
        }
    }
}

/// Writes the changes with the lines around them.
fn hunks(text: &mut String, edits: &[Edit<'_>]) {
    let changed = |index: usize| edits.get(index).is_some_and(|edit| !matches!(edit, Edit::Keep(_)));
    let shown = |index: usize| (index.saturating_sub(CONTEXT)..=index + CONTEXT).any(changed);
    let (mut old, mut new, mut index) = (1, 1, 0);
    while index < edits.len() {
        if !shown(index) {
            (old, new, index) = (old + 1, new + 1, index + 1);
            continue;
        }
        let hunk: Vec<_> = edits.iter().enumerate().skip(index).take_while(|(i, _)| shown(*i)).map(|(_, edit)| *edit).collect();
        let olds = hunk.iter().filter(|edit| !matches!(edit, Edit::Add(_))).count();
        let news = hunk.iter().filter(|edit| !matches!(edit, Edit::Drop(_))).count();
        let _ = writeln!(text, "@@ -{old},{olds} +{new},{news} @@");
        for edit in &hunk {
            let (sign, line) = match edit {
                Edit::Keep(line) => (' ', line),
                Edit::Drop(line) => ('-', line),
                Edit::Add(line) => ('+', line),
            };
            let _ = writeln!(text, "{sign}{line}");
        }
        (old, new, index) = (old + olds, new + news, index + hunk.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(version: i64, document: &str) -> PolicyVersion {
        let created_at = model::Timestamp::from_millis(0);
        PolicyVersion { name: "dev".into(), version, is_default: version == 1, document: document.into(), created_at }
    }

    #[test]
    fn a_diff_shows_the_text_and_what_it_means() {
        let old = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"cr:PullRepository","Resource":"*"}]}"#;
        let new = r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":["cr:PullRepository","cr:PushRepository"],"Resource":"*"},
            {"Effect":"Deny","Action":"cr:PullRepository","Resource":"acs:cr:*:*:repository/local/secret/*"}]}"#;
        let text = render("dev", Some(AccountId::from_i64(7)), &version(1, old), &version(2, new));
        for line in [
            "--- dev version 1\n+++ dev version 2\n@@ -1,",
            "\n-      \"Action\": \"cr:PullRepository\",\n",
            "\n+        \"cr:PushRepository\"\n",
            "\n# allows more: cr:PushRepository on *\n",
            "\n# allows less: cr:PullRepository on *\n",
            "\n# denies more: cr:PullRepository on acs:cr:*:*:repository/local/secret/*\n",
        ] {
            assert!(text.contains(line), "{line:?} in\n{text}");
        }
        assert!(!text.contains("denies less"));
        assert_eq!(render("dev", None, &version(1, old), &version(2, old)), "--- dev version 1\n+++ dev version 2\n");
    }

    #[test]
    fn hunks_have_their_lines() {
        let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let (old, new) = (lines("a b c d e f g h i j k l m n"), lines("a x c d e f g h i j k l m n o"));
        let mut text = String::new();
        hunks(&mut text, &edits(&old, &new));
        assert_eq!(text, "@@ -1,5 +1,5 @@\n a\n-b\n+x\n c\n d\n e\n@@ -12,3 +12,4 @@\n l\n m\n n\n+o\n");
    }
}
