//! Verifying: records one after the other, in the order of the chain, in memory that does not grow with their number.

use std::collections::BTreeSet;

use api::AuditRecord;
use model::Timestamp;

use crate::report::ProblemKind::{Changed, Missing, OutOfOrder, Replaced, Unsigned};
use crate::{Checkpoint, CheckpointError, Keys, Place, Purpose, Report, ZEROS, hash, kid};

/// Where the records begin that are verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Begin {
    /// With the first one ever.
    First,
    /// Behind a signed beginning (a compact JWS).
    Behind(String),
    /// Anywhere: an export of a part. What came before is not judged.
    Anywhere,
}

/// What was read last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End<'a> {
    /// The last record of an export of a part.
    Part,
    /// The last record that there is, and the signed head (a compact JWS) that was read after it.
    Whole(Option<&'a str>),
}

/// A record that was read.
#[derive(Clone, Debug)]
struct Seen {
    place: Place,
    hash: String,
    sealed_at: Timestamp,
    signed: bool,
}

/// Whom to believe.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Belief {
    /// The given keys, and each that one of them says goes on signing.
    Successors,
    /// The given keys alone: they are all that there are.
    All,
}

/// Reads a chain and notes what is not as it was sealed.
#[derive(Debug)]
pub struct Verifier {
    keys: Keys,
    belief: Belief,
    /// The key that signs here; none: no signature was read yet.
    signer: Option<String>,
    /// Those that signed before it.
    before: BTreeSet<String>,
    /// Checkpoints that the trail must contain, by keys that are not known yet.
    unread: Vec<String>,
    report: Report,
    account: Option<String>,
    /// Which record the next one has to follow: its number and hash; none: anywhere.
    expected: Option<(i64, String)>,
    last: Option<Seen>,
    /// The last record up to which signatures hold.
    trusted: Option<Place>,
    known: Vec<(Checkpoint, bool)>,
    begin: i64,
}

impl Verifier {
    /// Verifies what begins so, by these keys.
    pub fn new(keys: &Keys, belief: Belief, begin: &Begin) -> Self {
        let mut this = Self {
            keys: keys.clone(),
            belief,
            signer: None,
            before: BTreeSet::new(),
            unread: Vec::new(),
            report: Report::new(),
            account: None,
            expected: None,
            last: None,
            trusted: None,
            known: Vec::new(),
            begin: 0,
        };
        this.expected = match begin {
            Begin::First => Some((0, ZEROS.to_owned())),
            Begin::Behind(text) => this.beginning(text),
            Begin::Anywhere => None,
        };
        this
    }

    fn beginning(&mut self, text: &str) -> Option<(i64, String)> {
        match Checkpoint::read(text, &self.keys) {
            Ok(begin) if begin.purpose == Purpose::Begin => {
                self.account = Some(begin.account_id);
                self.begin = begin.sequence;
                Some((begin.sequence, begin.hash))
            }
            Ok(_) => self.bad_beginning("it is a checkpoint of another kind"),
            Err(error) => self.bad_beginning(&error.to_string()),
        }
    }

    fn bad_beginning(&mut self, why: &str) -> Option<(i64, String)> {
        self.report.found(Unsigned, None, format!("the signed beginning of the trail does not hold: {why}"));
        None
    }

    /// The trail must contain this checkpoint (a compact JWS of an earlier verification).
    pub fn expect(&mut self, text: &str) {
        match Checkpoint::read(text, &self.keys) {
            Ok(checkpoint) => self.known.push((checkpoint, false)),
            Err(CheckpointError::UnknownKey(_)) if self.belief == Belief::Successors => self.unread.push(text.to_owned()),
            Err(error) => self.report.found(Unsigned, None, format!("the checkpoint that was given does not hold: {error}")),
        }
    }

    /// The next record.
    pub fn record(&mut self, record: &AuditRecord) {
        let place = Place::of(record);
        self.report.records += 1;
        self.check_account(record, &place);
        if hash(record) != record.hash {
            self.report.found(Changed, Some(&place), "this record was changed: its hash is of something else".to_owned());
        }
        if !self.check_order(record, &place) {
            return;
        }
        self.check_batch_ended(record);
        let signed = record.checkpoint.as_deref().map(|text| self.check_signature(record, &place, text)).is_some();
        self.check_known(record);
        self.report.first.get_or_insert_with(|| place.clone());
        self.expected = Some((place.sequence, record.hash.clone()));
        self.last = Some(Seen { place, hash: record.hash.clone(), sealed_at: record.sealed_at, signed });
    }

