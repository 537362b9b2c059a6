//! What whoever holds the server's configuration may do, and nobody else: make, list, suspend and resume accounts, open an
//! instance again whose network rules let nobody in, and see the nodes that serve.
//!
//! A [`Desk`] does it. In a running server it stands behind the control socket of the data folder ([`ControlDoor`]); where no
//! server runs, or several share a database, a command opens the database itself and has a desk of its own ([`reach`]). To
//! add something: a function of the desk, a route in `door.rs`, an arm in `reach.rs`, a verb in `manage/operator.rs`.

mod desk;
mod door;
mod reach;
mod socket;

use serde::{Deserialize, Serialize};

pub(crate) use desk::Desk;
pub(crate) use door::ControlDoor;
pub(crate) use reach::{Reach, readiness};
pub(crate) use socket::{ControlError, SOCKET};

/// An account that is asked for.
#[derive(Clone, Serialize, Deserialize, Default, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccount {
    pub(crate) alias: Option<String>,
    pub(crate) instance: Option<String>,
    #[serde(default)]
    pub(crate) hosts: Vec<String>,
}

/// An account that is made up and waits to be written, once its secrets lie in their file.
#[derive(Serialize, Deserialize)]
pub(crate) struct Prepared {
    /// By which it is asked for again.
    pub(crate) preparation: String,
    pub(crate) account_id: String,
    /// The text of the file, secrets included.
    pub(crate) file: String,
}

/// What to change of an account.
#[derive(Clone, Serialize, Deserialize, Default, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountChanges {
    pub(crate) enabled: Option<bool>,
    pub(crate) domains: Option<Vec<String>>,
}

/// Whose endpoints to open again.
#[derive(Clone, Serialize, Deserialize, Default, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct NetworkReset {
    /// By name or id; none: the default instance.
    pub(crate) instance: Option<String>,
}

/// An instance whose public endpoint lets everybody in again.
#[derive(Clone, Serialize, Deserialize, Debug)]
pub(crate) struct ResetRow {
    pub(crate) account_id: String,
    pub(crate) instance_id: String,
    pub(crate) name: String,
}

/// An account as whoever runs the server sees it: nothing of what is in it.
#[derive(Clone, Serialize, Deserialize, Debug)]
pub(crate) struct AccountRow {
    #[serde(flatten)]
    pub(crate) account: api::Account,
    /// The host names that it may claim, each with every name below.
    pub(crate) domains: Vec<String>,
}
