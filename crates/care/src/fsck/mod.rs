//! A check of everything: every row against every piece of content and back, rows against rows, counts against what they count.
//!
//! It reads beside a server: a row that is found wrong is read again, so that what changed in between is no finding. Mended is one
//! thing a transaction, which asks again whether it is still wrong, and writes the record of it. Nothing that a client could miss is
//! taken away: what goes is rows that say what is not so.

mod content;
mod counts;
mod finding;
mod mend;
mod rows;

use std::sync::Arc;

use access::Audit;
use model::{Clock, Op, Seconds};

pub use content::{Contents, Lost, Walked};
pub use finding::{Checkup, Collectable, Finding, Kind, Looked};

use crate::backup::is_of_this_version;
use crate::progress::Report;
use crate::{CareError, Progress};

/// Lost blobs that are mended before the walk begins again: so many are held in memory.
const AT_ONCE: usize = 10_000;

/// A check to be made.
#[derive(Debug)]
pub struct Fsck<'a> {
    /// What is looked at.
    pub contents: Contents,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Content without a row is the collection's when it is so old.
    pub grace: Seconds,
    /// Whether what can be mended is.
    pub repair: Option<Repair<'a>>,
}

/// How to mend.
#[derive(Debug)]
pub struct Repair<'a> {
    /// What the records of it say.
    pub op: &'a Op,
    /// A random number that keeps the records' ids apart.
    pub node: u32,
    /// Whether most of the blobs may be given up.
    pub accept_loss: bool,
}

impl Fsck<'_> {
    /// Looks at everything, and mends what can be mended where that is wished for.
    pub async fn run(&self, report: Report<'_>) -> Result<Checkup, CareError> {
        is_of_this_version(&self.contents.store).await?;
        let mending = self.repair.as_ref().map(|repair| mend::Mending {
            store: &self.contents.store,
            audit: Audit::new(Arc::clone(&self.contents.store), repair.node),
            clock: &*self.clock,
            op: repair.op,
        });
        let mut checkup = Checkup::default();
        self.content(mending.as_ref(), &mut checkup, report).await?;
        rows::links(&self.contents.store, mending.as_ref(), &mut checkup, report).await?;
        rows::references(&self.contents.store, mending.as_ref(), &mut checkup, report).await?;
        rows::tags(&self.contents.store, mending.as_ref(), &mut checkup, report).await?;
        if self.contents.read {
            rows::manifests(&self.contents.store, &mut checkup, report).await?;
        }
        counts::namespaces(&self.contents.store, mending.as_ref(), &mut checkup, report).await?;
        Ok(checkup.end())
    }

    async fn content(&self, mending: Option<&mend::Mending<'_>>, checkup: &mut Checkup, report: Report<'_>) -> Result<(), CareError> {
        let mut given_up = 0;
        loop {
            let walked = self.contents.walk(AT_ONCE, report).await?;
            self.is_no_mistake(&walked, given_up)?;
            given_up += walked.lost.len();
            for (done, lost) in walked.lost.iter().enumerate() {
                let finding = mend::lost(&self.contents.store, mending, lost).await?;
                checkup.find(finding);
                report(Progress::Blobs { what: "lost", done: done as u64 + 1, of: Some(walked.lost.len() as u64), bytes: 0 });
            }
            // What is not mended would be found again.
            if walked.all || mending.is_none() {
                walked.add_to(&mut checkup.looked_at, &mut checkup.collectable);
                break;
            }
        }
        let before = content::old_before(self.clock.now(), self.grace);
        let (seen, strays) = self.contents.strays(None, before, report).await?;
        checkup.looked_at.objects = seen;
        checkup.collectable.objects = strays.objects;
        checkup.collectable.bytes += strays.bytes;
        Ok(())
    }

    /// Where most of an account is lost, it may be another server's storage, or one that is not mounted: also where there is little.
    fn is_no_mistake(&self, walked: &Walked, given_up: usize) -> Result<(), CareError> {
        let accepted = self.repair.as_ref().is_none_or(|repair| repair.accept_loss);
        let most = walked.shares.iter().find(|share| share.lost.saturating_mul(2) > share.blobs);
        let Some(share) = most.filter(|_| !accepted) else { return Ok(()) };
        let so_far = match given_up {
            0 => "Nothing was changed".to_owned(),
            some => format!("{some} lost blobs of other accounts were given up before"),
        };
        let text = format!(
            "{} of {} blobs of account {} are lost: is this the storage of this database, and is it mounted? {so_far}. If \
             they are lost for good, say --accept-loss: their rows go, and clients can push them again",
            share.lost, share.blobs, share.account
        );
        Err(CareError::Refused(text))
    }
}
