//! Content by storage key, over a directory.
