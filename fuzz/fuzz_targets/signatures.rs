//! Signed API requests, as text: what is read is signed and verified again, and no other method's signature is taken for it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secrets::Plain;
use signing::alibaba::{Claim, Request, Scheme, roa, v1, v3};
use signing::{Headers, Mismatch};

fuzz_target!(|text: &str| {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    let method = words.next().unwrap_or_default();
    let target = words.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(':')).collect();
    if let Ok(request) = read(method, path, query, &headers, body) {
        hold(&request);
        again(method, path, query, &headers, body);
    }
});

fn read<'a>(
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: &[(&'a str, &'a str)],
    body: &'a str,
) -> Result<Request<'a>, signing::alibaba::Problem> {
    let headers = Headers::new(headers.iter().map(|(name, value)| (*name, value.as_bytes())));
    Request::read(method, path, query, headers, body.as_bytes())
}

fn secret() -> Plain {
    Plain::new("a secret of thirty characters!".to_owned()).expect("a short secret")
}

/// A stranger's signature holds by chance alone, and its echo is bounded.
fn hold(request: &Request<'_>) {
    let names: Vec<_> = request.params().iter().map(|param| &param.name).collect();
    assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "sorted, each once");
    if let Ok(scheme) = Scheme::of(request) {
        let _ = request.call(scheme);
    }
    if let Ok(Some(claim)) = Claim::of(request) {
        let mismatch = claim.verify(request, &secret()).expect_err("nobody knows this secret");
        assert!(mismatch.signed_by_server().len() <= Mismatch::MAX_ECHO);
        assert!(claim.access_key_id().len() <= 256 && claim.nonce().is_none_or(|nonce| nonce.len() <= 256));
    }
}

/// The same request, signed by us in each scheme: if it can be claimed at all, it holds.
fn again(method: &str, path: &str, query: &str, headers: &[(&str, &str)], body: &str) {
    let bare: Vec<(&str, &str)> = headers.iter().copied().filter(|(name, _)| !name.eq_ignore_ascii_case("authorization")).collect();
    let Ok(unsigned) = read(method, path, query, &bare, body) else { return };
    let signature = v1::sign(&secret(), method, unsigned.params()).replace('+', "%2B").replace('/', "%2F");
    let mut signed = vec![(query.to_owned() + "&Signature=" + &signature, None)];
    for authorization in [v3::sign(&secret(), "LTAI", &unsigned), roa::sign(&secret(), "LTAI", &unsigned)] {
        signed.extend(authorization.ok().map(|authorization| (query.to_owned(), Some(authorization))));
    }
    for (query, authorization) in &signed {
        let mut headers = bare.clone();
        headers.extend(authorization.as_deref().map(|value| ("authorization", value)));
        let Ok(request) = read(method, path, query, &headers, body) else { continue };
        if let Ok(Some(claim)) = Claim::of(&request) {
            assert!(claim.verify(&request, &secret()).is_ok(), "{:?}", claim.scheme());
        }
    }
}
