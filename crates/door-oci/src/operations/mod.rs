//! The operations: one table that names each one's right, and a handler each.

mod blobs;
mod lists;
mod manifests;
mod uploads;

use std::sync::Arc;

use access::Permit;
use http::Method;
use http::request::Parts;
use kit::{Answer, RequestBody};
use model::{Action, ActionKind, Caller, Digest, DigestError, OnInstance, OnRepository, Op, RepositoryName};

use crate::DoorOci;
use crate::errors::{Code, Failure, Refused};
use crate::routes::{Place, Route};
use crate::shapes::{self, Links, Query};

/// What a handler comes to.
pub(crate) type Handled = Result<Answer, Refused>;

/// What can be asked of this door.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Operation {
    CheckVersion,
    ListRepositories,
    GetManifest,
    HeadManifest,
    PutManifest,
    DeleteManifest,
    GetBlob,
    HeadBlob,
    DeleteBlob,
    BeginUpload,
    UploadStatus,
    AppendChunk,
    FinishUpload,
    CancelUpload,
    ListTags,
    ListReferrers,
}

impl Operation {
    /// Its name in log and metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::CheckVersion => "check_version",
            Self::ListRepositories => "list_repositories",
            Self::GetManifest => "get_manifest",
            Self::HeadManifest => "head_manifest",
            Self::PutManifest => "put_manifest",
            Self::DeleteManifest => "delete_manifest",
            Self::GetBlob => "get_blob",
            Self::HeadBlob => "head_blob",
            Self::DeleteBlob => "delete_blob",
            Self::BeginUpload => "begin_upload",
            Self::UploadStatus => "upload_status",
            Self::AppendChunk => "append_chunk",
            Self::FinishUpload => "finish_upload",
            Self::CancelUpload => "cancel_upload",
            Self::ListTags => "list_tags",
            Self::ListReferrers => "list_referrers",
        }
    }
}

/// What an operation takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Right {
    /// To have logged in.
    Login,
    /// The right on the repository that the path names.
    On(Action),
    /// Shows the repositories that one has the right on.
    Listed(Action),
}

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) place: Place,
    pub(crate) method: Method,
    pub(crate) operation: Operation,
    pub(crate) right: Right,
}

const fn row(place: Place, method: Method, operation: Operation, right: Right) -> Declared {
    Declared { place, method, operation, right }
}

const PULL: Right = Right::On(Action::PullRepository);
const PUSH: Right = Right::On(Action::PushRepository);
const DELETE: Right = Right::On(Action::DeleteRepositoryTag);

/// All operations. Where there is no row for HEAD, GET's serves it: the answer's body is left out.
pub(crate) static OPERATIONS: [Declared; 16] = [
    row(Place::Manifest, Method::GET, Operation::GetManifest, PULL),
    row(Place::Manifest, Method::HEAD, Operation::HeadManifest, PULL),
    row(Place::Manifest, Method::PUT, Operation::PutManifest, PUSH),
    row(Place::Manifest, Method::DELETE, Operation::DeleteManifest, DELETE),
    row(Place::Blob, Method::GET, Operation::GetBlob, PULL),
    row(Place::Blob, Method::HEAD, Operation::HeadBlob, PULL),
    row(Place::Blob, Method::DELETE, Operation::DeleteBlob, DELETE),
    row(Place::Uploads, Method::POST, Operation::BeginUpload, PUSH),
    row(Place::Upload, Method::GET, Operation::UploadStatus, PUSH),
    row(Place::Upload, Method::PATCH, Operation::AppendChunk, PUSH),
    row(Place::Upload, Method::PUT, Operation::FinishUpload, PUSH),
    row(Place::Upload, Method::DELETE, Operation::CancelUpload, PUSH),
    row(Place::Tags, Method::GET, Operation::ListTags, PULL),
    row(Place::Referrers, Method::GET, Operation::ListReferrers, PULL),
    row(Place::Catalog, Method::GET, Operation::ListRepositories, Right::Listed(Action::PullRepository)),
    row(Place::Base, Method::GET, Operation::CheckVersion, Right::Login),
];

/// The operation of a place and a method; else the methods that the place takes, as `Allow` lists them.
pub(crate) fn find(place: Place, method: &Method) -> Result<&'static Declared, String> {
    let here = || OPERATIONS.iter().filter(move |row| row.place == place);
    let of = |wanted: &Method| here().find(|row| row.method == *wanted);
    let found = of(method).or_else(|| if *method == Method::HEAD { of(&Method::GET) } else { None });
    found.ok_or_else(|| {
        let mut allowed: Vec<&str> = here().map(|row| row.method.as_str()).collect();
        if allowed.contains(&"GET") && !allowed.contains(&"HEAD") {
            allowed.push("HEAD");
        }
        allowed.join(", ")
    })
}

/// All operations as method, path and action (none: who is logged in), for tables of rights and for tests that walk them.
pub fn operations() -> impl Iterator<Item = (&'static Method, &'static str, Option<Action>)> {
    OPERATIONS.iter().map(|row| match row.right {
        Right::Login => (&row.method, row.place.template(), None),
        Right::On(action) | Right::Listed(action) => (&row.method, row.place.template(), Some(action)),
    })
}

/// The names of all operations, as log and metrics have them.
pub fn operation_names() -> impl Iterator<Item = &'static str> {
    OPERATIONS.iter().map(|row| row.operation.name())
}

