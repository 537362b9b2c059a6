//! The nouns of Tidegate, each parsed once, at the edge.
