//! When a request was signed.

use model::{Seconds, Timestamp};

use super::Problem;

/// How far a request's time may be from the server's, either way. A nonce is remembered for at least twice as long.
pub const WINDOW: Seconds = Seconds::minutes(15);

/// Whether a request that was signed then may be served now.
pub fn in_time(signed: Timestamp, now: Timestamp) -> Result<(), Problem> {
    let off = now.millis_since(signed).unsigned_abs();
    if off <= WINDOW.0.unsigned_abs() * 1000 { Ok(()) } else { Err(Problem::Expired) }
}

/// Reads `2015-09-01T05:57:34Z`, and no other way to write a time.
pub(super) fn iso(text: &str) -> Result<Timestamp, Problem> {
    let digits = |byte: u8, shape: u8| if shape == b'0' { byte.is_ascii_digit() } else { byte == shape };
    let shaped = text.len() == 20 && text.bytes().zip(*b"0000-00-00T00:00:00Z").all(|(byte, shape)| digits(byte, shape));
    if shaped { Timestamp::parse(text).ok_or(Problem::TimeFormat) } else { Err(Problem::TimeFormat) }
}

/// Reads `Tue, 01 Sep 2015 05:57:34 GMT`.
pub(super) fn http_date(text: &str) -> Result<Timestamp, Problem> {
    if text.len() != 29 || !text.ends_with(" GMT") {
        return Err(Problem::TimeFormat);
    }
    let moment = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).map_err(|_| Problem::TimeFormat)?;
    Ok(Timestamp::from_millis(moment.as_millisecond()))
}
