//! Policies of namespaces and repositories: who else in the account may use them.

use access::{Permit, audit};
use model::{ActionKind, InstanceId, OnNamespace, OnRepository, Resource, Target, act};
use policy::{Document, PolicyError, ram};
use store::change::{self, Change};
use store::resource_policy::{self, Owner, ResourcePolicy};
use store::{StoreError, Tx, Work};

use crate::{Identity, IdentityError};

/// Policies of one instance's namespaces and repositories: every node keeps them all in memory.
const MAX: i64 = 1000;

/// A namespace or a repository.
pub trait Place: Target {
    /// What it is called when it is not there.
    const WHAT: &'static str;
    /// The instance that it is in.
    fn instance(&self) -> InstanceId;
    /// What its policy hangs on, if it is there.
    fn owner<'t>(&'t self, tx: &'t mut Tx<'_>) -> Work<'t, Option<Owner>, StoreError>;
}

impl Place for OnNamespace {
    const WHAT: &'static str = "namespace";

    fn instance(&self) -> InstanceId {
        self.instance.id
    }

    fn owner<'t>(&'t self, tx: &'t mut Tx<'_>) -> Work<'t, Option<Owner>, StoreError> {
        Box::pin(async move { Ok(store::namespace::by_name(tx, self.instance.id, &self.name).await?.map(|n| Owner::Namespace(n.id))) })
    }
}

impl Place for OnRepository {
    const WHAT: &'static str = "repository";

    fn instance(&self) -> InstanceId {
        self.instance.id
    }

    fn owner<'t>(&'t self, tx: &'t mut Tx<'_>) -> Work<'t, Option<Owner>, StoreError> {
        Box::pin(async move { Ok(store::repository::id_by_name(tx, self.instance.id, &self.name).await?.map(Owner::Repository)) })
    }
}

/// An action that shows a place's policy.
pub trait ShowsPolicy: ActionKind<On: Place> {}
/// An action that sets one.
pub trait SetsPolicy: ActionKind<On: Place> {}
/// An action that deletes one.
pub trait DeletesPolicy: ActionKind<On: Place> {}

impl ShowsPolicy for act::GetNamespacePolicy {}
impl ShowsPolicy for act::GetRepositoryPolicy {}
impl SetsPolicy for act::SetNamespacePolicy {}
impl SetsPolicy for act::SetRepositoryPolicy {}
impl DeletesPolicy for act::DeleteNamespacePolicy {}
impl DeletesPolicy for act::DeleteRepositoryPolicy {}

const NO_POLICY: IdentityError = IdentityError::NotFound("policy");

impl Identity {
    /// A place's policy.
    pub async fn show_resource_policy<A: ShowsPolicy>(&self, permit: Permit<A>) -> Result<ResourcePolicy, IdentityError> {
        self.policy_of(permit.on()).await?.ok_or(NO_POLICY)
    }

    /// Says who else may use a place, in the place of what was said before. Whoever says so holds all that they give, and all
    /// whose denial they take away.
    pub async fn set_resource_policy<A: SetsPolicy>(&self, permit: Permit<A>, document: &str) -> Result<ResourcePolicy, IdentityError> {
        let (on, now) = (permit.on(), permit.op().now);
        let new = ram::parse_resource_policy(document, &on.resource()).map_err(|e| unreadable(&e))?;
        let before = self.policy_of(on).await?;
        let old = read(before.as_ref(), &on.resource())?;
        self.may_replace(permit.op(), permit.by(), &old, &new).await?;
        let (before, record) = (&before, &permit.success());
        self.change(now, |tx| {
            Box::pin(async move {
                let owner = on.owner(tx).await?.ok_or(IdentityError::NotFound(A::On::WHAT))?;
                unchanged(tx, owner, before.as_ref()).await?;
                if before.is_none() && resource_policy::count(tx, on.instance()).await? >= MAX {
                    return Err(IdentityError::Limit { what: "policies of an instance's namespaces and repositories", max: MAX });
                }
                resource_policy::put(tx, on.instance(), owner, document, now).await?;
                change::append(tx, now, Change::ResourcePolicy(on.instance().as_i64())).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await?;
        Ok(ResourcePolicy { document: document.to_owned(), updated: now })
    }

    /// Deletes a place's policy. Whoever does holds all that it denied.
    pub async fn delete_resource_policy<A: DeletesPolicy>(&self, permit: Permit<A>) -> Result<(), IdentityError> {
        let (on, now) = (permit.on(), permit.op().now);
        let before = self.policy_of(on).await?.ok_or(NO_POLICY)?;
        let old = read(Some(&before), &on.resource())?;
        self.may_replace(permit.op(), permit.by(), &old, &Document::default()).await?;
        let (before, record) = (&before, &permit.success());
        self.change(now, |tx| {
            Box::pin(async move {
                let owner = on.owner(tx).await?.ok_or(IdentityError::NotFound(A::On::WHAT))?;
                unchanged(tx, owner, Some(before)).await?;
                resource_policy::delete(tx, owner).await?;
                change::append(tx, now, Change::ResourcePolicy(on.instance().as_i64())).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await
    }

    async fn policy_of<P: Place>(&self, on: &P) -> Result<Option<ResourcePolicy>, IdentityError> {
        let found = self.read(|tx| {
            Box::pin(async move {
                match on.owner(tx).await? {
                    Some(owner) => Ok(Some(resource_policy::of(tx, owner).await?)),
                    None => Ok(None),
                }
            })
        });
        found.await?.ok_or(IdentityError::NotFound(P::WHAT))
    }
}

fn read(kept: Option<&ResourcePolicy>, of: &Resource) -> Result<Document, IdentityError> {
    kept.map_or(Ok(Document::default()), |kept| ram::reread_resource_policy(&kept.document, of).map_err(|e| unreadable(&e)))
}

fn unreadable(error: &PolicyError) -> IdentityError {
    IdentityError::invalid("document", error.to_string())
}

/// Is the policy still the one that the caller's right to replace was looked at for?
async fn unchanged(tx: &mut Tx<'_>, owner: Owner, before: Option<&ResourcePolicy>) -> Result<(), IdentityError> {
    if resource_policy::of(tx, owner).await?.as_ref() == before {
        return Ok(());
    }
    Err(IdentityError::InUse("somebody else changed the policy meanwhile: look again, then try again".into()))
}
