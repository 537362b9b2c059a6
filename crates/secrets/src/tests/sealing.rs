//! The master key and what is sealed under it.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::{plain, seeded};
use crate::{MasterKey, MasterKeyProblem, MasterKeys, OpenError, Pepper, Plain, Row, Sealed, UnrelatedKeys};

const ROW: Row<'_> = Row { noun: "access_key.secret", id: "LTAIexample" };

fn keys() -> (MasterKey, MasterKey) {
    let mut random = seeded();
    (MasterKey::generate(&mut random), MasterKey::generate(&mut random))
}

#[test]
fn what_was_sealed_opens_again() {
    let key = keys().0.sealing_key();
    for text in ["", "tgk_example", "é", &"x".repeat(Plain::MAX_BYTES)] {
        let sealed = key.seal(&plain(text), ROW, &mut seeded()).unwrap();
        let read = Sealed::from_bytes(sealed.as_bytes().to_vec());
        assert_eq!(key.open(&read, ROW).unwrap().reveal(), text);
    }
}

#[test]
fn sealing_twice_gives_different_bytes_that_hold_no_plain_text() {
    let (key, mut random) = (keys().0.sealing_key(), seeded());
    let one = key.seal(&plain("tgk_example"), ROW, &mut random).unwrap();
    let two = key.seal(&plain("tgk_example"), ROW, &mut random).unwrap();
    assert_ne!(one.as_bytes(), two.as_bytes());
    assert!(!one.as_bytes().windows(4).any(|window| window == b"tgk_"));
}

#[test]
fn another_master_key_is_named_and_does_not_open() {
    let (ours, other) = keys();
    let sealed = other.sealing_key().seal(&plain("s"), ROW, &mut seeded()).unwrap();
    assert_eq!(sealed.key_id(), Some(other.id()));
    assert_eq!(ours.sealing_key().open(&sealed, ROW).unwrap_err(), OpenError::OtherKey(other.id()));
    // Nor does it when the key id is forged.
    let mut forged = sealed.as_bytes().to_vec();
    forged[1..5].copy_from_slice(&ours.id().0);
    assert_eq!(ours.sealing_key().open(&Sealed::from_bytes(forged), ROW).unwrap_err(), OpenError::Tampered);
}

#[test]
fn a_secret_copied_to_another_row_does_not_open() {
    let key = keys().0.sealing_key();
    let sealed = key.seal(&plain("s"), ROW, &mut seeded()).unwrap();
    for row in [
        Row { id: "LTAIother", ..ROW },
        Row { noun: "signing_key", ..ROW },
        Row { noun: "access_key.secretL", id: "TAIexample" },
        Row { noun: "", id: "" },
    ] {
        assert_eq!(key.open(&sealed, row).unwrap_err(), OpenError::Tampered, "{row:?}");
    }
}

#[test]
fn a_master_key_is_read_in_every_form_and_written_in_one() {
    let (key, _) = keys();
    let text = key.to_text();
    let raw = hex::decode(text.reveal()).unwrap();
    let forms = [
        raw.clone(),
        text.reveal().as_bytes().to_vec(),
        format!("  {}\r\n", text.reveal().to_uppercase()).into_bytes(),
        format!("{}\n", STANDARD.encode(&raw)).into_bytes(),
        STANDARD.encode(&raw).trim_end_matches('=').as_bytes().to_vec(),
        URL_SAFE_NO_PAD.encode(&raw).into_bytes(),
    ];
    for form in forms {
        let read = MasterKey::parse(&form).unwrap();
        assert_eq!(read.to_text().reveal(), text.reveal(), "{} bytes", form.len());
        assert_eq!(read.id(), key.id());
    }
    assert_eq!(key.id().to_string().len(), 8);
}

#[test]
fn what_is_no_master_key_is_refused() {
    use MasterKeyProblem::{Constant, Passphrase, Unreadable};
    let hexadecimal = "ab".repeat(32);
    for (content, why) in [
        (b"".to_vec(), Unreadable),
        (b"changeme".to_vec(), Unreadable),
        (vec![1; 31], Unreadable),
        (vec![1; 33], Unreadable),
        (vec![0; 1 << 20], Unreadable),
        (hexadecimal.as_bytes()[..62].to_vec(), Unreadable),
        ("xy".repeat(32).into_bytes(), Unreadable),
        (STANDARD.encode([7; 31]).into_bytes(), Unreadable),
        (STANDARD.encode([7; 33]).into_bytes(), Unreadable),
        (b"0123456789abcdef0123456789abcdef".to_vec(), Passphrase),
        (b"correct horse battery staple !!\n".to_vec(), Passphrase),
        (vec![0; 32], Constant),
        (hexadecimal.into_bytes(), Constant),
    ] {
        let problem = MasterKey::parse(&content).unwrap_err();
        assert_eq!(problem, why, "{} bytes", content.len());
    }
}

