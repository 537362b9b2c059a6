//! Scopes of the Docker token specification ("Token Scope Documentation"): `repository:NAME:pull,push`.

use std::fmt;
use std::sync::Arc;

use crate::RepositoryName;

/// What a scope can ask for on a repository.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RepositoryAction {
    /// Read manifests, blobs, tags, referrers.
    Pull,
    /// Write manifests, blobs, tags.
    Push,
    /// Delete manifests, blobs, tags.
    Delete,
}

impl RepositoryAction {
    /// All, in the order they are written.
    pub const ALL: [Self; 3] = [Self::Pull, Self::Push, Self::Delete];

    /// As clients write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
        }
    }
}

/// One scope.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scope {
    /// `repository:NAME:ACTIONS`; `*` asks for all actions. Unknown actions are dropped: nothing is granted for them.
    Repository(RepositoryName, Vec<RepositoryAction>),
    /// `registry:catalog:*`.
    Catalog,
}

/// Why a text is no scope that we know.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ScopeError {
    /// Not `TYPE:NAME:ACTIONS`.
    #[error("a scope is written TYPE:NAME:ACTIONS, as repository:demo/app:pull,push")]
    Shape,
    /// The repository's name is none.
    #[error("the scope names no valid repository")]
    Name,
    /// More scopes than one token may carry.
    #[error("at most 64 scopes in one request")]
    TooMany,
}

impl Scope {
    /// Reads one scope. `None`: well formed, but of a type for which nothing is ever granted.
    pub fn parse(text: &str) -> Result<Option<Self>, ScopeError> {
        let (kind, rest) = text.split_once(':').ok_or(ScopeError::Shape)?;
        let (name, actions) = rest.rsplit_once(':').ok_or(ScopeError::Shape)?;
        // `repository(class):name:actions` is an old Docker form; the class changes nothing.
        match kind.split_once('(').map_or(kind, |(kind, _)| kind) {
            "repository" => {
                let name = RepositoryName::parse(name).map_err(|_| ScopeError::Name)?;
                Ok(Some(Self::Repository(name, parse_actions(actions))))
            }
            "registry" if name == "catalog" && actions == "*" => Ok(Some(Self::Catalog)),
            _ => Ok(None),
        }
    }
}

fn parse_actions(text: &str) -> Vec<RepositoryAction> {
    let asked = |action: RepositoryAction| text.split(',').any(|a| a == "*" || a == action.as_str());
    RepositoryAction::ALL.into_iter().filter(|a| asked(*a)).collect()
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Catalog => f.write_str("registry:catalog:*"),
            Self::Repository(name, actions) => {
                let actions: Vec<_> = actions.iter().map(|a| a.as_str()).collect();
                write!(f, "repository:{name}:{}", actions.join(","))
            }
        }
    }
}

/// Several scopes: what a token request asks for, or what a bearer token carries as its upper bound. Cheap to clone, since each
/// request by bearer does.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scopes(Arc<Vec<Scope>>);

impl Scopes {
    /// The most scopes in one request.
    pub const MAX: usize = 64;

    /// Reads scopes from parameters that may each hold several, separated by spaces. Scopes on one repository are merged.
    pub fn parse<'a>(parameters: impl IntoIterator<Item = &'a str>) -> Result<Self, ScopeError> {
        let mut scopes = Self::default();
        let words = parameters.into_iter().flat_map(|p| p.split(' ')).filter(|s| !s.is_empty());
        for (count, text) in words.enumerate() {
            if count == Self::MAX {
                return Err(ScopeError::TooMany);
            }
            if let Some(scope) = Scope::parse(text)? {
                scopes.add(scope);
            }
        }
        Ok(scopes)
    }

    /// Adds one scope, merging it with one on the same repository.
    pub fn add(&mut self, scope: Scope) {
        let scopes = Arc::make_mut(&mut self.0);
        if let Scope::Repository(name, actions) = &scope {
            for known in scopes.iter_mut() {
                if let Scope::Repository(same, have) = known
                    && same == name
                {
                    have.extend(actions);
                    have.sort_unstable();
                    have.dedup();
                    return;
                }
            }
        } else if scopes.contains(&scope) {
            return;
        }
        scopes.push(scope);
    }

    /// The scopes, one a repository.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Do they hold `action` on `name`?
    pub fn allow(&self, name: &RepositoryName, action: RepositoryAction) -> bool {
        self.0.iter().any(|s| matches!(s, Scope::Repository(n, actions) if n == name && actions.contains(&action)))
    }

    /// Do they hold the catalog?
    pub fn allow_catalog(&self) -> bool {
        self.0.contains(&Scope::Catalog)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_scopes_repeated_or_separated_by_spaces() {
        let scopes = Scopes::parse(["repository:demo/app:pull repository:demo/app:push", "registry:catalog:*", "other:x:y"]).unwrap();
        let text: Vec<_> = scopes.iter().map(ToString::to_string).collect();
        assert_eq!(text, ["repository:demo/app:pull,push", "registry:catalog:*"]);
    }

    #[test]
    fn a_star_means_every_action_and_unknown_actions_nothing() {
        let Some(Scope::Repository(_, actions)) = Scope::parse("repository:a:*").unwrap() else { panic!("a repository") };
        assert_eq!(actions, RepositoryAction::ALL);
        let Some(Scope::Repository(_, actions)) = Scope::parse("repository:a:admin,PULL").unwrap() else { panic!("a repository") };
        assert!(actions.is_empty());
    }

    #[test]
    fn refuses_what_is_no_scope() {
        assert_eq!(Scope::parse("repository"), Err(ScopeError::Shape));
        assert_eq!(Scope::parse("repository:A/B:pull"), Err(ScopeError::Name));
        let many = "repository:a:pull ".repeat(65);
        assert_eq!(Scopes::parse([many.as_str()]), Err(ScopeError::TooMany));
    }
}
