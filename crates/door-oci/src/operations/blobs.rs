//! Blobs: pull and delete (OCI distribution specification 1.1, "Pulling blobs", "Deleting Blobs").

use model::act;

use super::{Call, Handled};
use crate::shapes::{self, blob_range};

impl Call<'_> {
    pub(super) async fn get_blob(&self) -> Handled {
        let (on, digest) = (self.repository()?, self.digest()?);
        let headers = &self.head.headers;
        let range = if headers.contains_key(http::header::RANGE) { blob_range(headers, &format!("\"{digest}\"")) } else { None };
        let permit = self.admit::<act::PullRepository>(on).await?;
        if self.has_already(&digest) {
            self.door.registry.head_blob(&permit, &digest).await?;
            return Ok(shapes::not_modified(&digest));
        }
        if let Some(url) = self.door.registry.blob_elsewhere(&permit, &digest).await? {
            return Ok(shapes::blob_elsewhere(&digest, &url));
        }
        let found = self.door.registry.blob(permit, &digest, range).await?;
        Ok(shapes::blob(&digest, found, range.is_some()))
    }

    pub(super) async fn head_blob(&self) -> Handled {
        let (on, digest) = (self.repository()?, self.digest()?);
        let permit = self.admit::<act::PullRepository>(on).await?;
        let size = self.door.registry.head_blob(&permit, &digest).await?;
        if self.has_already(&digest) {
            return Ok(shapes::not_modified(&digest));
        }
        Ok(shapes::blob_head(&digest, size))
    }

    pub(super) async fn delete_blob(&self) -> Handled {
        let (on, digest) = (self.repository()?, self.digest()?);
        let permit = self.admit::<act::DeleteRepositoryTag>(on).await?;
        self.door.registry.delete_blob(permit, &digest).await?;
        Ok(shapes::deleted())
    }
}
