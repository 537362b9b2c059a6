//! Text that comes back from those it was told.

use std::sync::Arc;

use super::seeded;
use crate::{Dice, MasterKey, MasterKeys, Returning};

#[test]
fn what_comes_back_is_read_and_nothing_else_is() {
    let keys = Arc::new(MasterKeys::from(MasterKey::generate(&mut seeded())).sealing());
    let dice = Arc::new(Dice::new(Box::new(seeded())));
    let [lists, other] = ["list position", "another"].map(|purpose| Returning::new(Arc::clone(&keys), Arc::clone(&dice), purpose));
    let (one, two) = (lists.seal("team/app").unwrap(), lists.seal("team/app").unwrap());
    assert_ne!(one, two, "the same text is told in other words");
    assert!(one.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{one}");
    for sealed in [&one, &two] {
        assert_eq!(lists.open(sealed).as_deref(), Some("team/app"));
        assert_eq!(other.open(sealed), None, "it was sealed for something else");
    }
    let mut changed = one.clone();
    changed.replace_range(20..21, if one.get(20..21) == Some("A") { "B" } else { "A" });
    for wrong in ["", "team/app", "%", &changed, &"A".repeat(5000)] {
        assert_eq!(lists.open(wrong), None, "{wrong}");
    }
    assert_eq!(lists.seal(&"x".repeat(4000)), None, "it could not come back");
}
