//! Signed tokens: taken apart, and their claims. What claims say survives being written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::Timestamp;
use tokens::{Tokens, fuzzing};

fuzz_target!(|input: &[u8]| {
    if let Ok(text) = std::str::from_utf8(input)
        && Tokens::recognise(text).is_some()
    {
        assert!(fuzzing::is_shaped_like_a_token(text));
        assert_eq!(text.split('.').count(), 3);
    }
    let now = Timestamp::from_seconds(1_800_000_000);
    let Some(claims) = fuzzing::read_claims(input, now) else { return };
    assert!(claims.from.seconds() <= now.seconds() + 30, "from the future");
    assert!(claims.from < claims.until);
    let again = fuzzing::read_claims(&fuzzing::write_claims(&claims), now);
    assert_eq!(again.as_ref(), Some(&claims));
});
