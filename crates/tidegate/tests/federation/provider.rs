//! The provider as a program, and a person's way through its login pages.

use std::net::TcpListener;
use std::time::Duration;

use tempfile::TempDir;

use crate::support::house::text;
use crate::support::http::{Answer, Ask, Connection, basic};
use crate::support::program::{Daemon, Program};
use crate::support::{peer, wait_until};

/// Where the provider sends people back to; nobody listens there.
const BACK: &str = "http://localhost:1/back";

/// A running provider. Its people are `test-user@localhost` (`id1`) and `test-user2` (`id2`).
pub(crate) struct Provider {
    pub(crate) issuer: String,
    address: String,
    _server: Daemon,
    _folder: TempDir,
}

impl Provider {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let program = Program::new(peer("server"), folder.path()).with("PORT", &port).with("REDIRECT_URI", BACK);
        let server = program.start(&[], &folder.path().join("log"));
        let address = format!("127.0.0.1:{port}");
        let configuration = Ask::get("/.well-known/openid-configuration");
        wait_until("the provider answers", Duration::from_secs(20), || {
            Connection::once(&address, &configuration).is_ok_and(|answer| answer.status == 200)
        });
        Self { issuer: format!("http://localhost:{port}/"), address, _server: server, _folder: folder }
    }

    /// What a person gets for a client by the authorization code flow (OpenID Connect Core 1.0 section 3.1).
    pub(crate) fn id_token(&self, client: &str, secret: &str, person: &str) -> String {
        let begin = format!("/auth?client_id={client}&response_type=code&scope=openid&state=s&nonce=n&redirect_uri={BACK}");
        let asked = behind(&self.send(&Ask::get(&begin)).expect(302), "authRequestID=");
        let fields = [("username", person), ("password", "verysecure"), ("id", asked.as_str())];
        self.send(&Ask::new("POST", "/login/username").form(&fields)).expect(302);
        let code = behind(&self.send(&Ask::get(&format!("/auth/callback?id={asked}"))).expect(302), "code=");
        let fields = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", BACK)];
        let tokens = self.send(&Ask::new("POST", "/oauth/token").with(&basic(client, secret)).form(&fields)).expect(200);
        text(&tokens.json()["id_token"])
    }

    /// It knows itself as `localhost` alone.
    fn send(&self, ask: &Ask) -> Answer {
        Connection::once(&self.address, ask).unwrap()
    }
}

/// What stands behind a word in the place that somebody is sent to, up to the next parameter.
fn behind(answer: &Answer, word: &str) -> String {
    let place = answer.header("location").unwrap();
    let (_, rest) = place.split_once(word).unwrap();
    rest.split('&').next().unwrap().to_owned()
}
