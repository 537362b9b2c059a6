//! What is signed here is verified here, and any other byte is not.

use proptest::prelude::*;
use signing::Params;
use signing::alibaba::{Claim, roa, v1, v3};

use super::{Text, secret};

const KEY: &str = "a secret of thirty characters!";

fn encoded(text: &str) -> String {
    text.bytes().flat_map(|byte| ['%', hex(byte >> 4), hex(byte & 15)]).collect()
}

fn hex(digit: u8) -> char {
    char::from_digit(digit.into(), 16).unwrap()
}

/// Decoded pairs with distinct names.
fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    proptest::collection::btree_map("[A-Za-z0-9._\\-~ *+%&=/é字]{1,12}", ".{0,40}", 0..8).prop_map(|pairs| pairs.into_iter().collect())
}

fn query(pairs: &[(String, String)]) -> String {
    pairs.iter().map(|(name, value)| format!("x{}={}", encoded(name), encoded(value))).collect::<Vec<_>>().join("&")
}

fn v1_request(pairs: &[(String, String)], in_form: usize) -> Text {
    let split = in_form.min(pairs.len());
    let common = "AccessKeyId=LTAI&Action=A&Version=1&SignatureMethod=HMAC-SHA1&SignatureNonce=n&SignatureType=&SignatureVersion=1.0&Timestamp=2026-11-26T21:24:44Z";
    let query_text = format!("{common}&{}", query(&pairs[split..]));
    let mut text = Text::new("POST", "/", &query_text).with("content-type", "application/x-www-form-urlencoded");
    text.body = query(&pairs[..split]);
    let signature = v1::sign(&secret(KEY), "POST", text.read().unwrap().params());
    text.query = format!("{query_text}&Signature={}", encoded(&signature));
    text
}

fn v3_request(pairs: &[(String, String)], body: &str) -> Text {
    let mut text = Text::new("POST", "/", &query(pairs))
        .with("Host", "127.0.0.1:5000")
        .with("content-type", "text/plain")
        .with("x-acs-action", "A")
        .with("x-acs-version", "1")
        .with("x-acs-date", "2026-11-26T21:24:44Z")
        .with("x-acs-signature-nonce", "n")
        .with("x-acs-content-sha256", &v3::content_sha256(body.as_bytes()));
    body.clone_into(&mut text.body);
    let authorization = v3::sign(&secret(KEY), "LTAI", &text.read().unwrap()).unwrap();
    text.with("Authorization", &authorization)
}

fn roa_request(region: &str) -> Text {
    let text = Text::new("GET", "/tokens", &format!("RegionId={region}&Empty="))
        .with("Accept", "application/json")
        .with("Date", "Thu, 26 Nov 2026 21:24:44 GMT")
        .with("x-acs-version", "2016-06-07");
    let authorization = roa::sign(&secret(KEY), "LTAI", &text.read().unwrap()).unwrap();
    text.with("Authorization", &authorization)
}

fn holds(text: &Text) -> bool {
    let Ok(request) = text.read() else { return false };
    let Ok(Some(claim)) = Claim::of(&request) else { return false };
    claim.access_key_id() == "LTAI" && claim.verify(&request, &secret(KEY)).is_ok()
}

/// The text with one character replaced by another.
fn changed(text: &str, place: usize) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let place = place % characters.len().max(1);
    if let Some(character) = characters.get_mut(place) {
        *character = if *character == 'q' { 'w' } else { 'q' };
    }
    characters.into_iter().collect()
}

fn with_query(text: &Text, query: String) -> Text {
    Text { query, ..text.clone() }
}

fn with_body(text: &Text, body: String) -> Text {
    Text { body, ..text.clone() }
}

fn with_path(text: &Text, path: String) -> Text {
    Text { path, ..text.clone() }
}

fn with_method(text: &Text, method: String) -> Text {
    Text { method, ..text.clone() }
}

proptest! {
    #[test]
    fn v1_holds_and_breaks(pairs in pairs(), in_form in 0usize..8, place in any::<usize>()) {
        let text = v1_request(&pairs, in_form);
        prop_assert!(holds(&text));
        prop_assert!(!holds(&with_query(&text, changed(&text.query, place))));
        prop_assert!(text.body.is_empty() || !holds(&with_body(&text, changed(&text.body, place))));
        prop_assert!(!holds(&with_method(&text, "GET".to_owned())));
        // Where a parameter stands is not signed, nor in which order.
        let mut parts: Vec<&str> = text.query.split('&').chain(text.body.split('&')).collect();
        parts.reverse();
        let without_body = with_body(&text, String::new());
        prop_assert!(holds(&with_query(&without_body, parts.join("&"))));
    }

    #[test]
    fn v3_holds_and_breaks(pairs in pairs(), body in ".{0,40}", place in any::<usize>(), header in 0usize..8) {
        let text = v3_request(&pairs, &body);
        prop_assert!(holds(&text));
        prop_assert!(text.query.is_empty() || !holds(&with_query(&text, changed(&text.query, place))));
        prop_assert!(!holds(&with_body(&text, body.clone() + ".")));
        prop_assert!(!holds(&with_path(&text, "/other".to_owned())));
        prop_assert!(!holds(&with_method(&text, "GET".to_owned())));
        let mut other = text.clone();
        let (_, value) = &mut other.headers[header];
        *value = changed(value, place);
        prop_assert!(!holds(&other));
    }

    #[test]
    fn roa_holds_and_breaks(region in "[a-z]{1,8}", place in any::<usize>(), header in 0usize..4) {
        let text = roa_request(&region);
        prop_assert!(holds(&text));
        prop_assert!(!holds(&with_query(&text, changed(&text.query, place))));
        prop_assert!(!holds(&with_path(&text, "/token".to_owned())));
        let mut other = text.clone();
        let (_, value) = &mut other.headers[header];
        *value = changed(value, place);
        prop_assert!(!holds(&other));
    }

    #[test]
    fn parameters_are_read_as_they_were_written(pairs in pairs()) {
        let text = query(&pairs);
        let read = Params::read(&text, "").unwrap();
        let read: Vec<(String, String)> = read.iter().map(|param| (param.name[1..].to_owned(), param.value.to_string())).collect();
        prop_assert_eq!(read, pairs);
    }
}