#[test]
fn the_pepper_is_neither_the_master_key_nor_the_same_for_another() {
    let (one, two) = keys();
    let secret = plain("s");
    assert!(one.pepper().hash(&secret).matches(&one.pepper().hash(&secret)));
    assert!(!one.pepper().hash(&secret).matches(&two.pepper().hash(&secret)));
}

proptest! {
    #[test]
    fn any_changed_byte_is_refused(at in any::<prop::sample::Index>(), flip in 1_u8.., text in "[ -~]{0,64}") {
        let key = keys().0.sealing_key();
        let mut bytes = key.seal(&plain(&text), ROW, &mut seeded()).unwrap().as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        prop_assert!(key.open(&Sealed::from_bytes(bytes), ROW).is_err());
    }

    #[test]
    fn a_shortened_or_lengthened_one_is_refused(keep in 0_usize..43, more in 1_usize..20) {
        let key = keys().0.sealing_key();
        let sealed = key.seal(&plain("0123456789"), ROW, &mut seeded()).unwrap();
        let short = sealed.as_bytes()[..keep].to_vec();
        let long = [sealed.as_bytes(), &vec![0; more]].concat();
        prop_assert!(key.open(&Sealed::from_bytes(short), ROW).is_err());
        prop_assert!(key.open(&Sealed::from_bytes(long), ROW).is_err());
    }

    #[test]
    fn rubbish_never_panics(bytes in any::<Vec<u8>>()) {
        let sealed = Sealed::from_bytes(bytes.clone());
        prop_assert!(keys().0.sealing_key().open(&sealed, ROW).is_err());
        let _ = (sealed.key_id(), MasterKey::parse(&bytes).is_ok());
    }
}

#[test]
fn a_change_of_the_master_key_loses_nothing() {
    let (old, new) = keys();
    let before = MasterKeys::from(copy(&old)).sealing();
    let sealed = before.seal(&plain("s"), ROW, &mut seeded()).unwrap();
    // Nodes that have not changed yet open what those that have seal, if they were told of the key to come.
    let told = MasterKeys { current: copy(&old), old: None, next: Some(copy(&new)) }.sealing();
    let after = MasterKeys { current: copy(&new), old: Some(copy(&old)), next: None }.sealing();
    assert_eq!(after.open(&sealed, ROW).unwrap().reveal(), "s");
    let renewed = after.renew(&sealed, ROW, &mut seeded()).unwrap();
    assert_eq!(renewed.key_id(), Some(new.id()));
    assert_eq!(told.open(&renewed, ROW).unwrap().reveal(), "s");
    assert_eq!(told.seal(&plain("s"), ROW, &mut seeded()).unwrap().key_id(), Some(old.id()));
    assert_eq!(before.open(&renewed, ROW).unwrap_err(), OpenError::OtherKey(new.id()));
    assert_eq!(
        (after.old(), after.role(old.id()), told.role(new.id()), before.role(new.id())),
        (Some(old.id()), Some("old"), Some("next"), None)
    );
    let done = MasterKeys::from(copy(&new)).sealing();
    assert_eq!(done.open(&renewed, ROW).unwrap().reveal(), "s");
    assert_eq!(done.open(&sealed, ROW).unwrap_err(), OpenError::OtherKey(old.id()));
}

#[test]
fn keys_are_replaced_while_in_use_unless_that_would_lose_what_is_sealed() {
    let (old, new) = keys();
    let keys = MasterKeys::from(copy(&old)).sealing();
    let sealed = keys.seal(&plain("s"), ROW, &mut seeded()).unwrap();
    assert_eq!(keys.replace(&copy(&new).into()), Err(UnrelatedKeys(old.id())));
    assert_eq!(keys.replace(&copy(&old).into()), Ok(false));
    assert_eq!(keys.replace(&MasterKeys { current: copy(&new), old: Some(copy(&old)), next: None }), Ok(true));
    assert_eq!((keys.current(), keys.open(&sealed, ROW).unwrap().reveal()), (new.id(), "s"));
}

#[test]
fn a_pepper_reads_back_what_it_wrote() {
    let pepper = keys().0.pepper();
    let read = Pepper::parse(&pepper.to_plain()).unwrap();
    assert!(read.hash(&plain("s")).matches(&pepper.hash(&plain("s"))));
    assert!(Pepper::parse(&plain("ab")).is_none());
}

fn copy(key: &MasterKey) -> MasterKey {
    MasterKey::parse(key.to_text().reveal().as_bytes()).unwrap()
}
