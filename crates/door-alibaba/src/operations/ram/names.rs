//! What names and texts of RAM look like: `InvalidParameter.<Param>.InvalidChars` and `.Length`.

use std::ops::RangeInclusive;

use crate::call::Call;
use crate::errors::{Fault, Problem};

/// A name that somebody is to have. `more`: what it may have besides letters and digits.
fn name<'c>(parameter: &'static str, text: &'c str, most: usize, more: &str) -> Result<&'c str, Problem> {
    let wanted = format!("1 to {most} letters, digits and {more}");
    if !(1..=most).contains(&text.chars().count()) {
        return Err(Problem::invalid(parameter, Fault::Length, wanted));
    }
    if !text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c)) {
        return Err(Problem::invalid(parameter, Fault::InvalidChars, wanted));
    }
    Ok(text)
}

/// The name of a user to be.
pub(super) fn user<'c>(call: &'c Call, parameter: &'static str) -> Result<&'c str, Problem> {
    name(parameter, call.required(parameter)?, 64, ".-_")
}

/// The name of a group to be.
pub(super) fn group<'c>(call: &'c Call, parameter: &'static str) -> Result<&'c str, Problem> {
    name(parameter, call.required(parameter)?, 64, ".-_")
}

/// The name of a role to be.
pub(super) fn role<'c>(call: &'c Call, parameter: &'static str) -> Result<&'c str, Problem> {
    name(parameter, call.required(parameter)?, 64, ".-")
}

/// The name of a policy to be.
pub(super) fn policy<'c>(call: &'c Call, parameter: &'static str) -> Result<&'c str, Problem> {
    name(parameter, call.required(parameter)?, 128, "-")
}

/// A text for people, of so many characters. None: not said; empty: nothing any more.
pub(super) fn text(call: &Call, parameter: &'static str, lengths: RangeInclusive<usize>) -> Result<Option<String>, Problem> {
    let Some(text) = call.parameters.given(parameter) else { return Ok(None) };
    let wanted = || format!("{} to {} characters", lengths.start(), lengths.end());
    if !text.is_empty() && !lengths.contains(&text.chars().count()) {
        return Err(Problem::invalid(parameter, Fault::Length, wanted()));
    }
    if text.chars().any(char::is_control) {
        return Err(Problem::invalid(parameter, Fault::InvalidChars, wanted()));
    }
    Ok(Some(text.to_owned()))
}

/// A policy document of at most so many characters.
pub(super) fn document<'c>(text: &'c str, parameter: &'static str, most: usize) -> Result<&'c str, Problem> {
    if text.chars().count() > most {
        return Err(Problem::invalid(parameter, Fault::Length, format!("1 to {most} characters")));
    }
    Ok(text)
}
