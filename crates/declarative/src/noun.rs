//! What a noun has to say to be applied and exported; the same for all of them, behind one table.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;

use client::{ClientError, Tidegate};
use model::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use crate::document::{Metadata, Wrong};
use crate::error::Trouble;
use crate::node;
use crate::schema::SpecSchema;
use crate::step::{Call, Key, Step};
use crate::yaml::Node;

/// As whom, with what, when.
pub(crate) struct Here<'a> {
    pub(crate) client: &'a Tidegate,
    pub(crate) environment: &'a BTreeMap<String, String>,
    pub(crate) now: Timestamp,
    /// Set passwords that are there already.
    pub(crate) set_passwords: bool,
    /// Answer secrets that no file is named for.
    pub(crate) show_secrets: bool,
}

/// A noun.
pub(crate) trait Noun: Sized + 'static {
    /// `User`.
    const KIND: &'static str;
    /// Is it in an instance?
    const IN_INSTANCE: bool = false;
    /// How labels speak of it; none: it carries no labels, so that it is never pruned.
    const LABEL: Option<&'static str>;
    /// Its `spec`. What is left out stays as it is.
    type Spec: DeserializeOwned + Serialize + ToSchema;

    /// Reads the files that the document names; `base` is what they are relative to.
    fn resolve(_spec: &mut Self::Spec, _base: &Path) -> Result<(), Trouble> {
        Ok(())
    }

    /// The names of all of them, in an instance where they are in one.
    async fn list(here: &Here<'_>, instance: &str) -> Result<Vec<String>, ClientError>;

    /// What is there, as far as `wanted` speaks of it; all of it for none.
    async fn read(here: &Here<'_>, key: &Key, wanted: Option<&Self::Spec>) -> Result<Option<Self::Spec>, ClientError>;

    /// What is to be done so that what is there becomes what is wanted. The error is the field that cannot be changed, and why.
    fn plan(here: &Here<'_>, key: &Key, wanted: &Self::Spec, there: Option<Self::Spec>) -> Result<Vec<Step>, Trouble>;

    /// Deletes it.
    fn delete(key: &Key) -> Option<Call>;

    /// The labels that it is known by at the client.
    fn owner(_key: &Key) -> Option<client::LabelOwner> {
        None
    }
}

/// A future that stays on its thread.
pub(crate) type Local<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A wanted thing of any noun.
pub(crate) trait Item {
    fn key(&self) -> &Key;
    fn key_mut(&mut self) -> &mut Key;
    fn labels(&self) -> &BTreeMap<String, String>;
    fn kind(&self) -> &'static Kind;
    fn plan<'a>(&'a self, here: &'a Here<'_>) -> Local<'a, Result<Vec<Step>, Trouble>>;
}

/// Reads a document's `spec`; the path is what its files are relative to.
type Read = fn(Metadata, &Node, &Path) -> Result<Box<dyn Item>, Wrong>;
/// The names in an instance.
type List = for<'a> fn(&'a Here<'a>, &'a str) -> Local<'a, Result<Vec<String>, ClientError>>;
/// A `spec` as it is there.
type Export = for<'a> fn(&'a Here<'a>, &'a Key) -> Local<'a, Result<Option<serde_json::Value>, ClientError>>;

/// A line of the table of nouns.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) in_instance: bool,
    pub(crate) labelled: bool,
    pub(crate) label: Option<&'static str>,
    pub(crate) read: Read,
    pub(crate) list: List,
    pub(crate) export: Export,
    pub(crate) delete: fn(&Key) -> Option<Call>,
    pub(crate) owner: fn(&Key) -> Option<client::LabelOwner>,
    pub(crate) schema: fn() -> SpecSchema,
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// The table's line of a noun.
pub(crate) const fn kind<N: Noun>() -> Kind {
    Kind {
        name: N::KIND,
        in_instance: N::IN_INSTANCE,
        labelled: N::LABEL.is_some(),
        label: N::LABEL,
        read: |metadata, spec, base| {
            let mut spec: N::Spec = node::read(spec, "spec")?;
            N::resolve(&mut spec, base).map_err(Wrong::Elsewhere)?;
            let key = Key { kind: N::KIND, instance: metadata.instance, name: metadata.name };
            Ok(Box::new(Wanted::<N> { key, labels: metadata.labels, spec }))
        },
        list: |here, instance| Box::pin(N::list(here, instance)),
        export: |here, key| {
            Box::pin(async move {
                let spec = N::read(here, key, None).await?;
                Ok(spec.and_then(|spec| serde_json::to_value(spec).ok()))
            })
        },
        delete: N::delete,
        owner: N::owner,
        schema: SpecSchema::of::<N::Spec>,
    }
}

struct Wanted<N: Noun> {
    key: Key,
    labels: BTreeMap<String, String>,
    spec: N::Spec,
}

impl<N: Noun> Item for Wanted<N> {
    fn key(&self) -> &Key {
        &self.key
    }

    fn key_mut(&mut self) -> &mut Key {
        &mut self.key
    }

    fn labels(&self) -> &BTreeMap<String, String> {
        &self.labels
    }

    fn kind(&self) -> &'static Kind {
        const { &kind::<N>() }
    }

    fn plan<'a>(&'a self, here: &'a Here<'_>) -> Local<'a, Result<Vec<Step>, Trouble>> {
        Box::pin(async move {
            let there = N::read(here, &self.key, Some(&self.spec)).await?;
            N::plan(here, &self.key, &self.spec, there)
        })
    }
}
