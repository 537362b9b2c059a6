//! Why may, or may not, somebody do something? Asked about principals that do not call.

use std::net::IpAddr;
use std::sync::Arc;

use model::{Action, CredentialId, PrincipalId, PrincipalKind, Resource, Timestamp};
use policy::{Context, Effective, Explanation, Request};

use crate::decide::{is_of_server, is_root_of};
use crate::gather::{Place, Standing};
use crate::layers::{Document, Entry, Explained, Layer};
use crate::{Access, PrincipalRights, Refusal};

/// One request that somebody might make.
#[derive(Clone, Debug)]
pub struct Question {
    /// What is to be done.
    pub action: Action,
    /// To what.
    pub resource: Resource,
    /// From where.
    pub from: IpAddr,
    /// When.
    pub at: Timestamp,
    /// In this session of a role, whose own policy bounds it.
    pub session: Option<CredentialId>,
}

/// A document that is not stored: what would it do?
#[derive(Clone, Debug)]
pub struct Proposed {
    /// The document.
    pub document: Arc<policy::Document>,
    /// Does it stand in the place of what is attached, instead of beside it?
    pub instead: bool,
}

impl Access {
    /// Why may, or may not, a principal do what the question says, as things stand or with a proposed document?
    pub async fn explain(&self, principal: PrincipalId, question: &Question, proposed: Option<&Proposed>) -> Result<Explained, Refusal> {
        let Some(rights) = self.directory().principal(principal).await? else { return Err(Refusal::NotFound) };
        let said = match self.aside_from_policies(&rights, question).await? {
            Some(said) => said,
            None => self.by_policies(rights, question, proposed).await?,
        };
        let is_silent = said.explanation.effective == Effective::NotSaid;
        if is_silent && self.is_public(question.action, &question.resource).await? {
            return Ok(Explained::by(Explanation::allowed("the repository or its namespace is public"), Some(Layer::Public)));
        }
        Ok(said)
    }

    /// What is decided before any policy is asked.
    async fn aside_from_policies(&self, rights: &PrincipalRights, question: &Question) -> Result<Option<Explained>, Refusal> {
        let account = self.directory().account(rights.account).await?;
        if !rights.holds(question.at) || !account.is_some_and(|account| account.enabled) {
            let reason = format!("the {} is disabled or at its end", rights.kind.words());
            return Ok(Some(Explained::by(Explanation::refused(&reason), None)));
        }
        if rights.account != question.resource.account() {
            return Ok(Some(Explained::by(Explanation::refused("it belongs to another account"), None)));
        }
        if is_of_server(question.action) && self.directory().first_account().await? != Some(rights.account) {
            let refused = Explanation::refused("this is done to the server as a whole: its first account does it");
            return Ok(Some(Explained::by(refused, None)));
        }
        if rights.kind == PrincipalKind::Root {
            let allowed = Explanation::allowed("the root user is not bound by policies");
            return Ok(Some(Explained::by(allowed, Some(Layer::Root))));
        }
        if is_root_of(&question.resource, rights) {
            let refused = Explanation::refused("nobody but the root user touches the root user's keys and passwords");
            return Ok(Some(Explained::by(refused, None)));
        }
        Ok(None)
    }

    async fn by_policies(
        &self,
        rights: Arc<PrincipalRights>,
        question: &Question,
        proposed: Option<&Proposed>,
    ) -> Result<Explained, Refusal> {
        let session = match question.session {
            Some(key) => Some(self.session_of(&rights, key).await?),
            None => None,
        };
        let mut layers = self.layers(&Standing { rights, session }, Place::On(&question.resource)).await?;
        if let Some(proposed) = proposed {
            if proposed.instead {
                layers.own.retain(|entry| entry.layer == Layer::Resource);
            }
            let document = Document::Proposed(Arc::clone(&proposed.document));
            layers.own.push(Entry { layer: Layer::Proposed, name: "(proposed)".into(), document });
        }
        let context = layers.context(Context::new(question.at, question.from, true).within(&self.networks().by_address(question.from)));
        Ok(layers.explain(&Request { action: question.action, resource: &question.resource, context: &context }))
    }

    async fn session_of(&self, rights: &PrincipalRights, key: CredentialId) -> Result<Arc<crate::SessionRights>, Refusal> {
        let credential = self.directory().credential(key).await?;
        let owned = rights.kind == PrincipalKind::Role && credential.is_some_and(|credential| credential.principal == rights.id);
        let session = if owned { self.directory().session(key).await? } else { None };
        session.ok_or(Refusal::NotFound)
    }
}
