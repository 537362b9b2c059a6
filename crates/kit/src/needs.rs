//! What an operation needs: each door says it in the line that declares the operation.

use model::Action;

/// What a caller must be allowed, for an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Needs {
    /// Anybody may, unauthenticated: and why.
    Nothing(&'static str),
    /// Whoever has authenticated may: and why.
    Caller(&'static str),
    /// This action.
    Action(Action),
    /// This action, unless it is done to oneself.
    Own(Action),
    /// One of two actions, as the request says, unless it is done to oneself.
    Either(Action, Action),
    /// The first action, and the second one too where the request asks for what this says.
    Also(Action, Action, &'static str),
}

impl Needs {
    /// May the operation ask for a permit for this action? It acts under the actions that its line names, and under no other.
    pub fn names(self, action: Action) -> bool {
        match self {
            Self::Nothing(_) | Self::Caller(_) => false,
            Self::Action(one) | Self::Own(one) => one == action,
            Self::Either(one, other) | Self::Also(one, other, _) => one == action || other == action,
        }
    }
}
