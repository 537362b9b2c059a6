//! Secrets found in bytes.

use proptest::prelude::*;

use super::seeded;
use crate::{Kind, Scanner, Shape, generate};

type Seen = (Shape, u64, u64, String);

fn scan(pieces: &[&[u8]]) -> Vec<Seen> {
    let (mut scanner, mut all) = (Scanner::default(), Vec::new());
    let mut note = |found: crate::Found| all.push((found.shape, found.line, found.column, found.secret.reveal().to_owned()));
    for piece in pieces {
        scanner.feed(piece, &mut note);
    }
    scanner.finish(&mut note);
    all
}

fn secret(kind: Kind) -> String {
    generate(kind, &mut seeded()).reveal().to_owned()
}

fn token() -> String {
    format!("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.{}", "s".repeat(86))
}

#[test]
fn each_kind_is_found_where_it_stands() {
    for kind in Kind::ALL {
        let secret = secret(kind);
        let text = format!("# config\nuser: ci\n  password: \"{secret}\"\n");
        assert_eq!(scan(&[text.as_bytes()]), [(Shape::Secret(kind), 3, 14, secret)]);
    }
    let text = format!("\n{}", token());
    assert_eq!(scan(&[text.as_bytes()]), [(Shape::Token, 2, 1, token())]);
}

#[test]
fn what_stands_around_it_hides_nothing() {
    let secret = secret(Kind::AccessCredential);
    for text in [
        format!("\\n{secret}\\n"),
        format!("user%3A{secret}%0A"),
        format!("x{secret}x"),
        format!("tgc_{secret}"),
        format!("ttg{secret}"),
        format!("\0\u{fffd}{secret}\0"),
        format!("{secret}{secret}"),
    ] {
        assert!(scan(&[text.as_bytes()]).iter().all(|(.., found)| *found == secret), "{text}");
        assert!(!scan(&[text.as_bytes()]).is_empty(), "{text}");
    }
    assert_eq!(scan(&[b"\xff\xfe", secret.as_bytes(), b"\xff"]).len(), 1, "in what is no text");
    assert_eq!(scan(&[format!("{secret}{secret}").as_bytes()]).len(), 2);
}

#[test]
fn what_is_none_is_not_found() {
    let secret = secret(Kind::ClientSecret);
    let other = if secret.ends_with('0') { '1' } else { '0' };
    for text in [
        format!("{}{other}", &secret[..39]),
        secret[..39].to_owned(),
        secret.to_uppercase(),
        secret.replace("tgs_", "tgx_"),
        "tgc_".to_owned(),
        "eyJ".to_owned(),
        "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.short".to_owned(),
        format!("eyJhbGciOiJFUzI1NiJ9..{}", "s".repeat(86)),
    ] {
        assert_eq!(scan(&[text.as_bytes()]), [], "{text}");
    }
}

#[test]
fn a_mask_shows_eight_characters() {
    let mut masks = Vec::new();
    let mut scanner = Scanner::default();
    scanner.feed(format!("{} {}", secret(Kind::AccessKeySecret), token()).as_bytes(), &mut |_| {});
    scanner.finish(&mut |found| masks.push(found.masked()));
    let secret = secret(Kind::AccessKeySecret);
    assert_eq!(masks, [format!("tgk_…{}", &secret[36..]), "eyJ…ssss".to_owned()]);
}

proptest! {
    #[test]
    fn however_it_is_cut_it_is_found_once(before in "[ -~\n]{0,200}", behind in "[ -~\n]{0,200}", cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5), far in any::<bool>()) {
        let pad = if far { "x\n".repeat(20_000) } else { String::new() };
        let text = format!("{before}{pad}\n{} {}\n{behind}{pad}", secret(Kind::AdminPassword), token()).into_bytes();
        let whole = scan(&[&text]);
        prop_assert_eq!(whole.len(), 2);
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len())).chain([0, text.len()]).collect();
        ends.sort_unstable();
        let pieces: Vec<&[u8]> = ends.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
        prop_assert_eq!(scan(&pieces), whole);
    }

    #[test]
    fn rubbish_never_panics(bytes in any::<Vec<u8>>()) {
        scan(&[b"eyJ", &bytes, b"tgc_"]);
    }
}
