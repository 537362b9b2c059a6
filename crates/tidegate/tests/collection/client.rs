//! A client with a memory: it pushes as clients do, tries again what it may try again, and knows what was acknowledged.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::http::{Answer, Ask, Connection};
use crate::support::{OCI_MANIFEST, content, digest, manifest};

/// Layers that many have in common: some small enough to be kept in memory, some not.
const SIZES: [usize; 4] = [150, 4_000, 70_000, 200_000];
const COMMON: u64 = 30;
/// Without a grace a push may have to begin again, for as long as it meets the collection.
const TRIES: usize = 200;

/// Numbers that look random and are the same for the same seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// An image.
#[derive(Clone)]
pub(crate) struct Image {
    pub(crate) blobs: Vec<Vec<u8>>,
    pub(crate) text: String,
    pub(crate) digest: String,
}

impl Image {
    /// Of a configuration and up to three layers, most of them others' too.
    pub(crate) fn random(dice: &mut Dice, own: u64) -> Self {
        let mut blob = || {
            let (shared, number) = (dice.below(10) < 7, dice.below(usize::try_from(COMMON).unwrap()));
            let seed = if shared { number as u64 } else { own * 1_000_000 + dice.below(1_000_000) as u64 };
            content(seed, if shared { SIZES[number % SIZES.len()] } else { 1_500 })
        };
        let (config, mut layers) = (blob(), vec![blob()]);
        for _ in 0..own % 3 {
            layers.push(blob());
        }
        let text = manifest(&config, &layers);
        let digest = digest(text.as_bytes());
        let mut blobs = layers;
        blobs.push(config);
        blobs.sort();
        blobs.dedup();
        Self { blobs, text, digest }
    }
}

/// What came of it.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Counts {
    pub(crate) pushes: u64,
    pub(crate) uploads: u64,
    /// Blobs that were there already, by HEAD.
    pub(crate) found: u64,
    pub(crate) mounts: u64,
    pub(crate) pulls: u64,
    pub(crate) deletions: u64,
    /// A manifest named what the collection had taken: pushed again.
    pub(crate) unknown: u64,
    /// The same of an upload.
    pub(crate) lost_uploads: u64,
    pub(crate) unavailable: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, more: &Self) {
        self.pushes += more.pushes;
        self.uploads += more.uploads;
        self.found += more.found;
        self.mounts += more.mounts;
        self.pulls += more.pulls;
        self.deletions += more.deletions;
        self.unknown += more.unknown;
        self.lost_uploads += more.lost_uploads;
        self.unavailable += more.unavailable;
    }
}

/// Somebody who asks now this node, now that.
pub(crate) struct Client {
    addresses: Vec<String>,
    open: Vec<Option<Connection>>,
    by: String,
    pub(crate) dice: Dice,
    pub(crate) counts: Counts,
}

impl Client {
    pub(crate) fn new(addresses: Vec<String>, by: &str, seed: u64) -> Self {
        let open = addresses.iter().map(|_| None).collect();
        Self { addresses, open, by: by.to_owned(), dice: Dice::new(seed), counts: Counts::default() }
    }

