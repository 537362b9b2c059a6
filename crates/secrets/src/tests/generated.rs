//! Generated secrets and their keyed hashes.

use std::collections::HashSet;

use proptest::prelude::*;

use super::{plain, seeded};
use crate::{Kind, MasterKey, Pepper, Plain, Recognised, SecretTooLong, generate, generate_access_key_id};

#[test]
fn every_kind_recognises_its_own_and_no_other() {
    let mut random = seeded();
    for kind in Kind::ALL {
        let secret = generate(kind, &mut random);
        assert_eq!(secret.reveal().len(), 40);
        assert_eq!(Kind::recognise(secret.reveal()), Recognised::Generated(kind));
    }
}

#[test]
fn the_document_has_every_prefix() {
    let document = include_str!("../../../../docs/secrets.md");
    let rows = document.lines().filter(|line| line.starts_with("| `tg")).count();
    assert_eq!(rows, Kind::ALL.len());
    for kind in Kind::ALL {
        assert!(document.contains(&format!("| `{}` |", kind.prefix())), "{kind:?}");
    }
}

#[test]
fn the_published_format_does_not_change() {
    // Python: zlib.crc32(b"tgc_" + b"A" * 30), in base 62.
    let known = format!("tgc_{}{}", "A".repeat(30), "0VauYx");
    assert_eq!(Kind::recognise(&known), Recognised::Generated(Kind::AccessCredential));
}

#[test]
fn a_prefix_with_a_wrong_rest_is_malformed_and_not_a_password() {
    let secret = generate(Kind::ClientSecret, &mut seeded());
    let text = secret.reveal();
    let wrong = ["tgs_".to_owned(), text[..39].to_owned(), format!("{text}0"), format!("{text} "), format!("tgs_{}", "é".repeat(18))];
    for wrong in wrong {
        assert_eq!(Kind::recognise(&wrong), Recognised::MalformedOf(Kind::ClientSecret), "{wrong}");
    }
}

#[test]
fn everything_else_is_chosen() {
    for text in ["", "tg", "tgc", "tgx_abc", "TGC_abc", " tgc_", "hunter22", "eyJhbGciOiJFUzI1NiJ9.e30.AA", "\u{0}"] {
        assert_eq!(Kind::recognise(text), Recognised::Chosen, "{text:?}");
    }
}

#[test]
fn secrets_do_not_repeat_and_use_the_whole_alphabet() {
    let mut random = seeded();
    let secrets: HashSet<String> = (0..500).map(|_| generate(Kind::AccessCredential, &mut random).reveal().to_owned()).collect();
    assert_eq!(secrets.len(), 500);
    let characters: HashSet<char> = secrets.iter().flat_map(|text| text[4..34].chars()).collect();
    assert_eq!(characters.len(), 62);
}

#[test]
fn access_key_ids_have_the_shape_that_the_clouds_clients_know() {
    let id = generate_access_key_id(&mut seeded());
    assert_eq!(id.len(), 24);
    assert!(id.starts_with("LTAI") && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
}

#[test]
fn a_keyed_hash_matches_the_same_secret_under_the_same_pepper_only() {
    let mut random = seeded();
    let (pepper, other) = (Pepper::generate(&mut random), Pepper::generate(&mut random));
    let hash = pepper.hash(&plain("one"));
    assert!(hash.matches(&pepper.hash(&plain("one"))));
    assert!(!hash.matches(&pepper.hash(&plain("two"))));
    assert!(!hash.matches(&other.hash(&plain("one"))));
    assert!(!hash.matches(&pepper.hash_in_context(b"", &plain("one"))));
}

#[test]
fn a_context_and_a_secret_cannot_be_shifted_into_each_other() {
    let pepper = Pepper::generate(&mut seeded());
    let hash = pepper.hash_in_context(b"user1", &plain("23"));
    assert!(hash.matches(&pepper.hash_in_context(b"user1", &plain("23"))));
    assert!(!hash.matches(&pepper.hash_in_context(b"user12", &plain("3"))));
}

#[test]
fn the_keyed_hash_does_not_change_between_versions() {
    // Python: hmac over b"\0" + secret, under hmac(master, b"tidegate/v1/pepper"), master = bytes(range(32)).
    let master = MasterKey::parse(&(0..32).collect::<Vec<u8>>()).unwrap();
    let hash = master.pepper().hash(&plain("tgc_example"));
    assert_eq!(hex::encode(hash.as_bytes()), "ae688b7e8d9f89c9448c8d138a0cfde0740912467ef37db833daa6c99dfaed1e");
}

#[test]
fn a_secret_of_more_than_16_kib_is_refused() {
    assert!(Plain::new("x".repeat(Plain::MAX_BYTES)).is_ok());
    assert!(matches!(Plain::new("x".repeat(Plain::MAX_BYTES + 1)), Err(SecretTooLong)));
}

proptest! {
    #[test]
    fn any_single_changed_character_is_caught(at in 4_usize..40, to in "[0-9A-Za-z]", seed in any::<u64>()) {
        use rand_core::SeedableRng;
        let mut random = rand_chacha::ChaCha20Rng::seed_from_u64(seed);
        let text = generate(Kind::AccessCredential, &mut random).reveal().to_owned();
        prop_assume!(text[at..=at] != to);
        let mut changed = text;
        changed.replace_range(at..=at, &to);
        prop_assert_eq!(Kind::recognise(&changed), Recognised::MalformedOf(Kind::AccessCredential));
    }

    #[test]
    fn a_secret_of_one_kind_never_passes_as_another(seed in any::<u64>(), from in 0_usize..4, to in 0_usize..4) {
        use rand_core::SeedableRng;
        prop_assume!(from != to);
        let mut random = rand_chacha::ChaCha20Rng::seed_from_u64(seed);
        let secret = generate(Kind::ALL[from], &mut random);
        let renamed = format!("{}{}", Kind::ALL[to].prefix(), &secret.reveal()[4..]);
        prop_assert_eq!(Kind::recognise(&renamed), Recognised::MalformedOf(Kind::ALL[to]));
    }

    #[test]
    fn recognising_never_panics(text in any::<String>(), prefix in 0_usize..4) {
        Kind::recognise(&text);
        let prefixed = format!("{}{text}", Kind::ALL[prefix].prefix());
        prop_assert_ne!(Kind::recognise(&prefixed), Recognised::Chosen);
    }
}
