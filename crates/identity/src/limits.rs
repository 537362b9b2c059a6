//! How much of a kind there can be. A door that imitates a cloud applies that cloud's limits, which are narrower.

/// The limits that a request is under.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Users of an account.
    pub users: i64,
    /// Groups of an account.
    pub groups: i64,
    /// Roles of an account.
    pub roles: i64,
    /// Groups that one user can be in.
    pub groups_a_user: i64,
    /// Policies attached to one, built-in ones included.
    pub attached: i64,
    /// Of these, policies of the account's own.
    pub own_attached: i64,
    /// Of these, built-in ones.
    pub built_in_attached: i64,
}

impl Limits {
    /// The product's own.
    pub const HOUSE: Self =
        Self { users: 100_000, groups: 10_000, roles: 10_000, groups_a_user: 50, attached: 30, own_attached: 30, built_in_attached: 30 };

    /// RAM's (reference, section 3.2).
    pub const RAM: Self =
        Self { users: 5000, groups: 300, roles: 1000, groups_a_user: 10, attached: 30, own_attached: 10, built_in_attached: 20 };
}