    /// Sends it, again where the server says "later" or has closed the connection meanwhile.
    pub(crate) fn send(&mut self, ask: &Ask) -> Answer {
        let ask = ask.clone().with(&self.by);
        for _ in 0..100 {
            let node = self.dice.below(self.addresses.len());
            let connection = self.open[node].take().or_else(|| Connection::open(&self.addresses[node]).ok());
            let Some((mut connection, answer)) = connection.and_then(|mut connection| {
                let answer = connection.send(&ask).ok()?;
                Some((connection, answer))
            }) else {
                self.counts.unavailable += 1;
                std::thread::sleep(Duration::from_millis(20));
                continue;
            };
            let _ = &mut connection;
            self.open[node] = Some(connection);
            if answer.status != 503 {
                return answer;
            }
            assert!(answer.header("retry-after").is_some(), "{}", answer.text());
            self.counts.unavailable += 1;
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("no answer but `later` to a hundred tries");
    }

    /// Until the manifest is acknowledged.
    pub(crate) fn push(&mut self, repository: &str, reference: &str, image: &Image, others: &[&str]) {
        for _ in 0..TRIES {
            for blob in &image.blobs {
                self.bring(repository, blob, others);
            }
            let ask = Ask::new("PUT", &format!("/v2/{repository}/manifests/{reference}"));
            let answer = self.send(&ask.header("content-type", OCI_MANIFEST).body(image.text.clone()));
            if answer.status == 201 {
                self.counts.pushes += 1;
                return;
            }
            assert_eq!(answer.code(), "MANIFEST_BLOB_UNKNOWN", "{} {}", answer.status, answer.text());
            self.counts.unknown += 1;
        }
        panic!("{repository}: not pushed after {TRIES} tries");
    }

    /// Until the repository says that it has the blob: by asking, mounting, or one of three ways to send it.
    fn bring(&mut self, repository: &str, blob: &[u8], others: &[&str]) {
        let name = digest(blob);
        for _ in 0..TRIES {
            let asked = self.send(&Ask::new("HEAD", &format!("/v2/{repository}/blobs/{name}")));
            if asked.status == 200 {
                self.counts.found += 1;
                return;
            }
            assert_eq!(asked.status, 404);
            let sent = match self.dice.below(4) {
                0 => self.mount(repository, others, blob, &name),
                1 => self.send(&Ask::new("POST", &format!("/v2/{repository}/blobs/uploads/?digest={name}")).body(blob)),
                2 => self.in_pieces(repository, blob, &name, 2),
                _ => self.in_pieces(repository, blob, &name, 1),
            };
            if sent.status == 201 {
                self.counts.uploads += 1;
                return;
            }
            assert_eq!(sent.code(), "BLOB_UPLOAD_UNKNOWN", "{} {}", sent.status, sent.text());
            self.counts.lost_uploads += 1;
        }
        panic!("{repository}: {name} not there after {TRIES} tries");
    }

    fn mount(&mut self, repository: &str, others: &[&str], blob: &[u8], name: &str) -> Answer {
        let from = others[self.dice.below(others.len())];
        let answer = self.send(&Ask::new("POST", &format!("/v2/{repository}/blobs/uploads/?mount={name}&from={from}")));
        if answer.status == 201 {
            self.counts.mounts += 1;
            return answer;
        }
        self.end(&answer.expect(202), blob, name)
    }

    fn in_pieces(&mut self, repository: &str, blob: &[u8], name: &str, pieces: usize) -> Answer {
        let mut at = self.send(&Ask::new("POST", &format!("/v2/{repository}/blobs/uploads/"))).expect(202);
        let mut from = 0;
        for piece in blob.chunks(blob.len().div_ceil(pieces)).take(pieces - 1) {
            let range = format!("{from}-{}", from + piece.len() - 1);
            at = self.send(&Ask::new("PATCH", &place(&at)).header("content-range", &range).body(piece)).expect(202);
            from += piece.len();
        }
        self.end(&at, &blob[from..], name)
    }

    fn end(&mut self, at: &Answer, rest: &[u8], name: &str) -> Answer {
        let place = place(at);
        let mark = if place.contains('?') { '&' } else { '?' };
        self.send(&Ask::new("PUT", &format!("{place}{mark}digest={name}")).body(rest))
    }

    /// An image that nobody else deletes: every byte of it.
    pub(crate) fn pull(&mut self, repository: &str, reference: &str, image: &Image) {
        let found = self.send(&Ask::get(&format!("/v2/{repository}/manifests/{reference}")));
        assert!(found.status == 200 && found.text() == image.text, "{repository}:{reference}: {} {}", found.status, found.text());
        for blob in &image.blobs {
            let path = format!("/v2/{repository}/blobs/{}", digest(blob));
            let head = self.send(&Ask::new("HEAD", &path));
            assert_eq!(head.status, 200, "HEAD {path}, which an acknowledged manifest names");
            let got = self.send(&Ask::get(&path));
            assert!(
                got.status == 200 && got.body == *blob,
                "{path}, which an acknowledged manifest names: {} {}",
                got.status,
                got.body.len()
            );
        }
        self.counts.pulls += 1;
    }

    /// An image that others may delete at this moment: what there is of it is right.
    pub(crate) fn look(&mut self, repository: &str, image: &Image) {
        let found = self.send(&Ask::get(&format!("/v2/{repository}/manifests/{}", image.digest)));
        assert!(found.status == 404 || found.text() == image.text, "{} {}", found.status, found.text());
        for blob in &image.blobs {
            let got = self.send(&Ask::get(&format!("/v2/{repository}/blobs/{}", digest(blob))));
            assert!(got.status == 404 || (got.status == 200 && got.body == *blob), "{} {}", got.status, got.text());
        }
    }

    /// True: it was there.
    pub(crate) fn delete(&mut self, path: &str) -> bool {
        let answer = self.send(&Ask::new("DELETE", path));
        assert!(matches!(answer.status, 202 | 404), "DELETE {path}: {} {}", answer.status, answer.text());
        self.counts.deletions += 1;
        answer.status == 202
    }
}

/// The path of a `Location`.
fn place(answer: &Answer) -> String {
    let location = answer.header("location").unwrap();
    location.split_once("://").map_or(location, |(_, rest)| &rest[rest.find('/').unwrap()..]).to_owned()
}

/// What somebody has in a repository of their own.
#[derive(Default)]
pub(crate) struct Own {
    /// By digest.
    pub(crate) images: BTreeMap<String, Image>,
    /// Digests by tag.
    pub(crate) tags: BTreeMap<String, String>,
}

impl Own {
    /// One of them.
    pub(crate) fn some(&self, dice: &mut Dice) -> Option<Image> {
        let count = self.images.len();
        (count > 0).then(|| self.images.values().nth(dice.below(count)).cloned())?
    }

    /// A blob of `image` that no other needs.
    pub(crate) fn only_there(&self, image: &Image) -> Option<String> {
        let held = |blob: &Vec<u8>| self.images.values().any(|other| other.digest != image.digest && other.blobs.contains(blob));
        image.blobs.iter().find(|blob| !held(blob)).map(|blob| digest(blob))
    }

    pub(crate) fn forget(&mut self, image: &str) {
        self.images.remove(image);
        self.tags.retain(|_, digest| digest != image);
    }
}
