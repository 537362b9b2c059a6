//! Sessions: a role for a while (STS). Rights are the role's, within the session's own policy; a session ends at its time, and
//! with the role and with whatever assumed it.

use access::{LONGEST_CHAIN, Permit, Refusal, audit};
use model::{
    Action, Caller, CredentialId, CredentialKind, Known, OnPrincipal, Op, PrincipalKind, ProviderId, Seconds, Target as _, Timestamp, act,
};
use policy::{Context, Effective, Key, Who};
use secrets::{Kind, Plain, Row};
use store::credential::{self, Credential, Kept};
use store::role::{self, Session};

use crate::principals::there;
use crate::roles::read_trust;
use crate::{Identity, IdentityError};

const SHORTEST: Seconds = Seconds::minutes(15);
const DEFAULT: Seconds = Seconds::hours(1);
/// A session's own policy, in characters (STS, AssumeRole).
const LONGEST_POLICY: usize = 2048;

/// A session that is asked for.
#[derive(Clone, Debug, Default)]
pub struct AssumeRole {
    /// What to call it: 2 to 64 letters, digits and `. @ - _`.
    pub session_name: String,
    /// How long it lasts: 15 minutes to the role's maximum; an hour unless told.
    pub lasts: Option<Seconds>,
    /// What bounds the role's rights for this session.
    pub policy: Option<String>,
    /// What shows the role's owner that it is really meant.
    pub external_id: Option<String>,
    /// Who stands behind the session.
    pub source_identity: Option<String>,
}

/// A session's key: the only time that its secrets are seen.
#[derive(Debug)]
pub struct NewSession {
    /// The role.
    pub role: OnPrincipal,
    /// What it is called.
    pub name: String,
    /// The key's public half.
    pub access_key_id: String,
    /// The key's secret.
    pub access_key_secret: Plain,
    /// What goes with the key.
    pub security_token: Plain,
    /// When it ends.
    pub expires: Timestamp,
    /// The stored credential.
    pub credential: CredentialId,
}

/// Who gets a session: by what it is bounded in time, and what it ends with.
pub(crate) struct Behind {
    pub(crate) parent: Option<CredentialId>,
    pub(crate) ends: Option<Timestamp>,
    /// The provider that vouches for whoever asks, and for whom, where they have no other credential.
    pub(crate) vouched: Option<(ProviderId, String)>,
}

impl Identity {
    /// Assumes a role, if its trust policy lets the caller. The root user cannot: it would be bound by less than it is.
    pub async fn assume_role(&self, permit: Permit<act::AssumeRole>, wanted: &AssumeRole) -> Result<NewSession, IdentityError> {
        let op = permit.op();
        let known = permit.by().known().ok_or(Refusal::Unauthenticated)?;
        if known.kind == PrincipalKind::Root {
            return Err(IdentityError::invalid("role", "the root user cannot assume roles: use a user or a service account"));
        }
        // A role that is not there trusts nobody: the same answer.
        let not_trusted = || Refusal::Denied { action: Action::AssumeRole, resource: permit.on().resource() };
        let id = there(permit.on()).map_err(|_| not_trusted())?;
        let trust = read_trust(permit.on().account, &self.role(id).await?.trust)?;
        let context = Context::from(op).by(self.who(known).await?);
        let context = wanted.facts().into_iter().fold(context, |context, (key, value)| context.with(key, value));
        if trust.evaluate(&context).effective != Effective::Allowed {
            self.access.audit().note(permit.denied("the role does not trust the caller")).await;
            return Err(not_trusted().into());
        }
        self.chain_is_short(known).await?;
        self.new_session(
            op,
            permit.by(),
            permit.on(),
            wanted,
            Behind { parent: Some(known.credential.id), ends: known.ends, vouched: None },
        )
        .await
    }

