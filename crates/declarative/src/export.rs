//! What is there, as documents.

use std::collections::BTreeMap;

use client::Tidegate;
use model::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::document::{API_VERSION, Metadata};
use crate::error::Trouble;
use crate::labels::Labels;
use crate::noun::{Here, Kind};
use crate::nouns::KINDS;
use crate::print;
use crate::step::Key;

/// One thing, as a document.
#[derive(Clone, Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Exported {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata,
    spec: Value,
}

impl Exported {
    /// Documents as YAML.
    pub fn yaml(documents: &[Self]) -> String {
        documents.iter().fold(String::new(), |text, document| text + "---\n" + &print::yaml(document))
    }
}

/// The kinds that can be exported.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

/// Everything of these kinds (of all, when none is named) that the caller may see; no secrets. The order is that of making, then
/// by instance and name.
pub async fn export(client: &Tidegate, kinds: &[String]) -> Result<Vec<Exported>, Trouble> {
    let nothing = BTreeMap::new();
    let here = Here { client, environment: &nothing, now: Timestamp::default(), set_passwords: false, show_secrets: false };
    let chosen: Vec<&'static Kind> = KINDS.iter().filter(|kind| kinds.is_empty() || kinds.iter().any(|name| name == kind.name)).collect();
    let mut instances: Vec<String> = Vec::new();
    if chosen.iter().any(|kind| kind.in_instance) {
        instances = client.instances().list().await?.into_iter().map(|instance| instance.name).collect();
        instances.sort();
    }
    let labels = if chosen.iter().any(|kind| kind.labelled) { Labels::read(&here, None).await? } else { Labels::default() };
    let mut documents = Vec::new();
    for kind in chosen {
        for key in keys(&here, kind, &instances).await? {
            // What has gone meanwhile is not there.
            if let Some(spec) = (kind.export)(&here, &key).await? {
                let labels = labels.of(&key);
                let metadata = Metadata { name: key.name, instance: key.instance, labels };
                documents.push(Exported { api_version: API_VERSION, kind: kind.name, metadata, spec });
            }
        }
    }
    Ok(documents)
}

async fn keys(here: &Here<'_>, kind: &'static Kind, instances: &[String]) -> Result<Vec<Key>, Trouble> {
    let mut keys = Vec::new();
    if kind.in_instance {
        for instance in instances {
            let names = (kind.list)(here, instance).await?;
            keys.extend(names.into_iter().map(|name| Key { kind: kind.name, instance: Some(instance.clone()), name }));
        }
    } else {
        keys.extend((kind.list)(here, client::HERE).await?.into_iter().map(|name| Key { kind: kind.name, instance: None, name }));
    }
    keys.sort();
    Ok(keys)
}
