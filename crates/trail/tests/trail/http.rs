//! A real sink at the other end of HTTP, which fails in every way that it can.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use chain::Format;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use model::{FixedClock, Seconds};
use testkit::House;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use trail::{HttpSink, SinkSettings};

use crate::house::{happen, on_each, on_sqlite, records};

on_each! { nothing_is_lost_whatever_the_sink_answers }

/// What a receiver has got, and what it does next.
#[derive(Default)]
struct Receiver {
    kept: Mutex<Vec<i64>>,
    heads: Mutex<Vec<(String, String, String)>>,
    bodies: Mutex<Vec<Bytes>>,
    calls: AtomicUsize,
    moods: Vec<Mood>,
}

/// How a receiver treats a batch.
#[derive(Clone, Copy)]
enum Mood {
    Takes,
    /// It has kept it, but says that it has not.
    TakesAndFails,
    Fails(u16),
    Hangs,
    Closes,
}

impl Receiver {
    async fn serve(self: Arc<Self>, tls: Option<TlsAcceptor>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let (this, tls) = (Arc::clone(&self), tls.clone());
                tokio::spawn(async move {
                    let service = service_fn(move |request| Arc::clone(&this).answer(request));
                    let http = hyper::server::conn::http1::Builder::new();
                    // A client that goes away, or a handshake that fails, is the client's to tell.
                    match tls {
                        None => drop(http.serve_connection(TokioIo::new(socket), service).await),
                        Some(tls) => {
                            if let Ok(socket) = tls.accept(socket).await {
                                drop(http.serve_connection(TokioIo::new(socket), service).await);
                            }
                        }
                    }
                });
            }
        });
        address
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, std::io::Error> {
        let header = |name: &str| request.headers().get(name).map_or(String::new(), |v| v.to_str().unwrap().to_owned());
        let head = (header("content-type"), header("authorization"), header("x-tidegate-batch"));
        assert_eq!((request.method().as_str(), request.uri().path()), ("POST", "/audit"));
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let mood = if self.moods.is_empty() { Mood::Takes } else { self.moods[call % self.moods.len()] };
        self.heads.lock().unwrap().push(head);
        if matches!(mood, Mood::Takes | Mood::TakesAndFails) {
            let records = std::str::from_utf8(&body).unwrap().lines().filter_map(|line| Format::read(line).ok());
            self.kept.lock().unwrap().extend(records.map(|r| r.sequence()));
            self.bodies.lock().unwrap().push(body);
        }
        match mood {
            Mood::Takes => Ok(status(200 + u16::try_from(call % 5).unwrap())),
            Mood::TakesAndFails => Ok(status(502)),
            Mood::Fails(code) => Ok(status(code)),
            Mood::Closes => Err(std::io::Error::other("told to")),
            Mood::Hangs => {
                tokio::time::sleep(Duration::from_mins(1)).await;
                Ok(status(200))
            }
        }
    }
}

fn status(code: u16) -> Response<Full<Bytes>> {
    let answer = Response::builder().status(code).header("location", "http://127.0.0.1:1/elsewhere");
    answer.body(Full::new(Bytes::from_static(b"{}"))).unwrap()
}

fn sink(url: String, format: Format, ca: Option<&str>) -> HttpSink {
    let token = Some("sesame-4711".to_owned().into());
    HttpSink::new(SinkSettings { url, format, token, ca, internal: true }).unwrap()
}

async fn nothing_is_lost_whatever_the_sink_answers(house: House) {
    let moods = vec![
        Mood::Takes,
        Mood::Fails(500),
        Mood::TakesAndFails,
        Mood::Closes,
        Mood::Takes,
        Mood::Fails(302),
        Mood::Fails(400),
        Mood::Fails(429),
        Mood::Hangs,
        Mood::TakesAndFails,
    ];
    let receiver = Arc::new(Receiver { moods, ..Receiver::default() });
    let address = Arc::clone(&receiver).serve(None).await;
    let sink = sink(format!("http://{address}/audit"), Format::Jsonl, None);
    let clock = FixedClock::at(house.now());
    for _ in 0..14 {
        happen(&house, &[2]).await;
        house.trail.deliver(&sink, &clock).await.unwrap();
        clock.advance(Seconds(300));
    }
    while house.trail.deliver(&sink, &clock).await.unwrap().behind {
        clock.advance(Seconds(300));
    }
    let (all, kept) = (records(&house).await, receiver.kept.lock().unwrap().clone());
    let kept_once: BTreeSet<i64> = kept.iter().copied().collect();
    assert_eq!(kept_once, all.iter().map(api::AuditRecord::sequence).collect(), "never lost");
    assert!(kept.len() > kept_once.len(), "what it said it had not taken came again");
    for (kind, authorization, batch) in &*receiver.heads.lock().unwrap() {
        assert_eq!((kind.as_str(), authorization.as_str()), ("application/x-ndjson", "Bearer sesame-4711"));
        assert!(batch.starts_with(&format!("{}/", house.bootstrap.account)), "{batch}");
    }
    assert!(!format!("{sink:?}").contains("sesame"));
}

#[test]
fn a_sink_behind_ones_own_authority_gets_batches_of_cloud_events() {
    on_sqlite(async |house: House| {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let receiver = Arc::new(Receiver::default());
        let address = Arc::clone(&receiver).serve(Some(TlsAcceptor::from(Arc::new(config)))).await;
        let url = format!("https://localhost:{}/audit", address.port());
        happen(&house, &[3]).await;
        let clock = FixedClock::at(house.now());
        assert!(house.trail.deliver(&sink(url.clone(), Format::CloudEvents, None), &clock).await.unwrap().behind, "not trusted");
        clock.advance(Seconds(300));
        let trusted = sink(url, Format::CloudEvents, Some(&made.cert.pem()));
        assert!(!house.trail.deliver(&trusted, &clock).await.unwrap().behind);
        let bodies = receiver.bodies.lock().unwrap().clone();
        let events: serde_json::Value = serde_json::from_slice(&bodies[0]).unwrap();
        let events = events.as_array().unwrap();
        assert_eq!(events.len(), records(&house).await.len());
        assert!(events.iter().all(|e| e["specversion"] == "1.0" && e["type"] == "io.tidegate.audit.record.v1"));
        assert_eq!(receiver.heads.lock().unwrap()[0].0, "application/cloudevents-batch+json");
    });
}

#[test]
fn a_sink_at_an_internal_address_has_to_be_allowed() {
    on_sqlite(async |house: House| {
        let receiver = Arc::new(Receiver::default());
        let address = Arc::clone(&receiver).serve(None).await;
        happen(&house, &[1]).await;
        for url in [format!("http://{address}/audit"), format!("https://{address}/audit")] {
            let sink = HttpSink::new(SinkSettings { url, format: Format::Jsonl, token: None, ca: None, internal: false }).unwrap();
            let clock = FixedClock::at(house.now().plus(Seconds::days(1)));
            assert!(house.trail.deliver(&sink, &clock).await.unwrap().behind);
        }
        assert_eq!(receiver.calls.load(Ordering::SeqCst), 0);
        for (url, token) in [("ftp://x", "t"), ("https://user:pw@x", "t"), ("https://x", "a\nb")] {
            let settings = SinkSettings {
                url: url.to_owned(),
                format: Format::Jsonl,
                token: Some(token.to_owned().into()),
                ca: None,
                internal: false,
            };
            assert!(HttpSink::new(settings).is_err(), "{url}");
        }
    });
}
