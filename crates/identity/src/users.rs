//! Users: create, list, show, change, rename, delete.

use access::{Permit, audit};
use model::{LoginName, PrincipalKind, Timestamp, act};
use store::account::{self, Principal, Profile};
use store::change::{self, Change};
use store::{StoreError, Tx, credential};

use crate::passwords::SIGN_IN;
use crate::principals::{Leaving, checked_description, insert, room, there};
use crate::{Identity, IdentityError, Limits, named};

/// A user.
pub type User = Principal;

/// A user who is asked for; empty: nothing is said.
#[derive(Clone, Default, Debug)]
pub struct CreateUser {
    /// What is said of them.
    pub description: String,
    /// What to call them, where to write to and to call.
    pub profile: Profile,
}

/// What to change of a user; none: as it is.
#[derive(Clone, Default, Debug)]
pub struct UpdateUser {
    /// Disabled ones are nobody, running tokens included.
    pub enabled: Option<bool>,
    /// What is said of them.
    pub description: Option<String>,
    /// What to call them.
    pub display_name: Option<String>,
    /// Where to write to.
    pub email: Option<String>,
    /// Where to call.
    pub phone: Option<String>,
}

impl Identity {
    /// Creates a user. The numeric id and the UUID exist from this moment.
    pub async fn create_user(&self, permit: Permit<act::CreateUser>) -> Result<User, IdentityError> {
        self.create_user_within(permit, &CreateUser::default(), Limits::HOUSE).await
    }

