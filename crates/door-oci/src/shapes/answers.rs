//! Answers of what went well.

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LINK, LOCATION, RANGE,
};
use http::{HeaderMap, StatusCode};
use kit::{Answer, Body, empty};
use model::{Digest, MediaType, RepositoryName, UploadId};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use registry::{BlobFound, ManifestFound, ManifestHead, PresignedUrl, Pushed, Referrers};
use serde::Serialize;

use super::PageAsked;
use super::ranges::received;

const DOCKER_CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
const DOCKER_UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");
const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
const OCI_TAG: HeaderName = HeaderName::from_static("oci-tag");
const OCI_FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");

const ARTIFACT_TYPE: HeaderValue = HeaderValue::from_static("artifactType");
const BYTES: HeaderValue = HeaderValue::from_static("bytes");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Media types of nearly every manifest: their header values need no memory.
const KNOWN_TYPES: [&str; 4] = [
    "application/vnd.oci.image.manifest.v1+json",
    OCI_INDEX,
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];

/// What may stand for itself in a query's value.
const IN_QUERY: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'&').add(b'+').add(b'<').add(b'>').add(b';').add(b'\\').add(b',');

/// Where things are: below `external_url`, or relative to what the client asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Links<'r> {
    pub(crate) external_url: &'r str,
    pub(crate) name: &'r RepositoryName,
}

impl Links<'_> {
    fn to(&self, rest: std::fmt::Arguments<'_>) -> Option<HeaderValue> {
        HeaderValue::try_from(format!("{}/v2/{}/{rest}", self.external_url, self.name)).ok()
    }

    fn blob(&self, digest: &Digest) -> Option<HeaderValue> {
        self.to(format_args!("blobs/{digest}"))
    }

    fn manifest(&self, digest: &Digest) -> Option<HeaderValue> {
        self.to(format_args!("manifests/{digest}"))
    }

    fn upload(&self, id: UploadId) -> Option<HeaderValue> {
        self.to(format_args!("blobs/uploads/{id}"))
    }
}

/// `/v2/` for who is logged in.
pub(crate) fn version() -> Answer {
    full(JSON, Bytes::from_static(b"{}"))
}

/// A manifest as it was pushed.
pub(crate) fn manifest(found: ManifestFound) -> Answer {
    let mut answer = full(media_type(&found.media_type), found.content);
    put_digest(answer.headers_mut(), &found.digest);
    answer
}

/// What a manifest is.
pub(crate) fn manifest_head(head: &ManifestHead) -> Answer {
    let mut answer = empty(StatusCode::OK);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, media_type(&head.media_type));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(head.size));
    put_digest(headers, &head.digest);
    answer
}

/// The client has it already.
pub(crate) fn not_modified(digest: &Digest) -> Answer {
    let mut answer = empty(StatusCode::NOT_MODIFIED);
    put_digest(answer.headers_mut(), digest);
    answer
}

