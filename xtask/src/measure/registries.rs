//! The servers that Tidegate is held against, each as its operator would run it, on local files.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use tempfile::TempDir;

use super::{Side, certificate};
use crate::server::{Server, free_address};

/// A running server with its data; both end with it.
pub(super) struct Registry {
    // In this order: the server stops before its folder goes.
    server: Server,
    _folder: TempDir,
    one_process: bool,
    tls: bool,
}

impl Registry {
    pub(super) fn base(&self) -> String {
        self.server.base(self.tls)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// What holds its memory; none where that is more than one process.
    pub(super) fn pid(&self) -> Option<u32> {
        self.one_process.then(|| self.server.pid())
    }

    pub(super) fn side(&self) -> Side {
        Side { base: self.base(), auth: None, pid: self.pid() }
    }

    /// nginx on a folder that `fill` lays out, with sendfile and open files cached: as fast as files can be served.
    pub(super) fn nginx(tls: bool, fill: impl FnOnce(&Path) -> Result<()>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        // Its workers drop root and must still read the files.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        fill(folder.path())?;
        if tls {
            certificate(folder.path())?;
        }
        let address = free_address()?;
        let configuration = folder.path().join("nginx.conf");
        fs::write(&configuration, nginx_configuration(folder.path(), address, tls))?;
        let mut call = Command::new("nginx");
        call.arg("-p").arg(folder.path()).arg("-e").arg(folder.path().join("error.log")).arg("-c").arg(configuration);
        let server = Server::start("nginx", &mut call, address)?;
        Ok(Self { server, _folder: folder, one_process: false, tls })
    }

    /// Debian's docker-registry.
    pub(super) fn distribution_2() -> Result<Self> {
        Self::distribution("distribution 2.8", Path::new("docker-registry"))
    }

    /// The same project's version 3.
    pub(super) fn distribution_3(program: &Path) -> Result<Self> {
        Self::distribution("distribution 3", program)
    }

    /// This program's own sink, as a process of its own.
    pub(super) fn sink() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let address = free_address()?;
        let mut call = Command::new(std::env::current_exe()?);
        call.args(["measure", "sink", "--listen", &address.to_string(), "--folder"]).arg(folder.path());
        let server = Server::start("sink", &mut call, address)?;
        Ok(Self { server, _folder: folder, one_process: true, tls: false })
    }

    fn distribution(name: &'static str, program: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let address = free_address()?;
        let configuration = folder.path().join("config.yml");
        fs::write(&configuration, distribution_configuration(folder.path(), address))?;
        let mut call = Command::new(program);
        // Version 3 traces every request to a collector unless told otherwise.
        call.arg("serve").arg(configuration).env("OTEL_TRACES_EXPORTER", "none");
        let server = Server::start(name, call.stderr(fs::File::create(folder.path().join("log"))?), address)?;
        Ok(Self { server, _folder: folder, one_process: true, tls: false })
    }
}

fn nginx_configuration(folder: &Path, address: SocketAddr, tls: bool) -> String {
    let root = folder.display();
    let (ssl, files) =
        if tls { (" ssl", format!("ssl_certificate {root}/cert.pem; ssl_certificate_key {root}/key.pem;")) } else { ("", String::new()) };
    format!(
        "daemon off; pid {root}/pid; worker_processes 2; error_log {root}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; open_file_cache max=1000;
  client_body_temp_path {root}/body; proxy_temp_path {root}/proxy; fastcgi_temp_path {root}/fastcgi;
  uwsgi_temp_path {root}/uwsgi; scgi_temp_path {root}/scgi;
  server {{
    listen {address}{ssl} backlog=4096; root {root}; {files}
    default_type application/vnd.oci.image.manifest.v1+json;
    location = /v2/ {{ try_files /v2/index.html =404; }}
  }}
}}
"
    )
}

/// The defaults of its documentation, with deletion on, so that pushed content can be freed.
fn distribution_configuration(folder: &Path, address: SocketAddr) -> String {
    format!(
        "version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}, cache: {{blobdescriptor: inmemory}}}}
http: {{addr: '{address}'}}
",
        folder.join("data").display()
    )
}
