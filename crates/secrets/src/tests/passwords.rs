//! Chosen passwords and argon2id.

use argon2::Argon2;
use argon2::password_hash::PasswordVerifier;
use proptest::prelude::*;

use super::{plain, seeded};
use crate::{ChosenPassword, Hasher, Kind, PasswordHash, PasswordProblem, Recognised, generate_root_password};

fn problem(text: &str) -> Option<PasswordProblem> {
    ChosenPassword::parse(plain(text)).err()
}

fn chosen(text: &str) -> ChosenPassword {
    ChosenPassword::parse(plain(text)).unwrap()
}

#[test]
fn the_rules_for_chosen_passwords() {
    for good in ["abcdefg1", "abcdefg!", "1234567!", "pass word", &format!("{}1", "a".repeat(31))] {
        assert_eq!(problem(good), None, "{good}");
    }
    for (bad, why) in [
        ("", PasswordProblem::TooShort),
        ("abcdef1", PasswordProblem::TooShort),
        (&format!("{}1", "a".repeat(32)), PasswordProblem::TooLong),
        ("abcdefgh", PasswordProblem::OneClassOnly),
        ("12345678", PasswordProblem::OneClassOnly),
        ("!!!!!!!!", PasswordProblem::OneClassOnly),
        ("pässword1", PasswordProblem::NotPrintableAscii),
        ("password1\n", PasswordProblem::NotPrintableAscii),
        ("password\u{0}1", PasswordProblem::NotPrintableAscii),
        ("password\u{7f}1", PasswordProblem::NotPrintableAscii),
        ("tgc_password1", PasswordProblem::LooksGenerated),
    ] {
        assert_eq!(problem(bad), Some(why), "{bad:?}");
    }
}

#[test]
fn the_root_password_is_a_chosen_one() {
    let mut random = seeded();
    for _ in 0..200 {
        let password = generate_root_password(&mut random);
        let text = password.as_plain().reveal();
        assert_eq!(text.len(), 32);
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{text}");
        assert_eq!(Kind::recognise(text), Recognised::Chosen);
        assert_eq!(problem(text), None, "{text}");
    }
}

#[test]
fn a_password_verifies_itself_only_and_another_implementation_agrees() {
    let mut hasher = Hasher::new();
    let hash = hasher.hash_password(&chosen("correct horse 1"), &mut seeded()).unwrap();
    assert!(hasher.verify_password(&plain("correct horse 1"), &hash).unwrap());
    for wrong in ["correct horse 2", "Correct horse 1", "correct horse 1 ", ""] {
        assert!(!hasher.verify_password(&plain(wrong), &hash).unwrap(), "{wrong:?}");
    }
    let phc = hash.to_phc();
    assert!(Argon2::default().verify_password(b"correct horse 1", phc.as_str()).is_ok());
    let read = PasswordHash::parse(&phc).unwrap();
    assert!(hasher.verify_password(&plain("correct horse 1"), &read).unwrap());
}

#[test]
fn cve_2024_9683_neither_a_prefix_nor_a_longer_password_verifies() {
    let mut hasher = Hasher::new();
    let longest = format!("{}1", "a".repeat(31));
    let hash = hasher.hash_password(&chosen(&longest), &mut seeded()).unwrap();
    assert!(hasher.verify_password(&plain(&longest), &hash).unwrap());
    for near in [&longest[..31], &longest[..8], &format!("{longest}x"), &longest.repeat(128)] {
        assert!(!hasher.verify_password(&plain(near), &hash).unwrap(), "{} bytes", near.len());
    }
}

#[test]
fn memory_used_before_gives_the_same_hash_as_fresh_memory() {
    let mut used = Hasher::new();
    used.hash_password(&chosen("something else 9"), &mut seeded()).unwrap();
    let (again, fresh) = (
        used.hash_password(&chosen("correct horse 1"), &mut seeded()).unwrap(),
        Hasher::new().hash_password(&chosen("correct horse 1"), &mut seeded()).unwrap(),
    );
    assert_eq!(again.to_phc(), fresh.to_phc());
    used.release_memory();
    assert!(used.verify_password(&plain("correct horse 1"), &fresh).unwrap());
}

