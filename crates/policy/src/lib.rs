//! The policy tree, its readers and printers, evaluation and explanation.
