//! The load balancer that `docs/nodes.md` prints, as it stands there: nginx before three nodes, one of which dies.

use std::time::Duration;

use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};

use crate::house::Trio;
use crate::kills::Client;
use crate::support::http::{Ask, Connection};
use crate::support::node::free_address;
use crate::support::program::{Daemon, Program};
use crate::support::{peer, wait_until};

const PAGE: &str = include_str!("../../../../docs/nodes.md");

/// The page's block, with the test's own addresses and certificate. In front of it nginx speaks plain HTTP, which clients take
/// from a loopback address without more ado.
fn configuration(trio: &Trio, folder: &str, address: &str) -> String {
    let block = PAGE.split("```nginx\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let mut block = block.to_owned();
    for (number, node) in trio.nodes.iter().enumerate() {
        block = block.replace(&format!("10.0.0.{}:5000", number + 1), node.address());
    }
    let block = block.replace("/etc/nginx/", &format!("{folder}/")).replace("listen 443 ssl;", &format!("listen {address};"));
    assert!(!block.contains("10.0.0.") && block.contains(address), "the page says something else by now: {block}");
    let temporary: String =
        ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|name| format!("{name}_temp_path {folder}/{name};\n")).concat();
    format!(
        "daemon off; error_log {folder}/error.log; pid {folder}/pid;\nevents {{}}\nhttp {{\naccess_log {folder}/access.log;\n{temporary}{block}}}\n"
    )
}

fn nginx(trio: &Trio, address: &str) -> Daemon {
    let program = Program::new(peer("nginx"), &trio.folder.path().join("nginx"));
    let folder = program.folder().to_str().unwrap().to_owned();
    let key = KeyPair::generate().unwrap();
    let authority = CertifiedIssuer::self_signed(CertificateParams::new(Vec::new()).unwrap(), key).unwrap();
    std::fs::write(format!("{folder}/registry.pem"), authority.pem()).unwrap();
    std::fs::write(format!("{folder}/registry.key"), authority.key().serialize_pem()).unwrap();
    std::fs::write(format!("{folder}/nginx.conf"), configuration(trio, &folder, address)).unwrap();
    let configured = format!("{folder}/nginx.conf");
    program.run(&["-t", "-c", &configured]).ok();
    let daemon = program.start(&["-c", &configured], format!("{folder}/log").as_ref());
    wait_until("nginx answers", Duration::from_secs(10), || Connection::once(address, &Ask::get("/healthz")).is_ok());
    daemon
}

#[test]
#[ignore = "cargo xtask test --only nodes"]
fn the_balancer_of_the_documentation_passes_over_a_node_that_died() {
    let address = free_address();
    let trio = Trio::start_called("balancer", Some(&address));
    let _nginx = nginx(&trio, &address);
    let crane = Client::at(&trio, "crane", &address);
    for seed in 1..4 {
        crane.push(&crane.make(seed), &format!("demo/app:{seed}")).ok();
        crane.pull(&format!("demo/app:{seed}")).ok();
    }
    trio.nodes[1].signal(rustix::process::Signal::KILL);
    for seed in 4..10 {
        crane.push(&crane.make(seed), &format!("demo/app:{seed}")).ok();
        crane.pull(&format!("demo/app:{seed}")).ok();
    }
    let log = std::fs::read_to_string(trio.folder.path().join("nginx/error.log")).unwrap();
    assert!(log.contains(trio.nodes[1].address()), "it has found out that one node is dead: {log}");
}
