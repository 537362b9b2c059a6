//! A house on a real listener, for clients that are programs, while the test holds its clock.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kit::{Answer, Request, RequestBody};
use model::{Op, RequestId};
use tokio::net::{TcpListener, TcpStream};

use crate::House;

impl House {
    /// Serves HTTP/1.1 on a free port of the loopback interface until the runtime ends; the address.
    pub async fn listen(self: &Arc<Self>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(Arc::clone(self).accept(listener));
        address
    }

    async fn accept(self: Arc<Self>, listener: TcpListener) {
        let requests = Arc::new(AtomicU64::new(1));
        while let Ok((stream, peer)) = listener.accept().await {
            tokio::spawn(Arc::clone(&self).talk(stream, peer.ip(), Arc::clone(&requests)));
        }
    }

    async fn talk(self: Arc<Self>, stream: TcpStream, peer: IpAddr, requests: Arc<AtomicU64>) {
        let service = service_fn(|request: http::Request<Incoming>| {
            let (house, number) = (Arc::clone(&self), requests.fetch_add(1, Ordering::Relaxed));
            async move { Ok::<Answer, std::convert::Infallible>(house.hear(request, peer, number).await) }
        });
        // A client that goes away in the middle is no failure of the house.
        let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    async fn hear(&self, request: http::Request<Incoming>, peer: IpAddr, number: u64) -> Answer {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let op = Op {
            request_id: RequestId::from_random(number.into()),
            now: self.now(),
            source_ip: peer,
            network: self.access.networks().by_address(peer),
            secure: false,
            user_agent: None,
        };
        let Ok(host) = kit::host_of(&head) else {
            return kit::problem(http::StatusCode::BAD_REQUEST, "BAD_REQUEST", "no host");
        };
        self.answer(Request { op, host, head, body: RequestBody::from(body) }).await
    }
}
