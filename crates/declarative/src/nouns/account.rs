//! `kind: Account`: the caller's own, named `this`.

use client::ClientError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
}

impl Noun for Account {
    const KIND: &'static str = "Account";
    const LABEL: Option<&'static str> = None;
    type Spec = AccountSpec;

    async fn list(_here: &Here<'_>, _instance: &str) -> Result<Vec<String>, ClientError> {
        Ok(vec![NAME.to_owned()])
    }

    async fn read(here: &Here<'_>, _key: &Key, wanted: Option<&AccountSpec>) -> Result<Option<AccountSpec>, ClientError> {
        let alias = if wanted.is_none_or(|wanted| wanted.alias.is_some()) {
            Some(here.client.account().await?.alias.unwrap_or_default())
        } else {
            None
        };
        Ok(Some(AccountSpec { alias }))
    }

    fn plan(_here: &Here<'_>, key: &Key, wanted: &AccountSpec, there: Option<AccountSpec>) -> Result<Vec<Step>, Trouble> {
        if key.name != NAME {
            return Err(Trouble::Unsafe(format!(
                "{key}: only the account of your access key can be changed, and its name here is `{NAME}`"
            )));
        }
        let (mut steps, there) = (Vec::new(), there.unwrap_or_default());
        let changes = diff::changes(wanted, &there, &[]);
        if !changes.is_empty() {
            let alias = wanted.alias.clone().filter(|alias| !alias.is_empty());
            steps.push(Step::update(key, changes, call!(client => client.set_account_alias(alias))));
        }
        Ok(steps)
    }

    fn delete(_key: &Key) -> Option<Call> {
        None
    }
}
