//! The table of actions, as `docs/actions.md` shows it.

use std::fmt::Write;

use model::{Action, ResourceKind};

use crate::implied_by;

/// The whole page, in Markdown.
pub fn actions_table() -> String {
    let mut page = String::from(
        "# Actions\n\nWhat a policy can allow or deny. `cr:*` is everything of the registry, `ram:*` everything of identities.\n\n\
         | Action | Done to | What it allows |\n|---|---|---|\n",
    );
    for action in Action::ALL {
        // Writing to a string cannot fail.
        let _ = writeln!(page, "| `{}` | {} | {}{} |", action.as_str(), kind(action.resource_kind()), action.describe(), note(*action));
    }
    page
}

fn note(action: Action) -> String {
    implied_by(action).map(|by| format!(" Included in `{}`, unless denied.", by.as_str())).unwrap_or_default()
}

const fn kind(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Account => "account",
        ResourceKind::Instance => "instance",
        ResourceKind::Namespace => "namespace",
        ResourceKind::Repository => "repository",
        ResourceKind::User => "user",
        ResourceKind::ServiceAccount => "service account",
        ResourceKind::Group => "group",
        ResourceKind::Role => "role",
        ResourceKind::Provider => "OIDC provider",
        ResourceKind::Integration => "integration",
        ResourceKind::Policy => "policy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_its_row() {
        let page = actions_table();
        assert_eq!(page.lines().filter(|line| line.starts_with("| `")).count(), Action::ALL.len());
        assert!(page.contains("| `cr:PullRepository` | repository | Read manifests, blobs, tag lists and referrers. Included in `cr:PushRepository`, unless denied. |\n"));
    }
}
