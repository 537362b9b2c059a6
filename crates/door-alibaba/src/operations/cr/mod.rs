//! cr 2018-12-01.

mod credentials;
mod instances;

use model::Action as A;

use super::Needs::{Action as Act, Own};
use super::{Operation, operation};

pub(super) const OPERATIONS: &[Operation] = &[
    operation!(instances::get_instance, Cr "GetInstance", Act(A::GetInstance)).requires(&["InstanceId"]),
    operation!(credentials::get_authorization_token, Cr "GetAuthorizationToken", Act(A::GetAuthorizationToken)).requires(&["InstanceId"]),
    operation!(credentials::reset_login_password, Cr "ResetLoginPassword", Own(A::ResetLoginPassword)).requires(&["InstanceId", "Password"]),
];
