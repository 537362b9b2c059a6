//! The image where containers run: as nobody in particular, with nothing to write to but its volume.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use crate::podman::{NAME, Podman, archive};
use crate::support::http::{Ask, Connection, basic};
use crate::support::node::free_address;
use crate::support::program::Program;
use crate::support::wait_until;

const START: Duration = Duration::from_mins(1);

fn is_healthy(address: &str) -> bool {
    Connection::once(address, &Ask::get("/readyz")).is_ok_and(|answer| answer.status == 200)
}

/// Where the volume lies on this machine.
fn volume(folder: &Path) -> PathBuf {
    folder.join("root/volumes/data/_data")
}

#[test]
#[ignore = "cargo xtask test --only container"]
fn it_serves_stops_and_finds_its_data_again() {
    let folder = tempfile::tempdir().unwrap();
    let podman = Podman::with_image(folder.path());
    let address = free_address();
    let listen = format!("TIDEGATE_LISTEN={address}");
    let log = folder.path().join("log");
    let mut first = podman.start("first", &["--env", &listen, NAME], &log);
    wait_until("it is ready", START, || is_healthy(&address));
    assert_eq!(podman.run(&["exec", "first", "/tidegate", "health"]).ok().out.trim(), "ready");

    let secrets = volume(folder.path()).join("bootstrap.json");
    let about = std::fs::metadata(&secrets).unwrap();
    assert_eq!((about.uid(), about.mode() & 0o777), (65532, 0o600));
    let secrets: Value = serde_json::from_slice(&std::fs::read(&secrets).unwrap()).unwrap();
    let login = format!("root:{}", secrets["root_password"].as_str().unwrap());
    let skopeo = Program::new("/usr/bin/skopeo", &folder.path().join("skopeo"));
    let image = format!("docker://{address}/demo/tidegate:v1");
    let from = format!("docker-archive:{}", archive().display());
    skopeo.run(&["copy", "--dest-tls-verify=false", "--dest-creds", &login, &from, &image]).ok();

    podman.run(&["stop", "--time", "20", "first"]).ok();
    wait_until("it ends by itself", START, || first.has_ended());
    let log = std::fs::read_to_string(&log).unwrap();
    assert!(log.contains("stopping") && !log.contains("cut off"), "{log}");

    let _second = podman.start("second", &["--env", &listen, NAME], &folder.path().join("second"));
    wait_until("it is ready again", START, || is_healthy(&address));
    let there = skopeo.run(&["inspect", "--tls-verify=false", "--creds", &login, &image]).ok();
    assert!(there.out.contains("\"demo/tidegate\"") || there.out.contains("/demo/tidegate"), "{there}");
    podman.run(&["stop", "--time", "20", "second"]).ok();
}

/// A static program looks names up by itself: in the container's `/etc/hosts`, and at its name server.
#[test]
#[ignore = "cargo xtask test --only container"]
fn it_finds_others_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let podman = Podman::with_image(folder.path());
    let server = name_server();
    for (name, more) in [("sink.hosts", ["--add-host", "sink.hosts:127.0.0.1"]), ("sink.named", ["--dns", &server])] {
        let (address, sink) = (free_address(), TcpListener::bind("127.0.0.1:0").unwrap());
        let to = format!("http://{name}:{}/audit", sink.local_addr().unwrap().port());
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            for mut socket in sink.incoming().flatten() {
                let mut head = [0; 512];
                let read = socket.read(&mut head).unwrap_or_default();
                let _ = socket.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
                let _ = tell.send(String::from_utf8_lossy(&head[..read]).into_owned());
            }
        });
        let settings =
            [format!("TIDEGATE_LISTEN={address}"), format!("TIDEGATE_AUDIT_SINK_URL={to}"), "TIDEGATE_AUDIT_SINK_INTERNAL=true".into()];
        let set = settings.iter().flat_map(|setting| ["--env", setting.as_str()]);
        let line: Vec<&str> = set.chain(more).chain([NAME]).collect();
        let log = folder.path().join(name);
        let running = podman.start("named", &line, &log);
        wait_until("it is ready", START, || is_healthy(&address));
        // Something for the trail.
        let wrong = Ask::get("/v2/").with(&basic("root", "not-the-password"));
        assert_eq!(Connection::once(&address, &wrong).unwrap().status, 401);
        let request = told.recv_timeout(START).unwrap_or_else(|_| panic!("{}", std::fs::read_to_string(&log).unwrap_or_default()));
        assert!(request.starts_with("POST /audit") && request.contains(name), "{request}");
        podman.run(&["stop", "--time", "20", "named"]).ok();
        drop(running);
    }
}

/// A name server that gives this machine for every name; its address.
fn name_server() -> String {
    const ADDRESS: &str = "127.53.53.53";
    let socket = UdpSocket::bind((ADDRESS, 53)).unwrap();
    std::thread::spawn(move || {
        let mut asked = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut asked) {
            let question = &asked[..length];
            let end = 12 + question[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
            let is_ipv4 = question[end - 3] == 1;
            // The header with one question and, for an address of IPv4, one answer; the question; the answer.
            let mut reply = [&question[..2], &[0x81, 0x80, 0, 1, 0, u8::from(is_ipv4), 0, 0, 0, 0], &question[12..end]].concat();
            if is_ipv4 {
                reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
            }
            let _ = socket.send_to(&reply, from);
        }
    });
    ADDRESS.to_owned()
}
