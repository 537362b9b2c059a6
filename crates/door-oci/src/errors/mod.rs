//! Errors as the specification's table, and one exhaustive match for each error of the floors below.

mod challenge;
mod spell;

use std::borrow::Cow;

use access::Refusal;
use http::header::{ALLOW, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use identity::{AuthError, Presented};
use kit::{Answer, BodyError, ComeAgain, Host};
use model::Op;
use registry::RegistryError;
use serde::Serialize;
use serde_json::Value;

use crate::operations::Right;

/// How long a client waits before it tries again what failed for want of a moment's capacity, in seconds.
const SOON: HeaderValue = HeaderValue::from_static("1");

macro_rules! codes {
    ($($name:ident $text:literal $status:ident;)*) => {
        /// The error codes (OCI distribution specification 1.1, "Error Codes"); behind the specification's fourteen, those
        /// of the Docker registry that clients know where it has none.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(crate) enum Code { $($name),* }

        impl Code {
            /// As answers spell it.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// The status that goes with it unless its cause says otherwise.
            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),* }
            }
        }
    };
}

codes! {
    BlobUnknown "BLOB_UNKNOWN" NOT_FOUND;
    BlobUploadInvalid "BLOB_UPLOAD_INVALID" BAD_REQUEST;
    BlobUploadUnknown "BLOB_UPLOAD_UNKNOWN" NOT_FOUND;
    DigestInvalid "DIGEST_INVALID" BAD_REQUEST;
    ManifestBlobUnknown "MANIFEST_BLOB_UNKNOWN" NOT_FOUND;
    ManifestInvalid "MANIFEST_INVALID" BAD_REQUEST;
    ManifestUnknown "MANIFEST_UNKNOWN" NOT_FOUND;
    NameInvalid "NAME_INVALID" BAD_REQUEST;
    NameUnknown "NAME_UNKNOWN" NOT_FOUND;
    SizeInvalid "SIZE_INVALID" BAD_REQUEST;
    Unauthorized "UNAUTHORIZED" UNAUTHORIZED;
    Denied "DENIED" FORBIDDEN;
    Unsupported "UNSUPPORTED" METHOD_NOT_ALLOWED;
    TooManyRequests "TOOMANYREQUESTS" TOO_MANY_REQUESTS;
    PageNumberInvalid "PAGINATION_NUMBER_INVALID" BAD_REQUEST;
    RangeInvalid "RANGE_INVALID" RANGE_NOT_SATISFIABLE;
    Unavailable "UNAVAILABLE" SERVICE_UNAVAILABLE;
    Unknown "UNKNOWN" INTERNAL_SERVER_ERROR;
}

/// Why a request was not done, in the words of the floor that says so.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The request itself is wrong.
    Request(Failure),
    /// Who asks is not believed.
    Auth(AuthError),
    /// Who asks may not.
    Access(Refusal),
    /// The body did not come as it should.
    Body(BodyError),
    /// The use case was not done.
    Registry(RegistryError),
}

macro_rules! refused_by {
    ($($variant:ident $error:ty),*) => {$(
        impl From<$error> for Refused {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        }
    )*};
}

refused_by!(Request Failure, Auth AuthError, Access Refusal, Body BodyError, Registry RegistryError);

/// How a request says who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scheme {
    Nothing,
    Basic,
    Bearer,
}

impl Scheme {
    pub(crate) const fn of(presented: &Presented) -> Self {
        match presented {
            Presented::Nothing => Self::Nothing,
            Presented::Basic { .. } => Self::Basic,
            Presented::Bearer(_) => Self::Bearer,
        }
    }
}

/// What an error's answer needs to know of its request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'r> {
    pub(crate) op: &'r Op,
    pub(crate) host: &'r Host,
    pub(crate) external_url: Option<&'r str>,
    pub(crate) path: &'r str,
    pub(crate) query: &'r str,
    pub(crate) name: &'r str,
    pub(crate) right: Right,
    pub(crate) scheme: Scheme,
}

/// An error as it is answered.
#[derive(Debug)]
pub(crate) struct Failure {
    code: Code,
    status: StatusCode,
    message: Cow<'static, str>,
    detail: Option<Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
    come_again: Option<ComeAgain>,
}

#[derive(Serialize)]
struct Errors<'a> {
    errors: [OneError<'a>; 1],
}

#[derive(Serialize)]
struct OneError<'a> {
    code: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a Value>,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, status: code.status(), message: message.into(), detail: None, headers: Vec::new(), come_again: None }
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn with_detail(mut self, detail: Value) -> Self {
        self.detail = Some(detail);
        self
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// A header whose value is made of what came with the request; one that no header can carry is left out.
    pub(crate) fn with_made_header(self, name: HeaderName, value: String) -> Self {
        match HeaderValue::try_from(value) {
            Ok(value) => self.with_header(name, value),
            Err(_) => self,
        }
    }

    pub(crate) fn soon(self) -> Self {
        self.with_header(RETRY_AFTER, SOON)
    }

    /// The words are those of a caller's own limit.
    pub(crate) fn too_often(retry_after_ms: i64) -> Self {
        let seconds = HeaderValue::from(identity::retry_after(retry_after_ms));
        let failure = Self::new(Code::TooManyRequests, AuthError::Throttled { retry_after_ms }.to_string());
        Self { come_again: Some(ComeAgain(retry_after_ms)), ..failure.with_header(RETRY_AFTER, seconds) }
    }

    pub(crate) fn no_route() -> Self {
        Self::new(Code::Unsupported, "there is no such endpoint").with_status(StatusCode::NOT_FOUND)
    }

    pub(crate) fn no_instance() -> Self {
        Self::new(Code::NameUnknown, "there is no registry at this host")
    }

    pub(crate) fn wrong_method(allow: String) -> Self {
        Self::new(Code::Unsupported, "this endpoint does not take this method").with_made_header(ALLOW, allow)
    }

    /// A parameter or header that cannot be read.
    pub(crate) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::Unsupported, message).with_status(StatusCode::BAD_REQUEST)
    }

    pub(crate) fn answer(self) -> Answer {
        let error = OneError { code: self.code.as_str(), message: &self.message, detail: self.detail.as_ref() };
        let mut answer = kit::json(self.status, &Errors { errors: [error] });
        answer.headers_mut().extend(self.headers.into_iter().map(|(name, value)| (Some(name), value)));
        if let Some(come_again) = self.come_again {
            answer.extensions_mut().insert(come_again);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_the_specifications() {
        let failure = Failure::new(Code::Denied, "no").with_detail(serde_json::json!({"action": "cr:PushRepository"}));
        let (head, body) = failure.answer().into_parts();
        let kit::Body::Full(body) = body else { panic!("from memory") };
        assert_eq!(head.status, StatusCode::FORBIDDEN);
        assert_eq!(head.headers["content-type"], "application/json");
        assert_eq!(body, r#"{"errors":[{"code":"DENIED","message":"no","detail":{"action":"cr:PushRepository"}}]}"#);
        let kit::Body::Full(body) = Failure::no_route().answer().into_body() else { panic!("from memory") };
        assert_eq!(body, r#"{"errors":[{"code":"UNSUPPORTED","message":"there is no such endpoint"}]}"#);
    }
}
