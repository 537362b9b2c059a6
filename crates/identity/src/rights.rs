//! Rights in one step: policies by name, over everything that they speak of or over some repositories alone.

use std::sync::Arc;

use model::{AccountId, Action, Caller, OnInstance, Op, PolicyId, ResourceKind};
use policy::{ActionPattern, Document, Effect, Matching, ResourcePattern, Statement};

use crate::{Identity, IdentityError};

/// Policies in one request, and repositories that they are narrowed to.
const MAX: usize = 20;
/// What a service account gets that is told repositories and no policy.
const DEFAULT: &str = "AcrPull";

/// What somebody is to hold.
#[derive(Clone, Debug, Default)]
pub struct Rights {
    /// Policies by name, the clouds' built-in ones too.
    pub policies: Vec<String>,
    /// Repositories that they are narrowed to, as `NAMESPACE/*`; empty: as the policies say.
    pub repositories: Vec<String>,
    /// The instance of those repositories.
    pub instance: Option<Arc<OnInstance>>,
}

impl Rights {
    /// Nothing at all?
    pub const fn is_empty(&self) -> bool {
        self.policies.is_empty() && self.repositories.is_empty()
    }
}

/// What is attached for them.
#[derive(Debug, Default)]
pub(crate) struct Given {
    pub(crate) attached: Vec<(String, Option<PolicyId>)>,
    /// The text of a policy of its own, where the rights are narrowed.
    pub(crate) scoped: Option<String>,
}

impl Identity {
    /// What to attach, if the giver holds it all.
    pub(crate) async fn resolve_rights(&self, op: &Op, by: &Caller, account: AccountId, rights: &Rights) -> Result<Given, IdentityError> {
        if rights.policies.len() > MAX || rights.repositories.len() > MAX {
            return Err(IdentityError::Limit { what: "policies or repositories in one request", max: 20 });
        }
        let defaulted = [DEFAULT.to_owned()];
        let narrowed = !rights.repositories.is_empty();
        let names = if narrowed && rights.policies.is_empty() { &defaulted[..] } else { &rights.policies };
        let mut attached = Vec::with_capacity(names.len());
        for name in names {
            attached.push((name.clone(), self.policy_id(account, name).await?));
        }
        let policies: Vec<_> = attached.iter().map(|(name, id)| (Arc::from(&**name), *id)).collect();
        let documents = self.access.documents(&policies).await?;
        if !narrowed {
            self.access.may_hand_over(op, by, &documents.iter().collect::<Vec<_>>()).await?;
            return Ok(Given { attached, scoped: None });
        }
        let document = narrow(&documents, account, rights)?;
        self.access.may_hand_over(op, by, &[&document]).await?;
        Ok(Given { attached: Vec::new(), scoped: Some(policy::ram::print(&document)) })
    }
}

/// The same rights over these repositories alone: actions on repositories and what is needed to log in; denials stay whole.
fn narrow(documents: &[Document], account: AccountId, rights: &Rights) -> Result<Document, IdentityError> {
    let instance = rights.instance.as_ref().ok_or(IdentityError::NotFound("instance"))?;
    let patterns = rights.repositories.iter().map(|text| pattern(account, instance, text)).collect::<Result<Vec<_>, _>>()?;
    let mut statements = Vec::new();
    for statement in documents.iter().flat_map(|document| &document.statements) {
        match statement.effect() {
            Effect::Deny => statements.push(statement.clone()),
            Effect::Allow => {
                let on_repositories = |action: &Action| action.resource_kind() == ResourceKind::Repository;
                let actions = statement.actions().iter().filter(on_repositories);
                let actions = actions.map(|a| ActionPattern::parse(a.as_str())).collect::<Result<Vec<_>, _>>();
                let actions = actions.map_err(|wanted| IdentityError::invalid("role", wanted))?;
                if !actions.is_empty() {
                    let matching = Matching::Action(actions);
                    statements.push(Statement::new(Effect::Allow, matching, patterns.clone(), statement.condition().to_vec()));
                }
            }
        }
    }
    if statements.iter().all(|statement| statement.effect() == Effect::Deny) {
        return Err(IdentityError::invalid("role", "it speaks of no repositories, so it cannot be narrowed to some"));
    }
    Ok(Document { statements })
}

/// `NAMESPACE/*`, `NAMESPACE/REPOSITORY` or a pattern of them, in the instance.
fn pattern(account: AccountId, instance: &OnInstance, text: &str) -> Result<ResourcePattern, IdentityError> {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"/._-*?".contains(&b);
    let root = if text.contains('/') { "" } else { "_/" };
    let fits = (1..=255).contains(&text.len()) && text.bytes().all(word) && !text.starts_with('/');
    let whole = format!("acs:cr:{}:{account}:repository/{}/{root}{text}", instance.region, instance.name);
    let wrong = || IdentityError::invalid("repositories", "a repository is NAMESPACE/REPOSITORY, all of a namespace are NAMESPACE/*");
    if fits { ResourcePattern::parse(&whole).map_err(|_| wrong()) } else { Err(wrong()) }
}
