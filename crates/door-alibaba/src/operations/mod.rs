//! Every action, declared once: its product and name, what it needs, what it cannot do without.

mod cr;
mod ims;
mod known;
mod ram;
mod sts;

use std::future::Future;
use std::pin::Pin;

use model::{Seconds, Timestamp};

use crate::call::Call;
use crate::errors::Failure;
use crate::product::Product;
use crate::shapes::Object;

/// What a caller must be allowed.
pub use kit::Needs;
pub use known::known;

/// The bounds of a temporary password's life.
const SHORTEST: Seconds = Seconds::minutes(15);
const LONGEST: Seconds = Seconds::hours(24);

/// How long a temporary password lives that is to end with the session that asks for it. (The token sees to it that it does not
/// outlive the session.)
pub(crate) fn rest(now: Timestamp, end: Timestamp) -> Seconds {
    Seconds(end.millis_since(now).div_euclid(1000)).clamp(SHORTEST, LONGEST)
}

/// A running handler.
pub(crate) type Running = Pin<Box<dyn Future<Output = Result<Object, Failure>> + Send>>;

/// An action of a product.
#[derive(Debug)]
pub struct Operation {
    /// The product.
    pub product: Product,
    /// The action's name.
    pub name: &'static str,
    /// What the caller must be allowed.
    pub needs: Needs,
    /// Parameters without which there is no answer but `Missing…`, in the order in which they are missed.
    pub required: &'static [&'static str],
    /// Is its answer without `IsSuccess` and `Code`, where the product's others have them?
    pub bare: bool,
    pub(crate) handle: fn(Call) -> Running,
}

impl Operation {
    /// With parameters that it cannot do without.
    const fn requires(self, required: &'static [&'static str]) -> Self {
        Self { required, ..self }
    }

    /// Answers without `IsSuccess` and `Code`.
    #[expect(dead_code, reason = "for actions on tags, which are to come")]
    const fn bare(self) -> Self {
        Self { bare: true, ..self }
    }
}

macro_rules! operation {
    ($handle:path, $product:ident $name:literal, $needs:expr) => {
        $crate::operations::Operation {
            product: $crate::product::Product::$product,
            name: $name,
            needs: $needs,
            required: &[],
            bare: false,
            handle: |call| Box::pin($handle(call)),
        }
    };
}
use operation;

/// All of them, product by product.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    [cr::OPERATIONS, sts::OPERATIONS, ram::OPERATIONS, ims::OPERATIONS].into_iter().flatten()
}

/// What an action of a product leads to.
pub(crate) enum Found {
    Done(&'static Operation),
    /// The product has it, and this server does not do it.
    NotSupported(&'static str),
    Unknown,
}

pub(crate) fn find(product: Product, action: &str) -> Found {
    if let Some(operation) = operations().find(|o| o.product == product && o.name == action) {
        return Found::Done(operation);
    }
    match known(product).iter().find(|name| **name == action) {
        Some(name) => Found::NotSupported(name),
        None => Found::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Actions that need no right, each named here on purpose: whoever adds one has to come by.
    const WITHOUT_ACTION: [&str; 2] = ["AssumeRoleWithOIDC", "GetCallerIdentity"];

    #[test]
    fn an_operation_without_an_action_fails_unless_it_is_named() {
        let without = operations().filter(|o| matches!(o.needs, Needs::Nothing(_) | Needs::Caller(_)));
        assert_eq!(without.map(|o| o.name).collect::<Vec<_>>(), WITHOUT_ACTION);
    }

    #[test]
    fn every_operation_is_one_of_its_products_and_there_once() {
        let names: BTreeSet<_> = operations().map(|o| (o.product, o.name)).collect();
        assert_eq!(names.len(), operations().count());
        for operation in operations() {
            assert!(known(operation.product).contains(&operation.name), "{} is no action of {:?}", operation.name, operation.product);
        }
    }

    #[test]
    fn what_is_known_is_told_from_what_is_not() {
        assert!(matches!(find(Product::Cr, "GetInstance"), Found::Done(_)));
        assert!(matches!(find(Product::Cr, "CreateChain"), Found::NotSupported(_)));
        assert!(matches!(find(Product::Cr, "GetUser"), Found::Unknown));
        assert!(matches!(find(Product::Cr, "getinstance"), Found::Unknown));
    }
}
