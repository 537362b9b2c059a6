//! Whose are they? And then: disable them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use api::{LookUpSecrets, Secret, SecretOwner, UpdateEnabled};
use client::{ClientError, Tidegate};

use super::super::input;
use super::walk::Finding;
use crate::printer::note;

/// Secrets in one question, as the server takes them.
const AT_ONCE: usize = 100;

/// What is known of what was found: each secret once, however often it was found.
#[derive(Debug)]
pub(super) struct Owners {
    distinct: Vec<Secret>,
    index: HashMap<String, usize>,
    told: Vec<Option<SecretOwner>>,
    disabled: BTreeSet<String>,
}

impl Owners {
    pub(super) fn of(findings: &[Finding]) -> Self {
        let (mut distinct, mut index) = (Vec::new(), HashMap::new());
        for finding in findings {
            index.entry(finding.secret.reveal().to_owned()).or_insert_with(|| {
                distinct.push(finding.secret.clone());
                distinct.len() - 1
            });
        }
        Self { told: vec![None; distinct.len()], distinct, index, disabled: BTreeSet::new() }
    }

    /// Whose it is, if the server has said so, and whether it was disabled just now.
    pub(super) fn get(&self, finding: &Finding) -> (Option<&SecretOwner>, bool) {
        let owner = self.index.get(finding.secret.reveal()).and_then(|at| self.told.get(*at)?.as_ref());
        let disabled = owner.and_then(|owner| owner.credential_id.as_ref()).is_some_and(|id| self.disabled.contains(id));
        (owner, disabled)
    }

    /// Asks the server. One that does not tell leaves them as they are.
    pub(super) async fn look_up(&mut self, client: &Tidegate) {
        for (secrets, told) in self.distinct.chunks(AT_ONCE).zip(self.told.chunks_mut(AT_ONCE)) {
            match client.credentials().look_up(&LookUpSecrets { secrets: secrets.to_vec() }).await {
                Ok(answers) => told.iter_mut().zip(answers).for_each(|(told, answer)| *told = Some(answer)),
                Err(error) => return note(&format!("The server does not say whose they are: {error}")),
            }
        }
    }

    /// Disables what works still: all of it, or what a person at the terminal says.
    pub(super) async fn disable(&mut self, client: &Tidegate, all: bool, ask: bool) {
        let alive = self.told.iter().flatten().filter(|owner| owner.known && owner.enabled == Some(true));
        let alive: BTreeMap<String, SecretOwner> = alive.filter_map(|owner| Some((owner.credential_id.clone()?, owner.clone()))).collect();
        for (id, owner) in alive {
            let whose = describe(&id, &owner);
            if !(all || ask && input::confirm(&format!("Disable {whose}? Everything that uses it stops."))) {
                continue;
            }
            match disable(client, &id, &owner).await {
                Ok(()) => {
                    note(&format!("Disabled {whose}."));
                    self.disabled.insert(id);
                }
                Err(error) => note(&format!("{whose} was not disabled: {error}")),
            }
        }
    }
}

fn describe(id: &str, owner: &SecretOwner) -> String {
    let (kind, name) = (owner.kind.as_deref().unwrap_or("credential"), owner.owner.as_deref().unwrap_or("somebody"));
    let what = owner.description.as_deref().filter(|text| !text.is_empty()).map_or_else(String::new, |text| format!(", \"{text}\""));
    format!("{id} ({} of {name}{what})", kind.replace('_', " "))
}

async fn disable(client: &Tidegate, id: &str, owner: &SecretOwner) -> Result<(), ClientError> {
    let off = UpdateEnabled { enabled: false };
    match (&owner.access_key_id, owner.kind.as_deref(), &owner.owner) {
        (Some(access_key_id), ..) => client.access_keys().update(access_key_id, &off).await.map(drop),
        (None, Some("client_secret"), Some(name)) => client.service_accounts().update_secret(name, id, &off).await.map(drop),
        _ => client.credentials().update(id, &off).await.map(drop),
    }
}
