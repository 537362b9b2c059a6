//! Reading a [`Node`] into a type: errors name the line and the field.

use serde::de::{self, DeserializeOwned, DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::yaml::{Node, Value};

/// Why a node is not what it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct NodeError {
    /// The line, once known.
    pub(crate) line: Option<usize>,
    /// The field, outermost part first: `spec.policies[2]`.
    pub(crate) field: String,
    /// What is wrong with it.
    pub(crate) problem: String,
}

impl NodeError {
    pub(crate) fn new(line: usize, field: &str, problem: impl Into<String>) -> Self {
        Self { line: Some(line), field: field.to_owned(), problem: problem.into() }
    }

    /// The same, seen from one step further out.
    fn within(mut self, line: usize, step: &str) -> Self {
        self.line = self.line.or(Some(line));
        let dot = if self.field.is_empty() || self.field.starts_with('[') { "" } else { "." };
        self.field = format!("{step}{dot}{}", self.field);
        self
    }
}

impl std::fmt::Display for NodeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let field = if self.field.is_empty() { "" } else { ": " };
        write!(f, "{}{field}{}", self.field, self.problem)
    }
}

impl std::error::Error for NodeError {}

impl de::Error for NodeError {
    fn custom<T: std::fmt::Display>(problem: T) -> Self {
        Self { line: None, field: String::new(), problem: problem.to_string() }
    }
}

/// Reads a value that stands in `field`.
pub(crate) fn read<T: DeserializeOwned>(node: &Node, field: &str) -> Result<T, NodeError> {
    T::deserialize(node).map_err(|e| e.within(node.line, field))
}

impl Node {
    fn is_null(&self) -> bool {
        matches!(&self.value, Value::Plain(text) if matches!(&**text, "" | "~" | "null"))
    }

    fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Plain(text) if !self.is_null() => Some(text),
            _ => None,
        }
    }

    fn wrong(&self, wanted: &str) -> NodeError {
        let found = match &self.value {
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            _ if self.is_null() => "nothing",
            _ => "a text",
        };
        NodeError { line: Some(self.line), field: String::new(), problem: format!("this is {found}; it has to be {wanted}") }
    }

    fn number<'de, V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, NodeError> {
        let text = self.text().ok_or_else(|| self.wrong("a number"))?;
        match (text.parse::<i64>(), text.parse::<u64>()) {
            (Ok(number), _) => visitor.visit_i64(number),
            (_, Ok(number)) => visitor.visit_u64(number),
            _ => Err(self.wrong("a whole number")),
        }
    }
}

/// What a plain text means by itself (YAML 1.2.2, section 10.3.2), decimal numbers alone.
fn visit_plain<'de, V: Visitor<'de>>(text: &str, visitor: V) -> Result<V::Value, NodeError> {
    let numeric = text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+' || c == '.');
    match text {
        "" | "~" | "null" => visitor.visit_unit(),
        "true" => visitor.visit_bool(true),
        "false" => visitor.visit_bool(false),
        _ if numeric => match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(number), _) => visitor.visit_i64(number),
            (_, Ok(number)) if number.is_finite() => visitor.visit_f64(number),
            _ => visitor.visit_str(text),
        },
        _ => visitor.visit_str(text),
    }
}

