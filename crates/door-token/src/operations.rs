//! What this door does, and under which right. Asking for a token needs none: a token carries what is allowed, be it nothing.

/// One operation.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Its name in log and metrics.
    pub name: &'static str,
    /// The method.
    pub method: &'static str,
    /// The path.
    pub path: &'static str,
    /// Why anybody may ask.
    pub open_because: &'static str,
}

/// All of them.
pub const OPERATIONS: &[Operation] = &[
    Operation { name: "get_token", method: "GET", path: "/token", open_because: "what is granted is asked ∩ allowed, decided by access" },
    Operation {
        name: "post_token", method: "POST", path: "/token", open_because: "what is granted is asked ∩ allowed, decided by access"
    },
    Operation { name: "list_keys", method: "GET", path: "/.well-known/jwks.json", open_because: "public keys are public" },
];
