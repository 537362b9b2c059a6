//! CVE-2023-20902 (a secret compared with `==`) and CVE-2025-48374 (a secret printed in a log), as properties of types.

use super::{plain, seeded};
use crate::{ChosenPassword, Hasher, KeyedHash, MasterKey, PasswordHash, Pepper, Plain, Row, Sealed, SealingKey};

/// Does not compile if the type has the trait: the call would then fit both implementations.
macro_rules! assert_has_not {
    ($($type:ty: $($bound:path),+;)+) => {$($({
        trait AmbiguousIfImplemented<Marker> { fn check() {} }
        impl<T: ?Sized> AmbiguousIfImplemented<()> for T {}
        struct Implemented;
        impl<T: ?Sized + $bound> AmbiguousIfImplemented<Implemented> for T {}
        <$type as AmbiguousIfImplemented<_>>::check();
    })+)+};
}

#[test]
fn cve_2023_20902_no_secret_type_has_an_equality_that_is_not_constant_time() {
    assert_has_not! {
        Plain: PartialEq, PartialEq<str>, PartialEq<String>, Clone, std::fmt::Display, AsRef<str>, std::ops::Deref;
        ChosenPassword: PartialEq, Clone, std::fmt::Display, AsRef<str>, std::ops::Deref;
        MasterKey: PartialEq, Clone, std::fmt::Display, AsRef<[u8]>, std::ops::Deref;
        Pepper: PartialEq, Clone, std::fmt::Display, std::ops::Deref;
        SealingKey: PartialEq, Clone, std::fmt::Display, std::ops::Deref;
        KeyedHash: PartialEq, PartialOrd, std::hash::Hash, std::fmt::Display;
        PasswordHash: PartialEq, PartialOrd, std::hash::Hash, std::fmt::Display;
        Sealed: PartialEq, PartialOrd, std::hash::Hash, std::fmt::Display;
    }
}

#[test]
fn cve_2025_48374_debug_prints_the_name_of_the_type_only() {
    let mut random = seeded();
    let master = MasterKey::generate(&mut random);
    let mut hasher = Hasher::new();
    let chosen = ChosenPassword::parse(plain("correct horse 1")).unwrap();
    let hash = hasher.hash_password(&chosen, &mut random).unwrap();
    let sealed = master.sealing_key().seal(&plain("s"), Row { noun: "n", id: "1" }, &mut random).unwrap();
    let printed = [
        format!("{:?} {:#?}", plain("correct horse 1"), plain("x")),
        format!("{chosen:?}"),
        format!("{master:?} {:?} {:?}", master.pepper(), master.sealing_key()),
        format!("{:?} {hash:?} {sealed:?}", master.pepper().hash(&plain("s"))),
        format!("{hasher:?}"),
    ];
    assert_eq!(
        printed,
        [
            "Plain(…) Plain(…)",
            "ChosenPassword(Plain(…))",
            "MasterKey(…) Pepper(…) SealingKey(…)",
            "KeyedHash(…) PasswordHash(…) Sealed(…)",
            "Hasher { calls: 1, .. }",
        ]
    );
}

#[test]
fn no_error_repeats_what_was_presented() {
    let marked = "MARKED-\u{e9}-SECRET";
    let texts = [
        Plain::new(marked.repeat(Plain::MAX_BYTES)).unwrap_err().to_string(),
        ChosenPassword::parse(plain(marked)).unwrap_err().to_string(),
        MasterKey::parse(marked.as_bytes()).unwrap_err().to_string(),
        PasswordHash::parse(marked).unwrap_err().to_string(),
    ];
    for text in texts {
        assert!(!text.contains("MARKED"), "{text}");
    }
}
