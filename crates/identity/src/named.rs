//! Documents that name principals: the trust policies of roles, the policies of namespaces and repositories. They name by name,
//! so a name that one of them speaks of must not change hands under it.
//!
//! A rename is refused while one names the old or the new name. A deletion is not: but then the name stays free until no
//! document names it any longer. A document may name somebody who never existed: whoever is made so is meant, and may be made by
//! whoever holds what the documents give them ([`access::Access::may_become`]).

use std::sync::Arc;

use model::{AccountId, OnInstance, OnNamespace, OnRepository, PrincipalKind, Resource, Timestamp};
use policy::{Document, PrincipalPattern, ram};
use store::resource_policy::{self, Place};
use store::{StoreError, Tx, freed_name, instance, role};

use crate::IdentityError;

/// Roles that are read in one go.
const PIECE: i64 = 500;
/// How documents spell the kind of an OIDC provider.
pub(crate) const PROVIDER: &str = "oidc-provider";

/// The owner of this name goes.
pub(crate) async fn free(tx: &mut Tx<'_>, account: AccountId, kind: &str, name: &str, now: Timestamp) -> Result<(), StoreError> {
    if is_named(tx, account, kind, name).await? {
        freed_name::note(tx, account, kind, name, now).await?;
    }
    Ok(())
}

/// Somebody new takes this name. Refused while a document means whoever had it before.
pub(crate) async fn take(tx: &mut Tx<'_>, account: AccountId, kind: &str, name: &str) -> Result<(), IdentityError> {
    if !freed_name::is_freed(tx, account, kind, name).await? {
        return Ok(());
    }
    if is_named(tx, account, kind, name).await? {
        return Err(still_named(kind, name));
    }
    Ok(freed_name::forget(tx, account, kind, name).await?)
}

/// Somebody changes their name. Refused while a document speaks of either.
pub(crate) async fn change(tx: &mut Tx<'_>, account: AccountId, kind: PrincipalKind, names: [&str; 2]) -> Result<(), IdentityError> {
    for name in names {
        if is_named(tx, account, kind.noun(), name).await? {
            return Err(still_named(kind.noun(), name));
        }
        freed_name::forget(tx, account, kind.noun(), name).await?;
    }
    Ok(())
}

/// Which document it is, is not for everybody who may name principals.
fn still_named(kind: &str, name: &str) -> IdentityError {
    let text = "a role's trust policy, or the policy of a namespace or repository, still names";
    IdentityError::InUse(format!("{text} {kind}/{name}: change that document first"))
}

async fn is_named(tx: &mut Tx<'_>, account: AccountId, kind: &str, name: &str) -> Result<bool, StoreError> {
    let relative = format!("{kind}/{name}");
    // Most texts can be told at a glance: a name stands there as it is, unless it is escaped.
    let may_name = |text: &str| text.contains(name) || text.contains('\\');
    let trusts = |text: &str| may_name(text) && ram::parse_trust(account, text).is_ok_and(|trust| names(trust.document(), &relative));
    let mut after = 0;
    loop {
        let piece = role::trusts(tx, account, after, PIECE).await?;
        if piece.iter().any(|(_, text)| trusts(text)) {
            return Ok(true);
        }
        match piece.last() {
            Some((last, _)) => after = last.as_i64(),
            None => break,
        }
    }
    for one in instance::list(tx, account).await? {
        for (place, text) in resource_policy::of_instance(tx, one.on.id).await? {
            let read = || ram::reread_resource_policy(&text, &resource(&one.on, place));
            if may_name(&text) && read().is_ok_and(|document| names(&document, &relative)) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn names(document: &Document, relative: &str) -> bool {
    let named = document.statements.iter().filter_map(|statement| statement.principals()).flatten();
    named.into_iter().any(|principal| match principal {
        PrincipalPattern::Named(_, name) | PrincipalPattern::Federated(_, name) => **name == *relative,
        PrincipalPattern::Account(_) | PrincipalPattern::Service(_) => false,
    })
}

fn resource(instance: &Arc<OnInstance>, place: Place) -> Resource {
    let instance = Arc::clone(instance);
    match place {
        Place::Namespace(name) => Resource::Namespace(OnNamespace { instance, name }),
        Place::Repository(name) => Resource::Repository(OnRepository { instance, name }),
    }
}
