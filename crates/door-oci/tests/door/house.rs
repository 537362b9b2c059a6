//! A registry in memory behind its door, and who asks there: root, `alice` who may pull below `demo`, `bob` who may nothing.

use std::sync::Arc;

use access::{Access, Audit, Directory};
use base64::Engine as _;
use blobs::{BlobStore, Options};
use bytes::Bytes;
use door_oci::DoorOci;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt as _;
use identity::{CreateCredential, Identity, Keeper};
use kit::{Host, Request, RequestBody};
use model::{
    AccountId, ActionKind, Caller, CredentialId, CredentialKind, CredentialRef, Digest, InstanceId, InstanceName, Known, OnInstance,
    OnPolicy, OnPrincipal, Op, PrincipalId, PrincipalKind, Region, RequestId, Scopes, Seconds, Timestamp, act,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use registry::{Limits, Registry};
use secrets::{Dice, MasterKey};
use store::Store;
use store::account::Principal;
use store::instance::Instance;
use tokens::Tokens;

pub(crate) const HOST: &str = "reg.example:5000";
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const PULL_DEMO: &str =
    r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"cr:PullRepository","Resource":"acs:cr:*:*:repository/local/demo/*"}]}"#;

/// A user who holds an access credential.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) basic: String,
    caller: Caller,
}

pub(crate) struct House {
    door: DoorOci,
    pub(crate) identity: Arc<Identity>,
    pub(crate) instance: Arc<OnInstance>,
    root_caller: Caller,
    pub(crate) root: Person,
    pub(crate) alice: Person,
    pub(crate) bob: Person,
    _folder: tempfile::TempDir,
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answered {
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut all = self.headers.get_all(name).iter();
        let value = all.next().map_or("", |v| v.to_str().unwrap());
        assert!(all.next().is_none(), "{name} stands twice");
        value
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The status, and the code of the only error.
    pub(crate) fn error(&self) -> (u16, String) {
        let json = self.json();
        assert_eq!(json["errors"].as_array().map(Vec::len), Some(1), "{json}");
        (self.status.as_u16(), json["errors"][0]["code"].as_str().unwrap().to_owned())
    }

    pub(crate) fn message(&self) -> String {
        self.json()["errors"][0]["message"].as_str().unwrap().to_owned()
    }
}

pub(crate) async fn house() -> House {
    house_at(None).await
}

pub(crate) async fn house_at(external_url: Option<&str>) -> House {
    let mut random = ChaCha20Rng::seed_from_u64(7);
    let master = MasterKey::generate(&mut random);
    let dice = Arc::new(Dice::new(Box::new(random)));
    let (store, account) = (Arc::new(Store::memory().await.unwrap()), AccountId::from_random(1));
    let on = OnInstance {
        account,
        id: InstanceId::from_random(1),
        name: InstanceName::parse("local").unwrap(),
        region: Region::parse("local").unwrap(),
    };
    let instance =
        Instance { on: Arc::new(on), is_default: true, auto_create_namespace: true, identity_tokens: false, created: NOW, updated: NOW };
    let root = Principal {
        id: account.root(),
        uuid: "u".into(),
        account,
        kind: PrincipalKind::Root,
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
    store.write(|tx| Box::pin(store::account::insert_principal(tx, &root))).await.unwrap();
    store.write(|tx| Box::pin(store::instance::insert(tx, &instance))).await.unwrap();

    let audit = Arc::new(Audit::new(Arc::clone(&store), 7));
    let directory = Arc::new(Directory::open(Arc::clone(&store), NOW).await.unwrap());
    let access = Arc::new(Access::new(directory, audit));
    let keeper = Keeper::open(&store, &master.into(), &dice, NOW).await.unwrap();
    let tokens = Tokens::open(Arc::clone(&store), keeper.sealing(), Arc::clone(&dice), "http://reg.example", Seconds::minutes(5), NOW);
    let tokens = Arc::new(tokens.await.unwrap());
    let identity = Arc::new(Identity::new(Arc::clone(&store), Arc::clone(&access), tokens, keeper, Arc::clone(&dice), 1));
    let folder = tempfile::tempdir().unwrap();
    let blobs = BlobStore::open(folder.path(), Options::default()).unwrap();
    let registry = Arc::new(Registry::new(
        store,
        blobs,
        access,
        move || dice.bits(),
        registry::Cursors::new(|name| Some(name.to_owned()), |sealed| Some(sealed.to_owned())),
        Limits::default(),
    ));
    let door = DoorOci::new(Arc::clone(&identity), registry, external_url);
    let root_caller = root_caller(account);
    let nobody = || Person { basic: String::new(), caller: Caller::anonymous() };
    let mut house =
        House { door, identity, instance: instance.on, root_caller, root: nobody(), alice: nobody(), bob: nobody(), _folder: folder };
    house.root = house.with_credential("root", account.root()).await;
    house.bob = house.with_user("bob").await;
    house.alice = house.with_user("alice").await;
    house.attach("alice", "demo", PULL_DEMO).await;
    house
}

fn root_caller(account: AccountId) -> Caller {
    let credential = CredentialRef { id: CredentialId::from_random(1), kind: CredentialKind::SignInPassword };
    #[expect(clippy::disallowed_methods, reason = "a test's own caller")]
    Caller::vouched_by_identity(Known {
        principal: account.root(),
        account,
        kind: PrincipalKind::Root,
        name: "root".into(),
        credential,
        instance: None,
        scopes: None,
        ends: None,
    })
}

pub(crate) fn op() -> Op {
    Op {
        request_id: RequestId::from_random(1),
        now: NOW,
        source_ip: [127, 0, 0, 1].into(),
        network: model::Network::Public,
        secure: false,
        user_agent: None,
    }
}

pub(crate) fn basic(username: &str, password: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}")))
}

impl House {
    async fn permit<A: ActionKind>(&self, on: A::On) -> access::Permit<A> {
        self.identity.access().admit::<A>(&op(), &self.root_caller, on).await.unwrap()
    }