/// A blob, or the part of it that was asked for.
pub(crate) fn blob(digest: &Digest, found: BlobFound, partial: bool) -> Answer {
    let body = match found.body.into_whole() {
        Ok(content) => Body::from(content),
        Err(pieces) => Body::stream(pieces.len(), pieces.map_err(std::io::Error::other)),
    };
    let mut answer = Answer::new(body);
    let headers = answer.headers_mut();
    put_blob_headers(headers, digest);
    if partial {
        let last = found.range.end.saturating_sub(1);
        put(headers, CONTENT_RANGE, HeaderValue::try_from(format!("bytes {}-{last}/{}", found.range.start, found.size)).ok());
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    answer
}

/// A blob that the client gets elsewhere, by a URL that holds for minutes and is nobody else's.
pub(crate) fn blob_elsewhere(digest: &Digest, url: &PresignedUrl) -> Answer {
    let mut answer = empty(StatusCode::TEMPORARY_REDIRECT);
    let headers = answer.headers_mut();
    let location = HeaderValue::try_from(url.expose()).ok().map(|mut value| {
        value.set_sensitive(true);
        value
    });
    put(headers, LOCATION, location);
    put_digest_alone(headers, digest);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// What a blob is.
pub(crate) fn blob_head(digest: &Digest, size: u64) -> Answer {
    let mut answer = empty(StatusCode::OK);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(size));
    put_blob_headers(headers, digest);
    answer
}

/// An upload that has begun, or has got a chunk: where it goes on.
pub(crate) fn upload_grown(links: Links<'_>, id: UploadId, offset: u64) -> Answer {
    upload(StatusCode::ACCEPTED, links, id, offset)
}

/// Where an upload stands.
pub(crate) fn upload_stands(links: Links<'_>, id: UploadId, offset: u64) -> Answer {
    upload(StatusCode::NO_CONTENT, links, id, offset)
}

/// An upload that is forgotten.
pub(crate) fn cancelled() -> Answer {
    empty(StatusCode::NO_CONTENT)
}

/// A blob that the repository has now.
pub(crate) fn mounted(links: Links<'_>, digest: &Digest) -> Answer {
    let mut answer = empty(StatusCode::CREATED);
    put(answer.headers_mut(), LOCATION, links.blob(digest));
    put_digest_alone(answer.headers_mut(), digest);
    answer
}

/// A manifest that the repository has now.
pub(crate) fn pushed(links: Links<'_>, pushed: &Pushed, tells_tags: bool) -> Answer {
    let mut answer = empty(StatusCode::CREATED);
    let headers = answer.headers_mut();
    put(headers, LOCATION, links.manifest(&pushed.digest));
    put_digest_alone(headers, &pushed.digest);
    if let Some(subject) = &pushed.subject {
        put(headers, OCI_SUBJECT, HeaderValue::try_from(subject.to_string()).ok());
    }
    for tag in pushed.tags.iter().filter(|_| tells_tags) {
        if let Ok(value) = HeaderValue::try_from(tag.as_str()) {
            headers.append(OCI_TAG, value);
        }
    }
    answer
}

/// Something that is gone.
pub(crate) fn deleted() -> Answer {
    empty(StatusCode::ACCEPTED)
}

/// Part of a list, and where it goes on: behind `next`.
pub(crate) fn page(list: &impl Serialize, path: &str, asked: &PageAsked<'_>, next: Option<&str>) -> Answer {
    let mut answer = kit::json(StatusCode::OK, list);
    if let Some(next) = next {
        let n = asked.n.map(|n| format!("n={n}&")).unwrap_or_default();
        put_next(answer.headers_mut(), path, &format!("{n}last={}", utf8_percent_encode(next, IN_QUERY)));
    }
    answer
}

/// Who refers to a manifest.
pub(crate) fn referrers(found: Referrers, path: &str, artifact_type: Option<&str>) -> Answer {
    let mut answer = full(HeaderValue::from_static(OCI_INDEX), found.index);
    let headers = answer.headers_mut();
    if artifact_type.is_some() {
        headers.insert(OCI_FILTERS_APPLIED, ARTIFACT_TYPE);
    }
    if let Some(next) = found.next {
        let filter = artifact_type.map(|kind| format!("artifactType={}&", utf8_percent_encode(kind, IN_QUERY))).unwrap_or_default();
        put_next(headers, path, &format!("{filter}last={next}"));
    }
    answer
}

fn upload(status: StatusCode, links: Links<'_>, id: UploadId, offset: u64) -> Answer {
    let mut answer = empty(status);
    let headers = answer.headers_mut();
    put(headers, LOCATION, links.upload(id));
    put(headers, RANGE, HeaderValue::try_from(received(offset)).ok());
    put(headers, DOCKER_UPLOAD_UUID, HeaderValue::try_from(id.to_string()).ok());
    answer
}

fn full(kind: HeaderValue, content: Bytes) -> Answer {
    let mut answer = Answer::new(Body::from(content));
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}

fn media_type(kind: &MediaType) -> HeaderValue {
    match KNOWN_TYPES.into_iter().find(|known| *known == kind.as_str()) {
        Some(known) => HeaderValue::from_static(known),
        None => HeaderValue::from_str(kind.as_str()).unwrap_or(OCTETS),
    }
}

fn put_blob_headers(headers: &mut HeaderMap, digest: &Digest) {
    headers.insert(CONTENT_TYPE, OCTETS);
    headers.insert(ACCEPT_RANGES, BYTES);
    put_digest(headers, digest);
}

/// The digest, and as a strong entity tag: two views of the same bytes.
fn put_digest(headers: &mut HeaderMap, digest: &Digest) {
    let quoted = Bytes::from(format!("\"{digest}\""));
    let plain = quoted.slice(1..quoted.len().saturating_sub(1));
    put(headers, DOCKER_CONTENT_DIGEST, HeaderValue::from_maybe_shared(plain).ok());
    put(headers, ETAG, HeaderValue::from_maybe_shared(quoted).ok());
}

fn put_digest_alone(headers: &mut HeaderMap, digest: &Digest) {
    put(headers, DOCKER_CONTENT_DIGEST, HeaderValue::try_from(digest.to_string()).ok());
}

fn put_next(headers: &mut HeaderMap, path: &str, query: &str) {
    put(headers, LINK, HeaderValue::try_from(format!("<{path}?{query}>; rel=\"next\"")).ok());
}

/// Values made of checked names and digests always are header values.
fn put(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    if let Some(value) = value {
        headers.insert(name, value);
    }
}
