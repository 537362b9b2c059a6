//! What a run would do now: counted, page by page, and nothing changed.

use access::Operator;
use store::collection_run::{Phase, Place, Tally};

use super::step::{Bounds, CHANGED};
use crate::{Registry, RegistryError};

/// Pages that are looked at before an answer: somebody waits for it.
const PAGES: usize = 16;

/// A part of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Preview {
    /// What would go, of the pages that were looked at.
    pub tally: Tally,
    /// Where to go on; none: that was all.
    pub next: Option<Place>,
}

impl Registry {
    /// Counts what a run would take away, condemn and delete, from `place` on (none: from the beginning). Changes nothing.
    pub async fn preview_collection(&self, by: &Operator, place: Option<Place>) -> Result<Preview, RegistryError> {
        let bounds = Bounds::at(by.op().now, self.collection, CHANGED);
        let mut place = place.unwrap_or_else(|| Place::start_of(Phase::Links));
        let mut tally = Tally::default();
        for _ in 0..PAGES {
            let page = self.page(&place, bounds, true).await?;
            for gone in &page.gone {
                gone.count(&mut tally);
            }
            let Some(next) = page.last.or_else(|| place.phase.next().map(Place::start_of)) else {
                return Ok(Preview { tally, next: None });
            };
            place = next;
        }
        Ok(Preview { tally, next: Some(place) })
    }
}
