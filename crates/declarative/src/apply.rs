//! Reading documents, planning, doing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use client::{ClientError, Tidegate};
use model::Timestamp;

use crate::document::{self, Document, Place};
use crate::error::{Trouble, found};
use crate::files::Source;
use crate::labels::{self, Labels, Set};
use crate::noun::Here;
use crate::nouns;
use crate::report::{Entry, Report, Status};
use crate::step::{Key, Stage, Step};

/// So many deletions are done without being asked for once more.
const UNASKED: usize = 10;

/// What to delete.
#[derive(Clone, Debug)]
pub struct Prune {
    /// This label (`KEY=VALUE`) is put on everything in the documents; what carries it and is in none of them goes.
    pub label: String,
    /// However many things that are; else at most ten.
    pub any_number: bool,
}

/// How to apply.
#[derive(Clone, Default, Debug)]
pub struct Options {
    /// Read and compare, change nothing.
    pub dry_run: bool,
    /// Delete what is no longer spoken of.
    pub prune: Option<Prune>,
    /// Set passwords that are there already too.
    pub set_passwords: bool,
    /// Put new secrets that no file is named for into the report.
    pub show_secrets: bool,
    /// Where secrets that documents name are taken from.
    pub environment: BTreeMap<String, String>,
    /// The present moment.
    pub now: Timestamp,
}

/// Makes what is there like the documents. It stops at the first refusal; the report says what was done and what was not.
pub async fn apply(client: &Tidegate, sources: &[Source], options: &Options) -> Result<Report, Trouble> {
    let here = Here {
        client,
        environment: &options.environment,
        now: options.now,
        set_passwords: options.set_passwords,
        show_secrets: options.show_secrets,
    };
    let set = options.prune.as_ref().map(|prune| Set::parse(&prune.label)).transpose()?;
    let any_number = options.dry_run || options.prune.as_ref().is_some_and(|prune| prune.any_number);
    let steps = plan(&here, sources, set.as_ref(), any_number).await?;
    if options.dry_run {
        let entries = steps.iter().map(|step| Entry::of(step, Status::Planned)).collect();
        return Ok(Report { entries, failure: None });
    }
    Ok(perform(client, steps).await)
}

async fn plan(here: &Here<'_>, sources: &[Source], set: Option<&Set>, any_number: bool) -> Result<Vec<Step>, Trouble> {
    let mut documents = document::read_all(sources)?;
    if documents.is_empty() {
        return Err(Trouble::Unsafe("there is no document in what was given".to_owned()));
    }
    name_instances(here, &mut documents, set.is_some()).await?;
    let wanted = once_each(&documents)?;
    let labelled = set.is_some() || documents.iter().any(|document| !document.item.labels().is_empty());
    let labels = if labelled { Labels::read(here, None).await? } else { Labels::default() };
    let mut steps = Vec::new();
    for document in &documents {
        steps.extend(document.item.plan(here).await.map_err(|trouble| placed(document, trouble))?);
        steps.extend(labels::plan(document, set, &labels)?);
    }
    if let Some(set) = set {
        let gone = labels::prune(here, set, &wanted).await?;
        if gone.len() > UNASKED && !any_number {
            return Err(Trouble::Unsafe(format!("{} things would be deleted: look with --dry-run, then say --yes", gone.len())));
        }
        steps.extend(gone);
    }
    steps.sort_by_key(order);
    Ok(steps)
}

/// What a document asks for and cannot have is said with its place.
fn placed(document: &Document, trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Unsafe(problem) => document.place.problem("", problem),
        other => other,
    }
}

/// Things and their labels noun by noun, then ties noun by noun, then what goes, the last noun first. Equal ones stay in the
/// documents' order.
fn order(step: &Step) -> (Stage, usize, usize) {
    let rank = nouns::rank(step.key.kind);
    match step.stage {
        Stage::Thing => (Stage::Thing, rank, 0),
        Stage::Label => (Stage::Thing, rank, 1),
        Stage::Tie => (Stage::Tie, rank, 0),
        Stage::Gone => (Stage::Gone, usize::MAX - rank, 0),
    }
}

/// Spells every instance by its name, so that one thing has one key. Where something is to be pruned, a doubt is a refusal.
async fn name_instances(here: &Here<'_>, documents: &mut [Document], strict: bool) -> Result<(), Trouble> {
    let made: BTreeSet<String> = documents.iter().filter(|d| d.item.key().kind == "Instance").map(|d| d.item.key().name.clone()).collect();
    let mut names: HashMap<String, String> = HashMap::new();
    for document in documents.iter_mut().filter(|document| document.item.kind().in_instance) {
        let said = document.item.key().at().to_owned();
        let name = match names.get(&said) {
            Some(name) => name.clone(),
            None => match found(here.client.instances().show(&said).await)? {
                Some(instance) => instance.name,
                None if made.contains(&said) || !strict => said.clone(),
                None => return Err(document.place.problem("metadata.instance", "there is no such instance, or you may not see it")),
            },
        };
        document.item.key_mut().instance = Some(name.clone());
        names.insert(said, name);
    }
    Ok(())
}

fn once_each(documents: &[Document]) -> Result<BTreeSet<Key>, Trouble> {
    let mut places: BTreeMap<&Key, &Place> = BTreeMap::new();
    for document in documents {
        if let Some(first) = places.insert(document.item.key(), &document.place) {
            let problem = format!("{} is spoken of twice, first at {}:{}", document.item.key(), first.file, first.line);
            return Err(document.place.problem("metadata.name", problem));
        }
    }
    Ok(places.into_keys().cloned().collect())
}

async fn perform(client: &Tidegate, steps: Vec<Step>) -> Report {
    let mut report = Report { entries: Vec::new(), failure: None };
    for step in steps {
        let mut entry = Entry::of(&step, Status::NotDone);
        if report.failure.is_none() {
            match (step.call)(client).await {
                Ok(secret) => (entry.status, entry.secret) = (Status::Done, secret),
                Err(error) => {
                    entry.status = Status::Refused;
                    report.failure = Some(in_step(&entry, error));
                }
            }
        }
        report.entries.push(entry);
    }
    report
}

/// Says at which change it stopped.
fn in_step(entry: &Entry, error: Trouble) -> Trouble {
    match error {
        Trouble::Client(ClientError::Refused { status, code, message, request_id, field }) => {
            let message = format!("{}: {message}", entry.key);
            Trouble::Client(ClientError::Refused { status, code, message, request_id, field })
        }
        other => other,
    }
}
