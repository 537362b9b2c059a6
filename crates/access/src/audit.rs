//! The audit trail: who did what to which resource, from where, with which credential, and how it ended.
//!
//! A change writes its record in its own transaction ([`write()`]). Refusals, logins, grants and pulls go through a bounded
//! batch that is flushed each second and on a graceful stop ([`Audit::note`], [`Audit::flush`]). Whatever is written down says
//! also that its credential was used: that is noted beside it, once a minute at most. What is written is sealed by `trail`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use meter::Counter;
use model::{AccountId, Caller, CredentialId, CredentialKind, Digest, Op, PrincipalId, Resource, Timestamp};
use store::audit::Event;
use store::credential::Use;
use store::{Store, StoreError, Tx};

/// A batch holds at most so many records; whoever would add another writes them out first.
const BATCH: usize = 16_384;
/// Records written in one transaction.
const CHUNK: usize = 256;
/// Credentials whose last use waits to be written, at most.
const USES: usize = 65_536;
/// A credential's last use is written at most this often.
const USE_EVERY_MS: i64 = 60_000;

/// How something ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Done.
    Success,
    /// Not allowed.
    Denied,
    /// Tried and failed: a wrong password, an expired key.
    Failed,
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

/// One thing that happened. It has no field for a secret.
#[derive(Clone, Debug)]
pub struct Record {
    account: Option<AccountId>,
    action: Arc<str>,
    outcome: Outcome,
    principal: Option<PrincipalId>,
    name: Arc<str>,
    credential: Option<(CredentialId, CredentialKind)>,
    resource: Arc<str>,
    detail: Option<Arc<str>>,
    op: Op,
}

impl Record {
    /// `caller` did `action` to `resource`, and it ended so.
    pub fn new(op: &Op, caller: &Caller, action: &str, resource: &Resource, outcome: Outcome) -> Self {
        let known = caller.known();
        Self {
            account: Some(resource.account()),
            action: action.into(),
            outcome,
            principal: known.map(|k| k.principal),
            name: known.map_or_else(|| "anonymous".into(), |k| Arc::clone(&k.name)),
            credential: known.map(|k| (k.credential.id, k.credential.kind)),
            resource: printable(&resource.to_string(), 512).into(),
            detail: None,
            op: op.clone(),
        }
    }

    /// A login that failed: whoever claimed to be `name`.
    pub fn failed_login(op: &Op, account: AccountId, name: &str, principal: Option<PrincipalId>) -> Self {
        let name = printable(name, 64);
        Self {
            account: Some(account),
            action: "login".into(),
            outcome: Outcome::Failed,
            principal,
            name: name.into(),
            credential: None,
            resource: format!("account/{account}").into(),
            detail: None,
            op: op.clone(),
        }
    }

    /// What the server did by itself, without anybody asking.
    pub fn job(op: &Op, account: AccountId, action: &str) -> Self {
        Self::of_nobody(op, account, ("system", action), Outcome::Success)
    }

    /// Whoever holds the server's configuration did `what` to an account.
    pub(crate) fn by_operator_of_account(op: &Op, account: AccountId, what: &'static str, outcome: Outcome) -> Self {
        Self::of_nobody(op, account, ("operator", what), outcome)
    }

    /// What nobody did who is a principal.
    fn of_nobody(op: &Op, account: AccountId, (name, what): (&str, &str), outcome: Outcome) -> Self {
        Self {
            account: Some(account),
            action: what.into(),
            outcome,
            principal: None,
            name: name.into(),
            credential: None,
            resource: format!("account/{account}").into(),
            detail: None,
            op: op.clone(),
        }
    }

