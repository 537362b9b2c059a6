//! Answers as values with ordered fields, printed as JSON or XML.
//!
//! One rule makes both: in XML a list repeats its field's element. Where a product wraps a list (`Users` > `User`), its JSON does so
//! too, and so does the value: [`Object::wrapped`].

mod json;
mod xml;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use kit::Answer;
use model::{Op, Timestamp};

use crate::errors::Problem;
use crate::product::Product;

/// The header in which the clouds' clients look for a request's id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-acs-request-id");
/// Milliseconds to wait, as the vendor's SDKs read it; `Retry-After` beside it is for everybody else.
const ACS_RETRY_AFTER: HeaderName = HeaderName::from_static("x-acs-retry-after");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// What clients are told to read about an error.
const RECOMMEND: &str = "docs/alibaba.md of this server explains its errors";

/// A value of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Value {
    Text(String),
    Int(i64),
    Bool(bool),
    Object(Object),
    List(Vec<Self>),
}

/// Fields in their order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Object {
    fields: Vec<(&'static str, Value)>,
}

impl Object {
    pub(crate) const fn new() -> Self {
        Self { fields: Vec::new() }
    }

    /// The same with one field more.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// The same with a field more, if there is a value for it.
    #[must_use]
    pub(crate) fn maybe(self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The same with a list in a wrapper: `"Users": {"User": [...]}`.
    #[must_use]
    pub(crate) fn wrapped(self, name: &'static str, item: &'static str, values: impl IntoIterator<Item = impl Into<Value>>) -> Self {
        self.with(name, Self::new().list(item, values))
    }

    /// The same with a list.
    #[must_use]
    pub(crate) fn list(self, name: &'static str, values: impl IntoIterator<Item = impl Into<Value>>) -> Self {
        self.with(name, Value::List(values.into_iter().map(Into::into).collect()))
    }

    /// The same followed by the fields of another.
    #[must_use]
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.fields.extend(other.fields);
        self
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

/// How an answer is printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Format {
    /// Unless a client asks for the other: every client that sends no `Format` parses JSON.
    #[default]
    Json,
    Xml,
}

impl Format {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            _ if text.eq_ignore_ascii_case("json") => Some(Self::Json),
            _ if text.eq_ignore_ascii_case("xml") => Some(Self::Xml),
            _ => None,
        }
    }

    /// Byte for byte: clients compare them.
    const fn content_type(self) -> HeaderValue {
        match self {
            Self::Json => HeaderValue::from_static("application/json;charset=utf-8"),
            Self::Xml => HeaderValue::from_static("text/xml;charset=utf-8"),
        }
    }

    fn print(self, root: &str, object: &Object) -> String {
        match self {
            Self::Json => json::print(object),
            Self::Xml => xml::print(root, object),
        }
    }
}

/// A moment as RAM and STS print it: `2026-01-02T03:04:05Z`, without fractions.
pub(crate) fn moment(at: Timestamp) -> String {
    Timestamp::from_seconds(at.seconds()).to_string()
}

/// A request's id as the clouds print it.
pub(crate) fn request_id(op: &Op) -> String {
    op.request_id.to_string().to_ascii_uppercase()
}

/// The answer to an action that was done.
pub(crate) fn done(op: &Op, format: Format, product: Product, action: &str, bare: bool, fields: Object) -> Answer {
    let head = Object::new().with("RequestId", request_id(op));
    let head = if product == Product::Cr && !bare { head.with("IsSuccess", true).with("Code", "success") } else { head };
    let root = format!("{action}Response");
    answer(op, StatusCode::OK, format, &root, &head.and(fields))
}

/// The answer to one that was not. `host` is what the client called.
pub(crate) fn failed(op: &Op, format: Format, action: &str, host: &str, problem: Problem) -> Answer {
    let head = Object::new().with("RequestId", request_id(op));
    let (status, retry_after) = (problem.status, problem.retry_after_ms);
    let mut answer = if problem.business {
        let root = format!("{action}Response");
        let object = head.with("IsSuccess", false).with("Code", &*problem.code).with("Message", problem.message);
        answer(op, status, format, &root, &object)
    } else {
        let object = head.with("HostId", host).with("Code", &*problem.code).with("Message", problem.message);
        let object = object.with("Recommend", RECOMMEND).maybe("AccessDeniedDetail", problem.denied);
        answer(op, status, format, "Error", &object)
    };
    if let Some(ms) = retry_after {
        answer.headers_mut().insert(ACS_RETRY_AFTER, HeaderValue::from(ms));
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(ms.div_euclid(1000) + i64::from(ms.rem_euclid(1000) > 0)));
    }
    answer
}

pub(crate) fn answer(op: &Op, status: StatusCode, format: Format, root: &str, object: &Object) -> Answer {
    let mut answer = Answer::new(Bytes::from(format.print(root, object)).into());
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, format.content_type());
    headers.insert(CACHE_CONTROL, NO_STORE);
    if let Ok(id) = HeaderValue::try_from(request_id(op)) {
        headers.insert(REQUEST_ID, id);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Object {
        Object::new()
            .with("Name", "a<b>&\"c\"")
            .with("Count", 3)
            .with("Enable", true)
            .list("Tags", [Object::new().with("TagKey", "k"), Object::new().with("TagKey", "l")])
            .wrapped("Users", "User", [Object::new().with("UserName", "é\u{1}")])
            .list("None", Vec::<Object>::new())
            .maybe("Absent", None::<&str>)
    }

    #[test]
    fn json_keeps_types_and_order() {
        let want = r#"{"Name":"a<b>&\"c\"","Count":3,"Enable":true,"Tags":[{"TagKey":"k"},{"TagKey":"l"}],"Users":{"User":[{"UserName":"é\u0001"}]},"None":[]}"#;
        assert_eq!(Format::Json.print("R", &tree()), want);
    }

    #[test]
    fn xml_repeats_elements_and_escapes() {
        let want = "<?xml version=\"1.0\" encoding=\"UTF-8\" ?><R><Name>a&lt;b&gt;&amp;&quot;c&quot;</Name><Count>3</Count><Enable>true</Enable>\
                    <Tags><TagKey>k</TagKey></Tags><Tags><TagKey>l</TagKey></Tags><Users><User><UserName>é\u{fffd}</UserName></User></Users></R>";
        assert_eq!(Format::Xml.print("R", &tree()), want);
    }
}
