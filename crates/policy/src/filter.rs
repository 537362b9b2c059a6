//! What a lister may show: the same answer as [`crate::evaluate()`] for every repository name of one instance, without asking
//! for each.

use model::{Action, NamespaceName, OnInstance, RepositoryName, ResourceKind};

use crate::evaluate::counts_for;
use crate::ranges::{merged, subtracted};
use crate::{Context, Document, Effect, NameRange, Pattern, ResourcePattern, Statement, ram};

/// A pattern of repository names. Documents spell names of one segment behind `_/`, so it speaks of one sort of name alone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct NamePattern {
    /// Names of one segment, or of several.
    root: bool,
    name: Pattern,
}

impl NamePattern {
    /// Does the name match?
    pub fn matches(&self, name: &RepositoryName) -> bool {
        self.root != name.as_str().contains('/') && self.name.matches(name.as_str())
    }

    /// All matches lie in it; none: nothing matches.
    pub fn range(&self) -> Option<NameRange> {
        if self.name.is_exact() { Some(NameRange::exactly(self.name.literal())) } else { NameRange::beginning_with(self.name.literal()) }
    }

    /// Does every name of its range match, given these others?
    fn fills_its_range(&self, others: &[Self]) -> bool {
        let literal = self.name.literal();
        // `demo*` of one sort fills its range only where the other sort is matched as well.
        let other_sort = |p: &Self| p.root != self.root && p.name.is_prefix() && literal.starts_with(p.name.literal());
        self.name.is_exact() || (self.name.is_prefix() && (literal.contains('/') || others.iter().any(other_sort)))
    }
}

/// What is allowed for one action: what an `allow` matches and no `deny` does.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Layer {
    allow: Vec<NamePattern>,
    deny: Vec<NamePattern>,
}

impl Layer {
    fn shows(&self, name: &RepositoryName) -> bool {
        self.allow.iter().any(|p| p.matches(name)) && !self.deny.iter().any(|p| p.matches(name))
    }

    fn ranges(&self) -> Vec<NameRange> {
        let allowed = merged(self.allow.iter().filter_map(NamePattern::range).collect());
        let filled = self.deny.iter().filter(|p| p.fills_its_range(&self.deny));
        subtracted(allowed, &merged(filled.filter_map(NamePattern::range).collect()))
    }
}

/// Which repositories of one instance somebody may see. The default shows none.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// A name is shown if one of them shows it.
    layers: Vec<Layer>,
    /// And if all of these show it.
    bounds: Vec<Self>,
}

impl Filter {
    /// Shows everything: for the root user.
    pub fn everything() -> Self {
        let allow = [true, false].map(|root| NamePattern { root, name: Pattern::new("*") }).into();
        Self { layers: vec![Layer { allow, deny: Vec::new() }], bounds: Vec::new() }
    }

    /// Shows nothing.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Is the name shown?
    pub fn shows(&self, name: &RepositoryName) -> bool {
        self.layers.iter().any(|layer| layer.shows(name)) && self.bounds.iter().all(|bound| bound.shows(name))
    }

    /// What both show.
    #[must_use]
    pub fn bounded_by(mut self, bound: Self) -> Self {
        self.bounds.push(bound);
        self
    }

    /// Where names that are shown can lie: sorted by bytes, apart from each other. Names in them still have to be asked for
    /// ([`Filter::shows`]); names outside are hidden.
    pub fn ranges(&self) -> Vec<NameRange> {
        merged(self.layers.iter().flat_map(Layer::ranges).collect())
    }

    /// Is nothing shown?
    pub fn is_empty(&self) -> bool {
        self.ranges().is_empty()
    }

    fn push(&mut self, mut layer: Layer) {
        for patterns in [&mut layer.allow, &mut layer.deny] {
            patterns.sort_unstable();
            patterns.dedup();
        }
        if !layer.allow.is_empty() {
            self.layers.push(layer);
        }
    }
}

/// The repositories of `instance` on which the documents allow `action`, an action on repositories (else none is shown).
pub fn filter(documents: &[(&str, &Document)], action: Action, context: &Context, instance: &OnInstance) -> Filter {
    let (mut direct, mut including) = (Layer::default(), Layer::default());
    let statements = documents.iter().flat_map(|(_, document)| &document.statements);
    for statement in statements.filter(|_| action.resource_kind() == ResourceKind::Repository) {
        let Some(counting) = counts_for(statement, action).filter(|_| statement.is_about(context) && statement.unmet(context).is_none())
        else {
            continue;
        };
        let patterns = name_patterns(statement, instance);
        match (statement.effect(), counting == action) {
            (Effect::Allow, true) => direct.allow.extend(patterns),
            (Effect::Allow, false) => including.allow.extend(patterns),
            (Effect::Deny, is_direct) => {
                direct.deny.extend(patterns.iter().filter(|_| is_direct).cloned());
                including.deny.extend(patterns);
            }
        }
    }
    let mut filter = Filter::default();
    filter.push(direct);
    filter.push(including);
    filter
}

/// The statement's resources, reduced to names in the instance.
fn name_patterns(statement: &Statement, instance: &OnInstance) -> Vec<NamePattern> {
    let spelling = ram::repositories_of(instance);
    let reaching = statement.resources().iter().filter(|pattern| pattern.reaches(&spelling));
    let relative: Vec<Pattern> = reaching.map(ResourcePattern::relative).collect();
    let tails = spelling.relative.iter().flat_map(|prefix| relative.iter().flat_map(move |pattern| pattern.behind(&prefix.text)));
    tails.flat_map(|tail| by_sort(&tail)).collect()
}

/// The patterns of names of one segment and of several that spell a tail; those that no name of their sort can match are left out.
fn by_sort(tail: &Pattern) -> Vec<NamePattern> {
    let root = tail.behind(&format!("{}/", NamespaceName::ROOT)).into_iter();
    let root = root.filter(|name| !name.literal().contains('/')).map(|name| NamePattern { root: true, name });
    let begins_like_a_name = !tail.literal().starts_with(NamespaceName::ROOT);
    let several = Some(tail).filter(|tail| begins_like_a_name && (!tail.is_exact() || tail.literal().contains('/')));
    root.chain(several.map(|name| NamePattern { root: false, name: name.clone() })).collect()
}
