//! What a pull and a small push cost without HTTP: `cargo run --release -p registry --example speed`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a measurement for the one who runs it"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use access::{Access, Audit, Directory, Permit};
use blobs::{BlobStore, Options};
use bytes::Bytes;
use futures_util::stream;
use model::{
    AccountId, ActionKind, Algorithm, Caller, CredentialId, CredentialKind, CredentialRef, Digest, InstanceId, InstanceName, Known,
    MediaType, OnInstance, OnRepository, Op, PrincipalId, PrincipalKind, Reference, Region, RepositoryName, RequestId, Tag, Timestamp, act,
};
use registry::{Limits, Registry};
use store::account::Principal;
use store::instance::Instance;
use store::{Database, Store};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

struct Bench {
    access: Arc<Access>,
    registry: Registry,
    on: Arc<OnInstance>,
    caller: Caller,
    next: AtomicU64,
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let folder = tempfile::tempdir_in(".").unwrap();
    let bench = Arc::new(open(&folder).await);
    push(&bench, "demo/app", 0).await;
    let reference = Reference::Tag(Tag::parse("t0").unwrap());
    let digest = bench.registry.manifest(bench.may("demo/app").await, &reference).await.unwrap().digest;
    let by_digest = Reference::Digest(digest);
    for (what, reference) in [("tag", &reference), ("digest", &by_digest)] {
        let begun = Instant::now();
        for _ in 0..100_000 {
            bench.registry.manifest(bench.may("demo/app").await, reference).await.unwrap();
        }
        println!("admit and manifest by {what}: {:.2} us", begun.elapsed().as_secs_f64() * 10.0);
    }
    let begun = Instant::now();
    for _ in 0..100_000 {
        let _permit: Permit<act::PullRepository> = bench.may("demo/app").await;
    }
    println!("admit alone: {:.2} us", begun.elapsed().as_secs_f64() * 10.0);
    let config = Digest::sha256(b"config 0");
    let begun = Instant::now();
    for _ in 0..100_000 {
        bench.registry.head_blob(&bench.may("demo/app").await, &config).await.unwrap();
    }
    println!("admit and blob head: {:.2} us", begun.elapsed().as_secs_f64() * 10.0);
    for clients in [1, 8, 32] {
        pushes(&bench, clients).await;
    }
}

/// Images of two blobs, by POST, PATCH and PUT a blob, each client with a repository of its own.
async fn pushes(bench: &Arc<Bench>, clients: u64) {
    let each = 400 / clients;
    let begun = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|client| {
            let bench = Arc::clone(bench);
            tokio::spawn(async move {
                for _ in 0..each {
                    let n = bench.next.fetch_add(1, Ordering::Relaxed);
                    push(&bench, &format!("demo/r{client}"), n).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    println!("{clients} clients: {:.0} durable images a second", (each * clients) as f64 / begun.elapsed().as_secs_f64());
}

async fn push(bench: &Bench, name: &str, n: u64) {
    let blobs = [format!("config {n}"), format!("layer {n}").repeat(100)];
    for content in &blobs {
        let id = bench.registry.begin_upload(bench.may(name).await, Algorithm::Sha256).await.unwrap();
        let body = stream::iter([Ok(Bytes::copy_from_slice(content.as_bytes()))]);
        bench.registry.append(bench.may(name).await, id, None, body).await.unwrap();
        let digest = Digest::sha256(content.as_bytes());
        bench.registry.finish_upload(bench.may(name).await, id, None, stream::empty(), &digest).await.unwrap();
    }
    let [config, layer] = blobs.map(|c| format!(r#"{{"mediaType":"x/y","digest":"{}","size":{}}}"#, Digest::sha256(c.as_bytes()), c.len()));
    let manifest = format!(r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{config},"layers":[{layer}]}}"#);
    let reference = Reference::Tag(Tag::parse(&format!("t{n}")).unwrap());
    let media_type = MediaType::parse(MANIFEST).unwrap();
    bench.registry.put_manifest(bench.may(name).await, &reference, Some(&media_type), manifest.into(), &[]).await.unwrap();
}

impl Bench {
    async fn may<A: ActionKind<On = OnRepository>>(&self, name: &str) -> Permit<A> {
        let on = OnRepository { instance: Arc::clone(&self.on), name: RepositoryName::parse(name).unwrap() };
        let op = Op {
            request_id: RequestId::from_random(1),
            now: NOW,
            source_ip: [127, 0, 0, 1].into(),
            network: model::Network::Public,
            secure: true,
            user_agent: None,
        };
        self.access.admit::<A>(&op, &self.caller, on).await.unwrap()
    }
}

async fn open(folder: &tempfile::TempDir) -> Bench {
    let store = Arc::new(Store::open(&Database::Directory(folder.path().join("db"))).await.unwrap());
    let account = AccountId::from_random(1);
    let (name, region) = (InstanceName::parse("local").unwrap(), Region::parse("local").unwrap());
    let on = Arc::new(OnInstance { account, id: InstanceId::from_random(2), name, region });
    let instance =
        Instance { on: Arc::clone(&on), is_default: true, auto_create_namespace: true, identity_tokens: false, created: NOW, updated: NOW };
    let (kind, id) = (PrincipalKind::Root, PrincipalId::from_random(3));
    let principal = Principal {
        id,
        uuid: "p".into(),
        account,
        kind,
        name: "root".into(),
        enabled: true,
        description: String::new(),
        profile: store::account::Profile::default(),
        expires: None,
        instance: None,
        created: NOW,
        updated: None,
    };
    store.write(|tx| Box::pin(store::account::insert_account(tx, account, "a", NOW))).await.unwrap();
    store.write(|tx| Box::pin(store::account::insert_principal(tx, &principal))).await.unwrap();
    store.write(|tx| Box::pin(store::instance::insert(tx, &instance))).await.unwrap();
    let credential = CredentialRef { id: CredentialId::from_random(1), kind: CredentialKind::AccessCredential };
    let known = Known { principal: id, account, kind, name: "root".into(), credential, instance: None, scopes: None, ends: None };
    let audit = Arc::new(Audit::new(Arc::clone(&store), 7));
    let directory = Arc::new(Directory::open(Arc::clone(&store), NOW).await.unwrap());
    let access = Arc::new(Access::new(directory, audit));
    let blobs = BlobStore::open(&folder.path().join("blobs"), Options::default()).unwrap();
    let ids = AtomicU64::new(1);
    let random = move || ids.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let in_the_clear = registry::Cursors::new(|name| Some(name.to_owned()), |sealed| Some(sealed.to_owned()));
    let registry = Registry::new(store, blobs, Arc::clone(&access), random, in_the_clear, Limits::default());
    Bench { access, registry, on, caller: Caller::vouched_by_identity(known), next: AtomicU64::new(1) }
}
