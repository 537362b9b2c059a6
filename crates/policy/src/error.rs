//! Why a text is no policy.

/// Why a text is no policy. Made for whoever wrote it: it points at the place and says what is wanted there.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PolicyError {
    /// Longer than [`crate::MAX_CHARS`], or what else is its most.
    #[error("the document has {chars} characters; at most {max} are allowed")]
    TooLong {
        /// How long it is.
        chars: usize,
        /// How long it may be.
        max: usize,
    },
    /// No JSON.
    #[error("line {line}, column {column}: {problem}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        problem: String,
    },
    /// JSON, but no policy.
    #[error("{path}: {wanted}")]
    At {
        /// Where, as `Statement[1].Condition.IpAddress.acs:SourceIp[0]`; indices from 0.
        path: String,
        /// What is wanted there.
        wanted: String,
    },
}
