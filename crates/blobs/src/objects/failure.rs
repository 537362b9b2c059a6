//! What an object storage's failure means. Its own words may repeat requests with their tokens: what is kept of them is the
//! status and the code.

use std::error::Error as _;
use std::io;

use object_store::Error;
use object_store::client::{HttpError, HttpErrorKind};

use crate::BlobError;

/// The longest code of an error.
const MAX_CODE_BYTES: usize = 64;

/// What a failure is, told apart by what a caller does next.
pub(super) fn failure(error: &Error) -> BlobError {
    let (status, code) = (status(error), code(error));
    let not_found = matches!(error, Error::NotFound { .. });
    match (status, code.as_deref()) {
        (_, Some("NoSuchUpload" | "InvalidPart" | "NoSuchKey" | "BlobNotFound")) => BlobError::Missing,
        // HEAD has no body to say more.
        (_, None) if not_found => BlobError::Missing,
        (Some(412), _) => BlobError::Exists,
        (Some(416), _) => BlobError::Damaged,
        (Some(507), _) | (_, Some("QuotaExceeded" | "XMinioStorageFull" | "XMinioAdminBucketQuotaExceeded")) => BlobError::Full,
        (None, _) if matches!(error, Error::AlreadyExists { .. }) => BlobError::Exists,
        _ => BlobError::Unavailable(io::Error::other(told(error))),
    }
}

/// Somebody else changes something at this place now; S3 says so of objects that are deleted and written at once.
pub(super) fn is_conflict(error: &Error) -> bool {
    status(error) == Some(409)
}

/// This node itself cannot do it now.
pub(super) fn busy(why: &'static str) -> BlobError {
    BlobError::Unavailable(io::Error::other(why))
}

/// What happened, for the log: no URL, no header, no body.
pub(super) fn told(error: &Error) -> String {
    match (status(error), code(error)) {
        (Some(status), Some(code)) => format!("the object storage answers {status} {code}"),
        (Some(status), None) => format!("the object storage answers {status}"),
        (None, _) => transport(error).unwrap_or_else(|| innermost(error)),
    }
}

/// Of `object_store`'s text, since it keeps the type behind it to itself: `… status code: 403 Forbidden: BODY`.
fn status(error: &Error) -> Option<u16> {
    let text = error.to_string();
    text.split_once("status code: ")?.1.get(..3)?.parse().ok()
}

/// `<Code>NoSuchUpload</Code>` of the answer.
fn code(error: &Error) -> Option<String> {
    let text = error.to_string();
    let code = text.split_once("<Code>")?.1.split_once("</Code>")?.0;
    (code.len() <= MAX_CODE_BYTES && code.bytes().all(|b| b.is_ascii_alphanumeric())).then(|| code.to_owned())
}

fn transport(error: &Error) -> Option<String> {
    let http = chain(error).find_map(|e| e.downcast_ref::<HttpError>())?;
    let what = match http.kind() {
        HttpErrorKind::Connect => "the object storage cannot be reached",
        HttpErrorKind::Timeout => "the object storage does not answer in time",
        HttpErrorKind::Decode => "the object storage's answer makes no sense",
        _ => "the connection to the object storage broke",
    };
    Some(http.source().map_or_else(|| what.to_owned(), |cause| format!("{what}: {cause}")))
}

/// The innermost cause: those around it repeat addresses.
fn innermost(error: &Error) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}

fn chain(error: &Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |e: &&(dyn std::error::Error + 'static)| (*e).source())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(text: &'static str) -> Error {
        Error::Generic { store: "S3", source: text.into() }
    }

    #[test]
    fn nothing_of_an_answer_but_status_and_code_is_told() {
        let body = "<Error><Code>SignatureDoesNotMatch</Code><CanonicalRequest>x-amz-security-token:hunter2</CanonicalRequest></Error>";
        let text: &'static str =
            format!("Error performing PUT http://x/?a=hunter2 in 1ms - Server returned non-2xx status code: 403 Forbidden: {body}").leak();
        let error = generic(text);
        assert_eq!(told(&error), "the object storage answers 403 SignatureDoesNotMatch");
        assert!(matches!(failure(&error), BlobError::Unavailable(cause) if !cause.to_string().contains("hunter2")));
    }

    #[test]
    fn an_upload_that_is_gone_is_missing_and_a_full_bucket_is_full() {
        let answer = |status: &str, code: &str| generic(format!("status code: {status} X: <Code>{code}</Code>").leak());
        assert!(matches!(failure(&answer("404", "NoSuchUpload")), BlobError::Missing));
        assert!(matches!(failure(&answer("400", "InvalidPart")), BlobError::Missing));
        assert!(matches!(failure(&answer("404", "NoSuchBucket")), BlobError::Unavailable(_)));
        assert!(matches!(failure(&answer("507", "X")), BlobError::Full));
        assert!(matches!(failure(&answer("503", "SlowDown")), BlobError::Unavailable(_)));
    }
}
