//! The JSON Schema (2020-12) of documents, from the types that read them.

use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::document::{API_VERSION, Metadata};
use crate::nouns::KINDS;

/// A `spec`'s schema, and those of what is in it.
pub(crate) struct SpecSchema {
    name: String,
    all: Vec<(String, RefOr<Schema>)>,
}

impl SpecSchema {
    pub(crate) fn of<T: ToSchema>() -> Self {
        let mut all = vec![(T::name().into_owned(), T::schema())];
        T::schemas(&mut all);
        Self { name: T::name().into_owned(), all }
    }
}

/// The schema as it is checked in at `docs/apply.schema.json`.
pub fn schema() -> String {
    let mut definitions = Map::new();
    define(&mut definitions, "Metadata", &Metadata::schema());
    let kinds: Vec<Value> = KINDS
        .iter()
        .map(|kind| {
            let spec = (kind.schema)();
            spec.all.iter().for_each(|(name, schema)| define(&mut definitions, name, schema));
            json!({
                "title": kind.name,
                "properties": {"kind": {"const": kind.name}, "spec": {"$ref": format!("#/$defs/{}", spec.name)}},
            })
        })
        .collect();
    let document = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://tidegate.dev/apply.schema.json",
        "title": "A document of `tidegate apply`",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata"],
        "additionalProperties": false,
        "properties": {
            "apiVersion": {"const": API_VERSION},
            "kind": {"enum": KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>()},
            "metadata": {"$ref": "#/$defs/Metadata"},
            "spec": {"type": "object"},
        },
        "oneOf": kinds,
        "$defs": definitions,
    });
    serde_json::to_string_pretty(&document).map(|text| text + "\n").unwrap_or_default()
}

fn define(all: &mut Map<String, Value>, name: &str, schema: &RefOr<Schema>) {
    let text = serde_json::to_string(schema).unwrap_or_default().replace("#/components/schemas/", "#/$defs/");
    all.insert(name.to_owned(), serde_json::from_str(&text).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_that_is_checked_in_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/apply.schema.json");
        let checked_in = std::fs::read_to_string(path).unwrap_or_default();
        assert!(checked_in == schema(), "docs/apply.schema.json is stale: `tidegate generate apply-schema > docs/apply.schema.json`");
    }

    #[test]
    fn every_reference_leads_somewhere_and_unknown_fields_are_errors() {
        let schema: Value = serde_json::from_str(&schema()).unwrap();
        let text = schema.to_string();
        for part in text.split("#/$defs/").skip(1) {
            let name = part.split('"').next().unwrap();
            assert!(schema["$defs"].get(name).is_some(), "{name}");
        }
        for kind in KINDS {
            let spec = &schema["$defs"][(kind.schema)().name];
            assert_eq!(spec["additionalProperties"], false, "{}: {spec}", kind.name);
        }
    }
}
