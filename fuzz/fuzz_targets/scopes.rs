//! Scopes, alone and in the parameters of a token request: bounded, one a repository, and read back as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::{Scope, Scopes};

fuzz_target!(|text: &str| {
    if let Ok(scopes) = Scopes::parse([text]) {
        hold(&scopes);
    }
    if let Some(scopes) = door_token::fuzzing::read_scopes(text) {
        hold(&scopes);
    }
});

fn hold(scopes: &Scopes) {
    let texts: Vec<String> = scopes.iter().map(ToString::to_string).collect();
    assert!(texts.len() <= Scopes::MAX);
    let again = Scopes::parse(texts.iter().map(String::as_str)).expect("what is written is read");
    assert_eq!(&again, scopes);
    let mut names: Vec<_> = scopes.iter().filter_map(|s| if let Scope::Repository(name, _) = s { Some(name) } else { None }).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count, "one scope a repository");
}
