//! `kind: Account`: the caller's own, named `this`.

use client::{ClientError, Holder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::attachments;
use crate::Trouble;
use crate::diff;
use crate::noun::{Here, Noun};
use crate::step::{Call, Key, Step, call};

/// No other account can be named.
const NAME: &str = "this";

pub(crate) struct Account;

/// The account that the access key belongs to. Its name here is `this`.
#[derive(Clone, Serialize, Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct AccountSpec {
    /// Its alias, as good as its id in `NAME@ACCOUNT`; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alias: Option<String>,
    /// How many days its audit trail is kept, within the server's bounds; 0: as long as the server's setting says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    audit_retention_days: Option<i64>,
    /// All policies that bound everybody in the account but the root user, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    guard_policies: Option<Vec<String>>,
}

impl Noun for Account {
    const KIND: &'static str = "Account";
    const LABEL: Option<&'static str> = None;
    type Spec = AccountSpec;

    async fn list(_here: &Here<'_>, _instance: &str) -> Result<Vec<String>, ClientError> {
        Ok(vec![NAME.to_owned()])
    }

    async fn read(here: &Here<'_>, _key: &Key, wanted: Option<&AccountSpec>) -> Result<Option<AccountSpec>, ClientError> {
        let guards = wanted.is_none_or(|wanted| wanted.guard_policies.is_some());
        let guard_policies = attachments::read(here, &Holder::Account, guards).await?;
        let alias = if wanted.is_none_or(|wanted| wanted.alias.is_some()) {
            Some(here.client.account().await?.alias.unwrap_or_default())
        } else {
            None
        };
        let audit_retention_days = if wanted.is_none_or(|wanted| wanted.audit_retention_days.is_some()) {
            Some(here.client.audit().retention().await?.days.unwrap_or_default())
        } else {
            None
        };
        Ok(Some(AccountSpec { alias, audit_retention_days, guard_policies }))
    }

    fn plan(_here: &Here<'_>, key: &Key, wanted: &AccountSpec, there: Option<AccountSpec>) -> Result<Vec<Step>, Trouble> {
        if key.name != NAME {
            return Err(Trouble::Unsafe(format!(
                "{key}: only the account of your access key can be changed, and its name here is `{NAME}`"
            )));
        }
        let (mut steps, there) = (Vec::new(), there.unwrap_or_default());
        let changes = diff::changes(wanted, &there, &["guardPolicies", "auditRetentionDays"]);
        if !changes.is_empty() {
            let alias = wanted.alias.clone().filter(|alias| !alias.is_empty());
            steps.push(Step::update(key, changes, call!(client => client.set_account_alias(alias))));
        }
        let changes = diff::changes(wanted, &there, &["guardPolicies", "alias"]);
        if !changes.is_empty() {
            let days = wanted.audit_retention_days.filter(|days| *days != 0);
            steps.push(Step::update(key, changes, call!(client => client.audit().set_retention(days))));
        }
        let (wanted, there) = (wanted.guard_policies.as_ref(), there.guard_policies.as_ref());
        steps.extend(attachments::plan_field("guardPolicies", key, &Holder::Account, wanted, there));
        Ok(steps)
    }

    fn delete(_key: &Key) -> Option<Call> {
        None
    }
}