    /// A line of a file that is no record.
    pub fn unreadable(&mut self, line: usize) {
        let last = self.last.as_ref().map(|seen| &seen.place);
        self.report.found(Changed, last, format!("line {line} is no record"));
    }

    fn check_account(&mut self, record: &AuditRecord, place: &Place) {
        let account = self.account.get_or_insert_with(|| record.account_id.clone());
        if *account != record.account_id {
            let problem = format!("this record is of account {}, the trail of account {account}", record.account_id);
            self.report.found(OutOfOrder, Some(place), problem);
        }
    }

    /// False: this record does not belong here; the chain goes on without it.
    fn check_order(&mut self, record: &AuditRecord, place: &Place) -> bool {
        let Some((before, hash)) = &self.expected else { return true };
        let (before, sequence) = (*before, place.sequence);
        let last = self.last.as_ref().map(|seen| &seen.place);
        if sequence <= before {
            let problem = format!("record {sequence} stands behind record {before}: it was put in, repeated or moved");
            self.report.found(OutOfOrder, Some(place), problem);
            return false;
        }
        if sequence > before + 1 {
            let gone = range(before + 1, sequence - 1);
            let here = format!("record {sequence} ({}, {})", place.event_id, place.time);
            let problem = match last {
                Some(last) => format!("{gone} missing between record {} and {here}", last.sequence),
                None => format!("{gone} missing at the beginning, before {here}"),
            };
            self.report.found(Missing, last, problem);
        } else if record.previous_hash != *hash {
            let problem = format!("record {sequence} does not follow this one: this record was replaced, or what was before {sequence}");
            self.report.found(Replaced, last.or(Some(place)), problem);
        }
        true
    }

    /// Records that were sealed together end with a signature.
    fn check_batch_ended(&mut self, record: &AuditRecord) {
        if let Some(last) = &self.last
            && last.sealed_at != record.sealed_at
            && !last.signed
        {
            self.report.found(Unsigned, Some(&last.place), "the signature that belongs to this record is missing".to_owned());
        }
    }

    fn check_known(&mut self, record: &AuditRecord) {
        for (checkpoint, met) in self.known.iter_mut().filter(|(checkpoint, _)| checkpoint.sequence == record.sequence()) {
            *met = true;
            if checkpoint.hash != record.hash || checkpoint.account_id != record.account_id {
                let problem = format!("the checkpoint of {} was given for another record: the trail was written anew", checkpoint.at);
                self.report.found(Replaced, Some(&Place::of(record)), problem);
            }
        }
    }

    fn check_signature(&mut self, record: &AuditRecord, place: &Place, text: &str) {
        match self.signed(record, place, text) {
            Ok(checkpoint) => {
                self.trusted = Some(place.clone());
                self.signer = Checkpoint::signer(text);
                self.hand_over(&checkpoint, place);
            }
            Err(why) => {
                let from =
                    self.trusted.as_ref().map_or_else(|| "from the beginning".to_owned(), |p| format!("behind record {}", p.sequence));
                let problem = format!("the signature of this record does not hold for what stands {from} up to here: {why}");
                self.report.found(Unsigned, Some(place), problem);
            }
        }
    }

    /// The checkpoint of a record, if the key that signs here has given it for this record; or why not.
    fn signed(&self, record: &AuditRecord, place: &Place, text: &str) -> Result<Checkpoint, String> {
        let read = Checkpoint::read(text, &self.keys).map_err(|error| error.to_string())?;
        let wanted = Checkpoint {
            purpose: Purpose::Batch,
            account_id: record.account_id.clone(),
            sequence: place.sequence,
            hash: record.hash.clone(),
            at: record.sealed_at,
            next_key: read.next_key.clone(),
        };
        if read != wanted {
            return Err("it was given for another record".to_owned());
        }
        self.check_signer(text)?;
        Ok(read)
    }

