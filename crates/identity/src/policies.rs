//! Policies: documents with versions, attached to users, groups, service accounts and roles.

use access::{Permit, audit};
use model::{AccountId, ActionKind, Caller, OnPolicy, OnPrincipal, PolicyId, PolicyName, Timestamp, act};
use policy::Document;
use store::change::{self, Change};
use store::policy::{Attachment, Policy, Version};
use store::{StoreError, Tx};

use crate::principals::{Leaving, checked_description, there};
use crate::{Held, Identity, IdentityError, Limits};

/// Limits of RAM (reference, section 3.2).
const MAX_POLICIES: i64 = 1500;
const MAX_VERSIONS: usize = 5;
/// Built-in policies have no date of their own: the day of the API's version.
pub const BUILT_IN_SINCE: Timestamp = Timestamp::from_millis(1_430_438_400_000);

/// A policy with the document in force; a built-in one has no id and one version.
#[derive(Clone, Debug)]
pub struct PolicyDetails {
    /// Its id; none: built in.
    pub id: Option<PolicyId>,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The version in force.
    pub version: i64,
    /// The document in force, as written.
    pub document: String,
    /// Made when; none: built in.
    pub created: Option<Timestamp>,
    /// Changed when; none: built in.
    pub updated: Option<Timestamp>,
    /// Principals that it is attached to.
    pub attachments: i64,
    /// The version in force was made when; none: built in.
    pub version_created: Option<Timestamp>,
}

/// Whether a new version is in force at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SetDefault {
    /// It is.
    Yes,
    /// The one before stays in force.
    No,
}

/// What happens when a policy has as many versions as it can have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rotate {
    /// There is no new one.
    Never,
    /// The oldest that is not in force goes.
    DropsOldest,
}

/// An action that attaches a policy.
pub trait Attaches: ActionKind<On = OnPrincipal> {}
/// An action that detaches one.
pub trait Detaches: ActionKind<On = OnPrincipal> {}
/// An action that lists what is attached.
pub trait ListsAttached: ActionKind<On = OnPrincipal> {}

impl Attaches for act::AttachPolicyToUser {}
impl Attaches for act::AttachPolicyToGroup {}
impl Attaches for act::AttachPolicyToServiceAccount {}
impl Attaches for act::AttachPolicyToRole {}
impl Detaches for act::DetachPolicyFromUser {}
impl Detaches for act::DetachPolicyFromGroup {}
impl Detaches for act::DetachPolicyFromServiceAccount {}
impl Detaches for act::DetachPolicyFromRole {}
impl ListsAttached for act::ListPoliciesForUser {}
impl ListsAttached for act::ListPoliciesForGroup {}
impl ListsAttached for act::ListPoliciesForServiceAccount {}
impl ListsAttached for act::ListPoliciesForRole {}

impl Identity {
    /// A policy by name, as something to ask a permit for: there or not.
    pub async fn policy(&self, caller: &Caller, name: &str) -> Result<OnPolicy, IdentityError> {
        let account = caller.known().ok_or(IdentityError::NotFound("policy"))?.account;
        if name.contains(char::is_control) {
            return Err(IdentityError::NotFound("policy"));
        }
        let found = self.read(|tx| Box::pin(store::policy::by_name(tx, account, name))).await?;
        Ok(OnPolicy { account, id: found.map(|p| p.id), name: name.chars().take(128).collect::<String>().into() })
    }

