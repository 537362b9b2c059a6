//! Whoever holds the server's configuration: above all accounts, and in none of them.

use model::{AccountId, Op};

use crate::{Access, Outcome, Record};

/// The proof that whoever holds the server's configuration acts, on the machine itself. Made by [`Access::operator`] alone, which
/// the program's control socket and commands call and nobody else may (a lint says so). What it allows is no
/// [`model::Action`]: so no policy can give it, and no caller of a door can have it.
///
/// A forged one does not compile:
///
/// ```compile_fail,E0451
/// # fn forge(op: model::Op) {
/// let forged = access::Operator { op };
/// # }
/// ```
#[derive(Debug)]
pub struct Operator {
    op: Op,
}

impl Operator {
    /// In which request.
    pub const fn op(&self) -> &Op {
        &self.op
    }

    /// The record of its success in the trail of the account concerned, to be written in the change's own transaction.
    pub fn success(&self, account: AccountId, what: &'static str) -> Record {
        Record::by_operator_of_account(&self.op, account, what, Outcome::Success)
    }
}

impl Access {
    /// Whoever holds the server's configuration acts. For `tidegate` (and `testkit`) alone.
    pub fn operator(&self, op: &Op) -> Operator {
        Operator { op: op.clone() }
    }
}
