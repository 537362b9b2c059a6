//! ROA V1: HMAC-SHA1 over a few headers, the `x-acs-…` headers, path and query. Personal Edition's API alone uses it.

use secrets::Plain;

use super::claim::{Claim, Proof, known};
use super::secret_values::Form;
use super::{Problem, Request, Scheme, time};
use crate::Mismatch;
use crate::craft::{hmac_sha1, line, same};

/// The value of `Authorization` for a request that has all its other headers.
pub fn sign(secret: &Plain, access_key_id: &str, request: &Request<'_>) -> Result<String, Problem> {
    Ok(format!("acs {access_key_id}:{}", hmac_sha1(secret, "", &string_to_sign(request)?)))
}

/// Method, `Accept`, `Content-MD5`, `Content-Type`, `Date`, the sorted `x-acs-…` headers, path and query, a line each.
pub fn string_to_sign(request: &Request<'_>) -> Result<String, Problem> {
    compose(request, Form::Signed)
}

fn compose(request: &Request<'_>, form: Form) -> Result<String, Problem> {
    let mut out = String::new();
    line(&mut out, request.method);
    for name in ["accept", "content-md5", "content-type", "date"] {
        line(&mut out, request.headers.get(name)?.unwrap_or_default());
    }
    for name in request.headers.names_beginning("x-acs-") {
        let value = request.headers.get(&name)?.unwrap_or_default();
        line(&mut out, &format!("{name}:{}", form.value(&name, value)));
    }
    out.push_str(request.path);
    for (place, param) in request.params.iter().enumerate() {
        out.push(if place == 0 { '?' } else { '&' });
        out.push_str(&param.name);
        if !param.value.is_empty() {
            out.push('=');
            out.push_str(form.value(&param.name, &param.value));
        }
    }
    Ok(out)
}

/// What the headers claim. Its calls have no bodies here, and a query must mean one thing in its unencoded form.
pub(super) fn claim<'r>(request: &'r Request<'_>) -> Result<Claim<'r>, Problem> {
    let header = |name: &str| request.headers.get(name);
    if !request.body.is_empty() {
        return Err(Problem::UnsignedBody);
    }
    if request.params.iter().any(|param| param.name.contains(['&', '=', '?', '\n']) || param.value.contains(['&', '\n'])) {
        return Err(Problem::Malformed);
    }
    let authorization = header("authorization")?.unwrap_or_default();
    let (access_key_id, signature) =
        authorization.strip_prefix("acs ").and_then(|pair| pair.trim().rsplit_once(':')).ok_or(Problem::Authorization)?;
    if header("x-acs-signature-method")?.is_some_and(|method| method != "HMAC-SHA1") {
        return Err(Problem::Method("of the header x-acs-signature-method"));
    }
    if header("x-acs-signature-version")?.is_some_and(|version| version != "1.0") {
        return Err(Problem::SignatureVersion);
    }
    Ok(Claim {
        scheme: Scheme::Roa,
        access_key_id: known("AccessKeyId", access_key_id)?,
        security_token: header("x-acs-security-token")?.filter(|token| !token.is_empty()),
        nonce: header("x-acs-signature-nonce")?.map(|nonce| known("SignatureNonce", nonce)).transpose()?,
        signed_at: time::http_date(header("date")?.ok_or(Problem::Missing("Date"))?)?,
        proof: Proof { signature, signed_headers: "" },
    })
}

/// Whether this secret makes that signature.
pub(super) fn verify(secret: &Plain, request: &Request<'_>, signature: &str) -> Result<(), Mismatch> {
    let ours = string_to_sign(request).map(|text| hmac_sha1(secret, "", &text)).unwrap_or_default();
    if same(&ours, signature) {
        return Ok(());
    }
    Err(Mismatch::echoing(compose(request, Form::Shown).unwrap_or_default()))
}
