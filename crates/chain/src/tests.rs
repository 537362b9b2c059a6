//! A chain of five batches, and what is done to it.

use api::{AuditEvent, AuditRecord};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use model::Timestamp;
use sha2::Digest as _;

use super::*;

/// A chain and the key that signs it.
struct Chain {
    pair: EcdsaKeyPair,
    keys: Keys,
    records: Vec<AuditRecord>,
    head: String,
}

fn event(sequence: i64) -> AuditEvent {
    AuditEvent {
        event_id: format!("evt-{sequence:016x}"),
        sequence: Some(sequence),
        time: Timestamp::from_millis(1_767_323_045_000 + sequence),
        action: "cr:PullRepository".into(),
        outcome: "success".into(),
        principal: "alice".into(),
        principal_id: Some("1234567890123456".into()),
        credential_id: None,
        credential_kind: None,
        resource: "repository/local/demo/app".into(),
        detail: Some("a \"quoted\" word".into()),
        source_ip: "192.0.2.1".into(),
        user_agent: None,
        request_id: "r".into(),
        count: 1,
    }
}

impl Chain {
    /// `batches` times three records.
    fn of(batches: i64) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let mut keys = Keys::default();
        keys.insert(pair.public_key().as_ref());
        let mut this = Self { pair, keys, records: Vec::new(), head: String::new() };
        for sequence in 1..=3 * batches {
            let previous_hash = this.records.last().map_or(ZEROS.to_owned(), |r| r.hash.clone());
            let sealed_at = Timestamp::from_millis(1_767_323_046_000 + (sequence - 1) / 3);
            let event = event(sequence);
            let mut record = AuditRecord { account_id: "1".into(), sealed_at, previous_hash, hash: String::new(), checkpoint: None, event };
            record.hash = hash(&record);
            if sequence % 3 == 0 {
                record.checkpoint = Some(this.sign(Purpose::Batch, &record));
                this.head = this.sign(Purpose::Head, &record);
            }
            this.records.push(record);
        }
        this
    }

    fn sign(&self, purpose: Purpose, record: &AuditRecord) -> String {
        self.sign_and_hand_over(purpose, record, None)
    }

    fn sign_and_hand_over(&self, purpose: Purpose, record: &AuditRecord, next: Option<&EcdsaKeyPair>) -> String {
        let checkpoint = Checkpoint {
            purpose,
            account_id: record.account_id.clone(),
            sequence: record.sequence(),
            hash: record.hash.clone(),
            at: record.sealed_at,
            next_key: next.map(|pair| Checkpoint::spell_key(pair.public_key().as_ref())),
        };
        let input = checkpoint.signing_input(&kid(self.pair.public_key().as_ref()));
        Checkpoint::join(&input, self.pair.sign(&SystemRandom::new(), input.as_bytes()).unwrap().as_ref())
    }

    fn verify_from(&self, begin: &Begin, end: End<'_>) -> Report {
        let mut verifier = Verifier::new(&self.keys, Belief::All, begin);
        for record in &self.records {
            verifier.record(record);
        }
        verifier.finish(end)
    }

    fn verify(&self) -> Report {
        self.verify_from(&Begin::First, End::Whole(Some(&self.head)))
    }

    /// What kind of harm is found, and at which record.
    fn found(&self) -> Vec<(ProblemKind, i64)> {
        self.verify().problems.iter().map(|p| (p.kind, p.at.as_ref().map_or(0, |at| at.sequence))).collect()
    }

    /// Somebody who can write everything but has no key puts the hashes right from a record on.
    fn rehash_from(&mut self, index: usize) {
        for i in index..self.records.len() {
            self.records[i].previous_hash = if i == 0 { ZEROS.to_owned() } else { self.records[i - 1].hash.clone() };
            self.records[i].hash = hash(&self.records[i]);
        }
    }
}

#[test]
fn what_is_as_it_was_sealed_is_whole() {
    let chain = Chain::of(5);
    let report = chain.verify();
    assert!(report.whole, "{:?}", report.problems);
    assert_eq!((report.records, report.first.unwrap().sequence, report.last.unwrap().sequence), (15, 1, 15));
    assert!(Chain::of(0).verify_from(&Begin::First, End::Whole(None)).whole);
}