#[test]
fn equal_passwords_have_different_salts() {
    let (mut hasher, mut random) = (Hasher::new(), seeded());
    let one = hasher.hash_password(&chosen("correct horse 1"), &mut random).unwrap();
    let two = hasher.hash_password(&chosen("correct horse 1"), &mut random).unwrap();
    assert_ne!(one.to_phc(), two.to_phc());
}

#[test]
fn an_unknown_name_costs_as_many_hash_calls_as_a_wrong_password() {
    let mut hasher = Hasher::new();
    let hash = hasher.hash_password(&chosen("correct horse 1"), &mut seeded()).unwrap();
    let before = hasher.hash_calls();
    hasher.verify_password(&plain("wrong"), &hash).unwrap();
    let wrong = hasher.hash_calls() - before;
    hasher.dummy_verify(&plain("wrong")).unwrap();
    assert_eq!((wrong, hasher.hash_calls() - before - wrong), (1, 1));
}

#[test]
fn stored_hashes_with_other_parameters_are_refused() {
    let rest = "AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    assert!(PasswordHash::parse(&format!("$argon2id$v=19$m=19456,t=2,p=1${rest}")).is_ok());
    for beginning in [
        "$argon2id$v=19$m=4294967295,t=2,p=1$",
        "$argon2id$v=19$m=19456,t=4294967295,p=1$",
        "$argon2id$v=19$m=19456,t=2,p=16777215$",
        "$argon2id$v=19$m=8,t=1,p=1$",
        "$argon2i$v=19$m=19456,t=2,p=1$",
        "$argon2id$v=16$m=19456,t=2,p=1$",
        "$argon2id$m=19456,t=2,p=1$",
        "$2b$12$",
        "",
    ] {
        assert!(PasswordHash::parse(&format!("{beginning}{rest}")).is_err(), "{beginning}");
    }
}

#[test]
fn stored_hashes_with_a_wrong_salt_or_output_are_refused() {
    let beginning = "$argon2id$v=19$m=19456,t=2,p=1$";
    let (salt, output) = ("A".repeat(22), "A".repeat(43));
    for rest in [
        String::new(),
        salt.clone(),
        format!("{salt}$"),
        format!("${output}"),
        format!("{salt}${output}$"),
        format!("{salt}${output}="),
        format!("{salt}${}", "A".repeat(1 << 20)),
        format!("{}${output}", "A".repeat(21)),
        format!("{}${output}", "*".repeat(22)),
        // The last character carries bits that belong to no byte: a second spelling of the same hash.
        format!("{}B${output}", "A".repeat(21)),
    ] {
        assert!(PasswordHash::parse(&format!("{beginning}{rest}")).is_err(), "{rest:.80}");
    }
}

proptest! {
    #[test]
    fn rustsec_2026_0199_rubbish_in_the_column_never_panics(
        text in any::<String>(),
        rest in "[A-Za-z0-9+/=$é]{0,90}",
    ) {
        prop_assert!(PasswordHash::parse(&text).is_err());
        let ours = format!("$argon2id$v=19$m=19456,t=2,p=1${rest}");
        if let Ok(hash) = PasswordHash::parse(&ours) {
            prop_assert_eq!(hash.to_phc(), ours);
        }
    }

    #[test]
    fn whatever_is_read_is_written_back_alike(salt in any::<[u8; 16]>(), output in any::<[u8; 32]>()) {
        use base64::Engine;
        let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD_NO_PAD.encode(bytes);
        let text = format!("$argon2id$v=19$m=19456,t=2,p=1${}${}", encode(&salt), encode(&output));
        prop_assert_eq!(PasswordHash::parse(&text).unwrap().to_phc(), text);
    }

    #[test]
    fn only_passwords_that_keep_the_rules_pass(text in "[ -~é\u{0}]{0,40}") {
        let kept = (8..=32).contains(&text.len())
            && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
            && Kind::recognise(&text) == Recognised::Chosen
            && [
                text.contains(|c: char| c.is_ascii_alphabetic()),
                text.contains(|c: char| c.is_ascii_digit()),
                text.contains(|c: char| !c.is_ascii_alphanumeric()),
            ].iter().filter(|present| **present).count() >= 2;
        prop_assert_eq!(problem(&text).is_none(), kept);
    }
}
