//! The outer form of a document: `apiVersion`, `kind`, `metadata`, `spec`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::{Problem, Trouble};
use crate::files::Source;
use crate::node::{self, NodeError};
use crate::noun::{Item, Kind};
use crate::nouns;
use crate::yaml::{self, Node, Value};

/// What every document begins with.
pub(crate) const API_VERSION: &str = "tidegate/v1";
/// The most documents that are applied together.
const MAX_DOCUMENTS: usize = 20_000;

/// Which thing a document is about.
#[derive(Clone, Serialize, Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Metadata {
    /// Its name.
    pub(crate) name: String,
    /// The instance it is in, by name or id; the one that the server's host name chooses unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) instance: Option<String>,
    /// Labels that it is to carry; those that are not named here stay. `apply --prune KEY=VALUE` puts that label on everything.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) labels: BTreeMap<String, String>,
}

/// A document that has been read, and where it stood.
pub(crate) struct Document {
    pub(crate) item: Box<dyn Item>,
    pub(crate) place: Place,
}

/// Where a document stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) document: usize,
    pub(crate) line: usize,
}

impl Place {
    pub(crate) fn problem(&self, field: &str, problem: impl Into<String>) -> Trouble {
        let (file, line, document) = (self.file.clone(), self.line, Some(self.document));
        Trouble::Document(Box::new(Problem { file, line, document, field: field.to_owned(), problem: problem.into() }))
    }

    fn at(&self, error: NodeError) -> Trouble {
        Self { line: error.line.unwrap_or(self.line), ..self.clone() }.problem(&error.field, error.problem)
    }
}

/// Reads all documents; each thing is spoken of once.
pub(crate) fn read_all(sources: &[Source]) -> Result<Vec<Document>, Trouble> {
    let mut documents = Vec::new();
    for source in sources {
        let nodes = yaml::parse(&source.text).map_err(|e| {
            let (file, line, problem) = (source.name.clone(), e.line, e.problem.into_owned());
            Trouble::Document(Box::new(Problem { file, line, document: None, field: String::new(), problem }))
        })?;
        for (index, node) in nodes.iter().enumerate() {
            let place = Place { file: source.name.clone(), document: index + 1, line: node.line };
            match &node.value {
                Value::List(items) => {
                    for item in items {
                        documents.push(read_one(item, &source.base, Place { line: item.line, ..place.clone() })?);
                    }
                }
                _ => documents.push(read_one(node, &source.base, place)?),
            }
        }
    }
    match documents.get(MAX_DOCUMENTS) {
        Some(document) => Err(document.place.problem("", format!("more than {MAX_DOCUMENTS} documents"))),
        None => Ok(documents),
    }
}

fn read_one(node: &Node, base: &Path, place: Place) -> Result<Document, Trouble> {
    let item = item(node, base).map_err(|e| match e {
        Wrong::Node(error) => place.at(error),
        Wrong::Elsewhere(trouble) => trouble,
    })?;
    Ok(Document { item, place })
}

/// What is wrong with a document, or with a file that it names.
pub(crate) enum Wrong {
    Node(NodeError),
    Elsewhere(Trouble),
}

impl From<NodeError> for Wrong {
    fn from(error: NodeError) -> Self {
        Self::Node(error)
    }
}

/// The parts of a document that are there.
#[derive(Default)]
struct Parts<'n> {
    version: Option<String>,
    kind: Option<(&'static Kind, usize)>,
    metadata: Option<Metadata>,
    spec: Option<&'n Node>,
}

fn item(node: &Node, base: &Path) -> Result<Box<dyn Item>, Wrong> {
    let Value::Map(entries) = &node.value else {
        return Err(NodeError::new(node.line, "", "a document is a map with apiVersion, kind, metadata and spec").into());
    };
    let mut parts = Parts::default();
    for (key, value) in entries {
        part(&mut parts, key, value)?;
    }
    let missing = |field: &str| NodeError::new(node.line, field, "it is missing");
    parts.version.ok_or_else(|| missing("apiVersion"))?;
    let (kind, line) = parts.kind.ok_or_else(|| missing("kind"))?;
    let metadata = parts.metadata.ok_or_else(|| missing("metadata"))?;
    if metadata.instance.is_some() && !kind.in_instance {
        return Err(NodeError::new(line, "metadata.instance", format!("a {} is in no instance", kind.name)).into());
    }
    if !metadata.labels.is_empty() && !kind.labelled {
        return Err(NodeError::new(line, "metadata.labels", format!("a {} carries no labels", kind.name)).into());
    }
    let empty = Node { line, value: Value::Map(Vec::new()) };
    (kind.read)(metadata, parts.spec.unwrap_or(&empty), base)
}

