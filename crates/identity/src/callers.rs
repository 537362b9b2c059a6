//! Everybody who was believed comes by here: they are counted, and may ask only so often.

use model::{Caller, Op, PrincipalId};
use throttle::Throttle;

use crate::meters::{By, Outcome};
use crate::{AuthError, Identity, SignedError};

/// Callers whose buckets are remembered; another one's is full.
const REMEMBERED: usize = 65_536;
/// What a caller may ask at once, in seconds' worth: a pull of many layers comes in a burst.
const BURST: u32 = 10;

/// How often a caller may ask; none: as often as they like.
#[derive(Default, Debug)]
pub(crate) struct CallerLimit(Option<Throttle<PrincipalId>>);

impl CallerLimit {
    pub(crate) fn new(a_second: Option<u32>) -> Self {
        Self(a_second.map(|a_second| Throttle::new(a_second, BURST, REMEMBERED)))
    }

    /// Milliseconds to wait, if it is too often. Nobody in particular is no caller: that is for the limit of addresses.
    fn take(&self, op: &Op, caller: &Caller) -> Result<(), i64> {
        match (&self.0, caller.known()) {
            (Some(limit), Some(known)) => limit.take(&known.principal, op.now),
            _ => Ok(()),
        }
    }
}

impl Identity {
    /// Counts who came, and holds who is believed to the limit.
    pub(crate) fn received(&self, op: &Op, by: By, answer: Result<Caller, AuthError>) -> Result<Caller, AuthError> {
        let answer = answer.and_then(|caller| match self.callers.take(op, &caller) {
            Ok(()) => Ok(caller),
            Err(retry_after_ms) => Err(AuthError::Throttled { retry_after_ms }),
        });
        let outcome = answer.as_ref().map_or_else(Outcome::of, |_| Outcome::Accepted);
        self.meters.logins.count((by, outcome));
        answer
    }

    /// The same for who has signed.
    pub(crate) fn received_signed(&self, op: &Op, answer: Result<Caller, SignedError>) -> Result<Caller, SignedError> {
        let answer = answer.and_then(|caller| match self.callers.take(op, &caller) {
            Ok(()) => Ok(caller),
            Err(retry_after_ms) => Err(SignedError::Throttled { retry_after_ms }),
        });
        let outcome = answer.as_ref().map_or_else(|error| error.outcome(), |_| Outcome::Accepted);
        self.meters.logins.count((By::Signature, outcome));
        answer
    }
}
