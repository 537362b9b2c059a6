//! An issuer on a real socket that counts what it is asked.

use std::net::SocketAddr;
use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

const START: i64 = 1_800_000_000;

/// What the issuer answers with.
#[derive(Clone)]
enum Mood {
    /// Keys of these names.
    Keys(Vec<&'static str>),
    /// This status.
    Status(u16),
    /// This text in place of keys.
    Text(String),
    /// Another issuer's configuration.
    Somebody,
    /// Keys at another address.
    Elsewhere(String),
    /// Nothing at all.
    Silence,
}

struct Provider {
    address: SocketAddr,
    mood: Arc<StdMutex<Mood>>,
    asked: Arc<AtomicUsize>,
}

impl Provider {
    async fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (mood, asked) = (Arc::new(StdMutex::new(mood)), Arc::new(AtomicUsize::new(0)));
        let provider = Self { address, mood: Arc::clone(&mood), asked: Arc::clone(&asked) };
        tokio::spawn(async move {
            loop {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut head = vec![0; 4096];
                let n = socket.read(&mut head).await.unwrap();
                let head = String::from_utf8_lossy(&head[..n]).into_owned();
                let keys = head.starts_with("GET /keys");
                if !keys {
                    asked.fetch_add(1, Ordering::SeqCst);
                }
                let mood = mood.lock().unwrap().clone();
                let (status, body) = answer(address, &mood, keys);
                if matches!(mood, Mood::Silence) {
                    std::mem::forget(socket);
                    continue;
                }
                let head = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n\r\n", body.len());
                // A client that has read enough hangs up.
                let _ = socket.write_all(head.as_bytes()).await;
                let _ = socket.write_all(body.as_bytes()).await;
            }
        });
        provider
    }

    fn feels(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn issuer(&self, internal: bool) -> Issuer {
        let url = IssuerUrl::parse(&format!("http://{}", self.address), true).unwrap();
        Issuer { url, source: Source::Discovered { ca: None, internal } }
    }
}

fn answer(address: SocketAddr, mood: &Mood, keys: bool) -> (u16, String) {
    let configuration = |issuer: String, keys: String| json!({"issuer": issuer, "jwks_uri": keys}).to_string();
    let own = format!("http://{address}");
    match (mood, keys) {
        (Mood::Status(status), _) => (*status, String::new()),
        (Mood::Somebody, _) => (200, configuration("https://somebody.example".to_owned(), format!("{own}/keys"))),
        (Mood::Elsewhere(there), _) => (200, configuration(own, there.clone())),
        (_, false) => (200, configuration(own.clone(), format!("{own}/keys"))),
        (Mood::Text(text), true) => (200, text.clone()),
        (Mood::Keys(kids), true) => (200, set(kids)),
        (Mood::Silence, true) => (200, String::new()),
    }
}

fn set(kids: &[&str]) -> String {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    json!({"keys": kids.iter().map(|kid| json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x})).collect::<Vec<_>>()}).to_string()
}

fn issuers() -> Issuers {
    Issuers::new(Arc::new(Fetcher::new().unwrap()))
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(START + seconds)
}

#[tokio::test]
async fn keys_are_fetched_once_and_kept() {
    let provider = Provider::start(Mood::Keys(vec!["a"])).await;
    let (issuers, issuer) = (issuers(), provider.issuer(true));
    for seconds in [0, 1, 3599] {
        assert!(issuers.keys(&issuer, Some("a"), at(seconds)).await.unwrap().has("a"));
    }
    assert_eq!(provider.asked(), 1);
    issuers.keys(&issuer, Some("a"), at(3600)).await.unwrap();
    assert_eq!(provider.asked(), 2, "renewed after an hour");
    issuers.keys(&issuer, Some("a"), at(-10)).await.unwrap();
    assert_eq!(provider.asked(), 3, "a clock that stepped back makes keys old");
}

#[tokio::test]
async fn a_rotated_key_is_found_by_one_question_and_a_made_up_one_by_one_a_minute() {
    let provider = Provider::start(Mood::Keys(vec!["a"])).await;
    let (issuers, issuer) = (issuers(), provider.issuer(true));
    issuers.keys(&issuer, Some("a"), at(0)).await.unwrap();
    provider.feels(Mood::Keys(vec!["a", "b"]));
    assert!(issuers.keys(&issuer, Some("b"), at(100)).await.unwrap().has("b"));
    assert_eq!(provider.asked(), 2);
    for seconds in 101..160 {
        assert!(!issuers.keys(&issuer, Some("made up"), at(seconds)).await.unwrap().has("made up"));
    }
    assert_eq!(provider.asked(), 2, "nobody makes us ask more often than once a minute");
    issuers.keys(&issuer, Some("made up"), at(160)).await.unwrap();
    assert_eq!(provider.asked(), 3);
    provider.feels(Mood::Keys(vec!["b"]));
    assert!(!issuers.keys(&issuer, None, at(160 + 3600)).await.unwrap().has("a"), "a withdrawn key is gone with the next look");
}

#[tokio::test]
async fn forgotten_keys_are_asked_for_before_anything_is_held_against_them() {
    let provider = Provider::start(Mood::Keys(vec!["a"])).await;
    let (issuers, issuer) = (issuers(), provider.issuer(true));
    for all in [false, true] {
        let forget = || if all { issuers.forget_all() } else { issuers.forget(&issuer) };
        provider.feels(Mood::Keys(vec!["a"]));
        issuers.forget_all();
        issuers.keys(&issuer, Some("a"), at(0)).await.unwrap();
        provider.feels(Mood::Keys(vec!["b"]));
        assert!(issuers.keys(&issuer, Some("a"), at(1)).await.unwrap().has("a"), "kept");
        forget();
        assert!(!issuers.keys(&issuer, Some("a"), at(1)).await.unwrap().has("a"));
        forget();
        provider.feels(Mood::Status(503));
        assert!(issuers.keys(&issuer, Some("b"), at(2)).await.is_err(), "what was forgotten does not serve on");
    }
}