    fn user(&self, name: &str, id: Option<PrincipalId>) -> OnPrincipal {
        OnPrincipal { account: self.instance.account, id, kind: PrincipalKind::User, name: name.into() }
    }

    async fn with_user(&self, name: &str) -> Person {
        let permit = self.permit::<act::CreateUser>(self.user(name, None)).await;
        let user = self.identity.create_user(permit).await.unwrap();
        self.with_credential(name, user.id).await
    }

    async fn with_credential(&self, name: &str, id: PrincipalId) -> Person {
        let permit = self.permit::<act::CreateAccessCredential>(self.user(name, Some(id))).await;
        let wanted = CreateCredential { description: "tests".into(), expires_in: None, instance: None, integration: None };
        let made = self.identity.create_credential(permit, wanted).await.unwrap();
        let presented =
            identity::Presented::Basic { username: name.into(), password: secrets::Plain::new(made.secret.reveal().into()).unwrap() };
        let instance = self.identity.access().enter(&op(), "reg.example").await.unwrap().unwrap();
        let at = identity::At::Registry { instance: &instance, service: HOST };
        let caller = self.identity.authenticate(&op(), presented, at).await.unwrap();
        Person { basic: basic(name, made.secret.reveal()), caller }
    }

    async fn attach(&self, user: &str, name: &str, document: &str) {
        let account = self.instance.account;
        let on = OnPolicy { account, id: None, name: name.into() };
        self.identity.create_policy(self.permit::<act::CreatePolicy>(on).await, "tests", document).await.unwrap();
        let id = self.alice.caller.known().unwrap().principal;
        let permit = self.permit::<act::AttachPolicyToUser>(self.user(user, Some(id))).await;
        self.identity.attach_policy(permit, name).await.unwrap();
    }

    /// A bearer token of a person's with what is granted of these scopes.
    pub(crate) async fn bearer(&self, person: &Person, scopes: &str) -> String {
        self.bearer_for(&person.caller, scopes, HOST).await
    }

    pub(crate) async fn bearer_for(&self, caller: &Caller, scopes: &str, service: &str) -> String {
        let scopes = Scopes::parse([scopes]).unwrap();
        let granted = self.identity.access().narrow(&op(), caller, &self.instance, &scopes).await.unwrap();
        let bearer = self.identity.tokens().issue_bearer(&op(), &granted, service, self.instance.id).await.unwrap();
        format!("Bearer {}", bearer.token.reveal())
    }

    /// Asks. The headers may hold `authorization`.
    pub(crate) async fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answered {
        let mut request = http::Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        let body = if body.is_empty() { RequestBody::empty() } else { Bytes::copy_from_slice(body).into() };
        let answer = self.door.answer(Request { op: op(), host: Host::parse(HOST).unwrap(), head, body }).await;
        let (head, body) = answer.into_parts();
        assert_eq!(head.headers["docker-distribution-api-version"], "registry/2.0");
        Answered { status: head.status, headers: head.headers, body: body.collect().await.unwrap().to_bytes() }
    }

    /// Asks as somebody.
    pub(crate) async fn by(&self, who: &str, method: &str, target: &str) -> Answered {
        self.ask(method, target, &[("authorization", who)], b"").await
    }

    /// Asks as root, who may everything.
    pub(crate) async fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answered {
        let mut all = vec![("authorization", self.root.basic.as_str())];
        all.extend_from_slice(headers);
        self.ask(method, target, &all, body).await
    }

    pub(crate) async fn push_blob(&self, name: &str, content: &[u8]) -> Digest {
        let digest = Digest::sha256(content);
        let answer = self.send("POST", &format!("/v2/{name}/blobs/uploads/?digest={digest}"), &[], content).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        digest
    }

    /// Pushes an image of one layer; `more` are further fields.
    pub(crate) async fn push_image(&self, name: &str, reference: &str, more: &str) -> (String, Answered) {
        let content = image(more);
        self.push_blob(name, b"{}").await;
        self.push_blob(name, b"layer").await;
        let kind = [("content-type", MANIFEST)];
        let answer = self.send("PUT", &format!("/v2/{name}/manifests/{reference}"), &kind, content.as_bytes()).await;
        (content, answer)
    }
}

pub(crate) fn image(more: &str) -> String {
    let descriptor =
        |kind: &str, content: &[u8]| format!(r#"{{"mediaType":"{kind}","digest":"{}","size":{}}}"#, Digest::sha256(content), content.len());
    let config = descriptor("application/vnd.oci.image.config.v1+json", b"{}");
    let layer = descriptor("application/vnd.oci.image.layer.v1.tar", b"layer");
    format!(r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{config},"layers":[{layer}]{more}}}"#)
}
