//! The reader of parameters, for `fuzz/fuzz_targets/scopes.rs` alone.

use model::Scopes;

use crate::shapes::Parameters;

/// The scopes of a query or form body that can be read.
pub fn read_scopes(text: &str) -> Option<Scopes> {
    let parameters = Parameters::parse(text).ok()?;
    let _ = (parameters.one("service").is_ok(), parameters.secret("password").is_ok());
    parameters.scopes().ok()
}
