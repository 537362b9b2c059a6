//! One run over a namespace: repository by repository, a page of tags at a time, each page's deletions in one transaction.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use access::{Record, audit};
use model::{Digest, NamespaceId, OnNamespace, OnRepository, Op, Seconds, Tag, Timestamp};
use store::retention::{Aged, Place};
use store::{StoreError, Tx};

use super::rule::RetentionRule;
use crate::protection::Guard;
use crate::{Registry, RegistryError};

/// The most lines of a run that are shown; all are counted.
pub const MAX_ITEMS: usize = 1000;
/// Tags or manifests in one step.
const PAGE: usize = 200;
/// Repositories read together.
const REPOSITORIES: i64 = 200;

/// What a run did, or would do.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct RetentionRun {
    /// Tags that went.
    pub tags_removed: u64,
    /// Manifests without a tag that went.
    pub manifests_removed: u64,
    /// Tags of which rules speak and that stay.
    pub tags_kept: u64,
    /// What would go but is locked or immutable.
    pub protected: u64,
    /// One by one, the first ones.
    pub items: Vec<RetentionItem>,
}

/// One tag, or one manifest without a tag.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RetentionItem {
    /// Where it is.
    pub on: OnRepository,
    /// The tag; none: a manifest without one.
    pub tag: Option<Tag>,
    /// The manifest.
    pub digest: Digest,
    /// Does it go?
    pub removed: bool,
    /// Why it stays, or goes.
    pub reason: String,
}

impl RetentionRun {
    /// How much went.
    pub fn removed(&self) -> u64 {
        self.tags_removed + self.manifests_removed
    }

    pub(super) fn said(&self) -> String {
        format!("{} tags and {} manifests deleted", self.tags_removed, self.manifests_removed)
    }

    fn add(&mut self, item: RetentionItem, protected: bool) {
        let counter = match (item.removed, protected, &item.tag) {
            (true, _, Some(_)) => &mut self.tags_removed,
            (true, _, None) => &mut self.manifests_removed,
            (false, true, _) => &mut self.protected,
            (false, false, _) => &mut self.tags_kept,
        };
        *counter += 1;
        if self.items.len() < MAX_ITEMS {
            self.items.push(item);
        }
    }
}

impl Registry {
    pub(super) async fn act_on(
        &self,
        op: &Op,
        on: &OnNamespace,
        namespace: NamespaceId,
        rules: &[RetentionRule],
        dry: bool,
    ) -> Result<RetentionRun, RegistryError> {
        let mut done = RetentionRun::default();
        if rules.is_empty() {
            return Ok(done);
        }
        self.flush_pulls().await?;
        let since: Result<_, StoreError> = self.store.write(|tx| Box::pin(store::retention::pulls_known_since(tx, op.now))).await;
        let since = since?;
        let mut after = String::new();
        loop {
            let places = self.store.scan(|tx| Box::pin(store::retention::repositories(tx, namespace, &after, REPOSITORIES))).await?;
            let Some(last) = places.last() else { return Ok(done) };
            last.name.as_str().clone_into(&mut after);
            for Place { id, name } in places {
                let rules: Vec<_> = rules.iter().filter(|rule| rule.repositories.matches(name.within_namespace())).collect();
                if !rules.is_empty() {
                    let on = OnRepository { instance: on.instance.clone(), name };
                    let mut one = One { registry: self, op, on, id, since, dry, done: &mut done };
                    one.tags(&rules).await?;
                    one.untagged(&rules).await?;
                }
            }
        }
    }
}

/// One repository, in one run.
struct One<'a> {
    registry: &'a Registry,
    op: &'a Op,
    on: OnRepository,
    id: model::RepositoryId,
    since: Timestamp,
    dry: bool,
    done: &'a mut RetentionRun,
}

/// A rule, and the push of the last of the newest that it keeps here.
struct Measured<'a> {
    rule: &'a RetentionRule,
    newest: Option<(Timestamp, Tag)>,
}

