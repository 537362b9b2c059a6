//! Who are you, what do you hold: [`Identity::authenticate`] for everything that can be presented, and users, passwords,
//! credentials, access keys, policies and instances as things to manage.
//!
//! What it is for: it alone makes a [`model::Caller`]; each thing to manage is a use case that takes a permit and writes its
//! change, the change feed's row and the audit record in one transaction. What it may not do: see a header, decide a right.
//! To add a kind of credential: a variant of [`model::CredentialKind`], a branch in `authenticate.rs`, a module of use cases.

mod access_keys;
mod accounts;
mod admin_user;
mod authenticate;
mod bootstrap;
mod callers;
mod client_secrets;
mod credentials;
mod delegation;
mod diagnostics;
mod error;
mod federated;
mod groups;
mod guards;
mod hashing;
mod instances;
mod integrations;
mod keeper;
mod labels;
mod limits;
mod lockout;
mod login_profiles;
mod meters;
mod named;
mod names;
mod network;
mod nodes;
mod passwords;
mod policies;
mod policy_lists;
mod principals;
mod providers;
mod resealing;
mod resource_policies;
mod rights;
mod roles;
mod rotation;
mod searches;
mod secret_lookups;
mod service_accounts;
mod sessions;
mod signed;
mod simulation;
mod users;
mod workloads;

use std::sync::Arc;

use access::Access;
use fetch::Fetcher;
use meter::Tally;
use model::Timestamp;
use secrets::{Dice, Pepper};
use store::credential::Credential;
use store::{Recent, Store, StoreError, Tx, Work};
use tokens::Tokens;

pub use access_keys::NewAccessKey;
pub use accounts::UpdateAccount;
pub use admin_user::{AdminPassword, AdminUser, RenewedAdminPassword};
pub use authenticate::{At, Presented};
pub use bootstrap::{Bootstrap, NewAccount};
pub use credentials::{CreateCredential, NewCredential};
pub use diagnostics::Diagnosis;
pub use error::{AuthError, Held, IdentityError, TokenFault, Untrusted};
pub use federated::{CreateFederated, FederatedCredential, UpdateFederated};
pub use hashing::HashQueue;
pub use instances::{CreateInstance, UpdateInstance};
pub use integrations::{CreateIntegration, IntegrationUse, UpdateIntegration};
pub use keeper::{Keeper, KeeperError};
pub use labels::{Carrier, LabelChanges, Labels};
pub use limits::Limits;
pub use login_profiles::LoginProfile;
pub use meters::{By, HashMeters, Meters, Outcome};
pub use network::{MAX_PRIVATE_ENDPOINTS, PublicChange, Zeal};
pub use nodes::{SeenNode, is_alive};
pub use policies::{Attaches, BUILT_IN_SINCE, Detaches, ListsAttached, PolicyDetails, Rotate, SetDefault};
pub use policy_lists::{AttachedPolicy, ListedPolicy};
pub use principals::Leaving;
pub use providers::{CreateProvider, UpdateProvider};
pub use resealing::{RESEAL_JOB, Resealing, SealedUnder, sealed_secrets};
pub use resource_policies::{DeletesPolicy, Place, SetsPolicy, ShowsPolicy};
pub use rights::Rights;
pub use roles::{CreateRole, Role, UpdateRole};
pub use rotation::Rotated;
pub use searches::{CredentialFilter, CredentialPage, Ending};
pub use secret_lookups::Identified;
pub use service_accounts::{CreateServiceAccount, NewServiceAccount, UpdateServiceAccount};
pub use sessions::{AssumeRole, NewSession};
pub use signed::{SIGNED_WINDOW, Signed, SignedError};
pub use simulation::{MayDo, Permitted};
pub use throttle::retry_after;
pub use users::{CreateUser, UpdateUser, User};
pub use workloads::FederatedSession;

/// Credentials that are remembered by their secret until the next commit.
const REMEMBERED: usize = 8192;

/// Everything that knows who somebody is.
pub struct Identity {
    store: Arc<Store>,
    access: Arc<Access>,
    tokens: Arc<Tokens>,
    dice: Arc<Dice>,
    keeper: Keeper,
    hashing: HashQueue,
    lockout: lockout::Lockout,
    checked: passwords::Checked,
    /// Generated secrets' credentials by the secret's keyed hash, as they are now.
    secrets: Recent<[u8; 32], Arc<Credential>>,
    workloads: workloads::Workloads,
    callers: callers::CallerLimit,
    meters: Meters,
    /// This node's name among its equals.
    node: Arc<str>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

impl Identity {
    /// Over a store, with what keeps its secrets. `hashers` argon2id jobs run at once.
    pub fn new(store: Arc<Store>, access: Arc<Access>, tokens: Arc<Tokens>, keeper: Keeper, dice: Arc<Dice>, hashers: usize) -> Self {
        let workloads = workloads::Workloads::new(&access);
        let meters = Meters::default();
        let checked = passwords::Checked::new(dice.with(|random| Pepper::generate(random)));
        Self {
            store,
            access,
            tokens,
            hashing: HashQueue::new(hashers, &dice, &meters.hashing),
            dice,
            keeper,
            lockout: lockout::Lockout::default(),
            secrets: Recent::new(REMEMBERED),
            workloads,
            checked,
            callers: callers::CallerLimit::default(),
            meters,
            node: Arc::default(),
        }
    }

    /// The same, asking issuers for their keys; without it only keys that were given with a provider verify tokens.
    #[must_use]
    pub fn fetching_with(mut self, fetcher: Arc<Fetcher>) -> Self {
        self.workloads.fetch_with(fetcher);
        self
    }

    /// The same, letting each caller make so many requests a second, and what ten seconds bring at once; none: any number.
    #[must_use]
    pub fn limiting_callers(self, a_second: Option<u32>) -> Self {
        Self { callers: callers::CallerLimit::new(a_second), ..self }
    }

    /// What is counted of logins.
    pub const fn meters(&self) -> &Meters {
        &self.meters
    }

    /// How many passwords wait to be hashed.
    pub fn hashes_waiting(&self) -> usize {
        self.hashing.waiting()
    }

    /// How often each memory of logins was asked and had the answer.
    pub fn tallies(&self) -> [(&'static str, &Tally); 3] {
        [("secrets", self.secrets.tally()), ("passwords", self.checked.tally()), ("workloads", self.workloads.tally())]
    }

    /// The same, under this name among its equals.
    #[must_use]
    pub fn on_node(mut self, node: &str) -> Self {
        self.node = node.into();
        self
    }

    /// Decides rights.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Issues tokens.
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// How often argon2id has run: tests hold logins that must look alike to the same number.
    pub fn hash_calls(&self) -> u64 {
        self.hashing.calls()
    }

    /// Makes a change, and lets it be in force on this node before anybody is answered: nothing is decided here before it is.
    async fn change<'c, T: Send>(
        &'c self,
        now: Timestamp,
        body: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, IdentityError> + Send + Sync,
    ) -> Result<T, IdentityError> {
        let done = self.store.write(body).await?;
        self.access.directory().follow_own(now).await;
        Ok(done)
    }

    async fn read<'c, T: Send>(
        &'c self,
        body: impl for<'t> Fn(&'t mut Tx<'c>) -> Work<'t, T, StoreError> + Send + Sync,
    ) -> Result<T, StoreError> {
        self.store.read(body).await
    }
}
