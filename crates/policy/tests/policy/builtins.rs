use crate::matrix;

#[test]
fn the_rights_of_the_built_ins_are_those_written_down() {
    let there = include_str!("rights.txt");
    for (line, (now, written)) in matrix::rights().lines().zip(there.lines()).enumerate() {
        assert_eq!(
            now,
            written,
            "line {}: if it is meant, cargo run -q -p policy --example rights > crates/policy/tests/policy/rights.txt",
            line + 1
        );
    }
    assert_eq!(matrix::rights(), there);
}