    /// One key signs until it has named the next one.
    fn check_signer(&self, text: &str) -> Result<(), String> {
        let by = Checkpoint::signer(text).unwrap_or_default();
        match &self.signer {
            Some(signer) if *signer != by => {
                Err(format!("it is by key {by}, to which key {signer}, which signs here, has not handed over"))
            }
            _ => Ok(()),
        }
    }

    /// The key that has signed may name the next one.
    fn hand_over(&mut self, checkpoint: &Checkpoint, place: &Place) {
        let Some(point) = checkpoint.next_point() else { return };
        let next = kid(&point);
        let stranger = self.belief == Belief::All && !self.keys.knows(&next);
        if stranger || self.before.contains(&next) || self.signer.as_ref() == Some(&next) {
            let why = if stranger { "which the server does not have" } else { "which has signed before" };
            self.report.found(Unsigned, Some(place), format!("the signature hands over to key {next}, {why}: somebody made this up"));
            return;
        }
        self.keys.insert(&point);
        self.before.extend(self.signer.replace(next));
        for text in std::mem::take(&mut self.unread) {
            self.expect(&text);
        }
    }

    /// The end of what there is.
    pub fn finish(mut self, end: End<'_>) -> Report {
        if let Some(last) = &self.last
            && !last.signed
        {
            self.report.found(Unsigned, Some(&last.place), "the signature that belongs to the last record is missing".to_owned());
        }
        match end {
            End::Whole(Some(head)) => self.check_head(head),
            End::Whole(None) if self.last.is_some() || self.begin > 0 => {
                self.report.found(Missing, None, "the trail has records and no signed head".to_owned());
            }
            End::Part | End::Whole(None) => {}
        }
        for text in std::mem::take(&mut self.unread) {
            self.belief = Belief::All;
            self.expect(&text);
        }
        self.check_all_known();
        self.report.last = self.last.map(|seen| seen.place);
        self.report
    }

    fn check_head(&mut self, text: &str) {
        if let Err(why) = self.check_signer(text) {
            return self.report.found(Unsigned, None, format!("the signed head does not hold: {why}"));
        }
        let head = match Checkpoint::read(text, &self.keys) {
            Ok(head) if head.purpose == Purpose::Head && self.account.as_ref().is_none_or(|account| *account == head.account_id) => head,
            Ok(_) => return self.report.found(Unsigned, None, "the signed head is a checkpoint of another kind".to_owned()),
            Err(error) => return self.report.found(Unsigned, None, format!("the signed head does not hold: {error}")),
        };
        self.report.checkpoint = Some(text.to_owned());
        let (last, reached) = match &self.last {
            Some(last) => (Some(&last.place), last.place.sequence),
            None => (None, self.begin),
        };
        if reached < head.sequence {
            let gone = range(reached + 1, head.sequence);
            let behind = last.map_or_else(|| "after the beginning".to_owned(), |p| format!("behind this record ({})", p.sequence));
            let problem = format!("{gone} missing {behind}: the trail was sealed up to record {} at {}", head.sequence, head.at);
            self.report.found(Missing, last, problem);
        } else if reached > head.sequence {
            let problem = format!("the trail was sealed up to record {} and no further", head.sequence);
            self.report.found(OutOfOrder, last, problem);
        } else if self.last.as_ref().is_some_and(|seen| seen.hash != head.hash) {
            self.report.found(Replaced, last, "this record is not the one that was sealed last".to_owned());
        }
    }

    fn check_all_known(&mut self) {
        let last = self.last.as_ref().map(|seen| seen.place.clone());
        for (checkpoint, _) in self.known.iter().filter(|(checkpoint, met)| !met && checkpoint.sequence > self.begin) {
            let problem = format!("the trail does not contain record {}, which was signed at {}", checkpoint.sequence, checkpoint.at);
            self.report.found(Missing, last.as_ref(), problem);
        }
    }

    /// The number of the last record that was read.
    pub fn reached(&self) -> i64 {
        self.last.as_ref().map_or(self.begin, |seen| seen.place.sequence)
    }
}

fn range(first: i64, last: i64) -> String {
    if first == last { format!("record {first} is") } else { format!("records {first} to {last} are") }
}
