//! Many rows at once, as if so many requests had made them: for what has to be seen at 10^3 and at 10^6.
//!
//! Rows are written straight into the tables, many in a transaction. What they say is what requests would have said: a manifest has
//! the digest of its bytes. Only content of blobs is not there.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{LazyLock, Mutex};

use model::{AccountId, Digest, InstanceId, RepositoryId, RepositoryName, Timestamp};
use store::{Store, StoreError, Value, params};

/// Namespaces that repositories lie in: `team-000` to `team-999`, each with one in a thousand.
pub const TEAMS: u32 = 1000;
/// How many users do what is in the audit trail, and how many labels there are.
const SOME: u32 = 5;
/// Values in one statement.
const VALUES: usize = 600;
/// Statements in one transaction.
const STATEMENTS: usize = 100;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Writes many rows into an account and one of its instances.
#[derive(Clone, Copy, Debug)]
pub struct Population<'s> {
    /// Into which database.
    pub store: &'s Store,
    /// Whose.
    pub account: AccountId,
    /// Where.
    pub instance: InstanceId,
    /// When all of it was made.
    pub now: Timestamp,
}

type Rows = Vec<Vec<Value>>;

/// A row, value by value.
macro_rules! row {
    ($($value:expr),* $(,)?) => { vec![$(Value::from($value)),*] };
}