#[test]
fn every_field_is_under_the_hash() {
    let original = Chain::of(1).records[1].clone();
    let value = serde_json::to_value(&original).unwrap();
    for (key, old) in value.as_object().unwrap() {
        if key == "hash" || key == "checkpoint" {
            continue;
        }
        let mut changed = value.clone();
        changed[key] = match old {
            serde_json::Value::Number(n) => (n.as_i64().unwrap() + 1).into(),
            serde_json::Value::String(text) if Timestamp::parse(text).is_some() => "2001-01-01T00:00:00Z".into(),
            _ => "x".into(),
        };
        let changed: AuditRecord = serde_json::from_value(changed).unwrap();
        assert_ne!(hash(&changed), original.hash, "{key}");
    }
}

/// Gitea CVE-2026-58426: fields were joined, so that what stood at the end of one could be moved to the beginning of the next.
#[test]
fn cve_2026_58426_what_is_signed_cannot_flow_from_one_field_into_the_next() {
    let original = Chain::of(1).records[0].clone();
    let with = |action: &str, outcome: &str, resource: &str, detail: Option<&str>| {
        let mut record = original.clone();
        (record.event.action, record.event.outcome) = (action.to_owned(), outcome.to_owned());
        (record.event.resource, record.event.detail) = (resource.to_owned(), detail.map(str::to_owned));
        hash(&record)
    };
    let hashes = [
        with("ab", "c", "r", Some("d")),
        with("a", "bc", "r", Some("d")),
        with("abc", "", "r", Some("d")),
        with("a\",\"b", "c", "r", Some("d")),
        with("a", "b\",\"c", "r", Some("d")),
        with("ab", "c", "rd", None),
        with("ab", "c", "r\",\"d", None),
        with("ab", "c", "rd", Some("")),
        with("ab", "c", "", Some("rd")),
        with("ab", "c", "rd", Some("null")),
    ];
    let different: std::collections::BTreeSet<_> = hashes.iter().collect();
    assert_eq!(different.len(), hashes.len());
}

#[test]
fn the_hash_of_a_record_is_what_the_documentation_says() {
    let record = &Chain::of(1).records[0];
    let canonical = format!(
        r#"["tidegate-audit-v1","{ZEROS}","1",1,"2026-01-02T03:04:06Z","evt-0000000000000001","2026-01-02T03:04:05.001Z","cr:PullRepository","success","alice","1234567890123456",null,null,"repository/local/demo/app","a \"quoted\" word","192.0.2.1",null,"r",1]"#
    );
    assert_eq!(record.hash, hex::encode(sha2::Sha256::digest(canonical)));
}

#[test]
fn a_changed_record_is_found() {
    let mut chain = Chain::of(5);
    chain.records[6].event.outcome = "denied".into();
    assert_eq!(chain.found(), [(ProblemKind::Changed, 7)]);
    // With its own hash put right, the next one tells.
    chain.records[6].hash = hash(&chain.records[6]);
    assert_eq!(chain.found(), [(ProblemKind::Replaced, 7)]);
    // With all put right, the next signature tells, and each one after it, and the head.
    chain.rehash_from(7);
    let found = chain.found();
    assert_eq!(found[0], (ProblemKind::Unsigned, 9));
    assert_eq!(found.last(), Some(&(ProblemKind::Replaced, 15)));
    assert!(chain.verify().problems[0].problem.contains("behind record 6"));
    // With the signatures gone too, their absence tells.
    chain.records.iter_mut().for_each(|r| r.checkpoint = None);
    assert_eq!(chain.found()[0], (ProblemKind::Unsigned, 3));
}

#[test]
fn deleted_records_are_found() {
    let mut chain = Chain::of(5);
    chain.records.remove(6);
    assert_eq!(chain.found(), [(ProblemKind::Missing, 6)]);
    let mut chain = Chain::of(5);
    chain.records.truncate(13);
    assert_eq!(chain.found(), [(ProblemKind::Unsigned, 13), (ProblemKind::Missing, 13)]);
    // A whole batch: the head tells.
    chain.records.truncate(12);
    assert_eq!(chain.found(), [(ProblemKind::Missing, 12)]);
    chain.records.clear();
    assert_eq!(chain.found(), [(ProblemKind::Missing, 0)]);
    let mut chain = Chain::of(5);
    chain.records.drain(..2);
    assert_eq!(chain.found(), [(ProblemKind::Missing, 0)]);
}

