//! Policies that are attached to somebody.

use client::{ClientError, Holder};

use crate::diff;
use crate::noun::Here;
use crate::step::{Change, Key, Step, call};

const FIELD: &str = "policies";

/// The names of what is attached, if that is asked for.
pub(crate) async fn read(here: &Here<'_>, holder: &Holder, wanted: bool) -> Result<Option<Vec<String>>, ClientError> {
    if !wanted {
        return Ok(None);
    }
    let mut names: Vec<_> = here.client.policies().list_attached(holder).await?.into_iter().map(|a| a.name).collect();
    names.sort();
    Ok(Some(names))
}

/// First what is to be attached, then what is to be detached: nobody is without in between.
pub(crate) fn plan(key: &Key, holder: &Holder, wanted: Option<&Vec<String>>, there: Option<&Vec<String>>) -> Vec<Step> {
    plan_field(FIELD, key, holder, wanted, there)
}

/// The same, where the field has another name.
pub(crate) fn plan_field(field: &str, key: &Key, holder: &Holder, wanted: Option<&Vec<String>>, there: Option<&Vec<String>>) -> Vec<Step> {
    let (add, remove) = diff::members(wanted, there.map_or(&[], Vec::as_slice));
    let attach = add.into_iter().map(|name| {
        let (policy, to) = (name.clone(), holder.clone());
        Step::tie(key, Change::add(field, name), call!(client => client.policies().attach(&policy, &to)))
    });
    let detach = remove.into_iter().map(|name| {
        let (policy, from) = (name.clone(), holder.clone());
        Step::tie(key, Change::remove(field, name), call!(client => client.policies().detach(&policy, &from)))
    });
    attach.chain(detach).collect()
}
