//! What can go wrong between a person and the server, each with what to do next.

use std::path::PathBuf;

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing says where to go.
    #[error(
        "no server is configured. Run `tidegate configure --from DIR/bootstrap.json` with the file that the server wrote on its first start, \
         or set TIDEGATE_ENDPOINT"
    )]
    NoEndpoint,
    /// Nothing says as whom.
    #[error(
        "no access key is configured. Run `tidegate configure --from DIR/bootstrap.json`, or set TIDEGATE_ACCESS_KEY_ID and \
         TIDEGATE_ACCESS_KEY_SECRET"
    )]
    NoAccessKey,
    /// An access key's id without its secret.
    #[error("the access key {id} has no secret here. Set TIDEGATE_ACCESS_KEY_SECRET, or use a profile that holds it")]
    NoSecret {
        /// The key's id.
        id: String,
    },
    /// Not an address.
    #[error("`{text}` is no server address. Write it as http://HOST:PORT or https://HOST")]
    Endpoint {
        /// What was given.
        text: String,
    },
    /// The named profile is not in the file.
    #[error("there is no profile `{name}` in {}. `tidegate configure --from FILE --profile {name}` makes it", path.display())]
    NoProfile {
        /// Its name.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// The profile file, a bootstrap file or a file of certificates cannot be used.
    #[error("{}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// There is nobody at that address.
    #[error("cannot reach {endpoint}: {problem}. Is the server running? Start one with `tidegate serve`")]
    Unreachable {
        /// The address.
        endpoint: String,
        /// What happened.
        problem: String,
    },
    /// The connection is not trusted.
    #[error(
        "{endpoint} cannot be trusted: {problem}. If its certificate comes from your own authority, name that authority's file with --ca-file"
    )]
    Untrusted {
        /// The address.
        endpoint: String,
        /// What happened.
        problem: String,
    },
    /// The access key opens nothing.
    #[error("{message}. Check the access key in use, or make a new profile with `tidegate configure`")]
    SignIn {
        /// The server's word for it (RFC 6749 section 5.2).
        code: String,
        /// The same for people.
        message: String,
        /// The request's id.
        request_id: Option<String>,
    },
    /// The server said no.
    #[error("{message}")]
    Refused {
        /// The status.
        status: u16,
        /// The server's word for it.
        code: String,
        /// The same for people.
        message: String,
        /// The request's id.
        request_id: Option<String>,
        /// The field that was wrong.
        field: Option<String>,
    },
    /// What came back is not an answer of this API.
    #[error("{endpoint} did not answer as a Tidegate server does ({problem}). Is this the right address?")]
    Unexpected {
        /// The address.
        endpoint: String,
        /// What is wrong with it.
        problem: String,
        /// The request's id.
        request_id: Option<String>,
    },
}

impl ClientError {
    /// A stable word for programs.
    pub fn code(&self) -> &str {
        match self {
            Self::NoEndpoint | Self::NoAccessKey | Self::NoSecret { .. } | Self::NoProfile { .. } => "not_configured",
            Self::Endpoint { .. } => "invalid_endpoint",
            Self::File { .. } => "invalid_file",
            Self::Unreachable { .. } => "unreachable",
            Self::Untrusted { .. } => "untrusted",
            Self::SignIn { code, .. } | Self::Refused { code, .. } => code,
            Self::Unexpected { .. } => "unexpected_answer",
        }
    }

    /// The request's id, where the server was reached.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::SignIn { request_id, .. } | Self::Refused { request_id, .. } | Self::Unexpected { request_id, .. } => {
                request_id.as_deref()
            }
            _ => None,
        }
    }

    /// The field that the server found wrong.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Refused { field, .. } => field.as_deref(),
            _ => None,
        }
    }
}