#[test]
fn swapped_repeated_and_inserted_records_are_found() {
    let mut chain = Chain::of(5);
    chain.records.swap(6, 7);
    let found = chain.found();
    assert!(found.contains(&(ProblemKind::OutOfOrder, 7)) && found.contains(&(ProblemKind::Missing, 6)), "{found:?}");
    let mut chain = Chain::of(5);
    chain.records.insert(7, chain.records[6].clone());
    assert_eq!(chain.found(), [(ProblemKind::OutOfOrder, 7)]);
    // Their numbers swapped.
    let mut chain = Chain::of(5);
    (chain.records[6].event, chain.records[7].event) = (
        AuditEvent { sequence: Some(7), ..chain.records[7].event.clone() },
        AuditEvent { sequence: Some(8), ..chain.records[6].event.clone() },
    );
    assert_eq!(chain.found(), [(ProblemKind::Changed, 7), (ProblemKind::Changed, 8)]);
    // One more at the end, as good as somebody without the key can make it.
    let mut chain = Chain::of(5);
    let mut more = chain.records[14].clone();
    more.event.sequence = Some(16);
    chain.records.push(more);
    chain.rehash_from(15);
    let found = chain.found();
    assert!(found.contains(&(ProblemKind::Unsigned, 16)) && found.contains(&(ProblemKind::OutOfOrder, 16)), "{found:?}");
}

#[test]
fn a_signature_for_one_thing_is_not_taken_for_another() {
    let mut chain = Chain::of(5);
    chain.records.truncate(12);
    // An older signature in the head's place, and in the beginning's.
    chain.head = chain.records[11].checkpoint.clone().unwrap();
    assert_eq!(chain.found(), [(ProblemKind::Unsigned, 0)]);
    let begin = Begin::Behind(chain.records[5].checkpoint.clone().unwrap());
    assert!(!chain.verify_from(&begin, End::Part).whole);
    // A key of one's own.
    let other = Chain::of(4);
    let report = Chain { keys: chain.keys.clone(), ..other }.verify();
    assert!(report.problems[0].problem.contains("key that is not known"), "{:?}", report.problems);
}

#[test]
fn a_trail_may_begin_where_its_signed_beginning_says() {
    let mut chain = Chain::of(5);
    let begin = Begin::Behind(chain.sign(Purpose::Begin, &chain.records[5]));
    chain.records.drain(..6);
    assert!(chain.verify_from(&begin, End::Whole(Some(&chain.head))).whole);
    assert!(!chain.verify().whole, "without it, records are missing");
    chain.records.remove(0);
    assert!(!chain.verify_from(&begin, End::Whole(Some(&chain.head))).whole);
    assert!(!chain.verify_from(&Begin::Anywhere, End::Whole(None)).whole, "records without a head");
}

impl Chain {
    /// From the batch number `batch` (counted from 0) on another key signs; it is named by the one before, or not.
    fn rotated(mut self, batch: usize, named: bool) -> Self {
        let next = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        if named {
            let last = 3 * batch - 1;
            self.records[last].checkpoint = Some(self.sign_and_hand_over(Purpose::Batch, &self.records[last], Some(&next)));
        }
        self.keys.insert(next.public_key().as_ref());
        self.pair = next;
        for index in (3 * batch..self.records.len()).filter(|i| i % 3 == 2) {
            self.records[index].checkpoint = Some(self.sign(Purpose::Batch, &self.records[index]));
        }
        self.head = self.sign(Purpose::Head, self.records.last().unwrap());
        self
    }
}

#[test]
fn a_key_hands_over_to_the_next_one_in_the_chain_itself() {
    let old = Chain::of(5);
    let first = old.keys.clone();
    let chain = old.rotated(3, true);
    assert!(chain.verify().whole, "{:?}", chain.verify().problems);
    // Whoever knows the first key alone believes the second.
    let verify = |belief, kept: Option<&str>| {
        let mut verifier = Verifier::new(&first, belief, &Begin::First);
        if let Some(kept) = kept {
            verifier.expect(kept);
        }
        chain.records.iter().for_each(|record| verifier.record(record));
        verifier.finish(End::Whole(Some(&chain.head)))
    };
    let report = verify(Belief::Successors, Some(&chain.head));
    assert!(report.whole, "{:?}", report.problems);
    // But not if the server does not know it.
    assert!(verify(Belief::All, None).problems[0].problem.contains("which the server does not have"));
    // A checkpoint that was kept, by a key that the chain never comes to.
    let stranger = Chain::of(5).head;
    assert!(!verify(Belief::Successors, Some(&stranger)).whole);
    // Twice, and an export of what the last key has signed.
    let twice = chain.rotated(4, true);
    assert!(twice.verify().whole, "{:?}", twice.verify().problems);
    let part = Chain { records: twice.records[12..].to_vec(), keys: twice.keys.clone(), ..twice };
    assert!(part.verify_from(&Begin::Anywhere, End::Whole(Some(&part.head))).whole);
}

