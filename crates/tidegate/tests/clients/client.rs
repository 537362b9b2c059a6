//! What every client is put through.

use crate::people::{Login, PASSWORD, People};
use crate::support::http::{Ask, basic};
use crate::support::program::Ran;

/// A client that was not written here, with an image (chart, file) of its own that it can push.
pub(crate) trait Client {
    /// Logs in at the registry; a client that takes the login with each command remembers it, and asks the registry.
    fn login(&mut self, login: &Login) -> Ran;

    /// Pushes its content to `NAME:TAG` at the registry.
    fn push(&self, name: &str) -> Ran;

    /// Pulls `NAME:TAG` from the registry into a place that has none of it, and looks that it came.
    fn pull(&self, name: &str) -> Ran;

    /// What it prints when the registry says that the right to push is missing: the right's name, unless the client keeps the
    /// registry's words to itself.
    fn refusal_of_push(&self) -> &'static str {
        "cr:PushRepository on repository/local/demo/app"
    }
}

/// Log in with each kind of secret, push, pull, and be refused.
pub(crate) fn goes_round(people: &People, client: &mut dyn Client) {
    for login in people.logins_of_alice() {
        client.login(&login).ok();
        let name = format!("demo/app:{}", login.kind);
        client.push(&name).ok();
        client.pull(&name).ok();
    }
    client.push("secret/app:1").ok();
    client.push("single:1").ok();
    client.pull("single:1").ok();
    is_refused(people, client);
}

/// Somebody with a wrong password, then somebody who may pull in `demo` and nothing else.
fn is_refused(people: &People, client: &mut dyn Client) {
    let bob = People::bob();
    client.login(&Login { password: "Wrong-horse-7".to_owned(), ..bob.clone() }).refused(&[]);
    client.login(&bob).ok();
    client.pull("demo/app:permanent-password").ok();
    let refusal = client.refusal_of_push();
    client.push("demo/app:refused").refused(&[refusal]);
    let nothing_came = Ask::get("/v2/demo/app/manifests/refused").with(&basic("alice", PASSWORD));
    people.house.send(&nothing_came).expect(404);
    let there = client.pull("secret/app:1").refused(&[]);
    let not_there = client.pull("nowhere/app:1").refused(&[]);
    assert_eq!(what_it_says(&there, "secret"), what_it_says(&not_there, "nowhere"), "{there}\n{not_there}");
}

/// The words of a refusal but for the namespace and the time.
fn what_it_says(ran: &Ran, namespace: &str) -> Vec<String> {
    let words = ran.err.split_whitespace().filter(|word| !word.starts_with("time=") && !word.starts_with("20"));
    words.map(|word| word.replace(namespace, "NAMESPACE")).collect()
}
