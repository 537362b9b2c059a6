//! Groups: users together, who have the group's policies too.

use access::{Permit, audit};
use model::{GroupName, OnPrincipal, PrincipalKind, act};
use store::account::{self, Principal};
use store::change::{self, Change};

use crate::principals::{checked_description, insert, there};
use crate::{Identity, IdentityError};

/// Groups that one user can be in.
const MAX_GROUPS: usize = 50;

impl Identity {
    /// Creates a group.
    pub async fn create_group(&self, permit: Permit<act::CreateGroup>, description: &str) -> Result<Principal, IdentityError> {
        let on = permit.on();
        let name = GroupName::parse(&on.name).map_err(|e| IdentityError::invalid("name", e.rule))?;
        let blank = self.new_principal(on.account, PrincipalKind::Group, name.as_str(), permit.op().now);
        let group = Principal { description: checked_description(description)?, ..blank };
        let (new, record) = (&group, &permit.success());
        self.change(permit.op().now, |tx| {
            Box::pin(async move {
                insert(tx, new).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await?;
        Ok(group)
    }

    /// Groups by name, after `after`, at most `limit`.
    pub async fn list_groups(&self, permit: Permit<act::ListGroups>, after: &str, limit: i64) -> Result<Vec<Principal>, IdentityError> {
        self.listed(permit.on().0, PrincipalKind::Group, after, limit).await
    }

    /// One group.
    pub async fn show_group(&self, permit: Permit<act::GetGroup>) -> Result<Principal, IdentityError> {
        self.shown(&permit).await
    }

    /// Says what a group is for.
    pub async fn describe_group(&self, permit: Permit<act::UpdateGroup>, description: &str) -> Result<Principal, IdentityError> {
        let (id, description) = (there(permit.on())?, &checked_description(description)?);
        let (now, record) = (permit.op().now, &permit.success());
        self.change(now, |tx| {
            Box::pin(async move {
                account::describe(tx, id, description, None).await?;
                audit::write(tx, self.access.audit(), record).await?;
                account::principal_by_id(tx, id).await?.ok_or(IdentityError::NotFound("group"))
            })
        })
        .await
    }

    /// Deletes a group. Its users stay, and lose what they had through it: what it denied them too, so whoever deletes it must
    /// hold that.
    pub async fn delete_group(&self, permit: Permit<act::DeleteGroup>) -> Result<(), IdentityError> {
        self.may_lift_all(permit.op(), permit.by(), there(permit.on())?).await?;
        self.delete_principal(permit.op(), permit.on(), &permit.success()).await
    }

    /// Takes a user into a group: gives them what the group holds.
    pub async fn add_user_to_group(&self, permit: Permit<act::AddUserToGroup>, user: &OnPrincipal) -> Result<(), IdentityError> {
        let (group, member) = (there(permit.on())?, there(user)?);
        if user.kind != PrincipalKind::User || user.account != permit.on().account {
            return Err(IdentityError::NotFound("user"));
        }
        self.access.may_stand_in_for(permit.op(), permit.by(), group).await?;
        let (now, record) = (permit.op().now, &permit.success().with_detail(format!("user/{}", user.name)));
        self.change(now, |tx| {
            Box::pin(async move {
                if account::groups_of(tx, member).await?.len() >= MAX_GROUPS {
                    return Err(IdentityError::Limit { what: "groups a user", max: 50 });
                }
                account::join(tx, group, member, now).await?;
                change::append(tx, now, Change::Principal(member.as_i64())).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await
    }

    /// Takes a user out of a group; what the group denied them ends too.
    pub async fn remove_user_from_group(&self, permit: Permit<act::RemoveUserFromGroup>, user: &OnPrincipal) -> Result<(), IdentityError> {
        let (group, member) = (there(permit.on())?, there(user)?);
        self.may_lift_all(permit.op(), permit.by(), group).await?;
        let (now, record) = (permit.op().now, &permit.success().with_detail(format!("user/{}", user.name)));
        self.change(now, |tx| {
            Box::pin(async move {
                if !account::leave(tx, group, member).await? {
                    return Err(IdentityError::NotFound("member"));
                }
                change::append(tx, now, Change::Principal(member.as_i64())).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await
    }

    /// A group's users by name, after `after`, at most `limit`.
    pub async fn list_group_users(
        &self,
        permit: Permit<act::ListUsersForGroup>,
        after: &str,
        limit: i64,
    ) -> Result<Vec<Principal>, IdentityError> {
        let group = there(permit.on())?;
        Ok(self.read(|tx| Box::pin(account::members(tx, group, after, limit))).await?)
    }

    /// The groups that a user is in.
    pub async fn list_user_groups(&self, permit: Permit<act::ListGroupsForUser>) -> Result<Vec<Principal>, IdentityError> {
        let user = there(permit.on())?;
        Ok(self.read(|tx| Box::pin(account::groups_of(tx, user))).await?)
    }
}
