//! What this door does, and under which right. Asking for a token needs none: a token carries what is allowed, be it nothing.

/// One operation.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The method.
    pub method: &'static str,
    /// The path.
    pub path: &'static str,
    /// Why anybody may ask.
    pub open_because: &'static str,
}

/// All of them.
pub const OPERATIONS: &[Operation] = &[
    Operation { method: "GET", path: "/token", open_because: "what is granted is asked ∩ allowed, decided by access" },
    Operation { method: "POST", path: "/token", open_because: "what is granted is asked ∩ allowed, decided by access" },
    Operation { method: "GET", path: "/.well-known/jwks.json", open_because: "public keys are public" },
];
