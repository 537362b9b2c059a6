//! What an instance's admin user may do: everything on the registry of that one instance, and nothing else.

use std::sync::LazyLock;

use model::{Action, OnInstance};
use policy::Document;

/// Pull, push, delete; lists show what one may pull.
const ACTIONS: [Action; 3] = [Action::PullRepository, Action::PushRepository, Action::DeleteRepositoryTag];

/// The same wherever it is asked; that it is at the one instance is decided beside it.
pub(crate) static EVERYWHERE: LazyLock<Document> = LazyLock::new(|| document("*"));

/// What whoever can be the admin user of this instance holds by that.
pub fn admin_rights(on: &OnInstance) -> Document {
    document(&format!("acs:cr:{}:{}:repository/{}/*", on.region, on.account, on.name))
}

/// (One that could not be read would be empty and allow nothing; a test reads both.)
fn document(resource: &str) -> Document {
    let actions: Vec<_> = ACTIONS.iter().map(|action| format!("\"{}\"", action.as_str())).collect();
    let actions = actions.join(",");
    let text = format!(r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":[{actions}],"Resource":"{resource}"}}]}}"#);
    policy::ram::parse(&text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use model::{AccountId, InstanceId, InstanceName, Region};

    use super::*;

    #[test]
    fn both_documents_read() {
        let on = OnInstance {
            account: AccountId::from_random(1),
            id: InstanceId::from_random(1),
            name: InstanceName::parse("local").unwrap(),
            region: Region::parse("local").unwrap(),
        };
        for document in [&*EVERYWHERE, &admin_rights(&on)] {
            assert_eq!(document.statements.len(), 1);
        }
    }
}