    /// Adds a digest, a reason, a name. Never a secret.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Arc<str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

/// What a stranger sent, as it may stand in a record: no control characters, which one of the databases refuses.
fn printable(text: &str, at_most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(at_most).collect()
}

/// Writes a record in the transaction of the change it tells of.
pub async fn write(tx: &mut Tx<'_>, audit: &Audit, record: &Record) -> Result<(), StoreError> {
    audit.lock().note_use_in(record);
    match audit.event(record, 1) {
        Some(event) => store::audit::insert(tx, &event).await,
        None => Ok(()),
    }
}

/// What happens so often that equal ones within a second are one record with a count.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Frequent {
    /// A manifest was answered.
    Pull(Digest),
    /// A token was granted.
    Login,
    /// A login failed: for this name, by its hash, so that a flood of them is not a flood of records.
    Failed(u64),
    /// Network rules did not let somebody in: to what, by its hash.
    Refused(u64),
}

#[derive(PartialEq, Eq, Hash)]
struct Same {
    what: Frequent,
    credential: Option<CredentialId>,
    from: IpAddr,
    second: i64,
}

#[derive(Default)]
struct Batch {
    records: Vec<(Record, i64)>,
    folded: HashMap<Same, (Record, i64)>,
    uses: HashMap<CredentialId, Use>,
}

impl Batch {
    /// The credential in a record was used.
    fn note_use_in(&mut self, record: &Record) {
        if let Some((credential, _)) = record.credential {
            self.note_use(Use { credential, at: record.op.now, from: record.op.source_ip });
        }
    }

    fn note_use(&mut self, one: Use) {
        if self.uses.len() < USES || self.uses.contains_key(&one.credential) {
            self.uses.insert(one.credential, one);
        }
    }
}

/// The audit trail's batch.
pub struct Audit {
    store: Arc<Store>,
    node: i64,
    next: AtomicI64,
    batch: Mutex<Batch>,
    written: Mutex<HashMap<CredentialId, Timestamp>>,
    flushing: tokio::sync::Mutex<()>,
    lost: Counter,
}

impl std::fmt::Debug for Audit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Audit").finish_non_exhaustive()
    }
}

impl Audit {
    /// A batch over `store`; `node` is a random number that keeps this node's record ids apart.
    pub fn new(store: Arc<Store>, node: u32) -> Self {
        Self {
            store,
            node: i64::from(node >> 1) << 32,
            next: AtomicI64::new(0),
            batch: Mutex::default(),
            written: Mutex::default(),
            flushing: tokio::sync::Mutex::default(),
            lost: Counter::default(),
        }
    }

    /// Adds a record to the batch.
    pub async fn note(&self, record: Record) {
        let full = {
            let mut batch = self.lock();
            batch.note_use_in(&record);
            batch.records.push((record, 1));
            batch.records.len() >= BATCH
        };
        if full && let Err(error) = self.flush().await {
            tracing::error!(%error, "audit records wait: the database does not take them");
        }
    }

    /// Adds a pull or a login. Equal ones (credential, address, digest) within a second fold into one with a count.
    pub async fn note_frequent(&self, op: &Op, caller: &Caller, what: Frequent, record: impl FnOnce() -> Record) {
        let credential = caller.known().map(|k| k.credential.id);
        let key = Same { what, credential, from: op.source_ip, second: op.now.seconds() };
        let full = {
            let mut batch = self.lock();
            if let Some((_, count)) = batch.folded.get_mut(&key) {
                *count += 1;
            } else {
                let record = record();
                batch.note_use_in(&record);
                batch.folded.insert(key, (record, 1));
            }
            batch.folded.len() >= BATCH
        };
        if full && let Err(error) = self.flush().await {
            tracing::error!(%error, "audit records wait: the database does not take them");
        }
    }

    /// Notes that a credential was used, where nothing else is written down.
    pub fn note_use(&self, op: &Op, credential: CredentialId) {
        self.lock().note_use(Use { credential, at: op.now, from: op.source_ip });
    }

    /// How many records were given up because the database did not take them.
    pub const fn lost(&self) -> &Counter {
        &self.lost
    }

    /// How many records wait to be written.
    pub fn backlog(&self) -> usize {
        let batch = self.lock();
        batch.records.len() + batch.folded.len()
    }

