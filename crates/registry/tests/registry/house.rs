//! A registry in memory, two people who may do everything, and the words that the stories are told in.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use access::{Access, Audit, Directory, Permit};
use blobs::{BlobStore, ObjectProtocol, ObjectStorage, Options};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use model::{
    AccountId, ActionKind, Algorithm, Caller, CredentialId, CredentialKind, CredentialRef, Digest, InstanceId, InstanceName, Known,
    MediaType, NamespaceName, OnInstance, OnNamespace, OnRepository, Op, PolicyId, PrincipalId, PrincipalKind, Reference, Region,
    RepositoryName, RequestId, Seconds, Tag, Timestamp, UploadId, act,
};
use registry::{Collection, CollectionTally, Cursors, Limits, NamespaceChanges, Pushed, Registry, RegistryError, Step};
use store::account::Principal;
use store::instance::Instance;
use store::policy::Policy;
use store::{Database, Store, Tx};

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

pub(crate) struct House {
    pub(crate) store: Arc<Store>,
    pub(crate) access: Arc<Access>,
    pub(crate) registry: Registry,
    pub(crate) local: Arc<OnInstance>,
    /// An instance where pushing creates no namespaces.
    pub(crate) strict: Arc<OnInstance>,
    /// An instance of another account.
    pub(crate) foreign: Arc<OnInstance>,
    pub(crate) alice: Caller,
    pub(crate) bob: Caller,
    pub(crate) mallory: Caller,
    pub(crate) blobs: BlobStore,
    /// Of the content, where that lies in files.
    pub(crate) folder: Arc<tempfile::TempDir>,
}

/// The largest blob here.
pub(crate) const LIMIT: usize = 1 << 20;
/// The most namespaces and repositories of an instance here.
pub(crate) const NAMESPACES: u32 = 12;
pub(crate) const REPOSITORIES: u32 = 20;

/// One test a database for each story, which is an `async fn(House)`.
macro_rules! on_each {
    ($($story:ident)*) => { $(mod $story {
        #[test]
        fn sqlite() {
            testkit::run(async { super::$story(crate::house::house(&store::Database::Memory).await).await });
        }
        #[test]
        fn postgres() {
            crate::house::on_postgres(concat!(module_path!(), "::postgres"), super::$story);
        }
    })* };
}
pub(crate) use on_each;

pub(crate) fn on_postgres(name: &str, story: impl AsyncFn(House)) {
    testkit::on_postgres(name, async |settings| story(house(&Database::Postgres(settings)).await).await);
}

pub(crate) async fn house(database: &Database) -> House {
    let store = Arc::new(Store::open(database).await.unwrap());
    let (account, other) = (AccountId::from_random(1), AccountId::from_random(2));
    let [local, strict, foreign] = [("local", account, true), ("strict", account, false), ("foreign", other, true)]
        .map(|(name, account, auto)| instance(name, account, auto));
    let [alice, bob, mallory] = [("alice", account), ("bob", account), ("mallory", other)].map(|(name, account)| principal(name, account));
    for (id, uuid) in [(account, "a"), (other, "b")] {
        store.write(|tx| Box::pin(store::account::insert_account(tx, id, uuid, NOW))).await.unwrap();
    }
    for p in [&alice, &bob, &mallory] {
        store.write(|tx| Box::pin(store::account::insert_principal(tx, p))).await.unwrap();
    }
    for i in [&local, &strict, &foreign] {
        store.write(|tx| Box::pin(store::instance::insert(tx, i))).await.unwrap();
    }
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let blobs = match storage() {
        Some(storage) => BlobStore::open_objects(&storage, Options::default()).await.unwrap(),
        None => BlobStore::open(folder.path(), Options::default()).unwrap(),
    };
    let (access, registry) = node(&store, &blobs, 0).await;
    House {
        store,
        access,
        registry,
        local: local.on,
        strict: strict.on,
        foreign: foreign.on,
        alice: caller(&alice),
        bob: caller(&bob),
        mallory: caller(&mallory),
        blobs,
        folder,
    }
}

