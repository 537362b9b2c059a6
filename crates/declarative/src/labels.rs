//! Labels: which things belong together. They alone say what may be pruned.

use std::collections::{BTreeMap, BTreeSet};

use api::{LabelQuery, Labelled, UpdateLabels, Whoami};
use client::LabelOwner;

use crate::document::Document;
use crate::error::Trouble;
use crate::noun::{Here, Kind};
use crate::nouns::{self, KINDS};
use crate::step::{Change, Key, Step, call};

/// The labels of everything in the account.
#[derive(Default)]
pub(crate) struct Labels(BTreeMap<Key, BTreeMap<String, String>>);

impl Labels {
    /// All of them, or those of one key.
    pub(crate) async fn read(here: &Here<'_>, key: Option<&str>) -> Result<Self, Trouble> {
        let query = LabelQuery { key: key.map(str::to_owned), ..LabelQuery::default() };
        let mut labels = Self::default();
        for labelled in here.client.labels().list(&query).await? {
            let key = key_of(&labelled)?;
            labels.0.entry(key).or_default().insert(labelled.key, labelled.value);
        }
        Ok(labels)
    }

    /// Those of one thing.
    pub(crate) fn of(&self, key: &Key) -> BTreeMap<String, String> {
        self.0.get(key).cloned().unwrap_or_default()
    }
}

fn key_of(labelled: &Labelled) -> Result<Key, Trouble> {
    let kind = KINDS.iter().find(|kind| kind.label == Some(&*labelled.kind));
    let newer = || Trouble::Unsafe(format!("the server labels a `{}`, which this program does not know: use a newer one", labelled.kind));
    Ok(Key { kind: kind.ok_or_else(newer)?.name, instance: labelled.instance.clone(), name: labelled.name.clone() })
}

/// The label that says which things one set of documents owns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Set {
    pub(crate) key: String,
    pub(crate) value: String,
}

impl Set {
    pub(crate) fn parse(text: &str) -> Result<Self, Trouble> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() && !value.is_empty() => Ok(Self { key: key.to_owned(), value: value.to_owned() }),
            _ => Err(Trouble::Unsafe(format!("`{text}` is no label: write it as KEY=VALUE"))),
        }
    }
}

/// Labels a thing as its document and the set say. What another set owns stays that set's.
pub(crate) fn plan(document: &Document, set: Option<&Set>, labels: &Labels) -> Result<Option<Step>, Trouble> {
    let (item, kind) = (&document.item, document.item.kind());
    let Some(owner) = (kind.owner)(item.key()) else { return Ok(None) };
    let (mut wanted, there) = (item.labels().clone(), labels.of(item.key()));
    if let Some(set) = set {
        let said = wanted.insert(set.key.clone(), set.value.clone());
        if said.is_some_and(|said| said != set.value) {
            return Err(document.place.problem(&format!("metadata.labels.{}", set.key), format!("--prune says {}", set.value)));
        }
        if let Some(other) = there.get(&set.key).filter(|value| **value != set.value) {
            let problem = format!("{} belongs to {}={other}; to move it, delete that label first", item.key(), set.key);
            return Err(document.place.problem("", problem));
        }
    }
    let missing: BTreeMap<_, _> = wanted.into_iter().filter(|(key, value)| there.get(key) != Some(value)).collect();
    if missing.is_empty() {
        return Ok(None);
    }
    let change = |(key, value): (&String, &String)| Change::new(&format!("labels.{key}"), there.get(key).cloned(), value.clone());
    let changes = missing.iter().map(change).collect();
    let update = UpdateLabels { labels: missing.into_iter().map(|(key, value)| (key, Some(value))).collect() };
    Ok(Some(Step::label(item.key(), changes, set_labels(owner, update))))
}

fn set_labels(owner: LabelOwner, update: UpdateLabels) -> crate::step::Call {
    call!(client => client.labels().update(&owner, &update))
}

/// Deletes what carries the set's label and is in none of the documents, never whoever asks.
pub(crate) async fn prune(here: &Here<'_>, set: &Set, wanted: &BTreeSet<Key>) -> Result<Vec<Step>, Trouble> {
    let query = LabelQuery { key: Some(set.key.clone()), value: Some(set.value.clone()), ..LabelQuery::default() };
    let me = here.client.whoami().await?;
    let mut steps = Vec::new();
    for labelled in here.client.labels().list(&query).await? {
        // Whatever the server answers: nothing without this very label goes.
        if (&labelled.key, &labelled.value) != (&set.key, &set.value) {
            continue;
        }
        let key = key_of(&labelled)?;
        if wanted.contains(&key) {
            continue;
        }
        if is_me(&labelled, &me) {
            return Err(Trouble::Unsafe(format!("{key} is you, and would be deleted: put it into the documents, or take its label away")));
        }
        let kind: Option<&Kind> = nouns::kind(key.kind);
        if let Some(call) = kind.and_then(|kind| (kind.delete)(&key)) {
            steps.push(Step::delete(key, call));
        }
    }
    Ok(steps)
}

fn is_me(labelled: &Labelled, me: &Whoami) -> bool {
    labelled.id == me.user_id || me.kind == "root" && labelled.name == me.name
}