/// One request: what it asks, and who asks it.
pub(crate) struct Call<'r> {
    pub(crate) door: &'r DoorOci,
    pub(crate) op: &'r Op,
    pub(crate) head: &'r Parts,
    pub(crate) route: Route<'r>,
    pub(crate) operation: Operation,
    pub(crate) caller: Caller,
    pub(crate) instance: Arc<OnInstance>,
}

impl<'r> Call<'r> {
    /// Does it. Pulls run in place; what is rarer has a box of its own, or each request would carry the room it needs.
    pub(crate) async fn act(self, body: RequestBody) -> Handled {
        match self.operation {
            Operation::CheckVersion => self.check_version(),
            Operation::ListRepositories => Box::pin(self.list_repositories()).await,
            Operation::GetManifest => self.get_manifest().await,
            Operation::HeadManifest => self.head_manifest().await,
            Operation::PutManifest => Box::pin(self.put_manifest(body)).await,
            Operation::DeleteManifest => Box::pin(self.delete_manifest()).await,
            Operation::GetBlob => self.get_blob().await,
            Operation::HeadBlob => self.head_blob().await,
            Operation::DeleteBlob => Box::pin(self.delete_blob()).await,
            Operation::BeginUpload => Box::pin(self.begin_upload(body)).await,
            Operation::UploadStatus => Box::pin(self.upload_status()).await,
            Operation::AppendChunk => Box::pin(self.append_chunk(body)).await,
            Operation::FinishUpload => Box::pin(self.finish_upload(body)).await,
            Operation::CancelUpload => Box::pin(self.cancel_upload()).await,
            Operation::ListTags => Box::pin(self.list_tags()).await,
            Operation::ListReferrers => Box::pin(self.list_referrers()).await,
        }
    }

    /// Docker asks here whether there is a registry, and how to log in: whoever has not is told how, even where some
    /// repositories are public (without a challenge here, clients never send their login).
    fn check_version(&self) -> Handled {
        self.known()?;
        Ok(shapes::version())
    }

    fn known(&self) -> Result<(), Refused> {
        if self.caller.is_anonymous() { Err(access::Refusal::Unauthenticated.into()) } else { Ok(()) }
    }

    /// The repository that the path names, there or not.
    fn repository(&self) -> Result<OnRepository, Refused> {
        Ok(OnRepository { instance: Arc::clone(&self.instance), name: repository_name(self.route.name)? })
    }

    /// The digest that the path names.
    fn digest(&self) -> Result<Digest, Refused> {
        Ok(digest(self.route.item)?)
    }

    async fn admit<A: ActionKind<On = OnRepository>>(&self, on: OnRepository) -> Result<Permit<A>, Refused> {
        Ok(self.door.identity.access().admit::<A>(self.op, &self.caller, on).await?)
    }

    fn query(&self) -> Query<'r> {
        Query::new(self.head.uri.query().unwrap_or_default())
    }

    fn path(&self) -> &'r str {
        self.head.uri.path()
    }

    fn links<'n>(&self, name: &'n RepositoryName) -> Links<'n>
    where
        'r: 'n,
    {
        Links { external_url: self.door.external_url.as_deref().unwrap_or_default(), name }
    }
}

fn repository_name(text: &str) -> Result<RepositoryName, Failure> {
    RepositoryName::parse(text).map_err(|error| Failure::new(Code::NameInvalid, error.to_string()))
}

fn digest(text: &str) -> Result<Digest, Failure> {
    text.parse().map_err(|error: DigestError| Failure::new(Code::DigestInvalid, error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_place_and_method_is_declared_once() {
        let rows: BTreeSet<_> = OPERATIONS.iter().map(|row| (row.place, row.method.as_str())).collect();
        assert_eq!(rows.len(), OPERATIONS.len());
        for (n, row) in OPERATIONS.iter().enumerate() {
            assert!(OPERATIONS.iter().skip(n + 1).all(|other| other.operation != row.operation), "{:?}", row.operation);
        }
    }

    /// zot #4161: a method was taken for another's right. Here what changes something takes another right than pulling.
    #[test]
    fn zot_4161_only_reading_takes_the_right_to_pull() {
        for row in &OPERATIONS {
            let reads = [Method::GET, Method::HEAD].contains(&row.method);
            let pulls = matches!(row.right, PULL | Right::Listed(Action::PullRepository) | Right::Login);
            assert_eq!(pulls, reads && row.place != Place::Upload, "{:?}", row.operation);
        }
    }

    #[test]
    fn other_methods_learn_which_ones_are_taken() {
        let allow = |place| find(place, &Method::OPTIONS).unwrap_err();
        assert_eq!(allow(Place::Manifest), "GET, HEAD, PUT, DELETE");
        assert_eq!(allow(Place::Uploads), "POST");
        assert_eq!(allow(Place::Upload), "GET, PATCH, PUT, DELETE, HEAD");
        assert_eq!(allow(Place::Base), "GET, HEAD");
        assert_eq!(find(Place::Tags, &Method::HEAD).unwrap().operation, Operation::ListTags);
        assert_eq!(find(Place::Manifest, &Method::HEAD).unwrap().operation, Operation::HeadManifest);
        for brewed in ["get", "BREW"] {
            assert!(find(Place::Base, &Method::from_bytes(brewed.as_bytes()).unwrap()).is_err());
        }
    }
}
