//! Statements over several things at once. Their text takes [`WIDTH`] of them; fewer fill it with the last one again and again.

/// Things that one statement takes.
pub(crate) const WIDTH: usize = 16;

/// As many things as one statement takes.
pub(crate) fn padded<T>(chunk: &[T]) -> impl Iterator<Item = &T> {
    chunk.iter().chain(std::iter::repeat_n(chunk.last(), WIDTH.saturating_sub(chunk.len())).flatten())
}