impl<'de> de::Deserializer<'de> for &'de Node {
    type Error = NodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeError> {
        match &self.value {
            Value::Plain(text) => visit_plain(text, visitor),
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::List(items) => visitor.visit_seq(Items { items: items.iter().enumerate() }),
            Value::Map(entries) => visitor.visit_map(Entries { entries: entries.iter(), value: None }),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeError> {
        match &self.value {
            Value::Plain(text) if text == "true" => visitor.visit_bool(true),
            Value::Plain(text) if text == "false" => visitor.visit_bool(false),
            _ => Err(self.wrong("true or false")),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeError> {
        self.number(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeError> {
        self.number(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeError> {
        visitor.visit_borrowed_str(self.text().ok_or_else(|| self.wrong("a text"))?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeError> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, NodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeError> {
        if matches!(self.value, Value::List(_)) { self.deserialize_any(visitor) } else { Err(self.wrong("a list")) }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NodeError> {
        if matches!(self.value, Value::Map(_)) { self.deserialize_any(visitor) } else { Err(self.wrong("a map")) }
    }

    fn deserialize_struct<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, NodeError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, NodeError> {
        match &self.value {
            Value::Map(entries) => match entries.as_slice() {
                [(key, value)] => visitor.visit_enum(Variant { key, value: Some(value) }),
                _ => Err(self.wrong("a map with one key")),
            },
            _ => visitor.visit_enum(Variant { key: self, value: None }),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct ignored_any
    }
}

struct Items<'de> {
    items: std::iter::Enumerate<std::slice::Iter<'de, Node>>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = NodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, NodeError> {
        let Some((index, node)) = self.items.next() else { return Ok(None) };
        seed.deserialize(node).map(Some).map_err(|e| e.within(node.line, &format!("[{index}]")))
    }
}

struct Entries<'de> {
    entries: std::slice::Iter<'de, (Node, Node)>,
    value: Option<(&'de Node, &'de Node)>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = NodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, NodeError> {
        let Some((key, value)) = self.entries.next() else { return Ok(None) };
        self.value = Some((key, value));
        seed.deserialize(key).map(Some).map_err(|e| e.within(key.line, key.text().unwrap_or_default()))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, NodeError> {
        let (key, value) = self.value.take().ok_or_else(|| de::Error::custom("a value without a key"))?;
        seed.deserialize(value).map_err(|e| e.within(key.line, key.text().unwrap_or_default()))
    }
}

struct Variant<'de> {
    key: &'de Node,
    value: Option<&'de Node>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = NodeError;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), NodeError> {
        let name = seed.deserialize(self.key).map_err(|e| e.within(self.key.line, ""))?;
        Ok((name, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = NodeError;

    fn unit_variant(self) -> Result<(), NodeError> {
        self.value.map_or(Ok(()), |value| Err(value.wrong("a word alone")))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, NodeError> {
        let value = self.value.ok_or_else(|| self.key.wrong("a map with one key"))?;
        seed.deserialize(value).map_err(|e| e.within(value.line, self.key.text().unwrap_or_default()))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, NodeError> {
        Err(self.key.wrong("a word"))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, NodeError> {
        de::Deserializer::deserialize_map(self.value.unwrap_or(self.key), visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize, PartialEq, Debug)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct Shape {
        some_text: Option<String>,
        yes: Option<bool>,
        number: Option<i64>,
        list: Option<Vec<Inner>>,
    }

    #[derive(Deserialize, PartialEq, Debug)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        word: Word,
    }

    #[derive(Deserialize, PartialEq, Debug)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        SignIn,
        File(String),
    }

    fn shape(text: &str) -> Result<Shape, String> {
        read(&crate::yaml::parse(text).unwrap()[0], "spec").map_err(|e: NodeError| format!("{}: {e}", e.line.unwrap()))
    }

    #[test]
    fn the_type_says_what_a_plain_text_means() {
        let read = shape("someText: 007\nyes: true\nnumber: 12\nlist: [{word: sign_in}, {word: {file: no}}]\n").unwrap();
        let list = vec![Inner { word: Word::SignIn }, Inner { word: Word::File("no".into()) }];
        assert_eq!(read, Shape { some_text: Some("007".into()), yes: Some(true), number: Some(12), list: Some(list) });
        assert_eq!(shape("someText: null\nyes: ~\n").unwrap().some_text, None);
    }

    #[test]
    fn errors_name_line_and_field() {
        assert!(
            shape("yes: true\nother: 1\n").unwrap_err().starts_with("2: spec.other: unknown field `other`, expected one of `someText`")
        );
        assert_eq!(shape("yes: no\n").unwrap_err(), "1: spec.yes: this is a text; it has to be true or false");
        assert_eq!(
            shape("yes: true\nlist:\n- word: sign_in\n- wordy: 1\n").unwrap_err(),
            "4: spec.list[1].wordy: unknown field `wordy`, expected `word`"
        );
        assert_eq!(shape("list: {}\n").unwrap_err(), "1: spec.list: this is a map; it has to be a list");
        assert_eq!(shape("number: 1.5\n").unwrap_err(), "1: spec.number: this is a text; it has to be a whole number");
        assert!(shape("list: [{word: other}]\n").unwrap_err().contains("spec.list[0].word"));
    }

    #[test]
    fn anything_becomes_json() {
        let text = "a: [1, 1.5, \"1\", true, null, x, -3, +x]\n";
        let value: serde_json::Value = read(&crate::yaml::parse(text).unwrap()[0], "").unwrap();
        assert_eq!(value, serde_json::json!({"a": [1, 1.5, "1", true, null, "x", -3, "+x"]}));
    }
}