#[test]
fn a_key_to_which_nobody_has_handed_over_is_found() {
    // Even if it is among those that are believed.
    let chain = Chain::of(5).rotated(3, false);
    let report = chain.verify();
    assert_eq!(report.problems[0].at.as_ref().map(|at| at.sequence), Some(12));
    assert!(report.problems[0].problem.contains("has not handed over"), "{:?}", report.problems);
    assert!(report.problems.last().unwrap().problem.contains("signed head"), "{:?}", report.problems);
    // The old key, after it has handed over: whoever has stolen it signs nothing more.
    let old = Chain::of(5);
    let stolen = old.sign(Purpose::Batch, &old.records[14]);
    let mut chain = old.rotated(3, true);
    chain.records[14].checkpoint = Some(stolen);
    assert_eq!(chain.found(), [(ProblemKind::Unsigned, 15)]);
    // Nor does the new key hand back to it.
    let old = Chain::of(5);
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, old.pair.to_pkcs8v1().unwrap().as_ref()).unwrap();
    let mut chain = old.rotated(2, true);
    chain.records[11].checkpoint = Some(chain.sign_and_hand_over(Purpose::Batch, &chain.records[11], Some(&pair)));
    let report = chain.verify();
    assert_eq!(report.problem_count, 1);
    assert!(report.problems[0].problem.contains("which has signed before"), "{:?}", report.problems);
}

#[test]
fn a_checkpoint_that_was_kept_finds_a_trail_that_was_written_anew() {
    let chain = Chain::of(5);
    let kept = chain.head.clone();
    let verify = |chain: &Chain, kept: &str| {
        let mut verifier = Verifier::new(&chain.keys, Belief::All, &Begin::First);
        verifier.expect(kept);
        for record in &chain.records {
            verifier.record(record);
        }
        verifier.finish(End::Whole(Some(&chain.head)))
    };
    assert!(verify(&chain, &kept).whole);
    // The tail is gone, and the head is an older one: nothing in the trail itself tells.
    let mut shorter = Chain { records: chain.records[..12].to_vec(), ..chain };
    shorter.head = shorter.sign(Purpose::Head, &shorter.records[11]);
    assert!(shorter.verify().whole);
    let report = verify(&shorter, &kept);
    assert!(report.problems[0].problem.contains("does not contain record 15"), "{:?}", report.problems);
    assert!(!verify(&shorter, "x.y.z").whole);
}

#[test]
fn a_line_of_either_format_reads_back() {
    let record = Chain::of(1).records[2].clone();
    for format in [Format::Jsonl, Format::CloudEvents] {
        assert_eq!(Format::read(&format.line(&record)).unwrap(), record);
    }
    let event: serde_json::Value = serde_json::from_str(&Format::CloudEvents.line(&record)).unwrap();
    for (key, value) in [
        ("specversion", "1.0"),
        ("id", "3"),
        ("source", "urn:tidegate:account:1"),
        ("type", "io.tidegate.audit.record.v1"),
        ("subject", "repository/local/demo/app"),
        ("time", "2026-01-02T03:04:05.003Z"),
        ("datacontenttype", "application/json"),
    ] {
        assert_eq!(event[key], value, "{key}");
    }
    let batch: serde_json::Value = serde_json::from_slice(&Format::CloudEvents.body(&[record.clone(), record.clone()])).unwrap();
    assert_eq!(batch.as_array().unwrap().len(), 2);
    assert!(Format::read("{}").is_err());
}

#[test]
fn keys_read_back_from_their_pem() {
    let chain = Chain::of(1);
    let point = chain.pair.public_key().as_ref();
    let keys = Keys::parse(&format!("{}{}", pem(point), pem(point))).unwrap();
    assert!(Checkpoint::read(&chain.head, &keys).is_ok());
    for bad in ["", "-----BEGIN PUBLIC KEY-----", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"] {
        assert_eq!(Keys::parse(bad).unwrap_err(), KeysError);
    }
}