/// What a node holds over a database and a storage; each has a number of its own.
async fn node(store: &Arc<Store>, blobs: &BlobStore, number: u8) -> (Arc<Access>, Registry) {
    let limits = Limits { blob: LIMIT as u64, namespaces: NAMESPACES, repositories: REPOSITORIES, ..Limits::default() };
    let audit = Arc::new(Audit::new(Arc::clone(store), 7 + 2 * u32::from(number)));
    let directory = Arc::new(Directory::open(Arc::clone(store), NOW).await.unwrap());
    let access = Arc::new(Access::new(directory, audit));
    let cursors = Cursors::new(|name| Some(backwards(name)), |sealed| Some(backwards(sealed)));
    let registry = Registry::new(Arc::clone(store), blobs.clone(), Arc::clone(&access), dice(number), cursors, limits);
    (access, registry)
}

/// Three nodes over one PostgreSQL and one storage.
pub(crate) fn on_three_nodes(name: &str, story: &impl AsyncFn([&House; 3])) {
    testkit::on_postgres(name, async |settings| {
        let database = Database::Postgres(settings);
        let first = house(&database).await;
        let (second, third) = (first.beside(&database, 1).await, first.beside(&database, 2).await);
        story([&first, &second, &third]).await;
    });
}

/// A seal that is one for who does not look closely.
fn backwards(text: &str) -> String {
    text.chars().rev().collect()
}

/// The number of the next prefix.
static NEXT_PREFIX: AtomicU64 = AtomicU64::new(0);

/// The S3 server that the test run names, `http://KEY:SECRET@HOST:PORT/BUCKET`: then every story is told over it.
fn storage() -> Option<ObjectStorage> {
    #[expect(clippy::disallowed_methods, reason = "the test run names its server in the environment")]
    let url = std::env::var("TIDEGATE_TEST_S3_URL").ok()?;
    let (keys, place) = url.strip_prefix("http://").unwrap().split_once('@').unwrap();
    let ((id, secret), (host, bucket)) = (keys.split_once(':').unwrap(), place.split_once('/').unwrap());
    let endpoint = format!("http://{host}");
    let options = [("aws_endpoint", endpoint.as_str()), ("aws_access_key_id", id), ("aws_secret_access_key", secret)];
    Some(ObjectStorage {
        protocol: ObjectProtocol::S3,
        bucket: bucket.to_owned(),
        prefix: format!("registry-{}-{}", std::process::id(), NEXT_PREFIX.fetch_add(1, Ordering::Relaxed)),
        options: options.map(|(name, value)| (name.to_owned(), value.to_owned().into())).to_vec(),
        authorities: None,
    })
}

/// Numbers that look random and are the same in each run, and others on each node.
fn dice(node: u8) -> impl Fn() -> u64 + Send + Sync {
    let next = AtomicU64::new(1 | u64::from(node) << 32);
    move || {
        let mut z = next.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

fn instance(name: &str, account: AccountId, auto_create_namespace: bool) -> Instance {
    let on = OnInstance {
        account,
        id: InstanceId::from_random(name.len() as u64 * 4096 + u64::from(name.as_bytes()[0])),
        name: InstanceName::parse(name).unwrap(),
        region: Region::parse("local").unwrap(),
    };
    Instance { on: Arc::new(on), is_default: name == "local", auto_create_namespace, identity_tokens: false, created: NOW, updated: NOW }
}

fn principal(name: &str, account: AccountId) -> Principal {
    let id = PrincipalId::from_random(u64::from(name.as_bytes()[0]));
    let (uuid, name) = (name.to_owned(), name.into());
    Principal {
        id,
        uuid,
        account,
        kind: PrincipalKind::Root,
        name,
        enabled: true,
        description: String::new(),
        profile: store::account::Profile::default(),
        expires: None,
        instance: None,
        created: NOW,
        updated: None,
    }
}

fn caller(p: &Principal) -> Caller {
    let known = Known {
        principal: p.id,
        account: p.account,
        kind: p.kind,
        name: Arc::clone(&p.name),
        credential: CredentialRef { id: CredentialId::from_random(1), kind: CredentialKind::AccessCredential },
        instance: None,
        scopes: None,
        ends: None,
    };
    #[expect(clippy::disallowed_methods, reason = "a test's own caller")]
    Caller::vouched_by_identity(known)
}

pub(crate) fn op() -> Op {
    op_at(NOW)
}

pub(crate) fn op_at(now: Timestamp) -> Op {
    Op {
        request_id: RequestId::from_random(1),
        now,
        source_ip: [127, 0, 0, 1].into(),
        network: model::Network::Public,
        secure: true,
        user_agent: None,
    }
}

pub(crate) fn body(content: &[u8]) -> impl Stream<Item = std::io::Result<Bytes>> + Send + use<> {
    stream::iter([Ok(Bytes::copy_from_slice(content))])
}

pub(crate) fn tag(name: &str) -> Reference {
    Reference::Tag(Tag::parse(name).unwrap())
}

pub(crate) fn descriptor(media_type: &str, content: &[u8]) -> String {
    format!(r#"{{"mediaType":"{media_type}","digest":"{}","size":{}}}"#, Digest::sha256(content), content.len())
}

/// An image of these blobs; `more` are further fields.
pub(crate) fn image(config: &[u8], layers: &[&[u8]], more: &str) -> String {
    let layers: Vec<_> = layers.iter().map(|l| descriptor("application/vnd.oci.image.layer.v1.tar", l)).collect();
    let config = descriptor("application/vnd.oci.image.config.v1+json", config);
    format!(r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{config},"layers":[{}]{more}}}"#, layers.join(","))
}

pub(crate) fn index(manifests: &[&str], more: &str) -> String {
    let manifests: Vec<_> = manifests.iter().map(|m| descriptor(MANIFEST, m.as_bytes())).collect();
    format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{}]{more}}}"#, manifests.join(","))
}

