//! sts 2015-04-01: sessions, and who one is.

use access::Refusal;
use identity::{AssumeRole, AuthError, IdentityError, NewSession, TokenFault};
use model::{Action as A, Known, PrincipalKind, Seconds, act};
use secrets::Plain;

use super::Needs::{Action as Act, Caller, Nothing};
use super::{Operation, operation};
use crate::arn::{Arn, arn};
use crate::call::Call;
use crate::errors::{Failure, Fault, Problem};
use crate::shapes::{Object, moment};

/// The longest policy of a session, in characters.
const LONGEST_POLICY: usize = 2048;

pub(super) const OPERATIONS: &[Operation] = &[
    operation!(assume_role, Sts "AssumeRole", Act(A::AssumeRole)).requires(&["RoleArn", "RoleSessionName"]),
    operation!(assume_role_with_oidc, Sts "AssumeRoleWithOIDC", Nothing("the token is what shows who asks")).requires(&[
        "OIDCProviderArn",
        "RoleArn",
        "OIDCToken",
        "RoleSessionName",
    ]),
    operation!(get_caller_identity, Sts "GetCallerIdentity", Caller("everybody may know who they are")),
];

/// A role that is not there, or another account's, is refused like one that does not trust the caller.
async fn assume_role(call: Call) -> Result<Object, Failure> {
    let role = role(&call)?;
    let wanted = wanted(&call)?;
    let known = call.known()?;
    let on = call.principal(PrincipalKind::Role, role.name).await?;
    let permit = call.admit::<act::AssumeRole>(on).await?;
    if known.kind == PrincipalKind::Root {
        return Err(Problem::no_permission("Roles may not be assumed by root accounts.").into());
    }
    if role.account != known.account {
        return Err(not_trusted().into());
    }
    let session = call.identity().assume_role(permit, &wanted).await.map_err(not_assumed)?;
    Ok(shape(&session).maybe("SourceIdentity", wanted.source_identity))
}

fn role(call: &Call) -> Result<Arn<'_>, Problem> {
    let wanted = || Problem::invalid("RoleArn", Fault::Format, "acs:ram::ACCOUNT:role/NAME");
    Arn::parse(call.required("RoleArn")?, "role").ok_or_else(wanted)
}

fn wanted(call: &Call) -> Result<AssumeRole, Problem> {
    let text = |name| call.optional(name).map(str::to_owned);
    let external_id = text("ExternalId");
    let word = |id: &String| (2..=1224).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&b));
    if external_id.as_ref().is_some_and(|id| !word(id)) {
        return Err(Problem::invalid("ExternalId", Fault::Format, "2 to 1224 letters, digits and _ + = , . @ : / -"));
    }
    Ok(AssumeRole {
        session_name: call.required("RoleSessionName")?.to_owned(),
        lasts: call.parameters.integer("DurationSeconds", 900..=43_200)?.map(Seconds),
        policy: text("Policy"),
        external_id,
        source_identity: text("SourceIdentity"),
    })
}

fn not_trusted() -> Problem {
    Problem::no_permission("You are not authorized to do this action. You should be authorized by RAM.")
}

/// What the product says in words of its own.
fn not_assumed(error: IdentityError) -> Failure {
    match error {
        IdentityError::Refused(Refusal::Denied { .. }) => not_trusted().into(),
        IdentityError::Invalid { field: "role", problem } => Problem::no_permission(format!("{problem}.")).into(),
        IdentityError::Invalid { field: "policy", problem } if problem.contains(&LONGEST_POLICY.to_string()) => {
            Problem::new(400, "InvalidParameter.PolicySize", "The size of Policy must be smaller than 2048 bytes.").into()
        }
        IdentityError::Invalid { field: "policy", problem } => {
            let message = format!("The parameter Policy has not passed grammar check. {problem}.");
            Problem::new(400, "InvalidParameter.PolicyGrammar", message).into()
        }
        error => error.into(),
    }
}

