//! What this crate's figures are made with: `cargo run -p blobs --release --example measure -- FOLDER`.
//!
//! Pushes over loopback against a plain sink, interleaved; small pushes; content read from the page cache.
#![expect(clippy::print_stdout, clippy::disallowed_methods, clippy::unwrap_used, reason = "it measures and prints")]

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use blobs::{BlobStore, Options, UploadState};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, future, stream};
use model::{Digest, UploadId};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const GIB: u64 = 1 << 30;

fn main() {
    let folder: PathBuf = std::env::args_os().nth(1).map_or_else(|| "target/blobs-measure".into(), Into::into);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let store = BlobStore::open(&folder, Options::default()).unwrap();
    for round in 0..5 {
        let sink = plain_sink(&folder.join("sink"));
        let key = UploadId::from_random(round);
        let push = runtime.block_on(push(&store, key));
        println!("1 GiB push: sink {sink:.3} s, store {push:.3} s, ratio {:.2}", sink / push);
        runtime.block_on(store.delete(key)).unwrap();
    }
    for clients in [1, 4, 32] {
        let rate = runtime.block_on(small_pushes(&store, clients, 2000));
        println!("10 KiB push, {clients} at once: {rate:.0} a second");
    }
    runtime.block_on(reads(&store));
    std::fs::remove_dir_all(&folder).unwrap();
}

/// A client that sends 1 GiB as fast as it is taken.
fn sender() -> (TcpStream, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let sending = thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        let piece = vec![7; 1 << 20];
        (0..GIB >> 20).for_each(|_| stream.write_all(&piece).unwrap());
    });
    (listener.accept().unwrap().0, sending)
}

/// Receives and writes in one thread, hashes in a second, syncs at the end.
fn plain_sink(path: &Path) -> f64 {
    let (mut stream, sending) = sender();
    let start = Instant::now();
    let (to_hash, hashing) = mpsc::sync_channel::<Vec<u8>>(2);
    let (give_back, free) = mpsc::channel();
    (0..4).for_each(|_| give_back.send(vec![0; 1 << 20]).unwrap());
    let hasher = thread::spawn(move || {
        let mut hash = Sha256::new();
        for buffer in hashing {
            hash.update(&buffer);
            let _ = give_back.send(buffer);
        }
        hash.finalize()
    });
    let mut file = File::create(path).unwrap();
    for _ in 0..GIB >> 20 {
        let mut buffer = free.recv().unwrap();
        stream.read_exact(&mut buffer).unwrap();
        file.write_all(&buffer).unwrap();
        to_hash.send(buffer).unwrap();
    }
    drop(to_hash);
    hasher.join().unwrap();
    file.sync_all().unwrap();
    let took = start.elapsed().as_secs_f64();
    sending.join().unwrap();
    std::fs::remove_file(path).unwrap();
    took
}

/// Frames as an HTTP server gives them: what one read from the socket brought.
fn frames(stream: tokio::net::TcpStream) -> impl Stream<Item = std::io::Result<Bytes>> {
    stream::unfold((stream, BytesMut::new()), |(mut stream, mut buffer)| async move {
        buffer.reserve(256 << 10);
        let read = stream.read_buf(&mut buffer).await;
        match read {
            Ok(0) => None,
            read => Some((read.map(|_| buffer.split().freeze()), (stream, buffer))),
        }
    })
}

async fn push(store: &BlobStore, key: UploadId) -> f64 {
    let (stream, sending) = sender();
    stream.set_nonblocking(true).unwrap();
    let body = frames(tokio::net::TcpStream::from_std(stream).unwrap());
    let store = store.clone();
    let took = tokio::spawn(async move {
        let start = Instant::now();
        let mut upload = store.create(key).await.unwrap();
        let state = upload.append(UploadState::new(), body, GIB).await.unwrap();
        assert_eq!(state.offset(), GIB);
        upload.finish(&state).await.unwrap();
        start.elapsed().as_secs_f64()
    });
    let took = took.await.unwrap();
    sending.join().unwrap();
    took
}

async fn small_pushes(store: &BlobStore, clients: u64, each: u64) -> f64 {
    let start = Instant::now();
    let each = each / clients.min(4);
    let running = (0..clients).map(|client| {
        let store = store.clone();
        tokio::spawn(async move {
            for n in 0..each {
                let key = UploadId::from_random((clients << 40 | client << 20 | n).wrapping_mul(0x9e37_79b9_7f4a_7c15));
                let body = stream::iter([Ok::<_, std::convert::Infallible>(Bytes::from(vec![n.to_le_bytes()[0]; 10 << 10]))]);
                let mut upload = store.create(key).await.unwrap();
                let state = upload.append(UploadState::new(), body, GIB).await.unwrap();
                upload.finish(&state).await.unwrap();
            }
        })
    });
    future::join_all(running).await;
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let done = (each * clients) as f64;
    done / start.elapsed().as_secs_f64()
}

async fn reads(store: &BlobStore) {
    let big = UploadId::from_random(1 << 40);
    push(store, big).await;
    assert_eq!(store.digest_again(big, GIB, model::Algorithm::Sha256).await.unwrap(), Digest::sha256(&vec![7; 1 << 30]));
    for _ in 0..3 {
        let body = store.read(big, GIB, 0..GIB).await.unwrap();
        let start = Instant::now();
        let got = body.fold(0, |sum, piece| future::ready(sum + piece.unwrap().len())).await;
        let alone = start.elapsed().as_secs_f64();
        let body = store.read(big, GIB, 0..GIB).await.unwrap();
        let start = Instant::now();
        tokio::spawn(send(body)).await.unwrap();
        let sent = start.elapsed().as_secs_f64();
        println!("1 GiB read ({got}): {:.2} GB/s alone, {:.2} GB/s into a socket", 1.074 / alone, 1.074 / sent);
    }
    for size in [1 << 10, 64 << 10] {
        let (store, n) = (store.clone(), 50_000_u32);
        let took = tokio::spawn(async move {
            let start = Instant::now();
            for _ in 0..n {
                let mut body = store.read(big, size, 0..size).await.unwrap();
                assert_eq!(body.next().await.unwrap().unwrap().len() as u64, size);
            }
            start.elapsed().as_secs_f64()
        });
        println!("{size} bytes read: {:.1} µs each", took.await.unwrap() / f64::from(n) * 1e6);
    }
}

async fn send(mut body: blobs::BlobBody) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let draining = thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let mut buffer = vec![0; 256 << 10];
        while stream.read(&mut buffer).unwrap() > 0 {}
    });
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    while let Some(piece) = body.next().await {
        stream.write_all(&piece.unwrap()).await.unwrap();
    }
    drop(stream);
    draining.join().unwrap();
}
