//! A registry with people: `alice` may pull and push everywhere, `bob` may pull in the namespace `demo` and nothing else.

use serde_json::{Value, json};

use crate::support::house::{Cli, House, text};
use crate::support::program::Program;

pub(crate) const PASSWORD: &str = "Correct-horse-7";

/// The house, root and alice at the command line, and the ways alice can log in.
pub(crate) struct People {
    pub(crate) house: House,
    pub(crate) root: Cli,
    pub(crate) alice: Cli,
}

/// A user name and a password, and what kind of secret it is.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) kind: &'static str,
    pub(crate) user: String,
    pub(crate) password: String,
}

impl People {
    pub(crate) fn new() -> Self {
        Self::in_house(House::start())
    }

    pub(crate) fn in_house(house: House) -> Self {
        let root = house.root();
        Self::with_root(house, root)
    }

    pub(crate) fn with_root(house: House, root: Cli) -> Self {
        let alice = root.hasty().new_user("alice");
        root.hasty().new_user("bob");
        let everywhere = allow(&["cr:PullRepository", "cr:PushRepository", "cr:GetAuthorizationToken"], "*");
        root.hasty().grant("alice", "everywhere", &everywhere);
        root.hasty().grant("bob", "pull-demo", &allow(&["cr:PullRepository"], "acs:cr:*:*:repository/*/demo/*"));
        root.hasty().set_password("alice", PASSWORD);
        root.hasty().set_password("bob", PASSWORD);
        house.settle();
        Self { house, root, alice }
    }

    /// Every way for alice to log in: permanent password, access credential, login token.
    pub(crate) fn logins_of_alice(&self) -> Vec<Login> {
        let (_, secret) = self.root.new_credential("alice");
        let token = Self::login_token(&self.alice);
        assert_eq!(token.user, "cr_temp_user");
        vec![
            Login { kind: "permanent-password", user: "alice".to_owned(), password: PASSWORD.to_owned() },
            Login { kind: "access-credential", user: "alice".to_owned(), password: secret },
            token,
        ]
    }

    pub(crate) fn bob() -> Login {
        Login { kind: "permanent-password", user: "bob".to_owned(), password: PASSWORD.to_owned() }
    }

    /// A login token that somebody makes for themselves.
    pub(crate) fn login_token(somebody: &Cli) -> Login {
        let token = somebody.json(&["login-token", "create"]);
        Login { kind: "login-token", user: text(&token["username"]), password: text(&token["password"]) }
    }

    /// A program with a home of its own in the house's folder.
    pub(crate) fn program(&self, name: &str) -> Program {
        Program::new(crate::support::peer(name), &self.house.folder.path().join(name))
    }

    /// `NAME` at this registry.
    pub(crate) fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.house.address)
    }
}

pub(crate) fn allow(actions: &[&str], resource: &str) -> Value {
    json!({"Version": "1", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resource}]})
}
