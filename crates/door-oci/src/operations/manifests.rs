//! Manifests: pull, push, delete (OCI distribution specification 1.1, "Pulling manifests", "Pushing Manifests", "Deleting").

use http::HeaderMap;
use http::header::{CONTENT_TYPE, IF_NONE_MATCH};
use kit::{RequestBody, read_body};
use model::{MediaType, NameError, Reference, Tag, act};
use registry::MAX_MANIFEST;

use super::{Call, Handled, digest};
use crate::errors::{Code, Failure, Refused};
use crate::shapes::{self, holds};

impl Call<'_> {
    /// Serves what is stored, whatever `Accept` says: its bytes are what its digest is of.
    pub(super) async fn get_manifest(&self) -> Handled {
        let (on, reference) = (self.repository()?, self.stored_reference()?);
        let permit = self.admit::<act::PullRepository>(on).await?;
        if self.head.headers.contains_key(IF_NONE_MATCH) {
            let head = self.door.registry.head_manifest(&permit, &reference).await?;
            if self.has_already(&head.digest) {
                return Ok(shapes::not_modified(&head.digest));
            }
        }
        let found = self.door.registry.manifest(permit, &reference).await?;
        Ok(shapes::manifest(found))
    }

    pub(super) async fn head_manifest(&self) -> Handled {
        let (on, reference) = (self.repository()?, self.stored_reference()?);
        let permit = self.admit::<act::PullRepository>(on).await?;
        let head = self.door.registry.head_manifest(&permit, &reference).await?;
        if self.has_already(&head.digest) {
            return Ok(shapes::not_modified(&head.digest));
        }
        Ok(shapes::manifest_head(&head))
    }

    pub(super) async fn put_manifest(&self, body: RequestBody) -> Handled {
        let (on, reference) = (self.repository()?, new_reference(self.route.item)?);
        let (kind, tags) = (content_type(&self.head.headers)?, self.further_tags()?);
        let name = on.name.clone();
        let permit = self.admit::<act::PushRepository>(on).await?;
        let content = read_body(body, MAX_MANIFEST).await?;
        let pushed = self.door.registry.put_manifest(permit, &reference, kind.as_ref(), content, &tags).await?;
        Ok(shapes::pushed(self.links(&name), &pushed, !tags.is_empty()))
    }

    pub(super) async fn delete_manifest(&self) -> Handled {
        let (on, reference) = (self.repository()?, self.stored_reference()?);
        let permit = self.admit::<act::DeleteRepositoryTag>(on).await?;
        self.door.registry.delete_manifest(permit, &reference).await?;
        Ok(shapes::deleted())
    }

    /// Does the client say that it has this content?
    pub(super) fn has_already(&self, digest: &model::Digest) -> bool {
        let headers = &self.head.headers;
        headers.contains_key(IF_NONE_MATCH) && holds(headers, IF_NONE_MATCH, &format!("\"{digest}\""))
    }

    /// Something that may be there: what cannot be a tag is a tag that is not.
    fn stored_reference(&self) -> Result<Reference, Failure> {
        let text = self.route.item;
        if text.contains(':') {
            return digest(text).map(Reference::Digest);
        }
        Tag::parse(text).map(Reference::Tag).map_err(|error| Failure::new(Code::ManifestUnknown, error.to_string()))
    }

    /// Tags to set besides (the current draft of the specification: `?tag=`, repeated).
    fn further_tags(&self) -> Result<Vec<Tag>, Failure> {
        self.query().all("tag").take(registry::MAX_TAGS + 1).map(|text| Tag::parse(&text?).map_err(|error| no_tag(&error))).collect()
    }
}

fn new_reference(text: &str) -> Result<Reference, Failure> {
    if text.contains(':') {
        return digest(text).map(Reference::Digest);
    }
    Tag::parse(text).map(Reference::Tag).map_err(|error| no_tag(&error))
}

fn no_tag(error: &NameError) -> Failure {
    Failure::new(Code::ManifestInvalid, error.to_string())
}

fn content_type(headers: &HeaderMap) -> Result<Option<MediaType>, Refused> {
    let mut all = headers.get_all(CONTENT_TYPE).iter();
    let Some(value) = all.next() else { return Ok(None) };
    let text = value.to_str().ok().filter(|_| all.next().is_none());
    let kind = text.and_then(|text| MediaType::parse(text).ok());
    kind.map(Some).ok_or_else(|| Failure::new(Code::ManifestInvalid, "Content-Type is not one media type").into())
}
