//! Why a request was denied, sealed: whoever was denied carries it to somebody who may read it, and learns nothing from it.

use access::{Permit, Question, Refusal};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::{AccountId, Action, Caller, CredentialKind, Op, Resource, Timestamp, act};
use policy::Effective;
use secrets::{Plain, Row, Sealed};
use serde::{Deserialize, Serialize};

use crate::{Identity, IdentityError};

const NOUN: &str = "diagnostic_message";
/// The longest message that is read, in bytes.
const LONGEST: usize = 16 * 1024;

/// Why a request was denied.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Diagnosis {
    /// The action, in RAM's spelling.
    pub action: String,
    /// What it was to be done to.
    pub resource: String,
    /// Who wanted to, as the trail names them.
    pub principal: String,
    /// Their numeric id.
    pub principal_id: String,
    /// From where.
    pub source_ip: String,
    /// When.
    pub time: Timestamp,
    /// In which request.
    pub request_id: String,
    /// Did a statement deny it, or did none allow it?
    pub explicit_deny: bool,
    /// The policy that denied.
    pub policy: Option<String>,
    /// Its statement, counted from 1.
    pub statement: Option<usize>,
    /// A sentence for people.
    pub reason: String,
}

impl Identity {
    /// Why the caller may not do this: for whoever renders the refusal. None for nobody in particular.
    pub async fn diagnose(&self, op: &Op, caller: &Caller, action: Action, resource: &Resource) -> Result<Option<Diagnosis>, Refusal> {
        let Some(known) = caller.known() else { return Ok(None) };
        let session = Some(known.credential.id).filter(|_| known.credential.kind == CredentialKind::Session);
        let question = Question { action, resource: resource.clone(), from: op.source_ip, at: op.now, session };
        let said = self.access.explain(known.principal, &question, None).await?.explanation;
        Ok(Some(Diagnosis {
            action: action.as_str().to_owned(),
            resource: resource.to_string(),
            principal: known.name.to_string(),
            principal_id: known.principal.to_string(),
            source_ip: op.source_ip.to_string(),
            time: op.now,
            request_id: op.request_id.to_string(),
            explicit_deny: said.effective == Effective::Denied,
            policy: said.policy,
            statement: said.statement,
            reason: said.reason,
        }))
    }

    /// A diagnosis as its subject may carry it: opaque, and of use in its own account alone.
    pub fn seal_diagnosis(&self, account: AccountId, diagnosis: &Diagnosis) -> Result<String, IdentityError> {
        let text = serde_json::to_string(diagnosis).map_err(|_| IdentityError::Sealing)?;
        let plain = Plain::new(text).map_err(|_| IdentityError::Sealing)?;
        let id = account.to_string();
        let row = Row { noun: NOUN, id: &id };
        let sealed = self.dice.with(|random| self.keeper.sealing.seal(&plain, row, random)).map_err(|_| IdentityError::Sealing)?;
        Ok(URL_SAFE_NO_PAD.encode(sealed.as_bytes()))
    }

    /// Reads a sealed diagnosis of the account.
    pub fn decode_diagnosis(&self, permit: &Permit<act::DecodeDiagnosticMessage>, encoded: &str) -> Result<Diagnosis, IdentityError> {
        let unreadable = || IdentityError::invalid("encoded_diagnostic_message", "it is none of this account's, or was changed");
        if encoded.len() > LONGEST {
            return Err(unreadable());
        }
        let id = permit.on().0.to_string();
        let sealed = Sealed::from_bytes(URL_SAFE_NO_PAD.decode(encoded).map_err(|_| unreadable())?);
        let plain = self.keeper.sealing.open(&sealed, Row { noun: NOUN, id: &id }).map_err(|_| unreadable())?;
        serde_json::from_str(plain.reveal()).map_err(|_| unreadable())
    }
}
