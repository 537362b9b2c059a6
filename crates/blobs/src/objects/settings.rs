//! Where the object storage is, and as whom. The program reads settings and environment; here they become a client.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::multipart::MultipartStore;
use object_store::signer::Signer;
use object_store::{BackoffConfig, ObjectStore, RetryConfig};
use zeroize::Zeroizing;

use super::failure::told;
use super::http::Connector;
use crate::{Meters, ObjectsError};

/// Which protocol an object storage speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ObjectProtocol {
    /// S3 and its like.
    S3,
    /// Google Cloud Storage.
    Google,
    /// Azure Blob Storage.
    Azure,
}

/// An object storage as settings name it.
#[derive(Clone)]
pub struct ObjectStorage {
    /// How it is spoken to.
    pub protocol: ObjectProtocol,
    /// The bucket (Azure: container).
    pub bucket: String,
    /// What all names begin with; may be empty.
    pub prefix: String,
    /// Options by the names that `object_store` gives them (`aws_endpoint`, `aws_access_key_id` …). May hold secrets.
    pub options: Vec<(String, Zeroizing<String>)>,
    /// Certificates in PEM of the authorities that the storage's own is checked against; none: the public ones.
    pub authorities: Option<String>,
}

impl fmt::Debug for ObjectStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.options.iter().map(|(name, _)| name).collect();
        let mut shown = f.debug_struct("ObjectStorage");
        shown.field("protocol", &self.protocol).field("bucket", &self.bucket).field("prefix", &self.prefix);
        shown.field("options", &names).field("own_authorities", &self.authorities.is_some()).finish()
    }
}

impl fmt::Display for ObjectStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.protocol {
            ObjectProtocol::S3 => "s3",
            ObjectProtocol::Google => "gs",
            ObjectProtocol::Azure => "az",
        };
        write!(f, "{scheme}://{}", self.bucket)?;
        if self.prefix.is_empty() { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}

/// One client in its three roles.
#[derive(Clone)]
pub(super) struct Clients {
    pub(super) objects: Arc<dyn ObjectStore>,
    pub(super) parts: Arc<dyn MultipartStore>,
    pub(super) signer: Arc<dyn Signer>,
}

/// How often and how long a request is tried: with one attempt of [`super::http`] on top, an answer is there within half a minute.
fn retries() -> RetryConfig {
    let backoff = BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(2), base: 2. };
    RetryConfig { backoff, max_retries: 4, retry_timeout: Duration::from_secs(8) }
}

impl ObjectStorage {
    pub(super) fn clients(&self, meters: &Meters) -> Result<Clients, ObjectsError> {
        let connector = Connector::new(self.authorities.as_deref(), meters).map_err(ObjectsError::Settings)?;
        match self.protocol {
            ObjectProtocol::S3 => {
                let builder = AmazonS3Builder::new().with_bucket_name(&self.bucket).with_http_connector(connector);
                // One request a deletion, which every clone of S3 knows.
                let builder = builder.with_disable_bulk_delete(true);
                let builder = self.apply(builder.with_retry(retries()), AmazonS3Builder::with_config)?;
                builder.build().map(clients).map_err(|error| unusable(&error))
            }
            ObjectProtocol::Google => {
                let builder = GoogleCloudStorageBuilder::new().with_bucket_name(&self.bucket).with_http_connector(connector);
                let builder = self.apply(builder.with_retry(retries()), GoogleCloudStorageBuilder::with_config)?;
                builder.build().map(clients).map_err(|error| unusable(&error))
            }
            ObjectProtocol::Azure => {
                let builder = MicrosoftAzureBuilder::new().with_container_name(&self.bucket).with_http_connector(connector);
                let builder = self.apply(builder.with_retry(retries()), MicrosoftAzureBuilder::with_config)?;
                builder.build().map(clients).map_err(|error| unusable(&error))
            }
        }
    }

    /// Gives the builder every option, each by its name.
    fn apply<B, K: FromStr>(&self, builder: B, with: impl Fn(B, K, String) -> B) -> Result<B, ObjectsError> {
        self.options.iter().try_fold(builder, |builder, (name, value)| {
            let key = name.parse().map_err(|_| ObjectsError::Settings(format!("there is no option `{name}`")))?;
            Ok(with(builder, key, value.to_string()))
        })
    }
}

fn clients<S: ObjectStore + MultipartStore + Signer + 'static>(client: S) -> Clients {
    let client = Arc::new(client);
    Clients { objects: Arc::clone(&client) as _, parts: Arc::clone(&client) as _, signer: client }
}

/// What is wrong with the settings themselves; no value of theirs is repeated.
fn unusable(error: &object_store::Error) -> ObjectsError {
    ObjectsError::Settings(told(error))
}
