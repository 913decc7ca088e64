//! Which GPUs of a rack a job has, and how they are put together into cohorts.
//!
//! GPUs are numbered through the nodes of a rack. Jobs take them in the order of the file, so a job's part of a rack is one
//! run of numbers. Whole nodes of a run are cut into a few cohorts; a node that a run only partly covers is kept by itself, because
//! its host power and its supplies serve all the jobs on it.

/// Cohorts of one job in one rack, at most; more only where a rack holds more stages of a pipeline.
pub(crate) const COHORTS_PER_RACK_AND_JOB: u32 = 8;

/// A job's run of GPUs in a rack, `start..end`. `job` is `None` for GPUs without one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Run {
    pub(crate) job: Option<usize>,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// GPUs of one job in one rack that move together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cohort {
    pub(crate) job: Option<usize>,
    pub(crate) gpus: u32,
    /// Sum over its nodes of the square of its GPUs there: weight of the node's share in the variance.
    pub(crate) node_squares: f64,
    /// First GPU, as the cohort's name.
    pub(crate) first: u32,
    /// Mean place of its nodes among the job's nodes in the rack.
    pub(crate) place: f64,
    /// Number of its first GPU among all of the job's; 0 until the site is assembled.
    pub(crate) ordinal: u64,
}

/// Equal nodes with the same cohorts on them: one cohort, or one node with several.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bundle {
    pub(crate) nodes: u32,
    pub(crate) cohorts: Vec<Cohort>,
}

/// Nodes of a rack that a run touches.
pub(crate) fn nodes_touched(run: Run, per_node: u32) -> u32 {
    if run.end <= run.start {
        0
    } else {
        (run.end - 1) / per_node - run.start / per_node + 1
    }
}

/// A run cut where one piece of `each` GPUs of its job ends and the next begins; `before` GPUs of the job come before it.
pub(crate) fn cut(run: Run, before: u64, each: u64) -> Vec<Run> {
    let mut pieces = Vec::new();
    let mut start = run.start;
    while start < run.end {
        let done = before + u64::from(start - run.start);
        let left = (each - done % each).min(u64::from(run.end - start));
        let end = start + left as u32;
        pieces.push(Run { start, end, ..run });
        start = end;
    }
    pieces
}

/// Cuts the runs of a rack, in order and without gaps, into bundles that cover every node once.
pub(crate) fn bundles(runs: &[Run], per_node: u32) -> Vec<Bundle> {
    let mut all = Vec::new();
    let mut shared: Option<(u32, Bundle)> = None;
    for &run in runs.iter().filter(|r| r.end > r.start) {
        let first_node = run.start / per_node;
        let head_end = if run.start % per_node == 0 {
            run.start
        } else {
            run.end.min((first_node + 1) * per_node)
        };
        let tail_start = head_end.max(run.end / per_node * per_node);
        if head_end > run.start {
            share(
                &mut shared,
                &mut all,
                run.job,
                run.start,
                head_end,
                per_node,
                first_node,
            );
        }
        if tail_start > head_end {
            flush(&mut shared, &mut all);
            let partial = u32::from(head_end > run.start) + u32::from(run.end > tail_start);
            // A job in several runs (the stages of a pipeline) shares its cohorts between them.
            let of_job = runs.iter().filter(|r| r.job == run.job).count() as u32;
            let limit = COHORTS_PER_RACK_AND_JOB / of_job.max(1);
            whole_nodes(
                &mut all,
                run,
                head_end,
                tail_start,
                per_node,
                limit.saturating_sub(partial).max(1),
            );
        }
        if run.end > tail_start {
            share(
                &mut shared,
                &mut all,
                run.job,
                tail_start,
                run.end,
                per_node,
                first_node,
            );
        }
    }
    flush(&mut shared, &mut all);
    all
}

fn flush(shared: &mut Option<(u32, Bundle)>, all: &mut Vec<Bundle>) {
    if let Some((_, bundle)) = shared.take() {
        all.push(bundle);
    }
}

/// Adds a part of a node to the node's bundle.
fn share(
    shared: &mut Option<(u32, Bundle)>,
    all: &mut Vec<Bundle>,
    job: Option<usize>,
    start: u32,
    end: u32,
    per_node: u32,
    first_node: u32,
) {
    let node = start / per_node;
    let gpus = end - start;
    let cohort = Cohort {
        job,
        gpus,
        node_squares: f64::from(gpus) * f64::from(gpus),
        first: start,
        place: f64::from(node - first_node),
        ordinal: 0,
    };
    match shared {
        Some((n, bundle)) if *n == node => bundle.cohorts.push(cohort),
        _ => {
            flush(shared, all);
            *shared = Some((
                node,
                Bundle {
                    nodes: 1,
                    cohorts: vec![cohort],
                },
            ));
        }
    }
}

