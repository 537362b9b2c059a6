//! Labels: which things belong together. They give nobody any right; whoever may change a thing may label it.

use std::collections::BTreeMap;

use access::{Permit, audit};
use model::{ActionKind, InstanceId, NamespaceName, OnPrincipal, PrincipalKind, act};
use store::Tx;
use store::label::{self, Labelled, Owner};

use crate::{Identity, IdentityError};

/// Labels of one thing.
const MAX: i64 = 16;
const MAX_KEY: usize = 64;
const MAX_VALUE: usize = 128;

/// Labels that are to be set (a value) or taken away (none).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LabelChanges(BTreeMap<String, Option<String>>);

impl LabelChanges {
    /// Reads them: keys of letters, digits and `. _ - /`, values without control characters.
    pub fn parse(labels: BTreeMap<String, Option<String>>) -> Result<Self, IdentityError> {
        let inner = |b: u8| b.is_ascii_alphanumeric() || b"._-/".contains(&b);
        let is_key = |key: &str| (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(inner);
        let is_value = |value: &str| (1..=MAX_VALUE).contains(&value.len()) && !value.chars().any(char::is_control);
        if !labels.keys().all(|key| is_key(key)) {
            return Err(IdentityError::invalid("labels", "a key is 1 to 64 letters, digits and . _ - /"));
        }
        if !labels.values().flatten().all(|value| is_value(value)) {
            return Err(IdentityError::invalid("labels", "a value is 1 to 128 bytes without control characters"));
        }
        Ok(Self(labels))
    }

    /// The keys alone, for the audit trail.
    fn keys(&self) -> String {
        let keys: Vec<_> = self.0.keys().take(20).map(String::as_str).collect();
        format!("labels: {}", keys.join(" "))
    }
}

/// What carries labels: there, or by its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Carrier {
    /// There.
    Known(Owner),
    /// A namespace by name.
    Namespace(InstanceId, NamespaceName),
}

/// The actions that allow labelling what they are done to: those that change it.
pub trait Labels: ActionKind {
    /// What carries the labels.
    fn carrier(on: &Self::On) -> Result<Carrier, IdentityError>;
}

fn principal(on: &OnPrincipal) -> Result<Carrier, IdentityError> {
    if matches!(on.kind, PrincipalKind::Root | PrincipalKind::Admin) {
        return Err(IdentityError::invalid("labels", "the root user and admin users carry no labels, so that nothing deletes them"));
    }
    on.id.map(|id| Carrier::Known(Owner::Principal(id))).ok_or(IdentityError::NotFound(on.kind.words()))
}

macro_rules! of_principals {
    ($($action:ident)*) => {$(
        impl Labels for act::$action {
            fn carrier(on: &OnPrincipal) -> Result<Carrier, IdentityError> {
                principal(on)
            }
        }
    )*};
}

of_principals!(UpdateUser UpdateGroup UpdateServiceAccount UpdateRole);

impl Labels for act::CreatePolicyVersion {
    fn carrier(on: &Self::On) -> Result<Carrier, IdentityError> {
        on.id.map(|id| Carrier::Known(Owner::Policy(id))).ok_or(IdentityError::NotFound("policy"))
    }
}

impl Labels for act::UpdateOIDCProvider {
    fn carrier(on: &Self::On) -> Result<Carrier, IdentityError> {
        on.id.map(|id| Carrier::Known(Owner::Provider(id))).ok_or(IdentityError::NotFound("OIDC provider"))
    }
}

impl Labels for act::UpdateInstance {
    fn carrier(on: &Self::On) -> Result<Carrier, IdentityError> {
        Ok(Carrier::Known(Owner::Instance(on.id)))
    }
}

impl Labels for act::UpdateNamespace {
    fn carrier(on: &Self::On) -> Result<Carrier, IdentityError> {
        Ok(Carrier::Namespace(on.instance.id, on.name.clone()))
    }
}

async fn owner(tx: &mut Tx<'_>, carrier: &Carrier) -> Result<Owner, IdentityError> {
    match carrier {
        Carrier::Known(owner) => Ok(*owner),
        Carrier::Namespace(instance, name) => {
            let found = store::namespace::by_name(tx, *instance, name).await?;
            found.map(|namespace| Owner::Namespace(namespace.id)).ok_or(IdentityError::NotFound("namespace"))
        }
    }
}

impl Identity {
    /// Sets and takes away labels of one thing; labels that are not named stay.
    pub async fn label<A: Labels>(&self, permit: Permit<A>, changes: &LabelChanges) -> Result<(), IdentityError> {
        let carrier = &A::carrier(permit.on())?;
        let account = permit.by().known().ok_or(IdentityError::NotFound("account"))?.account;
        let record = &permit.success().with_detail(changes.keys());
        self.change(permit.op().now, |tx| {
            Box::pin(async move {
                let owner = owner(tx, carrier).await?;
                for (key, value) in &changes.0 {
                    match value {
                        Some(value) => label::set(tx, account, owner, key, value).await?,
                        None => label::remove(tx, owner, key).await?,
                    }
                }
                if label::count(tx, owner).await? > MAX {
                    return Err(IdentityError::Limit { what: "labels of one thing", max: MAX });
                }
                Ok(audit::write(tx, self.access.audit(), record).await?)
            })
        })
        .await
    }

    /// The account's labels behind (`id`, `key`), at most `limit`; with this key and value alone, where they are not empty.
    pub async fn list_labels(
        &self,
        permit: Permit<act::ListTagResources>,
        with: (&str, &str),
        after: (i64, &str),
        limit: i64,
    ) -> Result<Vec<Labelled>, IdentityError> {
        let account = permit.on().0;
        Ok(self.read(|tx| Box::pin(label::list(tx, account, with, after, limit))).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_bounded() {
        let parse = |key: &str, value: &str| LabelChanges::parse([(key.to_owned(), Some(value.to_owned()))].into());
        assert!(parse("team/a.b_c-1", "what ever é").is_ok());
        for (key, value) in
            [("", "x"), ("a b", "x"), ("a=b", "x"), (&*"k".repeat(65), "x"), ("k", ""), ("k", "\n"), ("k", &"v".repeat(129))]
        {
            assert!(parse(key, value).is_err(), "{key} {value}");
        }
    }
}
