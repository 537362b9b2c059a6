//! Alibaba Cloud's signatures: the published vectors, requests captured from the vendor's clients, and what must be refused.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "the helpers of a test may fail it")]

mod captured;
mod properties;
mod refused;
mod vectors;

use secrets::Plain;
use signing::Headers;
use signing::alibaba::{Problem, Request};

fn secret(text: &str) -> Plain {
    Plain::new(text.to_owned()).unwrap()
}

/// A request as text, that a test can read from and change.
#[derive(Debug, Clone, Default)]
struct Text {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Text {
    fn new(method: &str, path: &str, query: &str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), query: query.to_owned(), ..Self::default() }
    }

    /// Lines as a client sent them, the body behind an empty one.
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap();
        let mut lines = head.lines();
        let mut words = lines.next().unwrap().split(' ');
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers = lines.map(|line| line.split_once(':').unwrap()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { headers, body: body.trim_end_matches('\n').to_owned(), ..Self::new(method, path, query) }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).unwrap()
    }

    fn read(&self) -> Result<Request<'_>, Problem> {
        let headers = Headers::new(self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
        Request::read(&self.method, &self.path, &self.query, headers, self.body.as_bytes())
    }
}
