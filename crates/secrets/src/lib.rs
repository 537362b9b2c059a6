//! Plain, hashed and sealed secrets as different types.
