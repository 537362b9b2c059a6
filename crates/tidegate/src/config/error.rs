//! What can be wrong with a configuration: each message says which setting, and what to do.

use std::path::PathBuf;

use super::table::SETTINGS;

/// Why there is no configuration. No message repeats a secret's value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("the configuration file {path} cannot be read: {cause}")]
    Unreadable { path: PathBuf, cause: std::io::Error },
    #[error("the configuration file is not TOML, at line {line}: {message}")]
    Syntax { line: usize, message: String },
    #[error("the configuration file has an unknown key `{key}`{}", .nearest.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default())]
    UnknownKey { key: String, nearest: Option<&'static str> },
    #[error("`{key}` takes {takes}")]
    WrongShape { key: &'static str, takes: &'static str },
    #[error("`{key}` ({origin}): {problem}")]
    Invalid { key: &'static str, origin: String, problem: String },
    #[error("`tls.cert` and `tls.key` go together: set both or none")]
    HalfTls,
}

impl ConfigError {
    pub(crate) fn unknown(key: &str) -> Self {
        let nearest = SETTINGS.iter().map(|s| (distance(s.key, key), s.key)).min().filter(|(d, _)| *d <= key.len().div_ceil(3));
        Self::UnknownKey { key: key.to_owned(), nearest: nearest.map(|(_, name)| name) }
    }
}

/// How many letters have to change (Levenshtein), one row at a time.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (y, above) in b.bytes().zip(row.iter().skip(1)) {
            left = (diagonal + usize::from(x != y)).min(left + 1).min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_changed_letters() {
        for (a, b, want) in [("", "", 0), ("abc", "abc", 0), ("abc", "abd", 1), ("abc", "ab", 1), ("", "abc", 3), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(a, b), want, "{a} {b}");
        }
    }

    #[test]
    fn names_the_nearest_key_only_when_it_is_near() {
        let message = |key| ConfigError::unknown(key).to_string();
        assert_eq!(message("lisen"), "the configuration file has an unknown key `lisen`; did you mean `listen`?");
        assert_eq!(message("colour"), "the configuration file has an unknown key `colour`");
    }
}
