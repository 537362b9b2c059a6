//! Principals, sessions and documents: what rights are decided by, read together.

use std::sync::Arc;

use model::{AccountId, CredentialId, InstanceId, PolicyId, PrincipalId, PrincipalKind, Timestamp};
use store::account::{Account, Principal};
use store::change;
use store::{StoreError, Tx};

use super::{Directory, Found};

/// Policies that are attached: by id, or built in by name.
pub type Attached = Vec<(Arc<str>, Option<PolicyId>)>;

/// A principal and the names of what is attached to it.
#[derive(Debug)]
pub struct PrincipalRights {
    /// The principal.
    pub id: PrincipalId,
    /// Its account.
    pub account: AccountId,
    /// What kind.
    pub kind: PrincipalKind,
    /// Its name.
    pub name: Arc<str>,
    /// Disabled principals are nobody.
    pub enabled: bool,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
    /// An admin user's one instance.
    pub instance: Option<InstanceId>,
    /// Its policies: by id, or built in by name.
    pub policies: Attached,
    /// The groups it is in, whose policies it has too.
    pub groups: Vec<PrincipalId>,
}

impl PrincipalRights {
    /// Is it somebody now? (Its account is asked for by [`Directory::somebody`].)
    pub fn holds(&self, now: Timestamp) -> bool {
        self.enabled && self.expires.is_none_or(|end| end > now)
    }
}

/// A role that is assumed for a while.
#[derive(Debug)]
pub struct SessionRights {
    /// What whoever assumed it called it.
    pub name: Arc<str>,
    /// Who is behind it, as whoever assumed it says.
    pub source_identity: Option<Arc<str>>,
    /// What bounds the role's rights; none: nothing.
    pub policy: Option<policy::Document>,
    /// The keyed hash of its security token.
    pub token_hash: [u8; 32],
    /// The credential that assumed it: the session ends with it.
    pub parent: Option<CredentialId>,
}

/// A policy's document in force.
#[derive(Debug)]
pub(crate) struct InForce {
    pub(crate) document: policy::Document,
}

/// A principal with what its rights are decided by.
struct Loaded {
    rights: PrincipalRights,
    groups: Vec<PrincipalRights>,
    policies: Vec<(PolicyId, InForce)>,
    account: Option<Account>,
    guards: Option<(Attached, Vec<(PolicyId, InForce)>)>,
}

impl Directory {
    /// A principal and what is attached to it. What its rights are decided by comes with it in one read: its groups, its account,
    /// and the documents that are not known yet.
    pub async fn principal(&self, id: PrincipalId) -> Result<Option<Arc<PrincipalRights>>, StoreError> {
        let _turn = match self.look(&self.principals, &id).await? {
            Found::Known(known) => return Ok(Some(known)),
            Found::Missing(turn) => turn,
        };
        let read = self.store.read(|tx| Box::pin(async move { Ok((change::head(tx).await?, self.load(tx, id).await?)) }));
        let (head, loaded): (i64, _) = read.await?;
        let Some(loaded) = loaded else { return Ok(None) };
        let rights = Arc::new(loaded.rights);
        self.keep(head, || {
            self.principals.insert(id, Arc::clone(&rights));
            loaded.groups.into_iter().for_each(|group| self.principals.insert(group.id, Arc::new(group)));
            loaded.policies.into_iter().for_each(|(id, policy)| self.policies.insert(id, Arc::new(policy)));
            loaded.account.into_iter().for_each(|account| self.accounts.insert(account.id, Arc::new(account)));
            if let Some((guards, policies)) = loaded.guards {
                self.guards.insert(rights.account, Arc::new(guards));
                for (id, policy) in policies {
                    self.policies.insert(id, Arc::new(policy));
                }
            }
        });
        Ok(Some(rights))
    }

    async fn load(&self, tx: &mut Tx<'_>, id: PrincipalId) -> Result<Option<Loaded>, StoreError> {
        let Some(rights) = rights(tx, id).await? else { return Ok(None) };
        let mut groups = Vec::new();
        for group in rights.groups.iter().filter(|group| !self.principals.has(*group)) {
            groups.extend(self::rights(tx, *group).await?);
        }
        let policies = self.unknown(tx, groups.iter().chain([&rights]).flat_map(|holder| &holder.policies)).await?;
        let account = if self.accounts.has(&rights.account) { None } else { store::account::account_by_id(tx, rights.account).await? };
        let guards = if self.guards.has(&rights.account) {
            None
        } else {
            let guards = named(store::guard::of_account(tx, rights.account).await?);
            let policies = self.unknown(tx, guards.iter()).await?;
            Some((guards, policies))
        };
        Ok(Some(Loaded { rights, groups, policies, account, guards }))
    }

