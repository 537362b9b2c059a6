//! Prints the table of the built-in policies' rights: `cargo run -q -p policy --example rights`.
#![expect(clippy::unwrap_used, reason = "the table is made by the same code that the test compares it by")]
#![expect(clippy::print_stdout, reason = "the table is the output")]

#[path = "../tests/policy/matrix.rs"]
mod matrix;

fn main() {
    print!("{}", matrix::rights());
}