/// Unsigned: the token shows who asks. The account is the one that the names say.
async fn assume_role_with_oidc(call: Call) -> Result<Object, Failure> {
    let role = role(&call)?;
    let format = || Problem::invalid("OIDCProviderArn", Fault::Format, "acs:ram::ACCOUNT:oidc-provider/NAME");
    let provider = Arn::parse(call.required("OIDCProviderArn")?, "oidc-provider").ok_or_else(format)?;
    let long = || Problem::invalid("OIDCToken", Fault::Length, "4 to 16384 characters");
    let token = Plain::new(call.required("OIDCToken")?.to_owned()).map_err(|_| long())?;
    let wanted = AssumeRole { external_id: None, source_identity: None, ..wanted(&call)? };
    if role.account != provider.account {
        return Err(unbelieved(&AuthError::Invalid));
    }
    let of = (role.name, Some(provider.name));
    let made = call.identity().assume_role_with_oidc(&call.op, role.account, of, &token, &wanted).await;
    let made = made.map_err(|error| match error {
        IdentityError::Unbelieved(error) => unbelieved(&error),
        error => not_assumed(error),
    })?;
    let claims = &made.claims;
    let info = Object::new()
        .with("Subject", claims.subject())
        .with("Issuer", claims.issuer())
        .with("ClientIds", claims.audiences().join(","))
        .with("ExpirationTime", moment(claims.expires()))
        .maybe("IssuanceTime", claims.issued().map(moment))
        .with("VerificationInfo", "Success");
    Ok(shape(&made.session).with("OIDCTokenInfo", info))
}

/// A token that nobody's issuer signed and a provider that is not there are one answer: a stranger learns of neither.
fn unbelieved(error: &AuthError) -> Failure {
    let problem = |status, code, message: &str| Problem::new(status, code, message).into();
    match error {
        AuthError::Invalid => {
            let message = "The token is not one of a provider that is registered, or its signature does not hold.";
            problem(400, "AuthenticationFail.OIDCToken.Invalid", message)
        }
        AuthError::Untrusted(untrusted) => match untrusted.fault {
            TokenFault::Time => {
                problem(400, "AuthenticationFail.OIDCToken.Expired", &format!("This JsonWebToken is expired. ({untrusted})"))
            }
            TokenFault::Audience => {
                problem(400, "AuthenticationFail.OIDCToken.AudienceNotMatch", &format!("Invalid audience. ({untrusted})"))
            }
            TokenFault::Claims => problem(403, "AuthenticationFail.NoPermission", &format!("There is no permission. ({untrusted})")),
        },
        AuthError::Expired | AuthError::Disabled => problem(403, "AuthenticationFail.NoPermission", "There is no permission."),
        AuthError::LockedOut { .. } | AuthError::Throttled { .. } | AuthError::Busy | AuthError::Unavailable => {
            Failure::Refused(Refusal::Unavailable)
        }
    }
}

fn shape(session: &NewSession) -> Object {
    let role = session.role.id.map(|id| id.to_string()).unwrap_or_default();
    let user = Object::new()
        .with("Arn", format!("{}/{}", arn(session.role.account, "role", &session.role.name), session.name))
        .with("AssumedRoleId", format!("{role}:{}", session.name));
    let credentials = Object::new()
        .with("AccessKeyId", session.access_key_id.as_str())
        .with("AccessKeySecret", session.access_key_secret.reveal())
        .with("SecurityToken", session.security_token.reveal())
        .with("Expiration", moment(session.expires));
    Object::new().with("AssumedRoleUser", user).with("Credentials", credentials)
}

async fn get_caller_identity(call: Call) -> Result<Object, Failure> {
    Ok(identity(call.known()?))
}

fn identity(known: &Known) -> Object {
    let (account, id) = (known.account, known.principal.to_string());
    let (kind, arn, principal) = match known.kind {
        PrincipalKind::Root => ("Account", format!("acs:ram::{account}:root"), account.to_string()),
        PrincipalKind::Role => {
            let session = known.name.split_once('/').map_or("", |(_, session)| session);
            ("AssumedRoleUser", arn(account, "assumed-role", &known.name), format!("{id}:{session}"))
        }
        kind => ("RAMUser", arn(account, kind.noun(), &known.name), id.clone()),
    };
    let of_role = known.kind == PrincipalKind::Role;
    Object::new()
        .with("IdentityType", kind)
        .with("AccountId", account.to_string())
        .with("PrincipalId", principal)
        .maybe("UserId", (!of_role).then(|| id.clone()))
        .maybe("RoleId", of_role.then_some(id))
        .with("Arn", arn)
}
