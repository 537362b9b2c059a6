//! Groups: users together, who have the group's policies too.

use access::{Permit, audit};
use model::{GroupName, OnPrincipal, PrincipalKind, Timestamp, act};
use store::Tx;
use store::account::{self, Principal};
use store::change::{self, Change};

use crate::principals::{Leaving, checked_description, insert, room, there};
use crate::{Identity, IdentityError, Limits, named};

impl Identity {
    /// Creates a group.
    pub async fn create_group(&self, permit: Permit<act::CreateGroup>, description: &str) -> Result<Principal, IdentityError> {
        self.create_group_within(permit, description, Limits::HOUSE).await
    }

    /// The same under these limits.
    pub async fn create_group_within(
        &self,
        permit: Permit<act::CreateGroup>,
        description: &str,
        limits: Limits,
    ) -> Result<Principal, IdentityError> {
        let on = permit.on();
        let name = GroupName::parse(&on.name).map_err(|e| IdentityError::invalid("name", e.rule))?;
        let blank = self.new_principal(on.account, PrincipalKind::Group, name.as_str(), permit.op().now);
        let group = Principal { description: checked_description(description)?, ..blank };
        let (new, record) = (&group, &permit.success());
        self.change(permit.op().now, |tx| {
            Box::pin(async move {
                room(tx, new, "groups an account", limits.groups).await?;
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

    /// Says what a group is for, or renames it. `renamed` is the right to change whatever group has the new name; names count in
    /// policies, so that no document may speak of either.
    pub async fn update_group(
        &self,
        permit: Permit<act::UpdateGroup>,
        renamed: Option<Permit<act::UpdateGroup>>,
        description: Option<&str>,
    ) -> Result<Principal, IdentityError> {
        let (id, description) = (there(permit.on())?, &description.map(checked_description).transpose()?);
        let name = &renamed.map(|renamed| GroupName::parse(&renamed.on().name)).transpose();
        let name = name.as_ref().map_err(|e| IdentityError::invalid("name", e.rule))?.as_ref();
        let said = name.map_or_else(String::new, |name| format!("renamed to {name}"));
        let (now, record) = (permit.op().now, &permit.success().with_detail(said));
        self.change(now, |tx| {
            Box::pin(async move {
                let old = account::principal_by_id(tx, id).await?.ok_or(IdentityError::NotFound("group"))?;
                if let Some(name) = name.filter(|name| name.as_str() != &*old.name) {
                    rename(tx, &old, name).await?;
                }
                account::describe(tx, id, description.as_ref().unwrap_or(&old.description), None).await?;
                if name.is_some() || description.is_some() {
                    account::touch(tx, id, now).await?;
                }
                change::append(tx, now, Change::Principal(id.as_i64())).await?;
                audit::write(tx, self.access.audit(), record).await?;
                account::principal_by_id(tx, id).await?.ok_or(IdentityError::NotFound("group"))
            })
        })
        .await
    }

    /// Deletes a group. Its users stay, and lose what they had through it: what it denied them too, so whoever deletes it must
    /// hold that.
    pub async fn delete_group(&self, permit: Permit<act::DeleteGroup>) -> Result<(), IdentityError> {
        self.delete_group_leaving(permit, Leaving::Nothing).await
    }

    /// Deletes a group, whatever it has, or only if it has nothing.
    pub async fn delete_group_leaving(&self, permit: Permit<act::DeleteGroup>, left: Leaving) -> Result<(), IdentityError> {
        self.may_lift_all(permit.op(), permit.by(), there(permit.on())?).await?;
        self.delete_leaving(permit.op(), permit.on(), left, &permit.success()).await
    }

    /// Takes a user into a group: gives them what the group holds.
    pub async fn add_user_to_group(&self, permit: Permit<act::AddUserToGroup>, user: &OnPrincipal) -> Result<(), IdentityError> {
        self.add_user_to_group_within(permit, user, Limits::HOUSE).await.map(drop)
    }

    /// The same under these limits. False: the user was in it already.
    pub async fn add_user_to_group_within(
        &self,
        permit: Permit<act::AddUserToGroup>,
        user: &OnPrincipal,
        limits: Limits,
    ) -> Result<bool, IdentityError> {
        let (group, member) = (there(permit.on())?, there(user)?);
        if user.kind != PrincipalKind::User || user.account != permit.on().account {
            return Err(IdentityError::NotFound("user"));
        }
        self.access.may_stand_in_for(permit.op(), permit.by(), group).await?;
        let (now, record) = (permit.op().now, &permit.success().with_detail(format!("user/{}", user.name)));
        self.change(now, |tx| {
            Box::pin(async move {
                let groups = account::groups_of(tx, member).await?;
                if groups.iter().any(|one| one.id == group) {
                    return Ok(false);
                }
                if i64::try_from(groups.len()).is_ok_and(|count| count >= limits.groups_a_user) {
                    return Err(IdentityError::Limit { what: "groups a user", max: limits.groups_a_user });
                }
                account::join(tx, group, member, now).await?;
                change::append(tx, now, Change::Principal(member.as_i64())).await?;
                audit::write(tx, self.access.audit(), record).await?;
                Ok(true)
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

    /// The same, and since when each.
    pub async fn list_user_memberships(
        &self,
        permit: Permit<act::ListGroupsForUser>,
    ) -> Result<Vec<(Principal, Timestamp)>, IdentityError> {
        let user = there(permit.on())?;
        Ok(self.read(|tx| Box::pin(account::memberships(tx, user))).await?)
    }

    /// A group's users by name, after `after`, at most `limit`, and since when each.
    pub async fn list_group_memberships(
        &self,
        permit: Permit<act::ListUsersForGroup>,
        after: &str,
        limit: i64,
    ) -> Result<Vec<(Principal, Timestamp)>, IdentityError> {
        let group = there(permit.on())?;
        Ok(self.read(|tx| Box::pin(account::members_since(tx, group, after, limit))).await?)
    }
}

async fn rename(tx: &mut Tx<'_>, old: &Principal, name: &GroupName) -> Result<(), IdentityError> {
    named::change(tx, old.account, old.kind, [&old.name, name.as_str()]).await?;
    if account::principal_named(tx, old.account, old.kind, name.as_str()).await?.is_some() {
        return Err(IdentityError::Taken { what: "group", name: name.to_string() });
    }
    account::rename(tx, old.id, name.as_str()).await?;
    Ok(())
}
