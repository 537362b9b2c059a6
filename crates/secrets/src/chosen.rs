//! Passwords that people choose.

use crate::kind::{LETTERS_AND_DIGITS, random_character};
use crate::{Kind, Plain, Random, Recognised};

/// A password that keeps the rules: 8 to 32 printable ASCII characters, two of the classes letters, digits, others.
#[derive(Debug)]
pub struct ChosenPassword(Plain);

/// Which rule a password breaks. The texts are for the person who chose it and never repeat it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordProblem {
    /// Fewer than 8 characters.
    #[error("the password is too short: it needs 8 to 32 characters")]
    TooShort,
    /// More than 32 characters. It is refused: a cut password would let its beginning log in.
    #[error("the password is too long: it needs 8 to 32 characters, and is never cut")]
    TooLong,
    /// Something that not every client and keyboard sends alike.
    #[error("the password may hold only letters, digits, spaces and symbols of ASCII (no accents, no control characters)")]
    NotPrintableAscii,
    /// One class only.
    #[error("the password needs at least two of these three: letters, digits, other characters")]
    OneClassOnly,
    /// It starts like a generated secret, so that no login would ever look at it as a password.
    #[error("the password starts like a generated secret (for example `tgc_`); choose another beginning")]
    LooksGenerated,
}

impl ChosenPassword {
    /// The fewest characters.
    pub const MIN_CHARACTERS: usize = 8;
    /// The most characters.
    pub const MAX_CHARACTERS: usize = 32;

    /// Checks the rules, for a password that is being set. At login none is checked: a wrong password is just wrong.
    pub fn parse(password: Plain) -> Result<Self, PasswordProblem> {
        let text = password.reveal();
        if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(PasswordProblem::NotPrintableAscii);
        }
        match text.len() {
            ..Self::MIN_CHARACTERS => return Err(PasswordProblem::TooShort),
            Self::MIN_CHARACTERS..=Self::MAX_CHARACTERS => {}
            _ => return Err(PasswordProblem::TooLong),
        }
        if Kind::recognise(text) != Recognised::Chosen {
            return Err(PasswordProblem::LooksGenerated);
        }
        if classes(text) < 2 { Err(PasswordProblem::OneClassOnly) } else { Ok(Self(password)) }
    }

    /// The password.
    pub const fn as_plain(&self) -> &Plain {
        &self.0
    }
}

fn classes(text: &str) -> usize {
    let letter = text.bytes().any(|byte| byte.is_ascii_alphabetic());
    let digit = text.bytes().any(|byte| byte.is_ascii_digit());
    let other = text.bytes().any(|byte| !byte.is_ascii_alphanumeric());
    [letter, digit, other].into_iter().filter(|present| *present).count()
}

/// The root user's first password: 32 letters and digits, no prefix, a chosen password like any other.
///
/// It starts with a letter and ends with a digit, so that it keeps the rules without drawing again (187 random bits).
pub fn generate_root_password(random: &mut dyn Random) -> ChosenPassword {
    let (digits, letters) = LETTERS_AND_DIGITS.split_at(10);
    let mut text = String::with_capacity(ChosenPassword::MAX_CHARACTERS);
    text.push(random_character(letters, random));
    text.extend((0..ChosenPassword::MAX_CHARACTERS - 2).map(|_| random_character(LETTERS_AND_DIGITS, random)));
    text.push(random_character(digits, random));
    ChosenPassword(Plain::from_short(text))
}
