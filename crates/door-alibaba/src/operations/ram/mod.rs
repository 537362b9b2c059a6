//! ram 2015-05-01.

mod users;

use model::Action as A;

use super::Needs::Own;
use super::{Operation, operation};

pub(super) const OPERATIONS: &[Operation] = &[operation!(users::get_user, Ram "GetUser", Own(A::GetUser)).requires(&["UserName"])];
