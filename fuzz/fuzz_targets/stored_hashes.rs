//! What a password's column holds (RUSTSEC-2026-0199: a hash library that panicked on it), and what a presented secret says
//! of itself: one spelling each, and no cost that the text chooses.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secrets::{ChosenPassword, Kind, PasswordHash, Plain, Recognised};

fuzz_target!(|text: &str| {
    if let Ok(hash) = PasswordHash::parse(text) {
        assert_eq!(hash.to_phc(), text, "another spelling of the same hash");
        assert!(text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }
    let recognised = Kind::recognise(text);
    let Ok(plain) = Plain::new(text.to_owned()) else { return };
    if ChosenPassword::parse(plain).is_ok() {
        assert!((8..=32).contains(&text.len()) && recognised == Recognised::Chosen);
    }
});
