//! The load, one block ahead of the sets where that pays: another thread draws the next block and gathers the racks' figures of the last one
//! while the sets go through the present one. Every figure is gathered in the order of the blocks, so that nothing in the result depends on it.

use ballast_aggregate::Site;
use ballast_scenario::Scenario;

use crate::collect::Span;
use crate::demand::{Continuous, Filled};
use crate::diversity::Diversities;
use crate::error::StudyError;
use crate::rack_collect::{GroupResult, RackCollectors};
use crate::realisation::{BLOCK, Shared};
use crate::storage::{StorageCollector, StorageResult};

/// Racks up to which it pays: the blocks of more are drawn by all threads together, and would be large to hold.
const MOST_RACKS: usize = 256;

/// Figures of the racks, and what the load has to report.
pub(crate) struct LoadResult {
    pub(crate) continuous: Continuous,
    pub(crate) groups: Vec<GroupResult>,
    pub(crate) diversity: Option<Diversities>,
    pub(crate) storage: StorageResult,
}

/// What gathers figures of the racks.
struct Figures {
    racks: Option<RackCollectors>,
    storage: StorageCollector,
}

impl Figures {
    fn take(&mut self, filled: &Filled, len: usize) {
        if let (Some(racks), true) = (&mut self.racks, len > 0) {
            racks.take(&filled.block, len);
            self.storage.take(&filled.block, len);
        }
    }
}

/// The load of a realisation under way.
pub(crate) struct Ahead<'a> {
    shared: &'a Shared<'a>,
    /// The run that the load is that of, see [`Shared::strike`].
    whole: &'a Scenario,
    realisation: u32,
    continuous: Continuous,
    figures: Figures,
    /// Samples in all, and those that were filled.
    samples: u64,
    filled: u64,
    pays: bool,
    /// The block that the sets go through, the next one, and the last one with the samples of it that figures are still to be gathered of.
    now: Filled,
    next: Filled,
    last: Filled,
    left: usize,
}

impl<'a> Ahead<'a> {
    /// For `samples` samples of realisation number `realisation`; `span` is what figures are gathered of.
    pub(crate) fn new(
        shared: &'a Shared<'a>,
        whole: &'a Scenario,
        (realisation, samples): (u32, u64),
        span: Span,
    ) -> Self {
        let Shared { scenario, site, .. } = *shared;
        let racks = site.map_or(0, Site::rack_count);
        let pays = scenario.plant.is_some()
            && (1..=MOST_RACKS).contains(&racks)
            && rayon::current_num_threads() > 1;
        // What is not ahead needs one block.
        let spare = || Filled::new(if pays { racks } else { 0 }, 0);
        let mut load = Self {
            shared,
            whole,
            realisation,
            continuous: continuous(shared, whole, realisation),
            figures: Figures {
                racks: site
                    .filter(|_| shared.strike.is_none())
                    .map(|s| RackCollectors::new(s, span, &scenario.outputs)),
                storage: StorageCollector::new(scenario, span.samples, span.curves),
            },
            samples,
            filled: 0,
            pays,
            now: Filled::new(racks, BLOCK),
            next: spare(),
            last: spare(),
            left: 0,
        };
        if load.pays {
            fill(
                &mut load.continuous,
                &mut load.next,
                &mut load.filled,
                samples,
            );
        }
        load
    }

    /// Goes through the next block with `take`, which returns how many of its samples it took. Returns that, and the block.
    pub(crate) fn while_filling(
        &mut self,
        take: impl FnOnce(&Filled) -> Result<usize, StudyError> + Send,
    ) -> Result<(usize, &Filled), StudyError> {
        let Self {
            continuous,
            figures,
            samples,
            filled,
            now,
            next,
            last,
            left,
            ..
        } = self;
        if !self.pays {
            fill(continuous, now, filled, *samples);
            let len = take(now)?;
            figures.take(now, len);
            return Ok((len, now));
        }
        std::mem::swap(last, now);
        std::mem::swap(now, next);
        let (taken, ()) = rayon::join(
            || take(now),
            || {
                figures.take(last, *left);
                fill(continuous, next, filled, *samples);
            },
        );
        *left = taken?;
        Ok((*left, now))
    }

    /// Closes the figures. Where the sets did not go through all of the load (`cut`), it was ahead of them: what it reports is then that
    /// of the blocks they reached, drawn again.
    pub(crate) fn finish(mut self, cut: bool) -> LoadResult {
        if self.pays {
            self.figures.take(&self.now, self.left);
            let reached = self.filled - self.next.block.len() as u64;
            if cut && reached < self.filled {
                let mut again = continuous(self.shared, self.whole, self.realisation);
                let mut filled = 0;
                while filled < reached {
                    fill(&mut again, &mut self.now, &mut filled, reached);
                }
                self.continuous = again;
            }
        }
        let groups = self.shared.site.map_or(0, |s| s.groups().len());
        let Figures { racks, storage } = self.figures;
        let (groups, diversity) = racks.map(|r| r.finish(groups)).unwrap_or_default();
        let (stored, bulk) = (
            self.continuous.storage_report(),
            self.continuous.bulk_report(),
        );
        LoadResult {
            continuous: self.continuous,
            groups,
            diversity,
            storage: storage.finish(stored, bulk),
        }
    }
}

fn continuous(shared: &Shared<'_>, whole: &Scenario, realisation: u32) -> Continuous {
    Continuous::new(whole, shared.inputs, shared.site, realisation, shared.zoom)
}

/// Fills a block with the next samples, of `samples` in all.
fn fill(continuous: &mut Continuous, into: &mut Filled, filled: &mut u64, samples: u64) {
    let len = BLOCK.min((samples - *filled) as usize);
    into.block.set_len(len);
    if len > 0 {
        continuous.fill(into);
    }
    *filled += len as u64;
}
