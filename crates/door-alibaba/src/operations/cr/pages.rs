//! Pages by number (`PageNo`, `PageSize`), and by token (`NextToken`, `MaxResults`) where a list is long.

use registry::{REACH, Window};

use crate::call::Call;
use crate::errors::{Failure, Fault, Problem};
use crate::shapes::Object;

/// Items of a page unless told, and at most: more is as if this were asked for.
const USUAL: i64 = 30;
const MOST: i64 = 100;
/// No number is greater: even pages of one lead no further.
const FURTHEST: i64 = 100_000;

/// A page by its number.
#[derive(Clone, Copy)]
pub(super) struct Numbered {
    number: i64,
    size: i64,
    pub(super) window: Window,
}

/// Which part of a list a request asks for. Tokens go before numbers.
pub(super) enum Asked {
    /// By number.
    Numbered(Numbered),
    /// Behind a token; none: from the beginning.
    Behind { size: usize, token: Option<String> },
}

impl Numbered {
    pub(super) fn read(call: &Call) -> Result<Self, Problem> {
        let number = call.parameters.integer("PageNo", 1..=FURTHEST)?.unwrap_or(1);
        let size = call.parameters.integer("PageSize", 1..=FURTHEST)?.unwrap_or(USUAL).min(MOST);
        let skip = usize::try_from((number - 1).saturating_mul(size)).unwrap_or(usize::MAX);
        let take = usize::try_from(size).unwrap_or_default();
        let too_far = || Problem::invalid("PageNo", Fault::Format, format!("page numbers lead to the first {REACH} entries"));
        Ok(Self { number, size, window: Window::new(skip, take).ok_or_else(too_far)? })
    }

    /// What a page says of itself. `total` is a text in most lists, and a number in the rest.
    pub(super) fn said(self) -> Object {
        Object::new().with("PageNo", self.number).with("PageSize", self.size)
    }
}

impl Asked {
    /// A token is what the page before said; `can_be` says whether it can be one.
    pub(super) fn read(call: &Call, can_be: impl Fn(&str) -> bool) -> Result<Self, Failure> {
        let size = call.parameters.integer("MaxResults", 1..=FURTHEST)?.map(|n| n.min(MOST));
        let token = call.optional("NextToken").map(str::to_owned);
        if size.is_none() && token.is_none() {
            return Ok(Self::Numbered(Numbered::read(call)?));
        }
        if token.as_deref().is_some_and(|token| !can_be(token)) {
            return Err(Problem::invalid("NextToken", Fault::Format, "what the page before said").into());
        }
        Ok(Self::Behind { size: usize::try_from(size.unwrap_or(USUAL)).unwrap_or_default(), token })
    }
}

/// What a page by token says of itself: the empty token is the end.
pub(super) fn behind(size: usize, next: Option<String>) -> Object {
    let size = i64::try_from(size).unwrap_or(MOST);
    Object::new().with("MaxResults", size).with("NextToken", next.unwrap_or_default())
}
