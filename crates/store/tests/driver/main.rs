//! The driver's suite: the same cases over SQLite in a temporary folder, SQLite with full durability, and PostgreSQL.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod catalog;
mod counting;
mod database;
mod expand;
mod nodes;
mod opening;
mod speaking;
mod trouble;
mod units;

/// One test a back end for each case, which is an `async fn(Arc<Store>)`.
macro_rules! on_each {
    ($($case:ident)*) => { $(mod $case {
        #[test]
        fn memory() {
            crate::database::on_memory(super::$case);
        }
        #[test]
        fn file() {
            crate::database::on_file(super::$case);
        }
        #[test]
        fn postgres() {
            crate::database::on_postgres(concat!(module_path!(), "::postgres"), super::$case);
        }
    })* };
}
pub(crate) use on_each;