    /// A session of a role, once it is settled that the caller may have it.
    pub(crate) async fn new_session(
        &self,
        op: &Op,
        by: &Caller,
        on: &OnPrincipal,
        wanted: &AssumeRole,
        behind: Behind,
    ) -> Result<NewSession, IdentityError> {
        let role = there(on)?;
        let lasts = checked_life(wanted.lasts, self.role(role).await?.max_session)?;
        let ends = behind.ends.map_or(op.now.plus(lasts), |end| end.min(op.now.plus(lasts)));
        wanted.check()?;
        let blank = match &behind.vouched {
            None => self.blank(op, by, on, CredentialKind::Session)?,
            Some((provider, whom)) => {
                Credential { provider: Some(*provider), ..self.blank_by(op, (role, whom), on, CredentialKind::Session)? }
            }
        };
        let access_key_id = self.dice.with(|random| secrets::generate_session_key_id(random));
        let secret = self.dice.with(|random| secrets::generate(Kind::AccessKeySecret, random));
        let token = self.dice.with(|random| secrets::generate(Kind::SecurityToken, random));
        let row = Row { noun: "credential.sealed", id: &access_key_id };
        let sealed = self.dice.with(|random| self.keeper.sealing.seal(&secret, row, random)).map_err(|_| IdentityError::Sealing)?;
        let key = &Credential {
            description: wanted.session_name.clone(),
            access_key_id: Some(access_key_id.clone()),
            expires: Some(ends),
            ..blank
        };
        let kept = &Kept::Sealed(sealed.as_bytes().to_vec(), *self.keeper.pepper.hash(&secret).as_bytes());
        let session = &Session {
            credential: key.id,
            role,
            name: wanted.session_name.clone(),
            source_identity: wanted.source_identity.clone(),
            policy: wanted.policy.clone(),
            token_hash: *self.keeper.pepper.hash(&token).as_bytes(),
            parent: behind.parent,
        };
        let whom = behind.vouched.map(|(_, whom)| format!(" for {whom}")).unwrap_or_default();
        let detail = format!("session {} until {ends}{whom}", wanted.session_name);
        let record =
            &access::Record::new(op, by, Action::AssumeRole.as_str(), &on.resource(), access::Outcome::Success).with_detail(detail);
        self.change(op.now, |tx| {
            Box::pin(async move {
                credential::insert(tx, key, None, kept).await?;
                role::insert_session(tx, session).await?;
                Ok::<_, IdentityError>(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await?;
        Ok(NewSession {
            role: on.clone(),
            name: wanted.session_name.clone(),
            access_key_id,
            access_key_secret: secret,
            security_token: token,
            expires: ends,
            credential: key.id,
        })
    }

    /// A caller as trust policies name them.
    async fn who(&self, known: &Known) -> Result<Who, IdentityError> {
        let rights = self.access.directory().principal(known.principal).await?.ok_or(Refusal::Unauthenticated)?;
        Ok(self.access.who(&rights).await?)
    }

    async fn chain_is_short(&self, known: &Known) -> Result<(), IdentityError> {
        let (mut at, mut steps) = (Some(known.credential.id), 0);
        while let Some(session) = match at {
            Some(key) => self.access.directory().session(key).await?,
            None => None,
        } {
            (at, steps) = (session.parent, steps + 1);
        }
        if steps < LONGEST_CHAIN {
            return Ok(());
        }
        Err(IdentityError::invalid("role", "a role was assumed by a role three times already: begin with a user or service account"))
    }

    /// Drops sessions that ended a day ago, at most `limit`; how many they were. For the job that holds its lease.
    pub async fn prune_sessions(&self, now: Timestamp, limit: i64) -> Result<u64, IdentityError> {
        let before = Timestamp::from_millis(now.millis() - Seconds::days(1).0 * 1000);
        Ok(self.store.write(|tx| Box::pin(role::prune_sessions(tx, before, limit))).await?)
    }
}

impl AssumeRole {
    /// What a trust policy's conditions can ask of.
    fn facts(&self) -> Vec<(Key, &str)> {
        let external = self.external_id.as_deref().map(|id| (Key::ExternalId, id));
        let source = self.source_identity.as_deref().map(|who| (Key::SourceIdentity, who));
        [external, source, Some((Key::RoleSessionName, &*self.session_name))].into_iter().flatten().collect()
    }

    fn check(&self) -> Result<(), IdentityError> {
        let word = |text: &str, least: usize| {
            (least..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".@-_=,".contains(&b))
        };
        if !word(&self.session_name, 2) {
            return Err(IdentityError::invalid("session_name", "2 to 64 letters, digits and . @ - _ = ,"));
        }
        if self.source_identity.as_deref().is_some_and(|text| !word(text, 2)) {
            return Err(IdentityError::invalid("source_identity", "2 to 64 letters, digits and . @ - _ = ,"));
        }
        let Some(text) = &self.policy else { return Ok(()) };
        if text.chars().count() > LONGEST_POLICY {
            return Err(IdentityError::invalid("policy", "at most 2048 characters"));
        }
        policy::ram::parse(text).map(drop).map_err(|e| IdentityError::invalid("policy", e.to_string()))
    }
}

fn checked_life(asked: Option<Seconds>, most: Seconds) -> Result<Seconds, IdentityError> {
    match asked {
        None => Ok(DEFAULT.min(most)),
        Some(asked) if (SHORTEST..=most).contains(&asked) => Ok(asked),
        Some(_) => Err(IdentityError::invalid("duration", format!("900 to {} seconds: the role's longest session", most.0))),
    }
}