impl One<'_> {
    async fn tags(&mut self, rules: &[&RetentionRule]) -> Result<(), RegistryError> {
        let rules = self.measure(rules).await?;
        if rules.is_empty() {
            return Ok(());
        }
        let mut after = String::new();
        loop {
            let page = self.page(&after).await?;
            let Some(last) = page.last() else { return Ok(()) };
            last.name.as_str().clone_into(&mut after);
            let mut going = Vec::new();
            for tag in page {
                match self.verdict(&rules, &tag) {
                    Some(Ok(reason)) => self.stays(Some(tag.name), tag.digest, reason, false),
                    Some(Err(reason)) => going.push((tag, reason)),
                    None => {}
                }
            }
            self.remove_tags(going).await?;
        }
    }

    /// Rules that speak of tags, with where the newest end: the first of two walks, so that memory is bounded by the rules alone.
    async fn measure<'r>(&self, rules: &[&'r RetentionRule]) -> Result<Vec<Measured<'r>>, RegistryError> {
        let rules = rules.iter().filter(|rule| rule.speaks_of_tags());
        let mut measured: Vec<_> = rules.map(|rule| (*rule, BinaryHeap::<Reverse<(Timestamp, Tag)>>::new())).collect();
        let mut after = String::new();
        while measured.iter().any(|(rule, _)| rule.keep_newest.is_some()) {
            let page = self.page(&after).await?;
            let Some(last) = page.last() else { break };
            last.name.as_str().clone_into(&mut after);
            for (rule, newest) in &mut measured {
                let Some(n) = rule.keep_newest else { continue };
                for tag in page.iter().filter(|tag| rule.tags.matches(tag.name.as_str())) {
                    newest.push(Reverse((tag.pushed, tag.name.clone())));
                    if newest.len() > n as usize {
                        newest.pop();
                    }
                }
            }
        }
        Ok(measured.into_iter().map(|(rule, mut newest)| Measured { rule, newest: newest.pop().map(|Reverse(last)| last) }).collect())
    }

    async fn page(&self, after: &str) -> Result<Vec<Aged>, RegistryError> {
        let (id, limit) = (self.id, i64::try_from(PAGE).unwrap_or(i64::MAX));
        let read: Result<_, StoreError> = self.registry.store.scan(|tx| Box::pin(store::retention::tags(tx, id, after, limit))).await;
        Ok(read?)
    }

    /// Why the tag stays, or why it goes; none: no rule speaks of it.
    fn verdict(&self, rules: &[Measured<'_>], tag: &Aged) -> Option<Result<String, String>> {
        let speaking: Vec<_> = rules.iter().filter(|one| one.rule.tags.matches(tag.name.as_str())).collect();
        if speaking.is_empty() {
            return None;
        }
        if let Some(why) = speaking.iter().find_map(|one| self.kept_by(one, tag)) {
            return Some(Ok(why));
        }
        let last = self.last_used(tag.pushed, tag.pulled);
        Some(Err(format!("no rule keeps it: pushed {}, used last {last}", tag.pushed)))
    }

    fn kept_by(&self, Measured { rule, newest }: &Measured<'_>, tag: &Aged) -> Option<String> {
        let within = |days: u32, at: Timestamp| at >= self.days_ago(days);
        if let (Some(n), Some(last)) = (rule.keep_newest, newest)
            && (tag.pushed, &tag.name) >= (last.0, &last.1)
        {
            return Some(format!("one of the {n} newest"));
        }
        if let Some(glob) = rule.keep_tags.as_ref().filter(|glob| glob.matches(tag.name.as_str())) {
            return Some(format!("matches {}", glob.as_str()));
        }
        if let Some(days) = rule.keep_pushed_days.filter(|days| within(*days, tag.pushed)) {
            return Some(format!("pushed within {days} days"));
        }
        let used = self.last_used(tag.pushed, tag.pulled);
        let days = rule.keep_pulled_days.filter(|days| within(*days, used))?;
        Some(if used == self.since {
            format!("pulls are known since {} only", self.since)
        } else {
            format!("pulled or pushed within {days} days")
        })
    }

    /// Before pulls were known, everything may have been pulled.
    fn last_used(&self, pushed: Timestamp, pulled: Option<Timestamp>) -> Timestamp {
        pushed.max(pulled.unwrap_or(pushed)).max(self.since)
    }

    fn days_ago(&self, days: u32) -> Timestamp {
        self.op.now.plus(Seconds(-Seconds::days(days.into()).0))
    }

    fn stays(&mut self, tag: Option<Tag>, digest: Digest, reason: String, protected: bool) {
        let on = self.on.clone();
        self.done.add(RetentionItem { on, tag, digest, removed: false, reason }, protected);
    }

    fn goes(&mut self, tag: Option<Tag>, digest: Digest, reason: String) {
        let on = self.on.clone();
        self.done.add(RetentionItem { on, tag, digest, removed: true, reason }, false);
    }

    async fn remove_tags(&mut self, going: Vec<(Aged, String)>) -> Result<(), RegistryError> {
        for (tag, reason) in going {
            let outcome = self.remove(&Gone::Tag(&tag)).await;
            self.write_down(Some(tag.name), tag.digest, reason, outcome)?;
        }
        Ok(())
    }

    async fn untagged(&mut self, rules: &[&RetentionRule]) -> Result<(), RegistryError> {
        let Some(days) = rules.iter().filter_map(|rule| rule.untagged_days).max() else { return Ok(()) };
        let (id, before, limit) = (self.id, self.days_ago(days), i64::try_from(PAGE).unwrap_or(i64::MAX));
        if self.since > before {
            return Ok(());
        }
        let mut after = None;
        loop {
            let read = self.registry.store.scan(|tx| Box::pin(store::retention::unused(tx, id, before, after.as_ref(), limit))).await;
            let page: Vec<Digest> = read.map_err(|error: StoreError| RegistryError::from(error))?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(*last);
            for digest in page {
                let outcome = self.remove(&Gone::Manifest(digest, before)).await;
                self.write_down(None, digest, format!("no tag, not pushed or pulled for {days} days"), outcome)?;
            }
        }
    }

    fn write_down(
        &mut self,
        tag: Option<Tag>,
        digest: Digest,
        reason: String,
        outcome: Result<bool, RegistryError>,
    ) -> Result<(), RegistryError> {
        match outcome {
            Ok(true) => self.goes(tag, digest, reason),
            // It was pushed or pulled in the meantime, or is gone.
            Ok(false) => {}
            Err(RegistryError::Protected(protection)) => self.stays(tag, digest, protection.to_string(), true),
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Takes one thing away if it still is what it was, and nothing protects it. In a dry run, says only whether it would.
    async fn remove(&self, gone: &Gone<'_>) -> Result<bool, RegistryError> {
        let store = &self.registry.store;
        if self.dry {
            return store.read(|tx| Box::pin(self.may_remove(tx, gone))).await;
        }
        let record = Record::job(self.op, self.on.instance.account, "retention").with_detail(gone.said(&self.on));
        store
            .write(|tx| {
                let record = &record;
                Box::pin(async move {
                    if !self.may_remove(tx, gone).await? {
                        return Ok(false);
                    }
                    match gone {
                        Gone::Tag(tag) => store::tag::delete(tx, self.id, &tag.name).await?,
                        Gone::Manifest(digest, _) => store::manifest::delete(tx, self.id, digest, self.op.now).await?,
                    };
                    audit::write(tx, self.registry.audit(), record).await?;
                    Ok(true)
                })
            })
            .await
    }

    async fn may_remove(&self, tx: &mut Tx<'_>, gone: &Gone<'_>) -> Result<bool, RegistryError> {
        let guard = match Guard::of(tx, &self.on).await {
            Ok(guard) if guard.id == self.id => guard,
            Ok(_) | Err(RegistryError::NameUnknown) => return Ok(false),
            Err(error) => return Err(error),
        };
        match gone {
            Gone::Tag(tag) => {
                let now = store::retention::tag(tx, self.id, &tag.name).await?;
                if now != Some((tag.digest, tag.pushed, tag.pulled)) {
                    return Ok(false);
                }
                guard.may_remove_tag(tx, &tag.name).await?;
            }
            Gone::Manifest(digest, before) => {
                if !store::retention::is_unused(tx, self.id, digest, *before).await? {
                    return Ok(false);
                }
                guard.may_remove_manifest(tx, digest).await?;
            }
        }
        Ok(true)
    }
}

/// What is to go.
enum Gone<'a> {
    Tag(&'a Aged),
    /// A manifest that nobody has used since.
    Manifest(Digest, Timestamp),
}

impl Gone<'_> {
    fn said(&self, on: &OnRepository) -> String {
        match self {
            Self::Tag(tag) => format!("{}:{} {}", on.name, tag.name, tag.digest),
            Self::Manifest(digest, _) => format!("{}@{digest}", on.name),
        }
    }
}
