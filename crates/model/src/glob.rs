//! Patterns of tags and of repository names, as rules are written with them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A pattern: `*` is anything without a slash, `**` anything, `?` one character that is no slash, `{a,b}` one of several.
///
/// Matching takes at most (its length) times (the text's length) steps, whatever is written in it.
#[derive(Clone, PartialEq, Eq)]
pub struct Glob {
    text: Arc<str>,
    ways: Arc<[Vec<Token>]>,
}

/// What stands for a part of the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Token {
    Byte(u8),
    One,
    Many,
    Any,
}

/// Why a text is no pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("it is no pattern: {0}")]
pub struct GlobError(pub &'static str);

impl Glob {
    /// The longest pattern, in bytes.
    pub const MAX: usize = 255;
    /// The most patterns that the braces of one may stand for.
    const WAYS: usize = 64;

    /// Reads a pattern of the characters that names have, and `* ? { , }`.
    pub fn parse(text: &str) -> Result<Self, GlobError> {
        if text.is_empty() || text.len() > Self::MAX {
            return Err(GlobError("1 to 255 characters"));
        }
        let known = |b: u8| b.is_ascii_alphanumeric() || b"._-/*?{,}".contains(&b);
        if !text.bytes().all(known) {
            return Err(GlobError("letters, digits, . _ - / and * ? { , }"));
        }
        let ways = expand(text)?.iter().map(|way| tokens(way)).collect();
        Ok(Self { text: text.into(), ways })
    }

    /// `**`: whatever there is.
    pub fn everything() -> Self {
        Self { text: "**".into(), ways: [vec![Token::Any]].into() }
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Does the whole text match?
    pub fn matches(&self, text: &str) -> bool {
        self.ways.iter().any(|way| matches(way, text.as_bytes()))
    }

    /// Does it match whatever has no slash?
    pub fn is_everything(&self) -> bool {
        matches!(&*self.text, "*" | "**")
    }
}

/// The patterns without braces that one stands for.
fn expand(text: &str) -> Result<Vec<String>, GlobError> {
    let mut ways = vec![String::new()];
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}', ',']) {
        let (before, behind) = rest.split_at(at);
        let inside = behind.strip_prefix('{').ok_or(GlobError("a } or a comma outside of { }"))?;
        let (inside, after) = inside.split_once('}').ok_or(GlobError("a { without its }"))?;
        if inside.contains('{') {
            return Err(GlobError("a { within { }"));
        }
        let choices: Vec<&str> = inside.split(',').collect();
        if ways.len().saturating_mul(choices.len()) > Glob::WAYS {
            return Err(GlobError("its { } stand for more than 64 patterns"));
        }
        ways = ways.iter().flat_map(|way| choices.iter().map(move |choice| format!("{way}{before}{choice}"))).collect();
        rest = after;
    }
    for way in &mut ways {
        way.push_str(rest);
    }
    Ok(ways)
}

fn tokens(way: &str) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(way.len());
    let mut bytes = way.bytes().peekable();
    while let Some(byte) = bytes.next() {
        tokens.push(match byte {
            b'?' => Token::One,
            b'*' if bytes.next_if_eq(&b'*').is_some() => Token::Any,
            b'*' => Token::Many,
            byte => Token::Byte(byte),
        });
    }
    tokens
}

/// Keeps, byte after byte, all the places of the pattern that the text so far may have led to.
fn matches(pattern: &[Token], text: &[u8]) -> bool {
    let mut places = vec![false; pattern.len() + 1];
    reach(pattern, &mut places, 0);
    for byte in text {
        let mut next = vec![false; pattern.len() + 1];
        for (place, token) in pattern.iter().enumerate().filter(|(place, _)| places.get(*place) == Some(&true)) {
            match token {
                Token::Byte(wanted) if wanted == byte => reach(pattern, &mut next, place + 1),
                Token::One if *byte != b'/' => reach(pattern, &mut next, place + 1),
                Token::Many if *byte != b'/' => reach(pattern, &mut next, place),
                Token::Any => reach(pattern, &mut next, place),
                Token::Byte(_) | Token::One | Token::Many => {}
            }
        }
        places = next;
    }
    places.last() == Some(&true)
}