    /// Creates a policy; the error of a document that does not read points at the place.
    pub async fn create_policy(
        &self,
        permit: Permit<act::CreatePolicy>,
        description: &str,
        document: &str,
    ) -> Result<PolicyDetails, IdentityError> {
        let on = permit.on();
        let name = PolicyName::parse(&on.name).map_err(|e| IdentityError::invalid("name", e.rule))?;
        if policy::builtin(name.as_str()).is_some() {
            return Err(IdentityError::Taken { what: "built-in policy", name: name.to_string() });
        }
        read_document(document)?;
        let new = &Policy {
            id: PolicyId::from_random(self.dice.bits()),
            account: on.account,
            name: name.to_string(),
            description: checked_description(description)?,
            default_version: 1,
            last_version: 1,
            created: permit.op().now,
            updated: permit.op().now,
        };
        let record = &permit.success();
        self.change(permit.op().now, |tx| {
            Box::pin(async move {
                if store::policy::by_name(tx, new.account, &new.name).await?.is_some() {
                    return Err(IdentityError::Taken { what: "policy", name: new.name.clone() });
                }
                if store::policy::count(tx, new.account).await? >= MAX_POLICIES {
                    return Err(IdentityError::Limit { what: "policies an account", max: MAX_POLICIES });
                }
                store::policy::insert(tx, new, document).await?;
                change::append(tx, new.created, Change::Policy(new.id.as_i64())).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await?;
        Ok(details(new, document.to_owned()))
    }

    /// Policies by name, after `after`, at most `limit`; the built-in ones come with the first page.
    pub async fn list_policies(&self, permit: Permit<act::ListPolicies>, after: &str, limit: i64) -> Result<Vec<Policy>, IdentityError> {
        let account = permit.on().0;
        Ok(self.read(|tx| Box::pin(store::policy::list(tx, account, after, limit))).await?)
    }

    /// One policy with the document in force.
    pub async fn show_policy(&self, permit: Permit<act::GetPolicy>) -> Result<PolicyDetails, IdentityError> {
        let on = permit.on();
        let (account, name) = (on.account, &*on.name);
        let attachments = self.read(|tx| Box::pin(store::policy::holders_count(tx, account, name))).await?;
        if let Some(built_in) = policy::builtin(&on.name) {
            return Ok(PolicyDetails {
                id: None,
                name: on.name.to_string(),
                description: built_in.description.to_owned(),
                version: 1,
                document: policy::ram::print(built_in.document()),
                created: None,
                updated: None,
                attachments,
                version_created: None,
            });
        }
        let id = on.id.ok_or(IdentityError::NotFound("policy"))?;
        let read: Result<_, StoreError> = self
            .read(|tx| {
                Box::pin(async move {
                    let Some((policy, text)) = store::policy::document(tx, id).await? else { return Ok(None) };
                    let versions = store::policy::versions(tx, id).await?;
                    let made = versions.iter().find(|version| version.version == policy.default_version).map(|version| version.created);
                    Ok(Some((policy, text, made)))
                })
            })
            .await;
        let (policy, text, version_created) = read?.ok_or(IdentityError::NotFound("policy"))?;
        Ok(PolicyDetails { attachments, version_created, ..details(&policy, text) })
    }

    /// Says what a policy is for.
    pub async fn describe_policy(&self, permit: Permit<act::UpdatePolicyDescription>, description: &str) -> Result<Policy, IdentityError> {
        let id = permit.on().id.ok_or(IdentityError::NotFound("policy"))?;
        let (description, now, record) = (&checked_description(description)?, permit.op().now, &permit.success());
        self.change(now, |tx| {
            Box::pin(async move {
                if !store::policy::describe(tx, id, description, now).await? {
                    return Err(IdentityError::NotFound("policy"));
                }
                audit::write(tx, self.access.audit(), record).await?;
                store::policy::by_id(tx, id).await?.ok_or(IdentityError::NotFound("policy"))
            })
        })
        .await
    }

    /// Gives a policy a new document, in force at once unless told otherwise. At most five versions are kept.
    pub async fn create_policy_version(
        &self,
        permit: Permit<act::CreatePolicyVersion>,
        document: &str,
        default: SetDefault,
    ) -> Result<PolicyDetails, IdentityError> {
        self.create_policy_version_rotating(permit, document, default, Rotate::Never).await
    }

    /// The same; an old version may go for it.
    pub async fn create_policy_version_rotating(
        &self,
        permit: Permit<act::CreatePolicyVersion>,
        document: &str,
        default: SetDefault,
        rotate: Rotate,
    ) -> Result<PolicyDetails, IdentityError> {
        let new = read_document(document)?;
        let id = permit.on().id.ok_or(IdentityError::NotFound("policy"))?;
        let before = self.in_force(id).await?;
        if default == SetDefault::Yes {
            self.may_replace_version(permit.op(), permit.by(), permit.on(), (&before.1, &new)).await?;
        }
        let (permit, now, before) = (&permit, permit.op().now, before.0);
        self.change(now, |tx| {
            Box::pin(async move {
                let old = store::policy::by_id(tx, id).await?.ok_or(IdentityError::NotFound("policy"))?;
                unchanged(before, &old)?;
                let dropped = make_room(tx, &old, rotate).await?.map(|gone| format!(", v{gone} deleted")).unwrap_or_default();
                let version = old.last_version + 1;
                let in_force = if default == SetDefault::Yes { version } else { old.default_version };
                store::policy::insert_version(tx, id, version, document, now).await?;
                store::policy::set_versions(tx, id, version, in_force, now).await?;
                change::append(tx, now, Change::Policy(id.as_i64())).await?;
                audit::write(tx, self.access.audit(), &permit.success().with_detail(format!("v{version}{dropped}"))).await?;
                let new = Policy { default_version: in_force, last_version: version, updated: now, ..old };
                Ok(PolicyDetails { version, ..details(&new, document.to_owned()) })
            })
        })
        .await
    }

    /// A policy's version in force, and its document.
    async fn in_force(&self, id: PolicyId) -> Result<(i64, Document), IdentityError> {
        let found = self.read(|tx| Box::pin(store::policy::document(tx, id))).await?;
        let (policy, text) = found.ok_or(IdentityError::NotFound("policy"))?;
        Ok((policy.default_version, read_document(&text)?))
    }

    /// A policy's versions, oldest first, and the one in force.
    pub async fn list_policy_versions(&self, permit: Permit<act::ListPolicyVersions>) -> Result<(i64, Vec<Version>), IdentityError> {
        if let Some(built_in) = policy::builtin(&permit.on().name) {
            let document = policy::ram::print(built_in.document());
            return Ok((1, vec![Version { version: 1, document, created: BUILT_IN_SINCE }]));
        }
        let id = permit.on().id.ok_or(IdentityError::NotFound("policy"))?;
        let found = self
            .read(|tx| {
                Box::pin(async move {
                    let Some(policy) = store::policy::by_id(tx, id).await? else { return Ok(None) };
                    Ok::<_, StoreError>(Some((policy.default_version, store::policy::versions(tx, id).await?)))
                })
            })
            .await?;
        found.ok_or(IdentityError::NotFound("policy"))
    }

    /// Chooses the version in force.
    pub async fn set_default_policy_version(
        &self,
        permit: Permit<act::SetDefaultPolicyVersion>,
        version: i64,
    ) -> Result<(), IdentityError> {
        let id = permit.on().id.ok_or(IdentityError::NotFound("policy"))?;
        let (before, old) = self.in_force(id).await?;
        let versions = self.read(|tx| Box::pin(store::policy::versions(tx, id))).await?;
        let chosen = versions.into_iter().find(|v| v.version == version).ok_or(IdentityError::NotFound("policy version"))?;
        self.may_replace_version(permit.op(), permit.by(), permit.on(), (&old, &read_document(&chosen.document)?)).await?;
        let (now, record) = (permit.op().now, &permit.success().with_detail(format!("v{version}")));
        self.change(now, |tx| {
            Box::pin(async move {
                let old = store::policy::by_id(tx, id).await?.ok_or(IdentityError::NotFound("policy"))?;
                unchanged(before, &old)?;
                let there = store::policy::versions(tx, id).await?.iter().any(|v| v.version == version);
                if !there {
                    return Err(IdentityError::NotFound("policy version"));
                }
                store::policy::set_versions(tx, id, old.last_version, version, now).await?;
                change::append(tx, now, Change::Policy(id.as_i64())).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await
    }

    /// Deletes a version that is not in force.
    pub async fn delete_policy_version(&self, permit: Permit<act::DeletePolicyVersion>, version: i64) -> Result<(), IdentityError> {
        let id = permit.on().id.ok_or(IdentityError::NotFound("policy"))?;
        let record = &permit.success().with_detail(format!("v{version}"));
        self.change(permit.op().now, |tx| {
            Box::pin(async move {
                let policy = store::policy::by_id(tx, id).await?.ok_or(IdentityError::NotFound("policy"))?;
                if policy.default_version == version {
                    return Err(IdentityError::Holds(Held::InForce));
                }
                if !store::policy::delete_version(tx, id, version).await? {
                    return Err(IdentityError::NotFound("policy version"));
                }
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await
    }

    /// One version of a policy, and whether it is in force. Built-in policies have version 1 alone.
    pub async fn show_policy_version(&self, permit: Permit<act::GetPolicyVersion>, version: i64) -> Result<(bool, Version), IdentityError> {
        let missing = || IdentityError::NotFound("policy version");
        if let Some(built_in) = policy::builtin(&permit.on().name) {
            let document = policy::ram::print(built_in.document());
            return if version == 1 { Ok((true, Version { version, document, created: BUILT_IN_SINCE })) } else { Err(missing()) };
        }
        let id = permit.on().id.ok_or(IdentityError::NotFound("policy"))?;
        let read: Result<_, StoreError> = self
            .read(|tx| {
                Box::pin(async move {
                    let Some(policy) = store::policy::by_id(tx, id).await? else { return Ok(None) };
                    Ok(Some((policy.default_version, store::policy::versions(tx, id).await?)))
                })
            })
            .await;
        let (default, versions) = read?.ok_or(IdentityError::NotFound("policy"))?;
        let found = versions.into_iter().find(|one| one.version == version).ok_or_else(missing)?;
        Ok((found.version == default, found))
    }

    /// Deletes a policy that is attached to nobody.
    pub async fn delete_policy(&self, permit: Permit<act::DeletePolicy>) -> Result<(), IdentityError> {
        self.delete_policy_leaving(permit, Leaving::Nothing).await
    }

    /// Deletes a policy that is attached to nobody, whatever versions it has, or only if it has none but the one in force.
    pub async fn delete_policy_leaving(&self, permit: Permit<act::DeletePolicy>, left: Leaving) -> Result<(), IdentityError> {
        let id = permit.on().id.ok_or(IdentityError::NotFound("policy"))?;
        let (now, record) = (permit.op().now, &permit.success());
        let (account, name) = (permit.on().account, &*permit.on().name);
        self.change(now, |tx| {
            Box::pin(async move {
                unattached(tx, account, name, id).await?;
                if left == Leaving::NothingToLeave && store::policy::versions(tx, id).await?.len() > 1 {
                    return Err(IdentityError::Holds(Held::Version));
                }
                if !store::policy::delete(tx, id).await? {
                    return Err(IdentityError::NotFound("policy"));
                }
                change::append(tx, now, Change::Policy(id.as_i64())).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await
    }

    /// Attaches a policy of the account, or a built-in one. Attaching it again changes nothing.
    pub async fn attach_policy<A: Attaches>(&self, permit: Permit<A>, name: &str) -> Result<(), IdentityError> {
        self.attach_policy_within(permit, name, Limits::HOUSE).await.map(drop)
    }

    /// The same under these limits. False: it was attached already.
    pub async fn attach_policy_within<A: Attaches>(&self, permit: Permit<A>, name: &str, limits: Limits) -> Result<bool, IdentityError> {
        let (to, account, now) = (there(permit.on())?, permit.on().account, permit.op().now);
        let own = self.policy_id(account, name).await?;
        self.may_give(permit.op(), permit.by(), name, own).await?;
        let record = &permit.success().with_detail(name);
        self.change(now, |tx| {
            Box::pin(async move {
                // The policy may have gone, or another have come in its place, while the caller's right to give it was looked at.
                if store::policy::by_name(tx, account, name).await?.map(|p| p.id) != own {
                    return Err(IdentityError::NotFound("policy"));
                }
                let attached = store::policy::attachments(tx, to).await?;
                if attached.iter().any(|one| one.name == name) {
                    return Ok(false);
                }
                fits(&attached, own.is_some(), limits)?;
                store::policy::attach(tx, to, name, own, now).await?;
                change::append(tx, now, Change::Principal(to.as_i64())).await?;
                audit::write(tx, self.access.audit(), record).await?;
                Ok(true)
            })
        })
        .await
    }

    /// The id of the account's policy of this name; none for a built-in one.
    pub(crate) async fn policy_id(&self, account: AccountId, name: &str) -> Result<Option<PolicyId>, IdentityError> {
        let own: Result<_, StoreError> = self.read(|tx| Box::pin(store::policy::by_name(tx, account, name))).await;
        match own? {
            Some(own) => Ok(Some(own.id)),
            None if policy::builtin(name).is_some() => Ok(None),
            None => Err(IdentityError::NotFound("policy")),
        }
    }

    /// Detaches a policy.
    pub async fn detach_policy<A: Detaches>(&self, permit: Permit<A>, name: &str) -> Result<(), IdentityError> {
        let (from, now) = (there(permit.on())?, permit.op().now);
        let attached = self.read(|tx| Box::pin(store::policy::attachments(tx, from))).await?;
        let attached = attached.into_iter().find(|a| a.name == name).ok_or(IdentityError::NotFound("attached policy"))?;
        self.may_lift(permit.op(), permit.by(), name, attached.policy).await?;
        let record = &permit.success().with_detail(name);
        self.change(now, |tx| {
            Box::pin(async move {
                if !store::policy::detach(tx, from, name).await? {
                    return Err(IdentityError::NotFound("attached policy"));
                }
                change::append(tx, now, Change::Principal(from.as_i64())).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await
    }

    /// What is attached to somebody.
    pub async fn list_attachments<A: ListsAttached>(&self, permit: Permit<A>) -> Result<Vec<Attachment>, IdentityError> {
        let to = there(permit.on())?;
        Ok(self.read(|tx| Box::pin(store::policy::attachments(tx, to))).await?)
    }
}

/// Room for one more version; what went for it.
async fn make_room(tx: &mut Tx<'_>, policy: &Policy, rotate: Rotate) -> Result<Option<i64>, IdentityError> {
    let versions = store::policy::versions(tx, policy.id).await?;
    if versions.len() < MAX_VERSIONS {
        return Ok(None);
    }
    let oldest = versions.iter().map(|one| one.version).find(|version| *version != policy.default_version);
    match (rotate, oldest) {
        (Rotate::DropsOldest, Some(oldest)) => {
            store::policy::delete_version(tx, policy.id, oldest).await?;
            Ok(Some(oldest))
        }
        _ => Err(IdentityError::Limit { what: "versions a policy", max: 5 }),
    }
}

/// Whoever it is attached to has to lose it first; what it guards, too.
async fn unattached(tx: &mut Tx<'_>, account: AccountId, name: &str, id: PolicyId) -> Result<(), IdentityError> {
    if let Some((holder, _)) = store::account::holders(tx, account, name, 0, 1).await?.first() {
        return Err(IdentityError::Holds(Held::Holder(holder.kind)));
    }
    if store::policy::attached_to(tx, id).await? > 0 {
        return Err(IdentityError::Holds(Held::Account));
    }
    Ok(())
}

/// Is there room for one more of this sort?
fn fits(attached: &[Attachment], own: bool, limits: Limits) -> Result<(), IdentityError> {
    let count = |own: Option<bool>| attached.iter().filter(|one| own.is_none_or(|own| one.policy.is_some() == own)).count();
    let of_sort = if own { limits.own_attached } else { limits.built_in_attached };
    for (count, max) in [(count(None), limits.attached), (count(Some(own)), of_sort)] {
        if i64::try_from(count).is_ok_and(|count| count >= max) {
            return Err(IdentityError::Limit { what: "policies attached to one", max });
        }
    }
    Ok(())
}

fn read_document(text: &str) -> Result<Document, IdentityError> {
    policy::ram::parse(text).map_err(|e| IdentityError::invalid("document", e.to_string()))
}

/// Is the version in force still the one that the caller's right to replace was looked at for?
fn unchanged(before: i64, now: &Policy) -> Result<(), IdentityError> {
    if now.default_version == before {
        return Ok(());
    }
    Err(IdentityError::InUse("somebody else changed the policy meanwhile: look again, then try again".into()))
}

fn details(policy: &Policy, document: String) -> PolicyDetails {
    PolicyDetails {
        id: Some(policy.id),
        name: policy.name.clone(),
        description: policy.description.clone(),
        version: policy.default_version,
        document,
        created: Some(policy.created),
        updated: Some(policy.updated),
        attachments: 0,
        version_created: Some(policy.updated),
    }
}
