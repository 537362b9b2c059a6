//! Regular expressions of tags, as far as a pattern of the house says the same.

use model::Glob;

/// What tags are spelled with and means nothing else in either.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-/".contains(&byte)
}

/// The pattern that matches what a regular expression does, which stands for the whole tag. None: none does.
///
/// Read are letters, digits, `_` and `-`, `\.`, `.`, `.*`, `.+`, a choice `(a|b)` or `a|b`, and `^` and `$` at the ends.
pub(super) fn pattern(regexp: &str) -> Option<Glob> {
    let text = regexp.strip_prefix('^').unwrap_or(regexp);
    let text = text.strip_suffix('$').unwrap_or(text);
    let mut pattern = String::new();
    let (mut inside, mut choice) = (false, false);
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'.' if bytes.next_if_eq(&b'*').is_some() => pattern.push('*'),
            b'.' if bytes.next_if_eq(&b'+').is_some() => pattern.push_str("?*"),
            b'.' => pattern.push('?'),
            b'\\' => pattern.push(char::from(bytes.next_if(|b| b".-_/".contains(b))?)),
            b'(' if !inside => (inside, pattern) = (true, pattern + "{"),
            b')' if inside => (inside, pattern) = (false, pattern + "}"),
            b'|' if inside => pattern.push(','),
            b'|' => (choice, pattern) = (true, pattern + ","),
            plain if is_plain(plain) => pattern.push(char::from(plain)),
            _ => return None,
        }
        // What is repeated, or may be missing, has no pattern.
        if bytes.peek().is_some_and(|b| b"*+?{".contains(b)) {
            return None;
        }
    }
    let grouped = pattern.contains('{');
    match (inside, choice, grouped) {
        (false, false, _) => Glob::parse(&pattern).ok(),
        (false, true, false) => Glob::parse(&format!("{{{pattern}}}")).ok(),
        _ => None,
    }
}

/// The regular expression that matches what a pattern does: what [`pattern`] was told, but for `^`, `$` and needless brackets.
pub(super) fn regexp(pattern: &Glob) -> String {
    let text = pattern.as_str();
    let whole = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).filter(|inside| !inside.contains(['{', '}']));
    let text = whole.unwrap_or(text);
    let mut regexp = String::new();
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'*' => {
                while bytes.next_if_eq(&b'*').is_some() {}
                regexp.push_str(".*");
            }
            b'?' if bytes.next_if_eq(&b'*').is_some() => regexp.push_str(".+"),
            b'?' => regexp.push('.'),
            b'.' => regexp.push_str("\\."),
            b'{' => regexp.push('('),
            b'}' => regexp.push(')'),
            b',' => regexp.push('|'),
            other => regexp.push(char::from(other)),
        }
    }
    regexp
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pattern_can_say_is_said_both_ways() {
        for (text, glob) in [
            ("release-.*", "release-*"),
            (".*-alpine", "*-alpine"),
            (".*production_.*", "*production_*"),
            (".*", "*"),
            (".+", "?*"),
            ("v1\\.2\\..*", "v1.2.*"),
            ("v.\\..", "v?.?"),
            ("latest|v.*", "{latest,v*}"),
            ("v(1|2)\\..*", "v{1,2}.*"),
            ("latest", "latest"),
        ] {
            let read = pattern(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((read.as_str(), regexp(&read).as_str()), (glob, text));
        }
        assert_eq!(pattern("^v1$").unwrap().as_str(), "v1");
        assert_eq!(regexp(&pattern("(a|b)").unwrap()), "a|b");
        assert_eq!(regexp(&Glob::everything()), ".*");
    }

    #[test]
    fn what_it_cannot_is_told() {
        for text in [
            "",
            "^$",
            "v[0-9]+",
            "v\\d",
            "a?",
            "ab*",
            "a+",
            "a{2}",
            ".?",
            "(a|b)+",
            "(a|b)*",
            "(a",
            "a)",
            "((a|b)|c)",
            "a|(b|c)",
            "(?:a|b)",
            "a$b",
            "^^a",
            "\\",
            "é",
            "a b",
            "(?i)a",
            ".*?",
            "a,b",
        ] {
            assert!(pattern(text).is_none(), "{text}");
        }
    }
}
