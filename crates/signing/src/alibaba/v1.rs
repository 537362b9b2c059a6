//! V1, also called RPC signature: HMAC-SHA1 over the sorted parameters of query and form.

use secrets::Plain;

use super::claim::{Claim, Proof, known};
use super::secret_values::Form;
use super::{Problem, Request, Scheme, time};
use crate::craft::{encode_into, hmac_sha1, same};
use crate::{Mismatch, Params};

/// The value of `Signature` for these parameters, which hold everything else already (`SignatureMethod` and the like). A `Signature` among them does not
/// count.
pub fn sign(secret: &Plain, method: &str, params: &Params<'_>) -> String {
    hmac_sha1(secret, "&", &string_to_sign(method, params))
}

/// `METHOD&%2F&` and the encoded canonical query: pairs sorted by their raw names, empty values kept.
pub fn string_to_sign(method: &str, params: &Params<'_>) -> String {
    compose(method, params, Form::Signed)
}

fn compose(method: &str, params: &Params<'_>, form: Form) -> String {
    let mut canonical = String::new();
    for param in params.iter().filter(|param| param.name != "Signature") {
        if !canonical.is_empty() {
            canonical.push('&');
        }
        encode_into(&mut canonical, &param.name);
        canonical.push('=');
        encode_into(&mut canonical, form.value(&param.name, &param.value));
    }
    let mut out = format!("{method}&%2F&");
    encode_into(&mut out, &canonical);
    out
}

/// What the parameters claim.
pub(super) fn claim<'r>(request: &'r Request<'_>) -> Result<Claim<'r>, Problem> {
    request.body_is_parameters()?;
    let params = &request.params;
    let need = |name| params.get(name).filter(|value| !value.is_empty()).ok_or(Problem::Missing(name));
    let signature = need("Signature")?;
    let access_key_id = known("AccessKeyId", need("AccessKeyId")?)?;
    if need("SignatureMethod")? != "HMAC-SHA1" {
        return Err(Problem::Method("of the parameter SignatureMethod"));
    }
    if need("SignatureVersion")? != "1.0" {
        return Err(Problem::SignatureVersion);
    }
    let signed_at = time::iso(need("Timestamp")?)?;
    let nonce = Some(known("SignatureNonce", need("SignatureNonce")?)?);
    let security_token = params.get("SecurityToken").filter(|token| !token.is_empty());
    Ok(Claim { scheme: Scheme::V1, access_key_id, security_token, nonce, signed_at, proof: Proof { signature, signed_headers: "" } })
}

/// Whether this secret makes that signature.
pub(super) fn verify(secret: &Plain, request: &Request<'_>, signature: &str) -> Result<(), Mismatch> {
    if same(&sign(secret, request.method, &request.params), signature) {
        return Ok(());
    }
    Err(Mismatch::echoing(compose(request.method, &request.params, Form::Shown)))
}