    /// Writes out what has gathered. What could not be written stays for the next time.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.flushing.lock().await;
        let Batch { records, folded, uses } = std::mem::take(&mut *self.lock());
        let mut counted: Vec<(Record, i64)> = records.into_iter().chain(folded.into_values()).collect();
        while !counted.is_empty() {
            let chunk = counted.split_off(counted.len().saturating_sub(CHUNK));
            match self.write_chunk(&chunk).await {
                Ok(()) => {}
                Err(StoreError::Statement(cause)) => self.write_one_by_one(&chunk, &*cause).await,
                Err(error) => {
                    counted.extend(chunk);
                    self.put_back(counted);
                    self.put_back_uses(uses);
                    return Err(error);
                }
            }
        }
        self.write_uses(uses).await
    }

    /// After a chunk was refused for what it holds: one record that cannot be written must not keep the others waiting.
    async fn write_one_by_one(&self, chunk: &[(Record, i64)], cause: &(dyn std::error::Error + Send + Sync)) {
        tracing::error!(%cause, "a chunk of audit records was refused; writing them one by one");
        for one in chunk {
            if let Err(error) = self.write_chunk(std::slice::from_ref(one)).await {
                self.lost.inc();
                tracing::error!(%error, action = &*one.0.action, "an audit record could not be written");
            }
        }
    }

    async fn write_chunk(&self, chunk: &[(Record, i64)]) -> Result<(), StoreError> {
        let events: &Vec<Event> = &chunk.iter().filter_map(|(record, count)| self.event(record, *count)).collect();
        self.store
            .write(|tx| {
                Box::pin(async move {
                    for event in events {
                        store::audit::insert(tx, event).await?;
                    }
                    Ok::<_, StoreError>(())
                })
            })
            .await
    }

    fn put_back(&self, counted: Vec<(Record, i64)>) {
        let mut batch = self.lock();
        let room = (2 * BATCH).saturating_sub(batch.records.len());
        let lost = counted.len().saturating_sub(room);
        if lost > 0 {
            self.lost.inc_by(lost as u64);
            tracing::error!(lost, "audit records lost: the database has not taken any for too long");
        }
        batch.records.extend(counted.into_iter().take(room));
    }

    async fn write_uses(&self, mut uses: HashMap<CredentialId, Use>) -> Result<(), StoreError> {
        let newest = uses.values().map(|u| u.at).max();
        {
            let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            uses.retain(|id, one| written.get(id).is_none_or(|last| one.at.millis_since(*last) >= USE_EVERY_MS));
            written.retain(|_, last| newest.is_none_or(|now| now.millis_since(*last) < USE_EVERY_MS));
        }
        if uses.is_empty() {
            return Ok(());
        }
        let rows: &Vec<Use> = &uses.values().cloned().collect();
        if let Err(error) = self.store.write(|tx| Box::pin(store::credential::note_uses(tx, rows, USE_EVERY_MS))).await {
            self.put_back_uses(uses);
            return Err(error);
        }
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever finds no room here is asked about in the database, which writes no oftener either.
        let room = USES.saturating_sub(written.len());
        written.extend(uses.values().take(room).map(|u| (u.credential, u.at)));
        Ok(())
    }

    /// For the next time; what has come meanwhile is younger.
    fn put_back_uses(&self, uses: HashMap<CredentialId, Use>) {
        let mut batch = self.lock();
        for (id, one) in uses.into_iter().take(USES) {
            batch.uses.entry(id).or_insert(one);
        }
    }

    fn event(&self, record: &Record, count: i64) -> Option<Event> {
        Some(Event {
            id: self.node | (self.next.fetch_add(1, Ordering::Relaxed) & 0xffff_ffff),
            account: record.account?,
            time: record.op.now,
            action: Arc::clone(&record.action),
            outcome: record.outcome.as_str().into(),
            principal: record.principal,
            principal_name: Arc::clone(&record.name),
            credential: record.credential.map(|(id, _)| id),
            credential_kind: record.credential.map(|(_, kind)| kind.as_str().into()),
            resource: Arc::clone(&record.resource),
            detail: record.detail.clone(),
            source_ip: record.op.source_ip.to_string().into(),
            user_agent: record.op.user_agent.clone(),
            request_id: record.op.request_id.to_string().into(),
            count,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Batch> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