#[tokio::test]
async fn an_issuer_that_fails_rests_and_what_is_known_serves_for_a_day() {
    let provider = Provider::start(Mood::Keys(vec!["a"])).await;
    let (issuers, issuer) = (issuers(), provider.issuer(true));
    issuers.keys(&issuer, None, at(0)).await.unwrap();
    provider.feels(Mood::Status(503));
    for seconds in [3600, 3600, 3601, 3602] {
        assert!(issuers.keys(&issuer, Some("a"), at(seconds)).await.unwrap().has("a"), "{seconds}");
    }
    assert_eq!(provider.asked(), 3, "asked at 3600, again after 1 s, then not for 2 s");
    assert!(issuers.keys(&issuer, None, at(86_399)).await.is_ok());
    let gone = issuers.keys(&issuer, None, at(86_400)).await.unwrap_err();
    assert!(matches!(gone, KeysError::Status { status: 503, .. } | KeysError::Resting(_)), "{gone:?}");
    provider.feels(Mood::Keys(vec!["a"]));
    assert!(issuers.keys(&issuer, None, at(86_400 + 301)).await.is_ok(), "it recovers by itself");
}

#[tokio::test]
async fn the_rest_grows_to_five_minutes() {
    let provider = Provider::start(Mood::Status(500)).await;
    let (issuers, issuer) = (issuers(), provider.issuer(true));
    for seconds in 0..3600 {
        assert!(issuers.keys(&issuer, None, at(seconds)).await.is_err());
    }
    assert!((15..=22).contains(&provider.asked()), "{} questions in an hour", provider.asked());
}

#[tokio::test]
async fn many_at_once_ask_once() {
    let provider = Provider::start(Mood::Keys(vec!["a"])).await;
    let (issuers, issuer) = (Arc::new(issuers()), provider.issuer(true));
    let all: Vec<_> = (0..32)
        .map(|_| {
            let (issuers, issuer) = (Arc::clone(&issuers), issuer.clone());
            tokio::spawn(async move { issuers.keys(&issuer, Some("a"), at(0)).await.unwrap().has("a") })
        })
        .collect();
    for one in all {
        assert!(one.await.unwrap());
    }
    assert_eq!(provider.asked(), 1);
}

#[tokio::test]
async fn internal_issuers_and_key_addresses_are_refused_unless_allowed() {
    let provider = Provider::start(Mood::Keys(vec!["a"])).await;
    let refused = issuers().keys(&provider.issuer(false), None, at(0)).await.unwrap_err();
    assert!(matches!(refused, KeysError::Fetch(_)), "{refused:?}");
    assert_eq!(provider.asked(), 0);
    provider.feels(Mood::Elsewhere("http://169.254.169.254/latest/meta-data/iam".to_owned()));
    let refused = issuers().keys(&provider.issuer(true), None, at(0)).await.unwrap_err();
    assert!(matches!(refused, KeysError::Fetch(FetchError::Internal { .. })), "{refused:?}");
    provider.feels(Mood::Elsewhere("file:///etc/passwd".to_owned()));
    assert!(matches!(issuers().keys(&provider.issuer(true), None, at(0)).await, Err(KeysError::Fetch(FetchError::Url(_)))));
}

#[tokio::test]
async fn what_is_not_a_set_of_keys_is_refused() {
    for (mood, want) in [
        (Mood::Somebody, "it is another issuer's"),
        (Mood::Text("<html>".to_owned()), "not a JSON Web Key Set"),
        (Mood::Text(r#"{"keys": []}"#.to_owned()), "no key in it verifies"),
        (Mood::Text(" ".repeat(KeySet::MAX_BYTES + 1)), "more than 262144 bytes"),
        (Mood::Status(302), "redirects"),
        (Mood::Status(404), "the issuer's configuration answers 404"),
    ] {
        let provider = Provider::start(mood).await;
        let refused = issuers().keys(&provider.issuer(true), None, at(0)).await.unwrap_err().to_string();
        assert!(refused.contains(want), "{refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_issuer_is_given_up() {
    let provider = Provider::start(Mood::Silence).await;
    let refused = issuers().keys(&provider.issuer(true), None, at(0)).await.unwrap_err();
    assert!(matches!(refused, KeysError::Fetch(FetchError::TimedOut { .. })), "{refused:?}");
}

#[tokio::test]
async fn pinned_keys_are_never_asked_for() {
    let keys = Arc::new(KeySet::parse(set(&["p"]).as_bytes()).unwrap());
    let url = IssuerUrl::parse("https://kubernetes.default.svc", false).unwrap();
    let issuer = Issuer { url, source: Source::Pinned(keys) };
    assert!(issuers().keys(&issuer, Some("q"), at(0)).await.unwrap().has("p"));
    assert_eq!(issuers().try_out(&issuer).await, Ok(1));
}

#[tokio::test]
async fn who_trusts_on_other_terms_shares_nothing() {
    let provider = Provider::start(Mood::Keys(vec!["a"])).await;
    let issuers = issuers();
    issuers.keys(&provider.issuer(true), None, at(0)).await.unwrap();
    assert!(issuers.keys(&provider.issuer(false), None, at(0)).await.is_err(), "keys that were fetched with more reach are not for it");
}
