//! Headers that say who asks and where: `Authorization`, line by line as a client could send it, and `Host`.
#![no_main]

use base64::Engine as _;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use kit::{Authorization, Host, authorization};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut headers = HeaderMap::new();
    for line in input.split(|b| *b == b'\n').take(4) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.append(AUTHORIZATION, value);
        }
    }
    if let Ok(read) = authorization(&headers) {
        hold(&headers, &read);
    }
    if let Ok(text) = std::str::from_utf8(input)
        && let Ok(host) = Host::parse(text)
    {
        assert_eq!(host.as_str(), text);
        assert!(!host.name().is_empty() && !text.contains(['"', ',', '\\', '/', '@']), "it goes into a challenge as it is");
    }
});

fn hold(headers: &HeaderMap, read: &Authorization) {
    let count = headers.get_all(AUTHORIZATION).iter().count();
    match read {
        Authorization::None => assert_eq!(count, 0),
        Authorization::Basic { username, password } => {
            assert_eq!(count, 1);
            assert!(!username.contains(':') && !username.chars().chain(password.chars()).any(char::is_control));
            let text = base64::engine::general_purpose::STANDARD.encode(format!("{username}:{}", password.as_str()));
            let mut again = HeaderMap::new();
            again.append(AUTHORIZATION, HeaderValue::from_str(&format!("Basic {text}")).unwrap());
            // Adding the padding that a client left out can make it too long.
            assert!(authorization(&again).as_ref() == Ok(read) || text.len() > 8_000);
        }
        Authorization::Bearer(token) => assert!(count == 1 && token.is_ascii()),
    }
    let shown = format!("{read:?}");
    assert!(matches!(shown.as_str(), "None" | "Basic(…)" | "Bearer(…)"), "{shown}");
}