impl House {
    /// Another node over the same database and storage.
    async fn beside(&self, database: &Database, number: u8) -> Self {
        let store = Arc::new(Store::open(database).await.unwrap());
        let (access, registry) = node(&store, &self.blobs, number).await;
        Self {
            store,
            access,
            registry,
            local: Arc::clone(&self.local),
            strict: Arc::clone(&self.strict),
            foreign: Arc::clone(&self.foreign),
            alice: self.alice.clone(),
            bob: self.bob.clone(),
            mallory: self.mallory.clone(),
            blobs: self.blobs.clone(),
            folder: Arc::clone(&self.folder),
        }
    }

    /// The same house, where what nothing needs goes at once.
    pub(crate) fn without_grace(self) -> Self {
        self.collecting(Collection { grace: Seconds(-1), delete_after: Seconds(-1) })
    }

    pub(crate) fn collecting(self, collection: Collection) -> Self {
        Self { registry: self.registry.collecting(collection), ..self }
    }

    /// One whole run, as the background job walks it.
    pub(crate) async fn collect(&self, now: Timestamp) -> CollectionTally {
        let mut collecting = self.registry.collection_due(Some(Seconds(0)), now).await.unwrap().unwrap();
        while self.registry.collect_step(&mut collecting, now).await.unwrap() == Step::On {}
        collecting.run().tally
    }

    pub(crate) fn at(&self, name: &str) -> OnRepository {
        OnRepository { instance: Arc::clone(&self.local), name: RepositoryName::parse(name).unwrap() }
    }

    pub(crate) fn namespace(&self, name: &str) -> OnNamespace {
        OnNamespace { instance: Arc::clone(&self.local), name: NamespaceName::parse(name).unwrap() }
    }

    pub(crate) async fn may<A: ActionKind>(&self, who: &Caller, on: A::On) -> Permit<A> {
        self.access.admit::<A>(&op(), who, on).await.unwrap()
    }

    pub(crate) async fn pull(&self, name: &str) -> Permit<act::PullRepository> {
        self.may(&self.alice, self.at(name)).await
    }

    pub(crate) async fn push(&self, name: &str) -> Permit<act::PushRepository> {
        self.may(&self.alice, self.at(name)).await
    }

    pub(crate) async fn delete(&self, name: &str) -> Permit<act::DeleteRepositoryTag> {
        self.may(&self.alice, self.at(name)).await
    }

    pub(crate) async fn begin(&self, name: &str) -> UploadId {
        self.registry.begin_upload(self.push(name).await, Algorithm::Sha256).await.unwrap()
    }

    pub(crate) async fn put_blob(&self, name: &str, content: &[u8]) -> Digest {
        let digest = Digest::sha256(content);
        self.registry.put_blob(self.push(name).await, body(content), &digest).await.unwrap();
        digest
    }

