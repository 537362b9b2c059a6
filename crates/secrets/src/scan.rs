//! Finds secrets in bytes that stream by: in text and in binaries, wherever a line or a word begins.

use zeroize::Zeroizing;

use crate::{Kind, Plain, Recognised};

/// A generated secret has so many characters, whatever its kind.
const SECRET: usize = 40;
/// What a JSON Web Token begins with: `{"` in base64url.
const TOKEN: &[u8] = b"eyJ";
/// An ES256 signature in base64url.
const SIGNATURE: usize = 86;

/// What something found looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A generated secret; its checksum fits.
    Secret(Kind),
    /// A signed token with a signature of the length that ours have. Whether it is one of ours its header says.
    Token,
}

/// Something found, and where.
#[derive(Debug)]
pub struct Found {
    /// What it looks like.
    pub shape: Shape,
    /// The line, from 1.
    pub line: u64,
    /// The byte within the line, from 1.
    pub column: u64,
    /// The secret itself.
    pub secret: Plain,
}

impl Found {
    /// Enough to find it again by eye, and too little to use: what it begins with and its last four characters, which are of
    /// the checksum or the signature.
    pub fn masked(&self) -> String {
        let text = self.secret.reveal();
        let head = if self.shape == Shape::Token { 3 } else { 4 };
        let tail = text.len().saturating_sub(4);
        format!("{}…{}", text.get(..head).unwrap_or_default(), text.get(tail..).unwrap_or_default())
    }
}

/// Looks for secrets in what it is fed, piece by piece. It holds one piece and the length of the longest secret, however much
/// there is.
pub struct Scanner {
    waiting: Zeroizing<Vec<u8>>,
    line: u64,
    column: u64,
}

crate::redacted_debug!(Scanner);

impl Default for Scanner {
    fn default() -> Self {
        Self { waiting: Zeroizing::default(), line: 1, column: 1 }
    }
}

impl Scanner {
    /// Looks through the next piece; what may go on in the one after waits for it.
    pub fn feed(&mut self, piece: &[u8], found: &mut dyn FnMut(Found)) {
        self.waiting.extend_from_slice(piece);
        let sure = self.waiting.len().saturating_sub(Plain::MAX_BYTES);
        self.look(sure, found);
    }

    /// Looks through the rest.
    pub fn finish(mut self, found: &mut dyn FnMut(Found)) {
        let rest = self.waiting.len();
        self.look(rest, found);
    }

    /// Looks at every place before `until`.
    fn look(&mut self, until: usize, found: &mut dyn FnMut(Found)) {
        let bytes = std::mem::take(&mut *self.waiting);
        let mut at = 0;
        while at < until {
            let rest = bytes.get(at..).unwrap_or_default();
            let step = match rest.first() {
                Some(b't') => self.tell(secret(rest), found),
                Some(b'e') => self.tell(token(rest), found),
                Some(b'\n') => {
                    (self.line, self.column) = (self.line + 1, 0);
                    1
                }
                _ => 1,
            };
            (at, self.column) = (at + step, self.column + step as u64);
        }
        self.waiting.extend_from_slice(bytes.get(at..).unwrap_or_default());
        // What has been looked at leaves no trace.
        drop(Zeroizing::new(bytes));
    }

    /// How far to go on.
    fn tell(&self, seen: Option<(Shape, &str)>, found: &mut dyn FnMut(Found)) -> usize {
        let Some((shape, text)) = seen else { return 1 };
        found(Found { shape, line: self.line, column: self.column, secret: Plain::from_short(text.to_owned()) });
        text.len()
    }
}

/// The checksum says enough: what stands before and behind may be anything, such as the rest of an escape.
fn secret(rest: &[u8]) -> Option<(Shape, &str)> {
    let text = std::str::from_utf8(rest.get(..SECRET)?).ok()?;
    match Kind::recognise(text) {
        Recognised::Generated(kind) => Some((Shape::Secret(kind), text)),
        Recognised::MalformedOf(_) | Recognised::Chosen => None,
    }
}

fn token(rest: &[u8]) -> Option<(Shape, &str)> {
    if !rest.starts_with(TOKEN) {
        return None;
    }
    let header = run(rest);
    let payload = run(rest.get(header + 1..)?);
    let signed = header + 1 + payload;
    let dots = rest.get(header) == Some(&b'.') && rest.get(signed) == Some(&b'.');
    let whole = signed + 1 + SIGNATURE;
    let fits = dots && payload > 0 && whole <= Plain::MAX_BYTES && run(rest.get(signed + 1..)?) >= SIGNATURE;
    let text = std::str::from_utf8(rest.get(..whole)?).ok()?;
    fits.then_some((Shape::Token, text))
}

/// How many characters of base64url it begins with.
fn run(bytes: &[u8]) -> usize {
    let plain = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    bytes.iter().take(Plain::MAX_BYTES).take_while(plain).count()
}