/// A number's place in a random order: 64 bits that look like no number's.
fn mixed(kind: u64, number: u32) -> u64 {
    let mut bits = (kind << 32 | u64::from(number)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

fn object(kind: u64, number: u32) -> i64 {
    (mixed(kind, number) >> 1).cast_signed()
}

impl Population<'_> {
    /// The user of this number is `user-0000007`.
    pub fn user(number: u32) -> String {
        format!("user-{number:07}")
    }

    /// The repository of this number: one in a thousand ends in `-k7`, all over the namespaces.
    pub fn repository(number: u32) -> String {
        // A step beside the thousand, so that each namespace has repositories of every key.
        format!("team-{:03}/app-{:07}-k{}", number % TEAMS, number, (number / TEAMS + number) % TEAMS)
    }

    /// The tag of this number.
    pub fn tag(number: u32) -> String {
        format!("v{number:07}")
    }

    /// Tags in a repository that is there and has an image, each with a manifest of its own.
    pub async fn tags(&self, repository: &str, numbers: Range<u32>) {
        let id = self.id_of(repository).await;
        let (config, layer) = (Digest::sha256(b"{}"), Digest::sha256(b"first"));
        let mut manifests: Vec<(Digest, String, u32)> = numbers
            .map(|number| {
                let content = image(&config, &layer, number);
                (Digest::sha256(content.as_bytes()), content, number)
            })
            .collect();
        let now = self.now.millis();
        let tags = manifests.iter().map(|(digest, _, n)| row![id.as_i64(), Self::tag(*n), digest.as_bytes(), now, now]).collect();
        self.insert("tag", "repository_id, name, digest, created_ms, updated_ms", tags).await;
        // In the order of the index that they go into.
        manifests.sort_unstable();
        for piece in manifests.chunks(10_000) {
            let rows = piece.iter().map(|(digest, content, _)| {
                let size = i64::try_from(content.len()).unwrap();
                row![id.as_i64(), digest.as_bytes(), MANIFEST, size, now, content.as_bytes(), size + 7, config.as_bytes()]
            });
            let columns = "repository_id, digest, media_type, size, pushed_ms, content, image_size, config";
            self.insert("manifest", columns, rows.collect()).await;
            let children = piece
                .iter()
                .flat_map(|(digest, ..)| [&config, &layer].map(|child| row![id.as_i64(), digest.as_bytes(), child.as_bytes(), "blob"]));
            self.insert("manifest_child", "repository_id, parent, child, kind", children.collect()).await;
        }
    }

    /// Blobs of the account, linked into a repository that is there.
    pub async fn links(&self, repository: &str, numbers: Range<u32>) {
        let id = self.id_of(repository).await;
        let now = self.now.millis();
        let mut blobs: Vec<(Digest, u32)> = numbers.map(|n| (Digest::sha256(&n.to_be_bytes()), n)).collect();
        blobs.sort_unstable();
        for piece in blobs.chunks(10_000) {
            let rows = piece.iter().map(|(digest, n)| row![self.account.as_i64(), digest.as_bytes(), object(2, *n), 4_i64, now]);
            self.insert("blob", "account_id, digest, storage_key, size, created_ms", rows.collect()).await;
            let links = piece.iter().map(|(digest, _)| row![id.as_i64(), digest.as_bytes(), now]).collect();
            self.insert("blob_link", "repository_id, digest, touched_ms", links).await;
        }
    }

    /// Repositories, and the namespaces that they lie in.
    pub async fn repositories(&self, numbers: Range<u32>) {
        let (instance, now) = (self.instance.as_i64(), self.now.millis());
        let teams = numbers.start.min(TEAMS)..numbers.end.min(TEAMS);
        let namespaces = teams.clone().map(|n| row![object(3, n), instance, format!("team-{n:03}"), false, true, false, now]).collect();
        self.insert("namespace", "id, instance_id, name, is_public, auto_create_repository, sparse_indexes, created_ms", namespaces).await;
        let counted = [i64::from(teams.end.saturating_sub(teams.start)), i64::from(numbers.end - numbers.start)];
        let mut all: Vec<(String, u32)> = numbers.map(|n| (Self::repository(n), n)).collect();
        all.sort_unstable();
        for piece in all.chunks(10_000) {
            let rows = piece
                .iter()
                .map(|(name, n)| row![object(4, *n), self.account.as_i64(), instance, object(3, n % TEAMS), &**name, false, "", now, now]);
            let columns = "id, account_id, instance_id, namespace_id, name, is_public, description, created_ms, updated_ms";
            self.insert("repository", columns, rows.collect()).await;
        }
        let usage = "UPDATE instance_usage SET namespaces = namespaces + $1, repositories = repositories + $2 WHERE instance_id = $3";
        self.execute(usage, params![counted[0], counted[1], instance]).await;
    }

    /// Users, each with a policy, a group and a label: the account's policy, the group and the integration of these ids.
    pub async fn users(&self, (policy, group): (i64, i64), numbers: Range<u32>) {
        let (account, now) = (self.account.as_i64(), self.now.millis());
        let id = |n: u32| Self::user_id(n);
        let rows = |row: &dyn Fn(u32) -> Vec<Value>| numbers.clone().map(row).collect::<Rows>();
        let uuid = |n: u32| format!("{n:08x}-0000-4000-8000-000000000000");
        let users = rows(&|n| row![id(n), uuid(n), account, "user", Self::user(n), true, now]);
        self.insert("principal", "id, uuid, account_id, kind, name, enabled, created_ms", users).await;
        let names = rows(&|n| row![account, Self::user(n), "user", id(n)]);
        self.insert("login_name", "account_id, name, owner_kind, owner_id", names).await;
        let held = rows(&|n| row![id(n), "puller", policy, now]);
        self.insert("attachment", "principal_id, policy_name, policy_id, attached_ms", held).await;
        self.insert("membership", "group_id, member_id, joined_ms", rows(&|n| row![group, id(n), now])).await;
        let labels = rows(&|n| row![account, id(n), "team", format!("team-{}", n % SOME), id(n)]);
        self.insert("label", "account_id, object_id, key, value, principal_id", labels).await;
    }

    /// The numeric id of [`Population::user`].
    pub fn user_id(number: u32) -> i64 {
        model::PrincipalId::from_random(mixed(5, number)).as_i64()
    }

    /// Access credentials, the first of each user, made for an integration, that end in the next hundred days. Nobody has their secrets.
    pub async fn credentials(&self, integration: i64, numbers: Range<u32>) {
        let (account, now) = (self.account.as_i64(), self.now.millis());
        let rows = numbers.map(|n| {
            let (hash, owner) = (Digest::sha256(&object(6, n).to_be_bytes()), Self::user_id(n));
            let ends = now + 86_400_000 * (1 + i64::from(n % 100));
            row![
                object(6, n),
                account,
                owner,
                "access_credential",
                "many",
                hash.as_bytes(),
                true,
                now,
                owner,
                Self::user(n),
                ends,
                integration
            ]
        });
        let columns = "id, account_id, principal_id, kind, description, hash, enabled, created_ms, created_by, created_by_name, expires_ms, \
                       integration_id";
        self.insert("credential", columns, rows.collect()).await;
    }

    /// Records of the audit trail, as far as lists read them: of a user's pulls. Their chain does not hold.
    pub async fn events(&self, numbers: Range<u32>) {
        let (account, now) = (self.account.as_i64(), self.now.millis());
        for from in numbers.clone().step_by(10_000) {
            let rows = (from..numbers.end.min(from + 10_000)).map(|n| {
                let (at, user) = (now - 1_000_000_000 + i64::from(n), n % SOME);
                row![
                    account,
                    20_000_i64,
                    1_000_000 + i64::from(n),
                    at,
                    &[0; 32],
                    &[0; 32],
                    at,
                    i64::from(n),
                    "cr:PullRepository",
                    "success",
                    Self::user_id(user),
                    Self::user(user),
                    object(6, user),
                    "access_credential",
                    format!("repository/local/{}", Self::repository(n)),
                    "192.0.2.1",
                    "a",
                    1_i64
                ]
            });
            let columns = "account_id, day, seq, sealed_ms, previous, hash, time_ms, id, action, outcome, principal_id, principal, \
                           credential_id, credential_kind, resource, source_ip, request_id, count";
            self.insert("audit_event", columns, rows.collect()).await;
        }
    }

    async fn id_of(&self, repository: &str) -> RepositoryId {
        let name = &RepositoryName::parse(repository).unwrap();
        let found = self.store.read(|tx| Box::pin(store::repository::id_by_name(tx, self.instance, name))).await;
        found.unwrap().unwrap()
    }

    async fn execute(&self, sql: &'static str, values: &[Value]) {
        self.store.write(|tx| Box::pin(tx.execute(sql, values))).await.unwrap();
    }

    async fn insert(&self, table: &str, columns: &str, rows: Rows) {
        let width = columns.split(',').count();
        let each = VALUES / width;
        for unit in rows.chunks(each * STATEMENTS) {
            let write = self.store.write(|tx| {
                Box::pin(async move {
                    for piece in unit.chunks(each) {
                        let values: Vec<Value> = piece.iter().flatten().cloned().collect();
                        tx.execute(statement(table, columns, (width, piece.len())), &values).await?;
                    }
                    Ok::<_, StoreError>(())
                })
            });
            write.await.unwrap();
        }
    }
}

/// An image of one layer; the number makes it one of its own.
fn image(config: &Digest, layer: &Digest, number: u32) -> String {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config}","size":2}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{layer}","size":5}}],"annotations":{{"number":"{number}"}}}}"#
    )
}

/// `INSERT INTO table (columns) VALUES ($1, $2), ($3, $4) …`: each text is made once, and stays.
fn statement(table: &str, columns: &str, (width, rows): (usize, usize)) -> &'static str {
    static MADE: LazyLock<Mutex<HashMap<(String, usize), &'static str>>> = LazyLock::new(Mutex::default);
    let mut made = MADE.lock().unwrap();
    made.entry((table.to_owned(), rows)).or_insert_with(|| {
        let row = |row: usize| {
            let numbers: Vec<String> = (1..=width).map(|n| format!("${}", row * width + n)).collect();
            format!("({})", numbers.join(", "))
        };
        let rows: Vec<String> = (0..rows).map(row).collect();
        Box::leak(format!("INSERT INTO {table} ({columns}) VALUES {}", rows.join(", ")).into_boxed_str())
    })
}
