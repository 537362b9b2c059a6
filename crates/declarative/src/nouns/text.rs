//! Policy documents in a document: written out, as a text, or in a file of their own.

use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, OneOfBuilder, Schema, Type};

use crate::Trouble;
use crate::files::read_file;

/// A policy document. Two are the same when they are the same JSON.
#[derive(Clone, Debug)]
pub(crate) enum PolicyText {
    /// Written out, as YAML or JSON.
    Written(Map<String, Value>),
    /// Its text.
    Text(String),
    /// In this file.
    File(String),
}

impl PolicyText {
    /// As the server says it.
    pub(crate) fn of(text: String) -> Self {
        match serde_json::from_str(&text) {
            Ok(Value::Object(written)) => Self::Written(written),
            _ => Self::Text(text),
        }
    }

    /// Reads the file; `base` is what it is relative to.
    pub(crate) fn resolve(&mut self, base: &Path) -> Result<(), Trouble> {
        if let Self::File(path) = self {
            *self = Self::Text(read_file(&base.join(&*path))?);
        }
        Ok(())
    }

    /// As the server wants it.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Written(written) => serde_json::to_string_pretty(written).unwrap_or_default(),
            Self::Text(text) | Self::File(text) => text.clone(),
        }
    }
}

impl Serialize for PolicyText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Written(written) => written.serialize(serializer),
            Self::Text(text) | Self::File(text) => match serde_json::from_str(text) {
                Ok(Value::Object(written)) => written.serialize(serializer),
                _ => text.serialize(serializer),
            },
        }
    }
}

impl<'de> Deserialize<'de> for PolicyText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self::Text(text)),
            Value::Object(written) => match (written.len(), written.get("file")) {
                (1, Some(Value::String(path))) => Ok(Self::File(path.clone())),
                _ => Ok(Self::Written(written)),
            },
            _ => Err(serde::de::Error::custom("this has to be a policy document, its text, or {file: PATH}")),
        }
    }
}

/// The three forms, for the JSON Schema.
pub(crate) fn schema() -> Schema {
    let file = ObjectBuilder::new().property("file", ObjectBuilder::new().schema_type(Type::String)).required("file");
    let forms = OneOfBuilder::new()
        .item(ObjectBuilder::new().schema_type(Type::String).description(Some("The document's text.")))
        .item(
            file.description(Some("A file with the document, relative to this one."))
                .additional_properties(Some(AdditionalProperties::FreeForm(false))),
        )
        .item(ObjectBuilder::new().schema_type(Type::Object).required("Statement").description(Some("The document, written out.")))
        .description(Some("A policy document in RAM's language: written out, as a text, or in a file of its own."));
    Schema::OneOf(forms.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_make_no_difference() {
        let (a, b) = (
            PolicyText::of("{\"Version\": \"1\",\n \"Statement\": []}".into()),
            PolicyText::Text("{\"Statement\":[],\"Version\":\"1\"}".into()),
        );
        assert_eq!(serde_json::to_value(a).unwrap(), serde_json::to_value(b).unwrap());
        assert_eq!(serde_json::to_value(PolicyText::of("no json".into())).unwrap(), "no json");
    }
}