/// Whole nodes, in at most `limit` cohorts of nearly equal size. Idle nodes need no more than one: nothing tells them apart.
fn whole_nodes(all: &mut Vec<Bundle>, run: Run, start: u32, end: u32, per_node: u32, limit: u32) {
    let nodes = (end - start) / per_node;
    let parts = if run.job.is_none() {
        1
    } else {
        nodes.min(limit)
    };
    let mut done = 0;
    for part in 0..parts {
        let until = (u64::from(nodes) * u64::from(part + 1) / u64::from(parts)) as u32;
        let count = until - done;
        let first = start + done * per_node;
        let cohort = Cohort {
            job: run.job,
            gpus: count * per_node,
            node_squares: f64::from(count) * f64::from(per_node) * f64::from(per_node),
            first,
            place: f64::from(first / per_node - run.start / per_node) + 0.5 * f64::from(count - 1),
            ordinal: 0,
        };
        all.push(Bundle {
            nodes: count,
            cohorts: vec![cohort],
        });
        done = until;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(job: usize, start: u32, end: u32) -> Run {
        Run {
            job: Some(job),
            start,
            end,
        }
    }

    #[test]
    fn a_rack_of_18_nodes_has_8_cohorts() {
        let b = bundles(&[run(0, 0, 72)], 4);
        assert_eq!(b.len(), 8);
        assert_eq!(b.iter().map(|b| b.nodes).sum::<u32>(), 18);
        assert!(b.iter().all(|b| (2..=3).contains(&b.nodes)));
        assert_eq!(b[0].cohorts[0].place, 0.5);
    }

    #[test]
    fn a_shared_node_is_one_bundle() {
        let b = bundles(
            &[
                run(0, 0, 12),
                run(1, 12, 14),
                Run {
                    job: None,
                    start: 14,
                    end: 32,
                },
            ],
            8,
        );
        let shape: Vec<_> = b
            .iter()
            .map(|b| {
                (
                    b.nodes,
                    b.cohorts.iter().map(|c| c.gpus).collect::<Vec<_>>(),
                )
            })
            .collect();
        assert_eq!(shape, [(1, vec![8]), (1, vec![4, 2, 2]), (2, vec![16])]);
        assert_eq!(b[1].cohorts[0].place, 1.0);
        assert_eq!(b[1].cohorts[1].place, 0.0);
    }

    #[test]
    fn nodes_touched_counts_parts() {
        assert_eq!(nodes_touched(run(0, 0, 8), 8), 1);
        assert_eq!(nodes_touched(run(0, 7, 9), 8), 2);
        assert_eq!(nodes_touched(run(0, 4, 4), 8), 0);
    }

    proptest! {
        #[test]
        fn every_gpu_and_node_is_there_once(per_node in 1u32..9, nodes in 1u32..40, cuts in prop::collection::vec(0u32..400, 0..6)) {
            let total = per_node * nodes;
            let mut ends: Vec<_> = cuts.into_iter().map(|c| c % (total + 1)).collect();
            ends.sort_unstable();
            let mut runs = Vec::new();
            let mut start = 0;
            for (job, end) in ends.into_iter().enumerate() {
                runs.push(run(job, start, end));
                start = end;
            }
            runs.push(Run { job: None, start, end: total });
            let b = bundles(&runs, per_node);
            prop_assert_eq!(b.iter().map(|b| b.nodes).sum::<u32>(), nodes);
            for bundle in &b {
                prop_assert_eq!(bundle.cohorts.iter().map(|c| c.gpus).sum::<u32>(), bundle.nodes * per_node);
                prop_assert!(bundle.cohorts.len() == 1 || bundle.nodes == 1);
            }
            for r in &runs {
                let own: Vec<_> = b.iter().flat_map(|b| &b.cohorts).filter(|c| c.job == r.job).collect();
                prop_assert_eq!(own.iter().map(|c| c.gpus).sum::<u32>(), r.end - r.start);
                prop_assert!(own.len() as u32 <= COHORTS_PER_RACK_AND_JOB);
                let last = f64::from(nodes_touched(*r, per_node)) - 1.0;
                prop_assert!(own.iter().all(|c| c.place >= 0.0 && c.place <= last));
            }
        }
    }
}