    /// The documents that are not known yet, of those that are attached.
    async fn unknown<'a>(
        &self,
        tx: &mut Tx<'_>,
        attached: impl Iterator<Item = &'a (Arc<str>, Option<PolicyId>)>,
    ) -> Result<Vec<(PolicyId, InForce)>, StoreError> {
        let mut policies = Vec::new();
        for (_, policy) in attached {
            let Some(policy) = policy.filter(|policy| !self.policies.has(policy)) else { continue };
            policies.extend(in_force(tx, policy).await?.map(|found| (policy, found)));
        }
        Ok(policies)
    }

    /// A principal, if it is somebody now: enabled, not at its end, in an account that is not suspended.
    pub async fn somebody(&self, id: PrincipalId, now: Timestamp) -> Result<Option<Arc<PrincipalRights>>, StoreError> {
        let Some(rights) = self.principal(id).await?.filter(|rights| rights.holds(now)) else { return Ok(None) };
        let account = self.account(rights.account).await?;
        Ok(account.is_some_and(|account| account.enabled).then_some(rights))
    }

    /// A role's session, by its key.
    pub async fn session(&self, key: CredentialId) -> Result<Option<Arc<SessionRights>>, StoreError> {
        self.shelved(&self.sessions, key, |tx| Box::pin(async move { Ok((change::head(tx).await?, session(tx, key).await?)) })).await
    }

    /// What bounds everybody in an account.
    pub(crate) async fn guards(&self, account: AccountId) -> Result<Option<Arc<Attached>>, StoreError> {
        self.shelved(&self.guards, account, |tx| {
            Box::pin(async move { Ok((change::head(tx).await?, Some(named(store::guard::of_account(tx, account).await?)))) })
        })
        .await
    }

    /// A policy's document in force. `Corrupt` when its text no longer reads: that must never widen a right.
    pub(crate) async fn in_force(&self, id: PolicyId) -> Result<Option<Arc<InForce>>, StoreError> {
        self.shelved(&self.policies, id, |tx| Box::pin(async move { Ok((change::head(tx).await?, in_force(tx, id).await?)) })).await
    }
}

async fn rights(tx: &mut Tx<'_>, id: PrincipalId) -> Result<Option<PrincipalRights>, StoreError> {
    let Some(p) = store::account::principal_by_id(tx, id).await? else { return Ok(None) };
    let attached = store::policy::attachments(tx, id).await?;
    let policies = named(attached);
    let groups = store::account::groups_of(tx, id).await?.into_iter().map(|group| group.id).collect();
    let Principal { account, kind, name, enabled, expires, instance, .. } = p;
    Ok(Some(PrincipalRights { id, account, kind, name, enabled, expires, instance, policies, groups }))
}

fn named(attached: Vec<store::policy::Attachment>) -> Attached {
    attached.into_iter().map(|a| (Arc::from(a.name), a.policy)).collect()
}

async fn session(tx: &mut Tx<'_>, key: CredentialId) -> Result<Option<SessionRights>, StoreError> {
    let Some(s) = store::role::session(tx, key).await? else { return Ok(None) };
    let read = |text: String| policy::ram::parse(&text).map_err(|_| StoreError::corrupt("session.policy"));
    Ok(Some(SessionRights {
        name: s.name.into(),
        source_identity: s.source_identity.map(Into::into),
        policy: s.policy.map(read).transpose()?,
        token_hash: s.token_hash,
        parent: s.parent,
    }))
}

async fn in_force(tx: &mut Tx<'_>, id: PolicyId) -> Result<Option<InForce>, StoreError> {
    let Some((_, text)) = store::policy::document(tx, id).await? else { return Ok(None) };
    let document = policy::ram::parse(&text).map_err(|_| StoreError::corrupt("policy_version.document"))?;
    Ok(Some(InForce { document }))
}