    /// The same with what is said of them, under these limits.
    pub async fn create_user_within(
        &self,
        permit: Permit<act::CreateUser>,
        wanted: &CreateUser,
        limits: Limits,
    ) -> Result<User, IdentityError> {
        let on = permit.on();
        let name = LoginName::parse(&on.name).map_err(|e| IdentityError::invalid("name", e.rule))?;
        let blank = self.new_principal(on.account, PrincipalKind::User, name.as_str(), permit.op().now);
        let (description, profile) = (checked_description(&wanted.description)?, checked_profile(wanted.profile.clone())?);
        let user = User { description, profile, ..blank };
        let (new, record) = (&user, &permit.success().with_detail(user.id.to_string()));
        self.change(permit.op().now, |tx| {
            Box::pin(async move {
                room(tx, new, "users an account", limits.users).await?;
                insert(tx, new).await?;
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await?;
        Ok(user)
    }

    /// Users by name, after `after`, at most `limit`.
    pub async fn list_users(&self, permit: Permit<act::ListUsers>, after: &str, limit: i64) -> Result<Vec<User>, IdentityError> {
        self.listed(permit.on().0, PrincipalKind::User, after, limit).await
    }

    /// One user.
    pub async fn show_user(&self, permit: Permit<act::GetUser>) -> Result<User, IdentityError> {
        self.shown(&permit).await
    }

    /// One user, and when their sign-in password was last used.
    pub async fn show_user_and_login(&self, permit: Permit<act::GetUser>) -> Result<(User, Option<Timestamp>), IdentityError> {
        let user = self.shown(&permit).await?;
        let id = user.id;
        let found: Result<_, StoreError> = self.read(|tx| Box::pin(credential::in_slot(tx, id, SIGN_IN))).await;
        Ok((user, found?.and_then(|password| password.last_used)))
    }

    /// Changes a user: a disabled one stays so through every way in, running tokens included. Whoever enables one gives all that
    /// the user holds to whoever has a key of theirs. `renamed` is the right to change whoever has the new name; names count in
    /// policies, so that no document may speak of either.
    pub async fn update_user(
        &self,
        permit: Permit<act::UpdateUser>,
        renamed: Option<Permit<act::UpdateUser>>,
        wanted: &UpdateUser,
    ) -> Result<User, IdentityError> {
        let (id, now) = (there(permit.on())?, permit.op().now);
        let root = id == permit.on().account.root();
        if root && wanted.enabled.is_some() {
            return Err(IdentityError::invalid("enabled", "the root user cannot be disabled"));
        }
        if wanted.enabled == Some(true) {
            self.access.may_stand_in_for(permit.op(), permit.by(), id).await?;
        }
        if root && renamed.is_some() {
            return Err(IdentityError::invalid("name", "the root user has this name alone"));
        }
        let name = &renamed.map(|renamed| LoginName::parse(&renamed.on().name)).transpose();
        let name = name.as_ref().map_err(|e| IdentityError::invalid("name", e.rule))?.as_ref();
        let description = &wanted.description.as_deref().map(checked_description).transpose()?;
        let said = &said(wanted, name);
        let record = &permit.success().with_detail(said.clone());
        self.change(now, |tx| {
            Box::pin(async move {
                let old = account::principal_by_id(tx, id).await?.ok_or(IdentityError::NotFound("user"))?;
                let profile = checked_profile(merged(&old.profile, wanted))?;
                if let Some(name) = name.filter(|name| name.as_str() != &*old.name) {
                    rename(tx, &old, name).await?;
                }
                account::describe(tx, id, description.as_ref().unwrap_or(&old.description), old.expires).await?;
                account::set_profile(tx, id, &profile).await?;
                account::set_enabled(tx, id, wanted.enabled.unwrap_or(old.enabled)).await?;
                if !said.is_empty() {
                    account::touch(tx, id, now).await?;
                }
                change::append(tx, now, Change::Principal(id.as_i64())).await?;
                audit::write(tx, self.access.audit(), record).await?;
                account::principal_by_id(tx, id).await?.ok_or(IdentityError::NotFound("user"))
            })
        })
        .await
    }

    /// Deletes a user with all credentials and attachments.
    pub async fn delete_user(&self, permit: Permit<act::DeleteUser>) -> Result<(), IdentityError> {
        self.delete_user_leaving(permit, Leaving::Nothing).await
    }

    /// Deletes a user, whatever they have, or only if they have nothing.
    pub async fn delete_user_leaving(&self, permit: Permit<act::DeleteUser>, left: Leaving) -> Result<(), IdentityError> {
        if there(permit.on())? == permit.on().account.root() {
            return Err(IdentityError::invalid("user", "the root user cannot be deleted"));
        }
        self.delete_leaving(permit.op(), permit.on(), left, &permit.success()).await
    }
}

async fn rename(tx: &mut Tx<'_>, old: &User, name: &LoginName) -> Result<(), IdentityError> {
    named::change(tx, old.account, old.kind, [&old.name, name.as_str()]).await?;
    if !account::take_login_name(tx, old.account, name.as_str(), old.kind.as_str(), old.id.as_i64()).await? {
        return Err(IdentityError::Taken { what: "user, service account or instance", name: name.to_string() });
    }
    account::free_login_name(tx, old.account, &old.name).await?;
    account::rename(tx, old.id, name.as_str()).await?;
    Ok(())
}

/// What a change is about, for the trail: no values, which may be personal.
fn said(wanted: &UpdateUser, name: Option<&LoginName>) -> String {
    let fields = [
        ("description", wanted.description.is_some()),
        ("display name", wanted.display_name.is_some()),
        ("e-mail", wanted.email.is_some()),
        ("phone", wanted.phone.is_some()),
    ];
    let mut said: Vec<String> = fields.iter().filter(|(_, is)| *is).map(|(field, _)| (*field).to_owned()).collect();
    said.extend(wanted.enabled.map(|enabled| if enabled { "enabled" } else { "disabled" }.to_owned()));
    said.extend(name.map(|name| format!("renamed to {name}")));
    said.join(", ")
}

fn merged(old: &Profile, wanted: &UpdateUser) -> Profile {
    let either = |new: Option<&str>, old: &str| new.unwrap_or(old).to_owned();
    Profile {
        display_name: either(wanted.display_name.as_deref(), &old.display_name),
        email: either(wanted.email.as_deref(), &old.email),
        phone: either(wanted.phone.as_deref(), &old.phone),
    }
}

fn checked_profile(profile: Profile) -> Result<Profile, IdentityError> {
    let Profile { display_name, email, phone } = &profile;
    if display_name.chars().count() > 128 || display_name.chars().any(char::is_control) {
        return Err(IdentityError::invalid("display_name", "at most 128 characters"));
    }
    let address = email.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'));
    let plain = email.len() <= 128 && !email.chars().any(|c| c.is_whitespace() || c.is_control());
    let fits = email.is_empty() || (address && plain);
    if !fits {
        return Err(IdentityError::invalid("email", "an address, as alice@example.com, of at most 128 characters"));
    }
    if phone.len() > 32 || !phone.bytes().all(|b| b.is_ascii_digit() || b"+- *".contains(&b)) {
        return Err(IdentityError::invalid("phone", "at most 32 digits, spaces, + and -"));
    }
    Ok(profile)
}
