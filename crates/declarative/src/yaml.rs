//! YAML and JSON as trees of nodes that know their lines. Hostile text is refused: too deep, too many nodes, aliases, tags.

use std::borrow::Cow;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

/// The most bytes in one file.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;
/// The most documents in one file.
pub(crate) const MAX_DOCUMENTS: usize = 10_000;
/// The deepest nesting.
const MAX_DEPTH: usize = 32;
/// The most nodes in one file: each costs a hundred bytes or so.
const MAX_NODES: usize = 200_000;

/// A value, and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) value: Value,
}

/// What a node holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Value {
    /// Without quotes: what it means depends on what is wanted there.
    Plain(String),
    /// In quotes, or a block: a text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Keys with values, in their order; no key twice.
    Map(Vec<(Node, Node)>),
}

/// Why a text is not read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {problem}")]
pub(crate) struct YamlError {
    pub(crate) line: usize,
    pub(crate) problem: Cow<'static, str>,
}

impl YamlError {
    fn new(line: usize, problem: impl Into<Cow<'static, str>>) -> Self {
        Self { line, problem: problem.into() }
    }

    fn scan(error: &ScanError) -> Self {
        Self::new(error.marker().line(), format!("this is not YAML: {}", error.info()))
    }
}

/// The documents of a text, the empty ones left out.
pub(crate) fn parse(text: &str) -> Result<Vec<Node>, YamlError> {
    if text.len() > MAX_BYTES {
        return Err(YamlError::new(1, format!("the file is larger than {MAX_BYTES} bytes")));
    }
    let mut reader = Reader { events: Parser::new_from_str(text), nodes: 0 };
    let mut documents = Vec::new();
    while let Some((event, span)) = reader.next()? {
        if let Event::DocumentStart(_) = event {
            let (event, span) = reader.some(span)?;
            let node = reader.node(event, span, 0)?;
            if node.value != Value::Plain(String::new()) {
                documents.push(node);
            }
            if documents.len() > MAX_DOCUMENTS {
                return Err(YamlError::new(span.start.line(), format!("more than {MAX_DOCUMENTS} documents in one file")));
            }
        }
    }
    Ok(documents)
}

struct Reader<'t> {
    events: Parser<'t, StrInput<'t>>,
    nodes: usize,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<Option<(Event<'t>, Span)>, YamlError> {
        self.events.next_event().transpose().map_err(|e| YamlError::scan(&e))
    }

    fn some(&mut self, before: Span) -> Result<(Event<'t>, Span), YamlError> {
        self.next()?.ok_or_else(|| YamlError::new(before.end.line(), "the text ends too early"))
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, YamlError> {
        let line = span.start.line();
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(YamlError::new(line, format!("more than {MAX_NODES} values in one file")));
        }
        if depth > MAX_DEPTH {
            return Err(YamlError::new(line, format!("nested deeper than {MAX_DEPTH}")));
        }
        let value = match event {
            Event::Scalar(_, _, _, Some(_)) | Event::SequenceStart(_, Some(_)) | Event::MappingStart(_, Some(_)) => {
                return Err(YamlError::new(line, "tags (!…) are not read here: leave it out"));
            }
            Event::Scalar(text, ScalarStyle::Plain, ..) => Value::Plain(text.into_owned()),
            Event::Scalar(text, ..) => Value::Text(text.into_owned()),
            Event::SequenceStart(..) => Value::List(self.list(span, depth)?),
            Event::MappingStart(..) => Value::Map(self.map(span, depth)?),
            Event::Alias(_) => return Err(YamlError::new(line, "aliases (*name) are not read here: write it out")),
            _ => return Err(YamlError::new(line, "a value is missing")),
        };
        Ok(Node { line, value })
    }

    fn list(&mut self, start: Span, depth: usize) -> Result<Vec<Node>, YamlError> {
        let mut items = Vec::new();
        loop {
            match self.some(start)? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, start: Span, depth: usize) -> Result<Vec<(Node, Node)>, YamlError> {
        let mut entries = Vec::new();
        let mut seen = std::collections::HashSet::new();
        loop {
            let (event, span) = self.some(start)?;
            if matches!(event, Event::MappingEnd) {
                return Ok(entries);
            }
            let key = self.node(event, span, depth + 1)?;
            let (Value::Plain(name) | Value::Text(name)) = &key.value else {
                return Err(YamlError::new(key.line, "a key is a text"));
            };
            if name == "<<" {
                return Err(YamlError::new(key.line, "merges (<<) are not read here: write it out"));
            }
            if !seen.insert(name.clone()) {
                return Err(YamlError::new(key.line, format!("`{name}` stands here twice")));
            }
            let (event, span) = self.some(span)?;
            let value = self.node(event, span, depth + 1)?;
            entries.push((key, value));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn problem(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn documents_know_their_lines_and_json_is_yaml() {
        let read = parse("# c\n---\na: 1\nb:\n- x\n- \"y\"\n---\n---\n{\n\t\"c\": [true]\n}\n").unwrap();
        assert_eq!(read.len(), 2);
        let Value::Map(first) = &read[0].value else { panic!("{read:?}") };
        assert_eq!((first[1].0.line, &first[0].1.value), (4, &Value::Plain("1".into())));
        assert_eq!(read[1].line, 9);
    }

    #[test]
    fn what_could_grow_or_hide_is_refused() {
        assert_eq!(problem("a: &x 1\nb: *x\n"), "line 2: aliases (*name) are not read here: write it out");
        assert_eq!(problem("a: 1\na: 2\n"), "line 2: `a` stands here twice");
        assert_eq!(problem("<<: {a: 1}\n"), "line 1: merges (<<) are not read here: write it out");
        assert_eq!(problem("a: !!binary x\n"), "line 1: tags (!…) are not read here: leave it out");
        assert_eq!(problem("? [a]\n: b\n"), "line 1: a key is a text");
        assert!(problem("a: [").contains("this is not YAML"), "{}", problem("a: ["));
    }

    #[test]
    fn everything_is_bounded() {
        for deep in ["[", "{a: ", "- ", "? "] {
            let text = deep.repeat(MAX_BYTES / deep.len());
            assert!(parse(&text).is_err(), "{deep}");
        }
        assert!(problem(&format!("[{}]", "a,".repeat(MAX_NODES + 1))).contains("values in one file"));
        assert!(problem(&"x".repeat(MAX_BYTES + 1)).contains("larger than"));
        assert!(problem(&"--- a\n".repeat(MAX_DOCUMENTS + 1)).contains("documents in one file"));
        let laughs = (1..30).fold("a0: &a0 [x]\n".to_owned(), |mut text, i| {
            let before = i - 1;
            let _ = writeln!(text, "a{i}: &a{i} [*a{before}, *a{before}]");
            text
        });
        assert!(problem(&laughs).contains("aliases"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[-a-c:?{}\\[\\],&*!|>'\"%@#\\\\ \\t\\n\\x00-\\x7f]{0,300}") {
            drop(parse(&text));
        }
    }
}