fn part<'n>(parts: &mut Parts<'n>, key: &Node, value: &'n Node) -> Result<(), NodeError> {
    let name: String = node::read(key, "")?;
    match &*name {
        "apiVersion" => {
            let version: String = node::read(value, "apiVersion")?;
            if version != API_VERSION {
                return Err(NodeError::new(value.line, "apiVersion", format!("this program reads {API_VERSION}")));
            }
            parts.version = Some(version);
        }
        "kind" => {
            let kind: String = node::read(value, "kind")?;
            let unknown = || NodeError::new(value.line, "kind", format!("there is no kind `{kind}`: it is one of {}", nouns::names()));
            parts.kind = Some((nouns::kind(&kind).ok_or_else(unknown)?, value.line));
        }
        "metadata" => parts.metadata = Some(node::read(value, "metadata")?),
        "spec" => parts.spec = Some(value),
        _ => return Err(NodeError::new(key.line, &name, format!("unknown field `{name}`, expected apiVersion, kind, metadata or spec"))),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        let source = Source { name: "x.yaml".into(), base: "".into(), text: text.into() };
        let read = read_all(&[source]).map_err(|e| e.to_string())?;
        Ok(read.iter().map(|d| d.item.key().to_string()).collect())
    }

    #[test]
    fn several_documents_and_lists_of_them() {
        let text = "apiVersion: tidegate/v1\nkind: User\nmetadata: {name: alice}\n---\n[{\"apiVersion\": \"tidegate/v1\", \"kind\": \"Namespace\", \
                    \"metadata\": {\"name\": \"demo\", \"instance\": \"local\"}, \"spec\": {\"public\": true}}]\n";
        assert_eq!(read(text).unwrap(), ["user alice", "namespace local/demo"]);
    }

    #[test]
    fn the_guide_s_example_reads() {
        let guide = include_str!("../../../docs/declarative.md");
        let example = guide.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let kinds = nouns::KINDS.iter().filter(|kind| example.contains(&format!("kind: {}\n", kind.name))).count();
        assert_eq!((read(example).unwrap().len(), kinds), (nouns::KINDS.len(), nouns::KINDS.len()));
    }

    #[test]
    fn errors_name_file_line_document_and_field() {
        let user = "apiVersion: tidegate/v1\nkind: User\nmetadata: {name: a}\n---\n";
        let wrong = |rest: &str| read(&format!("{user}{rest}")).unwrap_err();
        assert_eq!(
            wrong("apiVersion: tidegate/v1\nkind: User\nmetadata:\n  name: b\nspec:\n  enabled: true\n  admin: true\n"),
            "x.yaml:11: document 2: spec.admin: unknown field `admin`, expected one of `enabled`, `policies`, `passwords`"
        );
        assert!(
            wrong("apiVersion: tidegate/v1\nkind: Usr\nmetadata: {name: b}\n")
                .starts_with("x.yaml:6: document 2: kind: there is no kind `Usr`")
        );
        assert_eq!(wrong("kind: User\nmetadata: {name: b}\n"), "x.yaml:5: document 2: apiVersion: it is missing");
        assert_eq!(wrong("apiVersion: v1\n"), "x.yaml:5: document 2: apiVersion: this program reads tidegate/v1");
        assert!(wrong("status: {}\n").contains("unknown field `status`"));
        assert!(wrong("apiVersion: tidegate/v1\nkind: User\nmetadata: {name: b, uid: 1}\n").contains("metadata.uid: unknown field"));
        assert!(
            wrong("apiVersion: tidegate/v1\nkind: User\nmetadata: {name: b, instance: x}\n").contains("metadata.instance: a User is in no")
        );
        assert!(wrong("just text\n").contains("a document is a map"));
        assert!(wrong("a: [\n").starts_with("x.yaml:"));
    }
}
