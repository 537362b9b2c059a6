//! What is to be done: one call each, with what it changes.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use client::Tidegate;
use serde::Serialize;
use serde_json::Value;

use crate::Trouble;

/// What a document is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Debug)]
pub struct Key {
    /// `User`, `Namespace` …
    pub kind: &'static str,
    /// The instance it is in, for what is in one.
    pub instance: Option<String>,
    /// Its name.
    pub name: String,
}

impl Key {
    /// The instance it is in, as the client is told.
    pub(crate) fn at(&self) -> &str {
        self.instance.as_deref().unwrap_or(client::HERE)
    }
}

/// `user alice`, `namespace local/demo`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, letter) in self.kind.char_indices() {
            let gap = if i > 0 && letter.is_uppercase() { " " } else { "" };
            write!(f, "{gap}{}", letter.to_lowercase())?;
        }
        match &self.instance {
            Some(instance) => write!(f, " {instance}/{}", self.name),
            None => write!(f, " {}", self.name),
        }
    }
}

/// What is done to it.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// It is made.
    Create,
    /// It is changed.
    Update,
    /// It is deleted.
    Delete,
}

/// One field's change. Something added to a list has no `from`, something taken off it no `to`.
#[derive(Clone, PartialEq, Serialize, Debug)]
pub struct Change {
    /// The field of `spec`, or of `metadata`.
    pub field: String,
    /// What is there.
    pub from: Value,
    /// What is to be there.
    pub to: Value,
}

impl Change {
    pub(crate) fn new(field: &str, from: impl Into<Value>, to: impl Into<Value>) -> Self {
        Self { field: field.to_owned(), from: from.into(), to: to.into() }
    }

    pub(crate) fn add(field: &str, item: &str) -> Self {
        Self::new(field, Value::Null, item)
    }

    pub(crate) fn remove(field: &str, item: &str) -> Self {
        Self::new(field, item, Value::Null)
    }
}

/// First all things, then what ties them together, then what goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Stage {
    Thing,
    Label,
    Tie,
    Gone,
}

/// A running call. It may answer a secret that was asked to be shown.
pub(crate) type Running<'c> = Pin<Box<dyn Future<Output = Result<Option<api::Secret>, Trouble>> + 'c>>;

/// A call that is still to be made.
pub(crate) type Call = Box<dyn for<'c> FnOnce(&'c Tidegate) -> Running<'c>>;

/// `call!(client => client.users().delete(&name))`: a call whose answer does not matter.
macro_rules! call {
    ($client:ident => $call:expr) => {
        Box::new(move |$client: &client::Tidegate| {
            Box::pin(async move {
                $call.await?;
                Ok(None)
            })
        })
    };
}
pub(crate) use call;

/// One call, and what it changes.
pub(crate) struct Step {
    pub(crate) verb: Verb,
    pub(crate) stage: Stage,
    pub(crate) key: Key,
    pub(crate) changes: Vec<Change>,
    pub(crate) call: Call,
}

impl Step {
    pub(crate) fn create(key: &Key, changes: Vec<Change>, call: Call) -> Self {
        Self { verb: Verb::Create, stage: Stage::Thing, key: key.clone(), changes, call }
    }

    pub(crate) fn update(key: &Key, changes: Vec<Change>, call: Call) -> Self {
        Self { verb: Verb::Update, stage: Stage::Thing, key: key.clone(), changes, call }
    }

    pub(crate) fn tie(key: &Key, change: Change, call: Call) -> Self {
        Self { verb: Verb::Update, stage: Stage::Tie, key: key.clone(), changes: vec![change], call }
    }

    pub(crate) fn label(key: &Key, changes: Vec<Change>, call: Call) -> Self {
        Self { verb: Verb::Update, stage: Stage::Label, key: key.clone(), changes, call }
    }

    pub(crate) fn delete(key: Key, call: Call) -> Self {
        Self { verb: Verb::Delete, stage: Stage::Gone, key, changes: Vec::new(), call }
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Step({:?} {} {:?})", self.verb, self.key, self.changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_like_words() {
        let key = |kind, instance: Option<&str>| Key { kind, instance: instance.map(str::to_owned), name: "x".into() };
        assert_eq!(key("ServiceAccount", None).to_string(), "service account x");
        assert_eq!(key("Namespace", Some("local")).to_string(), "namespace local/x");
        assert_eq!(key("OidcProvider", None).to_string(), "oidc provider x");
    }
}
