//! The `policy` of a namespace or repository: who else may use it.

use api::SetResourcePolicy;
use client::{ClientError, Place};
use serde_json::Value;

use super::text::PolicyText;
use crate::error::found;
use crate::noun::Here;
use crate::step::{Change, Key, Step, call};

/// What the policy belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Of {
    Namespace,
    Repository,
}

const fn place(of: Of, name: &str) -> Place<'_> {
    match of {
        Of::Namespace => Place::Namespace(name),
        Of::Repository => Place::Repository(name),
    }
}

/// The policy that is there, if it is asked for.
pub(crate) async fn read(here: &Here<'_>, of: Of, key: &Key, asked: bool) -> Result<Option<PolicyText>, ClientError> {
    if !asked {
        return Ok(None);
    }
    let there = found(here.client.resource_policies(key.at()).show(place(of, &key.name)).await)?;
    Ok(there.map(|there| PolicyText::of(there.document)))
}

/// Sets it; `{}` takes it away.
pub(crate) fn plan(of: Of, key: &Key, wanted: Option<&PolicyText>, there: Option<&PolicyText>) -> Option<Step> {
    let json = |text: Option<&PolicyText>| text.and_then(|text| serde_json::to_value(text).ok()).unwrap_or_default();
    let (from, mut to) = (json(there), json(Some(wanted?)));
    if to.as_object().is_some_and(serde_json::Map::is_empty) {
        to = Value::Null;
    }
    if from == to {
        return None;
    }
    let (instance, name) = (key.at().to_owned(), key.name.clone());
    let change = Change::new("policy", from, to.clone());
    if to.is_null() {
        return Some(Step::tie(key, change, call!(client => client.resource_policies(&instance).delete(place(of, &name)))));
    }
    let new = SetResourcePolicy { document: wanted?.text() };
    Some(Step::tie(key, change, call!(client => client.resource_policies(&instance).set(place(of, &name), &new))))
}
