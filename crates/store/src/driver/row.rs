//! One row of an answer, read out of the database's own form.

use super::error::StoreError;
use super::value::{FromValue, Value};

/// One row; its columns are counted from 0 in the order in which the statement names them.
#[derive(Debug, Clone)]
pub struct Row {
    statement: &'static str,
    values: Vec<Value>,
}

impl Row {
    pub(super) fn new(statement: &'static str, values: Vec<Value>) -> Self {
        Self { statement, values }
    }

    /// The column at `index`. [`StoreError::Corrupt`] when it does not exist or has another type.
    pub fn get<T: FromValue>(&self, index: usize) -> Result<T, StoreError> {
        self.values.get(index).and_then(T::from_value).ok_or_else(|| {
            let wanted = std::any::type_name::<T>();
            StoreError::corrupt(format!("column {index} is no {wanted}: {}", self.statement))
        })
    }
}