/// Marks a place, and those behind it that nothing is needed for.
fn reach(pattern: &[Token], places: &mut [bool], mut place: usize) {
    loop {
        match places.get_mut(place) {
            Some(mark) if !*mark => *mark = true,
            _ => return,
        }
        match pattern.get(place) {
            Some(Token::Many | Token::Any) => place += 1,
            _ => return,
        }
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl FromStr for Glob {
    type Err = GlobError;

    fn from_str(text: &str) -> Result<Self, GlobError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(text: &str) -> Glob {
        Glob::parse(text).unwrap()
    }

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, yes, no) in [
            ("v*", "v v1 v1.0 v-x", "V1 1v latest"),
            ("**", "v1 a/b/c x", ""),
            ("*", "v1 a", "a/b"),
            ("a/*", "a/b a/x.y", "a a/b/c"),
            ("a/**", "a/b a/b/c", "a b/a"),
            ("**/app", "x/app x/y/app", "app xapp x/apps"),
            ("v?.?", "v1.0 va.b", "v1 v10.0 v1./"),
            ("{latest,dev-*}", "latest dev-1 dev-", "dev latest1 {latest"),
            ("release-{1,2}.{x,y}", "release-1.x release-2.y", "release-3.x release-1.z"),
            ("{,x}y", "y xy", "x xxy"),
            ("a**z", "az a/z abz", "a za"),
            ("*a*a*a*", "aaa bababab", "aa aba"),
        ] {
            for name in yes.split(' ') {
                assert!(glob(pattern).matches(name), "{pattern} {name}");
            }
            for name in no.split(' ').filter(|name| !name.is_empty()) {
                assert!(!glob(pattern).matches(name), "{pattern} {name}");
            }
        }
    }

    #[test]
    fn everything_is_written_as_it_is_read() {
        assert_eq!(Glob::everything(), glob("**"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for bad in ["", "a b", "a\0", "{a", "a}", "a,b", "{a,{b,c}}", "é", "[a-z]", "a:b", &"a".repeat(256)] {
            assert!(Glob::parse(bad).is_err(), "{bad}");
        }
        assert!(Glob::parse(&"{a,b}".repeat(6)).is_ok());
        assert!(Glob::parse(&"{a,b}".repeat(7)).is_err(), "128 patterns");
    }

    /// Harbor #10573: a rule that took for ever. Each place is looked at once a byte.
    #[test]
    fn harbor_10573_no_pattern_takes_long() {
        let name = "a".repeat(254);
        for pattern in ["*a".repeat(127), "**".repeat(127), format!("{}b", "*?".repeat(126))] {
            assert_eq!(glob(&pattern).matches(&name), !pattern.ends_with('b'), "{pattern}");
        }
    }

    /// Against the plainest matcher there is, over all short texts.
    #[test]
    fn it_says_what_the_plainest_matcher_says() {
        fn plain(pattern: &[u8], text: &[u8]) -> bool {
            match pattern {
                [] => text.is_empty(),
                [b'*', b'*', rest @ ..] => (0..=text.len()).any(|n| plain(rest, &text[n..])),
                [b'*', rest @ ..] => {
                    let within = text.iter().position(|b| *b == b'/').unwrap_or(text.len());
                    (0..=within).any(|n| plain(rest, &text[n..]))
                }
                [b'?', rest @ ..] => text.first().is_some_and(|b| *b != b'/') && plain(rest, &text[1..]),
                [byte, rest @ ..] => text.first() == Some(byte) && plain(rest, &text[1..]),
            }
        }
        let all = |letters: &[u8], most: u32| -> Vec<String> {
            (1..=most)
                .flat_map(|n| (0..letters.len().pow(n)).map(move |i| (n, i)))
                .map(|(n, i)| (0..n).map(|p| char::from(letters[i / letters.len().pow(p) % letters.len()])).collect())
                .collect()
        };
        let texts = all(b"ab/", 4);
        for pattern in all(b"a*?/", 4) {
            let glob = glob(&pattern);
            for text in &texts {
                assert_eq!(glob.matches(text), plain(pattern.as_bytes(), text.as_bytes()), "{pattern} {text}");
            }
        }
    }
}
