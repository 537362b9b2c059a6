//! V3, ACS3-HMAC-SHA256: HMAC over the hash of method, path, query, the named headers and the body's hash.

use secrets::Plain;

use super::claim::{Claim, Proof, known};
use super::secret_values::is_secret;
use super::{Problem, Request, Scheme, time};
use crate::craft::{encode_into, hmac_sha256, line, same, sha256};
use crate::{Mismatch, Place};

const METHOD: &str = "ACS3-HMAC-SHA256";

/// Headers that have to be there and signed, with the names of what they say.
const REQUIRED: [(&str, &str); 6] = [
    ("host", "Host"),
    ("x-acs-action", "Action"),
    ("x-acs-version", "Version"),
    ("x-acs-date", "Timestamp"),
    ("x-acs-signature-nonce", "SignatureNonce"),
    ("x-acs-content-sha256", "ContentSha256"),
];

/// Headers that have to be signed if they are there.
const SIGNED_IF_PRESENT: [&str; 3] = ["content-type", "x-acs-accesskey-id", "x-acs-security-token"];

/// The most headers that may be signed.
const MAX_SIGNED: usize = 100;

/// The value of `Authorization` for a request that has all its other headers. Host, content type and every `x-acs-…` header are signed.
pub fn sign(secret: &Plain, access_key_id: &str, request: &Request<'_>) -> Result<String, Problem> {
    let mut names = request.headers.names_beginning("x-acs-");
    for name in ["content-type", "host"] {
        if request.headers.get(name)?.is_some() {
            names.push(name.to_owned());
        }
    }
    names.sort();
    let signed = names.join(";");
    let canonical = canonical_request(request, &signed)?;
    let signature = hmac_sha256(secret, &string_to_sign(&canonical));
    Ok(format!("{METHOD} Credential={access_key_id},SignedHeaders={signed},Signature={signature}"))
}

/// The lower-case hex that `x-acs-content-sha256` carries.
pub fn content_sha256(body: &[u8]) -> String {
    sha256(body)
}

/// The canonical request over these headers (`host;x-acs-action;…`).
pub fn canonical_request(request: &Request<'_>, signed_headers: &str) -> Result<String, Problem> {
    let mut out = String::new();
    line(&mut out, request.method);
    line(&mut out, if request.path.is_empty() { "/" } else { request.path });
    line(&mut out, &canonical_query(request));
    for name in signed_headers.split(';') {
        let value = request.headers.get(name)?.ok_or(Problem::Unsigned("that SignedHeaders names"))?;
        line(&mut out, &format!("{name}:{value}"));
    }
    line(&mut out, "");
    line(&mut out, signed_headers);
    out.push_str(&content_sha256(request.body));
    Ok(out)
}

/// The method and the canonical request's hash.
pub fn string_to_sign(canonical_request: &str) -> String {
    format!("{METHOD}\n{}", sha256(canonical_request.as_bytes()))
}

fn canonical_query(request: &Request<'_>) -> String {
    let mut out = String::new();
    for param in request.params.iter().filter(|param| param.place == Place::Query) {
        if !out.is_empty() {
            out.push('&');
        }
        encode_into(&mut out, &param.name);
        out.push('=');
        encode_into(&mut out, &param.value);
    }
    out
}

/// What the headers claim. The body's hash is checked here: a signature over it says nothing if it is another body's.
pub(super) fn claim<'r>(request: &'r Request<'_>) -> Result<Claim<'r>, Problem> {
    let header = |name: &str| request.headers.get(name);
    let authorization = Authorization::read(header("authorization")?.unwrap_or_default())?;
    for (name, says) in REQUIRED {
        if header(name)?.unwrap_or_default().is_empty() {
            return Err(Problem::Missing(says));
        }
        authorization.must_sign(name)?;
    }
    for name in SIGNED_IF_PRESENT {
        if header(name)?.is_some() {
            authorization.must_sign(name)?;
        }
    }
    for name in authorization.signed_headers.split(';') {
        header(name)?.ok_or(Problem::Unsigned("that SignedHeaders names"))?;
    }
    if header("x-acs-content-sha256")? != Some(content_sha256(request.body).as_str()) {
        return Err(Problem::BodyHash);
    }
    let access_key_id = known("AccessKeyId", authorization.credential)?;
    if header("x-acs-accesskey-id")?.is_some_and(|id| id != access_key_id) {
        return Err(Problem::Contradiction("AccessKeyId"));
    }
    Ok(Claim {
        scheme: Scheme::V3,
        access_key_id,
        security_token: header("x-acs-security-token")?.filter(|token| !token.is_empty()),
        nonce: Some(known("SignatureNonce", header("x-acs-signature-nonce")?.unwrap_or_default())?),
        signed_at: time::iso(header("x-acs-date")?.unwrap_or_default())?,
        proof: Proof { signature: authorization.signature, signed_headers: authorization.signed_headers },
    })
}

/// Whether this secret makes that signature.
pub(super) fn verify(secret: &Plain, request: &Request<'_>, proof: Proof<'_>) -> Result<(), Mismatch> {
    let canonical = canonical_request(request, proof.signed_headers).unwrap_or_default();
    if !canonical.is_empty() && same(&hmac_sha256(secret, &string_to_sign(&canonical)), proof.signature) {
        return Ok(());
    }
    // The hash of a form with a chosen password in it would let it be guessed; a security token is long and random.
    let guessable = request.params.iter().any(|param| is_secret(&param.name));
    Err(Mismatch::echoing(if guessable { Mismatch::WITHHELD.to_owned() } else { string_to_sign(&canonical) }))
}

/// `Credential=…,SignedHeaders=…,Signature=…`, in any order, each once.
struct Authorization<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Authorization<'a> {
    fn read(value: &'a str) -> Result<Self, Problem> {
        let fields = value.strip_prefix(METHOD).and_then(|rest| rest.strip_prefix(' ')).ok_or(Problem::Authorization)?;
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for field in fields.split(',') {
            let (name, value) = field.trim().split_once('=').ok_or(Problem::Authorization)?;
            let place = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return Err(Problem::Authorization),
            };
            if place.replace(value).is_some() || value.is_empty() {
                return Err(Problem::Authorization);
            }
        }
        let signed_headers = signed_headers.filter(|list| is_header_list(list)).ok_or(Problem::Authorization)?;
        let credential = credential.ok_or(Problem::Missing("AccessKeyId"))?;
        Ok(Self { credential, signed_headers, signature: signature.ok_or(Problem::Missing("Signature"))? })
    }

    fn must_sign(&self, name: &'static str) -> Result<(), Problem> {
        if self.signed_headers.split(';').any(|signed| signed == name) { Ok(()) } else { Err(Problem::Unsigned(name)) }
    }
}

/// Lower-case header names, each once.
fn is_header_list(list: &str) -> bool {
    let names: Vec<&str> = list.split(';').collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    let is_name = |name: &&str| !name.is_empty() && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'));
    sorted.len() == names.len() && names.len() <= MAX_SIGNED && names.iter().all(is_name)
}