    pub(crate) async fn get_blob(&self, name: &str, digest: &Digest) -> Result<Vec<u8>, RegistryError> {
        let found = self.registry.blob(self.pull(name).await, digest, None).await?;
        let pieces: Vec<Bytes> = found.body.try_collect().await?;
        Ok(pieces.concat())
    }

    pub(crate) async fn put(&self, name: &str, reference: &Reference, manifest: &str) -> Result<Pushed, RegistryError> {
        let media_type = if manifest.contains("\"manifests\"") { INDEX } else { MANIFEST };
        let media_type = MediaType::parse(media_type).unwrap();
        let content = Bytes::copy_from_slice(manifest.as_bytes());
        self.registry.put_manifest(self.push(name).await, reference, Some(&media_type), content, &[]).await
    }

    /// Pushes an image of one config and one layer.
    pub(crate) async fn push_image(&self, name: &str, reference: &Reference, layer: &[u8]) -> (String, Digest) {
        self.put_blob(name, b"{}").await;
        self.put_blob(name, layer).await;
        let manifest = image(b"{}", &[layer], "");
        let pushed = self.put(name, reference, &manifest).await.unwrap();
        (manifest, pushed.digest)
    }

    pub(crate) async fn get(&self, name: &str, reference: &Reference) -> Result<Bytes, RegistryError> {
        Ok(self.registry.manifest(self.pull(name).await, reference).await?.content)
    }

    /// A user who may do what this policy says and nothing else.
    pub(crate) async fn bound_by(&self, document: &str) -> Caller {
        let carol = Principal { kind: PrincipalKind::User, ..principal("carol", self.local.account) };
        let (id, account, name) = (PolicyId::from_random(1), self.local.account, String::from("carols"));
        let policy =
            Policy { id, account, name, description: String::new(), default_version: 1, last_version: 1, created: NOW, updated: NOW };
        self.store.write(|tx| Box::pin(store::account::insert_principal(tx, &carol))).await.unwrap();
        self.store.write(|tx| Box::pin(store::policy::insert(tx, &policy, document))).await.unwrap();
        self.store.write(|tx| Box::pin(store::policy::attach(tx, carol.id, "carols", Some(id), NOW))).await.unwrap();
        caller(&carol)
    }

    /// Lets an index name what is not there.
    pub(crate) async fn allow_sparse(&self, namespace: &str) {
        let permit = self.may(&self.alice, self.namespace(namespace)).await;
        let changes = NamespaceChanges { sparse_indexes: Some(true), ..NamespaceChanges::default() };
        self.registry.update_namespace(permit, changes).await.unwrap();
    }

    /// The keys under which content lies.
    pub(crate) async fn kept(&self) -> usize {
        self.blobs.list(None, 1000).await.unwrap().len()
    }

    /// The uploads for which something is staged in object storage.
    pub(crate) async fn staged(&self) -> usize {
        self.blobs.staged(None, 1000).await.unwrap().len()
    }

    /// What the audit trail says, oldest first.
    pub(crate) async fn trail(&self) -> Vec<String> {
        self.access.audit().flush().await.unwrap();
        let (account, by) = (self.local.account, &store::audit::By::Pending);
        let (first, end) = (model::Timestamp::from_millis(0), (model::Timestamp::from_millis(i64::MAX), 0));
        let events = self.store.read(|tx| Box::pin(store::audit::page(tx, account, by, first, end, 1000))).await.unwrap();
        events
            .iter()
            .rev()
            .map(|listed| &listed.event)
            .map(|e| format!("{} {} {} x{}", e.principal_name, e.action, e.detail.as_deref().unwrap_or("-"), e.count))
            .collect()
    }

    pub(crate) async fn rows(&self, sql: &'static str) -> usize {
        let count = self.store.read(|tx: &mut Tx<'_>| Box::pin(async move { Ok::<_, store::StoreError>(tx.rows(sql, &[]).await?.len()) }));
        count.await.unwrap()
    }
}

pub(crate) async fn everything(body: registry::BlobBody) -> Vec<u8> {
    body.map(|piece| piece.unwrap().to_vec()).collect::<Vec<_>>().await.concat()
}
